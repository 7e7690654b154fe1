// A write transaction's staged points: append-only columns per series, plus a log of their order,
// so that a rollback cuts off what was staged after its mark.
//
// Positions count staged rows and deletions of ranges from 0; a mark is a position. Scans hold the overlay
// counted, read the rows before the position at which they were made, and are interrupted when one
// of those rows was rolled back. Threads: one thread at a time, that of the transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/catalog.h"
#include "engine/column_data.h"
#include "engine/commit_record.h"
#include "engine/types.h"
#include "timeseries/field_mapping.h"

namespace braid {

/// Staged points of one series, in the order in which they were written. A later row wins over an
/// earlier one of its time; one that is deleted takes the point away.
class StagedRun {
 public:
  StagedRun(HypertableId table, SeriesId series, std::span<const FieldDefinition> fields);

  HypertableId table() const { return table_; }
  SeriesId series() const { return series_; }
  size_t rows() const { return times_.size(); }
  const std::vector<int64_t>& times() const { return times_; }
  const std::vector<ColumnData>& columns() const { return columns_; }
  const StoredFields& fields() const { return fields_; }
  /// Empty while no row is deleted, else one byte per row.
  const std::vector<uint8_t>& deleted() const { return deleted_; }
  bool is_deleted(size_t row) const { return !deleted_.empty() && deleted_[row] != 0; }

  /// Is a range staged as deleted after the row, and before `position`, that covers it?
  bool in_deleted_range(size_t row, uint64_t position = UINT64_MAX) const;
  bool has_deleted_ranges() const { return !ranges_.empty(); }
  /// The latest row at `time`, unless a range deleted later covers it.
  std::optional<size_t> find(int64_t time) const;

 private:
  friend class SeriesOverlay;
  static constexpr size_t kNoRow = SIZE_MAX;
  struct RangeMark {
    size_t rows;  // rows that were staged before the deletion
    TimeRange range;
    uint64_t position;
  };
  void take_fields(std::span<const FieldDefinition> fields);
  void reserve_first_rows();
  void note_times(size_t start);
  void truncate(size_t rows);
  int64_t time_max() const;

  const HypertableId table_;
  const SeriesId series_;
  StoredFields fields_;  // changes only while there are no rows
  std::vector<int64_t> times_;
  std::vector<ColumnData> columns_;
  std::vector<uint8_t> deleted_;
  std::vector<RangeMark> ranges_;
  size_t taken_rows_ = 0;
  // The first `ascending_` rows ascend strictly; of each later row, the maximum so far, and the row
  // before it, if that is a later one too, that has the same time.
  size_t ascending_ = 0;
  std::vector<int64_t> late_max_;
  std::vector<size_t> late_before_;
  std::unordered_map<int64_t, size_t> late_times_;  // the last such row of each time
};

/// Rows of a run that became part of a record.
struct TakenRows {
  const StagedRun* run;
  size_t start;
  size_t limit;
};

class SeriesOverlay {
 public:
  struct Deletion {
    std::shared_ptr<const RangeDeletion> range;  // shared: with scans
    uint64_t position;
  };

  StagedRun& run(HypertableId table, SeriesId series, std::span<const FieldDefinition> fields);
  const StagedRun* find(HypertableId table, SeriesId series) const;
  const std::vector<std::unique_ptr<StagedRun>>& runs() const { return runs_; }
  const std::vector<Deletion>& deletions() const { return deletions_; }
  /// Does the transaction delete a range that covers this point of the base?
  bool deletes(HypertableId table, SeriesId series, int64_t time) const;

  void append(StagedRun& run, int64_t time, std::span<const FieldValue> fields);
  /// Takes the point away, whether or not there is one.
  void append_deleted(StagedRun& run, int64_t time);
  /// Of the columns the rows from `start` on, as many as there are times.
  void append_columns(StagedRun& run, std::span<const int64_t> times,
                      std::span<const ColumnData> columns, size_t start = 0);
  void delete_range(RangeDeletion deletion);

  uint64_t position() const { return position_; }
  void rollback_to(uint64_t mark);
  uint64_t bytes() const { return bytes_; }
  /// Moves what was staged since the last call into the record. The rows that were are added to `taken`, those too that a range deleted later covers.
  void take_changes(SeriesChanges& changes, std::vector<TakenRows>& taken);

  /// Number of rollbacks so far.
  size_t epoch() const { return rollbacks_.size(); }
  /// Was something before `position` rolled back since `epoch`?
  bool undone_since(size_t epoch, uint64_t position) const;

 private:
  static constexpr uint32_t kDeletionEntry = UINT32_MAX;
  struct Entry {
    uint32_t run;    // index in runs_, or kDeletionEntry
    uint64_t start;  // position of its first row; it goes on until the next entry
  };
  struct KeyHash {
    size_t operator()(const std::pair<uint32_t, uint64_t>& key) const {
      return std::hash<uint64_t>()(key.second * 0x9e3779b97f4a7c15u + key.first);
    }
  };
  void log_rows(const StagedRun& run, uint64_t count);
  void undo(const Entry& entry, uint64_t count);

  std::vector<std::unique_ptr<StagedRun>> runs_;
  std::unordered_map<std::pair<uint32_t, uint64_t>, uint32_t, KeyHash> index_;
  uint32_t recent_run_ = 0;
  std::vector<Entry> entries_;
  std::vector<Deletion> deletions_;
  size_t deletions_taken_ = 0;
  uint64_t position_ = 0;
  uint64_t bytes_ = 0;
  std::vector<uint64_t> rollbacks_;  // the mark of each
};

}  // namespace braid
