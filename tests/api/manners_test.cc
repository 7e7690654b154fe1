// What a host may do to a database that is open: its clock steps, it forks, it is interrupted by signals, its directory is copied.
#include <doctest/doctest.h>

#include <csignal>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/directory.h"
#include "engine/page_vfs.h"
#include "tests/support/database.h"
#include "tests/support/directory_copy.h"
#include "tests/support/operations.h"
#include "tests/support/other_process.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

/// The host's clock, as far off as it is told.
class SteppingClock final : public FileHook {
 public:
  FileAnswer before(const FileRequest&) noexcept override { return {}; }
  int64_t clock_step_us() noexcept override { return step_us; }
  std::atomic<int64_t> step_us{0};
};

constexpr int64_t kHour = 3'600'000'000;

/// SIGALRM every few hundred microseconds, to whichever thread, without SA_RESTART: each may end a system call with EINTR.
class SignalStorm {
 public:
  SignalStorm() {
    struct sigaction action = {};
    action.sa_handler = [](int) { ++count; };
    sigaction(SIGALRM, &action, &before_);
    const itimerval fast = {{0, 300}, {0, 300}};
    setitimer(ITIMER_REAL, &fast, nullptr);
  }
  ~SignalStorm() {
    const itimerval none = {};
    setitimer(ITIMER_REAL, &none, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }
  static inline std::atomic<int> count{0};

 private:
  struct sigaction before_;
};

/// Runs in a forked child; how many of its checks failed is its exit code.
int in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void check_operations(TestConnection& connection, const Operations::Set& acknowledged) {
  std::string problems;
  CHECK(Operations::verify(connection, acknowledged, problems) == acknowledged);
  CHECK(problems == "");
}

}  // namespace

TEST_CASE("a clock that steps back and forth changes no order, no age and no deadline") {
  TempDir directory;
  SteppingClock clock;
  Operations::Set acknowledged;
  {
    TestDatabase database(directory / "db", "snapshot_age_max_ms=60000;transaction_time_max_ms=60000;statement_time_max_ms=60000;busy_timeout_ms=60000", &clock);
    REQUIRE(database.message() == "");
    TestConnection connection(database);
    TestConnection reader(database);
    REQUIRE(Operations::create(connection, 2) == BRAID_OK);
    int64_t sequence = 0;
    for (const int64_t step : {int64_t{0}, 24 * kHour, -24 * kHour, 100 * 365 * 24 * kHour, -50 * 365 * 24 * kHour, int64_t{0}}) {
      REQUIRE(braid_begin(reader.get(), BRAID_READ) == BRAID_OK);
      const int64_t seen = reader.number("SELECT count(*) FROM operation");
      REQUIRE(braid_begin(connection.get(), BRAID_WRITE) == BRAID_OK);
      REQUIRE(connection.run(Operations::all_sql(0, ++sequence)) == BRAID_OK);
      clock.step_us = step;
      // Open transactions and snapshots do not age by it.
      CHECK(connection.run("SELECT 1") == BRAID_OK);
      CHECK(braid_commit(connection.get()) == BRAID_OK);
      acknowledged.insert({0, sequence});
      CHECK(reader.number("SELECT count(*) FROM operation") == seen);
      CHECK(braid_commit(reader.get()) == BRAID_OK);
      CHECK(braid_checkpoint(database.get()) == BRAID_OK);
      uint64_t finished = 0;
      CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
    }
    check_operations(connection, acknowledged);
    CHECK(database.check() == "");
  }
  TestDatabase again(directory / "db");
  REQUIRE(again.message() == "");
  TestConnection connection(again);
  check_operations(connection, acknowledged);
}

TEST_CASE("a policy that a clock ahead has planned runs again when the clock is right") {
  TempDir directory;
  SteppingClock clock;
  TestDatabase database(directory / "db", "maintenance_interval_ms=0", &clock);
  REQUIRE(database.message() == "");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, v REAL); INSERT INTO p VALUES('2200-01-01', 1); "
                         "SELECT add_size_retention_policy('p', 1000000000, '1 day')") == BRAID_OK);
  uint64_t finished = 0;
  CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
  CHECK(finished == 1);
  CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
  CHECK(finished == 0);
  clock.step_us = 10 * 365 * 24 * kHour;
  CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
  CHECK(finished == 1);
  clock.step_us = 0;
  CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
  CHECK(finished == 1);
  CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
  CHECK(finished == 0);
}

TEST_CASE("a clock ahead lets retention drop what is old beside the newest points, and nothing else") {
  TempDir directory;
  SteppingClock clock;
  TestDatabase database(directory / "db", "maintenance_interval_ms=0", &clock);
  REQUIRE(database.message() == "");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, v REAL, chunk_interval='1 day'); CREATE VIRTUAL TABLE quiet USING hypertable(time TIMESTAMP, v REAL);"
                         "INSERT INTO p VALUES(now(), 1); INSERT INTO p SELECT datetime(time, '-20 days'), 2 FROM p; INSERT INTO p SELECT datetime(time, '-2 days'), 3 FROM p WHERE v = 1;"
                         "INSERT INTO quiet VALUES('2001-01-01', 1);"
                         "SELECT add_retention_policy('p', '10 days', '1 day'); SELECT add_retention_policy('quiet', '10 days', '1 day')") == BRAID_OK);
  clock.step_us = 10 * 365 * 24 * kHour;
  for (const bool sealed : {false, true}) {
    CAPTURE(sealed);
    if (sealed) REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    clock.step_us += 3 * 24 * kHour;
    uint64_t finished = 0;
    CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
    CHECK(finished == 2);
    CHECK(connection.rows("SELECT v FROM p ORDER BY v") == "1.0;3.0");
    CHECK(connection.rows("SELECT count(*) FROM quiet") == "1");
  }
}

TEST_CASE("in a forked child every call is refused, and the parent's database is unharmed") {
  TempDir directory;
  auto database = std::make_unique<TestDatabase>(directory / "db");
  REQUIRE(database->message() == "");
  auto connection = std::make_unique<TestConnection>(*database);
  REQUIRE(Operations::create(*connection, 2) == BRAID_OK);
  REQUIRE(Operations::run(*connection, 0, 1) == BRAID_OK);
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection->get(), "SELECT id FROM graph_nodes", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  braid_batch* batch = nullptr;
  REQUIRE(braid_batch_open(database->get(), &batch) == BRAID_OK);
  REQUIRE(braid_batch_execute(batch, "SELECT 1", BRAID_NUL_TERMINATED, nullptr, 0) == BRAID_OK);

  const std::string path = directory / "other";
  CHECK(in_child([&] {
          int wrong = 0;
          const auto refused = [&](int32_t code) { wrong += code == BRAID_MISUSE ? 0 : 1; };
          refused(braid_execute(connection->get(), "INSERT INTO operation VALUES(9, 9)", BRAID_NUL_TERMINATED));
          wrong += connection->error().find("forked") == std::string::npos ? 1 : 0;
          refused(braid_begin(connection->get(), BRAID_WRITE));
          refused(braid_statement_step(statement));
          refused(braid_statement_reset(statement));
          refused(braid_batch_commit(batch, nullptr));
          refused(braid_checkpoint(database->get()));
          refused(braid_check(database->get(), nullptr, nullptr));
          braid_connection* made = nullptr;
          refused(braid_connect(database->get(), &made));
          braid_database* other = nullptr;
          refused(braid_open(path.c_str(), nullptr, &other));
          braid_interrupt(connection->get());
          braid_statement_close(statement);
          braid_batch_close(batch);
          braid_disconnect(connection->get());
          refused(braid_close(database->get()));
          return wrong;
        }) == 0);
  CHECK(!std::filesystem::exists(path));

  CHECK(braid_statement_step(statement) != BRAID_MISUSE);
  braid_statement_close(statement);
  CHECK(braid_batch_commit(batch, nullptr) == BRAID_OK);
  braid_batch_close(batch);
  CHECK(Operations::run(*connection, 0, 2) == BRAID_OK);
  CHECK(database->check() == "");
  connection = nullptr;
  CHECK(database->close() == BRAID_OK);

  // What is forked when nothing is open may call on.
  std::ofstream(directory / "file") << "x";
  CHECK(in_child([&] { return TestDatabase(directory / "file").code() == BRAID_INVALID_ARGUMENT ? 0 : 1; }) == 0);
}

TEST_CASE("signals that interrupt system calls change nothing") {
  TempDir directory;
  Operations::Set acknowledged;
  {
    const SignalStorm storm;
    for (int life = 0; life < 3; ++life) {
      TestDatabase database(directory / "db", "tail_bytes_max=65536;log_soft_bytes=65536;wal_soft_bytes=65536");
      REQUIRE(database.message() == "");
      TestConnection connection(database);
      if (life == 0) REQUIRE(Operations::create(connection, 2) == BRAID_OK);
      for (int i = 1; i <= 40; ++i) {
        const int64_t sequence = life * 40 + i;
        std::string why;
        REQUIRE(Operations::run(connection, 0, sequence, &why) == BRAID_OK);
        acknowledged.insert({0, sequence});
        if (i % 10 == 0) CHECK(braid_checkpoint(database.get()) == BRAID_OK);
      }
      CHECK(database.check() == "");
      connection.rows("SELECT hypertable_compact('point')");
    }
  }
  CHECK(SignalStorm::count > 100);
  TestDatabase database(directory / "db");
  TestConnection connection(database);
  check_operations(connection, acknowledged);
}

TEST_CASE("a LOCK that a dead process left keeps nobody out") {
  TempDir directory;
  {
    // The child holds the directory only: RocksDB's threads are the parent's.
    Env env;
    std::unique_ptr<Directory> held;
    OtherProcess process([&] {
      auto opened = Directory::open(env, directory / "db");
      if (opened.ok()) held = opened.take();
      return held != nullptr;
    });
    REQUIRE(process.succeeded());
    TestDatabase second(directory / "db");
    CHECK(second.code() == BRAID_BUSY);
    CHECK(second.message().find(std::to_string(process.pid())) != std::string::npos);
  }
  TestDatabase database(directory / "db");
  CHECK(database.message() == "");
  database.close();
  std::ofstream(directory / "db/LOCK") << "1\n";
  TestDatabase again(directory / "db");
  CHECK(again.message() == "");
}

TEST_CASE("a child that was forked from a process with an open database can exit") {
  TempDir directory;
  TestDatabase database(directory / "db");
  REQUIRE(database.message() == "");
  const pid_t pid = fork();
  if (pid == 0) std::exit(7);
  int status = 0;
  for (int i = 0; i < 300 && waitpid(pid, &status, WNOHANG) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  kill(pid, SIGKILL);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(TestConnection(database).number("SELECT 1") == 1);
}

TEST_CASE("the names in a directory lead to nothing outside of it") {
  TempDir directory;
  { REQUIRE(TestDatabase(directory / "db").message() == ""); }
  const std::string outside = directory / "outside";
  std::ofstream(outside) << "precious";
  for (const char* const name : {"LOCK", "rows.db", "rows.db-wal", "FORMAT", "graph", "chunks"}) {
    for (const bool is_link : {true, false}) {
      CAPTURE(name);
      CAPTURE(is_link);
      const std::string path = directory / "db/" + name, aside = directory / "aside";
      std::filesystem::rename(path, aside);
      if (is_link) std::filesystem::create_symlink(outside, path);
      else REQUIRE(mkfifo(path.c_str(), 0600) == 0);
      for (const char* const options : {"", "read_only=1"}) {
        TestDatabase database(directory / "db", options);
        CHECK(database.code() == BRAID_CORRUPT);
        CHECK(database.message().find(name) != std::string::npos);
      }
      std::filesystem::remove(path);
      std::filesystem::rename(aside, path);
    }
  }
  std::string text;
  std::ifstream(outside) >> text;
  CHECK(text == "precious");
  CHECK(TestDatabase(directory / "db").message() == "");
}

TEST_CASE("a trigger that somebody has put on a table of the engine is found at opening") {
  TempDir directory;
  { REQUIRE(TestConnection(*std::make_unique<TestDatabase>(directory / "db")).run("CREATE TABLE t(x)") == BRAID_OK); }
  {
    Env env;
    PageVfs vfs(env);
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open_v2((directory / "db/rows.db").c_str(), &db, SQLITE_OPEN_READWRITE, vfs.name().c_str()) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "CREATE TRIGGER planted AFTER INSERT ON _braid_log BEGIN DELETE FROM t; END", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
  }
  TestDatabase database(directory / "db");
  CHECK(database.code() == BRAID_CORRUPT);
  CHECK(database.message().find("planted") != std::string::npos);
}

TEST_CASE("a copy made while the database was open is told from one made when it was closed") {
  TempDir directory;
  const std::string path = directory / "db";
  const auto copy = [&](const std::string& to) { copy_open_directory(path, directory / to); };
  {
    TestDatabase database(path);
    REQUIRE(database.message() == "");
    TestConnection connection(database);
    REQUIRE(Operations::create(connection, 2) == BRAID_OK);
    REQUIRE(Operations::run(connection, 0, 1) == BRAID_OK);
    copy("open");
    // Half of the files before a checkpoint and half after it: recovery alone could not tell.
    std::filesystem::copy(path + "/rows.db", directory / "earlier");
    REQUIRE(Operations::run(connection, 0, 2) == BRAID_OK);
    REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    REQUIRE(Operations::run(connection, 0, 3) == BRAID_OK);
    copy("torn");
    std::filesystem::rename(directory / "earlier", directory / "torn/rows.db");
  }
  for (const char* made : {"open", "torn"}) {
    for (const char* options : {"", "read_only=1"}) {
      CAPTURE(made);
      TestDatabase database(directory / made, options);
      CHECK(database.code() == BRAID_CORRUPT);
      CHECK(database.message().find("copy") != std::string::npos);
    }
  }
  braid_database* restored = nullptr;
  CHECK(braid_restore((directory / "open").c_str(), (directory / "restored").c_str(), nullptr, nullptr, nullptr, &restored) == BRAID_CORRUPT);
  braid_close(restored);
  copy("closed");
  TestDatabase database(directory / "closed");
  CHECK(database.message() == "");
  TestConnection connection(database);
  CHECK(connection.number("SELECT count(*) FROM operation") == 3);
  // The owner of an image of one moment says so by removing LOCK.
  std::filesystem::remove(directory / "open/LOCK");
  TestDatabase moment(directory / "open");
  CHECK(moment.message() == "");
  CHECK(TestConnection(moment).number("SELECT count(*) FROM operation") == 1);
}
