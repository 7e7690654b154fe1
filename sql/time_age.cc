#include "sql/time_age.h"

#include <cstdlib>

#include <fmt/format.h>

#include "engine/engine.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"

namespace braid {

Result<Timestamp> time_before(Timestamp now, const CalendarLength& age) {
  int64_t us = 0;
  const auto month = plus_months(now.value(), -age.months);
  if (!month || __builtin_sub_overflow(*month, age.microseconds, &us))
    return Status(StatusCode::kInvalidArgument, fmt::format("now less {} is out of the range of times", length_text(age)));
  return Timestamp(us);
}

Result<Timestamp> time_or_age(Connection& connection, sqlite3_value* value, std::string_view what) {
  if (sqlite3_value_type(value) != SQLITE_TEXT || parse_time(text_of(value))) return time_of(value, what);
  const auto age = parse_interval(text_of(value));
  if (!age.ok())
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: '{}' is neither a time like '2024-01-31 12:00:00' nor an age like '30 days'", what, text_of(value)));
  const auto time = time_before(connection.engine().env().now(), {age->months, age->microseconds});
  return time.ok() ? time : Result<Timestamp>(time.status().within(what));
}

Result<CalendarLength> length_of(sqlite3_value* value, std::string_view what) {
  if (sqlite3_value_type(value) == SQLITE_INTEGER) return CalendarLength{0, sqlite3_value_int64(value)};
  if (sqlite3_value_type(value) != SQLITE_TEXT)
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: expected an interval like '7 days'", what));
  const auto parsed = parse_interval(text_of(value));
  if (!parsed.ok()) return parsed.status().within(what);
  return CalendarLength{parsed->months, parsed->microseconds};
}

std::string length_text(const CalendarLength& length) {
  constexpr int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;
  std::string text;
  const auto add = [&](int64_t count, std::string_view unit) {
    if (count != 0) text += fmt::format("{}{} {}{}", text.empty() ? "" : " ", count, unit, std::abs(count) == 1 ? "" : "s");
  };
  add(length.months / 12, "year");
  add(length.months % 12, "mon");
  add(length.microseconds / kDay, "day");
  const int64_t rest = length.microseconds % kDay;
  if (rest == 0 && !text.empty()) return text;
  const int64_t clock = std::abs(rest);
  text += fmt::format("{}{}{:02}:{:02}:{:02}", text.empty() ? "" : " ", rest < 0 ? "-" : "", clock / kSecond / 3600, clock / kSecond / 60 % 60, clock / kSecond % 60);
  if (clock % kSecond != 0) text += fmt::format(".{:06}", clock % kSecond);
  return text;
}

}  // namespace braid
