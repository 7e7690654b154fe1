// Equal lengths of time laid end to end: in which one lies a time, and where does the next begin?
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/result.h"
#include "timeseries/time_zone.h"

namespace braid {

/// A length of time: months are kept apart, since they have no fixed length.
struct Interval {
  int64_t months = 0;
  int64_t microseconds = 0;
};

struct TimeBucketOptions {
  /// Where a bucket starts; of buckets of months only its month counts.
  std::optional<int64_t> origin_us;
  /// Moves all buckets.
  Interval offset;
  /// Buckets are laid out on this zone's local clock; null is UTC. Shared with the cache of zones.
  std::shared_ptr<const TimeZone> zone;
};

/// A value; constant after construction. Times are microseconds since 1970-01-01 UTC, or the caller's integers.
///
/// Without an origin, widths of fixed length count from Monday 2000-01-03 and widths of months from 2000-01-01, as
/// TimescaleDB's do; with a zone from that date's local midnight. `start <= time < next(time)` holds for all times whose
/// bucket can be told, and floor(floor(time)) == floor(time).
class TimeBucket {
 public:
  /// kInvalidArgument for a width that is not positive or that mixes months with days or hours.
  static Result<TimeBucket> make(const Interval& width, const TimeBucketOptions& options = {});
  /// Buckets of plain integers count from `offset`.
  static Result<TimeBucket> of_integers(int64_t width, int64_t offset = 0);

  /// Start of the bucket; INT64_MIN where it would lie before that.
  int64_t floor(int64_t us) const;
  /// The same, or nothing where the start cannot be told.
  std::optional<int64_t> checked_floor(int64_t us) const;
  /// Start of the next bucket; INT64_MAX where it would lie after that.
  int64_t next(int64_t us) const;
  /// For buckets of equal length in microseconds, which start at phase() + n * width; nothing for months and zones.
  std::optional<int64_t> fixed_width() const;
  /// 0 <= phase() < fixed_width().
  int64_t phase() const { return phase_; }

 private:
  TimeBucket() = default;
  std::optional<int64_t> floor_of_clock(int64_t clock_us) const;
  std::optional<int64_t> next_of_clock(int64_t clock_us) const;
  std::optional<int64_t> floor_in_zone(int64_t us) const;
  int64_t next_in_zone(int64_t us) const;

  int64_t width_us_ = 0;  // or 0
  int64_t months_ = 0;    // or 0
  int64_t phase_ = 0;     // in microseconds, or in months since the year 0
  Interval shift_;        // what the phase does not hold already
  std::shared_ptr<const TimeZone> zone_;
};

/// `time` moved by calendar months: a day that the month lacks becomes its last. Nothing when out of range.
std::optional<int64_t> plus_months(int64_t us, int64_t months);

}  // namespace braid
