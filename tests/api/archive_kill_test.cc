// A process that archives while it writes is killed after some commits, again and again. Whatever it had committed, a backup of the beginning is brought
// forward to it.
//
// BRAID_KILLS=1000 for a long run; BRAID_SEED names it.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>

#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

/// Small bounds, so that the WAL is used again, the log trimmed and tails sealed between two kills.
constexpr const char* kOptions =
    "archive=on;archive_interval_ms=5;tail_bytes_max=65536;wal_soft_bytes=131072;log_soft_bytes=65536;maintenance_interval_ms=0";
constexpr const char* kRestoredOptions = "archive=off;maintenance_interval_ms=0";

/// Writes until it is killed, and tells each commit.
int write_until_killed(const std::string& directory) {
  TestDatabase database(directory, kOptions);
  if (!database.ok()) return 2;
  TestConnection connection(database);
  for (int64_t next = connection.number("SELECT coalesce(max(sequence), 0) + 1 FROM operation");; ++next) {
    if (Operations::run(connection, 0, next) != BRAID_OK) return 3;
    const int64_t committed[2] = {static_cast<int64_t>(database.figure("lsn")), next};
    if (write(STDOUT_FILENO, committed, sizeof committed) != sizeof committed) return 4;
  }
}

/// Once so many commits are answered. What was, by LSN: its highest operation. False when the child ended by itself.
bool kill_a_child(const std::string& directory, uint64_t commits, std::map<uint64_t, int64_t>& answered) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t pid = fork();
  if (pid < 0) std::abort();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    execl("/proc/self/exe", "archive_kill_test", directory.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  int64_t committed[2];
  for (uint64_t seen = 1; read(ends[0], committed, sizeof committed) == sizeof committed; ++seen) {
    answered[static_cast<uint64_t>(committed[0])] = committed[1];
    if (seen == commits) kill(pid, SIGKILL);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  close(ends[0]);
  return WIFSIGNALED(status);
}

/// "" when the backup, brought forward to the commit, has all operations up to `sequence`, and none after it.
std::string difference(const TempDir& temp, uint64_t lsn, int64_t sequence) {
  braid_restore_options options{};
  options.size_bytes = sizeof options;
  options.open_options = kRestoredOptions;
  options.to_lsn = lsn;
  braid_database* handle = nullptr;
  const int32_t code = braid_restore((temp / "backup").c_str(), (temp / "copy").c_str(), &options, nullptr, nullptr, &handle);
  std::string problems;
  {
    TestDatabase copy(handle, code);
    if (!copy.ok()) return copy.message();
    TestConnection connection(copy);
    const auto found = Operations::verify(connection, {}, problems);
    if (static_cast<int64_t>(found.size()) != sequence) problems += fmt::format("{} operations, expected {}\n", found.size(), sequence);
  }
  std::filesystem::remove_all(temp / "copy");
  return problems;
}

int parent() {
  const char* const chosen_kills = std::getenv("BRAID_KILLS");
  const char* const chosen_seed = std::getenv("BRAID_SEED");
  const int kills = chosen_kills == nullptr ? 8 : std::atoi(chosen_kills);
  const auto seed = chosen_seed == nullptr ? std::random_device()() : static_cast<uint32_t>(std::atoi(chosen_seed));
  fmt::print("BRAID_SEED={} BRAID_KILLS={}\n", seed, kills);
  std::mt19937 random(seed);
  const TempDir temp;
  {
    TestDatabase database(temp / "db", kOptions);
    TestConnection connection(database);
    if (Operations::create(connection, 1) != BRAID_OK) return 1;
    if (braid_backup(database.get(), (temp / "backup").c_str(), nullptr, nullptr, nullptr, nullptr) != BRAID_OK) return 1;
  }
  std::map<uint64_t, int64_t> answered;
  for (int i = 0; i < kills; ++i) {
    if (kill_a_child(temp / "db", 1 + random() % 150, answered)) continue;
    fmt::print("kill {}: the child ended by itself\n", i);
    return 1;
  }
  // What the last kill left out is archived by the next opening.
  {
    const TestDatabase database(temp / "db", kOptions);
    if (!database.ok()) return fmt::print("open: {}\n", database.message()), 1;
  }
  for (int i = 0; i < 6; ++i) {
    // The last one first, then any.
    auto at = std::prev(answered.end());
    if (i > 0) at = std::next(answered.begin(), static_cast<long>(random() % answered.size()));
    const std::string problems = difference(temp, at->first, at->second);
    if (problems.empty()) continue;
    fmt::print("commit {}: {}\n", at->first, problems.substr(0, 4000));
    return 1;
  }
  fmt::print("{} kills, {} commits: all of those asked for were restored\n", kills, answered.size());
  return 0;
}

}  // namespace

int main(int count, char** arguments) { return count == 2 ? write_until_killed(arguments[1]) : parent(); }
