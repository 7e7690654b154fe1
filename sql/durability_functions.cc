// How durable the commits of a connection are.
//
//   braid_durability('relaxed' | 'full')  sets it; answers what it is then. A transaction that braid_begin was told a durability for keeps that
//   braid_durability()                    what it is: of the open transaction, or of the next one
//   braid_sync()                          makes durable all that was committed; answers the newest durable LSN
#include <array>

#include <fmt/format.h>

#include "sql/virtual_table.h"

namespace braid {

namespace {

using Values = std::span<sqlite3_value*>;

constexpr std::array<std::string_view, 2> kNames = {"full", "relaxed"};  // in the order of Durability
static_assert(static_cast<size_t>(Durability::kFull) == 0);
static_assert(static_cast<size_t>(Durability::kRelaxed) == 1);

Status tell_function(Connection& connection, sqlite3_context* context, Values) {
  result_text(context, kNames[static_cast<size_t>(connection.session().commit_durability())]);
  return {};
}

Status set_durability_function(Connection& connection, sqlite3_context* context, Values values) {
  const std::string_view wanted = text_of(values[0]);
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (wanted != kNames[i]) continue;
    connection.session().set_durability(static_cast<Durability>(i));
    return tell_function(connection, context, values);
  }
  return Status(StatusCode::kInvalidArgument, fmt::format("braid_durability: '{}' is none of 'full', 'relaxed'", wanted));
}

Status sync_function(Connection& connection, sqlite3_context* context, Values) {
  BRAID_ASSIGN(const Lsn durable, connection.engine().sync_commits());
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(durable.value()));
  return {};
}

}  // namespace

Status register_durability(Connection& connection) {
  BRAID_TRY(register_function(connection, "braid_durability", 0, FunctionUse::kDirectOnly, tell_function));
  BRAID_TRY(register_function(connection, "braid_durability", 1, FunctionUse::kDirectOnly, set_durability_function));
  return register_function(connection, "braid_sync", 0, FunctionUse::kDirectOnly, sync_function);
}

}  // namespace braid
