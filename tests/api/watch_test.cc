// Calls that make their handle, and others that were long in one piece: they are stopped by a token and a time limit, tell how far they are, and leave
// nothing half done.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/long_call.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int kCommits = 60;
constexpr int kNodesPerCommit = 3000;
constexpr const char* kKeepsLog = "log_soft_bytes=1073741824;maintenance_interval_ms=0;durability=relaxed";

/// Follows a call: what it was told, and what it does the first time.
struct Follower {
  std::vector<double> fractions;
  std::function<void()> first = [] {};
  int32_t answer = 0;

  static int32_t tell(void* self, double fraction) {
    auto& follower = *static_cast<Follower*>(self);
    follower.fractions.push_back(fraction);
    if (follower.fractions.size() == 1) follower.first();
    return follower.answer;
  }
};

/// Another thread sets the token once the call is on its way.
std::function<void()> set_by_another(const Token& token) {
  return [&token] { std::thread([&token] { braid_cancel_set(token.handle); }).join(); };
}

braid_watch watch_of(Follower* follower, const Token* token = nullptr, int64_t time_limit_ms = 0) {
  return {sizeof(braid_watch), token == nullptr ? nullptr : token->handle, time_limit_ms, follower == nullptr ? nullptr : Follower::tell, follower};
}

/// A call that makes a handle, with what is wished of it.
using Making = std::function<int32_t(const braid_watch*, braid_database**)>;

/// Every way in which it is stopped; `check_left` is run after each.
void stop_in_each_way(const Making& make, const std::function<void()>& check_left) {
  const auto stopped = [&](const char* how, const braid_watch& watch) {
    CAPTURE(how);
    braid_database* database = nullptr;
    CHECK(make(&watch, &database) == BRAID_INTERRUPTED);
    CHECK(std::string(braid_database_error(database)) != "");
    CHECK(braid_close(database) == BRAID_OK);
    check_left();
  };
  Token token;
  braid_cancel_set(token.handle);
  stopped("cancelled before", watch_of(nullptr, &token));
  braid_cancel_reset(token.handle);
  Follower cancelling{.first = set_by_another(token)};
  stopped("cancelled by another thread", watch_of(&cancelling, &token));
  CHECK(cancelling.fractions.size() == 1);
  stopped("past its time", watch_of(nullptr, nullptr, 1));
  Follower refusing{.answer = 1};
  stopped("stopped by the one who follows", watch_of(&refusing));
  CHECK(refusing.fractions.size() == 1);
}

constexpr const char* kLeaveLog = "--leave-long-log";

/// What a killed process leaves: all of it is in the log alone. Ends this process.
[[noreturn]] void leave_long_log_here(const char* directory) {
  braid_database* database = nullptr;
  braid_connection* connection = nullptr;
  if (braid_open(directory, kKeepsLog, &database) != BRAID_OK || braid_connect(database, &connection) != BRAID_OK) _exit(1);
  for (int i = 0; i < kCommits; ++i)
    if (braid_nodes_create(connection, "[\"Node\"]", nullptr, kNodesPerCommit, nullptr) != BRAID_OK) _exit(1);
  _exit(0);
}

/// By a process that this one starts anew: a fork would have RocksDB's threads missing.
void leave_long_log(const std::string& directory) {
  std::string program = "/proc/self/exe", what = kLeaveLog, where = directory;
  char* const arguments[] = {program.data(), what.data(), where.data(), nullptr};
  pid_t pid = 0;
  int status = -1;
  REQUIRE(::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) == 0);
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(status == 0);
}

void check_nodes(const std::string& directory) {
  TestDatabase database(directory, kKeepsLog);
  REQUIRE(database.ok());
  TestConnection connection(database);
  CHECK(connection.number("SELECT count(*) FROM graph_nodes") == int64_t{kCommits} * kNodesPerCommit);
  CHECK(database.check() == "");
}

}  // namespace

TEST_CASE("an opening that replays a long log is stopped, and the directory is opened like any other afterwards") {
  const TempDir temp;
  leave_long_log(temp / "db");
  const Making make = [&](const braid_watch* watch, braid_database** database) {
    return braid_open_watched((temp / "db").c_str(), kKeepsLog, watch, database);
  };
  stop_in_each_way(make, [] {});
  Follower follower;
  const braid_watch watch = watch_of(&follower);
  braid_database* opened = nullptr;
  const int32_t code = make(&watch, &opened);
  {
    TestDatabase database(opened, code);
    REQUIRE(database.ok());
    CHECK(is_whole(follower.fractions));
    CHECK(follower.fractions.size() > 1);
    // No opening that was stopped has kept anything.
    CHECK(database.figure("replayed_at_open") >= kCommits);
  }
  check_nodes(temp / "db");
}

TEST_CASE("a creation that is cancelled before it begins leaves no directory, and one that has begun is made to its end") {
  const TempDir temp;
  Token token;
  braid_cancel_set(token.handle);
  braid_watch watch = watch_of(nullptr, &token);
  braid_database* database = nullptr;
  CHECK(braid_open_watched((temp / "db").c_str(), nullptr, &watch, &database) == BRAID_INTERRUPTED);
  CHECK(std::string(braid_database_error(database)).find("braid_cancel_reset") != std::string::npos);
  CHECK(braid_close(database) == BRAID_OK);
  CHECK(!std::filesystem::exists(temp / "db"));
  braid_cancel_reset(token.handle);
  Follower follower{.first = set_by_another(token)};
  watch = watch_of(&follower, &token);
  CHECK(braid_open_watched((temp / "db").c_str(), nullptr, &watch, &database) == BRAID_OK);
  CHECK(is_whole(follower.fractions));
  CHECK(braid_close(database) == BRAID_OK);
}

TEST_CASE("restoring and repairing are stopped, and their destination can be made again") {
  const TempDir temp;
  leave_long_log(temp / "db");
  check_nodes(temp / "db");
  braid_restore_options options{};
  options.size_bytes = sizeof options;
  const std::vector<std::pair<const char*, Making>> calls = {
      {"restored",
       [&](const braid_watch* watch, braid_database** database) {
         options.watch = watch;
         return braid_restore((temp / "db").c_str(), (temp / "restored").c_str(), &options, nullptr, nullptr, database);
       }},
      {"repaired", [&](const braid_watch* watch, braid_database** database) {
         return braid_repair_watched((temp / "db").c_str(), (temp / "repaired").c_str(), watch, nullptr, nullptr, database);
       }}};
  for (const auto& [function, make] : calls) {
    const std::string name = function;  // clang 14 captures no structured binding
    CAPTURE(name);
    const std::string destination = temp / name;
    stop_in_each_way(make, [&] {
      // In an empty one a database would be made.
      if (!std::filesystem::exists(destination) || std::filesystem::is_empty(destination)) return;
      CHECK(TestDatabase(destination).code() == BRAID_INVALID_ARGUMENT);
    });
    Follower follower;
    const braid_watch watch = watch_of(&follower);
    braid_database* made = nullptr;
    const int32_t code = make(&watch, &made);
    TestDatabase database(made, code);
    REQUIRE_MESSAGE(database.ok(), database.message());
    CHECK(is_whole(follower.fractions));
    database.close();
    check_nodes(destination);
  }
}

TEST_CASE("a watch that is wrong is refused") {
  const TempDir temp;
  braid_database* database = nullptr;
  braid_watch watch = watch_of(nullptr, nullptr, -1);
  CHECK(braid_open_watched((temp / "db").c_str(), nullptr, &watch, &database) == BRAID_INVALID_ARGUMENT);
  braid_close(database);
  watch.time_limit_ms = BRAID_TIME_LIMIT_MS_MAX + int64_t{1};
  CHECK(braid_repair_watched((temp / "db").c_str(), (temp / "r").c_str(), &watch, nullptr, nullptr, &database) == BRAID_INVALID_ARGUMENT);
  braid_close(database);
  CHECK(!std::filesystem::exists(temp / "db"));
}

TEST_CASE("the checkpoint of braid_close is followed and stopped, nothing is lost, and a token that was set before is not heeded") {
  const TempDir temp;
  for (const bool bounded : {true, false}) {
    TestDatabase database(temp / "db", kKeepsLog);
    {
      TestConnection connection(database);
      REQUIRE(braid_nodes_create(connection.get(), nullptr, nullptr, 200'000, nullptr) == BRAID_OK);
    }
    Token token;
    Follower follower;
    REQUIRE(braid_database_set_time_limit(database.get(), bounded ? 1 : 0) == BRAID_OK);
    REQUIRE(braid_database_on_progress(database.get(), bounded ? nullptr : Follower::tell, &follower) == BRAID_OK);
    REQUIRE(braid_database_set_cancel(database.get(), token.handle) == BRAID_OK);
    braid_cancel_set(token.handle);
    CHECK(database.close() == (bounded ? BRAID_INTERRUPTED : BRAID_OK));
    CHECK(is_whole(follower.fractions) == !bounded);
  }
  TestDatabase database(temp / "db");
  TestConnection connection(database);
  CHECK(connection.number("SELECT count(*) FROM graph_nodes") == 400'000);
}

namespace {

/// A hypertable with a text, and very many points for it.
struct Points {
  Points() {
    REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, note TEXT)") == BRAID_OK);
    REQUIRE(braid_appender_open(connection.get(), "m", &appender) == BRAID_OK);
    for (size_t i = 0; i < kPoints; ++i) times.push_back(static_cast<int64_t>(i) * 1000);
  }
  ~Points() { braid_appender_close(appender); }
  Points(const Points&) = delete;
  Points& operator=(const Points&) = delete;

  int32_t append(size_t count) {
    const braid_column column{sizeof column, BRAID_TYPE_TEXT, notes.data(), nullptr};
    return braid_appender_columns(appender, times.data(), count, &column, 1);
  }
  int64_t count() { return connection.number("SELECT count(*) FROM m"); }

  static constexpr size_t kPoints = 600'000;
  TempDir temp;
  TestDatabase database{temp / "db", kKeepsLog};
  TestConnection connection{database};
  braid_appender* appender = nullptr;
  std::vector<int64_t> times;
  std::vector<const char*> notes = std::vector<const char*>(kPoints, "a text that has a place of its own");
};

}  // namespace

TEST_CASE("one long call of an appender is stopped and adds nothing, in a transaction and outside") {
  Points points;
  Token token;
  REQUIRE(braid_connection_set_cancel(points.connection.get(), token.handle) == BRAID_OK);
  REQUIRE(points.append(10) == BRAID_OK);
  for (const bool within : {false, true}) {
    CAPTURE(within);
    if (within) REQUIRE(braid_begin(points.connection.get(), BRAID_WRITE) == BRAID_OK);
    braid_cancel_set(token.handle);
    CHECK(points.append(Points::kPoints) == BRAID_INTERRUPTED);
    braid_cancel_reset(token.handle);
    Follower cancelling{.first = set_by_another(token)};
    REQUIRE(braid_on_progress(points.connection.get(), Follower::tell, &cancelling) == BRAID_OK);
    CHECK(points.append(Points::kPoints) == BRAID_INTERRUPTED);
    CHECK(cancelling.fractions.size() == 1);
    braid_cancel_reset(token.handle);
    REQUIRE(braid_on_progress(points.connection.get(), nullptr, nullptr) == BRAID_OK);
    REQUIRE(braid_set_time_limit(points.connection.get(), 1) == BRAID_OK);
    CHECK(points.append(Points::kPoints) == BRAID_INTERRUPTED);
    REQUIRE(braid_set_time_limit(points.connection.get(), 0) == BRAID_OK);
    REQUIRE(braid_appender_flush(points.appender) == BRAID_OK);
    if (within) REQUIRE(braid_commit(points.connection.get()) == BRAID_OK);
    CHECK(points.count() == 10);
  }
  Follower follower;
  REQUIRE(braid_on_progress(points.connection.get(), Follower::tell, &follower) == BRAID_OK);
  REQUIRE(points.append(Points::kPoints) == BRAID_OK);
  for (size_t i = 1; i < follower.fractions.size(); ++i) CHECK((follower.fractions[i] >= follower.fractions[i - 1] && follower.fractions[i] <= 1));
  REQUIRE(braid_on_progress(points.connection.get(), nullptr, nullptr) == BRAID_OK);
  CHECK(points.count() == static_cast<int64_t>(Points::kPoints));
}

TEST_CASE("points of a batch, and the neighbours of a hub, are stopped") {
  Points points;
  Token token;
  TestBatch batch(points.database);
  const braid_column column{sizeof column, BRAID_TYPE_TEXT, points.notes.data(), nullptr};
  const auto add = [&] { return braid_batch_points(batch.get(), "m", nullptr, 0, points.times.data(), Points::kPoints, &column, 1); };
  REQUIRE(braid_database_set_time_limit(points.database.get(), 1) == BRAID_OK);
  CHECK(add() == BRAID_INTERRUPTED);
  REQUIRE(braid_database_set_time_limit(points.database.get(), 0) == BRAID_OK);
  REQUIRE(braid_database_set_cancel(points.database.get(), token.handle) == BRAID_OK);
  braid_cancel_set(token.handle);
  CHECK(add() == BRAID_INTERRUPTED);
  braid_cancel_reset(token.handle);
  REQUIRE(batch.commit() == BRAID_OK);
  CHECK(points.count() == 0);

  constexpr size_t kEdges = 400'000;
  int64_t first = 0;
  REQUIRE(braid_nodes_create(points.connection.get(), nullptr, nullptr, 2, &first) == BRAID_OK);
  const std::vector<int64_t> hub(kEdges, first), leaf(kEdges, first + 1);
  REQUIRE(braid_edges_create(points.connection.get(), "TO", hub.data(), leaf.data(), nullptr, kEdges, nullptr) == BRAID_OK);
  std::vector<braid_neighbor> found(kEdges);
  size_t count = 1;
  REQUIRE(braid_set_time_limit(points.connection.get(), 1) == BRAID_OK);
  CHECK(braid_neighbors(points.connection.get(), first, BRAID_OUT, nullptr, found.data(), kEdges, &count) == BRAID_INTERRUPTED);
  CHECK(count == 0);
  REQUIRE(braid_set_time_limit(points.connection.get(), 0) == BRAID_OK);
  CHECK(braid_neighbors(points.connection.get(), first, BRAID_OUT, nullptr, found.data(), kEdges, &count) == BRAID_OK);
  CHECK(count == kEdges);

  REQUIRE(braid_set_time_limit(points.connection.get(), 1) == BRAID_OK);
  CHECK(braid_node_delete(points.connection.get(), first, BRAID_DETACH) == BRAID_INTERRUPTED);
  REQUIRE(braid_set_time_limit(points.connection.get(), 0) == BRAID_OK);
  CHECK(braid_neighbors(points.connection.get(), first, BRAID_OUT, nullptr, found.data(), kEdges, &count) == BRAID_OK);
  CHECK(count == kEdges);
  CHECK(braid_node_delete(points.connection.get(), first, BRAID_DETACH) == BRAID_OK);
  CHECK(points.connection.rows("SELECT count(*) FROM graph_edges") == "0");
  CHECK(points.database.check() == "");
}

int main(int count, char** arguments) {
  if (count == 3 && std::string(arguments[1]) == kLeaveLog) leave_long_log_here(arguments[2]);
  return doctest::Context(count, arguments).run();
}
