#include "timeseries/aggregate_buckets.h"

#include <algorithm>

namespace braid {

Result<std::shared_ptr<const AggregateBuckets>> AggregateBuckets::make(const AggregateDefinition& definition) {
  const auto interval_of = [](const CalendarLength& length) { return Interval{length.months, length.microseconds}; };
  TimeBucketOptions options;
  options.origin_us = definition.origin_us;
  options.offset = interval_of(definition.offset);
  BRAID_ASSIGN(TimeBucket bucket, TimeBucket::make(interval_of(definition.width), options));
  // Shared: with rollups, which may run in two threads.
  return std::shared_ptr<const AggregateBuckets>(new AggregateBuckets(std::move(bucket)));
}

void TouchedBuckets::add(std::span<const int64_t> times) {
  const int64_t start = kept_.start.value();
  const int64_t limit = kept_.limit.value();
  for (const int64_t time : times) {
    if (time >= limit || time < start) continue;
    if (time >= last_.start.value() && time < last_.limit.value()) continue;
    const int64_t bucket = buckets_.start_of(time);
    last_ = {Timestamp(bucket), Timestamp(buckets_.next(bucket))};
    ranges_.push_back(last_);
  }
}

void TouchedBuckets::add(TimeRange points) {
  const Timestamp start = std::max(points.start, kept_.start);
  const Timestamp limit = std::min(points.limit, kept_.limit);
  if (start >= limit) return;
  const int64_t last = buckets_.start_of(limit.value() - 1);
  ranges_.push_back({Timestamp(buckets_.start_of(start.value())), Timestamp(buckets_.next(last))});
}

std::vector<TimeRange> TouchedBuckets::take() { return joined_ranges(std::move(ranges_)); }

std::vector<TimeRange> joined_ranges(std::vector<TimeRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const TimeRange& a, const TimeRange& b) { return a.start < b.start; });
  size_t count = 0;
  for (const TimeRange& range : ranges) {
    if (count > 0 && range.start <= ranges[count - 1].limit)
      ranges[count - 1].limit = std::max(ranges[count - 1].limit, range.limit);
    else
      ranges[count++] = range;
  }
  ranges.resize(count);
  return ranges;
}

void mark_touched(CatalogWriter& catalog, std::span<const TouchedTimes> points, std::span<const SeriesDeletion> deletions) {
  // Marking leaves the state as it is.
  for (const auto& [id, aggregate] : catalog.state().aggregates) {
    if (aggregate->watermark.value() == INT64_MIN) continue;
    const auto buckets = AggregateBuckets::make(*aggregate);
    if (!buckets.ok()) {
      // Where buckets cannot be told, nothing that is kept may be trusted.
      catalog.mark_dirty(id, {TimeRange{}.start, aggregate->watermark});
      continue;
    }
    TouchedBuckets touched(*aggregate, **buckets);
    for (const TouchedTimes& one : points)
      if (one.hypertable == aggregate->hypertable) touched.add(one.times);
    for (const SeriesDeletion& deletion : deletions)
      if (deletion.hypertable == aggregate->hypertable) touched.add(deletion.range);
    for (const TimeRange& range : touched.take()) catalog.mark_dirty(id, range);
  }
}

}  // namespace braid
