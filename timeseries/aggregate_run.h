// Folding a run of values of one column into what a rollup keeps of it.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "timeseries/wide_integer.h"

namespace braid {

/// Count, sum and extremes of the values that are neither null nor NaN. Without any, `count` is 0 and the others say nothing.
struct RealRun {
  uint64_t count = 0;
  double sum = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
};

struct IntegerRun {
  uint64_t count = 0;
  WideInteger sum = 0;
  int64_t min = std::numeric_limits<int64_t>::max();
  int64_t max = std::numeric_limits<int64_t>::min();
};

/// `nulls` is null, or one byte per value.
RealRun aggregate_run(std::span<const double> values, const uint8_t* nulls);
IntegerRun aggregate_run(std::span<const int64_t> values, const uint8_t* nulls);

}  // namespace braid
