#include "sql/group_commit.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/caught.h"
#include "engine/long_call.h"
#include "sql/graph_access.h"

namespace braid {

namespace {

constexpr size_t kStatementsMax = 128;
constexpr size_t kEdgesAheadMax = 256;

void bind_value(sqlite3_stmt* statement, int index, const SqlValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) sqlite3_bind_int64(statement, index, *integer);
  if (const auto* real = std::get_if<double>(&value)) sqlite3_bind_double(statement, index, *real);
  if (const auto* text = std::get_if<std::string>(&value))
    sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  if (const auto* blob = std::get_if<BlobValue>(&value))
    sqlite3_bind_blob64(statement, index, blob->bytes.data(), blob->bytes.size(), SQLITE_STATIC);
}

std::optional<std::string_view> view_of(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

}  // namespace

Status GroupCommitter::commit(Batch& batch) {
  batch.result = {};
  batch.lsn = {};
  BRAID_TRY(engine_.commit_sync().check_writable());
  BRAID_TRY(engine_.wait_for_archive());
  BRAID_TRY(engine_.wait_for_tail());
  if (engine_.slot().busy()) read_ahead(batch);
  // Made before the slot is taken: whoever is in it gets an answer, whatever fails.
  Group group{.members = {&batch}, .running = {&batch}, .size_bytes = batch.size_bytes};
  BRAID_ASSIGN(const bool leads, engine_.slot().join(batch, engine_.busy_deadline()));
  if (!leads) return batch.result;
  const SlotHold hold(engine_.slot());
  // The group is of others too, whom this thread's call has nothing to say.
  const LongCall::Unasked unasked;
  const Status thrown = caught([&] {
    lead(group);
    return Status();
  });
  if (!thrown.ok()) {
    if (connection_ != nullptr && connection_->in_transaction()) connection_->rollback().ignore();
    if (group.finished)
      batch.result = thrown;
    else
      answer(group, thrown);
  }
  finish(group);
  return batch.result;
}

/// Reads what the batch's edges need while another one writes, so that the writer slot is held for less.
void GroupCommitter::read_ahead(Batch& batch) {
  std::shared_ptr<const Version> version;
  size_t count = 0;
  for (BatchStep& step : batch.steps) {
    auto* edge = std::get_if<EdgeStep>(&step);
    if (edge == nullptr) continue;
    if (++count > kEdgesAheadMax) return;
    const auto type = engine_.catalog().find_name(NameKind::kEdgeType, edge->type);
    if (!type) continue;
    if (version == nullptr) version = engine_.versions().newest();
    edge->ahead = read_edge_ahead(*version->views[static_cast<size_t>(StoreKind::kGraph)], edge->source, TypeId(*type), edge->target);
  }
}

void GroupCommitter::close() {
  statements_.clear();
  connection_ = nullptr;
}

Batch* GroupCommitter::take_next(Group& group) {
  if (group.size_bytes >= static_cast<uint64_t>(engine_.options()[OptionId::kBatchBytesMax])) return nullptr;
  // What is taken must not be lost for want of memory.
  const auto make_room = [](auto& values) {
    if (values.size() == values.capacity()) values.reserve(2 * values.size() + 1);
  };
  make_room(group.members);
  make_room(group.running);
  GroupMember* member = engine_.slot().next_member(group.members.size());
  if (member == nullptr) return nullptr;
  auto* batch = static_cast<Batch*>(member);
  group.members.push_back(member);
  group.running.push_back(batch);
  group.size_bytes += batch->size_bytes;
  return batch;
}

/// Gives `status` to all members that have no error of their own.
void GroupCommitter::answer(Group& group, const Status& status) {
  for (GroupMember* member : group.members) {
    Status& result = static_cast<Batch*>(member)->result;
    if (result.ok()) result = status;
  }
}

void GroupCommitter::finish(Group& group) {
  if (!group.finished) engine_.slot().finish(group.members);
  group.finished = true;
}

/// One COMMIT and one sync for all members. A failure inside a member undoes it alone; one that makes SQLite roll everything back removes
/// the offender and runs the others again.
void GroupCommitter::lead(Group& group) {
  if (connection_ == nullptr) {
    auto connection = Connection::open(engine_);
    if (!connection.ok()) return answer(group, connection.status());
    connection_ = connection.take();
  }
  Session& session = connection_->session();
  while (!group.running.empty()) {
    if (const Status begun = session.begin_group(); !begun.ok()) return answer(group, begun);
    if (Batch* offender = run_members(group)) {
      std::erase(group.running, offender);
      continue;
    }
    const auto good = std::count_if(group.running.begin(), group.running.end(), [](const Batch* member) { return member->result.ok(); });
    if (good == 0) {
      connection_->rollback().ignore();
      return;
    }
    const bool synced = std::any_of(group.running.begin(), group.running.end(),
                                    [](const Batch* member) { return member->result.ok() && member->durability == Durability::kFull; });
    session.set_transaction_durability(synced ? Durability::kFull : Durability::kRelaxed);
    Batch& own = static_cast<Batch&>(*group.members.front());
    const Status committed = session.commit([&] {
      engine_.counters.groups.fetch_add(1, std::memory_order_relaxed);
      engine_.counters.group_members.fetch_add(static_cast<uint64_t>(good), std::memory_order_relaxed);
      if (group.running.size() == 1) group.running.front()->lsn = session.sealed_lsn();
      // As durable as they wish is enough for them to go on: their next read waits for the publishing, their next batch for the slot
      // (docs/decisions/0006-answer-before-publish.md).
      finish(group);
    });
    if (connection_->in_transaction()) connection_->rollback().ignore();
    if (!group.finished) return answer(group, committed);
    if (own.result.ok()) own.result = committed;
    return;
  }
}

/// Runs all members, and those that come meanwhile. Answers the one in which SQLite rolled the whole transaction back, or null.
Batch* GroupCommitter::run_members(Group& group) {
  const bool alone = group.running.size() == 1 && !engine_.slot().expects_more(group.members.size());
  for (size_t i = 0; i < group.running.size(); ++i) {
    Batch& batch = *group.running[i];
    batch.result = alone ? run_steps(batch) : run_member(batch);
    if (!connection_->in_transaction()) return &batch;
    if (!alone && i + 1 == group.running.size()) take_next(group);
  }
  return nullptr;
}

Status GroupCommitter::run_internal(const char* sql) {
  const Session::Internal internal(connection_->session());
  BRAID_ASSIGN(SqliteStatement * statement, connection_->internal_statement(sql));
  return statement->run();
}

/// The member in a savepoint of its own, with its own row in the log.
Status GroupCommitter::run_member(Batch& batch) {
  BRAID_TRY(run_internal("SAVEPOINT _braid_member"));
  Status status = run_steps(batch);
  if (!connection_->in_transaction()) return status;
  if (status.ok()) status = connection_->session().seal();
  if (status.ok()) batch.lsn = connection_->session().sealed_lsn();
  if (!status.ok()) BRAID_TRY(run_internal("ROLLBACK TO _braid_member"));
  BRAID_TRY(run_internal("RELEASE _braid_member"));
  return status;
}

Status GroupCommitter::run_steps(Batch& batch) {
  size_t number = 0;
  for (const BatchStep& step : batch.steps) {
    ++number;
    const Status status = std::visit([&](const auto& one) { return run_step(one); }, step);
    if (!status.ok()) return status.within(fmt::format("step {}", number));
  }
  // A deferred foreign key is this member's own business: at COMMIT it would fail the whole group.
  int current = 0;
  int highest = 0;
  sqlite3_db_status(connection_->db(), SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0);
  if (current != 0) return Status(StatusCode::kConstraint, "FOREIGN KEY constraint failed");
  return connection_->session().check_limits();
}

Result<Statement*> GroupCommitter::cached_statement(const std::string& sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second.get();
  size_t used = 0;
  BRAID_ASSIGN(auto statement, connection_->prepare(sql, used));
  if (statement == nullptr) return Status(StatusCode::kInvalidArgument, "the SQL text holds no statement");
  if (sql.find_first_not_of(" \t\r\n;", used) != std::string::npos)
    return Status(StatusCode::kInvalidArgument, "a step of a batch is one SQL statement; this text holds more");
  const StatementTraits& traits = statement->traits();
  if (traits.control != StatementTraits::Control::kNone || traits.is_pragma || traits.is_temporary || traits.changes_schema ||
      traits.administers)
    return Status(StatusCode::kDenied, "a batch holds no transaction statements, PRAGMA, TEMP objects or schema changes; run them on a "
                                       "connection");
  if (statements_.size() >= kStatementsMax) statements_.clear();
  return statements_.emplace(sql, std::move(statement)).first->second.get();
}

Status GroupCommitter::run_step(const ExecuteStep& step) {
  BRAID_ASSIGN(Statement * statement, cached_statement(step.sql));
  const int expected = sqlite3_bind_parameter_count(statement->get());
  if (static_cast<size_t>(expected) != step.values.size())
    return Status(StatusCode::kInvalidArgument, fmt::format("the statement has {} parameters, {} values are given", expected, step.values.size()));
  for (int i = 0; i < expected; ++i) bind_value(statement->get(), i + 1, step.values[static_cast<size_t>(i)]);
  Status status;
  for (bool more = true; more && status.ok();) {
    const auto stepped = statement->step();
    status = stepped.status();
    more = stepped.ok() && *stepped;
  }
  sqlite3_clear_bindings(statement->get());
  return status;
}

Status GroupCommitter::run_step(const NodeStep& step) {
  return create_node(*connection_, view_of(step.labels), view_of(step.properties)).status();
}

Status GroupCommitter::run_step(const EdgeStep& step) {
  return create_edge(*connection_, step.source, step.type, step.target, view_of(step.properties), step.ahead ? &*step.ahead : nullptr).status();
}

Status GroupCommitter::run_step(const PointsStep& step) {
  const HypertableDefinition* table = connection_->catalog_state().hypertable(step.hypertable);
  if (table == nullptr) return Status(StatusCode::kNotFound, fmt::format("there is no hypertable '{}'", step.hypertable));
  std::vector<std::optional<std::string_view>> tags;
  for (const auto& tag : step.tags) tags.push_back(view_of(tag));
  SeriesWriter& writer = connection_->series_writer();
  BRAID_ASSIGN(const SeriesId series, writer.series(*table, tags));
  return writer.append_columns(*table, series, step.times, step.columns);
}

}  // namespace braid
