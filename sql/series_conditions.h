// Conditions on the columns of a hypertable, as SQL compares, narrowed down to what a scan is asked.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"
#include "sql/series_selection.h"
#include "timeseries/field_filter.h"

namespace braid {

enum class ConditionOperator : uint8_t { kLess, kLessOrEqual, kEqual, kNotEqual, kGreaterOrEqual, kGreater, kIs, kIn, kNull, kNotNull };

/// The values that one tag may have: every one, unless it was restricted.
class TagChoice {
 public:
  void require(std::optional<std::string> value) { require_one_of({std::move(value)}); }
  void require_one_of(std::vector<std::optional<std::string>> values);
  void require_not_null();
  bool empty() const { return values_ && values_->empty(); }
  /// One value is left, or NULL.
  bool is_single() const { return values_ && values_->size() == 1; }
  bool not_null() const { return not_null_; }
  const std::optional<std::vector<std::optional<std::string>>>& values() const { return values_; }

 private:
  std::optional<std::vector<std::optional<std::string>>> values_;  // ascending; none: any
  bool not_null_ = false;
};

/// Ascending ids of the series that all choices allow, one choice per tag; nothing when no tag is restricted.
Result<std::optional<std::vector<SeriesId>>> choose_series(Connection& connection, const HypertableDefinition& table, const std::vector<TagChoice>& choices);

/// The whole number that equals the value in SQL, or none.
std::optional<int64_t> equal_integer(sqlite3_value* value);

/// A value as a tag of the type that is compared with it; nothing when no such tag can equal it.
std::optional<std::string> tag_equal_to(sqlite3_value* value, FieldType type);

/// Narrows `range` by time OP value, as SQL compares; false when nothing can match. kInvalidArgument for what is no time.
Result<bool> narrow_range(ConditionOperator op, sqlite3_value* value, TimeRange& range);
/// Adds field OP value; false when nothing can match.
bool narrow_field(ConditionOperator op, sqlite3_value* value, size_t field, std::vector<FieldFilter>& filters);
/// Restricts a tag to those for which tag OP value holds.
Status narrow_tag(ConditionOperator op, sqlite3_value* value, FieldType type, TagChoice& choice);

}  // namespace braid
