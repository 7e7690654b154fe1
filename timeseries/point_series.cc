#include "timeseries/point_series.h"

#include <algorithm>
#include <cmath>

namespace braid {

bool PointSeries::add(TimedValue point) {
  if (points_.size() >= kPointsMax) return false;
  points_.push_back(point);
  return true;
}

void PointSeries::remove_first() {
  if (!points_.empty()) points_.pop_front();
}

std::vector<TimedValue> PointSeries::sorted() const {
  std::vector<TimedValue> points(points_.begin(), points_.end());
  const auto earlier = [](const TimedValue& a, const TimedValue& b) { return a.time < b.time; };
  if (!std::is_sorted(points.begin(), points.end(), earlier)) std::stable_sort(points.begin(), points.end(), earlier);
  return points;
}

std::vector<TimedValue> largest_triangles(const std::vector<TimedValue>& points, size_t count) {
  if (count >= points.size() || points.size() < 3) return points;
  if (count < 3) return count == 0 ? std::vector<TimedValue>() : count == 1 ? std::vector{points.front()} : std::vector{points.front(), points.back()};
  // Times are taken from the first on: their differences fit into a double better than they do.
  const auto x = [&](size_t i) { return static_cast<double>(points[i].time) - static_cast<double>(points.front().time); };
  const double width = static_cast<double>(points.size() - 2) / static_cast<double>(count - 2);
  const auto bucket_start = [&](size_t bucket) { return static_cast<size_t>(std::floor(static_cast<double>(bucket) * width)) + 1; };
  std::vector<TimedValue> kept = {points.front()};
  size_t last = 0;
  for (size_t bucket = 0; bucket < count - 2; ++bucket) {
    const size_t start = bucket_start(bucket);
    const size_t limit = bucket_start(bucket + 1);
    const size_t next_limit = std::min(bucket_start(bucket + 2), points.size());
    double mean_x = 0;
    double mean_y = 0;
    const size_t next_start = std::min(limit, points.size() - 1);
    const size_t next_count = std::max(next_limit, next_start + 1) - next_start;
    for (size_t i = next_start; i < next_start + next_count; ++i) mean_x += x(i), mean_y += points[i].value;
    mean_x /= static_cast<double>(next_count);
    mean_y /= static_cast<double>(next_count);
    size_t best = start;
    double best_area = -1;
    for (size_t i = start; i < limit; ++i) {
      const double area = std::abs((x(last) - mean_x) * (points[i].value - points[last].value) - (x(last) - x(i)) * (mean_y - points[last].value));
      if (area > best_area) best_area = area, best = i;
    }
    kept.push_back(points[best]);
    last = best;
  }
  kept.push_back(points.back());
  return kept;
}

}  // namespace braid
