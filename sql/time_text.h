// Times in SQL: text in UTC, YYYY-MM-DD HH:MM:SS[.ffffff], trailing zeros of the fraction cut. It sorts as text, SQLite's date
// functions read it and datetime() writes it. Input may have any form that PostgreSQL and ISO 8601 share: T or a blank, Z, +00,
// +0000, +00:00, a date alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/result.h"
#include "engine/types.h"
#include "timeseries/time_bucket.h"

namespace braid {

std::string format_time(Timestamp time);
/// Nothing for text that is no time, or a time out of range.
std::optional<Timestamp> parse_time(std::string_view text);

/// "1 hour", "1 day 12:30:00", "15 min", "2 weeks", "1 month", "PT15M"; errors name what was not understood.
Result<Interval> parse_interval(std::string_view text);

}  // namespace braid
