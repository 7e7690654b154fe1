#include "sql/number_argument.h"

#include <fmt/format.h>

#include "sql/virtual_table.h"

namespace braid {

Result<std::optional<double>> number_of(sqlite3_value* value, std::string_view what) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_NULL) return std::optional<double>();
  const int numeric = type == SQLITE_BLOB ? SQLITE_BLOB : sqlite3_value_numeric_type(value);
  if (numeric == SQLITE_INTEGER || numeric == SQLITE_FLOAT) return std::optional(sqlite3_value_double(value));
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{}: {} is not a number", what, type == SQLITE_BLOB ? "a blob" : fmt::format("'{}'", text_of(value))));
}

Result<double> fraction_of(sqlite3_value* value, std::string_view what) {
  BRAID_ASSIGN(const auto number, number_of(value, what));
  if (!number || !(*number >= 0 && *number <= 1))
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: '{}' is not a fraction between 0 and 1", what, number ? text_of(value) : "NULL"));
  return *number;
}

Result<int64_t> whole_number_of(sqlite3_value* value, std::string_view what, int64_t least, int64_t most) {
  const int type = sqlite3_value_type(value);
  if (type != SQLITE_BLOB && sqlite3_value_numeric_type(value) == SQLITE_INTEGER) {
    const int64_t number = sqlite3_value_int64(value);
    if (number >= least && number <= most) return number;
  }
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{}: '{}' is not a whole number between {} and {}", what, type == SQLITE_NULL ? "NULL" : text_of(value), least, most));
}

}  // namespace braid
