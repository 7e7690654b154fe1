// Percentiles of many numbers in little memory, with a bound on the relative error: numbers are counted in buckets whose bounds grow by a
// constant factor, and when there are too many buckets, neighbours are joined and the factor is squared.
//
// Source: I. Epicoco et al., "UDDSketch: Accurate Tracking of Quantiles in Data Streams", IEEE Access 2020.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace braid {

/// A value. The result does not depend on the order of what was added or merged.
class PercentileSketch {
 public:
  static constexpr size_t kBucketsMax = 2048;

  /// NaN is left out.
  void add(double value);
  void merge(PercentileSketch other);
  /// A number that differs from the value of rank floor(fraction * (count - 1)) by at most error() times that value's
  /// magnitude. Nothing when the sketch is empty. `fraction` lies between 0 and 1.
  std::optional<double> quantile(double fraction);
  /// The share of the numbers that lie below `value`, to the accuracy of its bucket. Nothing when the sketch is empty.
  std::optional<double> rank(double value);
  uint64_t count() const { return count_; }
  /// Begins at 0.001; grows with the ratio of the greatest to the least magnitude: 0.004 for a million, 0.016 for 10^24.
  double error() const;

  std::string encode();
  static Result<PercentileSketch> decode(std::string_view bytes);

 private:
  struct Bucket {
    int32_t index;
    uint64_t count;
    bool operator==(const Bucket&) const = default;
  };
  using Buckets = std::vector<Bucket>;  // by index, each once

  static int32_t index_of(double magnitude);
  double value_of(int32_t index) const;
  void settle();
  void collapse();
  static void join(Buckets& buckets);

  uint32_t level_ = 0;  // how often neighbours were joined
  uint64_t count_ = 0;
  uint64_t zeros_ = 0;
  double least_ = 0;
  double greatest_ = 0;
  Buckets negative_;  // by magnitude
  Buckets positive_;
  std::vector<int32_t> pending_negative_;  // indexes at level 0, not counted in buckets yet
  std::vector<int32_t> pending_positive_;
};

}  // namespace braid
