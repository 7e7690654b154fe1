// Columns of a file to import and the values of its rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/column_type.h"
#include "cli/outcome.h"

namespace braid::cli {

/// A column of the file.
struct ImportColumn {
  std::string name;
  std::optional<ColumnType> type;  ///< none until the values were looked at
  bool fixed = false;              ///< the type is that of what exists in the database
};

/// One value of a row, read by its column's type. Borrows its text.
struct ImportValue {
  ColumnType type = ColumnType::kText;
  bool null = true;
  int64_t integer = 0;    ///< kInteger; kBoolean as 0 or 1; kTimestamp in microseconds
  double real = 0;        ///< kDouble
  std::string_view text;  ///< as in the file; kTimestamp in Braid's form of times
};

/// Index of the column with a name, ASCII letters of either case being the same, as in SQL.
std::optional<size_t> find_column(std::span<const ImportColumn> columns, std::string_view name);
bool same_name(std::string_view a, std::string_view b);

/// "a, b, c".
std::string column_names(std::span<const ImportColumn> columns);

/// Appends a value that is not NULL.
void append_json_value(std::string* json, const ImportValue& value);

/// The values that are not NULL as a JSON object; the columns at `left_out` are not part of it.
Outcome<std::string> json_object(std::span<const ImportColumn> columns,
                                 std::span<const ImportValue> values,
                                 std::span<const size_t> left_out = {});

}  // namespace braid::cli
