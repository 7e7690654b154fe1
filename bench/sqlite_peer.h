// A bare SQLite file as a careful user opens it: WAL, synchronous=FULL, prepared statements kept.
//
// Any failure ends the benchmark. Threads: one at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

struct SqliteSettings {
  int64_t cache_bytes = 0;           // 0: SQLite's default
  int64_t checkpoint_wal_bytes = 0;  // 0: SQLite's default
};

class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, const char* sql);
  ~SqliteStatement() { sqlite3_finalize(statement_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  void bind(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void bind(int index, double value) { sqlite3_bind_double(statement_, index, value); }
  /// The text must live until the statement has run.
  void bind(int index, std::string_view value);
  /// Runs to the end and resets.
  void run();
  /// Runs to the first row; false when there is none. Ended by `reset`.
  bool row();
  void reset() { sqlite3_reset(statement_); }
  int64_t int64(int column) { return sqlite3_column_int64(statement_, column); }
  double real(int column) { return sqlite3_column_double(statement_, column); }
  std::string_view text(int column);
  int columns() { return sqlite3_column_count(statement_); }
  int type(int column) { return sqlite3_column_type(statement_, column); }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class SqliteFile {
 public:
  SqliteFile(const std::string& path, SqliteSettings settings);
  ~SqliteFile() { sqlite3_close_v2(database_); }
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  sqlite3* handle() { return database_; }
  void execute(const std::string& sql);
  /// The integer that a query of one row and one column gives.
  int64_t query(const char* sql);

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace bench
