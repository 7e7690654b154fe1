// The C API: connections, transactions and statements.
#include <algorithm>

#include "api/c_guard.h"
#include "api/remote_query.h"

using namespace braid;

namespace {

/// Savepoint names are written into SQL; SQLite quotes anything, but a name is meant to be one.
Status check_name(const char* name) {
  BRAID_NOT_NULL(name);
  const std::string_view text(name);
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), fits) && !text.starts_with("_braid_")) return {};
  return Status(StatusCode::kInvalidArgument, "a savepoint's name has letters, digits and underscores");
}

constexpr char kValueTooLarge[] = "the value is larger than value_bytes_max allows";

int32_t savepoint_call(braid_connection* connection, StatementTraits::Control control, const char* name) {
  return guard(connection, [&]() -> Status {
    BRAID_TRY(check_name(name));
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    const Session::Internal internal(open->session());
    return open->savepoint_control(control, name);
  });
}

/// A figure of a connection that another process keeps; 0 when that is gone.
int64_t remote_number(braid_connection* connection, Operation operation) {
  return guard_value<int64_t>(0, [&] {
    int64_t number = 0;
    connection->state->remote->call_for_numbers(operation, {}, {&number}).ignore();
    return number;
  });
}

Status check_parameter(int32_t index, int count) {
  if (index >= 1 && index <= count) return {};
  return Status(StatusCode::kInvalidArgument, "parameter " + std::to_string(index) + ": the statement has parameters 1 to " + std::to_string(count));
}

constexpr char kBindWhileRunning[] = "the statement is running; reset it before binding";
constexpr char kStepInBatches[] = "the statement's rows are read as batches; reset it before stepping";

Status bind_remote(RemoteStatement& statement, int32_t index, const Value& value) {
  if (statement.running()) return Status(StatusCode::kMisuse, kBindWhileRunning);
  BRAID_TRY(check_parameter(index, statement.parameter_count()));
  if (static_cast<int64_t>(value.bytes.size()) > statement.connection().value_bytes_max()) return Status(StatusCode::kLimit, kValueTooLarge);
  statement.bind(index, value);
  return {};
}

/// `value` is asked for what another process is sent, `body` binds at home.
template <typename Borrow, typename Body>
int32_t bind_call(braid_statement* statement, int32_t index, Borrow borrow, Body body) {
  return guard(statement, [&]() -> Status {
    if (statement->batches != nullptr) return Status(StatusCode::kMisuse, kBindWhileRunning);
    if (statement->remote != nullptr) return bind_remote(*statement->remote, index, borrow());
    BRAID_TRY(check_open(*statement));
    Statement* const open = statement->statement.get();
    if (open->running()) return Status(StatusCode::kMisuse, kBindWhileRunning);
    BRAID_TRY(check_parameter(index, sqlite3_bind_parameter_count(open->get())));
    const int code = body(open->get());
    if (code == SQLITE_TOOBIG) return Status(StatusCode::kLimit, kValueTooLarge);
    return code == SQLITE_OK ? Status() : sqlite_status(nullptr, code, "bind");
  });
}

/// The statement when it stands on a row that has the column, else null.
sqlite3_stmt* row_of(const braid_statement* statement, int32_t column) {
  sqlite3_stmt* raw = nullptr;
  if (statement != nullptr && statement->remote != nullptr) raw = statement->remote->row();
  if (statement != nullptr && statement->statement != nullptr && statement->statement->has_row()) raw = statement->statement->get();
  if (raw == nullptr) return nullptr;
  return column >= 0 && column < sqlite3_column_count(raw) ? raw : nullptr;
}

RemoteStatement* remote_of(const braid_statement* statement) { return statement == nullptr ? nullptr : statement->remote.get(); }

sqlite3_stmt* prepared(const braid_statement* statement) {
  return statement == nullptr || statement->statement == nullptr ? nullptr : statement->statement->get();
}

}  // namespace

int32_t braid_connection::finish(const Status& status) {
  if (status.ok()) return BRAID_OK;
  state->error = status.message();
  state->error_offset = -1;
  if (state->connection != nullptr) state->error_offset = state->connection->error_offset();
  if (state->remote != nullptr) state->error_offset = state->remote->error_offset();
  return static_cast<int32_t>(status.code());
}

int32_t braid_statement::finish(const Status& status) {
  if (status.ok()) return BRAID_OK;
  state->error = status.message();
  state->error_offset = -1;
  return static_cast<int32_t>(status.code());
}

std::unique_ptr<braid_statement> braid::make_statement(std::shared_ptr<ConnectionState> state, std::unique_ptr<Statement> statement,
                                                       std::unique_ptr<RemoteStatement> remote) {
  auto handle = std::make_unique<braid_statement>();
  handle->state = std::move(state);
  handle->statement = std::move(statement);
  handle->remote = std::move(remote);
  handle->state->statements.insert(handle.get());
  return handle;
}

braid_statement::~braid_statement() { state->statements.erase(this); }

extern "C" {

void braid_disconnect(braid_connection* connection) {
  if (connection == nullptr || forked()) return;
  guard(connection, [&]() -> Status {
    connection->state->close();
    return {};
  });
  delete connection;
}

const char* braid_connection_error(braid_connection* connection) {
  return connection == nullptr ? "" : connection->state->error.c_str();
}

int64_t braid_connection_error_offset(braid_connection* connection) {
  return connection == nullptr ? -1 : connection->state->error_offset;
}

void braid_interrupt(braid_connection* connection) {
  if (connection == nullptr || forked()) return;
  if (connection->state->connection != nullptr) connection->state->connection->interrupt();
  guard_value(0, [&] {
    if (connection->state->remote != nullptr) connection->state->remote->interrupt();
    return 0;
  });
}

int32_t braid_restrict(braid_connection* connection, int32_t flags, int64_t statement_time_ms, int64_t value_bytes) {
  if (is_remote(connection))
    return remote_call(connection, Operation::kRestrict, {Value::number(flags), Value::number(statement_time_ms), Value::number(value_bytes)});
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    constexpr int32_t kKnown = BRAID_RESTRICT_READ_ONLY;
    if ((flags & ~kKnown) != 0) return Status(StatusCode::kInvalidArgument, "flags: expected 0 or BRAID_RESTRICT_READ_ONLY");
    if (statement_time_ms < 0 || value_bytes < 0)
      return Status(StatusCode::kInvalidArgument, "statement_time_ms and value_bytes: expected a number from 0");
    if (!connection->state->statements.empty() || open->in_transaction())
      return Status(StatusCode::kMisuse, "restrict a connection before it has statements or a transaction");
    BRAID_TRY(open->restrict((flags & BRAID_RESTRICT_READ_ONLY) != 0, std::chrono::milliseconds(statement_time_ms), value_bytes));
    if (statement_time_ms > 0) connection->state->wishes.time_limit = std::chrono::milliseconds(statement_time_ms);
    return {};
  });
}

int32_t braid_execute(braid_connection* connection, const char* sql, int64_t sql_size) {
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(const std::string_view text, sql_argument(sql, sql_size));
    if (is_remote(connection)) return connection->state->remote->call_for_numbers(Operation::kExecute, {Value::text(text)});
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    return open->execute(text);
  });
}

int32_t braid_begin(braid_connection* connection, int32_t mode) {
  if (is_remote(connection)) return remote_call(connection, Operation::kBegin, {Value::number(mode)});
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    constexpr int32_t kDurabilities = BRAID_DURABILITY_FULL | BRAID_DURABILITY_RELAXED;
    if (mode == BRAID_READ) return open->begin(Connection::Mode::kRead);
    if ((mode & ~kDurabilities) != BRAID_WRITE) return Status(StatusCode::kInvalidArgument, "mode: expected BRAID_READ or BRAID_WRITE, the latter with one of BRAID_DURABILITY_*");
    if (mode == BRAID_WRITE) return open->begin(Connection::Mode::kWrite);
    BRAID_ASSIGN(const Durability durability, durability_argument(mode & kDurabilities));
    BRAID_TRY(open->begin(Connection::Mode::kWrite));
    open->session().set_transaction_durability(durability);
    return {};
  });
}

int32_t braid_commit(braid_connection* connection) {
  if (is_remote(connection)) return remote_call(connection, Operation::kCommit, {});
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    return open->commit();
  });
}

int32_t braid_rollback(braid_connection* connection) {
  if (is_remote(connection)) return remote_call(connection, Operation::kRollback, {});
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(Connection * open, closable_connection(*connection->state));
    return open->rollback();
  });
}

int32_t braid_set_durability(braid_connection* connection, int32_t durability) {
  if (is_remote(connection)) return remote_call(connection, Operation::kSetDurability, {Value::number(durability)});
  return guard(connection, [&]() -> Status {
    BRAID_ASSIGN(const Durability wanted, durability_argument(durability));
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    open->session().set_durability(wanted);
    return {};
  });
}

int32_t braid_savepoint(braid_connection* connection, const char* name) {
  if (is_remote(connection)) return remote_call(connection, Operation::kSavepoint, {Value::text_or_null(name)});
  return savepoint_call(connection, StatementTraits::Control::kSavepoint, name);
}
int32_t braid_release(braid_connection* connection, const char* name) {
  if (is_remote(connection)) return remote_call(connection, Operation::kRelease, {Value::text_or_null(name)});
  return savepoint_call(connection, StatementTraits::Control::kRelease, name);
}
int32_t braid_rollback_to(braid_connection* connection, const char* name) {
  if (is_remote(connection)) return remote_call(connection, Operation::kRollbackTo, {Value::text_or_null(name)});
  return savepoint_call(connection, StatementTraits::Control::kRollbackTo, name);
}

int32_t braid_in_transaction(braid_connection* connection) {
  if (is_remote(connection)) return connection->state->remote->in_transaction() ? 1 : 0;
  return connection != nullptr && connection->state->connection != nullptr && connection->state->connection->in_transaction() ? 1 : 0;
}

int32_t braid_lsn(braid_connection* connection, uint64_t* lsn) {
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(lsn);
    if (is_remote(connection)) {
      int64_t number = 0;
      BRAID_TRY(connection->state->remote->call_for_numbers(Operation::kLsn, {}, {&number}));
      *lsn = static_cast<uint64_t>(number);
      return {};
    }
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    if (open->in_transaction()) BRAID_TRY(open->pin());
    *lsn = open->session().lsn().value();
    return {};
  });
}

int64_t braid_changes(braid_connection* connection) {
  if (is_remote(connection)) return remote_number(connection, Operation::kChanges);
  if (connection == nullptr || connection->state->connection == nullptr) return 0;
  return connection->state->connection->changes();
}

int64_t braid_last_insert_rowid(braid_connection* connection) {
  if (is_remote(connection)) return remote_number(connection, Operation::kLastInsertRowid);
  if (connection == nullptr || connection->state->connection == nullptr) return 0;
  return sqlite3_last_insert_rowid(connection->state->connection->db());
}

int32_t braid_prepare(braid_connection* connection, const char* sql, int64_t sql_size, braid_statement** statement, int64_t* tail) {
  if (statement != nullptr) *statement = nullptr;
  if (tail != nullptr) *tail = 0;
  return guard(connection, [&]() -> Status {
    BRAID_NOT_NULL(statement);
    BRAID_ASSIGN(const std::string_view text, sql_argument(sql, sql_size));
    if (is_remote(connection)) return query_there(connection->state, Operation::kPrepare, {Value::text(text)}, statement, tail);
    BRAID_ASSIGN(Connection * open, open_connection(*connection->state));
    size_t used = 0;
    BRAID_ASSIGN(auto made, open->prepare(text, used));
    if (tail != nullptr) *tail = static_cast<int64_t>(used);
    if (made == nullptr) return {};
    *statement = make_statement(connection->state, std::move(made)).release();
    return {};
  });
}

void braid_statement_close(braid_statement* statement) {
  if (!forked()) delete statement;
}

int32_t braid_statement_step(braid_statement* statement) {
  bool row = false;
  const int32_t code = guard(statement, [&]() -> Status {
    BRAID_TRY(check_open(*statement));
    if (statement->batches != nullptr) return Status(StatusCode::kMisuse, kStepInBatches);
    BRAID_ASSIGN(row, statement->remote != nullptr ? statement->remote->step() : statement->statement->step());
    return {};
  });
  if (code != BRAID_OK) return code;
  return row ? BRAID_ROW : BRAID_DONE;
}

int32_t braid_statement_reset(braid_statement* statement) {
  return guard(statement, [&]() -> Status {
    statement->batches.reset();
    if (statement->remote != nullptr) return statement->remote->reset();
    if (statement->statement == nullptr) return Status(StatusCode::kMisuse, "the connection of this statement is closed");
    return statement->statement->reset();
  });
}

int32_t braid_bind_null(braid_statement* statement, int32_t index) {
  return bind_call(
      statement, index, [] { return Value(); }, [&](sqlite3_stmt* raw) { return sqlite3_bind_null(raw, index); });
}
int32_t braid_bind_int64(braid_statement* statement, int32_t index, int64_t value) {
  return bind_call(
      statement, index, [&] { return Value::number(value); }, [&](sqlite3_stmt* raw) { return sqlite3_bind_int64(raw, index, value); });
}
int32_t braid_bind_double(braid_statement* statement, int32_t index, double value) {
  return bind_call(
      statement, index, [&] { return Value::real_number(value); }, [&](sqlite3_stmt* raw) { return sqlite3_bind_double(raw, index, value); });
}
int32_t braid_bind_text(braid_statement* statement, int32_t index, const char* value, int64_t size) {
  if (size < BRAID_NUL_TERMINATED) return guard(statement, [] { return Status(StatusCode::kInvalidArgument, "the text's size is negative"); });
  const std::string_view text = value == nullptr ? std::string_view()
                                : size < 0       ? std::string_view(value)
                                                 : std::string_view(value, static_cast<size_t>(size));
  return bind_call(
      statement, index, [&] { return value == nullptr ? Value() : Value::text(text); },
      [&](sqlite3_stmt* raw) {
        if (value == nullptr) return sqlite3_bind_null(raw, index);
        return sqlite3_bind_text64(raw, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      });
}
int32_t braid_bind_blob(braid_statement* statement, int32_t index, const void* value, int64_t size) {
  if (size < 0) return guard(statement, [] { return Status(StatusCode::kInvalidArgument, "the blob's size is negative"); });
  const auto bytes = [&] { return Value::blob({static_cast<const char*>(value), static_cast<size_t>(size)}); };
  return bind_call(
      statement, index, [&] { return value == nullptr ? Value() : bytes(); },
      [&](sqlite3_stmt* raw) {
        if (value == nullptr) return sqlite3_bind_null(raw, index);
        return sqlite3_bind_blob64(raw, index, value, static_cast<sqlite3_uint64>(size), SQLITE_TRANSIENT);
      });
}

int32_t braid_parameter_count(braid_statement* statement) {
  if (RemoteStatement* remote = remote_of(statement)) return remote->parameter_count();
  return prepared(statement) == nullptr ? 0 : sqlite3_bind_parameter_count(prepared(statement));
}
int32_t braid_parameter_index(braid_statement* statement, const char* name) {
  if (RemoteStatement* remote = remote_of(statement)) return name == nullptr ? 0 : remote->parameter_index(name);
  return prepared(statement) == nullptr || name == nullptr ? 0 : sqlite3_bind_parameter_index(prepared(statement), name);
}

int32_t braid_column_count(braid_statement* statement) {
  if (RemoteStatement* remote = remote_of(statement)) return remote->column_count();
  return prepared(statement) == nullptr ? 0 : sqlite3_column_count(prepared(statement));
}
const char* braid_column_name(braid_statement* statement, int32_t column) {
  if (column < 0 || column >= braid_column_count(statement)) return "";
  if (RemoteStatement* remote = remote_of(statement)) return remote->column_name(column);
  const char* name = sqlite3_column_name(prepared(statement), column);
  return name == nullptr ? "" : name;
}
const char* braid_column_declared_type(braid_statement* statement, int32_t column) {
  if (column < 0 || column >= braid_column_count(statement)) return "";
  if (RemoteStatement* remote = remote_of(statement)) return remote->declared_type(column);
  const char* type = sqlite3_column_decltype(prepared(statement), column);
  return type == nullptr ? "" : type;
}

int32_t braid_column_type(braid_statement* statement, int32_t column) {
  sqlite3_stmt* row = row_of(statement, column);
  if (row == nullptr) return BRAID_TYPE_NULL;
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER: return BRAID_TYPE_INT64;
    case SQLITE_FLOAT: return BRAID_TYPE_DOUBLE;
    case SQLITE_TEXT: return BRAID_TYPE_TEXT;
    case SQLITE_BLOB: return BRAID_TYPE_BLOB;
    default: return BRAID_TYPE_NULL;
  }
}
int64_t braid_column_int64(braid_statement* statement, int32_t column) {
  sqlite3_stmt* row = row_of(statement, column);
  return row == nullptr ? 0 : sqlite3_column_int64(row, column);
}
double braid_column_double(braid_statement* statement, int32_t column) {
  sqlite3_stmt* row = row_of(statement, column);
  return row == nullptr ? 0 : sqlite3_column_double(row, column);
}
const char* braid_column_text(braid_statement* statement, int32_t column, int64_t* size) {
  sqlite3_stmt* row = row_of(statement, column);
  // Safety: unsigned char is read as char.
  const auto* text = row == nullptr ? nullptr : reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  if (size != nullptr) *size = text == nullptr ? 0 : sqlite3_column_bytes(row, column);
  return text == nullptr ? "" : text;
}
const void* braid_column_blob(braid_statement* statement, int32_t column, int64_t* size) {
  sqlite3_stmt* row = row_of(statement, column);
  const void* blob = row == nullptr ? nullptr : sqlite3_column_blob(row, column);
  if (size != nullptr) *size = blob == nullptr ? 0 : sqlite3_column_bytes(row, column);
  return blob == nullptr ? "" : blob;
}

int32_t braid_statement_writes(braid_statement* statement) {
  if (RemoteStatement* remote = remote_of(statement)) return remote->writes() ? 1 : 0;
  return statement != nullptr && statement->statement != nullptr && statement->statement->writes() ? 1 : 0;
}

}  // extern "C"
