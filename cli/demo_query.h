// Queries whose answers are printed, and statements that are run many times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/braid.h"
#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli::demo {

// What a query returned, as text ready to be printed.
struct Table {
  std::vector<std::string> names;
  std::vector<bool> numeric;  // one per column: every value that is not NULL is a number
  std::vector<std::vector<std::string>> rows;
};

// Nothing when `code` is no error, else the connection's message and the SQL that it was about.
Done check_code(const Session& session, int32_t code, std::string_view during);

// Runs any number of statements and ignores their rows.
Done execute(const Session& session, std::string_view sql);
Done query_table(const Session& session, std::string_view sql, Table* table);
// The first column of the first row; a query without rows gives 0.
Done query_int64(const Session& session, std::string_view sql, int64_t* value);
// Runs every check that Braid has; the first problem found is the failure.
Done check_everything(const Session& session);

// A prepared statement that is run many times with different values.
class RepeatedStatement {
 public:
  explicit RepeatedStatement(const Session* session) : session_(session) {}

  Done prepare(std::string_view sql);
  Done bind(int32_t index, std::string_view text);
  Done bind(int32_t index, int64_t value);
  // Steps to the end, ignoring rows, and resets.
  Done run();

 private:
  const Session* session_;
  StatementHandle statement_;
  std::string sql_;
};

}  // namespace braid::cli::demo
