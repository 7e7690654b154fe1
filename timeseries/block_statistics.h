// What the footer of a chunk keeps about one column of one block, so that pruning, coarse
// aggregates and last points need no decoding.
#pragma once

#include <cstdint>
#include <span>

#include "timeseries/point_block.h"

namespace braid {

/// Min, max, first, last and sum are over the rows that are neither null nor NaN (`value_count`),
/// for doubles as their bits, for integers and booleans as they are. The sum of integers is exact,
/// in 128 bits; the sum of doubles is in row order. Text columns have only `null_count`.
struct ColumnStatistics {
  uint16_t null_count = 0;
  uint16_t value_count = 0;
  uint64_t min = 0;
  uint64_t max = 0;
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t sum_low = 0;   ///< of doubles: the bits of the sum
  uint64_t sum_high = 0;  ///< of doubles: zero

  bool operator==(const ColumnStatistics&) const = default;
};

/// Of rows [start, start + count), at most kBlockRowsMax. `deleted` is as in PointBlock: such rows do not count.
ColumnStatistics statistics_of(const PointColumn& column, size_t start, size_t count,
                               std::span<const uint8_t> deleted = {});

}  // namespace braid
