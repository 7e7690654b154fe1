#include "cli/demo_query.h"

#include <fmt/format.h>

namespace braid::cli::demo {
namespace {

// The C API takes lengths as int64.
int64_t length(std::string_view text) { return static_cast<int64_t>(text.size()); }

void keep_first_problem(void* context, const char* problem) {
  auto* first = static_cast<std::string*>(context);
  if (first->empty()) *first = problem;
}

void read_names(braid_statement* statement, Table* table) {
  const int32_t columns = braid_column_count(statement);
  for (int32_t column = 0; column < columns; ++column) {
    table->names.emplace_back(braid_column_name(statement, column));
    table->numeric.push_back(true);
  }
}

void read_row(braid_statement* statement, Table* table) {
  std::vector<std::string>& row = table->rows.emplace_back();
  for (size_t column = 0; column < table->names.size(); ++column) {
    const auto number = static_cast<int32_t>(column);
    const int32_t type = braid_column_type(statement, number);
    const char* text = braid_column_text(statement, number, nullptr);
    row.emplace_back(type == BRAID_TYPE_NULL || text == nullptr ? "" : text);
    if (type == BRAID_TYPE_TEXT || type == BRAID_TYPE_BLOB) table->numeric[column] = false;
  }
}

}  // namespace

Done check_code(const Session& session, int32_t code, std::string_view during) {
  if (code == BRAID_OK || code == BRAID_ROW || code == BRAID_DONE) return {};
  const std::string message = braid_connection_error(session.connection());
  return Failure{
      fmt::format("{}\n  in: {}", message.empty() ? braid_code_text(code) : message, during)};
}

Done execute(const Session& session, std::string_view sql) {
  return check_code(session, braid_execute(session.connection(), sql.data(), length(sql)), sql);
}

Done query_table(const Session& session, std::string_view sql, Table* table) {
  *table = {};
  Outcome<PreparedStatement> prepared = session.prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  braid_statement* statement = prepared->handle.get();
  read_names(statement, table);
  int32_t code = BRAID_ROW;
  while ((code = braid_statement_step(statement)) == BRAID_ROW) read_row(statement, table);
  return check_code(session, code, sql);
}

Done query_int64(const Session& session, std::string_view sql, int64_t* value) {
  *value = 0;
  Outcome<PreparedStatement> prepared = session.prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  const int32_t code = braid_statement_step(prepared->handle.get());
  if (code == BRAID_ROW) *value = braid_column_int64(prepared->handle.get(), 0);
  return check_code(session, code, sql);
}

Done check_everything(const Session& session) {
  std::string problem;
  const int32_t code = braid_check(session.database(), keep_first_problem, &problem);
  if (code == BRAID_OK) return {};
  if (problem.empty()) problem = braid_database_error(session.database());
  return Failure{"the check of the database found: " + problem};
}

Done RepeatedStatement::prepare(std::string_view sql) {
  sql_ = sql;
  Outcome<PreparedStatement> prepared = session_->prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  statement_ = std::move(prepared->handle);
  return {};
}

Done RepeatedStatement::bind(int32_t index, std::string_view text) {
  const int32_t code = braid_bind_text(statement_.get(), index, text.data(), length(text));
  return check_code(*session_, code, sql_);
}

Done RepeatedStatement::bind(int32_t index, int64_t value) {
  return check_code(*session_, braid_bind_int64(statement_.get(), index, value), sql_);
}

Done RepeatedStatement::run() {
  int32_t code = BRAID_ROW;
  while ((code = braid_statement_step(statement_.get())) == BRAID_ROW) continue;
  Done stepped = check_code(*session_, code, sql_);
  const int32_t reset = braid_statement_reset(statement_.get());
  return stepped.has_value() ? stepped : check_code(*session_, reset, sql_);
}

}  // namespace braid::cli::demo
