// Eight processes write all three models at once through the socket of another, and one of them, or that other, is killed at a random moment, again
// and again. What was acknowledged is there, each operation is in all three models or in none, and a check finds nothing.
//
// BRAID_KILLS: how many kills (12). BRAID_SEED: the seed that the run prints.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <vector>

#include "tests/support/operations.h"
#include "tests/support/served.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int kWriters = 8;
constexpr const char* kOptions = "busy_timeout_ms=60000;tail_bytes_max=65536;wal_soft_bytes=262144;log_soft_bytes=131072";

/// What the writers, which are processes, tell.
struct Told {
  std::atomic<int64_t> acknowledged[kWriters];  // the newest operation of each
  std::atomic<int64_t> all;
};

bool is_end_of_host(int32_t code) { return code == BRAID_IO || code == BRAID_UNKNOWN_OUTCOME; }

/// The code of the process that writes.
int write_until_the_host_ends(const std::string& path, int writer, Told& told) {
  TestDatabase database(path, "remote=only");
  if (!database.ok()) return 0;
  TestConnection connection(database);
  int64_t next = connection.number(fmt::format("SELECT coalesce(max(sequence), 0) + 1 FROM operation WHERE writer = {}", writer));
  if (next < 1) return 0;
  for (;; ++next) {
    std::string why;
    const int32_t code = Operations::run(connection, writer, next, &why);
    if (is_end_of_host(code)) return 0;
    if (code != BRAID_OK) {
      fmt::print(stderr, "writer {}, operation {}: {} {}\n", writer, next, code, why);
      return 1;
    }
    told.acknowledged[writer].store(next);
    ++told.all;
  }
}

pid_t start_writer(const std::string& path, int writer, Told& told) {
  const pid_t pid = fork();
  if (pid < 0) std::abort();
  if (pid == 0) _exit(write_until_the_host_ends(path, writer, told));
  return pid;
}

bool prepare(TestDatabase& database) {
  TestConnection connection(database);
  return Operations::exists(connection) || Operations::create(connection, kWriters) == BRAID_OK;
}

/// What is wrong with what is there, read at the host's end by a process of its own.
bool is_sound(const std::string& path, const Told& told) {
  OtherProcess reader([&] {
    TestDatabase database(path);
    if (!database.ok()) {
      fmt::print(stderr, "open: {}\n", database.message());
      return false;
    }
    Operations::Set acknowledged;
    for (int writer = 0; writer < kWriters; ++writer)
      for (int64_t i = 1; i <= told.acknowledged[writer].load(); ++i) acknowledged.emplace(writer, i);
    std::string problems = database.check();
    TestConnection connection(database);
    Operations::verify(connection, acknowledged, problems);
    if (!problems.empty()) fmt::print(stderr, "{}\n", problems);
    return problems.empty();
  });
  return reader.succeeded();
}

bool ended_well(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) return false;
  return WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL;
}

/// Lets eight processes write until `operations` more are acknowledged, kills some of them meanwhile, and at last the host or not.
bool run(const std::string& path, Told& told, std::mt19937& random, int kills) {
  ServingProcess host(path, kOptions, prepare);
  if (!host.succeeded()) return false;
  std::vector<pid_t> writers;
  for (int i = 0; i < kWriters; ++i) writers.push_back(start_writer(path, i, told));
  bool good = true;
  for (int i = 0; i < kills; ++i) {
    const int64_t wanted = told.all.load() + 10 + static_cast<int64_t>(random() % 30);
    for (int waits = 0; told.all.load() < wanted && waits < 30'000; ++waits) usleep(1000);
    good &= told.all.load() >= wanted;
    const int victim = static_cast<int>(random() % kWriters);
    usleep(random() % 2000);
    kill(writers[static_cast<size_t>(victim)], SIGKILL);
    good &= ended_well(writers[static_cast<size_t>(victim)]);
    writers[static_cast<size_t>(victim)] = start_writer(path, victim, told);
  }
  if (random() % 2 == 0) kill(host.pid(), SIGKILL);
  host.release();
  for (const pid_t writer : writers) good &= ended_well(writer);
  return good && is_sound(path, told);
}

}  // namespace

int main() {
  const char* kills_given = std::getenv("BRAID_KILLS");
  const char* seed_given = std::getenv("BRAID_SEED");
  const int kills = kills_given == nullptr ? 12 : std::atoi(kills_given);
  const auto seed = static_cast<uint32_t>(seed_given == nullptr ? std::random_device{}() : std::strtoul(seed_given, nullptr, 10));
  fmt::print("BRAID_SEED={}\n", seed);
  std::mt19937 random(seed);
  void* shared = mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  auto* told = new (shared) Told{};
  const TempDir temp(memory_directory());
  int done = 0;
  for (int killed = 0; killed < kills; killed += 3) {
    if (!run(temp / "db", *told, random, 3)) {
      fmt::print("FAIL after {} kills\n", killed);
      return 1;
    }
    ++done;
  }
  fmt::print("{} hosts, {} operations acknowledged by {} processes at once\n", done, told->all.load(), kWriters);
  return 0;
}
