// A process that makes a backup while it writes, or restores one, is killed at a random moment. What it leaves is whole, or refused and made again.
//
// BRAID_KILLS=1000 for a long run; BRAID_SEED names it.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "engine/copy_mark.h"
#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr const char* kOptions = "tail_bytes_max=65536;wal_soft_bytes=262144;log_soft_bytes=65536;maintenance_interval_ms=0";
constexpr int kOperationsAtFirst = 300;

struct Places {
  std::string database, backup, restored;
};

int32_t restore(const Places& places, std::string& message) {
  braid_restore_options options{};
  options.size_bytes = sizeof options;
  options.open_options = kOptions;
  braid_database* handle = nullptr;
  const int32_t code = braid_restore(places.backup.c_str(), places.restored.c_str(), &options, nullptr, nullptr, &handle);
  message = braid_database_error(handle);
  braid_close(handle);
  return code;
}

void say_ready() { [[maybe_unused]] const ssize_t written = write(STDOUT_FILENO, "r", 1); }

/// Makes backups of a database that it writes until it is killed.
int back_up_until_killed(const Places& places) {
  TestDatabase database(places.database, kOptions);
  if (!database.ok()) return 2;
  std::thread writer([&] {
    TestConnection connection(database);
    int64_t next = connection.number("SELECT max(sequence) + 1 FROM operation");
    for (;; ++next)
      if (Operations::run(connection, 0, next) != BRAID_OK) _exit(3);
  });
  say_ready();
  const int32_t code = braid_backup(database.get(), places.backup.c_str(), nullptr, nullptr, nullptr, nullptr);
  if (code != BRAID_OK) fmt::print(stderr, "backup: {} {}\n", code, braid_database_error(database.get()));
  if (code != BRAID_OK) _exit(4);
  for (;;) pause();
}

int restore_until_killed(const Places& places) {
  say_ready();
  std::string message;
  if (const int32_t code = restore(places, message); code != BRAID_OK) {
    fmt::print(stderr, "restore: {} {}\n", code, message);
    return 5;
  }
  for (;;) pause();
}

/// False when the child ended by itself.
bool kill_a_child(const char* mode, const Places& places, std::chrono::microseconds delay) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t pid = fork();
  if (pid < 0) std::abort();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "backup_kill_test", mode, places.database.c_str(), places.backup.c_str(), places.restored.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  char ready = 0;
  const bool started = read(ends[0], &ready, 1) == 1;
  std::this_thread::sleep_for(delay);
  kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  close(ends[0]);
  return started && WIFSIGNALED(status);
}

std::string verify(TestDatabase& database) {
  TestConnection connection(database);
  std::string problems;
  const auto found = Operations::verify(connection, {}, problems);
  if (found.size() < kOperationsAtFirst) problems += "operations are lost\n";
  return problems + database.check();
}

/// "" when what is there is whole, or refused.
std::string look(const std::string& path, int& whole) {
  Env env;
  const bool unfinished = is_unfinished(env, path);
  if (!unfinished && !read_format(env, path).ok()) {
    // Nothing has begun: only the lock and the draft of the mark may be there.
    const auto names = env.list(path);
    if (names.ok())
      for (const std::string& name : *names)
        if (name != "LOCK" && name != "COPYING.new") return fmt::format("{} is there without FORMAT\n", name);
    return "";
  }
  TestDatabase database(path, kOptions);
  if (unfinished)
    return database.code() == BRAID_INVALID_ARGUMENT ? "" : fmt::format("an unfinished copy is opened: {} {}\n", database.code(), database.message());
  if (!database.ok()) return fmt::format("open: {} {}\n", database.code(), database.message());
  ++whole;
  return verify(database);
}

/// Makes again what the kill left, in place.
std::string make_again(const char* mode, const Places& places) {
  Env env;
  if (std::strcmp(mode, "--backup") == 0) {
    TestDatabase database(places.database, kOptions);
    if (!database.ok()) return "open the source: " + database.message();
    if (!is_unfinished(env, places.backup)) env.remove_tree(places.backup).ignore();
    if (braid_backup(database.get(), places.backup.c_str(), nullptr, nullptr, nullptr, nullptr) != BRAID_OK)
      return std::string("backup again: ") + braid_database_error(database.get());
  }
  if (!is_unfinished(env, places.restored)) env.remove_tree(places.restored).ignore();
  std::string message;
  const int32_t code = restore(places, message);
  if (code != BRAID_OK) return fmt::format("restore again: {} {}\n", code, message);
  TestDatabase database(places.restored, kOptions);
  const std::string problems = database.ok() ? verify(database) : database.message();
  database.close();
  env.remove_tree(places.restored).ignore();
  return problems;
}

int parent() {
  const char* const chosen_kills = std::getenv("BRAID_KILLS");
  const char* const chosen_seed = std::getenv("BRAID_SEED");
  const int kills = chosen_kills == nullptr ? 16 : std::atoi(chosen_kills);
  const auto seed = chosen_seed == nullptr ? std::random_device()() : static_cast<uint32_t>(std::atoi(chosen_seed));
  fmt::print("BRAID_SEED={} BRAID_KILLS={}\n", seed, kills);
  std::mt19937 random(seed);
  const TempDir temp;
  const Places places{temp / "db", temp / "backup", temp / "restored"};
  {
    TestDatabase database(places.database, kOptions);
    TestConnection connection(database);
    if (Operations::create(connection, 1) != BRAID_OK) return 1;
    for (int i = 1; i <= kOperationsAtFirst; ++i)
      if (Operations::run(connection, 0, i) != BRAID_OK) return 1;
  }
  int whole = 0;
  for (int i = 0; i < kills; ++i) {
    const char* const mode = i % 2 == 0 ? "--backup" : "--restore";
    Env env;
    if (i % 2 == 0) env.remove_tree(places.backup).ignore();
    const bool alive = kill_a_child(mode, places, std::chrono::microseconds(random() % 60'000));
    std::string problems = alive ? "" : "the child ended by itself\n";
    problems += look(mode[2] == 'b' ? places.backup : places.restored, whole);
    problems += make_again(mode, places);
    if (problems.empty()) continue;
    fmt::print("kill {} of a {}: {}\n", i, mode + 2, problems.substr(0, 4000));
    return 1;
  }
  fmt::print("{} kills: {} copies were whole, the others refused and made again\n", kills, whole);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return parent();
  const Places places{arguments[2], arguments[3], arguments[4]};
  return std::strcmp(arguments[1], "--backup") == 0 ? back_up_until_killed(places) : restore_until_killed(places);
}
