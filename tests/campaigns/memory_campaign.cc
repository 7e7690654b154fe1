// The Nth allocation of a calling thread fails, SQLite's and the library's own: the call answers an error or does what it was asked, what
// was acknowledged is there in all three models, nothing is there that was refused, and the same database goes on. What a call allocates is gone
// once the database is closed, whichever allocation failed.
//
// Allocations inside RocksDB are left out: it is built without a way to report them (docs/reliability.md).
//
// memory_campaign [COUNT (200), spread over the tasks; 0: every allocation] [--from N]
#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "tests/support/campaign_progress.h"
#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

namespace {

/// Of one thread: allocations since it was armed, and which of them fails.
struct Arm {
  bool counting = false;
  uint64_t count = 0;
  uint64_t fail_at = 0;  ///< 0: none
  bool failed = false;
  uint32_t run = 0;      ///< which run what is allocated belongs to
};
thread_local Arm arm;

/// The run stands behind the bytes of each allocation: RocksDB asks the allocator how large what it got from `new` is.
using RunMark = uint64_t;
constexpr uint32_t kRunsMax = 1 << 20;
/// Of each run, what was allocated in it and is not freed yet.
std::atomic<int32_t> live_allocations[kRunsMax];

/// Safety: all that is freed here was answered by begin_allocation, which asked for room for the mark.
RunMark* mark_of(void* memory) {
  return reinterpret_cast<RunMark*>(static_cast<char*>(memory) + (malloc_usable_size(memory) & ~(sizeof(RunMark) - 1)) - sizeof(RunMark));
}
void put_mark(void* memory, RunMark run) { std::memcpy(mark_of(memory), &run, sizeof run); }
RunMark read_mark(void* memory) {
  RunMark run = 0;
  std::memcpy(&run, mark_of(memory), sizeof run);
  return run;
}
/// With the mark, in whole words.
size_t with_mark(size_t size) { return (size + 2 * sizeof(RunMark) - 1) & ~(sizeof(RunMark) - 1); }

void* begin_allocation(size_t size) {
  void* const memory = std::malloc(with_mark(size));
  if (memory == nullptr) return nullptr;
  const RunMark run = arm.counting ? arm.run : 0;
  put_mark(memory, run);
  if (run != 0) live_allocations[run].fetch_add(1, std::memory_order_relaxed);
  return memory;
}
void end_allocation(void* memory) {
  if (memory == nullptr) return;
  if (const RunMark run = read_mark(memory); run != 0) live_allocations[run].fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}

/// A look at the stack takes long, and RocksDB allocates much at a time.
constexpr uint64_t kRocksdbStep = 16;

/// Whether RocksDB is on the stack.
bool in_rocksdb() {
  void* frames[64];
  const int depth = backtrace(frames, 64);
  for (int i = 0; i < depth; ++i) {
    Dl_info info;
    if (dladdr(frames[i], &info) != 0 && info.dli_fname != nullptr && std::strstr(info.dli_fname, "librocksdb") != nullptr) return true;
  }
  return false;
}

bool must_fail() {
  if (!arm.counting) return false;
  ++arm.count;
  if (arm.fail_at == 0 || arm.failed || arm.count < arm.fail_at) return false;
  arm.counting = false;  // the look at the stack may allocate
  arm.failed = !in_rocksdb();
  arm.counting = true;
  if (!arm.failed) arm.fail_at = arm.count + kRocksdbStep;
  return arm.failed;
}

void* sqlite_allocate(int size) { return must_fail() ? nullptr : begin_allocation(static_cast<size_t>(size)); }
void* sqlite_reallocate(void* memory, int size) {
  if (must_fail()) return nullptr;
  const RunMark run = read_mark(memory);
  void* const moved = std::realloc(memory, with_mark(static_cast<size_t>(size)));
  if (moved != nullptr) put_mark(moved, run);
  return moved;
}
int sqlite_size(void* memory) { return memory == nullptr ? 0 : static_cast<int>(malloc_usable_size(memory) - sizeof(RunMark)); }
int sqlite_round_up(int size) { return (size + 7) & ~7; }
int sqlite_begin(void*) { return SQLITE_OK; }
void sqlite_end(void*) {}
const sqlite3_mem_methods kSqliteMemory = {sqlite_allocate, end_allocation, sqlite_reallocate, sqlite_size, sqlite_round_up, sqlite_begin, sqlite_end, nullptr};

void* allocate(size_t size) { return must_fail() ? nullptr : begin_allocation(size); }
void* allocate_or_throw(size_t size) {
  void* memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return allocate_or_throw(size); }
void* operator new[](size_t size) { return allocate_or_throw(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { end_allocation(memory); }
void operator delete[](void* memory) noexcept { end_allocation(memory); }
void operator delete(void* memory, size_t) noexcept { end_allocation(memory); }
void operator delete[](void* memory, size_t) noexcept { end_allocation(memory); }

using namespace braid;

namespace {

constexpr const char* kOptions = "maintenance_interval_ms=0";
constexpr uint64_t kVerifyEvery = 64;
constexpr uint32_t kCloseEvery = 16;
/// So many are tried one by one: a call begins with taking locks and room.
constexpr uint64_t kFirstOfTask = 64;
/// Then a new database, so that the last allocation of a query is not reached through all that the earlier cases have written.
constexpr uint64_t kCasesPerDatabase = 256;
/// RocksDB's threads are the process's, and their queues (std::deque) keep the blocks that they are in.
constexpr int32_t kQueueBlocksMax = 4;

/// While one lives, this thread's Nth allocation fails.
class Failing {
 public:
  Failing(uint64_t nth, uint32_t run) { arm = {.counting = true, .fail_at = nth, .run = run}; }
  ~Failing() { arm.counting = false; }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
};

/// What is done with a database that is open, one after the other; each is a round of its own.
enum class Task { kTransaction, kBatch, kQuery, kCheckpoint, kCompact, kReopen };
constexpr Task kTasks[] = {Task::kReopen, Task::kTransaction, Task::kBatch, Task::kQuery, Task::kCheckpoint, Task::kCompact};
constexpr const char* kTaskNames[] = {"transaction", "batch", "query", "checkpoint", "compaction", "reopening"};

class Campaign {
 public:
  /// The first `from` allocations that would fail are left alone.
  explicit Campaign(uint64_t from) : from_(from) {}

  /// A new database.
  bool start() {
    close();
    directory_ = std::make_unique<TempDir>();
    path_ = *directory_ / "db";
    acknowledged_.clear();
    possible_.clear();
    next_ = 1;
    open();
    if (!database_->ok() || Operations::create(*connection_, 2) != BRAID_OK) return fail("start");
    for (int i = 0; i < 20; ++i)
      if (commit() != BRAID_OK) return fail("start");
    return true;
  }

  /// Does the task with every `count`th part of its allocations failing.
  bool run(Task task, uint64_t count) {
    prepare(task);
    uint64_t all = 0;
    int32_t counted = BRAID_OK;
    {
      const Failing counting(0, 0);
      counted = perform(task);
      all = arm.count;
    }
    task_ = fmt::format("{}, no allocation failing", kTaskNames[static_cast<size_t>(task)]);
    if (!settle(task, counted, false)) return false;
    const uint64_t step = count == 0 ? 1 : std::max<uint64_t>(1, all / count);
    for (uint64_t nth = 1; nth <= all; nth += nth < kFirstOfTask ? 1 : step) {
      if (number_++ < from_) continue;
      progress_.reached(number_ - 1);
      if (number_ % kCasesPerDatabase == 0 && !(reopen_and_check() && verify() && start())) return false;
      prepare(task);
      int32_t code = BRAID_OK;
      bool failed = false;
      task_ = fmt::format("{}, allocation {} of {}", kTaskNames[static_cast<size_t>(task)], nth, all);
      runs_.push_back(task_);
      if (runs_.size() == kRunsMax) return fail("these are too many runs at once; give a COUNT");
      {
        const Failing failing(nth, static_cast<uint32_t>(runs_.size()));
        code = perform(task);
        failed = arm.failed;
      }
      failed_ += failed ? 1 : 0;
      refused_ += code == BRAID_OK ? 0 : 1;
      if (!settle(task, code, failed)) return false;
      if (runs_.size() % kCloseEvery == 0 && !reopen_and_check()) return false;
      if (failed_ % kVerifyEvery == 0 && !verify()) return false;
    }
    fmt::print("{}: {} allocations, the first {} and one in {} failed\n", kTaskNames[static_cast<size_t>(task)], all, std::min(all, kFirstOfTask), step);
    std::fflush(stdout);
    return reopen_and_check() && verify();
  }

  bool finish() {
    close();
    if (!check_freed()) return false;
    fmt::print("{} allocations failed, {} calls answered an error: nothing lost, nothing half done, nothing left allocated; {:.0f} s\n", failed_, refused_,
               progress_.seconds());
    return true;
  }

 private:
  bool fail(const std::string& why) {
    fmt::print("{}: {}\n", task_, why);
    return false;
  }
  void open() {
    database_ = std::make_unique<TestDatabase>(path_, kOptions);
    if (database_->ok()) connection_ = std::make_unique<TestConnection>(*database_);
  }
  void close() {
    connection_ = nullptr;
    database_ = nullptr;
  }
  int32_t commit() {
    const int32_t code = Operations::run(*connection_, 0, next_, &error_);
    note(code);
    return code;
  }
  void note(int32_t code) {
    if (code == BRAID_OK || code == BRAID_NOT_VISIBLE) acknowledged_.insert({0, next_});
    if (code == BRAID_UNKNOWN_OUTCOME) possible_.insert({0, next_});
    ++next_;
  }

  void prepare(Task task) {
    const bool counting = arm.counting;
    arm.counting = false;
    if (task == Task::kTransaction) {
      statement_ = Operations::all_sql(0, next_);
    } else if (task == Task::kBatch) {
      parts_ = {Operations::row_sql(0, next_), Operations::total_sql(0), Operations::edge_sql(0, next_), Operations::points_sql(0, next_)};
    } else if (task != Task::kQuery) {
      commit();  // something to write
    }
    arm.counting = counting;
  }

  int32_t perform(Task task) {
    switch (task) {
      case Task::kTransaction: return transaction();
      case Task::kBatch: return batch();
      case Task::kQuery: return query();
      case Task::kCheckpoint: return braid_checkpoint(database_->get());
      case Task::kCompact: return execute("SELECT hypertable_compact('point')");
      case Task::kReopen: return reopen();
    }
    return BRAID_OK;
  }
  int32_t execute(std::string_view sql) { return braid_execute(connection_->get(), sql.data(), static_cast<int64_t>(sql.size())); }
  int32_t transaction() {
    int32_t code = braid_begin(connection_->get(), BRAID_WRITE);
    if (code == BRAID_OK) code = execute(statement_);
    if (code == BRAID_OK) code = braid_commit(connection_->get());
    return code;
  }
  int32_t batch() {
    braid_batch* one = nullptr;
    int32_t code = braid_batch_open(database_->get(), &one);
    for (const std::string& sql : parts_)
      if (code == BRAID_OK) code = braid_batch_execute(one, sql.data(), static_cast<int64_t>(sql.size()), nullptr, 0);
    if (code == BRAID_OK) code = braid_batch_commit(one, nullptr);
    braid_batch_close(one);
    return code;
  }
  int32_t query() {
    int32_t code = BRAID_OK;
    for (const char* sql : {"SELECT sum(operations) FROM total", "SELECT count(*), max(properties) FROM graph_edges",
                            "SELECT writer, count(*), avg(value) FROM point GROUP BY 1",
                            "SELECT count(*) FROM graph_nodes n JOIN graph_edges e ON e.src = n.id JOIN operation"}) {
      braid_statement* statement = nullptr;
      code = braid_prepare(connection_->get(), sql, static_cast<int64_t>(std::strlen(sql)), &statement, nullptr);
      while (code == BRAID_OK || code == BRAID_ROW) code = braid_statement_step(statement);
      braid_statement_close(statement);
      if (code != BRAID_DONE) return code;
    }
    return BRAID_OK;
  }
  int32_t reopen() {
    const bool counting = arm.counting;
    arm.counting = false;
    close();
    arm.counting = counting;
    braid_database* handle = nullptr;
    const int32_t code = braid_open(path_.c_str(), kOptions, &handle);
    braid_close(handle);
    arm.counting = false;
    left_bytes_ = sqlite3_memory_used();
    open();
    return code;
  }

  bool reopen_and_check() {
    close();
    if (!check_freed()) return false;
    open();
    return database_->ok() || fail("reopen: " + database_->message());
  }
  /// Nothing is open: what a run allocated and has not freed is lost.
  bool check_freed() {
    // The text of a thread's last error stays until its next one.
    braid_database* none = nullptr;
    if (braid_open("", nullptr, &none) != BRAID_INVALID_ARGUMENT) return fail("a database without a name was opened");
    braid_close(none);
    int32_t left = 0;
    std::string runs;
    for (size_t i = 0; i < runs_.size(); ++i) {
      const int32_t of_run = live_allocations[i + 1].load();
      left += of_run;
      if (of_run != 0) runs += fmt::format("{}: {} allocations are left\n", runs_[i], of_run);
    }
    if (left > kQueueBlocksMax) return fail(runs);
    const int64_t sqlite = sqlite3_memory_used();
    return sqlite == 0 || fail(fmt::format("{} bytes of SQLite's are left", sqlite));
  }

  /// What the failed call left is put in order, and must be what its code says.
  bool settle(Task task, int32_t code, bool failed) {
    if (!database_->ok()) return fail("reopen: " + database_->message());
    if (left_bytes_ != 0) return fail(fmt::format("{} bytes of SQLite's are left by an open that answered {}", left_bytes_, code));
    if (code != BRAID_OK && !failed) return fail(fmt::format("{} without a failure: {}", code, connection_->error()));
    if (task == Task::kTransaction || task == Task::kBatch) note(code);
    if (braid_in_transaction(connection_->get()) == 1 && braid_rollback(connection_->get()) != BRAID_OK)
      return fail("rollback: " + connection_->error());
    // An error at COMMIT poisons, and reopening decides.
    if (database_->figure("poisoned") == 1 || code == BRAID_NOT_VISIBLE) {
      close();
      open();
      if (!database_->ok()) return fail("reopen: " + database_->message());
    }
    if (commit() != BRAID_OK) return fail(fmt::format("a further write after {}: {}", code, error_));
    return true;
  }

  bool verify() {
    std::string problems;
    for (const auto& one : Operations::verify(*connection_, acknowledged_, problems))
      if (!acknowledged_.contains(one) && !possible_.contains(one)) problems += fmt::format("operation {} is there that was refused\n", one.second);
    problems += database_->check();
    return problems.empty() || fail(problems);
  }

  const uint64_t from_;
  uint64_t number_ = 0;
  CampaignProgress progress_;
  std::unique_ptr<TempDir> directory_;
  std::string path_;
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<TestConnection> connection_;
  Operations::Set acknowledged_, possible_;
  int64_t next_ = 1;
  std::string statement_, error_, task_ = "start";
  std::vector<std::string> parts_;
  std::vector<std::string> runs_;  // what they were, from run 1 on
  uint64_t failed_ = 0, refused_ = 0;
  int64_t left_bytes_ = 0;  ///< of SQLite's while no database was open
};

}  // namespace

int main(int count, char** arguments) {
  void* warm[4];
  backtrace(warm, 4);  // its first call loads a library
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &kSqliteMemory) != SQLITE_OK) return 1;
  CLI::App app{"Allocations fail, one at a time, in the life of a database."};
  uint64_t wanted = 200, from = 0;
  app.add_option("COUNT", wanted, "spread over the tasks; 0: every allocation");
  app.add_option("--from", from);
  CLI11_PARSE(app, count, arguments);
  Campaign campaign(from);
  for (const Task task : kTasks)
    if (!campaign.start() || !campaign.run(task, wanted / std::size(kTasks))) return 1;
  return campaign.finish() ? 0 : 1;
}
