// The buckets of a continuous aggregate, and which of them changes of points touch.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/catalog.h"
#include "engine/commit_record.h"
#include "engine/result.h"
#include "timeseries/rollup.h"
#include "timeseries/time_bucket.h"

namespace braid {

/// Immutable.
class AggregateBuckets final : public TimeBuckets {
 public:
  /// kInvalidArgument for a width that time_bucket would refuse.
  static Result<std::shared_ptr<const AggregateBuckets>> make(const AggregateDefinition& definition);

  int64_t start_of(int64_t time) const override { return bucket_.floor(time); }
  int64_t next(int64_t start) const override { return bucket_.next(start); }
  /// The first start of a bucket at or after `time`.
  int64_t start_from(int64_t time) const {
    const int64_t start = start_of(time);
    return start == time ? start : next(start);
  }

 private:
  explicit AggregateBuckets(TimeBucket bucket) : bucket_(std::move(bucket)) {}
  const TimeBucket bucket_;
};

/// Gathers which kept buckets of one aggregate do not tell the truth any more: those below its watermark, and not of points that were dropped.
class TouchedBuckets {
 public:
  TouchedBuckets(const AggregateDefinition& definition, const AggregateBuckets& buckets)
      : buckets_(buckets), kept_{definition.frozen, definition.watermark} {}

  void add(std::span<const int64_t> times);
  void add(TimeRange points);
  /// Ranges of bucket starts, in order and apart.
  std::vector<TimeRange> take();

 private:
  const AggregateBuckets& buckets_;
  const TimeRange kept_;
  std::vector<TimeRange> ranges_;
  TimeRange last_{Timestamp(0), Timestamp(0)};  // the bucket found last
};

/// In order and apart: those that meet become one.
std::vector<TimeRange> joined_ranges(std::vector<TimeRange> ranges);

/// Times at which points of a hypertable change.
struct TouchedTimes {
  HypertableId hypertable;
  std::span<const int64_t> times;
};

/// Marks the buckets dirty that changes touch, in all aggregates of their hypertables.
void mark_touched(CatalogWriter& catalog, std::span<const TouchedTimes> points, std::span<const SeriesDeletion> deletions);

}  // namespace braid
