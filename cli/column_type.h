// The types that a column of a file can have, and what each is called where it can go. One row per
// type in the table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace braid::cli {

enum class ColumnType : uint8_t {
  kInteger,
  kDouble,
  kText,
  kBoolean,
  kTimestamp,
  kJson,
  kAny,  ///< text that SQLite converts by the column's affinity; only for tables that exist
};

struct ColumnTypeRow {
  ColumnType type;
  std::string_view name;             ///< as in --type COLUMN=NAME
  std::string_view other_names;      ///< further names, each between spaces
  std::string_view table_type;       ///< in CREATE TABLE
  std::string_view hypertable_type;  ///< in CREATE VIRTUAL TABLE ... USING hypertable
  std::string_view example;          ///< what a value looks like, for messages
};

const ColumnTypeRow& column_type_row(ColumnType type);

/// The type with a name, whatever its case; none for a name that is not one of the table's.
std::optional<ColumnType> column_type_named(std::string_view name);

/// "INTEGER, DOUBLE, ...": what may be written in --type.
std::string column_type_names();

/// The type to expect of values for a column of a table that exists, by SQLite's rules of affinity.
ColumnType column_type_of_declaration(std::string_view declared);

}  // namespace braid::cli
