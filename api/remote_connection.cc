#include "api/remote_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "api/remote_database.h"
#include "engine/caught.h"
#include "sql/sql_tokens.h"

namespace braid {

Status status_of(const Message& answer) { return answer.code == 0 ? Status() : Status(static_cast<StatusCode>(answer.code), answer.error); }

namespace {

/// May running the text commit? In a transaction, or where the text begins one, it does so only by ending that.
bool text_may_commit(std::string_view sql, bool in_transaction) {
  if (!in_transaction && !statement_begins_with(sql, "BEGIN") && !statement_begins_with(sql, "SAVEPOINT")) return true;
  constexpr std::string_view kEnds[] = {"COMMIT", "END", "RELEASE", "ROLLBACK"};
  while (!sql.empty()) {
    const auto statement = SqlTokens::of(sql);
    if (!statement) return true;
    for (size_t at = 0; at < statement->size(); ++at)
      if (std::any_of(std::begin(kEnds), std::end(kEnds), [&](std::string_view word) { return statement->is_word(at, word); })) return true;
    sql.remove_prefix(std::max<size_t>(statement->used(), 1));
  }
  return false;
}

}  // namespace

RemoteConnection::RemoteConnection(std::shared_ptr<RemoteDatabase> database, std::unique_ptr<Channel> channel)
    : database_(std::move(database)), channel_(std::move(channel)), value_bytes_max_(database_->value_bytes_max()) {}

Status RemoteConnection::lost(bool may_have_committed, const Status& how) {
  const bool unknown = !lost_ && may_have_committed;
  lost_ = true;
  in_transaction_ = false;
  error_offset_ = -1;
  if (how.code() == StatusCode::kCorrupt) return how.within(database_->directory());
  if (how.code() == StatusCode::kSnapshotTooOld || how.code() == StatusCode::kLimit)
    return Status(how.code(), fmt::format("the process that serves {} has ended this connection: {}", database_->directory(), how.message()));
  if (how.code() == StatusCode::kOutOfMemory) {
    // What comes next on this socket is the rest of an answer, or that of an earlier call.
    channel_->end();
    return Status(unknown ? StatusCode::kUnknownOutcome : StatusCode::kOutOfMemory,
                  fmt::format("there is no memory for an answer of the process that serves {}: this connection has ended, and what it had open is rolled back; connect again{}",
                              database_->directory(), unknown ? ", and look whether the call was committed" : ""));
  }
  const std::string gone = fmt::format("the process that served {} has gone away", database_->directory());
  if (!unknown) return Status(StatusCode::kIo, gone);
  return Status(StatusCode::kUnknownOutcome, gone + "; whether the call was committed is not known before the directory is opened again");
}

Result<Message> RemoteConnection::wait_for_answer() {
  for (;;) {
    BRAID_ASSIGN(Message answer, channel_->receive());
    if (answer.operation == Operation::kAnswer) return answer;
    if (progress_ && !progress_(answer)) channel_->interrupt().ignore();
  }
}

std::optional<Status> RemoteConnection::farewell() {
  std::optional<Status> told;
  caught([&]() -> Status {
    BRAID_ASSIGN(const Message last, channel_->receive());
    if (last.operation == Operation::kAnswer && last.code != 0) told = status_of(last);
    return {};
  }).ignore();
  return told;
}

Result<Message> RemoteConnection::call_for_part(Operation operation, std::vector<Value> values, uint64_t handle, bool may_commit) {
  if (lost_) return lost(may_commit, {});
  const bool minds = minds_token(operation);
  // A batch whose commit is cancelled is emptied by the host.
  if (minds && cancelled() && operation != Operation::kBatchCommit) return Status(StatusCode::kInterrupted, std::string(kCancelledText));
  Message call;
  call.operation = operation;
  call.handle = handle;
  call.values = std::move(values);
  error_offset_ = -1;
  if (const Status sent = channel_->send(call, database_->call_bytes_max()); !sent.ok()) {
    // Half a call is none. What the host sent before it ended the connection tells why.
    return sent.code() == StatusCode::kIo ? lost(false, farewell().value_or(sent)) : sent;
  }
  // An interrupt that came before the call has met nothing there.
  if (minds && cancelled()) channel_->interrupt().ignore();
  Message answer;
  const Status received = caught([&] {
    auto next = wait_for_answer();
    if (next.ok()) answer = std::move(*next);
    return next.status();
  });
  if (!received.ok()) return lost(may_commit, received);
  in_transaction_ = answer.in_transaction;
  if (operation == Operation::kRestrict && answer.code == 0 && call.values[2].integer > 0)
    value_bytes_max_ = std::min(value_bytes_max_, call.values[2].integer);
  error_offset_ = answer.error_offset;
  return answer;
}

Result<Message> RemoteConnection::call(Operation operation, std::vector<Value> values, uint64_t handle) {
  bool commits = may_commit(operation) && (operation == Operation::kCommit || operation == Operation::kRelease || !in_transaction_);
  if (operation == Operation::kExecute) commits = values.empty() || text_may_commit(values[0].bytes, in_transaction_);
  BRAID_ASSIGN(Message answer, call_for_part(operation, std::move(values), handle, commits));
  BRAID_TRY(status_of(answer));
  return answer;
}

Status RemoteConnection::call_for_numbers(Operation operation, std::vector<Value> values, std::initializer_list<int64_t*> numbers, uint64_t handle) {
  BRAID_ASSIGN(const Message answer, call(operation, std::move(values), handle));
  if (answer.values.size() < numbers.size()) return Status(StatusCode::kInternal, "the host's answer lacks a value");
  size_t i = 0;
  for (int64_t* number : numbers) {
    if (number != nullptr) *number = answer.values[i].integer;
    ++i;
  }
  return {};
}

Status RemoteConnection::wish(const CallWishes& wishes) {
  if (wishes.time_limit != time_limit_) {
    BRAID_TRY(call_for_numbers(Operation::kDatabaseTimeLimit, {Value::number(wishes.time_limit.count())}));
    time_limit_ = wishes.time_limit;
  }
  const bool followed = wishes.progress != nullptr;
  if (followed == followed_) return {};
  BRAID_TRY(call_for_numbers(Operation::kDatabaseOnProgress, {Value::number(followed ? 1 : 0)}));
  followed_ = followed;
  return {};
}

void RemoteConnection::interrupt() {
  interrupted_.store(true);
  channel_->interrupt().ignore();
}

Result<sqlite3*> RemoteConnection::converter() {
  if (converter_.get() != nullptr) return converter_.get();
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteHandle handle(opened);
  if (code != SQLITE_OK) return sqlite_status(opened, code, "rows of another process");
  converter_ = std::move(handle);
  return converter_.get();
}

const char* RemoteConnection::lend_type_name(int32_t type) {
  const auto answer = call(Operation::kTypeName, {Value::number(type)});
  if (!answer.ok() || answer->values.empty() || answer->values[0].type != Value::Type::kText) return nullptr;
  for (const auto& name : type_names_)
    if (*name == answer->values[0].bytes) return name->c_str();
  type_names_.push_back(std::make_unique<std::string>(answer->values[0].bytes));
  return type_names_.back()->c_str();
}

}  // namespace braid
