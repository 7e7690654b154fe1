// Points (time, value) of one calculation, kept in memory up to a bound and brought into the order of their times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace braid {

struct TimedValue {
  int64_t time;
  double value;
};

/// Points at one time stay in the order in which they came. Used by one thread.
class PointSeries {
 public:
  static constexpr size_t kPointsMax = size_t{1} << 22;  // 64 MB

  /// False when there are as many as may be.
  bool add(TimedValue point);
  /// Removes the point that came first.
  void remove_first();
  /// By time.
  std::vector<TimedValue> sorted() const;
  size_t size() const { return points_.size(); }

 private:
  std::deque<TimedValue> points_;
};

/// `points` by time; answers at most `count` of them that keep the shape of the line, the first and the last among them.
/// Source: S. Steinarsson, "Downsampling Time Series for Visual Representation", 2013, section 4.2 (largest triangle, three buckets).
std::vector<TimedValue> largest_triangles(const std::vector<TimedValue>& points, size_t count);

}  // namespace braid
