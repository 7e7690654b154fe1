#include "sql/maintenance.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "engine/caught.h"
#include "engine/event_log.h"
#include "engine/long_call.h"
#include "sql/policies.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

using Clock = std::chrono::steady_clock;

/// How long one transaction of a policy works, so that writers wait for no more than about this.
constexpr std::chrono::milliseconds kSlice(50);
constexpr std::chrono::milliseconds kDefaultTime(60'000);

/// Failures that say nothing of the policy: others hold the writer slot, the host ends, or nothing can be written any more.
bool is_about_others(const Status& status) {
  switch (status.code()) {
    case StatusCode::kBusy:
    case StatusCode::kReadOnly:
    case StatusCode::kUnknownOutcome:
    case StatusCode::kNotVisible: return true;
    default: return false;
  }
}

/// A run that lies further ahead than one schedule, and what a run may take, was planned by a clock that has stepped back since.
bool is_due(const PolicyDefinition& policy, Timestamp now) {
  constexpr int64_t kRunUsMax = int64_t{2} * 86'400'000'000;
  return policy.next_run <= now || policy.next_run.value() - now.value() > policy.schedule_us + kRunUsMax;
}

std::vector<std::shared_ptr<const PolicyDefinition>> due_policies(const CatalogState& state, Timestamp now) {
  std::vector<std::shared_ptr<const PolicyDefinition>> due;
  for (const auto& [id, policy] : state.policies)
    if (is_due(*policy, now)) due.push_back(policy);
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a->next_run < b->next_run; });
  return due;
}

/// One policy that is due.
class PolicyRun {
 public:
  PolicyRun(Connection& connection, const PolicyDefinition& policy, Timestamp now)
      : connection_(connection), id_(policy.id), kind_(policy.kind), now_(now) {}

  /// Whether it is finished.
  Result<bool> run(Clock::time_point stop_at, const MaintenanceStop& stop) {
    Status failure;
    for (;;) {
      const auto done = kind_ == PolicyKind::kCompression ? compress(stop_at, stop) : slice(std::min(stop_at, Clock::now() + kSlice));
      if (stop.stopped()) return false;
      BRAID_TRY(LongCall::check());  // who ends the call makes no policy fail
      if (!done.ok() && is_about_others(done.status())) return done;
      failure = done.status();
      if (!done.ok() || *done) break;
      if (Clock::now() >= stop_at) return false;
    }
    BRAID_TRY(keep_outcome(failure));
    return true;
  }

 private:
  Result<bool> slice(Clock::time_point stop_at) {
    bool done = true;
    // What is refreshed is what would be answered anyway.
    connection_.session().set_keeps_answers(kind_ == PolicyKind::kRefresh);
    BRAID_TRY(connection_.write([&]() -> Status {
      const PolicyDefinition* policy = find();
      if (policy == nullptr) return {};
      const PolicyDefinition copy = *policy;  // running it may change the catalog that it stands in
      BRAID_ASSIGN(done, run_policy(connection_, copy, now_, stop_at));
      return {};
    }));
    return done;
  }

  Result<bool> compress(Clock::time_point stop_at, const MaintenanceStop& stop) {
    std::optional<PolicyDefinition> policy;
    BRAID_TRY(connection_.read([&]() -> Status {
      if (const PolicyDefinition* found = find()) policy = *found;
      return {};
    }));
    if (!policy) return true;
    const Status status = run_compression(connection_.engine(), *policy, now_, [&]() -> Status {
      BRAID_TRY(LongCall::check());
      if (!stop.stopped() && Clock::now() < stop_at) return {};
      return Status(StatusCode::kInterrupted, "maintenance goes on later");
    });
    if (status.code() == StatusCode::kInterrupted) return false;
    BRAID_TRY(status);
    return true;
  }

  Status keep_outcome(const Status& failure) {
    if (!failure.ok())
      note_event(EventLevel::kWarning, "maintenance", fmt::format("{}: policy {} failed: {}", connection_.engine().directory().path(), id_.value(), failure.message()));
    connection_.session().set_keeps_answers(true);
    return connection_.write([&]() -> Status {
      const PolicyDefinition* policy = find();
      if (policy == nullptr) return {};
      PolicyDefinition ended = *policy;
      ended.last_run = now_;
      ended.next_run = Timestamp(connection_.engine().env().now().value() + ended.schedule_us);
      ended.last_error = failure.message();
      ++ended.runs;
      if (!failure.ok()) ++ended.failures;
      connection_.session().catalog_writer().put_policy(std::move(ended));
      return {};
    });
  }

  /// Null when it was removed, or run by another meanwhile.
  const PolicyDefinition* find() const {
    const auto& policies = connection_.catalog_state().policies;
    const auto found = policies.find(id_);
    return found == policies.end() || !is_due(*found->second, now_) ? nullptr : found->second.get();
  }

  Connection& connection_;
  const PolicyId id_;
  const PolicyKind kind_;
  const Timestamp now_;
};

}  // namespace

void MaintenanceStop::stop() {
  MutexLock lock(mutex_);
  stopped_.store(true, std::memory_order_release);
  if (working_ != nullptr) working_->interrupt();
}

MaintenanceStop::Working::Working(MaintenanceStop& stop, Connection& connection) : stop_(stop) {
  MutexLock lock(stop_.mutex_);
  stop_.working_ = &connection;
}

MaintenanceStop::Working::~Working() {
  MutexLock lock(stop_.mutex_);
  stop_.working_ = nullptr;
}

Result<uint64_t> run_maintenance(Engine& engine, std::chrono::milliseconds time_max, MaintenanceStop& stop) {
  const Timestamp now = engine.env().now();
  const auto version = engine.versions().newest();
  const auto due = due_policies(*version->catalog, now);
  if (due.empty()) return uint64_t{0};
  BRAID_ASSIGN(const auto connection, Connection::open(engine));
  const MaintenanceStop::Working working(stop, *connection);
  const auto stop_at = Clock::now() + time_max;
  uint64_t finished = 0;
  for (const auto& policy : due) {
    if (stop.stopped() || Clock::now() >= stop_at) break;
    BRAID_ASSIGN(const bool done, PolicyRun(*connection, *policy, now).run(stop_at, stop));
    finished += done ? 1 : 0;
  }
  return finished;
}

MaintenanceThread::MaintenanceThread(Engine& engine, std::chrono::milliseconds interval)
    : engine_(engine), interval_(interval), thread_([this] { run(); }) {}

MaintenanceThread::~MaintenanceThread() {
  {
    MutexLock lock(mutex_);
    stop_.stop();
  }
  wake_.notify_all();
  thread_.join();
}

void MaintenanceThread::run() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      const auto until = Clock::now() + interval_;
      while (!stop_.stopped() && Clock::now() < until) wake_.wait_until(lock.native(), until);
      if (stop_.stopped()) return;
    }
    if (!engine_.env().check_writable().ok()) continue;
    caught([this] { return run_maintenance(engine_, kDefaultTime, stop_).status(); }).ignore();  // what was not done is still due
  }
}

namespace {

Status maintenance_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  if (connection.in_transaction())
    return Status(StatusCode::kMisuse, "run_maintenance works in transactions of its own; commit or roll back first");
  std::chrono::milliseconds time_max = kDefaultTime;
  if (!values.empty() && sqlite3_value_type(values[0]) != SQLITE_NULL) {
    if (sqlite3_value_type(values[0]) != SQLITE_INTEGER || sqlite3_value_int64(values[0]) < 0)
      return Status(StatusCode::kInvalidArgument, "run_maintenance: max_ms: expected a whole number from 0");
    time_max = std::chrono::milliseconds(std::min<int64_t>(sqlite3_value_int64(values[0]), 86'400'000));
  }
  MaintenanceStop stop;
  BRAID_ASSIGN(const uint64_t finished, run_maintenance(connection.engine(), time_max, stop));
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(finished));
  return {};
}

constexpr FunctionRow kMaintenanceFunctions[] = {{"run_maintenance", 0, 1, maintenance_function}};

}  // namespace

Status register_maintenance(Connection& connection) { return register_functions(connection, FunctionUse::kDirectOnly, kMaintenanceFunctions); }

}  // namespace braid
