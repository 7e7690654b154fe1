#include "bench/sqlite_peer.h"

#include <fmt/format.h>

#include "bench/harness.h"

namespace bench {

static constexpr int64_t kPageBytes = 4096;

[[noreturn]] static void fail_sqlite(sqlite3* database, std::string_view doing) {
  fail(fmt::format("sqlite: {}: {}", doing, sqlite3_errmsg(database)));
}

SqliteStatement::SqliteStatement(sqlite3* database, const char* sql) {
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) !=
      SQLITE_OK) {
    fail_sqlite(database, sql);
  }
}

void SqliteStatement::bind(int index, std::string_view value) {
  sqlite3_bind_text(statement_, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
}

void SqliteStatement::run() {
  while (row()) {
  }
  reset();
}

bool SqliteStatement::row() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail_sqlite(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
  return false;
}

std::string_view SqliteStatement::text(int column) {
  const unsigned char* bytes = sqlite3_column_text(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  // Safety: SQLite gives UTF-8 as unsigned char; char may read any object's bytes.
  return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)};
}

SqliteFile::SqliteFile(const std::string& path, SqliteSettings settings) {
  // The file layer is named, since Braid may make its own the default of the process.
  if (sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                      "unix") != SQLITE_OK) {
    fail_sqlite(database_, path);
  }
  execute(fmt::format("PRAGMA page_size={}", kPageBytes));
  // What SQLite does by itself; some distributions turn overwriting of deleted bytes on, which
  // costs the peer dearly.
  execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=FAST");
  if (settings.cache_bytes > 0) {
    execute(fmt::format("PRAGMA cache_size=-{}", settings.cache_bytes / 1024));
  }
  if (settings.checkpoint_wal_bytes > 0) {
    execute(
        fmt::format("PRAGMA wal_autocheckpoint={}", settings.checkpoint_wal_bytes / kPageBytes));
  }
}

void SqliteFile::execute(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail_sqlite(database_, sql);
  }
}

int64_t SqliteFile::query(const char* sql) {
  SqliteStatement statement(database_, sql);
  if (!statement.row()) fail(fmt::format("sqlite: {}: no row", sql));
  return statement.int64(0);
}

}  // namespace bench
