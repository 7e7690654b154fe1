// The columns and settings in the parentheses of CREATE VIRTUAL TABLE … USING hypertable(…).
#pragma once

#include <span>
#include <string>

#include "engine/catalog.h"
#include "engine/result.h"

namespace braid {

/// Parses "time TIMESTAMP", "host TEXT TAG", "device INTEGER TAG REFERENCES devices(id) ON DELETE KEEP", "usage DOUBLE", "chunk_interval='1 day'", "on_conflict='ignore'".
/// Errors name the argument and what was expected.
Result<HypertableDefinition> parse_hypertable(std::string name, std::span<const char* const> arguments);

/// One column, as "usage DOUBLE".
Status add_column(HypertableDefinition& definition, std::string_view text);
/// chunk_interval, on_conflict, horizon or late.
Status apply_setting(HypertableDefinition& definition, std::string_view name, const std::string& value);
Result<FieldType> parse_field_type(std::string_view name);
/// CREATE VIRTUAL TABLE … that makes a table with this definition.
std::string create_hypertable_sql(const HypertableDefinition& definition);

/// The hidden last column of every hypertable: bytes that tell its points apart. A point has no number of its own, and SQLite
/// needs a key where it looks for the same row by several ways (WHERE a OR b).
inline constexpr const char* kPointColumn = "_braid_point";

/// A hidden column after it: 1 for the last point of a series, else 0. A hypertable that has a column of this name goes without.
inline constexpr const char* kLatestColumn = "latest";
bool has_latest_column(const HypertableDefinition& definition);

/// The table as SQLite sees it: time, tags, fields, then the hidden columns.
std::string declare_hypertable(const HypertableDefinition& definition);

/// Name of a field type, as SQLite is told it and as it is declared.
std::string_view field_type_name(FieldType type);
std::string_view declared_field_type(FieldType type);

}  // namespace braid
