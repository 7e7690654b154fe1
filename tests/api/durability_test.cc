// Full and relaxed commits: which of them are synced, what follows when a sync fails, and what is lost with the power.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "tests/support/database.h"
#include "tests/support/directory_copy.h"
#include "tests/support/fault_hook.h"
#include "tests/support/file_record.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

const std::string kNever = "sync_interval_ms=3600000";

/// Waits until it is so; false after a time in which it should have been.
bool becomes(const std::function<bool()>& condition) {
  for (int waited_ms = 0; waited_ms < 20'000; ++waited_ms) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

struct Fixture {
  explicit Fixture(std::string options = kNever) : options(std::move(options)) {
    open();
    REQUIRE(connection->run("CREATE TABLE t(x); SELECT braid_sync()") == BRAID_OK);
  }
  void open() {
    database = std::make_unique<TestDatabase>(path(), options, &hook);
    REQUIRE(database->message() == "");
    connection = std::make_unique<TestConnection>(*database);
  }
  void close() {
    connection = nullptr;
    database = nullptr;
  }
  std::string path() const { return directory / "db"; }
  uint64_t syncs() const { return hook.count(FileOperation::kSync, FileKind::kWal); }
  int64_t lsn() { return database->figure("lsn"); }
  int64_t durable() { return database->figure("durable_lsn"); }
  int32_t insert() { return connection->run("INSERT INTO t VALUES(1)"); }
  void relax() { REQUIRE(braid_set_durability(connection->get(), BRAID_DURABILITY_RELAXED) == BRAID_OK); }

  /// Whether what `commit` does is committed durably; it is committed in any case.
  bool is_durable(const std::function<int32_t()>& commit) {
    REQUIRE(braid_sync(database->get(), nullptr) == BRAID_OK);
    const uint64_t before = syncs();
    const int64_t lsn_before = lsn();
    REQUIRE(commit() == BRAID_OK);
    CHECK(lsn() == lsn_before + 1);
    const bool durable_now = durable() == lsn();
    CHECK(durable_now == (syncs() > before));
    return durable_now;
  }

  TempDir directory;
  FaultHook hook;
  std::string options;
  std::unique_ptr<TestDatabase> database;
  std::unique_ptr<TestConnection> connection;
};

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a relaxed commit is visible and not synced, and the next full commit makes both durable") {
  Fixture f;
  f.relax();
  const uint64_t before = f.syncs();
  for (int i = 0; i < 3; ++i) CHECK(f.insert() == BRAID_OK);
  CHECK(f.syncs() == before);
  CHECK(f.durable() == f.lsn() - 3);
  CHECK(TestConnection(*f.database).rows("SELECT count(*) FROM t") == "3");
  REQUIRE(braid_set_durability(f.connection->get(), BRAID_DURABILITY_FULL) == BRAID_OK);
  CHECK(f.insert() == BRAID_OK);
  CHECK(f.syncs() == before + 1);
  CHECK(f.durable() == f.lsn());
}

TEST_CASE("braid_sync makes durable what was committed, and does nothing when that is") {
  Fixture f;
  f.relax();
  CHECK(f.insert() == BRAID_OK);
  const uint64_t before = f.syncs();
  uint64_t durable = 0;
  CHECK(braid_sync(f.database->get(), &durable) == BRAID_OK);
  CHECK(static_cast<int64_t>(durable) == f.lsn());
  CHECK(f.durable() == f.lsn());
  CHECK(f.syncs() == before + 1);
  CHECK(f.connection->number("SELECT braid_sync()") == f.lsn());
  CHECK(f.syncs() == before + 1);
  CHECK(f.insert() == BRAID_OK);
  CHECK(f.connection->number("SELECT braid_sync()") == f.lsn());
  CHECK(f.syncs() == before + 2);
}

TEST_CASE("relaxed commits are synced within the interval, many with one sync") {
  Fixture f("sync_interval_ms=200");
  f.relax();
  const uint64_t before = f.syncs();
  for (int i = 0; i < 20; ++i) CHECK(f.insert() == BRAID_OK);
  CHECK(becomes([&] { return f.durable() == f.lsn(); }));
  CHECK(f.syncs() > before);
  // Slow machines may need a few intervals for the commits.
  CHECK(f.syncs() < before + 20);
  CHECK(f.insert() == BRAID_OK);
  CHECK(becomes([&] { return f.durable() == f.lsn(); }));
}

TEST_CASE("durability is chosen for the database, a connection, a transaction or a batch") {
  for (const bool relaxed : {false, true}) {
    CAPTURE(relaxed);
    Fixture f(kNever + (relaxed ? ";durability=relaxed" : ""));
    braid_connection* connection = f.connection->get();
    CHECK(f.is_durable([&] { return f.insert(); }) == !relaxed);
    CHECK(f.connection->rows("SELECT braid_durability()") == (relaxed ? "relaxed" : "full"));
    {
      TestBatch batch(*f.database);
      CHECK(f.is_durable([&] { return batch.execute("INSERT INTO t VALUES(2)") == BRAID_OK ? batch.commit() : -1; }) == !relaxed);
      for (const bool wanted : {true, false}) {
        CHECK(braid_batch_set_durability(batch.get(), wanted ? BRAID_DURABILITY_FULL : BRAID_DURABILITY_RELAXED) == BRAID_OK);
        for (int again = 0; again < 2; ++again)
          CHECK(f.is_durable([&] { return batch.execute("INSERT INTO t VALUES(3)") == BRAID_OK ? batch.commit() : -1; }) == wanted);
      }
    }
    for (const bool wanted : {true, false}) {
      const int32_t flag = wanted ? BRAID_DURABILITY_FULL : BRAID_DURABILITY_RELAXED;
      CHECK(f.is_durable([&] {
        REQUIRE(braid_begin(connection, BRAID_WRITE | flag) == BRAID_OK);
        REQUIRE(f.insert() == BRAID_OK);
        CHECK(f.connection->rows("SELECT braid_durability()") == (wanted ? "full" : "relaxed"));
        return braid_commit(connection);
      }) == wanted);
      CHECK(f.connection->rows("SELECT braid_durability()") == (relaxed ? "relaxed" : "full"));
      // It was for that one.
      CHECK(f.is_durable([&] { return f.insert(); }) == !relaxed);
      REQUIRE(braid_begin(connection, BRAID_WRITE | flag) == BRAID_OK);
      REQUIRE(braid_rollback(connection) == BRAID_OK);
      CHECK(f.is_durable([&] { return f.connection->run("BEGIN; INSERT INTO t VALUES(4); COMMIT"); }) == !relaxed);
    }
    for (const bool wanted : {true, false}) {
      CHECK(f.connection->rows(fmt::format("SELECT braid_durability('{}')", wanted ? "full" : "relaxed")) == (wanted ? "full" : "relaxed"));
      CHECK(f.is_durable([&] { return f.insert(); }) == wanted);
      CHECK(f.is_durable([&] { return f.connection->run("SAVEPOINT s; INSERT INTO t VALUES(5); RELEASE s"); }) == wanted);
      CHECK(f.is_durable([&] { return braid_node_create(connection, nullptr, nullptr, nullptr); }) == wanted);
      // A transaction that is open counts too.
      REQUIRE(f.connection->run("BEGIN; INSERT INTO t VALUES(6)") == BRAID_OK);
      REQUIRE(braid_set_durability(connection, wanted ? BRAID_DURABILITY_RELAXED : BRAID_DURABILITY_FULL) == BRAID_OK);
      CHECK(f.is_durable([&] { return f.connection->run("COMMIT"); }) == !wanted);
    }
    CHECK(TestConnection(*f.database).rows("SELECT braid_durability()") == (relaxed ? "relaxed" : "full"));
  }
}

TEST_CASE("an appender outside a transaction commits as its connection does") {
  Fixture f;
  REQUIRE(f.connection->run("CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, v DOUBLE)") == BRAID_OK);
  for (const bool wanted : {true, false}) {
    REQUIRE(braid_set_durability(f.connection->get(), wanted ? BRAID_DURABILITY_FULL : BRAID_DURABILITY_RELAXED) == BRAID_OK);
    CHECK(f.is_durable([&] {
      braid_appender* appender = nullptr;
      REQUIRE(braid_appender_open(f.connection->get(), "p", &appender) == BRAID_OK);
      REQUIRE(braid_appender_series(appender, nullptr, 0) == BRAID_OK);
      const double value = 1;
      REQUIRE(braid_appender_point(appender, 1, &value, nullptr, 1) == BRAID_OK);
      return braid_appender_close(appender);
    }) == wanted);
  }
}

TEST_CASE("batches that are committed together are synced when one of them wants it") {
  for (const int full : {0, 1}) {
    Fixture f(kNever + ";durability=relaxed");
    REQUIRE(f.connection->run("BEGIN IMMEDIATE") == BRAID_OK);
    const int64_t groups = f.database->figure("groups");
    const uint64_t before = f.syncs();
    std::vector<std::thread> threads;
    std::atomic<int> committed{0};
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        TestBatch batch(*f.database);
        if (i < full) braid_batch_set_durability(batch.get(), BRAID_DURABILITY_FULL);
        batch.execute("INSERT INTO t VALUES(7)");
        if (batch.commit() == BRAID_OK) ++committed;
      });
    }
    CHECK(becomes([&] { return f.database->figure("writers_waiting") == 4; }));
    REQUIRE(f.connection->run("ROLLBACK") == BRAID_OK);
    for (std::thread& thread : threads) thread.join();
    CHECK(committed == 4);
    CHECK(f.database->figure("groups") == groups + 1);
    CHECK(f.syncs() == before + static_cast<uint64_t>(full));
    CHECK((f.durable() == f.lsn()) == (full == 1));
  }
}

TEST_CASE("what is no durability is refused") {
  Fixture f;
  TestBatch batch(*f.database);
  for (const int32_t wrong : {0, 1, 2, 3, 48, -1, 64}) {
    CAPTURE(wrong);
    CHECK(braid_set_durability(f.connection->get(), wrong) == BRAID_INVALID_ARGUMENT);
    CHECK(braid_batch_set_durability(batch.get(), wrong) == BRAID_INVALID_ARGUMENT);
  }
  for (const int32_t wrong :
       {BRAID_READ | BRAID_DURABILITY_FULL, BRAID_WRITE | BRAID_DURABILITY_FULL | BRAID_DURABILITY_RELAXED, BRAID_DURABILITY_RELAXED, BRAID_WRITE | 64}) {
    CAPTURE(wrong);
    CHECK(braid_begin(f.connection->get(), wrong) == BRAID_INVALID_ARGUMENT);
    CHECK(braid_in_transaction(f.connection->get()) == 0);
  }
  CHECK(f.connection->run("SELECT braid_durability('none')") == BRAID_INVALID_ARGUMENT);
  CHECK(f.connection->error().find("'full', 'relaxed'") != std::string::npos);
  CHECK(f.connection->run("SELECT braid_durability(NULL)") == BRAID_INVALID_ARGUMENT);
  CHECK(f.connection->run("PRAGMA synchronous = OFF") == BRAID_DENIED);
  for (const char* sql : {"SELECT braid_durability('relaxed')", "SELECT braid_sync()"}) {
    REQUIRE(batch.execute(sql) == BRAID_OK);
    CHECK(batch.commit() == BRAID_DENIED);
  }
  REQUIRE(f.connection->run("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT braid_durability('relaxed'); END") == BRAID_OK);
  CHECK(f.insert() != BRAID_OK);
}

TEST_CASE("a failed sync of relaxed commits refuses later writes and names what may be lost") {
  for (const bool asked : {true, false}) {
    CAPTURE(asked);
    Fixture f(asked ? kNever : "sync_interval_ms=1");
    f.relax();
    const int64_t before = f.lsn();
    f.hook.arm({.operations = {FileOperation::kSync}, .file = FileKind::kWal, .error = EIO, .times = 1});
    CHECK(f.insert() == BRAID_OK);
    if (asked) {
      CHECK(braid_sync(f.database->get(), nullptr) == BRAID_IO);
      CHECK(std::string(braid_database_error(f.database->get())).find(fmt::format("commits {0} to {0}", before + 1)) != std::string::npos);
    }
    CHECK(becomes([&] { return f.database->figure("poisoned") == 1; }));
    CHECK(f.durable() == before);

    CHECK(f.insert() == BRAID_READ_ONLY);
    CHECK(f.connection->error().find("rows.db-wal: sync") != std::string::npos);
    CHECK(f.connection->error().find(fmt::format("commits {0} to {0} were answered with relaxed durability", before + 1)) != std::string::npos);
    {
      TestBatch batch(*f.database);
      REQUIRE(batch.execute("INSERT INTO t VALUES(2)") == BRAID_OK);
      CHECK(batch.commit() == BRAID_READ_ONLY);
      CHECK(batch.error().find("may be lost") != std::string::npos);
    }
    CHECK(braid_sync(f.database->get(), nullptr) == BRAID_READ_ONLY);
    CHECK(f.connection->rows("SELECT count(*) FROM t") == "1");
    // A sync is never tried again, by whomever.
    CHECK(f.hook.matched() == 1);
    f.close();
    CHECK(f.hook.matched() == 1);

    f.hook.disarm();
    f.open();
    CHECK(f.connection->rows("SELECT count(*) FROM t") == "1");
    CHECK(f.insert() == BRAID_OK);
    CHECK(f.database->check() == "");
  }
}

TEST_CASE("a full commit that fails says which relaxed ones may be lost with it") {
  Fixture f;
  REQUIRE(braid_begin(f.connection->get(), BRAID_WRITE | BRAID_DURABILITY_RELAXED) == BRAID_OK);
  REQUIRE(f.insert() == BRAID_OK);
  REQUIRE(braid_commit(f.connection->get()) == BRAID_OK);
  f.hook.arm({.operations = {FileOperation::kSync}, .file = FileKind::kWal, .error = EIO, .times = 1});
  CHECK(f.insert() == BRAID_UNKNOWN_OUTCOME);
  CHECK(f.insert() == BRAID_READ_ONLY);
  CHECK(f.connection->error().find(fmt::format("commits {0} to {0} were answered", f.lsn())) != std::string::npos);
  f.connection = nullptr;
  CHECK(f.database->close() == BRAID_READ_ONLY);
}

TEST_CASE("closing, a checkpoint, and taking away a dropped chunk's file sync relaxed commits first") {
  TempDir directory;
  FileRecord record(directory / "db");
  {
    TestDatabase database(directory / "db", kNever + ";durability=relaxed", &record);
    REQUIRE(database.message() == "");
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE TABLE t(x); CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, v DOUBLE, chunk_interval='1 hour');"
                           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO p SELECT i * 1000000, i FROM n;") ==
            BRAID_OK);
    CHECK(database.figure("durable_lsn") < database.figure("lsn"));
    REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    CHECK(database.figure("durable_lsn") == database.figure("lsn"));
    REQUIRE(connection.run("SELECT drop_chunks('p', '1970-01-01 03:00:00'); INSERT INTO t VALUES(1)") == BRAID_OK);
  }
  // What may not happen while a write of the WAL is not synced: a chunk's file goes, or the session ends.
  size_t removed = 0;
  bool unsynced = false;
  for (const RecordedOperation& one : record.operations()) {
    if (one.path.ends_with("rows.db-wal")) {
      if (one.operation == FileOperation::kWrite) unsynced = true;
      if (one.operation == FileOperation::kSync) unsynced = false;
    }
    if (one.operation != FileOperation::kRemove || one.path.find("/chunks/") == std::string::npos) continue;
    ++removed;
    CHECK_FALSE(unsynced);
  }
  CHECK(removed > 0);
  CHECK_FALSE(unsynced);
}

// A loss of power tears the first of two relaxed commits, so that both are gone, but leaves the frames of the second. The first is made again, byte by
// byte the same: the second was then found behind it by the opening after the next unclean stop.
TEST_CASE("a commit that was lost does not come back behind one with the bytes of the one before it") {
  Fixture f(kNever + ";durability=relaxed");
  const std::string wal = f.path() + "/rows.db-wal";
  const auto first = [](TestConnection& connection) { return connection.run("INSERT INTO t VALUES('first')"); };
  const auto copy = [&](const std::string& from, const std::string& name) {
    const std::string to = f.directory / name;
    copy_open_directory(from, to);
    std::filesystem::remove(to + "/LOCK");  // it names the file of which this is a copy
    return to;
  };
  const std::string before = bytes_of(wal);
  REQUIRE(first(*f.connection) == BRAID_OK);
  const std::string after = bytes_of(wal);
  REQUIRE(f.connection->run("INSERT INTO t VALUES('second')") == BRAID_OK);

  const std::string torn = copy(f.path(), "torn");
  size_t at = 0;
  while (at < after.size() && at < before.size() && after[at] == before[at]) ++at;
  REQUIRE(at < after.size());
  {
    std::fstream out(torn + "/rows.db-wal", std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at / 512 * 512));
    out << before.substr(at / 512 * 512, 512);
  }
  std::string killed;
  {
    TestDatabase database(torn, f.options);
    REQUIRE(database.message() == "");
    TestConnection connection(database);
    CHECK(connection.rows("SELECT * FROM t") == "");
    REQUIRE(first(connection) == BRAID_OK);
    killed = copy(torn, "killed");
  }
  TestDatabase database(killed, f.options);
  REQUIRE(database.message() == "");
  TestConnection connection(database);
  CHECK(connection.rows("SELECT * FROM t") == "first");
  CHECK(database.check() == "");
}
