// A database that one process has open, used by others through the socket in its directory.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <thread>

#include "engine/local_socket.h"
#include "remote/channel.h"
#include "tests/support/served.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr char kTables[] =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, score REAL, data BLOB);"
    "CREATE TABLE parent(id INTEGER PRIMARY KEY);"
    "CREATE TABLE child(p INTEGER REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);"
    "CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG, load DOUBLE, note TEXT);"
    "SELECT graph_create_index('Device', 'serial', 1);";

bool make_tables(TestDatabase& database) {
  TestConnection connection(database);
  return connection.run(kTables) == BRAID_OK;
}

/// What `act` answers of a database that a process of its own opens: this one must have no threads when it starts others.
bool at_home(const std::string& directory, const std::function<bool(TestDatabase&)>& act, const std::string& options = "") {
  OtherProcess other([&] {
    TestDatabase database(directory, options);
    if (!database.ok()) fprintf(stderr, "%s\n", database.message().c_str());
    return database.ok() && act(database);
  });
  return other.succeeded();
}

/// Whether `condition` comes true within some seconds.
template <typename Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

std::string bits(double value) {
  uint64_t whole;
  std::memcpy(&whole, &value, sizeof whole);
  return std::to_string(whole);
}

/// Everything that the getters tell of the rows of a statement.
std::string told(braid_connection* connection, const char* sql) {
  braid_statement* statement = nullptr;
  int64_t tail = 0;
  int32_t code = braid_prepare(connection, sql, BRAID_NUL_TERMINATED, &statement, &tail);
  std::string out = std::string(sql) + " -> " + std::to_string(code) + " tail " + std::to_string(tail);
  if (code != BRAID_OK)
    return out + " " + braid_connection_error(connection) + " at " + std::to_string(braid_connection_error_offset(connection)) + "\n";
  out += " writes " + std::to_string(braid_statement_writes(statement)) + " parameters " + std::to_string(braid_parameter_count(statement));
  while ((code = braid_statement_step(statement)) == BRAID_ROW) {
    out += "\n ";
    // One past the last column as well.
    for (int32_t i = 0; i <= braid_column_count(statement); ++i) {
      int64_t text_size = -1, blob_size = -1;
      const int32_t type = braid_column_type(statement, i);
      const int64_t integer = braid_column_int64(statement, i);
      const double real = braid_column_double(statement, i);
      const void* blob = braid_column_blob(statement, i, &blob_size);
      const std::string bytes(static_cast<const char*>(blob), static_cast<size_t>(blob_size));
      const char* text = braid_column_text(statement, i, &text_size);
      out += std::string(" [") + braid_column_name(statement, i) + " " + braid_column_declared_type(statement, i) + " " + std::to_string(type) + " " +
             std::to_string(integer) + " " + bits(real) + " " + std::string(text, static_cast<size_t>(text_size)) + " " + bytes + "]";
    }
  }
  out += "\n end " + std::to_string(code) + " " + (code == BRAID_DONE ? "" : braid_connection_error(connection)) + " changes " +
         std::to_string(braid_changes(connection)) + " rowid " + std::to_string(braid_last_insert_rowid(connection)) + " in " +
         std::to_string(braid_in_transaction(connection)) + "\n";
  braid_statement_close(statement);
  return out;
}

constexpr const char* kStatements[] = {
    "INSERT INTO t VALUES(1, 'one', 1.5, x'00ff00'), (2, '', -0.0, x''), (3, NULL, 1e999, NULL), (-9223372036854775808, '12abc', 9.5e300, 'text')",
    "SELECT * FROM t ORDER BY id",
    "SELECT id, name AS \"a name\", score * 2, data || name, typeof(data) FROM t",
    "SELECT 'x' || char(0) || 'y' AS nul, CAST(x'80ff' AS TEXT) AS wild, 9223372036854775807 AS big, -1e-320 AS tiny",
    "SELECT 1; SELECT 2",
    "  -- nothing",
    "SELEC 1",
    "SELECT * FROM t WHERE nowhere = 1",
    "INSERT INTO t VALUES(1, 'again', 0, NULL)",
    "PRAGMA synchronous=OFF",
    "UPDATE t SET score = score + 1 WHERE id > 0 RETURNING id, score",
    "SELECT abs(-9223372036854775807 - 1)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i, i * 0.5, 'row ' || i FROM n",
    // After many rows.
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT iif(i = 2500, abs(-9223372036854775807 - 1), i) FROM n",
    "INSERT INTO cpu(time, host, load, note) VALUES('2026-01-01 00:00:00', 'a', 0.5, 'n'), ('2026-01-01 00:00:01', NULL, NULL, NULL)",
    "SELECT time, host, load, note FROM cpu ORDER BY time",
    "SELECT time_bucket('1 minute', time) AS minute, avg(load) FROM cpu GROUP BY 1",
    "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Device\"]', '{\"serial\": \"d1\"}')",
    "SELECT labels, properties FROM graph_nodes",
    "BEGIN",
    "INSERT INTO child VALUES(77)",
    "COMMIT",
    "ROLLBACK",
    "COMMIT",
    "DELETE FROM t WHERE id > 1",
};

std::string told_of_all(TestDatabase& database) {
  TestConnection connection(database);
  std::string out;
  for (const char* sql : kStatements) out += told(connection.get(), sql);
  return out;
}

Descriptor raw_connection(const std::string& directory) {
  auto connected = connect_socket(directory);
  REQUIRE(connected.ok());
  return connected.take();
}

void send_raw(const Descriptor& socket, const std::string& bytes) { ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

/// Has the host hung up?
bool ends(const Descriptor& socket) {
  char bytes[4096];
  return soon([&] { return ::recv(socket.number(), bytes, sizeof bytes, MSG_DONTWAIT) == 0; });
}

}  // namespace

TEST_CASE("types, values, conversions, names, errors and their places are those that the host has") {
  const TempDir temp;
  REQUIRE(at_home(temp / "home", [&](TestDatabase& home) {
    std::ofstream(temp / "told") << (make_tables(home) ? told_of_all(home) : "");
    return true;
  }));
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  REQUIRE(database.ok());
  std::ifstream told(temp / "told");
  CHECK(told_of_all(database) == std::string(std::istreambuf_iterator<char>(told), {}));
  CHECK(database.check() == "");
}

TEST_CASE("bound values arrive as they are, and misuse is answered as at home") {
  const TempDir temp;
  ServingProcess host(temp / "db", "value_bytes_max=100000", make_tables);
  TestDatabase database(temp / "db", "remote=auto");
  REQUIRE(database.ok());
  TestConnection connection(database);
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection.get(), "SELECT ?1, :b, @c, $d, ?5, typeof(?5)", -1, &statement, nullptr) == BRAID_OK);
  CHECK(braid_parameter_count(statement) == 5);
  CHECK(braid_parameter_index(statement, ":b") == 2);
  CHECK(braid_parameter_index(statement, ":none") == 0);
  CHECK(braid_bind_int64(statement, 1, INT64_MIN) == BRAID_OK);
  CHECK(braid_bind_double(statement, 2, std::numeric_limits<double>::quiet_NaN()) == BRAID_OK);
  CHECK(braid_bind_text(statement, 3, "a\0b", 3) == BRAID_OK);
  CHECK(braid_bind_blob(statement, 4, "", 0) == BRAID_OK);
  CHECK(braid_bind_double(statement, 5, HUGE_VAL) == BRAID_OK);
  CHECK(braid_bind_int64(statement, 6, 1) == BRAID_INVALID_ARGUMENT);
  CHECK(connection.error() == "parameter 6: the statement has parameters 1 to 5");
  const std::string large(100'001, 'x');
  CHECK(braid_bind_text(statement, 1, large.data(), static_cast<int64_t>(large.size())) == BRAID_LIMIT);
  CHECK(connection.error() == "the value is larger than value_bytes_max allows");
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_column_int64(statement, 0) == INT64_MIN);
  CHECK(braid_column_type(statement, 1) == BRAID_TYPE_NULL);
  int64_t size = 0;
  CHECK(std::string(braid_column_text(statement, 2, &size), 3) == std::string("a\0b", 3));
  CHECK(size == 3);
  CHECK(braid_column_type(statement, 3) == BRAID_TYPE_BLOB);
  CHECK(braid_column_double(statement, 4) == HUGE_VAL);
  CHECK(std::string(braid_column_text(statement, 5, nullptr)) == "real");
  CHECK(braid_bind_null(statement, 1) == BRAID_MISUSE);
  CHECK(braid_statement_step(statement) == BRAID_DONE);
  // What was bound stays for the next run.
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_column_int64(statement, 0) == INT64_MIN);
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  CHECK(braid_begin(connection.get(), 99) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_commit(connection.get()) == BRAID_MISUSE);
  CHECK(braid_execute(connection.get(), nullptr, 0) == BRAID_INVALID_ARGUMENT);
  braid_connection* closed = nullptr;
  REQUIRE(braid_connect(database.get(), &closed) == BRAID_OK);
  braid_statement* left = nullptr;
  REQUIRE(braid_prepare(closed, "SELECT 1", -1, &left, nullptr) == BRAID_OK);
  braid_disconnect(closed);
  CHECK(braid_statement_step(left) == BRAID_MISUSE);
  CHECK(braid_column_count(left) == 0);
  braid_statement_close(left);
  braid_statement_close(statement);
  int64_t value = 0;
  CHECK(braid_option_get(database.get(), "value_bytes_max", &value) == BRAID_OK);
  CHECK(value == 100'000);
  CHECK(braid_option_get(database.get(), "none", &value) == BRAID_NOT_FOUND);
  CHECK(database.figure("served") == 1);
  CHECK(braid_checkpoint(database.get()) == BRAID_OK);
  uint64_t number = 0;
  CHECK(braid_sync(database.get(), &number) == BRAID_OK);
  CHECK(number > 0);
  CHECK(braid_maintain(database.get(), -1, &number) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_maintain(database.get(), 10, &number) == BRAID_OK);
}

TEST_CASE("the graph, projections, points and batches of another process") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  braid_connection* raw = connection.get();
  REQUIRE(braid_begin(raw, BRAID_WRITE) == BRAID_OK);
  CHECK(braid_in_transaction(raw) == 1);
  int64_t a = 0, b = 0, first = 0, edge = 0;
  REQUIRE(braid_node_create(raw, "[\"Device\"]", "{\"serial\":\"s1\"}", &a) == BRAID_OK);
  CHECK(braid_node_create(raw, "[\"Device\"]", "{\"serial\":\"s1\"}", &b) == BRAID_CONSTRAINT);
  const char* properties[] = {"{\"serial\":\"s2\"}", nullptr, "{}"};
  REQUIRE(braid_nodes_create(raw, "[\"Device\"]", properties, 3, &first) == BRAID_OK);
  const int64_t sources[] = {a, first, first + 1};
  const int64_t targets[] = {first, first + 1, first + 2};
  REQUIRE(braid_edges_create(raw, "LINE", sources, targets, nullptr, 3, nullptr) == BRAID_OK);
  CHECK(braid_edges_create(raw, "LINE", nullptr, targets, nullptr, 3, nullptr) == BRAID_INVALID_ARGUMENT);
  REQUIRE(braid_edge_create(raw, a, "LINE", first, "{\"w\":2.5}", &edge) == BRAID_OK);
  CHECK(braid_edge_create(raw, a, "LINE", 999'999, nullptr, nullptr) == BRAID_CONSTRAINT);
  REQUIRE(braid_commit(raw) == BRAID_OK);
  CHECK(braid_in_transaction(raw) == 0);

  int64_t found = -1;
  CHECK(braid_node_find(raw, "Device", "serial", "\"s1\"", &found) == BRAID_OK);
  CHECK(found == a);
  CHECK(braid_node_find(raw, "Device", "serial", "\"s1\"", nullptr) == BRAID_INVALID_ARGUMENT);
  found = 99;
  CHECK(braid_node_find(raw, "Device", "nothing", "\"s1\"", &found) == BRAID_NOT_FOUND);
  CHECK(found == 0);
  const int64_t ends[] = {1};
  CHECK(braid_edges_create(raw, "T", ends, ends, nullptr, 0, nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(std::string(braid_connection_error(raw)).starts_with("count 0: expected 1"));
  const char *labels = nullptr, *text = nullptr, *type = nullptr;
  CHECK(braid_node_read(raw, a, &labels, &text) == BRAID_OK);
  CHECK(std::string(labels) == "[\"Device\"]");
  CHECK(std::string(text) == "{\"serial\":\"s1\"}");
  CHECK(braid_node_read(raw, 0, &labels, &text) == BRAID_INVALID_ARGUMENT);
  int64_t source = 0, target = 0;
  CHECK(braid_edge_read(raw, edge, &source, &type, &target, &text) == BRAID_OK);
  CHECK(source == a);
  CHECK(target == first);
  CHECK(std::string(type) == "LINE");
  CHECK(std::string(text) == "{\"w\":2.5}");
  braid_neighbor neighbors[4];
  size_t count = 0;
  CHECK(braid_neighbors(raw, a, BRAID_OUT, "LINE", neighbors, 4, &count) == BRAID_OK);
  REQUIRE(count == 2);
  CHECK(neighbors[0].node == first);
  CHECK(std::string(braid_type_name(raw, neighbors[0].type)) == "LINE");
  CHECK(braid_type_name(raw, 12345) == nullptr);
  int64_t nodes[8], edges[8];
  double cost = 0;
  CHECK(braid_shortest_path(raw, a, first + 2, BRAID_OUT, nullptr, nullptr, nodes, edges, 8, &count, &cost) == BRAID_OK);
  CHECK(count == 4);
  CHECK(nodes[3] == first + 2);
  CHECK(cost == 3);
  CHECK(braid_shortest_path(raw, a, first + 2, BRAID_OUT, nullptr, nullptr, nodes, edges, 2, &count, &cost) == BRAID_OK);
  CHECK(count == 4);

  braid_projection* projection = nullptr;
  REQUIRE(braid_projection_open(raw, nullptr, &projection) == BRAID_OK);
  int64_t node_count = 0, edge_count = 0;
  CHECK(braid_projection_size(projection, &node_count, &edge_count, nullptr) == BRAID_OK);
  CHECK(node_count == 4);
  CHECK(braid_projection_hops(projection, a, 2, BRAID_OUT, nodes, 1, &count) == BRAID_OK);
  CHECK(count == 2);
  CHECK(braid_projection_path(projection, a, first + 2, BRAID_OUT, nodes, edges, 8, &count) == BRAID_OK);
  CHECK(count == 4);
  braid_projection_close(projection);
  CHECK(braid_projection_open(raw, "nothing", &projection) == BRAID_NOT_FOUND);
  CHECK(projection == nullptr);
  braid_statement* ranks = nullptr;
  REQUIRE(braid_algorithm(raw, "pagerank", nullptr, "{\"damping\": 0.8}", &ranks) == BRAID_OK);
  int rows = 0;
  while (braid_statement_step(ranks) == BRAID_ROW) ++rows;
  CHECK(rows == 4);
  braid_statement_close(ranks);
  CHECK(braid_algorithm_write(raw, "pagerank", nullptr, nullptr, nullptr, "rank", &found) == BRAID_OK);
  CHECK(found == 4);

  braid_appender* appender = nullptr;
  REQUIRE(braid_appender_open(raw, "cpu", &appender) == BRAID_OK);
  const double load = 0.25;
  CHECK(braid_appender_point(appender, 1, &load, nullptr, 1) == BRAID_MISUSE);
  const char* host_a = "a";
  CHECK(braid_appender_series(appender, &host_a, 1) == BRAID_OK);
  CHECK(braid_appender_series(appender, &host_a, 2) == BRAID_INVALID_ARGUMENT);
  const int64_t times[] = {1'000'000, 2'000'000, 3'000'000};
  const double loads[] = {1, 2, 3};
  const char* notes[] = {"x", nullptr, "z"};
  const uint8_t nulls[] = {0, 1, 0};
  braid_column columns[] = {{sizeof(braid_column), BRAID_TYPE_DOUBLE, loads, nulls}, {sizeof(braid_column), BRAID_TYPE_TEXT, notes, nullptr}};
  CHECK(braid_appender_columns(appender, times, 3, columns, 2) == BRAID_OK);
  CHECK(braid_appender_columns(appender, times, 3, columns, 1) == BRAID_INVALID_ARGUMENT);
  columns[0].size_bytes = 3;
  CHECK(braid_appender_columns(appender, times, 3, columns, 2) == BRAID_INVALID_ARGUMENT);
  columns[0].size_bytes = sizeof(braid_column);
  CHECK(braid_appender_on_conflict(appender, "no such") == BRAID_INVALID_ARGUMENT);
  CHECK(braid_appender_flush(appender) == BRAID_OK);
  CHECK(braid_appender_close(appender) == BRAID_OK);
  CHECK(connection.rows("SELECT load, note FROM cpu ORDER BY time") == "1.0|x;|;3.0|z");

  TestBatch batch(database);
  const braid_value values[] = {{BRAID_TYPE_INT64, 50, 0, nullptr, 0}, {BRAID_TYPE_TEXT, 0, 0, "fifty", -1}, {BRAID_TYPE_BLOB, 0, 0, "\0", 1}};
  CHECK(braid_batch_execute(batch.get(), "INSERT INTO t(id, name, data) VALUES(?, ?, ?)", -1, values, 3) == BRAID_OK);
  CHECK(braid_batch_edge(batch.get(), a, "LINE", first, nullptr) == BRAID_OK);
  CHECK(braid_batch_node(batch.get(), nullptr, "{}") == BRAID_OK);
  CHECK(braid_batch_points(batch.get(), "cpu", &host_a, 1, times, 3, columns, 2) == BRAID_OK);
  CHECK(braid_batch_points(batch.get(), "none", &host_a, 1, times, 3, columns, 2) == BRAID_NOT_FOUND);
  CHECK(batch.error() == "there is no hypertable 'none'");
  uint64_t lsn = 0;
  CHECK(batch.commit(&lsn) == BRAID_OK);
  CHECK(lsn > 0);
  CHECK(batch.execute("INSERT INTO t(id) VALUES(50)") == BRAID_OK);
  CHECK(batch.commit() == BRAID_CONSTRAINT);
  CHECK(batch.error().find("step 1") != std::string::npos);
  CHECK(connection.rows("SELECT name, hex(data) FROM t WHERE id = 50") == "fifty|00");
  CHECK(database.check() == "");
}

TEST_CASE("handles whose connection is closed say so") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  braid_connection* raw = nullptr;
  REQUIRE(braid_connect(database.get(), &raw) == BRAID_OK);
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(raw, "SELECT 1", -1, &statement, nullptr) == BRAID_OK);
  ArrowArrayStream stream;
  braid_projection* projection = nullptr;
  braid_appender* appender = nullptr;
  REQUIRE(braid_projection_open(raw, nullptr, &projection) == BRAID_OK);
  REQUIRE(braid_appender_open(raw, "cpu", &appender) == BRAID_OK);
  braid_disconnect(raw);
  size_t count = 0;
  int64_t number = 0;
  CHECK(braid_projection_size(projection, &number, nullptr, nullptr) == BRAID_MISUSE);
  CHECK(braid_projection_hops(projection, 1, 1, BRAID_OUT, &number, 1, &count) == BRAID_MISUSE);
  CHECK(braid_projection_path(projection, 1, 1, BRAID_OUT, nullptr, nullptr, 0, &count) == BRAID_MISUSE);
  CHECK(braid_appender_flush(appender) == BRAID_MISUSE);
  CHECK(braid_statement_step(statement) == BRAID_MISUSE);
  CHECK(braid_statement_reset(statement) == BRAID_MISUSE);
  CHECK(braid_statement_arrow(statement, nullptr, &stream) == BRAID_MISUSE);
  braid_projection_close(projection);
  CHECK(braid_appender_close(appender) == BRAID_MISUSE);
  braid_statement_close(statement);
}

TEST_CASE("what the host set on its own handle is not for the calls of others, and they are told of figures as it is") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", [](TestDatabase& database) {
    braid_cancel* cancel = nullptr;
    const bool set = make_tables(database) && braid_cancel_open(&cancel) == BRAID_OK && braid_database_set_cancel(database.get(), cancel) == BRAID_OK &&
                     braid_cancel_set(cancel) == BRAID_OK;
    braid_cancel_close(cancel);
    return set && braid_checkpoint(database.get()) == BRAID_INTERRUPTED;
  });
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  CHECK(braid_checkpoint(database.get()) == BRAID_OK);
  CHECK(database.check() == "");
  TestBatch batch(database);
  REQUIRE(batch.execute("INSERT INTO t(id) VALUES(1)") == BRAID_OK);
  CHECK(batch.commit() == BRAID_OK);
  int32_t kind = -1;
  CHECK(braid_stats(
            database.get(),
            [](void* context, const braid_figure* figure) {
              if (std::string(figure->name) == "commits") *static_cast<int32_t*>(context) = figure->kind;
            },
            &kind) == BRAID_OK);
  CHECK(kind == BRAID_COUNTER);
}

TEST_CASE("transactions of several processes keep each other out as connections do, and a dead client's is undone") {
  const TempDir temp;
  ServingProcess host(temp / "db", "busy_timeout_ms=50", make_tables);
  REQUIRE(host.succeeded());
  std::unique_ptr<TestDatabase> theirs;
  std::unique_ptr<TestConnection> writer;
  OtherProcess other([&] {
    theirs = std::make_unique<TestDatabase>(temp / "db", "remote=only");
    writer = std::make_unique<TestConnection>(*theirs);
    return braid_begin(writer->get(), BRAID_WRITE) == BRAID_OK && writer->run("INSERT INTO t(id) VALUES(1)") == BRAID_OK;
  });
  REQUIRE(other.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  CHECK(connection.run("INSERT INTO t(id) VALUES(2)") == BRAID_BUSY);
  CHECK(connection.number("SELECT count(*) FROM t") == 0);
  const int64_t before = database.figure("connections");
  kill(other.pid(), SIGKILL);
  CHECK(soon([&] { return connection.run("INSERT INTO t(id) VALUES(2)") == BRAID_OK; }));
  CHECK(connection.rows("SELECT id FROM t") == "2");
  CHECK(soon([&] { return database.figure("connections") == before - 1; }));

  REQUIRE(connection.run("BEGIN; INSERT INTO t(id) VALUES(3); SAVEPOINT s; INSERT INTO t(id) VALUES(4)") == BRAID_OK);
  CHECK(braid_rollback_to(connection.get(), "s") == BRAID_OK);
  CHECK(braid_release(connection.get(), "s") == BRAID_OK);
  CHECK(braid_savepoint(connection.get(), "not a name") == BRAID_INVALID_ARGUMENT);
  CHECK(braid_commit(connection.get()) == BRAID_OK);
  uint64_t lsn = 0;
  CHECK(braid_lsn(connection.get(), &lsn) == BRAID_OK);
  CHECK(lsn > 0);
  CHECK(connection.rows("SELECT id FROM t") == "2;3");

  // A snapshot stays what it was while others commit.
  TestConnection reader(database);
  REQUIRE(braid_begin(reader.get(), BRAID_READ) == BRAID_OK);
  REQUIRE(reader.number("SELECT count(*) FROM t") == 2);
  REQUIRE(connection.run("INSERT INTO t(id) VALUES(9)") == BRAID_OK);
  CHECK(reader.number("SELECT count(*) FROM t") == 2);
  CHECK(reader.run("INSERT INTO t(id) VALUES(10)") == BRAID_READ_ONLY);
}

TEST_CASE("a client that dies amid the rows of a writing statement has written nothing") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  OtherProcess other([&] {
    auto* theirs = new TestDatabase(temp / "db", "remote=only");
    auto* writer = new TestConnection(*theirs);
    braid_statement* statement = nullptr;
    return braid_prepare(writer->get(), "INSERT INTO t(id) VALUES(1), (2), (3) RETURNING id", -1, &statement, nullptr) == BRAID_OK &&
           braid_statement_step(statement) == BRAID_ROW;
  });
  REQUIRE(other.succeeded());
  kill(other.pid(), SIGKILL);
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  CHECK(soon([&] { return connection.run("INSERT INTO t(id) VALUES(10)") == BRAID_OK; }));
  CHECK(connection.rows("SELECT id FROM t") == "10");
}

TEST_CASE("when the host is killed its clients are told, and the directory can be opened") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  {
    TestDatabase database(temp / "db", "remote=only");
    TestConnection reader(database), writer(database), inside(database);
    REQUIRE(reader.number("SELECT count(*) FROM t") == 0);
    REQUIRE(inside.run("BEGIN; SELECT 1") == BRAID_OK);
    kill(host.pid(), SIGKILL);
    host.release();
    const std::string gone = "the process that served " + (temp / "db") + " has gone away";
    CHECK(reader.rows("SELECT 1") == "error " + std::to_string(BRAID_IO) + ": " + gone);
    // What was never sent was never done.
    CHECK(writer.run("INSERT INTO t(id) VALUES(1)") == BRAID_IO);
    CHECK(writer.error() == gone);
    CHECK(braid_node_create(inside.get(), nullptr, nullptr, nullptr) == BRAID_IO);
    CHECK(braid_in_transaction(inside.get()) == 0);
    CHECK(braid_stats(
              database.get(), [](void*, const braid_figure*) {}, nullptr) == BRAID_IO);
    CHECK(std::string(braid_database_error(database.get())) == gone);
    braid_connection* none = nullptr;
    CHECK(braid_connect(database.get(), &none) == BRAID_IO);
  }
  // The socket that it left is in nobody's way.
  CHECK(std::filesystem::is_socket(temp / "db/socket"));
  CHECK(TestDatabase(temp / "db", "remote=only").code() == BRAID_BUSY);
  CHECK(at_home(
      temp / "db", [](TestDatabase& database) { return database.check().empty(); }, "remote=auto"));
}

TEST_CASE("of a call that may have committed when the host was killed the outcome is unknown; of one in a transaction it is not") {
  for (const bool inside : {false, true}) {
    const TempDir temp;
    ServingProcess host(temp / "db", "", make_tables);
    REQUIRE(host.succeeded());
    TestDatabase database(temp / "db", "remote=only");
    TestConnection connection(database);
    if (inside) REQUIRE(braid_begin(connection.get(), BRAID_WRITE) == BRAID_OK);
    braid_statement* statement = nullptr;
    REQUIRE(braid_prepare(connection.get(),
                          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t(id) SELECT 1 FROM n WHERE i < 0", -1,
                          &statement, nullptr) == BRAID_OK);
    std::thread kills([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      kill(host.pid(), SIGKILL);
    });
    CHECK(braid_statement_step(statement) == (inside ? BRAID_IO : BRAID_UNKNOWN_OUTCOME));
    kills.join();
    CHECK(connection.error().starts_with("the process that served " + (temp / "db") + " has gone away"));
    CHECK(braid_statement_step(statement) == BRAID_IO);
    braid_statement_close(statement);
  }
}

// What begins a transaction, or writes within one, commits nothing.
TEST_CASE("only of what may have committed the outcome is unknown") {
  struct Row {
    const char* before;
    const char* sql;
    int32_t code;
  };
  constexpr Row kRows[] = {{"", "BEGIN", BRAID_IO},
                           {"", "BEGIN; INSERT INTO t(id) VALUES(1)", BRAID_IO},
                           {"", "BEGIN; INSERT INTO t(id) VALUES(1); COMMIT", BRAID_UNKNOWN_OUTCOME},
                           {"", "INSERT INTO t(id) VALUES(1)", BRAID_UNKNOWN_OUTCOME},
                           {"BEGIN", "INSERT INTO t(id) VALUES(1)", BRAID_IO},
                           {"BEGIN", "COMMIT", BRAID_UNKNOWN_OUTCOME},
                           {"BEGIN", "ROLLBACK; INSERT INTO t(id) VALUES(1)", BRAID_UNKNOWN_OUTCOME}};
  int unknown = 0;
  for (const Row& row : kRows) {
    CAPTURE(row.sql);
    const TempDir temp;
    ServingProcess host(temp / "db", "", make_tables);
    REQUIRE(host.succeeded());
    TestDatabase database(temp / "db", "remote=only");
    TestConnection connection(database);
    REQUIRE(connection.run(row.before) == BRAID_OK);
    kill(host.pid(), SIGSTOP);
    int status = 0;
    REQUIRE(waitpid(host.pid(), &status, WUNTRACED) == host.pid());
    int32_t code = BRAID_OK;
    std::thread runs([&] { code = connection.run(row.sql); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kill(host.pid(), SIGKILL);
    runs.join();
    // A host that is gone before the call is sent has not done it.
    CHECK((code == row.code || code == BRAID_IO));
    unknown += code == BRAID_UNKNOWN_OUTCOME ? 1 : 0;
  }
  CHECK(unknown > 0);
}

TEST_CASE("a host that closes answers the calls that run") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  int32_t code = BRAID_OK;
  {
    TestDatabase database(temp / "db", "remote=only");
    TestConnection connection(database);
    std::thread runs([&] {
      code = connection.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) INSERT INTO t(id) SELECT max(i) FROM n");
    });
    REQUIRE(soon([&] { return database.figure("clients") >= 2; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    host.release();
    runs.join();
  }
  CHECK((code == BRAID_OK || code == BRAID_IO));
  CHECK(at_home(temp / "db", [code](TestDatabase& database) {
    TestConnection connection(database);
    return connection.number("SELECT count(*) FROM t") == (code == BRAID_OK ? 1 : 0);
  }));
}

TEST_CASE("closing the host ends what clients run, and does not wait for them") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  {
    TestDatabase database(temp / "db", "remote=only");
    TestConnection idle(database), busy(database);
    REQUIRE(idle.run("BEGIN; INSERT INTO t(id) VALUES(1)") == BRAID_OK);
    std::string answer;
    std::thread runs([&] { answer = busy.rows("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"); });
    REQUIRE(soon([&] { return database.figure("clients") >= 3; }));
    const auto start = std::chrono::steady_clock::now();
    host.release();
    runs.join();
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
    CHECK(answer.starts_with("error " + std::to_string(BRAID_IO)));
    CHECK(idle.run("COMMIT") == BRAID_IO);
    CHECK_FALSE(std::filesystem::exists(temp / "db/socket"));
  }
  const auto is_empty = [](TestDatabase& again) {
    TestConnection reader(again);
    return reader.number("SELECT count(*) FROM t") == 0;
  };
  CHECK(at_home(temp / "db", is_empty, "read_only=1"));
}

TEST_CASE("an interrupt reaches the statement at the host, before and between its rows") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  for (int round = 0; round < 20; ++round) {
    std::thread stops([&] {
      // It may come before the statement has begun there.
      std::this_thread::sleep_for(std::chrono::microseconds(round * 300));
      braid_interrupt(connection.get());
    });
    const int32_t code = connection.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000000) SELECT count(*) FROM n");
    stops.join();
    CHECK((code == BRAID_INTERRUPTED || (round == 0 && code == BRAID_OK)));
  }
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection.get(), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", -1, &statement,
                        nullptr) == BRAID_OK);
  for (int i = 0; i < 1000; ++i) REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  braid_interrupt(connection.get());
  CHECK(braid_statement_step(statement) == BRAID_INTERRUPTED);
  CHECK(connection.error() == "interrupted");
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  braid_statement_close(statement);
  CHECK(connection.number("SELECT 5") == 5);
  CHECK(braid_set_time_limit(connection.get(), 20) == BRAID_OK);
  CHECK(connection.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n") == BRAID_INTERRUPTED);
}

TEST_CASE("rows stream: a result larger than what is sent at once, and one large value") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection.get(),
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i, 'text of row ' || i FROM n", -1,
                        &statement, nullptr) == BRAID_OK);
  int64_t sum = 0, rows = 0;
  for (; braid_statement_step(statement) == BRAID_ROW; ++rows) sum += braid_column_int64(statement, 0);
  CHECK(rows == 300'000);
  CHECK(sum == 45'000'150'000);
  braid_statement_close(statement);
  REQUIRE(braid_prepare(connection.get(), "SELECT ?1", -1, &statement, nullptr) == BRAID_OK);
  std::string large(20'000'000, 'x');
  large[12'345'678] = 'y';
  REQUIRE(braid_bind_blob(statement, 1, large.data(), static_cast<int64_t>(large.size())) == BRAID_OK);
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  int64_t size = 0;
  const void* blob = braid_column_blob(statement, 0, &size);
  CHECK(std::string_view(static_cast<const char*>(blob), static_cast<size_t>(size)) == large);
  braid_statement_close(statement);
}

TEST_CASE("a restricted connection stays restricted, and a backup is made by the host with its progress told here") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  {
    TestDatabase database(temp / "db", "remote=only");
    TestConnection connection(database);
    REQUIRE(braid_restrict(connection.get(), BRAID_RESTRICT_READ_ONLY, 0, 1000) == BRAID_OK);
    CHECK(connection.run("CREATE TABLE u(a)") == BRAID_DENIED);
    braid_statement* statement = nullptr;
    REQUIRE(braid_prepare(connection.get(), "SELECT ?1", -1, &statement, nullptr) == BRAID_OK);
    const std::string large(1001, 'x');
    CHECK(braid_bind_text(statement, 1, large.data(), 1001) == BRAID_LIMIT);
    braid_statement_close(statement);

    braid_backup_report report{};
    report.size_bytes = sizeof report;
    CHECK(braid_backup(database.get(), (temp / "copy").c_str(), nullptr, nullptr, nullptr, &report) == BRAID_OK);
    CHECK(report.lsn > 0);
    CHECK(braid_backup(database.get(), (temp / "db").c_str(), nullptr, nullptr, nullptr, nullptr) == BRAID_INVALID_ARGUMENT);
  }
  CHECK(at_home(temp / "copy", [](TestDatabase& copy) { return copy.check().empty(); }));
}

TEST_CASE("bytes that are no message end their connection and nothing else") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  {
    const Descriptor garbage = raw_connection(temp / "db");
    send_raw(garbage, "GET / HTTP/1.1\r\n\r\n");
    CHECK(ends(garbage));
  }
  {
    const Descriptor huge = raw_connection(temp / "db");
    send_raw(huge, encode_header({FrameKind::kMessage, 0xffffffff}));
    CHECK(ends(huge));
  }
  {
    // It promises 300 MB and sends nothing: that costs the host nothing.
    const Descriptor promise = raw_connection(temp / "db");
    send_raw(promise, encode_header({FrameKind::kMessage, 37'000'000}) + "some bytes");
    CHECK(connection.number("SELECT 1") == 1);
  }
  {
    // Two calls at once: the second ends it.
    const Descriptor hasty = raw_connection(temp / "db");
    Message call;
    call.operation = Operation::kStats;
    const std::string frame = encode_message(call, kMessageBytesMax).take();
    std::string many;
    for (int i = 0; i < 200; ++i) many += frame;
    send_raw(hasty, many);
    CHECK(ends(hasty));
  }
  for (uint16_t operation = 0; operation < kOperationCount; ++operation) {
    // Each call without a greeting, a connection or anything that it needs: answered, and with an error wherever it matters.
    Channel channel(raw_connection(temp / "db"));
    for (const size_t count : {0, 1, 6}) {
      Message call;
      call.operation = static_cast<Operation>(operation);
      call.handle = 77;
      call.values.assign(count, Value::number(INT64_MAX));
      REQUIRE(channel.send(call, kMessageBytesMax).ok());
      const auto answer = channel.receive();
      REQUIRE(answer.ok());
      CHECK((answer->code == BRAID_OK) == answer->error.empty());
    }
  }
  CHECK(connection.number("SELECT count(*) FROM t") == 0);
  CHECK(soon([&] { return database.figure("clients") == 2; }));
  CHECK(database.check() == "");
}

TEST_CASE("the host bounds its clients, and says so") {
  const TempDir temp;
  ServingProcess host(temp / "db", "connections_max=4", make_tables);
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  REQUIRE(database.ok());
  std::vector<std::unique_ptr<TestConnection>> connections;
  while (connections.size() < 10 && (connections.empty() || connections.back()->code() == BRAID_OK))
    connections.push_back(std::make_unique<TestConnection>(database));
  CHECK(connections.back()->code() == BRAID_LIMIT);
  CHECK(std::string(braid_database_error(database.get())).find("connections_max") != std::string::npos);
  CHECK(connections.front()->number("SELECT 3") == 3);
}

TEST_CASE("a host that serves nobody is busy, and says that it is not served") {
  const TempDir temp;
  ServingProcess host(temp / "db", "serve=no", make_tables);
  REQUIRE(host.succeeded());
  const TestDatabase refused(temp / "db", "remote=auto");
  CHECK(refused.code() == BRAID_BUSY);
  CHECK(refused.message().find("in use by process " + std::to_string(host.pid())) != std::string::npos);
  CHECK(refused.message().find("not served") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(temp / "db/socket"));
  CHECK(TestDatabase(temp / "db", "").code() == BRAID_BUSY);
  CHECK(TestDatabase(temp / "none", "remote=only").code() == BRAID_IO);
}

TEST_CASE("options of one's own are refused where the host's hold") {
  const TempDir temp;
  ServingProcess host(temp / "db", "");
  const TestDatabase refused(temp / "db", "remote=auto;busy_timeout_ms=1");
  CHECK(refused.code() == BRAID_BUSY);
  CHECK(refused.message().find("'busy_timeout_ms'") != std::string::npos);
  const TestDatabase reading(temp / "db", "remote=auto;read_only=1");
  CHECK(reading.code() == BRAID_BUSY);
}

TEST_CASE("the socket is its owner's alone, reached by long paths, and never through a link") {
  const TempDir temp;
  const std::string deep = (temp / std::string(100, 'd')) + "/" + std::string(100, 'e');
  std::filesystem::create_directories(deep);
  ServingProcess host(deep + "/db", "", make_tables);
  REQUIRE(host.succeeded());
  struct stat status;
  REQUIRE(::lstat((deep + "/db/socket").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  {
    TestDatabase database(deep + "/db", "remote=only");
    REQUIRE(database.ok());
    TestConnection connection(database);
    CHECK(connection.number("SELECT 7") == 7);
  }
  std::filesystem::create_directory(temp / "trap");
  std::filesystem::create_symlink(deep + "/db/socket", temp / "trap/socket");
  CHECK(TestDatabase(temp / "trap", "remote=only").code() == BRAID_DENIED);
  // Whoever opens a directory replaces what lies there, and leaves alone what it points to.
  host.release();
  const std::string precious = temp / "precious";
  std::filesystem::create_directory(precious);
  std::filesystem::create_directory_symlink(precious, deep + "/db/socket");
  CHECK(at_home(deep + "/db", [&](TestDatabase&) { return std::filesystem::is_socket(deep + "/db/socket"); }));
  CHECK(std::filesystem::is_directory(precious));
}

TEST_CASE("a child that was forked from a client may only end") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", make_tables);
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  OtherProcess child([&] { return connection.run("SELECT 1") == BRAID_MISUSE && database.close() == BRAID_MISUSE; });
  CHECK(child.succeeded());
  CHECK(connection.number("SELECT 1") == 1);
}

TEST_CASE("progress of an algorithm at the host is told here, and an answer stops it") {
  const TempDir temp;
  ServingProcess host(temp / "db", "", [](TestDatabase& database) {
    TestConnection connection(database);
    std::vector<int64_t> sources, targets;
    int64_t first = 0;
    if (braid_nodes_create(connection.get(), nullptr, nullptr, 20'000, &first) != BRAID_OK) return false;
    for (int64_t i = 0; i < 60'000; ++i) {
      sources.push_back(first + i % 20'000);
      targets.push_back(first + i * 7919 % 20'000);
    }
    return braid_edges_create(connection.get(), "E", sources.data(), targets.data(), nullptr, sources.size(), nullptr) == BRAID_OK;
  });
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  int calls = 0;
  const auto stop = [](void* context, double) -> int32_t { return ++*static_cast<int*>(context) > 0 ? 1 : 0; };
  REQUIRE(braid_on_progress(connection.get(), stop, &calls) == BRAID_OK);
  braid_statement* statement = nullptr;
  REQUIRE(braid_algorithm(connection.get(), "betweenness", nullptr, nullptr, &statement) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_INTERRUPTED);
  braid_statement_close(statement);
  CHECK(calls > 0);
}
