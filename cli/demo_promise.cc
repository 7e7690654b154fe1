#include "cli/demo_promise.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <random>

#include "cli/demo_query.h"

extern char** environ;

namespace braid::cli::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 3;
constexpr int kFirstCommitMsMax = 10'000;
constexpr int kLifeMsMin = 150;
constexpr int kLifeMsMax = 450;

int64_t milliseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

// Random enough from the clock: the moment only has to differ from round to round.
int64_t random_life_ms() {
  std::minstd_rand random(static_cast<unsigned>(Clock::now().time_since_epoch().count()));
  return std::uniform_int_distribution(kLifeMsMin, kLifeMsMax)(random);
}

Failure system_failure(std::string_view what) {
  return Failure{fmt::format("{}: {}", what, std::strerror(errno))};
}

// The writer process and the pipe on which it acknowledges. Killed and waited for, whatever
// happens.
class WriterProcess {
 public:
  WriterProcess() = default;
  WriterProcess(const WriterProcess&) = delete;
  WriterProcess& operator=(const WriterProcess&) = delete;
  ~WriterProcess() {
    (void)kill_and_wait();
    if (pipe_ >= 0) ::close(pipe_);
  }

  Done start(const std::string& directory);
  // Reads acknowledgements until `limit_ms` have passed, or until the first one when `only_first`.
  // False at the end.
  bool read_for(int64_t limit_ms, bool only_first);
  // The last number acknowledged, 0 when there was none.
  int64_t acknowledged() const { return acknowledged_; }
  // True when it was the signal that ended the writer.
  bool kill_and_wait();

 private:
  void take(std::string_view bytes);

  pid_t pid_ = -1;
  int pipe_ = -1;
  int64_t acknowledged_ = 0;
  std::string line_;
};

Done WriterProcess::start(const std::string& directory) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe");
  pipe_ = ends[0];
  std::array<std::string, 3> words = {"braid", "demo-writer", directory};
  std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const int failed =
      posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed == 0) return {};
  pid_ = -1;
  return Failure{fmt::format("cannot start the writer process: {}", std::strerror(failed))};
}

void WriterProcess::take(std::string_view bytes) {
  for (char byte : bytes) {
    if (byte != '\n') {
      line_ += byte;
      continue;
    }
    std::from_chars(line_.data(), line_.data() + line_.size(), acknowledged_);
    line_.clear();
  }
}

bool WriterProcess::read_for(int64_t limit_ms, bool only_first) {
  const auto start = Clock::now();
  for (int64_t passed = 0; passed < limit_ms; passed = milliseconds_since(start)) {
    pollfd ready{.fd = pipe_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, static_cast<int>(limit_ms - passed)) <= 0) continue;
    std::array<char, 4096> bytes{};
    const ssize_t count = read(pipe_, bytes.data(), bytes.size());
    if (count == 0) return false;
    if (count > 0) take({bytes.data(), static_cast<size_t>(count)});
    if (only_first && acknowledged_ > 0) return true;
  }
  return true;
}

bool WriterProcess::kill_and_wait() {
  if (pid_ < 0) return false;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// What one round found, in commits.
struct Round {
  int64_t life_ms = 0;
  int64_t acknowledged = 0;
  int64_t row = 0;
  int64_t edges = 0;
  int64_t points = 0;
  int64_t reopen_ms = 0;

  // Nothing acknowledged is lost, nothing is there in part, and at most the commit that was under
  // way is there besides.
  bool holds() const {
    return row >= acknowledged && row <= acknowledged + 1 && edges == row &&
           points == row * kPromisePoints;
  }
};

Done kill_writer(const std::string& directory, Round* round) {
  WriterProcess writer;
  CLI_TRY(writer.start(directory));
  if (!writer.read_for(kFirstCommitMsMax, true) || writer.acknowledged() == 0) {
    return Failure{"the writer process committed nothing"};
  }
  round->life_ms = random_life_ms();
  const bool alive = writer.read_for(round->life_ms, false);
  if (!writer.kill_and_wait() || !alive) return Failure{"the writer process ended by itself"};
  // What it acknowledged before the kill may still be in the pipe, which then ends.
  (void)writer.read_for(kFirstCommitMsMax, false);
  round->acknowledged = writer.acknowledged();
  return {};
}

Done count_commits(const std::string& directory, Round* round) {
  const auto start = Clock::now();
  Outcome<Session> session = Session::open({.directory = directory, .must_exist = true});
  if (!session.ok()) return session.failure();
  round->reopen_ms = milliseconds_since(start);
  CLI_TRY(query_int64(*session, "SELECT number FROM promise WHERE name = 'left'", &round->row));
  CLI_TRY(query_int64(
      *session,
      "SELECT count(*) FROM graph_neighbors(graph_node('Promise', 'name', 'left'), 'out', 'WROTE')",
      &round->edges));
  CLI_TRY(query_int64(*session, "SELECT count(*) FROM promise_points", &round->points));
  return check_everything(*session);
}

void add_row(int number, const Round& round, Table* table) {
  table->rows.push_back({fmt::format("{}", number), fmt::format("{} ms", round.life_ms),
                         fmt::format("{}", round.acknowledged), fmt::format("{}", round.row),
                         fmt::format("{}", round.edges), fmt::format("{}", round.points),
                         fmt::format("{} ms", round.reopen_ms),
                         round.holds() ? "agree" : "DO NOT AGREE"});
}

}  // namespace

Done create_promise(const Session& session) {
  return execute(session,
                 "CREATE TABLE promise (name TEXT PRIMARY KEY, number INTEGER);"
                 "SELECT graph_bind('Promise', 'promise', 'name');"
                 "INSERT INTO promise VALUES ('left', 0), ('right', 0);"
                 "CREATE VIRTUAL TABLE promise_points USING hypertable(time TIMESTAMP, "
                 "source TEXT TAG, number INTEGER);");
}

Done show_promise(const std::string& directory, Page* page) {
  Table table{.names = {"round", "killed after", "acknowledged", "row says", "edges", "points",
                        "reopened in", "models"},
              .numeric = {true, true, true, true, true, true, true, false}};
  bool holds = true;
  for (int number = 1; number <= kRounds; ++number) {
    Round round;
    CLI_TRY(kill_writer(directory, &round));
    CLI_TRY(count_commits(directory, &round));
    add_row(number, round, &table);
    holds = holds && round.holds();
  }
  page->table(table);
  if (holds) return {};
  return Failure{"rows, edges and points do not agree after a kill; this is a bug in Braid"};
}

}  // namespace braid::cli::demo
