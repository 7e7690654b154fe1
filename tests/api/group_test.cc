// Group commit: batches of several threads share one sync, and each is all-or-nothing by itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 25;

/// Runs `round(thread, number)` in several threads.
template <typename Round>
void in_threads(Round round) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (int j = 1; j <= kRounds; ++j) round(i, j);
    });
  for (std::thread& thread : threads) thread.join();
}

int32_t add_operation(TestBatch& batch, int writer, int64_t sequence) {
  for (const std::string& sql :
       {Operations::row_sql(writer, sequence), Operations::total_sql(writer),
        Operations::edge_sql(writer, sequence), Operations::points_sql(writer, sequence)})
    if (const int32_t code = batch.execute(sql)) return code;
  return BRAID_OK;
}

}  // namespace

TEST_CASE("each group makes exactly one sync of the log, and every batch has an LSN of its own") {
  const TempDir temp;
  TestDatabase database(temp / "db");
  TestConnection connection(database);
  REQUIRE(Operations::create(connection, kThreads) == BRAID_OK);
  const int64_t syncs = database.figure("wal_syncs");
  const int64_t groups = database.figure("groups");
  const int64_t members = database.figure("group_members");
  std::vector<std::vector<uint64_t>> lsns(kThreads);
  in_threads([&](int thread, int number) {
    TestBatch batch(database);
    REQUIRE(add_operation(batch, thread, number) == BRAID_OK);
    uint64_t lsn = 0;
    REQUIRE(batch.commit(&lsn) == BRAID_OK);
    lsns[static_cast<size_t>(thread)].push_back(lsn);
  });
  CHECK(database.figure("group_members") - members == kThreads * kRounds);
  CHECK(database.figure("wal_syncs") - syncs == database.figure("groups") - groups);
  // Eight threads that wait for each other's sync: groups of one would mean that grouping is
  // broken.
  CHECK(database.figure("groups") - groups < kThreads * kRounds);
  std::set<uint64_t> different;
  for (const auto& of_thread : lsns) {
    CHECK(std::is_sorted(of_thread.begin(), of_thread.end()));
    different.insert(of_thread.begin(), of_thread.end());
  }
  CHECK(different.size() == kThreads * kRounds);
  CHECK(*different.rbegin() == static_cast<uint64_t>(database.figure("lsn")));
  std::string problems;
  CHECK(Operations::verify(connection, {}, problems).size() == kThreads * kRounds);
  CHECK(problems == "");
  CHECK(database.check() == "");
}

TEST_CASE(
    "members that fail, or that roll SQLite's transaction back, fail alone among members that "
    "commit") {
  const TempDir temp;
  TestDatabase database(temp / "db");
  TestConnection connection(database);
  REQUIRE(Operations::create(connection, kThreads) == BRAID_OK);
  REQUIRE(connection.run(
              "CREATE TABLE parent(id INTEGER PRIMARY KEY);"
              "CREATE TABLE child(id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
              "INSERT INTO operation VALUES(99, 1)") == BRAID_OK);
  std::atomic<int> refused{0};
  in_threads([&](int thread, int number) {
    TestBatch batch(database);
    REQUIRE(add_operation(batch, thread, number) == BRAID_OK);
    int32_t expected = BRAID_OK;
    if (number % 4 == 1 && thread % 2 == 0) expected = BRAID_CONSTRAINT;
    if (expected != BRAID_OK) {
      const char* sql = thread == 0   ? "INSERT INTO operation VALUES(99, 1)"
                        : thread == 2 ? "INSERT OR ROLLBACK INTO operation VALUES(99, 1)"
                        : thread == 4
                            ? "INSERT INTO child VALUES(12345)"
                            : "INSERT INTO graph_edges(src, type, dst) VALUES(1, 'DID', 999999)";
      REQUIRE(batch.execute(sql) == BRAID_OK);
      ++refused;
    }
    uint64_t lsn = 0;
    CHECK(batch.commit(&lsn) == expected);
    if (expected == BRAID_OK) return;
    CHECK(lsn == 0);
    // A deferred foreign key is no single step's.
    CHECK(batch.error().find(thread == 4 ? "FOREIGN KEY" : "step 5") != std::string::npos);
  });
  REQUIRE(connection.run("DELETE FROM operation WHERE writer = 99") == BRAID_OK);
  std::string problems;
  CHECK(Operations::verify(connection, {}, problems).size() ==
        static_cast<size_t>(kThreads * kRounds - refused));
  CHECK(problems == "");
  CHECK(connection.rows("SELECT count(*) FROM child") == "0");
  CHECK(database.check() == "");
}

TEST_CASE(
    "a batch refuses transaction statements, PRAGMA, DDL and TEMP objects, and the batches after "
    "it still work") {
  const TempDir temp;
  TestDatabase database(temp / "db");
  TestConnection connection(database);
  REQUIRE(Operations::create(connection, 1) == BRAID_OK);
  for (const char* sql :
       {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "RELEASE s", "PRAGMA user_version = 3",
        "CREATE TABLE t(x)", "CREATE TEMP TABLE t(x)", "DROP TABLE total",
        "INSERT INTO operation VALUES(1, 1); SELECT 1", "SELECT nonsense"}) {
    CAPTURE(sql);
    TestBatch batch(database);
    REQUIRE(add_operation(batch, 0, 1) == BRAID_OK);
    REQUIRE(batch.execute(sql) == BRAID_OK);
    CHECK(batch.commit() != BRAID_OK);
    CHECK(connection.rows("SELECT count(*) FROM operation") == "0");
  }
  TestBatch batch(database);
  REQUIRE(add_operation(batch, 0, 1) == BRAID_OK);
  CHECK(batch.commit() == BRAID_OK);
  CHECK(database.check() == "");
}

TEST_CASE(
    "interactive transactions and batches of many threads interleave, and every model has each "
    "operation once") {
  const TempDir temp;
  TestDatabase database(temp / "db", "busy_timeout_ms=120000");
  std::vector<std::unique_ptr<TestConnection>> connections;
  for (int i = 0; i < kThreads; ++i)
    connections.push_back(std::make_unique<TestConnection>(database));
  REQUIRE(Operations::create(*connections[0], kThreads) == BRAID_OK);
  in_threads([&](int thread, int number) {
    if ((thread + number) % 3 == 0) {
      REQUIRE(Operations::run(*connections[static_cast<size_t>(thread)], thread, number) ==
              BRAID_OK);
      return;
    }
    if (thread == 1 && number % 10 == 0) REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    TestBatch batch(database);
    REQUIRE(add_operation(batch, thread, number) == BRAID_OK);
    REQUIRE(batch.commit() == BRAID_OK);
  });
  std::string problems;
  CHECK(Operations::verify(*connections[0], {}, problems).size() == kThreads * kRounds);
  CHECK(problems == "");
  CHECK(database.check() == "");
}

// The members of a group go on when the commit is durable, before it is published.
TEST_CASE("a thread sees its own batch at once, in all three models") {
  const TempDir temp;
  TestDatabase database(temp / "db");
  {
    TestConnection connection(database);
    REQUIRE(Operations::create(connection, kThreads) == BRAID_OK);
  }
  std::vector<std::unique_ptr<TestConnection>> connections;
  for (int i = 0; i < kThreads; ++i) connections.push_back(std::make_unique<TestConnection>(database));
  in_threads([&](int thread, int number) {
    TestBatch batch(database);
    REQUIRE(add_operation(batch, thread, number) == BRAID_OK);
    REQUIRE(batch.commit() == BRAID_OK);
    TestConnection& connection = *connections[static_cast<size_t>(thread)];
    REQUIRE(connection.run("BEGIN") == BRAID_OK);
    std::string problems;
    const auto found = Operations::verify(connection, {}, problems);
    REQUIRE(connection.run("COMMIT") == BRAID_OK);
    CHECK(problems == "");
    CHECK(found.contains({thread, number}));
  });
}

// What an edge needs is read before the batch has the slot, and may have been deleted since.
TEST_CASE("edges beside the deletion of their ends: none is left without one") {
  constexpr int kNodes = 60;
  const TempDir temp;
  TestDatabase database(temp / "db");
  std::vector<int64_t> nodes;
  {
    TestConnection connection(database);
    for (int i = 0; i < kNodes; ++i) {
      int64_t id = 0;
      REQUIRE(braid_node_create(connection.get(), "[\"N\"]", nullptr, &id) == BRAID_OK);
      nodes.push_back(id);
    }
  }
  std::atomic<int64_t> created{0}, refused{0};
  in_threads([&](int thread, int number) {
    TestBatch batch(database);
    if (thread == 0 && number % 2 == 0) {
      const auto id = std::to_string(nodes[static_cast<size_t>(number)]);
      REQUIRE(batch.execute("DELETE FROM graph_edges WHERE src = " + id) == BRAID_OK);
      REQUIRE(batch.execute("DELETE FROM graph_edges WHERE dst = " + id) == BRAID_OK);
      REQUIRE(batch.execute("DELETE FROM graph_nodes WHERE id = " + id) == BRAID_OK);
      CHECK(batch.commit() == BRAID_OK);
      return;
    }
    const auto node = [&](int step) { return nodes[static_cast<size_t>((thread * 7 + number * step) % kNodes)]; };
    REQUIRE(braid_batch_edge(batch.get(), node(1), "T", node(3), nullptr) == BRAID_OK);
    REQUIRE(braid_batch_edge(batch.get(), node(3), "T", node(5), nullptr) == BRAID_OK);
    const int32_t code = batch.commit();
    CHECK((code == BRAID_OK || code == BRAID_CONSTRAINT));
    if (code == BRAID_CONSTRAINT) CHECK(batch.error().find("is missing: there is no node") != std::string::npos);
    (code == BRAID_OK ? created : refused) += 1;
  });
  CHECK(created > 0);
  CHECK(created + refused == kThreads * kRounds - kRounds / 2);
  CHECK(database.check() == "");
}

// The writer sees what the earlier members of the group did, so that two batches cannot close a cycle together.
TEST_CASE("batches of several threads never close a cycle in a hierarchy") {
  constexpr int kNodes = 20;
  const TempDir temp;
  TestDatabase database(temp / "db");
  TestConnection connection(database);
  std::vector<int64_t> nodes;
  for (int i = 0; i < kNodes; ++i) {
    int64_t id = 0;
    REQUIRE(braid_node_create(connection.get(), "[\"N\"]", nullptr, &id) == BRAID_OK);
    nodes.push_back(id);
  }
  REQUIRE(connection.run("SELECT graph_hierarchy('PART_OF')") == BRAID_OK);
  std::atomic<int64_t> created{0}, refused{0};
  in_threads([&](int thread, int number) {
    TestBatch batch(database);
    const auto node = [&](int step) { return nodes[static_cast<size_t>((thread * 7 + number * step) % kNodes)]; };
    REQUIRE(braid_batch_edge(batch.get(), node(1), "PART_OF", node(3), nullptr) == BRAID_OK);
    REQUIRE(batch.execute("INSERT INTO graph_edges(src, type, dst) VALUES(" + std::to_string(node(3)) + ", 'PART_OF', " +
                          std::to_string(node(5)) + ")") == BRAID_OK);
    const int32_t code = batch.commit();
    CHECK((code == BRAID_OK || code == BRAID_CONSTRAINT));
    if (code == BRAID_CONSTRAINT) CHECK(batch.error().find("closes a cycle in hierarchy \"PART_OF\"") != std::string::npos);
    (code == BRAID_OK ? created : refused) += 1;
  });
  CHECK(created > 0);
  CHECK(refused > 0);
  int64_t edge = 0;
  CHECK(braid_edge_create(connection.get(), nodes[0], "PART_OF", nodes[0], nullptr, &edge) == BRAID_CONSTRAINT);
  // Declaring it anew looks at all edges.
  CHECK(connection.run("SELECT graph_hierarchy_drop('PART_OF'); SELECT graph_hierarchy('PART_OF')") == BRAID_OK);
  CHECK(database.check() == "");
}

TEST_CASE("a batch does not change what there is, by statements or by functions") {
  const TempDir temp;
  TestDatabase database(temp / "db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE r(a TEXT PRIMARY KEY)") == BRAID_OK);
  for (const char* sql : {"CREATE TABLE other(a)", "SELECT graph_bind('A', 'r', 'a')", "SELECT graph_create_index('A', 'k')", "SELECT graph_hierarchy('T')"}) {
    TestBatch batch(database);
    REQUIRE(batch.execute(sql) == BRAID_OK);
    CHECK(batch.commit() == BRAID_DENIED);
    CHECK(batch.error().find("schema changes") != std::string::npos);
  }
}
