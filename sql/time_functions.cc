// now(), gen_random_uuid(), changes(), and the collation of time columns.
#include <algorithm>
#include <charconv>

#include "engine/directory.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"

namespace braid {

Result<Timestamp> time_of(sqlite3_value* value, std::string_view what) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return Timestamp(sqlite3_value_int64(value));
    case SQLITE_TEXT:
      if (const auto time = parse_time(text_of(value))) return *time;
      return Status(StatusCode::kInvalidArgument,
                    std::string(what) + ": '" + std::string(text_of(value)) +
                        "' is not a time; expected YYYY-MM-DD HH:MM:SS[.ffffff] with an optional zone, or integer microseconds");
    case SQLITE_NULL: return Status(StatusCode::kConstraint, std::string(what) + " is NULL; a time is expected");
    default:
      return Status(StatusCode::kInvalidArgument,
                    std::string(what) + ": a time is text like '2024-01-31 12:00:00' or integer microseconds");
  }
}

namespace {

std::optional<Timestamp> instant_of(std::string_view text) {
  if (auto time = parse_time(text)) return time;
  int64_t microseconds = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return Timestamp(microseconds);
}

/// Compares instants in whatever form they are written. Text that is no time sorts after all times, by its bytes.
int compare_times(void*, int left_size, const void* left, int right_size, const void* right) {
  const std::string_view a(static_cast<const char*>(left), static_cast<size_t>(left_size));
  const std::string_view b(static_cast<const char*>(right), static_cast<size_t>(right_size));
  const auto first = instant_of(a);
  const auto second = instant_of(b);
  if (first && second) return *first < *second ? -1 : *first > *second ? 1 : 0;
  if (first || second) return first ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

Result<Timestamp> compared_time_of(sqlite3_value* value, std::string_view what) {
  if (sqlite3_value_type(value) == SQLITE_TEXT)
    if (const auto time = instant_of(text_of(value))) return *time;
  return time_of(value, what);
}

namespace {

Status now_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*>) {
  result_text(context, format_time(connection.engine().env().now()));
  return {};
}

Status uuid_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*>) {
  result_text(context, make_uuid(connection.engine().env()));
  return {};
}

Status changes_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*>) {
  sqlite3_result_int64(context, connection.changes());
  return {};
}

}  // namespace

Status register_time_functions(Connection& connection) {
  BRAID_TRY(register_function(connection, "now", 0, FunctionUse::kInnocuous, now_function));
  BRAID_TRY(register_function(connection, "gen_random_uuid", 0, FunctionUse::kInnocuous, uuid_function));
  BRAID_TRY(register_function(connection, "changes", 0, FunctionUse::kInnocuous, changes_function));
  sqlite3* db = connection.db();
  if (sqlite3_create_collation(db, kTimeCollation, SQLITE_UTF8, nullptr, compare_times) != SQLITE_OK)
    return sqlite_status(db, sqlite3_errcode(db), "register time functions");
  return {};
}

}  // namespace braid
