// Owning handles over braid.h for the benchmarks; any failure ends the benchmark with Braid's
// message.
//
// Threads: as braid.h says of the handle inside.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/braid.h"

namespace bench {

/// Option text for braid_open with those of the wanted options that this Braid has, within their
/// bounds.
std::string braid_options(const std::vector<std::pair<std::string, int64_t>>& wanted);

class BraidDatabase {
 public:
  BraidDatabase(const std::string& directory, const std::string& options);
  ~BraidDatabase() { braid_close(database_); }
  BraidDatabase(const BraidDatabase&) = delete;
  BraidDatabase& operator=(const BraidDatabase&) = delete;

  braid_database* handle() { return database_; }
  /// The value of an option, or 0 when there is no such option.
  int64_t option(const char* name);
  /// The figures of braid_stats whose names contain `part`.
  std::map<std::string, int64_t> figures(std::string_view part);

 private:
  braid_database* database_ = nullptr;
};

class BraidConnection {
 public:
  explicit BraidConnection(BraidDatabase& database);
  ~BraidConnection() { braid_disconnect(connection_); }
  BraidConnection(const BraidConnection&) = delete;
  BraidConnection& operator=(const BraidConnection&) = delete;

  braid_connection* handle() { return connection_; }
  void execute(std::string_view sql);
  /// The integer that a query of one row and one column gives.
  int64_t query(const char* sql);
  void begin() { check(braid_begin(connection_, BRAID_WRITE), "begin"); }
  void commit() { check(braid_commit(connection_), "commit"); }
  /// Ends the benchmark unless the code of a call on this connection is BRAID_OK.
  void check(int32_t code, std::string_view doing);

 private:
  braid_connection* connection_ = nullptr;
};

class BraidStatement {
 public:
  BraidStatement(BraidConnection& connection, const char* sql);
  ~BraidStatement() { braid_statement_close(statement_); }
  BraidStatement(const BraidStatement&) = delete;
  BraidStatement& operator=(const BraidStatement&) = delete;

  void bind(int32_t index, int64_t value) { braid_bind_int64(statement_, index, value); }
  void bind(int32_t index, std::string_view value);
  /// Runs to the end and resets.
  void run();
  /// Runs to the first row; false when there is none. Ended by `reset`.
  bool row();
  void reset();
  int64_t int64(int32_t column) { return braid_column_int64(statement_, column); }
  std::string_view text(int32_t column);

 private:
  BraidConnection& connection_;
  braid_statement* statement_ = nullptr;
};

}  // namespace bench
