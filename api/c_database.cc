// The C API: library, databases, options.
#include <algorithm>
#include <cstring>

#include "api/c_guard.h"
#include "api/opening.h"
#include "api/struct_argument.h"

namespace braid {

// The header's numbers are the table's.
#define X(name, number, text) static_assert(static_cast<int>(StatusCode::name) == number);
#include "engine/status_codes.def"
#undef X
static_assert(BRAID_OK == static_cast<int>(StatusCode::kOk));
static_assert(BRAID_INVALID_ARGUMENT == static_cast<int>(StatusCode::kInvalidArgument));
static_assert(BRAID_NOT_FOUND == static_cast<int>(StatusCode::kNotFound));
static_assert(BRAID_CONSTRAINT == static_cast<int>(StatusCode::kConstraint));
static_assert(BRAID_BUSY == static_cast<int>(StatusCode::kBusy));
static_assert(BRAID_CONFLICT == static_cast<int>(StatusCode::kConflict));
static_assert(BRAID_READ_ONLY == static_cast<int>(StatusCode::kReadOnly));
static_assert(BRAID_IO == static_cast<int>(StatusCode::kIo));
static_assert(BRAID_FULL == static_cast<int>(StatusCode::kFull));
static_assert(BRAID_CORRUPT == static_cast<int>(StatusCode::kCorrupt));
static_assert(BRAID_LIMIT == static_cast<int>(StatusCode::kLimit));
static_assert(BRAID_INTERRUPTED == static_cast<int>(StatusCode::kInterrupted));
static_assert(BRAID_DENIED == static_cast<int>(StatusCode::kDenied));
static_assert(BRAID_MISUSE == static_cast<int>(StatusCode::kMisuse));
static_assert(BRAID_OUT_OF_MEMORY == static_cast<int>(StatusCode::kOutOfMemory));
static_assert(BRAID_SQL == static_cast<int>(StatusCode::kSql));
static_assert(BRAID_VERSION == static_cast<int>(StatusCode::kVersion));
static_assert(BRAID_UNKNOWN_OUTCOME == static_cast<int>(StatusCode::kUnknownOutcome));
static_assert(BRAID_SNAPSHOT_TOO_OLD == static_cast<int>(StatusCode::kSnapshotTooOld));
static_assert(BRAID_NOT_VISIBLE == static_cast<int>(StatusCode::kNotVisible));
static_assert(BRAID_INTERNAL == static_cast<int>(StatusCode::kInternal));

namespace {

/// The last error of each thread on a database handle, which several threads share.
struct ThreadError {
  const braid_database* database = nullptr;
  std::string message;
};
thread_local ThreadError thread_error;

constexpr int64_t kMaintenanceMsMax = 86'400'000;

/// The first number of an answer, where it is wanted.
Status remote_figure(const braid_database& handle, Operation operation, std::vector<Value> values, uint64_t* figure) {
  BRAID_ASSIGN(const Message answer, handle.remote->call(operation, std::move(values)));
  if (figure != nullptr && !answer.values.empty()) *figure = static_cast<uint64_t>(answer.values[0].integer);
  return {};
}

/// A token that was set before is for other calls; one that is set meanwhile stops the checkpoint.
Status close_watched(Database& database) {
  CallWishes wishes = database.settings().wishes();
  if (!wishes.check_cancelled().ok()) wishes.token = nullptr;
  return followed(wishes, [&] { return database.close(); });
}

Status remote_check(RemoteDatabase& remote, void (*visit)(void*, const char*), void* context) {
  BRAID_ASSIGN(const Message answer, remote.call_for_part(Operation::kCheck, {}));
  for (const Value& problem : answer.values)
    if (visit != nullptr && problem.type == Value::Type::kText) visit(context, problem.bytes.data());
  return status_of(answer);
}

Status remote_stats(RemoteDatabase& remote, void (*visit)(void*, const braid_figure*), void* context) {
  BRAID_ASSIGN(const Message answer, remote.call(Operation::kStats));
  const auto& values = answer.values;
  for (size_t i = 0; i + 3 < values.size(); i += 4) {
    const std::string name(values[i].bytes), unit(values[i + 1].bytes);
    const braid_figure out{sizeof out, name.c_str(), unit.c_str(), values[i + 2].integer, static_cast<int32_t>(values[i + 3].integer)};
    visit(context, &out);
  }
  return {};
}

}  // namespace

void ConnectionState::close() {
  for (braid_statement* handle : statements) {
    handle->batches = nullptr;
    handle->statement = nullptr;
    handle->remote = nullptr;
  }
  statements.clear();
  use_token(nullptr);
  connection = nullptr;
  remote = nullptr;
}

void ConnectionState::use_token(std::shared_ptr<CancelToken> token) {
  if (wishes.token != nullptr) wishes.token->detach(this);
  wishes.token = std::move(token);
  if (remote != nullptr) remote->set_token(wishes.token);
  if (wishes.token == nullptr) return;
  wishes.token->attach(this, [here = connection.get(), there = remote.get()] {
    if (there != nullptr) there->interrupt();
    else here->interrupt();
  });
}

Status ConnectionCall::ask(double fraction) {
  // The engine's own statements are stopped, and take the time that they take.
  const Connection* connection = state_.connection.get();
  if (connection == nullptr || state_.connection->session().internal()) return state_.wishes.check_cancelled();
  if (std::exchange(statement_, connection->statements_started()) != connection->statements_started()) restart();
  return WatchedCall::ask(fraction);
}

}  // namespace braid

using namespace braid;

int32_t braid_database::finish(const Status& status) {
  if (!status.ok()) thread_error = {this, status.message()};
  return static_cast<int32_t>(status.code());
}

extern "C" {

const char* braid_version(void) { return "0.1.0"; }

const char* braid_code_text(int32_t code) {
  if (code == BRAID_ROW) return "a row is ready";
  if (code == BRAID_DONE) return "no more rows";
  return status_code_text(static_cast<StatusCode>(code)).data();
}

const char* braid_code_name(int32_t code) {
  struct CodeName {
    int32_t code;
    const char* name;
  };
#define BRAID_NAMED(name) {name, #name}
  static constexpr CodeName kNames[] = {
      BRAID_NAMED(BRAID_OK), BRAID_NAMED(BRAID_INVALID_ARGUMENT), BRAID_NAMED(BRAID_NOT_FOUND), BRAID_NAMED(BRAID_CONSTRAINT), BRAID_NAMED(BRAID_BUSY),
      BRAID_NAMED(BRAID_CONFLICT), BRAID_NAMED(BRAID_READ_ONLY), BRAID_NAMED(BRAID_IO), BRAID_NAMED(BRAID_FULL), BRAID_NAMED(BRAID_CORRUPT),
      BRAID_NAMED(BRAID_LIMIT), BRAID_NAMED(BRAID_INTERRUPTED), BRAID_NAMED(BRAID_DENIED), BRAID_NAMED(BRAID_MISUSE), BRAID_NAMED(BRAID_OUT_OF_MEMORY),
      BRAID_NAMED(BRAID_SQL), BRAID_NAMED(BRAID_VERSION), BRAID_NAMED(BRAID_UNKNOWN_OUTCOME), BRAID_NAMED(BRAID_SNAPSHOT_TOO_OLD),
      BRAID_NAMED(BRAID_NOT_VISIBLE), BRAID_NAMED(BRAID_INTERNAL), BRAID_NAMED(BRAID_ROW), BRAID_NAMED(BRAID_DONE)};
#undef BRAID_NAMED
  const auto* row = std::find_if(std::begin(kNames), std::end(kNames), [code](const CodeName& known) { return known.code == code; });
  return row == std::end(kNames) ? "" : row->name;
}

int32_t braid_open(const char* directory, const char* options, braid_database** database) {
  return braid_open_watched(directory, options, nullptr, database);
}

int32_t braid_open_watched(const char* directory, const char* options, const braid_watch* watch, braid_database** database) {
  return opening_call(given_watch(watch), database, [&](braid_database& handle) -> Status {
    BRAID_NOT_NULL(directory);
    if (*directory == '\0') return Status(StatusCode::kInvalidArgument, "directory is empty");
    return open_here_or_there(directory, options == nullptr ? "" : options, handle);
  });
}

int32_t braid_close(braid_database* database) {
  if (database == nullptr) return BRAID_OK;
  if (forked()) return BRAID_MISUSE;
  int32_t code = BRAID_OK;
  database->host = nullptr;
  if (database->database != nullptr && database->database.use_count() == 1)
    code = guard(database, [&] { return close_watched(*database->database); });
  if (thread_error.database == database) thread_error.database = nullptr;
  delete database;
  return code;
}

const char* braid_database_error(braid_database* database) {
  return database != nullptr && thread_error.database == database ? thread_error.message.c_str() : "";
}

int32_t braid_checkpoint(braid_database* database) {
  if (is_remote(database)) return guard(database, [&] { return database->remote->call(Operation::kCheckpoint).status(); });
  return long_call(database, [&](Database& open) { return open.engine().checkpoint(FreeSpace::kGivenBack); });
}

int32_t braid_sync(braid_database* database, uint64_t* lsn) {
  if (is_remote(database)) return guard(database, [&] { return remote_figure(*database, Operation::kSync, {}, lsn); });
  return long_call(database, [&](Database& open) -> Status {
    BRAID_ASSIGN(const Lsn durable, open.engine().sync_commits());
    if (lsn != nullptr) *lsn = durable.value();
    return {};
  });
}

int32_t braid_maintain(braid_database* database, int64_t max_ms, uint64_t* finished) {
  if (finished != nullptr) *finished = 0;
  if (is_remote(database)) return guard(database, [&] { return remote_figure(*database, Operation::kMaintain, {Value::number(max_ms)}, finished); });
  return long_call(database, [&](Database& open) -> Status {
    if (max_ms < 0) return Status(StatusCode::kInvalidArgument, "max_ms is negative");
    MaintenanceStop stop;
    BRAID_ASSIGN(const uint64_t count, run_maintenance(open.engine(), std::chrono::milliseconds(std::min(max_ms, kMaintenanceMsMax)), stop));
    if (finished != nullptr) *finished = count;
    return {};
  });
}

int32_t braid_check(braid_database* database, void (*visit)(void*, const char*), void* context) {
  if (is_remote(database)) return guard(database, [&] { return remote_check(*database->remote, visit, context); });
  return long_call(database, [&](Database& open) -> Status {
    std::vector<std::string> problems;
    BRAID_TRY(open.check(problems));
    for (const std::string& problem : problems)
      if (visit != nullptr) visit(context, problem.c_str());
    if (problems.empty()) return {};
    return Status(StatusCode::kCorrupt, std::to_string(problems.size()) + " problems found; the first: " + problems.front());
  });
}

int32_t braid_stats(braid_database* database, void (*visit)(void*, const braid_figure*), void* context) {
  return guard(database, [&]() -> Status {
    BRAID_NOT_NULL(visit);
    if (database->remote != nullptr) return remote_stats(*database->remote, visit, context);
    BRAID_ASSIGN(Database * open, open_database(*database));
    for (const StoreFigure& figure : open->figures()) {
      const braid_figure out{sizeof out, figure.name.c_str(), figure.unit.c_str(), figure.value, figure.is_counter ? BRAID_COUNTER : BRAID_GAUGE};
      visit(context, &out);
    }
    return {};
  });
}

int32_t braid_option_at(size_t index, braid_option* option) {
  if (option == nullptr || !check_struct(option, "option").ok()) return BRAID_INVALID_ARGUMENT;
  const auto table = option_table();
  if (index >= table.size()) return BRAID_NOT_FOUND;
  const OptionRow& row = table[index];
  fill_struct(option, {sizeof *option, row.name, row.unit, row.help, row.default_value, row.minimum, row.maximum});
  return BRAID_OK;
}

int32_t braid_option_get(braid_database* database, const char* name, int64_t* value) {
  return guard(database, [&]() -> Status {
    BRAID_NOT_NULL(name);
    BRAID_NOT_NULL(value);
    if (database->remote != nullptr) {
      uint64_t number = 0;
      BRAID_TRY(remote_figure(*database, Operation::kOptionGet, {Value::text(name)}, &number));
      *value = static_cast<int64_t>(number);
      return {};
    }
    BRAID_ASSIGN(Database * open, open_database(*database));
    const auto table = option_table();
    for (size_t i = 0; i < table.size(); ++i) {
      if (std::strcmp(table[i].name, name) != 0) continue;
      *value = open->engine().options()[static_cast<OptionId>(i)];
      return {};
    }
    return Status(StatusCode::kNotFound, std::string("there is no option '") + name + "'");
  });
}

int32_t braid_connect(braid_database* database, braid_connection** connection) {
  if (connection != nullptr) *connection = nullptr;
  return guard(database, [&]() -> Status {
    BRAID_NOT_NULL(connection);
    auto state = std::make_shared<ConnectionState>();
    if (database->remote != nullptr) {
      BRAID_ASSIGN(state->remote, database->remote->link());
      BRAID_TRY(state->remote->call_for_numbers(Operation::kConnect, {}));
      *connection = new braid_connection{std::move(state)};
      return {};
    }
    BRAID_ASSIGN(Database * open, open_database(*database));
    BRAID_ASSIGN(state->connection, Connection::open(open->engine()));
    state->database = database->database;
    state->wishes.time_limit = std::chrono::milliseconds(open->engine().options()[OptionId::kStatementTimeMax]);
    *connection = new braid_connection{std::move(state)};
    return {};
  });
}

int32_t braid_batch_open(braid_database* database, braid_batch** batch) {
  if (batch != nullptr) *batch = nullptr;
  return guard(database, [&]() -> Status {
    BRAID_NOT_NULL(batch);
    auto made = std::make_unique<braid_batch>();
    if (database->remote != nullptr) {
      BRAID_ASSIGN(made->remote, database->remote->link());
      int64_t handle = 0;
      BRAID_TRY(made->remote->call_for_numbers(Operation::kBatchOpen, {}, {&handle}));
      made->remote_handle = static_cast<uint64_t>(handle);
      *batch = made.release();
      return {};
    }
    BRAID_TRY(open_database(*database).status());
    made->database = database->database;
    made->client_settings = database->client_settings;
    made->batch.memory = MemoryShare(made->database->engine().memory(), MemoryUse::kBatches);
    made->batch.durability = static_cast<Durability>(database->database->engine().options()[OptionId::kDurability]);
    *batch = made.release();
    return {};
  });
}

}  // extern "C"
