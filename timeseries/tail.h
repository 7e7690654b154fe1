// The tail: points in memory that no chunk file holds yet. One writer appends while any number of
// threads read.
//
// Invariants:
//   1. A row, once published by the release store of its block's row count, never changes or moves
//   until its segment goes.
//   2. Rows of a series lie in the order of their LSNs, segment by segment: a reader stops at the
//   first row that is newer than
//      its view.
//   3. The set of segments and deletions is immutable; the store replaces it when a segment is added or
//   sealed, or a range is deleted.
// Threads: members marked "writer" are called holding the writer slot; all others from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/catalog.h"
#include "engine/column_data.h"
#include "engine/memory_budget.h"
#include "engine/mutex.h"
#include "engine/types.h"
#include "timeseries/field_mapping.h"

namespace braid {

/// One byte per row of a block; absent while no row is marked.
class RowMarks {
 public:
  bool at(uint32_t row) const {
    const uint8_t* marks = marks_.load(std::memory_order_acquire);
    return marks != nullptr && marks[row] != 0;
  }
  /// Writer, before the rows are published. `from` is empty for rows without marks.
  void put(const std::vector<uint8_t>& from, size_t start, size_t count, uint32_t at, uint32_t capacity, uint64_t& added_bytes);

 private:
  std::unique_ptr<uint8_t[]> memory_;
  std::atomic<uint8_t*> marks_{nullptr};
};

/// A fixed number of rows of one series, column by column.
class TailBlock {
 public:
  /// `fields` outlives the block.
  TailBlock(const StoredFields& fields, uint32_t capacity);
  TailBlock(const TailBlock&) = delete;
  TailBlock& operator=(const TailBlock&) = delete;

  const StoredFields& fields() const { return fields_; }
  uint32_t rows() const { return rows_.load(std::memory_order_acquire); }
  const TailBlock* next() const { return next_.load(std::memory_order_acquire); }
  int64_t time(uint32_t row) const { return times_[row]; }
  Lsn lsn(uint32_t row) const { return Lsn(lsns_[row]); }
  /// Does the row take a point away?
  bool is_deleted(uint32_t row) const { return deleted_.at(row); }
  bool is_null(size_t column, uint32_t row) const { return columns_[column].nulls.at(row); }
  int64_t integer(size_t column, uint32_t row) const { return columns_[column].integers[row]; }
  double real(size_t column, uint32_t row) const { return columns_[column].reals[row]; }
  std::string_view text(size_t column, uint32_t row) const { return columns_[column].texts[row]; }
  FieldValue value(size_t column, uint32_t row) const;

 private:
  friend class SeriesTail;
  struct Column {
    FieldType type = FieldType::kDouble;
    std::unique_ptr<int64_t[]> integers;
    std::unique_ptr<double[]> reals;
    std::unique_ptr<std::string_view[]> texts;
    RowMarks nulls;
  };

  const StoredFields& fields_;
  const uint32_t capacity_;
  std::unique_ptr<int64_t[]> times_;
  std::unique_ptr<uint64_t[]> lsns_;
  std::unique_ptr<Column[]> columns_;
  RowMarks deleted_;
  std::atomic<uint32_t> rows_{0};
  std::atomic<TailBlock*> next_{nullptr};
};

/// Rows that are appended together: `times`, a column per field, and `deleted`, which is empty when no row is.
struct TailRows {
  std::span<const int64_t> times;
  std::span<const ColumnData> columns;
  const std::vector<uint8_t>& deleted;
};

/// Where a row of the tail is.
struct TailPlace {
  const TailBlock* block = nullptr;
  uint32_t row = 0;
};

/// The unsealed points of one series in one segment.
class SeriesTail {
 public:
  /// `fields` outlives the tail.
  explicit SeriesTail(const StoredFields& fields) : fields_(fields) {}

  const TailBlock* first() const { return first_.load(std::memory_order_acquire); }

  /// Writer. Appends rows [start, limit); returns the memory that was added.
  uint64_t append(const TailRows& rows, size_t start, size_t limit, Lsn lsn);
  /// Writer. The latest row at `time`. Constant when `time` is past all rows.
  std::optional<TailPlace> find(int64_t time) const;

 private:
  TailBlock& block_with_room(uint64_t& added_bytes);
  void put_column(TailBlock::Column& to, const ColumnData& from, size_t start, size_t count,
                  uint32_t at, uint32_t capacity, uint64_t& added_bytes);
  std::string_view keep_text(std::string_view text, uint64_t& added_bytes);

  const StoredFields& fields_;
  std::atomic<TailBlock*> first_{nullptr};
  // The rest belongs to the writer.
  std::vector<std::unique_ptr<TailBlock>> blocks_;
  std::vector<std::unique_ptr<char[]>> arena_;
  size_t arena_free_bytes_ = 0;
  char* arena_next_ = nullptr;
  int64_t time_max_ = INT64_MIN;
  TailPlace at_time_max_;
  mutable std::unordered_map<int64_t, TailPlace> times_;  // built when first asked for an earlier time
  mutable bool times_built_ = false;
};

/// Points of one hypertable, by series. Appended to until it is frozen.
class TailSegment {
 public:
  /// `memory` may be null. What is appended is committed, so that its memory is counted and not refused.
  explicit TailSegment(StoredFields fields, std::shared_ptr<MemoryBudget> memory = nullptr)
      : fields_(std::move(fields)), memory_(std::move(memory), MemoryUse::kTails) {}

  const StoredFields& fields() const { return fields_; }
  const SeriesTail* find(SeriesId series) const;
  /// Adds the ids of all series with points.
  void add_series_ids(std::vector<SeriesId>& ids) const;
  uint64_t rows() const { return rows_.load(std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// Of all rows, also of those that a view does not see yet.
  int64_t time_min() const { return time_min_.load(std::memory_order_relaxed); }
  int64_t time_max() const { return time_max_.load(std::memory_order_relaxed); }

  /// Writer.
  void append(SeriesId series, const TailRows& rows, size_t start, size_t limit, Lsn lsn);
  /// Writer. As `find`, without the lock: only the writer changes the map.
  const SeriesTail* find_as_writer(SeriesId series) const;
  void freeze() { frozen_ = true; }
  bool frozen() const { return frozen_; }

 private:
  const StoredFields fields_;  // constant after construction
  mutable SharedMutex mutex_;
  std::unordered_map<SeriesId, std::unique_ptr<SeriesTail>> series_ BRAID_GUARDED_BY(mutex_);
  std::atomic<uint64_t> rows_{0};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<int64_t> time_min_{INT64_MAX};
  std::atomic<int64_t> time_max_{INT64_MIN};
  bool frozen_ = false;  // belongs to the writer
  MemoryShare memory_;   // belongs to the writer; given back with the last view
};

struct TailTable {
  std::vector<std::shared_ptr<TailSegment>> segments;  ///< oldest first; shared with views
  std::vector<std::shared_ptr<const RangeDeletion>> deletions;  ///< LSNs ascend; shared with other sets

  /// Is the row hidden by a range that was deleted after it was written?
  bool hides(SeriesId series, int64_t time, Lsn lsn) const;
  /// Forgets those that the new one includes.
  void add_deletion(RangeDeletion deletion);
  uint64_t rows() const;
};

struct TailSet {
  std::map<HypertableId, TailTable> tables;

  const TailTable* find(HypertableId table) const;
  uint64_t rows() const;
  uint64_t bytes() const;
};

}  // namespace braid
