#include "sql/tag_set.h"

#include <memory>
#include <new>

#include "engine/coding.h"
#include "sql/series_conditions.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

void append_value(std::string& set, sqlite3_value* value) {
  // The text first: reading a value as a number changes it.
  const auto text = equal_tag(value, FieldType::kText);
  if (!text) return;
  append_text(set, *text);
  append_text(set, equal_tag(value, FieldType::kInt64).value_or(""));
}

Status tag_list_function(Connection&, sqlite3_context* context, std::span<sqlite3_value*> values) {
  std::string set;
  for (sqlite3_value* value : values) append_value(set, value);
  sqlite3_result_blob64(context, set.data(), set.size(), SQLITE_TRANSIENT);
  return {};
}

/// SQLite gives zeroed memory for the state of an aggregate.
struct TagSet {
  std::string* bytes;
};

void tag_set_step(sqlite3_context* context, int, sqlite3_value** values) {
  auto* state = static_cast<TagSet*>(sqlite3_aggregate_context(context, sizeof(TagSet)));
  if (state == nullptr) return sqlite3_result_error_nomem(context);
  try {
    if (state->bytes == nullptr) state->bytes = std::make_unique<std::string>().release();
    append_value(*state->bytes, values[0]);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

void tag_set_final(sqlite3_context* context) {
  auto* state = static_cast<TagSet*>(sqlite3_aggregate_context(context, 0));
  const std::unique_ptr<std::string> bytes(state == nullptr ? nullptr : state->bytes);
  if (state != nullptr) state->bytes = nullptr;
  if (bytes == nullptr) return sqlite3_result_zeroblob(context, 0);
  sqlite3_result_blob64(context, bytes->data(), bytes->size(), SQLITE_TRANSIENT);
}

}  // namespace

Result<std::vector<std::optional<std::string>>> read_tag_set(std::string_view bytes, FieldType type) {
  std::vector<std::optional<std::string>> values;
  ByteReader reader(bytes);
  while (!reader.done()) {
    std::string_view text, number;
    if (!reader.text(text) || !reader.text(number)) return Status(StatusCode::kInvalidArgument, "a set of tags is what tag_set or tag_list answers");
    if (type != FieldType::kInt64) values.emplace_back(std::in_place, text);
    else if (!number.empty()) values.emplace_back(std::in_place, number);
  }
  return values;
}

Status register_tag_sets(Connection& connection) {
  BRAID_TRY(register_function(connection, "tag_list", -1, FunctionUse::kInnocuous, tag_list_function, true));
  sqlite3* db = connection.db();
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC;
  if (sqlite3_create_function(db, "tag_set", 1, kFlags, nullptr, nullptr, tag_set_step, tag_set_final) != SQLITE_OK)
    return sqlite_status(db, sqlite3_errcode(db), "register tag_set");
  return {};
}

}  // namespace braid
