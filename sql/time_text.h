// Times in SQL: text in UTC, YYYY-MM-DD HH:MM:SS[.ffffff], trailing zeros of the fraction cut. It sorts as text, SQLite's date
// functions read it and datetime() writes it. Input may have any form that PostgreSQL and ISO 8601 share: T or a blank, Z, +00,
// +0000, +00:00, a date alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/result.h"
#include "engine/types.h"

namespace braid {

std::string format_time(Timestamp time);
/// Nothing for text that is no time, or a time out of range.
std::optional<Timestamp> parse_time(std::string_view text);

/// A length of time: months are kept apart, since they have no fixed length.
struct Interval {
  int64_t months = 0;
  int64_t microseconds = 0;
};
/// "1 hour", "1 day 12:30:00", "15 min", "2 weeks", "1 month"; errors name what was not understood.
Result<Interval> parse_interval(std::string_view text);

/// Start of the bucket of `time`. Buckets of months count from 2000-01-01, others from Monday 2000-01-03, as TimescaleDB's do, unless
/// an origin is given. kInvalidArgument for widths that are not positive or mix months with days.
Result<Timestamp> time_bucket(const Interval& width, Timestamp time, std::optional<Timestamp> origin);

}  // namespace braid
