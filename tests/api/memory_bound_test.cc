// memory_bytes_max held under load: connections that sort, walk, project, roll up, stage and append at once, in two databases of one process. The
// databases are filled by another process, so that the kernel's peak (VmHWM), less what the program held before it opened them, is that of the load.
//
// Arguments: seconds (4 unless given), one load alone by its number, "trace" for what the allocator holds.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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
constexpr std::chrono::seconds kPatience(60);

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

/// Under a sanitizer the process holds what that needs.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsMeasured = false;
#else
constexpr bool kIsMeasured = true;
#endif

class Campaign {
 public:
  struct Settings {
    int seconds = 4;
    int only = -1;  ///< one load, by its number; else all together
    bool trace = false;
  };
  explicit Campaign(Settings settings) : settings_(settings) {}

  int run() {
    if (!fill_elsewhere()) return fail("the databases cannot be filled");
    const int64_t before = process_figure("VmHWM");
    const std::string options = fmt::format("memory_bytes_max={};busy_timeout_ms=60000;statement_time_max_ms={};maintenance_interval_ms=0;graph_buffer_bytes=4194304",
                                            kBound, settings_.seconds * 500);
    TestDatabase first(directory_ / "first", options);
    TestDatabase second(directory_ / "second", options);
    if (!first.ok() || !second.ok()) return fail(first.message() + second.message());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < loads().size(); ++i)
      if (settings_.only < 0 || settings_.only == static_cast<int>(i)) threads.emplace_back([&, i] { work(i % 2 == 0 ? first : second, i); });
    std::thread watch([&] { look(first, before); });
    wait();
    stop_ = true;
    for (std::thread& thread : threads) thread.join();
    watch.join();
    const int64_t peak = process_figure("VmHWM") - before;
    std::printf("the databases took at most %.1f MB, beside %.1f before they were opened; counted at most %.1f of %.0f MB; %d statements done, %d refused\n", megabytes(peak),
                megabytes(before), megabytes(held_max_), megabytes(kBound), done_.load(), refused_.load());
    std::printf("when it was seen to take most: %s\n", at_most_.c_str());
    if (!problem_.empty()) return fail(problem_);
    if (refused_ == 0 && settings_.only < 0) return fail("the bound was never reached");
    if (done_ == 0 && settings_.only < 0) return fail("nothing was done within the bound");
    if (kIsMeasured && peak > kBound) return fail(fmt::format("the process held {} bytes more than before, {} are allowed", peak, kBound));
    for (TestDatabase* database : {&first, &second}) {
      TestConnection connection(*database);
      if (connection.rows("SELECT count(*) FROM r WHERE x = 'first'") != "1") return fail("a row is lost: " + connection.error());
      if (connection.run("INSERT INTO r VALUES('after'); INSERT INTO p VALUES(1, 1, 1)") != BRAID_OK) return fail("a write after it: " + connection.error());
      if (const std::string damage = database->check(); !damage.empty()) return fail("check: " + damage);
    }
    return 0;
  }

 private:
  static double megabytes(int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }
  static int fail(const std::string& why) {
    std::printf("failed: %s\n", why.c_str());
    return 1;
  }

  /// On a busy machine until the bound was reached, if that takes longer.
  void wait() const {
    const auto start = std::chrono::steady_clock::now();
    const auto passed = [&] { return std::chrono::steady_clock::now() - start; };
    while (passed() < std::chrono::seconds(settings_.seconds) || (settings_.only < 0 && (refused_ == 0 || done_ == 0) && passed() < kPatience))
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }

  /// This process has no threads yet.
  bool fill_elsewhere() {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) _exit(fill_both() ? 0 : 1);
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  bool fill_both() {
    for (const char* name : {"first", "second"}) {
      TestDatabase database(directory_ / name, "maintenance_interval_ms=0");
      if (database.ok() && fill(database)) continue;
      fail(database.message() + problem_);
      std::fflush(stdout);
      return false;
    }
    return true;
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

  void look(TestDatabase& database, int64_t before) {
    int64_t most = 0;
    int64_t shown = 0;
    while (!stop_) {
      const int64_t counted = database.figure("memory_held");
      held_max_ = std::max(held_max_, counted);
      const int64_t now = process_figure("VmRSS") - before;
      if (now > most) {
        most = now;
        const struct mallinfo2 heap = mallinfo2();
        at_most_ = fmt::format("process {:.1f} (files {:.1f}) counted {:.1f} (sqlite {:.1f}); malloc: arenas {:.1f} (free {:.1f}, at the top {:.1f}) mapped {:.1f}",
                               megabytes(now), megabytes(process_figure("RssFile") + process_figure("RssShmem")), megabytes(counted),
                               megabytes(database.figure("memory_sqlite")), megabytes(static_cast<int64_t>(heap.arena)),
                               megabytes(static_cast<int64_t>(heap.fordblks)), megabytes(static_cast<int64_t>(heap.keepcost)),
                               megabytes(static_cast<int64_t>(heap.hblkhd)));
        if (settings_.trace && now > shown) {
          shown = now + (int64_t{4} << 20);
          std::printf("%s\n", at_most_.c_str());
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(settings_.trace ? 2 : 20));
    }
  }

  void note(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (problem_.size() < 3000) problem_ += why + "\n";
  }

  const Settings settings_;
  TempDir directory_;
  std::atomic<bool> stop_{false};
  std::atomic<int> done_{0}, refused_{0};
  int64_t held_max_ = 0;  // of the watching thread, as what follows
  std::string at_most_;
  std::mutex mutex_;
  std::string problem_;
};

}  // namespace

int main(int count, char** arguments) {
  Campaign::Settings settings;
  if (count > 1) settings.seconds = std::atoi(arguments[1]);
  for (int i = 2; i < count; ++i) {
    if (std::strcmp(arguments[i], "trace") == 0)
      settings.trace = true;
    else
      settings.only = std::atoi(arguments[i]);
  }
  return Campaign(settings).run();
}
