#include "sql/series_conditions.h"

#include <algorithm>
#include <limits>

#include "sql/time_value.h"
#include "sql/virtual_table.h"

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

Status narrow_tag(ConditionOperator op, sqlite3_value* value, TagChoice& choice) {
  const int type = value == nullptr ? SQLITE_NULL : sqlite3_value_type(value);
  switch (op) {
    case ConditionOperator::kNull: choice.require(std::nullopt); return {};
    case ConditionOperator::kNotNull: choice.require_not_null(); return {};
    case ConditionOperator::kIn: {
      BRAID_ASSIGN(auto values, read_tag_set(text_of(value)));
      choice.require_one_of(std::move(values));
      return {};
    }
    default: break;
  }
  if (type == SQLITE_BLOB || (type == SQLITE_NULL && op != ConditionOperator::kIs)) {
    choice.require_one_of({});  // no text equals a blob, and nothing equals NULL
  } else {
    choice.require(type == SQLITE_NULL ? std::nullopt : std::optional(std::string(text_of(value))));
  }
  return {};
}

}  // namespace braid
