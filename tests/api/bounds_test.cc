// Every bound at its edge: what is within it passes, one past it fails with its code and a message that names the option and its value, and the
// database goes on. docs/bounds.md tells the same as the table of options.
#include <doctest/doctest.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include <fmt/format.h>

#include "engine/options.h"
#include "tests/support/database.h"
#include "tests/support/fault_hook.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

std::string numbers(int64_t count) { return fmt::format("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n)", count); }

/// Sets of statements that are run one after the other on one connection; of the last one the answer is looked at.
struct BoundEdge {
  const char* option;
  int64_t value;
  std::string prepare;  // with the default options, at the database's first opening
  std::string within;
  std::string past;
  int32_t code;
};

const std::vector<BoundEdge>& edges() {
  static const std::vector<BoundEdge> all = {
      {"result_rows_max", 10, "", "SELECT i FROM " + numbers(10), "SELECT i FROM " + numbers(11), BRAID_LIMIT},
      {"sql_bytes_max", 1000, "", "SELECT '" + std::string(990, 'x') + "'", "SELECT '" + std::string(992, 'x') + "'", BRAID_LIMIT},
      {"value_bytes_max", 1000, "", "SELECT length(zeroblob(1000))", "SELECT length(zeroblob(1001))", BRAID_LIMIT},
      {"traversal_depth_max", 5, "", "SELECT count(*) FROM graph_hops(1, 5)", "SELECT count(*) FROM graph_hops(1, 6)", BRAID_LIMIT},
      {"traversal_nodes_max", 11, "", "SELECT count(*) FROM graph_hops(1, 10)", "SELECT count(*) FROM graph_hops(1, 11)", BRAID_LIMIT},
      {"traversal_bytes_max", 65536, "", "SELECT count(*) FROM graph_hops(1, 10, 'out', NULL, NULL, NULL, 'store')",
       "SELECT count(*) FROM graph_hops(1, 1900, 'out', NULL, NULL, NULL, 'store')", BRAID_LIMIT},
      {"projection_bytes_max", 65536, "", "SELECT count(*) FROM graph_pagerank('few')", "SELECT count(*) FROM graph_pagerank()", BRAID_LIMIT},
      {"rollup_bytes_max", 65536, "", "SELECT count(*) FROM (SELECT time_bucket('1 hour', time) AS b, sum(v) FROM p GROUP BY b)",
       "SELECT count(*) FROM (SELECT time_bucket('1 second', time) AS b, sum(v) FROM p GROUP BY b)", BRAID_LIMIT},
      {"transaction_bytes_max", 65536, "", "INSERT INTO p SELECT 100000 + i, i FROM " + numbers(200), "INSERT INTO p SELECT 200000 + i, i FROM " + numbers(20000),
       BRAID_LIMIT},
      {"statement_time_max_ms", 300, "", "SELECT count(*) FROM " + numbers(1000), "SELECT count(*) FROM " + numbers(100000000), BRAID_INTERRUPTED},
  };
  return all;
}

/// A path of 4,000 nodes, and 3,000 points, a second apart.
void fill(TestConnection& connection) {
  REQUIRE(connection.run("CREATE TABLE r(x); CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, v INTEGER)") == BRAID_OK);
  REQUIRE(connection.run("INSERT INTO graph_nodes(labels) SELECT CASE WHEN i < 10 THEN '[\"F\"]' ELSE '[\"M\"]' END FROM " + numbers(4000)) == BRAID_OK);
  REQUIRE(connection.run("INSERT INTO graph_edges(src, type, dst) SELECT i, 'T', i + 1 FROM " + numbers(3999)) == BRAID_OK);
  REQUIRE(connection.run("INSERT INTO p SELECT i * 1000000, i FROM " + numbers(3000)) == BRAID_OK);
}

struct Fixture {
  explicit Fixture(const std::string& options) {
    {
      TestDatabase made(directory / "db");
      TestConnection filling(made);
      fill(filling);
    }
    database = std::make_unique<TestDatabase>(directory / "db", options);
    REQUIRE(database->message() == "");
    connection = std::make_unique<TestConnection>(*database);
  }
  void check_goes_on() {
    CHECK(connection->rows("SELECT count(*) FROM graph_nodes WHERE label = 'F'") == "9");
    CHECK(connection->run("INSERT INTO r VALUES(1)") == BRAID_OK);
    CHECK(connection->rows("SELECT count(*) FROM r") == "1");
    CHECK(database->check() == "");
  }
  bool told(const std::string& text, const std::string& option, int64_t value) const {
    return text.find(option) != std::string::npos && text.find(std::to_string(value)) != std::string::npos;
  }
  TempDir directory;
  std::unique_ptr<TestDatabase> database;
  std::unique_ptr<TestConnection> connection;
};

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("bounds of statements pass at their edge and fail one past it, by name") {
  for (const BoundEdge& edge : edges()) {
    CAPTURE(edge.option);
    Fixture f(fmt::format("{}={}", edge.option, edge.value));
    if (std::strcmp(edge.option, "projection_bytes_max") == 0) REQUIRE(f.connection->run("SELECT graph_project('few', '[\"F\"]')") == BRAID_OK);
    CHECK(f.connection->run(edge.within) == BRAID_OK);
    const int32_t code = f.connection->run(edge.past);
    const std::string text = f.connection->error();
    CAPTURE(text);
    CHECK(code == edge.code);
    CHECK(text.find(edge.option) != std::string::npos);
    if (edge.code == BRAID_LIMIT) CHECK(f.told(text, edge.option, edge.value));
    f.check_goes_on();
  }
}

TEST_CASE("connections_max connections can be open and no more") {
  Fixture f("connections_max=4");
  std::vector<std::unique_ptr<TestConnection>> open;
  while (open.size() < 10) {
    open.push_back(std::make_unique<TestConnection>(*f.database));
    if (open.back()->code() != BRAID_OK) break;
  }
  CHECK(open.back()->code() == BRAID_LIMIT);
  CHECK(f.told(braid_database_error(f.database->get()), "connections_max", 4));
  open.clear();
  CHECK(TestConnection(*f.database).code() == BRAID_OK);
  f.check_goes_on();
}

TEST_CASE("batch_bytes_max bounds what one batch holds") {
  Fixture f("batch_bytes_max=65536");
  TestBatch batch(*f.database);
  const std::string sql = "INSERT INTO r VALUES('" + std::string(30000, 'x') + "')";
  CHECK(batch.execute(sql) == BRAID_OK);
  CHECK(batch.execute(sql) == BRAID_OK);
  CHECK(batch.execute(sql) == BRAID_LIMIT);
  CHECK(f.told(batch.error(), "batch_bytes_max", 65536));
  CHECK(batch.commit() == BRAID_OK);
  CHECK(f.connection->rows("SELECT count(*) FROM r") == "2");
  CHECK(f.connection->run("DELETE FROM r") == BRAID_OK);
  f.check_goes_on();
}

TEST_CASE("group_members_max batches share a sync") {
  Fixture f("group_members_max=1");
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      TestBatch batch(*f.database);
      batch.execute("INSERT INTO graph_nodes(labels) VALUES('[\"B\"]')");
      if (batch.commit() == BRAID_OK) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 4);
  CHECK(f.database->figure("group_members") == f.database->figure("groups"));
  f.check_goes_on();
}

TEST_CASE("a snapshot, a statement's snapshot and a transaction have an age") {
  Fixture f("snapshot_age_max_ms=100;transaction_time_max_ms=100");
  const auto wait = [] { std::this_thread::sleep_for(std::chrono::milliseconds(150)); };
  TestConnection& connection = *f.connection;
  REQUIRE(braid_begin(connection.get(), BRAID_READ) == BRAID_OK);
  CHECK(connection.run("SELECT 1") == BRAID_OK);
  wait();
  CHECK(connection.run("SELECT 1") == BRAID_SNAPSHOT_TOO_OLD);
  CHECK(f.told(connection.error(), "snapshot_age_max_ms", 100));
  CHECK(braid_rollback(connection.get()) == BRAID_OK);

  REQUIRE(braid_begin(connection.get(), BRAID_WRITE) == BRAID_OK);
  CHECK(connection.run("INSERT INTO r VALUES(2)") == BRAID_OK);
  wait();
  CHECK(connection.run("INSERT INTO r VALUES(3)") == BRAID_LIMIT);
  CHECK(f.told(connection.error(), "transaction_time_max_ms", 100));
  CHECK(braid_rollback(connection.get()) == BRAID_OK);

  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection.get(), "SELECT id FROM graph_nodes", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  wait();
  CHECK(braid_statement_step(statement) == BRAID_SNAPSHOT_TOO_OLD);
  CHECK(f.told(connection.error(), "snapshot_age_max_ms", 100));
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  braid_statement_close(statement);
  f.check_goes_on();
}

TEST_CASE("busy_timeout_ms bounds how long a writer waits") {
  Fixture f("busy_timeout_ms=50");
  TestConnection other(*f.database);
  REQUIRE(braid_begin(other.get(), BRAID_WRITE) == BRAID_OK);
  const auto start = std::chrono::steady_clock::now();
  CHECK(f.connection->run("INSERT INTO r VALUES(2)") == BRAID_BUSY);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  CHECK(f.connection->error().find("busy_timeout_ms") != std::string::npos);
  REQUIRE(braid_rollback(other.get()) == BRAID_OK);
  f.check_goes_on();
}

TEST_CASE("past wal_hard_bytes new snapshots wait until older ones let the WAL be copied") {
  constexpr int64_t kHard = 1048576;
  Fixture f(fmt::format("wal_soft_bytes=65536;wal_hard_bytes={};busy_timeout_ms=2000;maintenance_interval_ms=0", kHard));
  TestConnection reader(*f.database), other(*f.database);
  REQUIRE(reader.run("BEGIN; SELECT count(*) FROM graph_nodes") == BRAID_OK);
  const auto look = [&] {
    const int32_t code = other.run("BEGIN; SELECT count(*) FROM graph_nodes WHERE label = 'F'");
    const std::string text = other.error();
    CHECK(other.run("ROLLBACK") == BRAID_OK);
    if (code != BRAID_OK) CHECK(f.told(text, "wal_hard_bytes", kHard));
    return code;
  };
  const std::string add = "INSERT INTO r VALUES(randomblob(20000))";
  for (int i = 0; i < 200 && f.database->figure("wal_size") <= kHard; ++i) {
    CHECK(look() == BRAID_OK);
    REQUIRE(f.connection->run(add) == BRAID_OK);
  }
  REQUIRE(f.database->figure("wal_size") > kHard);
  CHECK(look() == BRAID_BUSY);
  // Writers go on, and who has a snapshot reads on.
  CHECK(f.connection->run(add) == BRAID_OK);
  CHECK(reader.rows("SELECT count(*) FROM graph_nodes WHERE label = 'F'") == "9");
  REQUIRE(reader.run("COMMIT") == BRAID_OK);
  int32_t code = BRAID_BUSY;
  for (int i = 0; i < 10 && code == BRAID_BUSY; ++i) code = look();
  CHECK(code == BRAID_OK);
  CHECK(f.connection->run("DELETE FROM r") == BRAID_OK);
  f.check_goes_on();
}

TEST_CASE("memory_bytes_max refuses by name what does not fit, at opening too") {
  Fixture f("memory_bytes_max=67108864");
  CHECK(f.connection->run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM (SELECT DISTINCT hex(i * 7919) FROM n)") ==
        BRAID_LIMIT);
  CHECK(f.connection->error().find("memory_bytes_max") != std::string::npos);
  f.check_goes_on();
  TestDatabase small(f.directory / "small", "memory_bytes_max=1000000");
  CHECK(small.code() == BRAID_LIMIT);
  CHECK(small.message().find("memory_bytes_max") != std::string::npos);
  CHECK(small.message().find("graph_cache_bytes") != std::string::npos);
}

TEST_CASE("a full tail makes writers wait for its sealing, and they are refused when that takes too long") {
  TempDir directory;
  FaultHook hook;
  TestDatabase database(directory / "db", "tail_bytes_max=65536;busy_timeout_ms=5000;maintenance_interval_ms=0", &hook);
  REQUIRE(database.message() == "");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE r(x); CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, v INTEGER)") == BRAID_OK);
  const auto append = [&](int64_t from) { return connection.run(fmt::format("INSERT INTO p SELECT {} + i, i FROM {}", from, numbers(1000))); };

  // While sealing keeps up the tail is never far above its bound.
  for (int64_t i = 0; i < 60; ++i) {
    REQUIRE(append(i * 1000) == BRAID_OK);
    CHECK(database.figure("tail_bytes") < 65536 + 131072);
  }

  // Sealing fails: what appends is refused with the reason, all else goes on.
  hook.arm({.operations = {FileOperation::kWrite}, .file = FileKind::kChunk, .error = ENOSPC});
  int32_t code = BRAID_OK;
  for (int64_t i = 60; i < 90 && code == BRAID_OK; ++i) code = append(i * 1000);
  CHECK(code == BRAID_FULL);
  CHECK(connection.error().find("tail_bytes_max") != std::string::npos);
  CHECK(connection.error().find("No space left") != std::string::npos);
  CHECK(connection.run("INSERT INTO r VALUES(1)") == BRAID_OK);
  CHECK(connection.run("DELETE FROM p WHERE time = 5") == BRAID_OK);
  hook.disarm();
  for (int i = 0; i < 100 && code != BRAID_OK; ++i) {
    code = append(90000);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(code == BRAID_OK);
  CHECK(database.check() == "");
}

TEST_CASE("docs/bounds.md has a row for every option, with its unit, default and bounds") {
  const std::string text = read_file(std::string(BRAID_SOURCE_ROOT) + "/docs/bounds.md");
  REQUIRE(!text.empty());
  for (const OptionRow& row : option_table()) {
    std::string unit;
    for (const char* c = row.unit; *c != '\0'; ++c) unit += *c == '|' ? std::string("\\|") : std::string(1, *c);
    const std::string wanted = fmt::format("| `{}` | {} | {} | {} | {} |", row.name, unit, row.default_value, row.minimum, row.maximum);
    CAPTURE(wanted);
    CHECK(text.find(wanted) != std::string::npos);
  }
}

TEST_CASE("what a statement has written is answered whole, however many rows it has") {
  TempDir directory;
  TestDatabase database(directory / "db", "result_rows_max=3");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE t(a)") == BRAID_OK);
  CHECK(connection.rows("INSERT INTO t VALUES(1), (2), (3), (4), (5) RETURNING a") == "1;2;3;4;5");
  CHECK(connection.rows("DELETE FROM t WHERE a < 5 RETURNING a") == "1;2;3;4");
  CHECK(connection.number("SELECT count(*) FROM t") == 1);
}
