// Invariant 5: a snapshot sees rows, graph and series at one LSN.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr const char* kCounts =
    "SELECT (SELECT count(*) FROM operation), (SELECT count(*) FROM graph_edges), (SELECT count(*) "
    "FROM point) / 3, "
    "(SELECT sum(operations) FROM total)";

bool all_equal(const std::string& row) {
  const size_t bar = row.find('|');
  const std::string one = row.substr(0, bar);
  return bar != std::string::npos && row == one + "|" + one + "|" + one + "|" + one;
}

struct Fixture {
  explicit Fixture(const char* options = "") : database(directory / "db", options) {
    REQUIRE(Operations::create(connection, 4) == BRAID_OK);
  }
  /// Readers run while writers make commits, batches and checkpoints; then everything must be there
  /// once.
  void beside_writers(int readers, const std::function<void(TestConnection&, int)>& read) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    std::atomic<int> running{readers};
    for (int i = 0; i < readers; ++i)
      threads.emplace_back([&, i] {
        TestConnection reader(database);
        for (int round = 0; round < 60; ++round) read(reader, i);
        if (--running == 0) stop = true;
      });
    threads.emplace_back([&] {
      TestConnection writer(database);
      for (int64_t n = 1; !stop || n <= 20; ++n) REQUIRE(Operations::run(writer, 0, n) == BRAID_OK);
    });
    threads.emplace_back([&] {
      TestBatch batch(database);
      for (int64_t n = 1; !stop || n <= 20; ++n) {
        for (const std::string& sql : {Operations::row_sql(1, n), Operations::total_sql(1),
                                       Operations::edge_sql(1, n), Operations::points_sql(1, n)})
          REQUIRE(batch.execute(sql) == BRAID_OK);
        REQUIRE(batch.commit() == BRAID_OK);
        if (n % 20 == 0) REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
      }
    });
    for (std::thread& thread : threads) thread.join();
    std::string problems;
    CHECK(Operations::verify(connection, {}, problems).size() > 0);
    CHECK(problems == "");
    CHECK(database.check() == "");
  }

  TempDir directory;
  TestDatabase database;
  TestConnection connection{database};
};

}  // namespace

TEST_CASE(
    "a read transaction sees one moment in all three models, however much is committed beside it") {
  Fixture f;
  REQUIRE(Operations::run(f.connection, 0, 1) == BRAID_OK);
  TestConnection reader(f.database);
  REQUIRE(braid_begin(reader.get(), BRAID_READ) == BRAID_OK);
  uint64_t before = 0;
  REQUIRE(braid_lsn(reader.get(), &before) == BRAID_OK);
  for (int i = 2; i <= 20; ++i) {
    REQUIRE(Operations::run(f.connection, 0, i) == BRAID_OK);
    if (i % 5 == 0) REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
    CHECK(reader.rows(kCounts) == "1|1|1|1");
  }
  uint64_t after = 0;
  REQUIRE(braid_lsn(reader.get(), &after) == BRAID_OK);
  CHECK(after == before);
  CHECK(f.database.figure("oldest_snapshot") == static_cast<int64_t>(before));
  REQUIRE(braid_commit(reader.get()) == BRAID_OK);
  CHECK(reader.rows(kCounts) == "20|20|20|20");
}

TEST_CASE("a read transaction refuses every kind of write and stays as it is") {
  Fixture f;
  TestConnection reader(f.database);
  REQUIRE(braid_begin(reader.get(), BRAID_READ) == BRAID_OK);
  for (const std::string& sql :
       {Operations::row_sql(0, 1), Operations::edge_sql(0, 1), Operations::points_sql(0, 1),
        std::string("SELECT graph_delete(1)"), std::string("CREATE TABLE t(x)")}) {
    CAPTURE(sql);
    CHECK(reader.run(sql) == BRAID_READ_ONLY);
  }
  CHECK(braid_node_create(reader.get(), nullptr, nullptr, nullptr) == BRAID_READ_ONLY);
  CHECK(reader.rows(kCounts) == "0|0|0|0");
  CHECK(braid_commit(reader.get()) == BRAID_OK);
}

TEST_CASE(
    "a deferred transaction that read an older moment cannot write, and says that it must begin "
    "again") {
  Fixture f;
  TestConnection reader(f.database);
  REQUIRE(reader.run("BEGIN") == BRAID_OK);
  CHECK(reader.rows(kCounts) == "0|0|0|0");
  REQUIRE(Operations::run(f.connection, 0, 1) == BRAID_OK);
  CHECK(reader.run(Operations::row_sql(1, 1)) == BRAID_CONFLICT);
  CHECK(reader.rows(kCounts) == "0|0|0|0");
  REQUIRE(reader.run("ROLLBACK; BEGIN") == BRAID_OK);
  CHECK(reader.run(Operations::all_sql(1, 1) + "COMMIT") == BRAID_OK);
  CHECK(reader.rows(kCounts) == "2|2|2|2");
}

TEST_CASE("a SELECT that is being stepped keeps its moment in graph and points") {
  Fixture f;
  for (int i = 1; i <= 5; ++i) REQUIRE(Operations::run(f.connection, 0, i) == BRAID_OK);
  TestConnection reader(f.database);
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(reader.get(),
                        "SELECT e.id, (SELECT count(*) FROM point), (SELECT count(*) FROM "
                        "operation) FROM graph_edges e",
                        -1, &statement, nullptr) == BRAID_OK);
  int rows = 0;
  while (braid_statement_step(statement) == BRAID_ROW) {
    ++rows;
    REQUIRE(Operations::run(f.connection, 1, rows) == BRAID_OK);
    CHECK(braid_column_int64(statement, 1) == 15);
    CHECK(braid_column_int64(statement, 2) == 5);
  }
  braid_statement_close(statement);
  CHECK(rows == 5);
}

TEST_CASE(
    "autocommit SELECTs over the three models are consistent beside writers and checkpoints") {
  Fixture f("busy_timeout_ms=120000");
  f.beside_writers(2, [](TestConnection& reader, int) {
    const std::string row = reader.rows(kCounts);
    CAPTURE(row);
    CHECK(all_equal(row));
  });
}

TEST_CASE(
    "pinned read transactions are consistent over many statements beside writers and checkpoints") {
  Fixture f("busy_timeout_ms=120000");
  f.beside_writers(2, [](TestConnection& reader, int) {
    REQUIRE(braid_begin(reader.get(), BRAID_READ) == BRAID_OK);
    const std::string rows =
        reader.rows("SELECT count(*), max(sequence) FROM operation WHERE writer = 0");
    std::this_thread::yield();
    const std::string points =
        reader.rows("SELECT count(DISTINCT sequence), max(sequence) FROM point WHERE writer = '0'");
    const std::string edges = reader.rows(
        "SELECT count(*), max(json_extract(properties, '$.sequence')) FROM graph_edges WHERE src = "
        "graph_node('Writer', 'number', 0)");
    const std::string again =
        reader.rows("SELECT count(*), max(sequence) FROM operation WHERE writer = 0");
    REQUIRE(braid_commit(reader.get()) == BRAID_OK);
    CHECK(rows == again);
    CHECK(rows == edges);
    CHECK(rows == points);
  });
}

TEST_CASE("joins over the three models never miss a partner beside writers") {
  Fixture f("busy_timeout_ms=120000");
  f.beside_writers(2, [](TestConnection& reader, int kind) {
    const char* sql =
        kind == 0 ? "SELECT count(*) FROM operation o LEFT JOIN (SELECT writer AS w, sequence AS "
                    "s, count(*) AS n FROM point "
                    "GROUP BY 1, 2) p ON p.w = o.writer AND p.s = o.sequence WHERE p.n IS NOT 3"
                  : "SELECT count(*) FROM graph_edges e LEFT JOIN operation o ON o.writer = "
                    "json_extract(e.properties, "
                    "'$.writer') AND o.sequence = json_extract(e.properties, '$.sequence') WHERE "
                    "o.writer IS NULL";
    CHECK(reader.rows(sql) == "0");
  });
}

TEST_CASE("a snapshot older than its limit says so until it is begun again") {
  Fixture f("snapshot_age_max_ms=20");
  TestConnection reader(f.database);
  REQUIRE(braid_begin(reader.get(), BRAID_READ) == BRAID_OK);
  CHECK(reader.rows(kCounts) == "0|0|0|0");
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  CHECK(reader.rows(kCounts).starts_with("error 18"));
  REQUIRE(braid_rollback(reader.get()) == BRAID_OK);
  CHECK(reader.rows(kCounts) == "0|0|0|0");
}

// Past the soft bound every commit had the writers wait a quarter of a second for readers that never let the WAL go.
TEST_CASE("readers that keep the WAL from being copied do not make every commit wait") {
  const TempDir temp;
  TestDatabase database(temp / "db", "wal_soft_bytes=65536");
  TestConnection writer(database);
  REQUIRE(writer.run("CREATE TABLE t(a)") == BRAID_OK);
  std::atomic<bool> stop{false};
  std::thread reading([&] {
    TestConnection reader(database);
    while (!stop) {
      REQUIRE(reader.run("BEGIN") == BRAID_OK);
      reader.rows("SELECT count(*) FROM t");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      REQUIRE(reader.run("COMMIT") == BRAID_OK);
    }
  });
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 400; ++i) REQUIRE(writer.run("INSERT INTO t VALUES(randomblob(3000))") == BRAID_OK);
  const auto taken = std::chrono::steady_clock::now() - start;
  stop = true;
  reading.join();
  // 400 commits that each waited would take 100 s.
  CHECK(taken < std::chrono::seconds(30));
}

TEST_CASE("a transaction that began to read writes on although the database's own work has committed since") {
  for (const char* sql : {"BEGIN", "SAVEPOINT outer_one; SAVEPOINT \"inner one\""}) {
    CAPTURE(std::string(sql));
    Fixture f("maintenance_interval_ms=0");
    TestConnection deferred(f.database);
    REQUIRE(Operations::run(f.connection, 0, 1) == BRAID_OK);
    REQUIRE(deferred.run(sql) == BRAID_OK);
    REQUIRE(deferred.rows(kCounts) == "1|1|1|1");
    // It seals the points: a commit of its own. Putting chunks in order is another.
    REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
    REQUIRE(f.connection.run("SELECT hypertable_compact('point')") == BRAID_OK);
    for (const std::string& write : {Operations::row_sql(0, 2), Operations::total_sql(0), Operations::edge_sql(0, 2), Operations::points_sql(0, 2)}) {
      CHECK(deferred.run(write) == BRAID_OK);
      CHECK(deferred.error() == "");
    }
    CHECK(deferred.rows(kCounts) == "2|2|2|2");
    if (std::string(sql) != "BEGIN") {
      CHECK(deferred.run("ROLLBACK TO \"inner one\"") == BRAID_OK);
      CHECK(deferred.rows(kCounts) == "1|1|1|1");
      CHECK(deferred.run(Operations::all_sql(0, 2)) == BRAID_OK);
      CHECK(deferred.run("RELEASE \"inner one\"; RELEASE outer_one") == BRAID_OK);
    } else {
      CHECK(deferred.run("COMMIT") == BRAID_OK);
    }
    CHECK(f.connection.rows(kCounts) == "2|2|2|2");
    CHECK(f.database.check() == "");
  }
}

TEST_CASE("a transaction that began to read is refused its first write after another's commit, or while a statement of it still reads") {
  Fixture f("maintenance_interval_ms=0");
  TestConnection deferred(f.database);
  REQUIRE(Operations::run(f.connection, 0, 1) == BRAID_OK);
  REQUIRE(deferred.run("BEGIN") == BRAID_OK);
  REQUIRE(deferred.rows(kCounts) == "1|1|1|1");
  REQUIRE(Operations::run(f.connection, 0, 2) == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
  CHECK(deferred.run(Operations::row_sql(1, 1)) == BRAID_CONFLICT);
  CHECK(deferred.rows(kCounts) == "1|1|1|1");
  REQUIRE(deferred.run("ROLLBACK") == BRAID_OK);

  REQUIRE(deferred.run("BEGIN") == BRAID_OK);
  braid_statement* reading = nullptr;
  REQUIRE(braid_prepare(deferred.get(), "SELECT sequence FROM operation ORDER BY 1", BRAID_NUL_TERMINATED, &reading, nullptr) == BRAID_OK);
  REQUIRE(braid_statement_step(reading) == BRAID_ROW);
  REQUIRE(f.connection.run("INSERT INTO point VALUES(5, 'other', 5, 5)") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
  CHECK(deferred.run(Operations::row_sql(1, 1)) == BRAID_CONFLICT);
  CHECK(braid_statement_step(reading) == BRAID_ROW);
  braid_statement_close(reading);
  // Once nothing reads any more it may write: only the database itself has committed.
  REQUIRE(deferred.run("ROLLBACK; BEGIN") == BRAID_OK);
  REQUIRE(f.connection.run("INSERT INTO point VALUES(6, 'other', 6, 6)") == BRAID_OK);
  REQUIRE(braid_prepare(deferred.get(), "SELECT sequence FROM operation ORDER BY 1", BRAID_NUL_TERMINATED, &reading, nullptr) == BRAID_OK);
  REQUIRE(braid_statement_step(reading) == BRAID_ROW);
  REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
  CHECK(deferred.run(Operations::row_sql(1, 1)) == BRAID_CONFLICT);
  CHECK(braid_statement_step(reading) == BRAID_ROW);
  braid_statement_close(reading);
  CHECK(deferred.run(Operations::row_sql(1, 1) + ";ROLLBACK") == BRAID_OK);
}
