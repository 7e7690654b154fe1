#include "api/remote_statement.h"

#include <algorithm>
#include <string>

#include "engine/caught.h"

namespace braid {

namespace {

// An answer to kPrepare: handle, tail, does it write, how many parameters and columns; then their names.
constexpr size_t kPreparedHead = 5;
// An answer to kRows: is it the last, how many rows, how many columns or -1 when they are as before; then the columns, then the rows.
constexpr size_t kRowsHead = 3;

Status broken_answer() { return Status(StatusCode::kInternal, "the host's answer to a statement cannot be understood"); }

int bind_borrowed(sqlite3_stmt* row, int index, const Value& value) {
  const char* bytes = value.bytes.data() == nullptr ? "" : value.bytes.data();
  switch (value.type) {
    case Value::Type::kNull:
      return sqlite3_bind_null(row, index);
    case Value::Type::kInt64:
      return sqlite3_bind_int64(row, index, value.integer);
    case Value::Type::kDouble:
      return sqlite3_bind_double(row, index, value.real);
    case Value::Type::kText:
      return sqlite3_bind_text64(row, index, bytes, value.bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
    case Value::Type::kBlob:
      return sqlite3_bind_blob64(row, index, bytes, value.bytes.size(), SQLITE_STATIC);
  }
  return SQLITE_MISUSE;
}

/// A statement whose row is its parameters.
Result<SqliteStatement> prepare_row(sqlite3* converter, size_t columns) {
  std::string sql = "SELECT ?";
  for (size_t i = 1; i < columns; ++i) sql += ",?";
  return sqlite_prepare(converter, sql);
}

}  // namespace

std::unique_ptr<RemoteStatement> RemoteStatement::of(RemoteConnection& connection, const Message& prepared) {
  const auto& values = prepared.values;
  if (values.size() < kPreparedHead || values[0].integer == 0) return nullptr;
  std::unique_ptr<RemoteStatement> made(new RemoteStatement(connection));
  made->handle_ = static_cast<uint64_t>(values[0].integer);
  made->writes_ = values[2].integer != 0;
  const size_t parameters = std::min(static_cast<size_t>(std::max<int64_t>(0, values[3].integer)), values.size() - kPreparedHead);
  made->parameters_.resize(parameters);
  for (size_t i = 0; i < parameters; ++i) made->parameters_[i].name = values[kPreparedHead + i].bytes;
  made->take_columns(prepared, kPreparedHead + parameters, static_cast<size_t>(std::max<int64_t>(0, values[4].integer)));
  return made;
}

RemoteStatement::~RemoteStatement() {
  caught([this] { return connection_.call_for_part(Operation::kStatementClose, {}, handle_, false).status(); }).ignore();
}

size_t RemoteStatement::take_columns(const Message& message, size_t at, size_t count) {
  columns_.clear();
  row_ = {};
  for (; columns_.size() < count && at + 1 < message.values.size(); at += 2)
    columns_.push_back({std::string(message.values[at].bytes), std::string(message.values[at + 1].bytes)});
  return at;
}

int RemoteStatement::parameter_index(std::string_view name) const {
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (!name.empty() && parameters_[i].name == name) return static_cast<int>(i) + 1;
  return 0;
}

void RemoteStatement::bind(int index, const Value& value) {
  Parameter& parameter = parameters_[static_cast<size_t>(index) - 1];
  parameter.value = value;
  parameter.bytes = value.bytes;
  parameter.changed = true;
}

std::vector<Value> RemoteStatement::take_bindings() {
  std::vector<Value> values = {Value()};
  int64_t count = 0;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Parameter& parameter = parameters_[i];
    if (!parameter.changed) continue;
    parameter.changed = false;
    parameter.value.bytes = parameter.bytes;
    values.push_back(Value::number(static_cast<int64_t>(i) + 1));
    values.push_back(parameter.value);
    ++count;
  }
  values[0] = Value::number(count);
  return values;
}

Status RemoteStatement::begin() {
  connection_.forget_interrupt();
  // What writes nothing and gives nothing may be the end of a transaction.
  may_commit_ = writes_ ? !connection_.in_transaction() : columns_.empty() && connection_.in_transaction();
  rows_left_ = 0;
  ended_ = false;
  end_ = {};
  running_ = true;
  return {};
}

/// The run is over: the next step begins another.
Status RemoteStatement::end(Status status) {
  if (!ended_) connection_.call_for_part(Operation::kReset, {}, handle_, may_commit_).status().ignore();
  ended_ = true;
  rows_left_ = 0;
  rows_ = {};
  running_ = false;
  return status;
}

Status RemoteStatement::fetch() {
  auto answer = connection_.call_for_part(Operation::kRows, take_bindings(), handle_, may_commit_);
  if (!answer.ok()) return end(answer.status());
  rows_ = answer.take();
  end_ = status_of(rows_);
  const auto& values = rows_.values;
  if (values.size() < kRowsHead) {
    // An error before anything was stepped; or the rows that came could not be sent, and the run goes on there.
    return end(end_.ok() ? broken_answer() : end_);
  }
  ended_ = values[0].integer != 0 || !end_.ok();
  rows_left_ = static_cast<size_t>(std::max<int64_t>(0, values[1].integer));
  next_ = kRowsHead;
  if (values[2].integer >= 0) next_ = take_columns(rows_, next_, static_cast<size_t>(values[2].integer));
  const size_t cells = values.size() - next_;
  if (columns_.empty() ? rows_left_ > 0 : cells % columns_.size() != 0 || cells / columns_.size() != rows_left_) return end(broken_answer());
  return {};
}

Status RemoteStatement::show_next_row() {
  if (row_.get() == nullptr) {
    BRAID_ASSIGN(sqlite3 * converter, connection_.converter());
    BRAID_ASSIGN(row_, prepare_row(converter, columns_.size()));
  }
  row_.reset();
  int code = SQLITE_OK;
  for (size_t i = 0; i < columns_.size() && code == SQLITE_OK; ++i)
    code = bind_borrowed(row_.get(), static_cast<int>(i) + 1, rows_.values[next_ + i]);
  if (code == SQLITE_OK) code = sqlite3_step(row_.get());
  if (code != SQLITE_ROW) return sqlite_status(nullptr, code, "a row of another process");
  next_ += columns_.size();
  --rows_left_;
  return {};
}

Result<bool> RemoteStatement::step() {
  has_row_ = false;
  if (!running_) BRAID_TRY(begin());
  // Rows that came before an interrupt are not shown after it.
  if (connection_.interrupted()) {
    if (ended_) return end(Status(StatusCode::kInterrupted, "interrupted"));
    rows_left_ = 0;
  }
  if (rows_left_ == 0 && !ended_) BRAID_TRY(fetch());
  if (rows_left_ == 0) {
    BRAID_TRY(end(end_));
    return false;
  }
  if (const Status shown = show_next_row(); !shown.ok()) return end(shown);
  has_row_ = true;
  return true;
}

Status RemoteStatement::reset() {
  has_row_ = false;
  if (!running_) return {};
  Status status;
  if (!ended_) {
    const auto answer = connection_.call_for_part(Operation::kReset, {}, handle_, may_commit_);
    status = answer.ok() ? status_of(*answer) : answer.status();
  }
  ended_ = true;
  return end(status);
}

}  // namespace braid
