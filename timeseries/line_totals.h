// What is told by a line of points in the order of their times, point by point: the growth of a counter, and the mean weighted by time.
#pragma once

#include <cstdint>
#include <optional>

#include "timeseries/point_series.h"

namespace braid {

/// A counter that starts from 0 again when its process does: a value below the one before tells of that, and counts as growth from 0.
class CounterTotals {
 public:
  void add(TimedValue point) {
    if (points_++ == 0) {
      first_time_ = point.time;
    } else if (point.value < last_) {
      ++resets_;
      increase_ += point.value;
    } else {
      increase_ += point.value - last_;
    }
    last_ = point.value;
    last_time_ = point.time;
  }
  /// Nothing without a point; 0 for a single one.
  std::optional<double> increase() const { return points_ == 0 ? std::nullopt : std::optional(increase_); }
  std::optional<int64_t> resets() const { return points_ == 0 ? std::nullopt : std::optional(resets_); }
  /// Per second; nothing when no time has passed.
  std::optional<double> rate() const {
    if (points_ == 0 || last_time_ == first_time_) return std::nullopt;
    return increase_ / ((static_cast<double>(last_time_) - static_cast<double>(first_time_)) / 1e6);
  }

 private:
  uint64_t points_ = 0;
  int64_t resets_ = 0;
  double increase_ = 0;
  double last_ = 0;
  int64_t first_time_ = 0;
  int64_t last_time_ = 0;
};

/// The mean of the line between the points; kStep holds each value until the next point.
class TimeWeightedMean {
 public:
  enum class Method : uint8_t { kLinear, kStep };

  void add(TimedValue point, Method method) {
    if (points_++ > 0) {
      const double length = static_cast<double>(point.time) - static_cast<double>(last_.time);
      area_ += length * (method == Method::kStep ? last_.value : last_.value / 2 + point.value / 2);
      length_ += length;
    }
    last_ = point;
  }
  /// Of points that are all at one time it is the last one's value; nothing without a point.
  std::optional<double> mean() const {
    if (points_ == 0) return std::nullopt;
    return length_ == 0 ? last_.value : area_ / length_;
  }

 private:
  uint64_t points_ = 0;
  TimedValue last_{};
  double area_ = 0;
  double length_ = 0;
};

}  // namespace braid
