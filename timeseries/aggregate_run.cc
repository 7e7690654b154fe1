#include "timeseries/aggregate_run.h"

#include <algorithm>

namespace braid {
namespace {

// Sums go through this many lanes, so that the compiler may keep them in vector registers: it must not reorder a sum of doubles by itself.
constexpr size_t kLanes = 8;

/// Each lane of doubles; values that do not count add nothing.
struct RealLanes {
  double sum[kLanes] = {};
  double min[kLanes];
  double max[kLanes];
  uint64_t count[kLanes] = {};

  RealLanes() {
    std::fill(min, min + kLanes, std::numeric_limits<double>::infinity());
    std::fill(max, max + kLanes, -std::numeric_limits<double>::infinity());
  }
  void add(size_t lane, double value, bool counts) {
    counts = counts && value == value;
    sum[lane] += counts ? value : 0.0;
    min[lane] = counts && value < min[lane] ? value : min[lane];
    max[lane] = counts && value > max[lane] ? value : max[lane];
    count[lane] += counts ? 1 : 0;
  }
  RealRun total() const {
    RealRun out;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      out.count += count[lane];
      out.sum += sum[lane];
      out.min = std::min(out.min, min[lane]);
      out.max = std::max(out.max, max[lane]);
    }
    return out;
  }
};

/// The widest integers of which 2^11 can be added in 64 bits.
constexpr int64_t kNarrowMax = int64_t{1} << 51;
constexpr size_t kNarrowCountMax = size_t{1} << 11;

template <typename Counts>
WideInteger wide_sum(std::span<const int64_t> values, Counts counts) {
  WideInteger sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += counts(i) ? values[i] : 0;
  return sum;
}

template <typename Counts>
int64_t narrow_sum(std::span<const int64_t> values, Counts counts) {
  int64_t sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += counts(i) ? values[i] : 0;
  return sum;
}

template <typename Counts>
__attribute__((always_inline)) inline RealRun fold_reals(std::span<const double> values, Counts counts) {
  RealLanes lanes;
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes.add(lane, values[i + lane], counts(i + lane));
  }
  for (size_t lane = 0; i + lane < values.size(); ++lane) lanes.add(lane, values[i + lane], counts(i + lane));
  return lanes.total();
}

template <typename Counts>
__attribute__((always_inline)) inline IntegerRun fold_integers(std::span<const int64_t> values, Counts counts) {
  IntegerRun out;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool one = counts(i);
    out.min = one && values[i] < out.min ? values[i] : out.min;
    out.max = one && values[i] > out.max ? values[i] : out.max;
    out.count += one ? 1 : 0;
  }
  if (out.count == 0) return out;
  const bool narrow = out.min >= -kNarrowMax && out.max <= kNarrowMax && values.size() <= kNarrowCountMax;
  out.sum = narrow ? narrow_sum(values, counts) : wide_sum(values, counts);
  return out;
}

/// A run this short is not worth setting up lanes for.
constexpr size_t kShortRun = 2 * kLanes;

RealRun short_run(std::span<const double> values, const uint8_t* nulls) {
  RealRun out;
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    if ((nulls != nullptr && nulls[i] != 0) || value != value) continue;
    ++out.count;
    out.sum += value;
    out.min = std::min(out.min, value);
    out.max = std::max(out.max, value);
  }
  return out;
}

// The widest vectors of the processor are chosen when the program starts. Every other kind of processor has one width.
#if !defined(__x86_64__) || defined(__SANITIZE_THREAD__)  // the choice is made before the sanitizer is there
#define BRAID_FOR_EACH_PROCESSOR
#else
#define BRAID_FOR_EACH_PROCESSOR __attribute__((target_clones("default", "avx2", "avx512f")))
#endif

BRAID_FOR_EACH_PROCESSOR RealRun fold_all_reals(std::span<const double> values) {
  return fold_reals(values, [](size_t) { return true; });
}
BRAID_FOR_EACH_PROCESSOR RealRun fold_some_reals(std::span<const double> values, const uint8_t* nulls) {
  return fold_reals(values, [nulls](size_t i) { return nulls[i] == 0; });
}
BRAID_FOR_EACH_PROCESSOR IntegerRun fold_all_integers(std::span<const int64_t> values) {
  return fold_integers(values, [](size_t) { return true; });
}
BRAID_FOR_EACH_PROCESSOR IntegerRun fold_some_integers(std::span<const int64_t> values, const uint8_t* nulls) {
  return fold_integers(values, [nulls](size_t i) { return nulls[i] == 0; });
}

}  // namespace

RealRun aggregate_run(std::span<const double> values, const uint8_t* nulls) {
  if (values.size() < kShortRun) return short_run(values, nulls);
  return nulls == nullptr ? fold_all_reals(values) : fold_some_reals(values, nulls);
}

IntegerRun aggregate_run(std::span<const int64_t> values, const uint8_t* nulls) {
  return nulls == nullptr ? fold_all_integers(values) : fold_some_integers(values, nulls);
}

}  // namespace braid
