// memory_bytes_max held under load: connections that sort, walk, project, roll up, stage and append at once, in two databases of one process. The
// program is a process of its own, so that the kernel's peak (VmHWM) is that of the load.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int64_t kBound = int64_t{256} << 20;
/// Code, stacks, what the allocator keeps of what was given back, and what is too small to be counted.
constexpr int64_t kBeside = int64_t{160} << 20;
constexpr auto kTime = std::chrono::seconds(12);

/// A figure of /proc/self/status in bytes.
int64_t process_figure(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1)) * 1024;
  return -1;
}

struct Load {
  const char* name;
  std::string sql;
};

/// Without the bound each of these takes hundreds of megabytes.
const std::vector<Load>& loads() {
  static const std::vector<Load> all = {
      {"sorting", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM (SELECT DISTINCT hex(i * 7919) || 'padding' FROM n)"},
      {"large values", "SELECT length(hex(zeroblob(60000000)) || hex(zeroblob(60000000)))"},
      {"group_concat", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT length(group_concat(hex(zeroblob(1000)))) FROM n"},
      {"staged points", "INSERT INTO p SELECT i, i % 100, i FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000000) SELECT i FROM n)"},
      {"staged nodes",
       "INSERT INTO graph_nodes(properties) SELECT json_object('text', hex(zeroblob(2000))) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
       "WHERE i < 200000) SELECT i FROM n)"},
      {"a walk", "SELECT count(*) FROM graph_hops(1, 100, 'both', NULL, NULL, NULL, 'store')"},
      {"trails", "SELECT count(*) FROM graph_trails(1, 1, 12)"},
      {"a projection", "SELECT count(*) FROM graph_pagerank()"},
      {"a rollup", "SELECT count(*) FROM (SELECT time_bucket('1 second', time) AS b, d, avg(v), min(v), max(v) FROM p GROUP BY b, d)"},
      {"rows", "INSERT INTO r SELECT hex(zeroblob(500)) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n); DELETE FROM r WHERE x <> 'first'"},
      {"points", "INSERT INTO p SELECT 1000000000 + abs(random() % 1000000000), i % 100, i FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n)"},
  };
  return all;
}

class Campaign {
 public:
  /// All loads together, or one of them.
  explicit Campaign(int only) : only_(only) {}

  int run() {
    const std::string options = fmt::format("memory_bytes_max={};busy_timeout_ms=60000;statement_time_max_ms=6000;maintenance_interval_ms=0;graph_buffer_bytes=4194304", kBound);
    for (const char* name : {"first", "second"}) {
      TestDatabase database(directory_ / name, "maintenance_interval_ms=0");
      if (!database.ok() || !fill(database)) return fail(database.message() + problem_);
    }
    TestDatabase first(directory_ / "first", options);
    TestDatabase second(directory_ / "second", options);
    if (!first.ok() || !second.ok()) return fail(first.message() + second.message());
    const int64_t before = process_figure("VmHWM");
    std::vector<std::thread> threads;
    for (size_t i = 0; i < loads().size(); ++i)
      if (only_ < 0 || only_ == static_cast<int>(i)) threads.emplace_back([&, i] { work(i % 2 == 0 ? first : second, i); });
    std::thread watch([&] { look(first); });
    std::this_thread::sleep_for(kTime);
    stop_ = true;
    for (std::thread& thread : threads) thread.join();
    watch.join();
    const int64_t peak = process_figure("VmHWM");
    std::printf("peak %lld MB (%lld before the load), held at most %lld of %lld MB; %d statements done, %d refused\n", static_cast<long long>(peak >> 20),
                static_cast<long long>(before >> 20), static_cast<long long>(held_max_ >> 20), static_cast<long long>(kBound >> 20), done_.load(), refused_.load());
    if (!problem_.empty()) return fail(problem_);
    if (refused_ == 0 && only_ < 0) return fail("the bound was never reached");
    if (done_ == 0 && only_ < 0) return fail("nothing was done within the bound");
    if (peak > kBound + kBeside) return fail(fmt::format("the process held {} bytes, {} are allowed", peak, kBound + kBeside));
    for (TestDatabase* database : {&first, &second}) {
      TestConnection connection(*database);
      if (connection.rows("SELECT count(*) FROM r WHERE x = 'first'") != "1") return fail("a row is lost: " + connection.error());
      if (connection.run("INSERT INTO r VALUES('after'); INSERT INTO p VALUES(1, 1, 1)") != BRAID_OK) return fail("a write after it: " + connection.error());
      if (const std::string damage = database->check(); !damage.empty()) return fail("check: " + damage);
    }
    return 0;
  }

 private:
  static int fail(const std::string& why) {
    std::printf("failed: %s\n", why.c_str());
    return 1;
  }

  bool fill(TestDatabase& database) {
    TestConnection connection(database);
    for (const char* sql :
         {"CREATE TABLE r(x); INSERT INTO r VALUES('first'); CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, d INTEGER TAG, v REAL)",
          "INSERT INTO graph_nodes(labels) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT '[\"N\"]' FROM n",
          "INSERT INTO p SELECT i * 1000000, i % 100, i FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n)"}) {
      if (connection.run(sql) == BRAID_OK) continue;
      problem_ = connection.error();
      return false;
    }
    for (int part = 0; part < 15; ++part) {
      if (connection.run(fmt::format("INSERT INTO graph_edges(src, type, dst) SELECT 1 + (i * 7919) % 100000, 'T', 1 + (i * 104729 + {}) % 100000 FROM (WITH RECURSIVE "
                                     "n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n)",
                                     part * 31337)) == BRAID_OK)
        continue;
      problem_ = connection.error();
      return false;
    }
    return true;
  }

  void work(TestDatabase& database, size_t number) {
    const Load& load = loads()[number];
    while (!stop_) {
      TestConnection connection(database);
      // Opening one takes memory too.
      const int32_t opened = connection.code();
      if (opened != BRAID_OK) {
        ++refused_;
        if (opened != BRAID_LIMIT && opened != BRAID_BUSY && opened != BRAID_OUT_OF_MEMORY) note(fmt::format("{}: connect: code {}", load.name, opened));
        continue;
      }
      const int32_t code = connection.run(load.sql);
      if (code == BRAID_OK || code == BRAID_INTERRUPTED) {
        ++done_;
        continue;
      }
      ++refused_;
      const std::string text = connection.error();
      const bool named = text.find("_max") != std::string::npos || text.find("value_bytes_max") != std::string::npos || text.find("too big") != std::string::npos;
      if ((code != BRAID_LIMIT && code != BRAID_BUSY) || !named) note(fmt::format("{}: code {}: {}", load.name, code, text));
    }
  }

  void look(TestDatabase& database) {
    while (!stop_) {
      held_max_ = std::max(held_max_, database.figure("memory_held"));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  void note(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (problem_.size() < 3000) problem_ += why + "\n";
  }

  const int only_;
  TempDir directory_;
  std::atomic<bool> stop_{false};
  std::atomic<int> done_{0}, refused_{0};
  int64_t held_max_ = 0;  // of the watching thread
  std::mutex mutex_;
  std::string problem_;
};

}  // namespace

int main(int count, char** arguments) { return Campaign(count > 1 ? std::atoi(arguments[1]) : -1).run(); }
