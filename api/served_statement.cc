// What a client asks of its connection and its statements.
#include <algorithm>

#include "api/served_session.h"

namespace braid {

namespace {

// One answer has rows of about so many bytes, or as many as a person would not want to wait for; always one.
constexpr size_t kRowsBytes = 256 << 10;
constexpr int64_t kRowsMax = 4096;
constexpr int64_t kRowsGrowth = 8;
constexpr std::chrono::milliseconds kRowsTime(20);

/// How many rows are taken ahead. Who asks for one row after the other gets more and more; after any other call only the one that is asked for,
/// so that changes made between two rows are seen as at home. What a statement wrote is committed with its last row, not before that is asked for.
int64_t rows_at_once(ServedSession& session, uint64_t handle, const braid_statement& statement) {
  const bool goes_on = session.reading.handle == handle && statement.statement != nullptr && statement.statement->running();
  const int64_t rows = goes_on && !statement.statement->writes() ? std::min(session.reading.rows * kRowsGrowth, kRowsMax) : 1;
  session.reading = {handle, rows};
  return rows;
}

void add_cell(braid_statement* statement, int32_t column, Reply& reply) {
  int64_t size = 0;
  switch (braid_column_type(statement, column)) {
    case BRAID_TYPE_INT64:
      return reply.add(braid_column_int64(statement, column));
    case BRAID_TYPE_DOUBLE:
      return reply.add_real(braid_column_double(statement, column));
    case BRAID_TYPE_TEXT: {
      const char* text = braid_column_text(statement, column, &size);
      return reply.add_text({text, static_cast<size_t>(size)});
    }
    case BRAID_TYPE_BLOB: {
      const auto* blob = static_cast<const char*>(braid_column_blob(statement, column, &size));
      return reply.add_blob({blob, static_cast<size_t>(size)});
    }
    default:
      return reply.add_null();
  }
}

KnownColumns columns_of(braid_statement* statement) {
  KnownColumns columns;
  for (int32_t i = 0; i < braid_column_count(statement); ++i) {
    columns.emplace_back(braid_column_name(statement, i));
    columns.emplace_back(braid_column_declared_type(statement, i));
  }
  return columns;
}

int32_t bind(braid_statement* statement, int32_t index, const Value& value) {
  const auto size = static_cast<int64_t>(value.bytes.size());
  switch (value.type) {
    case Value::Type::kNull:
      return braid_bind_null(statement, index);
    case Value::Type::kInt64:
      return braid_bind_int64(statement, index, value.integer);
    case Value::Type::kDouble:
      return braid_bind_double(statement, index, value.real);
    case Value::Type::kText:
      return braid_bind_text(statement, index, value.bytes.data(), size);
    case Value::Type::kBlob:
      return braid_bind_blob(statement, index, value.bytes.data() == nullptr ? "" : value.bytes.data(), size);
  }
  return BRAID_INVALID_ARGUMENT;
}

/// What a call on a statement begins with: how many values are bound, then their numbers and values.
int32_t bind_all(braid_statement* statement, const CallArguments& given, Reply& reply) {
  const size_t count = given.size(0);
  if (!given.holds(1, count) || !given.holds(1, count * 2)) return reply.refuse_broken();
  for (size_t i = 0; i < count; ++i)
    if (const int32_t code = bind(statement, given.number32(1 + 2 * i), given.value(2 + 2 * i)); code != BRAID_OK) return code;
  return BRAID_OK;
}

/// The first step may have prepared the statement again: its columns as they are, if the client does not know them so.
void add_new_columns(ServedSession& session, uint64_t handle, braid_statement* statement, Reply& reply) {
  KnownColumns now = columns_of(statement);
  KnownColumns& known = session.known_columns[handle];
  if (now == known) return;
  known = std::move(now);
  reply.set(2, static_cast<int64_t>(known.size() / 2));
  for (const std::string& text : known) reply.add_text(text);
}

int32_t rows(ServedSession& session, const CallArguments& given, Reply& reply) {
  braid_statement* statement = session.statements.find(given.handle());
  if (const int32_t code = bind_all(statement, given, reply); code != BRAID_OK) return code;
  const int64_t rows_max = statement == nullptr ? 1 : rows_at_once(session, given.handle(), *statement);
  const auto start = std::chrono::steady_clock::now();
  reply.add(0);
  reply.add(0);
  reply.add(-1);
  int64_t count = 0;
  int32_t code = BRAID_ROW;
  do {
    code = braid_statement_step(statement);
    if (count == 0 && (code == BRAID_ROW || code == BRAID_DONE)) add_new_columns(session, given.handle(), statement, reply);
    if (code != BRAID_ROW) break;
    for (int32_t i = 0; i < braid_column_count(statement); ++i) add_cell(statement, i, reply);
    ++count;
  } while (count < rows_max && reply.bytes() + reply.count() * sizeof(Value) < kRowsBytes && std::chrono::steady_clock::now() - start < kRowsTime);
  reply.set(0, code != BRAID_ROW ? 1 : 0);
  reply.set(1, count);
  return code == BRAID_ROW || code == BRAID_DONE ? BRAID_OK : code;
}

int32_t prepare(ServedSession& session, const CallArguments& given, Reply& reply) {
  braid_statement* statement = nullptr;
  int64_t tail = 0;
  const Value sql = given.value(0);
  const int32_t code = braid_prepare(session.connection(), given.text(0), static_cast<int64_t>(sql.bytes.size()), &statement, &tail);
  return add_statement(session, code, statement, tail, reply);
}

int32_t close_statement(ServedSession& session, const CallArguments& given, Reply&) {
  session.known_columns.erase(given.handle());
  braid_statement_close(session.statements.take(given.handle()));
  return BRAID_OK;
}

int32_t execute(ServedSession& session, const CallArguments& given, Reply&) {
  return braid_execute(session.connection(), given.text(0), static_cast<int64_t>(given.value(0).bytes.size()));
}

int32_t lsn(ServedSession& session, const CallArguments&, Reply& reply) {
  uint64_t value = 0;
  const int32_t code = braid_lsn(session.connection(), &value);
  reply.add(static_cast<int64_t>(value));
  return code;
}

int32_t tell_fraction(void* context, double fraction) {
  const Value value = Value::real_number(fraction);
  return static_cast<ServedSession*>(context)->tell_progress({&value, 1}) ? 0 : 1;
}

int32_t on_progress(ServedSession& session, const CallArguments& given, Reply&) {
  return braid_on_progress(session.connection(), given.number(0) != 0 ? tell_fraction : nullptr, &session);
}

using Session = ServedSession;
using Given = CallArguments;

constexpr ServedCall kStatementCalls[] = {
    {Operation::kConnect, [](Session& session, const Given&, Reply&) { return session.connect(); }},
    {Operation::kRestrict, [](Session& session, const Given& given,
                              Reply&) { return braid_restrict(session.connection(), given.number32(0), given.number(1), given.number(2)); }},
    {Operation::kExecute, execute},
    {Operation::kBegin, [](Session& session, const Given& given, Reply&) { return braid_begin(session.connection(), given.number32(0)); }},
    {Operation::kCommit, [](Session& session, const Given&, Reply&) { return braid_commit(session.connection()); }},
    {Operation::kRollback, [](Session& session, const Given&, Reply&) { return braid_rollback(session.connection()); }},
    {Operation::kSetDurability,
     [](Session& session, const Given& given, Reply&) { return braid_set_durability(session.connection(), given.number32(0)); }},
    {Operation::kSavepoint, [](Session& session, const Given& given, Reply&) { return braid_savepoint(session.connection(), given.text(0)); }},
    {Operation::kRelease, [](Session& session, const Given& given, Reply&) { return braid_release(session.connection(), given.text(0)); }},
    {Operation::kRollbackTo, [](Session& session, const Given& given, Reply&) { return braid_rollback_to(session.connection(), given.text(0)); }},
    {Operation::kLsn, lsn},
    {Operation::kChanges,
     [](Session& session, const Given&, Reply& reply) {
       reply.add(braid_changes(session.connection()));
       return BRAID_OK;
     }},
    {Operation::kLastInsertRowid,
     [](Session& session, const Given&, Reply& reply) {
       reply.add(braid_last_insert_rowid(session.connection()));
       return BRAID_OK;
     }},
    {Operation::kSetTimeLimit,
     [](Session& session, const Given& given, Reply&) { return braid_set_time_limit(session.connection(), given.number(0)); }},
    {Operation::kOnProgress, on_progress},
    {Operation::kPrepare, prepare},
    {Operation::kRows, rows},
    {Operation::kReset, [](Session& session, const Given& given, Reply&) { return braid_statement_reset(session.statements.find(given.handle())); }},
    {Operation::kStatementClose, close_statement},
};

}  // namespace

std::span<const ServedCall> served_statement_calls() { return kStatementCalls; }

int32_t add_statement(ServedSession& session, int32_t code, braid_statement* statement, int64_t tail, Reply& reply) {
  if (code != BRAID_OK) return code;
  const uint64_t handle = statement == nullptr ? 0 : session.statements.add(statement);
  const int32_t parameters = braid_parameter_count(statement);
  KnownColumns columns = columns_of(statement);
  reply.add(static_cast<int64_t>(handle));
  reply.add(tail);
  reply.add(braid_statement_writes(statement));
  reply.add(parameters);
  reply.add(static_cast<int64_t>(columns.size() / 2));
  for (int32_t i = 1; i <= parameters; ++i) reply.add_text_or_null(sqlite3_bind_parameter_name(statement->statement->get(), i));
  for (const std::string& text : columns) reply.add_text(text);
  if (handle != 0) session.known_columns[handle] = std::move(columns);
  return BRAID_OK;
}

}  // namespace braid
