// Rollups: the points of a hypertable by bucket of time and group of series, each with counts, sums, extremes, first and last values.
// A block that lies inside one bucket is answered from its statistics, others are decoded column by column; two threads when it pays.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/catalog.h"
#include "engine/memory_budget.h"
#include "engine/result.h"
#include "engine/store.h"
#include "engine/types.h"
#include "timeseries/field_filter.h"

namespace braid {

class SeriesOverlay;

/// Where buckets of time start. Immutable; called from several threads.
class TimeBuckets {
 public:
  virtual ~TimeBuckets() = default;
  /// The start of the bucket that holds `time`; at the ends of time, the least or the greatest time.
  virtual int64_t start_of(int64_t time) const = 0;
  /// The start of the bucket after the one that starts at `start`, or INT64_MAX.
  virtual int64_t next(int64_t start) const = 0;
};

/// Buckets of one width: origin + k * width. `width` is above 0.
class FixedBuckets final : public TimeBuckets {
 public:
  FixedBuckets(int64_t width_us, int64_t origin_us) : width_(width_us), origin_(origin_us) {}
  int64_t start_of(int64_t time) const override;
  int64_t next(int64_t start) const override;

 private:
  const int64_t width_;
  const int64_t origin_;
};

enum class RollupFunction : uint8_t { kCount, kSum, kAverage, kMin, kMax, kFirst, kLast };

/// In place of a field: the time column (kCount, kMin, kMax), and all rows (kCount).
inline constexpr size_t kTimeField = SIZE_MAX;
inline constexpr size_t kAllRows = SIZE_MAX - 1;

struct RollupColumn {
  RollupFunction function = RollupFunction::kCount;
  size_t field = kAllRows;
};

struct RollupQuestion {
  TimeRange range;
  /// Ascending ids of the series to read; none means all series of the table.
  std::optional<std::vector<SeriesId>> series;
  /// The group of each of `series`, from 0 on; empty means one group.
  std::vector<uint32_t> groups;
  /// Null: one bucket, whose start is that of the range.
  std::shared_ptr<const TimeBuckets> buckets;  ///< shared with the statement that asks
  std::vector<FieldFilter> filters;            ///< all must hold
  std::vector<RollupColumn> columns;           ///< fields of numbers and booleans only, but for kCount
  /// Above 0: only so many buckets, the first ones that have rows, or, `newest_first`, the last ones.
  size_t buckets_max = 0;
  bool newest_first = false;
  /// Memory for the answer; kLimit beyond it. 0: no bound.
  uint64_t bytes_max = 0;
  std::shared_ptr<MemoryBudget> memory{};  ///< where it is reserved; shared with what holds memory; may be null
  /// Asked now and then, also from a second thread: not OK ends the rollup. May be empty.
  std::function<Status()> check;
};

/// One value of an answer. Integers stay integers: counts, times, and kSum, kMin, kMax, kFirst, kLast of integer fields.
struct RollupValue {
  enum class Kind : uint8_t { kNull, kInteger, kReal, kOverflow };  ///< kOverflow: a sum of integers beyond int64
  Kind kind = Kind::kNull;
  int64_t integer = 0;
  double real = 0;
};

/// What a rollup touched, for tests and EXPLAIN-like output.
struct RollupCounts {
  uint64_t chunks_pruned = 0;
  uint64_t blocks_pruned = 0;     ///< by time or by a filter
  uint64_t blocks_summarised = 0; ///< answered from their statistics
  uint64_t blocks_read = 0;
  uint64_t rows = 0;              ///< that were aggregated, in decoded blocks
};

/// Rows ordered by (bucket, group); only those with at least one point, but for a question without buckets and groups, which has always one.
class RollupAnswer {
 public:
  size_t size() const { return rows_.size(); }
  int64_t bucket(size_t row) const { return rows_[row].bucket; }
  uint32_t group(size_t row) const { return rows_[row].group; }
  RollupValue value(size_t row, size_t column) const;
  const RollupCounts& counts() const { return counts_; }

 private:
  friend class RollupTotals;
  struct Row {
    int64_t bucket;
    uint32_t group;
    size_t cells;  // of its first field, in cells_
  };
  /// What is known of one field in one row; values as their bits.
  struct Cell {
    uint64_t count = 0;
    uint64_t sum_low = 0;  // of doubles, the bits of the sum
    uint64_t sum_high = 0;
    uint64_t min = 0;
    uint64_t max = 0;
    uint64_t first = 0;
    uint64_t last = 0;
    int64_t first_time = 0;
    int64_t last_time = 0;
    bool first_is_null = true;
    bool last_is_null = true;
  };
  std::vector<Row> rows_;
  std::vector<Cell> cells_;
  std::vector<RollupColumn> columns_;
  std::vector<size_t> cell_of_column_;
  std::vector<FieldType> types_;  // of the cells
  RollupCounts counts_;
};

/// Answers `question` on the time-series StoreView `base` with the changes of `overlay`, which may be null. Returns when all threads are done.
Result<RollupAnswer> roll_up(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay,
                             const HypertableDefinition& table, const RollupQuestion& question);

}  // namespace braid
