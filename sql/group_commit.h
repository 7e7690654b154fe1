// Batches: transactions written down, committed in groups with one sync (DESIGN section 3).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "engine/column_data.h"
#include "engine/result.h"
#include "engine/writer_slot.h"
#include "graph/read_ahead.h"
#include "sql/connection.h"

namespace braid {

/// A value bound to a batch's statement; monostate is NULL.
struct BlobValue {
  std::string bytes;
};
using SqlValue = std::variant<std::monostate, int64_t, double, std::string, BlobValue>;

struct ExecuteStep {
  std::string sql;
  std::vector<SqlValue> values;
};
struct NodeStep {
  std::optional<std::string> labels;
  std::optional<std::string> properties;
};
struct EdgeStep {
  NodeId source;
  std::string type;
  NodeId target;
  std::optional<std::string> properties;
  std::optional<EdgeAhead> ahead;  ///< read by the batch's thread before it queues
};
struct PointsStep {
  std::string hypertable;
  std::vector<std::optional<std::string>> tags;
  std::vector<int64_t> times;
  std::vector<ColumnData> columns;
};
using BatchStep = std::variant<ExecuteStep, NodeStep, EdgeStep, PointsStep>;

/// A member of a group. Built by one thread; run by whichever thread leads the group.
struct Batch final : GroupMember {
  std::vector<BatchStep> steps;
  uint64_t size_bytes = 0;
  MemoryShare memory;
  Durability durability = Durability::kFull;  ///< a group is synced when one of its members wants it
  Status result;
  Lsn lsn;

  /// For the next use.
  void clear() {
    steps.clear();
    size_bytes = 0;
    memory.clear();
  }
};

/// Runs batches on a connection of its own. Threads: `commit` may be called from any thread.
class GroupCommitter {
 public:
  explicit GroupCommitter(Engine& engine) : engine_(engine) {}

  /// Waits until the batch is committed or refused, alone or with others. Its LSN is in the batch.
  Status commit(Batch& batch);
  /// Before the engine closes.
  void close();

 private:
  /// What a leader has taken. Members of a group that is not answered have no result yet.
  struct Group {
    std::vector<GroupMember*> members;  // the leader's own first
    std::vector<Batch*> running;        // without those that SQLite's own rollback has removed
    uint64_t size_bytes = 0;
    bool finished = false;  // the members' owners go on
  };
  void read_ahead(Batch& batch);
  void lead(Group& group);
  Batch* take_next(Group& group);
  void answer(Group& group, const Status& status);
  void finish(Group& group);
  Batch* run_members(Group& group);
  Status run_member(Batch& batch);
  Status run_steps(Batch& batch);
  Status run_step(const ExecuteStep& step);
  Status run_step(const NodeStep& step);
  Status run_step(const EdgeStep& step);
  Status run_step(const PointsStep& step);
  Result<Statement*> cached_statement(const std::string& sql);
  Status run_internal(const char* sql);

  Engine& engine_;
  // Used by the holder of the writer slot only.
  std::unique_ptr<Connection> connection_;
  std::unordered_map<std::string, std::unique_ptr<Statement>> statements_;
};

}  // namespace braid
