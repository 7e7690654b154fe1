#include "cli/import_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>

#include "cli/json_text.h"

namespace braid::cli {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return x == y || (x < 0x80 && y < 0x80 && std::tolower(x) == std::tolower(y));
  });
}

std::optional<size_t> find_column(std::span<const ImportColumn> columns, std::string_view name) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (same_name(columns[i].name, name)) return i;
  }
  return std::nullopt;
}

std::string column_names(std::span<const ImportColumn> columns) {
  std::string names;
  for (const ImportColumn& column : columns) {
    if (!names.empty()) names += ", ";
    names += column.name;
  }
  return names;
}

void append_json_value(std::string* json, const ImportValue& value) {
  switch (value.type) {
    case ColumnType::kInteger:
      fmt::format_to(std::back_inserter(*json), "{}", value.integer);
      return;
    case ColumnType::kDouble:
      append_json_double(json, value.real);
      return;
    case ColumnType::kBoolean:
      *json += value.integer != 0 ? "true" : "false";
      return;
    case ColumnType::kJson:
      *json += value.text;
      return;
    case ColumnType::kText:
    case ColumnType::kTimestamp:
    case ColumnType::kAny:
      append_json_string(json, value.text);
      return;
  }
}

Outcome<std::string> json_object(std::span<const ImportColumn> columns,
                                 std::span<const ImportValue> values,
                                 std::span<const size_t> left_out) {
  std::string json = "{";
  for (size_t i = 0; i < columns.size(); ++i) {
    if (values[i].null || std::find(left_out.begin(), left_out.end(), i) != left_out.end())
      continue;
    if (values[i].type == ColumnType::kDouble && !std::isfinite(values[i].real)) {
      return Failure{
          fmt::format("column \"{}\": {} cannot be a property, whose numbers are finite; "
                      "--type {}=TEXT keeps it as text",
                      columns[i].name, values[i].text, columns[i].name)};
    }
    if (json.size() > 1) json += ',';
    append_json_string(&json, columns[i].name);
    json += ':';
    append_json_value(&json, values[i]);
  }
  return json + '}';
}

}  // namespace braid::cli
