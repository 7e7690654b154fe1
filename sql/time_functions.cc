// now(), gen_random_uuid(), time_bucket(), first() and last(), changes(), and the collation of time columns.
#include <algorithm>
#include <charconv>
#include <new>

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

Status bucket_function(Connection&, sqlite3_context* context, std::span<sqlite3_value*> values) {
  for (sqlite3_value* value : values)
    if (sqlite3_value_type(value) == SQLITE_NULL) return {};
  Interval width;
  if (sqlite3_value_type(values[0]) == SQLITE_INTEGER) {
    width.microseconds = sqlite3_value_int64(values[0]);
  } else {
    BRAID_ASSIGN(width, parse_interval(text_of(values[0])));
  }
  BRAID_ASSIGN(const Timestamp time, time_of(values[1], "time_bucket"));
  TimeBucketOptions options;
  if (values.size() > 2) {
    BRAID_ASSIGN(const Timestamp origin, time_of(values[2], "time_bucket: origin"));
    options.origin_us = origin.value();
  }
  BRAID_ASSIGN(const TimeBucket bucket, TimeBucket::make(width, options));
  const auto start = bucket.checked_floor(time.value());
  if (!start) return Status(StatusCode::kInvalidArgument, "time_bucket: the bucket starts before the first time that can be told");
  result_text(context, format_time(Timestamp(*start)));
  return {};
}

/// State of first() and last(): SQLite gives zeroed memory for it.
struct Bookend {
  sqlite3_value* value;
  int64_t time;
  bool any;
};

template <bool kLast>
void bookend_step(sqlite3_context* context, int, sqlite3_value** values) {
  auto* state = static_cast<Bookend*>(sqlite3_aggregate_context(context, sizeof(Bookend)));
  if (state == nullptr) return sqlite3_result_error_nomem(context);
  if (sqlite3_value_type(values[1]) == SQLITE_NULL) return;
  const auto time = [&]() -> Result<Timestamp> {
    try {
      return time_of(values[1], kLast ? "last" : "first");
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kOutOfMemory, std::string());
    }
  }();
  if (!time.ok()) return sqlite3_result_error(context, time.status().message().c_str(), -1);
  if (state->any && (kLast ? time->value() <= state->time : time->value() >= state->time)) return;
  sqlite3_value_free(state->value);
  state->value = sqlite3_value_dup(values[0]);
  state->time = time->value();
  state->any = true;
}

void bookend_final(sqlite3_context* context) {
  auto* state = static_cast<Bookend*>(sqlite3_aggregate_context(context, 0));
  if (state == nullptr || !state->any) return;
  if (state->value == nullptr) return sqlite3_result_error_nomem(context);
  sqlite3_result_value(context, state->value);
  sqlite3_value_free(state->value);
  state->value = nullptr;
}

}  // namespace

Status register_time_functions(Connection& connection) {
  BRAID_TRY(register_function(connection, "now", 0, FunctionUse::kInnocuous, now_function));
  BRAID_TRY(register_function(connection, "gen_random_uuid", 0, FunctionUse::kInnocuous, uuid_function));
  BRAID_TRY(register_function(connection, "changes", 0, FunctionUse::kInnocuous, changes_function));
  BRAID_TRY(register_function(connection, "time_bucket", 2, FunctionUse::kInnocuous, bucket_function, true));
  BRAID_TRY(register_function(connection, "time_bucket", 3, FunctionUse::kInnocuous, bucket_function, true));
  sqlite3* db = connection.db();
  const int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC;
  if (sqlite3_create_collation(db, kTimeCollation, SQLITE_UTF8, nullptr, compare_times) != SQLITE_OK ||
      sqlite3_create_function(db, "first", 2, flags, nullptr, nullptr, bookend_step<false>, bookend_final) != SQLITE_OK ||
      sqlite3_create_function(db, "last", 2, flags, nullptr, nullptr, bookend_step<true>, bookend_final) != SQLITE_OK)
    return sqlite_status(db, sqlite3_errcode(db), "register time functions");
  return {};
}

}  // namespace braid
