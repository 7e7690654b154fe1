// Kills a process that writes and reads, again and again, and looks at what is left. Every operation changes a row, adds an edge and appends
// points; after each kill, what was acknowledged is there, and each operation is in all three models or in none; and so it is in each snapshot that
// the process reads meanwhile. Each second child makes relaxed commits only, which it never syncs: a kill takes none of them either.
//
// kill_campaign [COUNT (25)] [--from N] [--seed N]
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/campaign_progress.h"
#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int kWriters = 4, kReaders = 2;
constexpr int kKillsPerDatabase = 20;
constexpr auto kChildSecondsMax = std::chrono::seconds(60);
// Small bounds, so that background checkpoints and copies of the WAL are killed too.
constexpr const char* kOptions =
    "busy_timeout_ms=60000;tail_bytes_max=65536;wal_soft_bytes=262144;log_soft_bytes=131072";

struct Acknowledgement {
  int32_t writer;
  int32_t unused;
  int64_t sequence;
};

/// Writes of at most PIPE_BUF bytes never mix.
void acknowledge(int pipe, int writer, int64_t sequence) {
  const Acknowledgement one{writer, 0, sequence};
  if (write(pipe, &one, sizeof one) != sizeof one) _exit(3);
}

int32_t run_with_savepoint(TestConnection& connection, int writer, int64_t sequence) {
  // What is undone to the savepoint must not show, and what is done again after it must.
  int32_t code = braid_begin(connection.get(), BRAID_WRITE);
  if (code == BRAID_OK)
    code = connection.run("SAVEPOINT s;" + Operations::all_sql(writer, sequence) +
                          "ROLLBACK TO s; RELEASE s;");
  if (code == BRAID_OK) code = connection.run(Operations::all_sql(writer, sequence));
  return code == BRAID_OK ? braid_commit(connection.get()) : code;
}

int32_t run_batch(TestDatabase& database, int writer, int64_t sequence) {
  TestBatch batch(database);
  for (const std::string& sql :
       {Operations::row_sql(writer, sequence), Operations::total_sql(writer),
        Operations::edge_sql(writer, sequence), Operations::points_sql(writer, sequence)})
    if (const int32_t code = batch.execute(sql)) return code;
  return batch.commit();
}

void write_until_killed(TestDatabase& database, int writer, uint32_t seed, int pipe) {
  std::mt19937 random(seed);
  TestConnection connection(database);
  int64_t next = connection.number(fmt::format(
      "SELECT coalesce(max(sequence), 0) + 1 FROM operation WHERE writer = {}", writer));
  for (;; ++next) {
    const auto dice = random() % 100;
    int32_t code = BRAID_OK;
    if (dice < 60)
      code = run_batch(database, writer, next);
    else if (dice < 80)
      code = Operations::run(connection, writer, next);
    else if (dice < 95)
      code = run_with_savepoint(connection, writer, next);
    else if (dice < 98) {
      // A transaction that is given up leaves nothing.
      connection.run("BEGIN IMMEDIATE;" + Operations::all_sql(writer, next) + "ROLLBACK;");
      code = run_batch(database, writer, next);
    } else {
      code = Operations::run(connection, writer, next);
      if (code == BRAID_OK) acknowledge(pipe, writer, next);
      if (code == BRAID_OK) code = braid_checkpoint(database.get());
    }
    if (code != BRAID_OK) {
      fmt::print(stderr, "writer {}, operation {}: {} {} {}\n", writer, next, code,
                 connection.error(), braid_database_error(database.get()));
      _exit(4);
    }
    acknowledge(pipe, writer, next);
  }
}

/// Each snapshot has the same operations in all three models.
void read_until_killed(TestDatabase& database) {
  TestConnection connection(database);
  for (;; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
    if (braid_begin(connection.get(), BRAID_READ) != BRAID_OK) break;
    const int64_t operations = connection.number("SELECT count(*) FROM operation");
    const int64_t totals = connection.number("SELECT sum(operations) FROM total");
    const int64_t edges = connection.number("SELECT count(*) FROM graph_edges");
    const int64_t points = connection.number("SELECT count(*) FROM point");
    if (braid_commit(connection.get()) != BRAID_OK) break;
    if (operations >= 0 && totals == operations && edges == operations && points == Operations::kPoints * operations) continue;
    fmt::print(stderr, "a snapshot has {} operations, {} in the totals, {} edges and {} points\n", operations, totals, edges, points);
    _exit(7);
  }
  fmt::print(stderr, "a reader: {}\n", connection.error());
  _exit(8);
}

int child(const std::string& path, uint32_t seed, int pipe) {
  const std::string relaxed = ";durability=relaxed;sync_interval_ms=3600000";
  TestDatabase database(path, kOptions + (seed % 2 == 0 ? relaxed : ""));
  if (!database.ok()) {
    fmt::print(stderr, "open: {} {}\n", database.code(), database.message());
    return 5;
  }
  {
    TestConnection connection(database);
    if (!Operations::exists(connection) && Operations::create(connection, kWriters) != BRAID_OK) {
      fmt::print(stderr, "create: {}\n", connection.error());
      return 6;
    }
  }
  acknowledge(pipe, -1, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i)
    threads.emplace_back(
        [&, i] { write_until_killed(database, i, seed * 31 + static_cast<uint32_t>(i), pipe); });
  for (int i = 0; i < kReaders; ++i) threads.emplace_back([&] { read_until_killed(database); });
  for (std::thread& thread : threads) thread.join();
  return 0;
}

struct Run {
  Operations::Set acknowledged;
  bool failed = false;
  bool written = false;  ///< the child came as far as writing
};

/// Starts a child, kills it after a random time, and returns what it had acknowledged.
Run kill_a_child(const std::string& path, std::mt19937& random) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  // Once it is open, or at any moment from the start: recovery is killed too.
  const bool from_start = random() % 4 == 0;
  const auto delay = std::chrono::microseconds(random() % (from_start ? 60'000 : random() % 2 == 0 ? 15'000 : 150'000));
  const std::string seed = std::to_string(random());
  const std::string descriptor = std::to_string(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) std::abort();
  if (pid == 0) {
    close(ends[0]);
    // A new program: threads of libraries do not live through a fork.
    const char* const program = "/proc/self/exe";
    execl(program, program, "--child", path.c_str(), seed.c_str(), descriptor.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);

  Run run;
  std::string bytes;
  bool ended = false;
  const auto start = std::chrono::steady_clock::now();
  auto deadline = from_start ? start + delay : start + kChildSecondsMax;
  const auto drain = [&](int wait_ms) {
    pollfd one{ends[0], POLLIN, 0};
    if (poll(&one, 1, wait_ms) <= 0) return;
    char buffer[4096];
    const ssize_t size = read(ends[0], buffer, sizeof buffer);
    if (size <= 0)
      ended = true;
    else
      bytes.append(buffer, static_cast<size_t>(size));
  };
  while (!ended && std::chrono::steady_clock::now() < deadline) {
    drain(1);
    if (!run.written && !bytes.empty()) {
      run.written = true;
      if (!from_start) deadline = std::chrono::steady_clock::now() + delay;
    }
  }
  run.failed = ended;  // by itself: it only ends when something is wrong
  kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  while (!ended) drain(1000);
  close(ends[0]);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) run.failed = true;
  for (size_t at = 0; at + sizeof(Acknowledgement) <= bytes.size(); at += sizeof(Acknowledgement)) {
    Acknowledgement one;
    std::memcpy(&one, bytes.data() + at, sizeof one);
    if (one.writer >= 0) run.acknowledged.insert({one.writer, one.sequence});
  }
  return run;
}

struct Totals {
  int kills = 0;
  int writing = 0;
  int databases = 0;
  int64_t acknowledged = 0;
  int64_t unacknowledged = 0;
  int64_t replayed = 0;
};

/// Opens what the kill left and says what is wrong with it.
std::string verify(const std::string& path, size_t kills_since, Operations::Set& acknowledged,
                   Totals& totals) {
  TestDatabase database(path, kOptions);
  if (!database.ok()) return fmt::format("open: {} {}\n", database.code(), database.message());
  totals.replayed += database.figure("replayed_at_open");
  TestConnection connection(database);
  if (!Operations::exists(connection)) return acknowledged.empty() ? "" : "the tables are lost\n";
  std::string problems;
  const Operations::Set found = Operations::verify(connection, acknowledged, problems);
  totals.unacknowledged += static_cast<int64_t>(found.size() - acknowledged.size());
  // Who is killed between COMMIT and its answer: one operation of each writer.
  if (found.size() > acknowledged.size() + kWriters * kills_since)
    problems += "more operations are there than were running\n";
  problems += database.check();
  acknowledged = found;
  return problems;
}

struct Wish {
  int count = 25;
  int from = 0;
  uint32_t seed = std::random_device()();
};

int parent(const Wish& wish) {
  fmt::print("{} kills, --seed {}\n", wish.count, wish.seed);
  std::fflush(stdout);
  CampaignProgress progress;
  std::mt19937 random;
  Totals totals;
  std::unique_ptr<TempDir> directory;
  Operations::Set acknowledged;
  size_t kills_since = 0;
  for (int kill = wish.from / kKillsPerDatabase * kKillsPerDatabase; kill < wish.count; ++kill) {
    if (kill % kKillsPerDatabase == 0) {
      random.seed(wish.seed + static_cast<uint32_t>(kill / kKillsPerDatabase));
      directory = std::make_unique<TempDir>();
      acknowledged.clear();
      ++totals.databases;
    }
    const std::string path = *directory / "db";
    const Run run = kill_a_child(path, random);
    ++totals.kills;
    totals.writing += run.written ? 1 : 0;
    totals.acknowledged += static_cast<int64_t>(run.acknowledged.size());
    acknowledged.insert(run.acknowledged.begin(), run.acknowledged.end());
    ++kills_since;
    // Sometimes the next child recovers what this one left, and is killed itself.
    const bool look = run.failed || random() % 4 != 0 || kill + 1 == wish.count || (kill + 1) % kKillsPerDatabase == 0;
    std::string problems = look ? verify(path, kills_since, acknowledged, totals) : "";
    if (look) kills_since = 0;
    if (run.failed) problems += "the child ended by itself\n";
    if (!problems.empty()) return fmt::print("kill {}: {}\n", kill, problems.substr(0, 4000)), 1;
    progress.reached(static_cast<uint64_t>(kill) + 1);
  }
  fmt::print("{} kills ({} while writing) of {} databases, --seed {}: {} operations acknowledged, all there; {} more were committed but not yet acknowledged; "
             "{} commits replayed; rows, edges and points agree; {:.0f} s\n",
             totals.kills, totals.writing, totals.databases, wish.seed, totals.acknowledged, totals.unacknowledged, totals.replayed, progress.seconds());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 5 && std::strcmp(arguments[1], "--child") == 0)
    return child(arguments[2], static_cast<uint32_t>(std::strtoul(arguments[3], nullptr, 10)), std::atoi(arguments[4]));
  CLI::App app{"Kills a process that writes and reads, and looks at what is left."};
  Wish wish;
  app.add_option("COUNT", wish.count, "kills")->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--from", wish.from, "of the database that this one is in")->check(CLI::Range(0, 1'000'000'000));
  app.add_option("--seed", wish.seed);
  CLI11_PARSE(app, count, arguments);
  return parent(wish);
}
