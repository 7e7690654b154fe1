#include "sql/virtual_table.h"

#include <exception>
#include <new>

namespace braid {

Status VirtualTable::update(std::span<sqlite3_value*>, sqlite3_int64&) {
  return Status(StatusCode::kReadOnly, "this table cannot be written");
}
Status VirtualTable::rename(std::string_view) { return Status(StatusCode::kDenied, "this table cannot be renamed"); }

namespace {

struct ModuleContext {
  Connection& connection;
  TableFactory factory;
};

/// Runs `body`, which returns a Status, and reports what went wrong on the table.
template <typename Body>
int guarded(VirtualTable& table, Body body) {
  try {
    Status status = body();
    return status.ok() ? SQLITE_OK : table.connection.report(&table, std::move(status));
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (const std::exception& error) {
    return table.connection.report(&table, Status(StatusCode::kInternal, error.what()));
  }
}

// Safety: SQLite hands back the objects that `make` and `open` gave it, which are of these classes.
VirtualTable& table_of(sqlite3_vtab* table) { return *static_cast<VirtualTable*>(table); }
VirtualCursor& cursor_of(sqlite3_vtab_cursor* cursor) { return *static_cast<VirtualCursor*>(cursor); }
VirtualTable& table_of(sqlite3_vtab_cursor* cursor) { return table_of(cursor->pVtab); }

int make(void* aux, bool created, int count, const char* const* arguments, sqlite3_vtab** out, char** error) {
  auto& context = *static_cast<ModuleContext*>(aux);
  try {
    auto table = context.factory(context.connection, created, {arguments, static_cast<size_t>(count)});
    if (table.ok()) {
      sqlite3_vtab_config(context.connection.db(), SQLITE_VTAB_INNOCUOUS);
      sqlite3_vtab_config(context.connection.db(), SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
      *out = table.take().release();
      return SQLITE_OK;
    }
    *error = sqlite3_mprintf("%s", table.status().message().c_str());
    return context.connection.report(table.status());
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
}

int create(sqlite3*, void* aux, int count, const char* const* arguments, sqlite3_vtab** out, char** error) {
  return make(aux, true, count, arguments, out, error);
}
int connect(sqlite3*, void* aux, int count, const char* const* arguments, sqlite3_vtab** out, char** error) {
  return make(aux, false, count, arguments, out, error);
}
int best_index(sqlite3_vtab* table, sqlite3_index_info* info) {
  // What passes SQLite leaves the statement that it prepares, and with that the connection, behind.
  int code = SQLITE_OK;
  const int failed = guarded(table_of(table), [&]() -> Status {
    code = table_of(table).best_index(*info);
    return {};
  });
  return failed == SQLITE_OK ? code : failed;
}
int disconnect(sqlite3_vtab* table) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = nullptr;
  const std::unique_ptr<VirtualTable> owned(&table_of(table));
  return SQLITE_OK;
}
int destroy(sqlite3_vtab* table) {
  const int code = guarded(table_of(table), [&] { return table_of(table).destroy(); });
  return code == SQLITE_OK ? disconnect(table) : code;
}
int open_cursor(sqlite3_vtab* table, sqlite3_vtab_cursor** out) {
  return guarded(table_of(table), [&]() -> Status {
    *out = table_of(table).open().release();
    return {};
  });
}
int close_cursor(sqlite3_vtab_cursor* cursor) {
  const std::unique_ptr<VirtualCursor> owned(&cursor_of(cursor));
  return SQLITE_OK;
}
/// SQLite goes on with a cursor after COMMIT and after ROLLBACK. After the one it is pinned again, at the snapshot that SQLite still
/// holds; after the other the changes that it read are gone.
Status continues(sqlite3_vtab_cursor* cursor) {
  Connection& connection = table_of(cursor).connection;
  const uint64_t reads_changes = cursor_of(cursor).reads_changes;
  if (reads_changes != 0 && reads_changes != connection.rollbacks())
    return Status(StatusCode::kInterrupted, "the transaction whose changes the statement was reading was rolled back");
  return connection.pin();
}

int filter(sqlite3_vtab_cursor* cursor, int plan, const char* detail, int count, sqlite3_value** values) {
  return guarded(table_of(cursor), [&]() -> Status {
    // Pinned before the first step when the statement is known to read us; a view or an old statement is caught here.
    Connection& connection = table_of(cursor).connection;
    BRAID_TRY(connection.pin());
    cursor_of(cursor).reads_changes = connection.writing() ? connection.rollbacks() : 0;
    return cursor_of(cursor).filter(plan, detail, {values, static_cast<size_t>(count)});
  });
}
int next(sqlite3_vtab_cursor* cursor) {
  return guarded(table_of(cursor), [&]() -> Status {
    BRAID_TRY(continues(cursor));
    return cursor_of(cursor).next();
  });
}
int eof(sqlite3_vtab_cursor* cursor) { return cursor_of(cursor).at_end() ? 1 : 0; }
int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int index) {
  return guarded(table_of(cursor), [&]() -> Status {
    BRAID_TRY(continues(cursor));
    return cursor_of(cursor).column(context, index);
  });
}
int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
  *out = cursor_of(cursor).rowid();
  return SQLITE_OK;
}
int update(sqlite3_vtab* table, int count, sqlite3_value** values, sqlite3_int64* out) {
  // One statement may stage any number of rows.
  constexpr uint32_t kRowsPerQuestion = 16;
  thread_local uint32_t rows = 0;
  return guarded(table_of(table), [&]() -> Status {
    if (++rows % kRowsPerQuestion == 0) BRAID_TRY(table_of(table).connection.session().check_limits());
    return table_of(table).update({values, static_cast<size_t>(count)}, *out);
  });
}
int rename(sqlite3_vtab* table, const char* name) {
  return guarded(table_of(table), [&] { return table_of(table).rename(name); });
}

constexpr sqlite3_module module_of(ModuleKind kind) {
  sqlite3_module module{};
  // Version 0 keeps SQLite from asking for savepoint callbacks: only the participant has them.
  module.iVersion = 0;
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open_cursor;
  module.xClose = close_cursor;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  if (kind != ModuleKind::kEponymous) module.xUpdate = update;
  if (kind == ModuleKind::kCreated) {
    module.xCreate = create;
    module.xDestroy = destroy;
    module.xRename = rename;
  }
  return module;
}

constexpr sqlite3_module kModules[] = {module_of(ModuleKind::kEponymous), module_of(ModuleKind::kEponymousWritable),
                                       module_of(ModuleKind::kCreated)};

struct FunctionContext {
  Connection& connection;
  StatefulBody body;
};

void call_function(sqlite3_context* context, int count, sqlite3_value** values) {
  auto& function = *static_cast<FunctionContext*>(sqlite3_user_data(context));
  try {
    Status status = function.body(function.connection, context, {values, static_cast<size_t>(count)});
    if (!status.ok()) function.connection.report(context, std::move(status));
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (const std::exception& error) {
    function.connection.report(context, Status(StatusCode::kInternal, error.what()));
  }
}

}  // namespace

Status register_module(Connection& connection, const char* name, ModuleKind kind, TableFactory factory) {
  if (kind != ModuleKind::kCreated) connection.add_built_in_table(name, "");
  auto* context = new ModuleContext{connection, std::move(factory)};
  const int code = sqlite3_create_module_v2(connection.db(), name, &kModules[static_cast<size_t>(kind)], context,
                                            [](void* aux) { delete static_cast<ModuleContext*>(aux); });
  return code == SQLITE_OK ? Status() : sqlite_status(connection.db(), code, name);
}

Status declare_table(Connection& connection, const std::string& create_table) {
  const int code = sqlite3_declare_vtab(connection.db(), create_table.c_str());
  if (code != SQLITE_OK && connection.interrupted()) return Status(StatusCode::kInterrupted, "interrupted");
  return code == SQLITE_OK ? Status() : sqlite_status(connection.db(), code, "declare the table's columns");
}

std::string_view text_of(sqlite3_value* value) {
  // Safety: unsigned char is read as char.
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text == nullptr ? "" : text, static_cast<size_t>(sqlite3_value_bytes(value))};
}

std::string_view bytes_of(sqlite3_value* value) {
  // Safety: bytes are read as char.
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
  return {bytes == nullptr ? "" : bytes, static_cast<size_t>(sqlite3_value_bytes(value))};
}

void result_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

Status register_function(Connection& connection, const char* name, int arguments, FunctionUse use, ScalarBody body,
                         bool deterministic) {
  return register_function(connection, name, arguments, use, StatefulBody(body), deterministic);
}

Status register_function(Connection& connection, const char* name, int arguments, FunctionUse use, StatefulBody body,
                         bool deterministic) {
  const int flags = SQLITE_UTF8 | (use == FunctionUse::kInnocuous ? SQLITE_INNOCUOUS : SQLITE_DIRECTONLY) |
                    (deterministic ? SQLITE_DETERMINISTIC : 0);
  auto* context = new FunctionContext{connection, std::move(body)};
  const int code = sqlite3_create_function_v2(connection.db(), name, arguments, flags, context, call_function, nullptr, nullptr,
                                              [](void* data) { delete static_cast<FunctionContext*>(data); });
  return code == SQLITE_OK ? Status() : sqlite_status(connection.db(), code, name);
}

Status register_functions(Connection& connection, FunctionUse use, std::span<const FunctionRow> rows) {
  for (const FunctionRow& row : rows)
    for (int arguments = row.arguments_min; arguments <= row.arguments_max; ++arguments)
      BRAID_TRY(register_function(connection, row.name, arguments, use, row.body));
  return {};
}

}  // namespace braid
