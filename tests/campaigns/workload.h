// A life of a database in all three models, made of numbered commits, each of which leaves a state that can be told from all others.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/file_record.h"

namespace braid {

/// Small bounds, so that tails are sealed, logs trimmed and the WAL copied within a few commits.
inline constexpr const char* kWorkloadOptions =
    "tail_bytes_max=65536;wal_soft_bytes=262144;log_soft_bytes=65536;cache_bytes=262144;maintenance_interval_ms=0";

/// What all three models hold, as text: rows and their schema, nodes, edges, points. Of one snapshot. "" before the first commit.
std::string state_text(TestConnection& connection);

/// The number of the last commit that is there, or 0 before the first.
int64_t last_commit(TestConnection& connection);

/// Further writes after a recovery, apart from what `state_text` tells. One transaction in all three models; BRAID_OK or why not.
int32_t write_probe(TestConnection& connection, int64_t number);
/// How many probes there are, or -1 when the models disagree.
int64_t count_probes(TestConnection& connection);

class Workload {
 public:
  /// How the commits of a life are made durable.
  enum class Life : uint8_t {
    kFull,
    kMixed,  ///< relaxed and full ones, chosen in every way there is
  };

  /// With an archive it also makes a backup, beside the directory, at its beginning.
  Workload(std::string directory, uint64_t seed, FileRecord& record, Life life = Life::kFull, bool archives = false);

  /// Opens the database, makes `steps` steps and closes it. "" or what failed.
  std::string run(int steps);

  /// The state after each commit, beginning with the empty one.
  const std::vector<std::string>& states() const { return states_; }
  /// The last commit that was acknowledged before the record reached `position`.
  int64_t acknowledged_at(size_t position) const;
  /// Where the record was when each commit was acknowledged.
  const std::vector<size_t>& acknowledged() const { return acknowledged_; }
  /// The last commit that was known then to be durable.
  int64_t durable_at(size_t position) const;
  /// The newest commit at this LSN.
  int64_t commit_at(uint64_t lsn) const;

  /// Of the directory that it goes with.
  static std::string backup_of(const std::string& directory) { return directory + ".backup"; }
  /// The newest commit in the backup; 0 when the record had not reached its end.
  uint64_t backed_up_at(size_t position) const { return archives_ && position >= backup_position_ ? backup_lsn_ : 0; }

 private:
  uint64_t below(uint64_t limit) { return random_() % limit; }
  int64_t any_commit() { return 1 + static_cast<int64_t>(below(static_cast<uint64_t>(next_) - 1)); }

  void open();
  void close();
  void choose_durability();
  void sync();
  void note_durable(int64_t commit) { durable_.emplace_back(record_.position(), commit); }
  void note_told_durable();
  void step();
  void create();
  void back_up();
  void require(int32_t code, const std::string& what);
  void execute(const std::string& sql);
  /// What a commit of the number `next_` writes in every model.
  std::string ledger_sql() const;
  std::string other_changes();
  void commit_transaction();
  void commit_with_savepoint();
  void commit_calls();
  void commit_batch();
  void commit_schema();
  void roll_back();
  /// `lsn`: of a batch; 0: the connection tells.
  void acknowledge(uint64_t lsn = 0);

  const std::string directory_;
  const bool mixed_;
  const bool archives_;
  std::mt19937_64 random_;
  FileRecord& record_;
  std::string options_;
  bool flushes_ = false;         ///< the graph's write buffer is so small that it is flushed after almost every commit
  bool full_ = true;             ///< the next commit is
  bool connection_full_ = true;  ///< what was last said to the connection, or to the database
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<TestConnection> connection_;
  uint64_t backup_lsn_ = 0;
  size_t backup_position_ = 0;
  int64_t next_ = 1;
  int columns_ = 0;
  std::vector<std::string> states_ = {""};
  std::vector<size_t> acknowledged_ = {0};  ///< by commit: where the record was when it was acknowledged
  std::vector<uint64_t> lsns_ = {0};        ///< by commit
  std::vector<std::pair<size_t, int64_t>> durable_ = {{0, 0}};  ///< positions, and the commits that were durable then; both only grow
  std::string problem_;
};

}  // namespace braid
