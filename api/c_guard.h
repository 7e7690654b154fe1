// The one wall between C and C++: arguments that are NULL, statuses and exceptions become codes with a kept message.
#pragma once

#include <exception>
#include <initializer_list>
#include <new>
#include <optional>
#include <string_view>

#include "api/braid.h"
#include "api/handles.h"
#include "engine/event_log.h"

namespace braid {

inline constexpr char kOutOfMemoryText[] = "out of memory";

/// A call on a connection or on what was made on it is stopped, bounded and followed as was set on that.
template <typename Handle, typename Body>
Status watched(Handle& handle, Body& body) {
  if constexpr (requires { handle.state->wishes; }) {
    const ConnectionCall call(*handle.state);
    return body();
  } else {
    return body();
  }
}

/// Runs `body`, which returns a Status, for a call on `handle`. The listener of events is called while locks are held: it may call nothing.
template <typename Handle, typename Body>
int32_t guard(Handle* handle, Body body) noexcept {
  if (handle == nullptr || is_listening()) return BRAID_MISUSE;
  try {
    try {
      if (forked()) return handle->finish(Status(StatusCode::kMisuse, kForkedText));
      return handle->finish(watched(*handle, body));
    } catch (const std::bad_alloc&) {
      return handle->finish(Status(StatusCode::kOutOfMemory, kOutOfMemoryText));
    } catch (const std::exception& error) {
      return handle->finish(Status(StatusCode::kInternal, error.what()));
    }
  } catch (...) {
    return BRAID_OUT_OF_MEMORY;  // not even the message could be kept
  }
}

/// Runs a getter; whatever goes wrong, it answers `otherwise`.
template <typename Value, typename Body>
Value guard_value(Value otherwise, Body body) noexcept {
  if (forked()) return otherwise;
  try {
    return body();
  } catch (...) {
    return otherwise;
  }
}

inline Status null_argument(std::string_view name) {
  return Status(StatusCode::kInvalidArgument, std::string(name) + " is NULL");
}
#define BRAID_NOT_NULL(argument) \
  do {                           \
    if ((argument) == nullptr) return ::braid::null_argument(#argument); \
  } while (false)

/// Text given as pointer and length.
inline Result<std::string_view> text_argument(const char* text, int64_t size, std::string_view name) {
  if (text == nullptr) return null_argument(name);
  if (size < BRAID_NUL_TERMINATED) return Status(StatusCode::kInvalidArgument, std::string(name) + ": the size is negative");
  return size == BRAID_NUL_TERMINATED ? std::string_view(text) : std::string_view(text, static_cast<size_t>(size));
}

/// SQL as text: SQLite would stop at a NUL, and leave out what follows.
inline Result<std::string_view> sql_argument(const char* sql, int64_t size) {
  auto text = text_argument(sql, size, "sql");
  const size_t nul = text.ok() ? text->find('\0') : std::string_view::npos;
  if (nul == std::string_view::npos) return text;
  return Status(StatusCode::kInvalidArgument, "sql: byte " + std::to_string(nul) + " (from 0) is NUL, which no statement holds");
}

/// One of BRAID_DURABILITY_*.
inline Result<Durability> durability_argument(int32_t durability) {
  if (durability == BRAID_DURABILITY_FULL) return Durability::kFull;
  if (durability == BRAID_DURABILITY_RELAXED) return Durability::kRelaxed;
  return Status(StatusCode::kInvalidArgument, "durability: expected BRAID_DURABILITY_FULL or BRAID_DURABILITY_RELAXED");
}

inline std::optional<std::string_view> optional_argument(const char* text) {
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
}

/// Does another process keep what the handle is of?
template <typename Handle>
bool is_remote(const Handle* handle) {
  return handle != nullptr && handle->state->remote != nullptr;
}
inline bool is_remote(const braid_database* handle) { return handle != nullptr && handle->remote != nullptr; }
inline bool is_remote(const braid_batch* handle) { return handle != nullptr && handle->remote != nullptr; }

/// A call on a connection, or on what has the number `number` there, that another process answers; numbers of the answer go where they are wanted.
template <typename Handle>
int32_t remote_call(Handle* handle, Operation operation, std::initializer_list<Value> values, std::initializer_list<int64_t*> numbers = {},
                    uint64_t number = 0) noexcept {
  return guard(handle, [&] { return handle->state->remote->call_for_numbers(operation, values, numbers, number); });
}

/// For calls that cannot be made through another process.
inline Status refuse_remote() {
  return Status(StatusCode::kMisuse, "the database is open in another process; this call can be made there alone");
}

/// The connection of a state, or kMisuse once it is closed. For what a cancelled connection may still do: end what was begun, and settings.
inline Result<Connection*> closable_connection(const ConnectionState& state) {
  if (state.remote != nullptr) return refuse_remote();
  if (state.connection == nullptr) return Status(StatusCode::kMisuse, "the connection is closed");
  return state.connection.get();
}

/// The same for all other calls: kInterrupted while its cancel token is set.
inline Result<Connection*> open_connection(const ConnectionState& state) {
  BRAID_ASSIGN(Connection * connection, closable_connection(state));
  BRAID_TRY(state.wishes.check_cancelled());
  return connection;
}

/// Whether a statement can be used, here or there: kMisuse once its connection is closed, kInterrupted while its cancel token is set.
inline Status check_open(const braid_statement& statement) {
  if (statement.statement == nullptr && statement.remote == nullptr) return Status(StatusCode::kMisuse, "the connection of this statement is closed");
  return statement.state->wishes.check_cancelled();
}

/// The database of a handle, or kMisuse when it was not opened.
inline Result<Database*> set_up_database(const braid_database& handle) {
  if (handle.remote != nullptr) return refuse_remote();
  if (handle.database == nullptr) return Status(StatusCode::kMisuse, "the database was not opened");
  return handle.database.get();
}

/// What is wished of the calls on a handle of a database, or of a batch on it: by the host, or by the client that it is served to.
template <typename Handle>
CallSettings& settings_of(const Handle& handle) {
  return handle.client_settings != nullptr ? *handle.client_settings : handle.database->settings();
}

/// The same, and kInterrupted while its cancel token is set.
inline Result<Database*> open_database(const braid_database& handle) {
  BRAID_ASSIGN(Database * database, set_up_database(handle));
  BRAID_TRY(settings_of(handle).wishes().check_cancelled());
  return database;
}

/// Runs a call that may take long with what the handle wishes of it. `body` is given the database.
template <typename Body>
int32_t long_call(braid_database* handle, Body body) noexcept {
  return guard(handle, [&]() -> Status {
    BRAID_ASSIGN(Database * database, open_database(*handle));
    return followed(settings_of(*handle).wishes(), [&] { return body(*database); });
  });
}

/// What the caller wishes of a call that makes its handle.
Result<CallWishes> watch_argument(const braid_watch* watch);

/// A watch that is a call's own argument, for `opening_call`.
inline auto given_watch(const braid_watch* watch) {
  return [watch] { return Result<const braid_watch*>(watch); };
}

/// Runs a call that makes a handle, which `body` is given to fill. It is there after an error too. `watch_of` answers the caller's braid_watch.
template <typename WatchOf, typename Body>
int32_t opening_call(WatchOf watch_of, braid_database** database, Body body) noexcept {
  if (database == nullptr) return BRAID_INVALID_ARGUMENT;
  *database = new (std::nothrow) braid_database{};
  return guard(*database, [&]() -> Status {
    BRAID_ASSIGN(const braid_watch* const watch, watch_of());
    BRAID_ASSIGN(const CallWishes wishes, watch_argument(watch));
    return followed(wishes, [&]() -> Status {
      BRAID_TRY(LongCall::check());
      return body(**database);
    });
  });
}

}  // namespace braid
