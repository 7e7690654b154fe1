// Conditions on the columns of a hypertable, as SQL compares, narrowed down to what a scan is asked.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"
#include "sql/series_choice.h"
#include "timeseries/field_filter.h"

namespace braid {

enum class ConditionOperator : uint8_t { kLess, kLessOrEqual, kEqual, kNotEqual, kGreaterOrEqual, kGreater, kIs, kIn, kNull, kNotNull };

/// Narrows `range` by time OP value, as SQL compares; false when nothing can match. kInvalidArgument for what is no time.
Result<bool> narrow_range(ConditionOperator op, sqlite3_value* value, TimeRange& range);
/// Adds field OP value; false when nothing can match.
bool narrow_field(ConditionOperator op, sqlite3_value* value, size_t field, std::vector<FieldFilter>& filters);
/// Restricts a tag of that type to those for which tag OP value holds.
Status narrow_tag(ConditionOperator op, sqlite3_value* value, FieldType type, TagChoice& choice);
/// The tag that equals the value in SQL, as it stands in a series' name; nothing when no tag of the type does, or for NULL.
std::optional<std::string> equal_tag(sqlite3_value* value, FieldType type);
/// The whole number that equals the value in SQL, or none.
std::optional<int64_t> equal_integer(sqlite3_value* value);

}  // namespace braid
