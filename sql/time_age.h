// Times that may be given as ages: "older than 30 days" as well as "older than 2024-01-01".
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "engine/catalog.h"
#include "engine/result.h"
#include "sql/connection.h"
#include "timeseries/time_bucket.h"

namespace braid {

/// `now` less a length of time, months first, as PostgreSQL subtracts. kInvalidArgument when that is out of range.
Result<Timestamp> time_before(Timestamp now, const CalendarLength& age);

/// A time in any form, or text like '30 days', which means so long before now. `what` names it in the error.
Result<Timestamp> time_or_age(Connection& connection, sqlite3_value* value, std::string_view what);

/// Text like '7 days', or integer microseconds.
Result<CalendarLength> length_of(sqlite3_value* value, std::string_view what);

/// "1 mon 7 days 12:00:00", as PostgreSQL writes it.
std::string length_text(const CalendarLength& length);

}  // namespace braid
