#include "sql/series_conditions.h"

#include <algorithm>
#include <limits>

#include "sql/tag_set.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"
#include "timeseries/tag_value.h"

namespace braid {

namespace {

int64_t after(int64_t time) { return time == std::numeric_limits<int64_t>::max() ? time : time + 1; }

FilterOperator filter_operator(ConditionOperator op) {
  switch (op) {
    case ConditionOperator::kLess: return FilterOperator::kLess;
    case ConditionOperator::kLessOrEqual: return FilterOperator::kLessOrEqual;
    case ConditionOperator::kEqual:
    case ConditionOperator::kIs:
    case ConditionOperator::kIn: return FilterOperator::kEqual;
    case ConditionOperator::kNotEqual: return FilterOperator::kNotEqual;
    case ConditionOperator::kGreaterOrEqual: return FilterOperator::kGreaterOrEqual;
    case ConditionOperator::kGreater: return FilterOperator::kGreater;
    case ConditionOperator::kNull: return FilterOperator::kIsNull;
    case ConditionOperator::kNotNull: return FilterOperator::kIsNotNull;
  }
  return FilterOperator::kIsNotNull;
}

}  // namespace

Result<bool> narrow_range(ConditionOperator op, sqlite3_value* value, TimeRange& range) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return false;
  BRAID_ASSIGN(const Timestamp time, compared_time_of(value, "a comparison with the time column"));
  const Timestamp past(after(time.value()));
  const bool equal = op == ConditionOperator::kEqual;
  if (equal || op == ConditionOperator::kGreaterOrEqual) range.start = std::max(range.start, time);
  if (op == ConditionOperator::kGreater) range.start = std::max(range.start, past);
  if (op == ConditionOperator::kLess) range.limit = std::min(range.limit, time);
  if (equal || op == ConditionOperator::kLessOrEqual) range.limit = std::min(range.limit, past);
  return true;
}

bool narrow_field(ConditionOperator op, sqlite3_value* value, size_t field, std::vector<FieldFilter>& filters) {
  FieldFilter filter{field, filter_operator(op), int64_t{0}};
  if (op == ConditionOperator::kNull || op == ConditionOperator::kNotNull) {
    filters.push_back(filter);
    return true;
  }
  const int type = sqlite3_value_type(value) == SQLITE_BLOB ? SQLITE_BLOB : sqlite3_value_numeric_type(value);
  switch (type) {
    case SQLITE_NULL: return false;
    case SQLITE_INTEGER: filter.value = static_cast<int64_t>(sqlite3_value_int64(value)); break;
    case SQLITE_FLOAT: filter.value = sqlite3_value_double(value); break;
    default:
      // Numbers are less than any text and any blob.
      if (op != ConditionOperator::kLess && op != ConditionOperator::kLessOrEqual && op != ConditionOperator::kNotEqual) return false;
      filter.op = FilterOperator::kIsNotNull;
  }
  filters.push_back(filter);
  return true;
}

std::optional<int64_t> equal_integer(sqlite3_value* value) {
  // Beyond these bounds a double has no whole number that is an int64.
  constexpr double kInt64Start = -0x1p63, kInt64Limit = 0x1p63;
  if (sqlite3_value_type(value) == SQLITE_BLOB) return std::nullopt;
  const int type = sqlite3_value_numeric_type(value);
  if (type == SQLITE_INTEGER) return sqlite3_value_int64(value);
  if (type != SQLITE_FLOAT) return std::nullopt;
  const double real = sqlite3_value_double(value);
  if (!(real >= kInt64Start && real < kInt64Limit)) return std::nullopt;
  const auto whole = static_cast<int64_t>(real);
  return static_cast<double>(whole) == real ? std::optional(whole) : std::nullopt;
}

std::optional<std::string> equal_tag(sqlite3_value* value, FieldType type) {
  const int given = sqlite3_value_type(value);
  if (given == SQLITE_NULL || given == SQLITE_BLOB) return std::nullopt;
  if (type != FieldType::kInt64) return std::string(text_of(value));
  const auto number = equal_integer(value);
  return number ? std::optional(tag_of_integer(*number)) : std::nullopt;
}

Status narrow_tag(ConditionOperator op, sqlite3_value* value, FieldType type, TagChoice& choice) {
  switch (op) {
    case ConditionOperator::kNull: choice.require(std::nullopt); return {};
    case ConditionOperator::kNotNull: choice.require_not_null(); return {};
    case ConditionOperator::kIn: {
      BRAID_ASSIGN(auto values, read_tag_set(text_of(value), type));
      choice.require_one_of(std::move(values));
      return {};
    }
    default: break;
  }
  const bool is_null = value == nullptr || sqlite3_value_type(value) == SQLITE_NULL;
  auto tag = is_null ? std::nullopt : equal_tag(value, type);
  // Nothing equals NULL but by IS, and no tag equals a blob.
  if (tag || (is_null && op == ConditionOperator::kIs)) choice.require(std::move(tag));
  else choice.require_one_of({});
  return {};
}

}  // namespace braid
