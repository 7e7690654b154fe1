#include "cli/column_type.h"

#include <array>
#include <cctype>

namespace braid::cli {

namespace {

constexpr std::array<ColumnTypeRow, 7> kTypes = {{
    {ColumnType::kInteger, "INTEGER", " INT BIGINT INT64 ", "INTEGER", "INTEGER", "12"},
    {ColumnType::kDouble, "DOUBLE", " REAL FLOAT ", "REAL", "DOUBLE", "1.5"},
    {ColumnType::kText, "TEXT", " STRING VARCHAR ", "TEXT", "TEXT", "abc"},
    {ColumnType::kBoolean, "BOOLEAN", " BOOL ", "BOOLEAN", "BOOLEAN", "true or false"},
    {ColumnType::kTimestamp, "TIMESTAMP", " TIMESTAMPTZ DATETIME ", "TEXT", "TIMESTAMP",
     "2024-05-01T12:00:00Z"},
    {ColumnType::kJson, "JSON", " JSONB ", "TEXT", "JSON", "{\"a\": [1, 2]}"},
    {ColumnType::kAny, "", " ", "", "", "any text"},
}};

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

}  // namespace

const ColumnTypeRow& column_type_row(ColumnType type) { return kTypes[static_cast<size_t>(type)]; }

std::optional<ColumnType> column_type_named(std::string_view name) {
  const std::string upper = upper_case(name);
  if (upper.empty() || upper.find(' ') != std::string::npos) return std::nullopt;
  for (const ColumnTypeRow& row : kTypes) {
    if (row.name == upper) return row.type;
    if (row.other_names.find(" " + upper + " ") != std::string_view::npos) return row.type;
  }
  return std::nullopt;
}

std::string column_type_names() {
  std::string names;
  for (const ColumnTypeRow& row : kTypes) {
    if (row.name.empty()) continue;
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

ColumnType column_type_of_declaration(std::string_view declared) {
  const std::string upper = upper_case(declared);
  auto contains = [&upper](std::string_view part) { return upper.find(part) != std::string::npos; };
  if (contains("INT")) return ColumnType::kInteger;
  if (contains("CHAR") || contains("CLOB") || contains("TEXT")) return ColumnType::kText;
  if (contains("REAL") || contains("FLOA") || contains("DOUB")) return ColumnType::kDouble;
  if (upper == "BOOLEAN" || upper == "BOOL") return ColumnType::kBoolean;
  return ColumnType::kAny;
}

}  // namespace braid::cli
