// Owning handles for SQLite's objects, and the one table from its codes to ours.
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>
#include <utility>

#include "engine/result.h"

namespace braid {

class SqliteHandle {
 public:
  SqliteHandle() = default;
  explicit SqliteHandle(sqlite3* db) : db_(db) {}
  ~SqliteHandle() { sqlite3_close_v2(db_); }
  SqliteHandle(SqliteHandle&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  SqliteHandle& operator=(SqliteHandle&& other) noexcept {
    std::swap(db_, other.db_);
    return *this;
  }
  sqlite3* get() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

/// A prepared statement of the engine's own. Binding errors surface at step.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  ~SqliteStatement() { sqlite3_finalize(statement_); }
  SqliteStatement(SqliteStatement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteStatement& operator=(SqliteStatement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  sqlite3_stmt* get() const { return statement_; }

  SqliteStatement& bind(int index, int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  SqliteStatement& bind_text(int index, std::string_view value) {
    sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
    return *this;
  }
  SqliteStatement& bind_blob(int index, std::string_view value) {
    sqlite3_bind_blob64(statement_, index, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC);
    return *this;
  }
  /// True for a row, false when done.
  Result<bool> step();
  /// Steps to the end and resets.
  Status run();
  void reset() { sqlite3_reset(statement_); }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data == nullptr ? "" : data, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

/// Our code for an (extended) result code of SQLite.
StatusCode sqlite_code(int code);
/// The connection's last error as a status; `doing` is put in front when it is not empty.
Status sqlite_status(sqlite3* db, int code, std::string_view doing = {});

Result<SqliteStatement> sqlite_prepare(sqlite3* db, std::string_view sql);
/// Runs any number of statements without values.
Status sqlite_run(sqlite3* db, const std::string& sql);

/// The name under which SQLite opens a file that nobody writes, without locks and without its WAL.
std::string immutable_uri(const std::string& path);

/// Whether SQL takes two names for one: the case of ASCII letters does not count.
bool same_sql_name(std::string_view a, std::string_view b);
/// "name" quoted as an SQL identifier, and 'text' as an SQL literal.
std::string quote_identifier(std::string_view name);
std::string quote_text(std::string_view text);

}  // namespace braid
