// The hidden virtual table `_braid_participant`: written first in every write transaction, so that SQLite calls it at each
// savepoint and before each commit. It stores nothing.
#include <sqlite3.h>

#include <exception>
#include <new>

#include "engine/session.h"

namespace braid {

namespace {

struct Participant {
  sqlite3_vtab base;
  Session* session;
};

// Safety: SQLite hands back the object that `connect` gave it, whose first member is the sqlite3_vtab.
Session& session_of(sqlite3_vtab* table) { return *reinterpret_cast<Participant*>(table)->session; }

/// No exception passes SQLite, whose state would be left half changed.
template <typename Body>
int guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (const std::exception&) {
    return SQLITE_INTERNAL;
  }
}

int connect(sqlite3* db, void* context, int, const char* const*, sqlite3_vtab** out, char**) {
  if (const int code = sqlite3_declare_vtab(db, "CREATE TABLE x(joined)")) return code;
  sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
  auto* table = new (std::nothrow) Participant{};
  if (table == nullptr) return SQLITE_NOMEM;
  table->session = static_cast<Session*>(context);
  *out = &table->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  // Safety: allocated as a Participant by `connect`.
  delete reinterpret_cast<Participant*>(table);
  return SQLITE_OK;
}

int best_index(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }
int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = new (std::nothrow) sqlite3_vtab_cursor{};
  return *out == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}
int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete cursor;
  return SQLITE_OK;
}
int filter(sqlite3_vtab_cursor*, int, const char*, int, sqlite3_value**) { return SQLITE_OK; }
int next(sqlite3_vtab_cursor*) { return SQLITE_OK; }
int eof(sqlite3_vtab_cursor*) { return 1; }
int column(sqlite3_vtab_cursor*, sqlite3_context*, int) { return SQLITE_OK; }
int rowid(sqlite3_vtab_cursor*, sqlite3_int64*) { return SQLITE_OK; }
int update(sqlite3_vtab*, int, sqlite3_value**, sqlite3_int64* id) {
  *id = 0;
  return SQLITE_OK;
}
int begin(sqlite3_vtab*) { return SQLITE_OK; }
int sync(sqlite3_vtab* table) { return session_of(table).on_sync(); }
int commit(sqlite3_vtab*) { return SQLITE_OK; }
int rollback(sqlite3_vtab*) { return SQLITE_OK; }
int savepoint(sqlite3_vtab* table, int level) {
  return guarded([&] { return session_of(table).on_savepoint(level), SQLITE_OK; });
}
int release(sqlite3_vtab* table, int level) {
  return guarded([&] { return session_of(table).on_release(level), SQLITE_OK; });
}
int rollback_to(sqlite3_vtab* table, int level) {
  return guarded([&] { return session_of(table).on_rollback_to(level), SQLITE_OK; });
}

// An eponymous table (no xCreate): it leaves no row in the schema, so other SQLite tools never meet it.
constexpr sqlite3_module kModule = {
    .iVersion = 2,
    .xCreate = nullptr,
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xDestroy = nullptr,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = rowid,
    .xUpdate = update,
    .xBegin = begin,
    .xSync = sync,
    .xCommit = commit,
    .xRollback = rollback,
    .xFindFunction = nullptr,
    .xRename = nullptr,
    .xSavepoint = savepoint,
    .xRelease = release,
    .xRollbackTo = rollback_to,
    .xShadowName = nullptr,
};

}  // namespace

Status register_participant(sqlite3* db, Session* session) {
  const int code = sqlite3_create_module_v2(db, "_braid_participant", &kModule, session, nullptr);
  return code == SQLITE_OK ? Status() : sqlite_status(db, code, "register the participant");
}

}  // namespace braid
