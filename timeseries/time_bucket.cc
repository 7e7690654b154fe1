#include "timeseries/time_bucket.h"

#include <algorithm>

#include "timeseries/civil_time.h"

namespace braid {

namespace {

constexpr int64_t kOriginUs = days_from_date({2000, 1, 3}) * kDayUs;  // a Monday
constexpr int64_t kOriginMonth = 2000 * 12;
constexpr int64_t kNearUs = 3 * kDayUs;  // more than clocks differ from UTC
constexpr int64_t kMonthsMax = 12 * 600'000;  // beyond all times that microseconds can tell

std::optional<int64_t> sum(int64_t a, int64_t b) {
  int64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional(out);
}

int64_t month_of(int64_t us) {
  const CivilDate date = date_from_days(floor_divide(us, kDayUs));
  return date.year * 12 + date.month - 1;
}

std::optional<int64_t> start_of_month(int64_t month) {
  if (month > kMonthsMax || month < -kMonthsMax) return std::nullopt;
  const int64_t year = floor_divide(month, 12);
  int64_t us = 0;
  return __builtin_mul_overflow(days_from_date({year, month - year * 12 + 1, 1}), kDayUs, &us) ? std::nullopt : std::optional(us);
}

int64_t positive_remainder(int64_t value, int64_t width) {
  const int64_t rest = value % width;
  return rest < 0 ? rest + width : rest;
}

}  // namespace

std::optional<int64_t> plus_months(int64_t us, int64_t months) {
  if (months == 0) return us;
  if (months > kMonthsMax || months < -kMonthsMax) return std::nullopt;
  const int64_t days = floor_divide(us, kDayUs);
  const CivilDate date = date_from_days(days);
  const auto first = start_of_month(date.year * 12 + date.month - 1 + months);
  if (!first) return std::nullopt;
  const CivilDate moved = date_from_days(floor_divide(*first, kDayUs));
  const int64_t day = std::min(date.day, days_in_month(moved.year, moved.month));
  return sum(*first, (day - 1) * kDayUs + (us - days * kDayUs));
}

Result<TimeBucket> TimeBucket::make(const Interval& width, const TimeBucketOptions& options) {
  if (width.months != 0 && width.microseconds != 0)
    return Status(StatusCode::kInvalidArgument, "a width in months cannot have days or hours as well");
  if (width.months < 0 || width.microseconds < 0 || (width.months == 0 && width.microseconds == 0))
    return Status(StatusCode::kInvalidArgument, "the width must be greater than zero");
  if (width.months > kMonthsMax) return Status(StatusCode::kInvalidArgument, "the width is longer than all time");
  if (options.zone != nullptr && (options.offset.months != 0 || options.offset.microseconds == INT64_MIN))
    return Status(StatusCode::kInvalidArgument, "with a time zone the offset cannot have months");
  TimeBucket bucket;
  bucket.zone_ = options.zone;
  bucket.shift_ = options.offset;
  std::optional<int64_t> origin = options.origin_us;
  if (origin && bucket.zone_ != nullptr) origin = bucket.zone_->local(*origin);
  if (width.months != 0) {
    bucket.months_ = width.months;
    bucket.phase_ = positive_remainder(origin ? month_of(*origin) : kOriginMonth, width.months);
    return bucket;
  }
  bucket.width_us_ = width.microseconds;
  bucket.phase_ = positive_remainder(origin.value_or(kOriginUs), bucket.width_us_);
  if (bucket.zone_ == nullptr && bucket.shift_.months == 0) {
    // Added modulo the width, without overflow.
    const int64_t shift = positive_remainder(bucket.shift_.microseconds, bucket.width_us_);
    const int64_t room = bucket.width_us_ - shift;
    bucket.phase_ = bucket.phase_ >= room ? bucket.phase_ - room : bucket.phase_ + shift;
    bucket.shift_ = {};
  }
  return bucket;
}

Result<TimeBucket> TimeBucket::of_integers(int64_t width, int64_t offset) {
  return make({.microseconds = width}, {.origin_us = offset});
}

std::optional<int64_t> TimeBucket::fixed_width() const {
  if (width_us_ == 0 || zone_ != nullptr || shift_.months != 0) return std::nullopt;
  return width_us_;
}

/// On a clock without jumps, the shift left aside.
std::optional<int64_t> TimeBucket::floor_of_clock(int64_t clock_us) const {
  if (months_ != 0) return start_of_month(floor_divide(month_of(clock_us) - phase_, months_) * months_ + phase_);
  int64_t start = 0;
  const auto distance = sum(clock_us, -phase_);
  if (!distance || __builtin_mul_overflow(floor_divide(*distance, width_us_), width_us_, &start)) return std::nullopt;
  return start + phase_;
}

std::optional<int64_t> TimeBucket::next_of_clock(int64_t clock_us) const {
  if (months_ != 0) return start_of_month((floor_divide(month_of(clock_us) - phase_, months_) + 1) * months_ + phase_);
  // Not start + width: the start may lie before the first time that can be told.
  return sum(clock_us, width_us_ - positive_remainder(positive_remainder(clock_us, width_us_) - phase_, width_us_));
}

std::optional<int64_t> TimeBucket::checked_floor(int64_t us) const {
  if (zone_ == nullptr && shift_.months == 0 && shift_.microseconds == 0) return floor_of_clock(us);
  if (zone_ != nullptr) return floor_in_zone(us);
  const auto back = plus_months(us, -shift_.months);
  const auto shifted = back && shift_.microseconds != INT64_MIN ? sum(*back, -shift_.microseconds) : std::nullopt;
  const auto start = shifted ? floor_of_clock(*shifted) : std::nullopt;
  const auto forward = start ? plus_months(*start, shift_.months) : std::nullopt;
  return forward ? sum(*forward, shift_.microseconds) : std::nullopt;
}

int64_t TimeBucket::floor(int64_t us) const { return checked_floor(us).value_or(INT64_MIN); }

int64_t TimeBucket::next(int64_t us) const {
  if (zone_ != nullptr) return next_in_zone(us);
  if (shift_.months == 0 && shift_.microseconds == 0) return next_of_clock(us).value_or(INT64_MAX);
  // A shift by months maps several days to one, so the place found is tried until it lies in another bucket.
  std::optional<int64_t> at = plus_months(us, -shift_.months);
  if (at && shift_.microseconds != INT64_MIN) at = sum(*at, -shift_.microseconds);
  for (int tries = 0; at && tries < 3; ++tries) {
    at = next_of_clock(*at);
    const auto forward = at ? plus_months(*at, shift_.months) : std::nullopt;
    const auto next = forward ? sum(*forward, shift_.microseconds) : std::nullopt;
    if (next && *next > us) return *next;
  }
  return INT64_MAX;
}

/// The offset is taken off the instant, not off the local clock: then no change of the clock can put a start after its time. A bucket ends
/// where clocks leave it, so where they are set back within one its time comes in two buckets, unless they stay in it.
std::optional<int64_t> TimeBucket::floor_in_zone(int64_t us) const {
  auto instant = sum(us, -shift_.microseconds);
  while (instant) {
    const int64_t clock = zone_->local(*instant);
    const auto start_clock = floor_of_clock(clock);
    if (!start_clock) return std::nullopt;
    if (clock - *start_clock > 2 * kNearUs) {
      // Clocks differ from UTC by little more than a day, so this still lies in the bucket, with fewer changes before it.
      instant = *start_clock + kNearUs;
      continue;
    }
    const auto start = sum(*instant, *start_clock - clock);
    const auto change = zone_->last_transition(*instant);
    if (!start || !change || *start >= *change) return start ? sum(*start, shift_.microseconds) : std::nullopt;
    if (floor_of_clock(zone_->local(*change - 1)) != start_clock) return sum(*change, shift_.microseconds);
    instant = *change - 1;
  }
  return std::nullopt;
}

int64_t TimeBucket::next_in_zone(int64_t us) const {
  const int64_t start = floor(us);
  auto instant = sum(us, -shift_.microseconds);
  const auto shifted = [&](std::optional<int64_t> time) { return time ? sum(*time, shift_.microseconds).value_or(INT64_MAX) : INT64_MAX; };
  // Within one offset the clock runs evenly; at each change the question is asked anew.
  while (instant) {
    const int64_t clock = zone_->local(*instant);
    const auto start_clock = floor_of_clock(clock);
    const auto next_clock = next_of_clock(clock);
    if (!next_clock) return INT64_MAX;
    if (start_clock && clock - *start_clock > kNearUs && *next_clock - clock > 3 * kNearUs) {
      // No change of the clock far from a bucket's ends can leave it.
      instant = *next_clock - 2 * kNearUs;
      continue;
    }
    const auto next = sum(*instant, *next_clock - clock);
    const auto change = zone_->next_transition(*instant);
    if (!change || (next && *next < *change)) return shifted(next);
    const int64_t after = floor(shifted(change));
    if (after > start && after > us) return after;
    if (*change <= *instant) return INT64_MAX;
    instant = change;
  }
  return INT64_MAX;
}

}  // namespace braid
