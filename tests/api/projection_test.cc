// Bulk creation, projections and algorithms through the C API.
#include <doctest/doctest.h>

#include <array>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

/// A ring of `count` nodes 1 to count, each with the label Stop.
struct Ring {
  explicit Ring(int64_t count) : database(directory / "db"), connection(database) {
    REQUIRE(braid_nodes_create(connection.get(), R"(["Stop"])", nullptr, static_cast<size_t>(count), &first) == BRAID_OK);
    std::vector<int64_t> sources, targets;
    for (int64_t i = 0; i < count; ++i) {
      sources.push_back(first + i);
      targets.push_back(first + (i + 1) % count);
    }
    REQUIRE(braid_edges_create(connection.get(), "NEXT", sources.data(), targets.data(), nullptr, sources.size(), nullptr) == BRAID_OK);
  }
  TempDir directory;
  TestDatabase database;
  TestConnection connection;
  int64_t first = 0;
};

std::string rows_of(TestConnection& connection, const char* algorithm, const char* projection, const char* arguments) {
  braid_statement* statement = nullptr;
  if (braid_algorithm(connection.get(), algorithm, projection, arguments, &statement) != BRAID_OK) return "error: " + connection.error();
  std::string out;
  int32_t code = BRAID_ROW;
  while ((code = braid_statement_step(statement)) == BRAID_ROW) {
    for (int32_t i = 0; i < braid_column_count(statement); ++i)
      out += (i == 0 ? "" : "|") + std::string(braid_column_text(statement, i, nullptr));
    out += ";";
  }
  if (code != BRAID_DONE) out = "error: " + connection.error();
  braid_statement_close(statement);
  return out;
}

}  // namespace

TEST_CASE("many nodes and edges are created with one call, all or none") {
  Ring ring(5);
  CHECK(ring.connection.rows("SELECT count(*), min(id), max(id) FROM graph_nodes WHERE label = 'Stop'") == "5|1|5");
  CHECK(ring.connection.rows("SELECT group_concat(src || '>' || dst, ' ') FROM graph_edges") == "1>2 2>3 3>4 4>5 5>1");
  const std::array<int64_t, 2> sources{1, 2}, missing{3, 99};
  const std::array<const char*, 2> properties{R"({"km": 4})", nullptr}, damaged{R"({"km": 4})", "{"};
  braid_connection* connection = ring.connection.get();
  CHECK(braid_edges_create(connection, "NEXT", sources.data(), missing.data(), nullptr, 2, nullptr) == BRAID_CONSTRAINT);
  CHECK(ring.connection.error() == "edge 2 of 2, at index 1: the edge's target is missing: there is no node 99");
  CHECK(braid_edges_create(connection, "NEXT", sources.data(), sources.data(), damaged.data(), 2, nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(ring.connection.error().find("edge 2 of 2") != std::string::npos);
  CHECK(braid_edges_create(connection, "NEXT", sources.data(), sources.data(), nullptr, 0, nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_edges_create(connection, nullptr, sources.data(), sources.data(), nullptr, 2, nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_nodes_create(connection, nullptr, damaged.data(), 2, nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(ring.connection.number("SELECT count(*) FROM graph_edges") == 5);
  CHECK(ring.connection.number("SELECT count(*) FROM graph_nodes") == 5);
  int64_t first = 0;
  CHECK(braid_edges_create(connection, "LOOP", sources.data(), sources.data(), properties.data(), 2, &first) == BRAID_OK);
  CHECK(first == 6);
  CHECK(ring.connection.rows("SELECT properties FROM graph_edges WHERE id >= 6") == R"({"km":4};{})");
  CHECK(ring.database.check() == "");
}

TEST_CASE("edges created with one call are there after the database was not closed") {
  Ring ring(300);
  REQUIRE(ring.connection.run("BEGIN; SAVEPOINT s") == BRAID_OK);
  const std::vector<int64_t> hub(1000, 1);
  REQUIRE(braid_edges_create(ring.connection.get(), "T", hub.data(), hub.data(), nullptr, hub.size(), nullptr) == BRAID_OK);
  REQUIRE(ring.connection.run("ROLLBACK TO s; COMMIT") == BRAID_OK);
  CHECK(ring.connection.number("SELECT count(*) FROM graph_edges") == 300);
  REQUIRE(braid_edges_create(ring.connection.get(), "T", hub.data(), hub.data(), nullptr, hub.size(), nullptr) == BRAID_OK);
  const std::string copy = ring.directory / "copy";
  // A copy of the files as they are is what a crash leaves; LOCK names the file of which it would be a copy.
  REQUIRE(std::system(("cp -r " + (ring.directory / "db") + " " + copy + " && rm " + copy + "/LOCK").c_str()) == 0);
  TestDatabase crashed(copy);
  REQUIRE_MESSAGE(crashed.ok(), crashed.message());
  TestConnection connection(crashed);
  CHECK(connection.number("SELECT count(*) FROM graph_edges") == 1300);
  CHECK(connection.number("SELECT count(*) FROM graph_neighbors(1, 'out')") == 1001);
  CHECK(crashed.check() == "");
}

TEST_CASE("walks on a projection stay at its moment; one opened later sees the commit") {
  Ring ring(6);
  braid_projection* before = nullptr;
  REQUIRE(braid_projection_open(ring.connection.get(), nullptr, &before) == BRAID_OK);
  std::array<int64_t, 8> nodes{}, edges{};
  size_t count = 0;
  CHECK(braid_projection_hops(before, 1, 2, BRAID_OUT, nodes.data(), nodes.size(), &count) == BRAID_OK);
  CHECK(count == 2);
  CHECK(nodes[0] == 2);
  CHECK(nodes[1] == 3);
  CHECK(braid_projection_hops(before, 1, 2, BRAID_BOTH, nullptr, 0, &count) == BRAID_OK);
  CHECK(count == 4);
  CHECK(braid_projection_path(before, 1, 4, BRAID_IN, nodes.data(), edges.data(), nodes.size(), &count) == BRAID_OK);
  REQUIRE(count == 4);
  CHECK(nodes[1] == 6);
  CHECK(edges[0] == 6);
  CHECK(edges[2] == 4);
  REQUIRE(braid_edge_create(ring.connection.get(), 1, "NEXT", 4, nullptr, nullptr) == BRAID_OK);
  CHECK(braid_projection_path(before, 1, 4, BRAID_OUT, nodes.data(), nullptr, nodes.size(), &count) == BRAID_OK);
  CHECK(count == 4);
  braid_projection* after = nullptr;
  REQUIRE(braid_projection_open(ring.connection.get(), nullptr, &after) == BRAID_OK);
  CHECK(braid_projection_path(after, 1, 4, BRAID_OUT, nodes.data(), edges.data(), nodes.size(), &count) == BRAID_OK);
  CHECK(count == 2);
  CHECK(edges[0] == 7);
  int64_t size[3];
  CHECK(braid_projection_size(after, &size[0], &size[1], &size[2]) == BRAID_OK);
  CHECK(size[0] == 6);
  CHECK(size[1] == 7);
  CHECK(size[2] > 0);
  CHECK(braid_projection_hops(after, 99, 1, BRAID_OUT, nullptr, 0, &count) == BRAID_NOT_FOUND);
  CHECK(ring.connection.error() == "start: node 99 is not in the projection");
  CHECK(braid_projection_hops(after, 1, 1, 7, nullptr, 0, &count) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_projection_hops(after, 1, 1, BRAID_OUT, nullptr, 3, &count) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_projection_hops(nullptr, 1, 1, BRAID_OUT, nullptr, 0, &count) == BRAID_MISUSE);
  braid_projection* none = before;
  CHECK(braid_projection_open(ring.connection.get(), "no such", &none) == BRAID_NOT_FOUND);
  CHECK(none == nullptr);
  braid_projection_close(before);
  braid_projection_close(after);
  braid_projection_close(nullptr);
}

TEST_CASE("algorithms run by name, and say which parameters there are") {
  Ring ring(4);
  CHECK(rows_of(ring.connection, "bfs", nullptr, R"({"source": 2})") == "2|0|;3|1|2;4|2|3;1|3|4;");
  CHECK(rows_of(ring.connection, "graph_bfs", nullptr, R"({"start": 2})") ==
        "error: graph_bfs has no parameter 'start'; it has source");
  CHECK(rows_of(ring.connection, "bfs", "no such", R"({"source": 2})").find("there is no projection 'no such'") != std::string::npos);
  CHECK(rows_of(ring.connection, "pagerang", nullptr, nullptr).find("there is no algorithm 'pagerang'") != std::string::npos);
  CHECK(rows_of(ring.connection, "pagerank", nullptr, R"({"damping": 2})").find("expected a number from") != std::string::npos);
  CHECK(rows_of(ring.connection, "pagerank", nullptr, "[1]").find("expected a JSON object") != std::string::npos);
}

TEST_CASE("a result is kept as a property in one transaction") {
  Ring ring(4);
  int64_t count = 0;
  braid_connection* connection = ring.connection.get();
  REQUIRE(braid_algorithm_write(connection, "pagerank", nullptr, nullptr, nullptr, "rank", &count) == BRAID_OK);
  CHECK(count == 4);
  CHECK(ring.connection.rows("SELECT sum(json_extract(properties, '$.rank')) FROM graph_nodes") == "1.0");
  CHECK(ring.connection.rows("SELECT graph_write('edge_betweenness', NULL, 'load')") == "4");
  CHECK(ring.connection.rows("SELECT count(*) FROM graph_edges WHERE json_extract(properties, '$.load') > 0") == "4");
  CHECK(ring.connection.rows("SELECT graph_write('bfs', NULL, 'far', 'depth', '{\"source\": 1}')") == "4");
  CHECK(ring.connection.rows("SELECT json_extract(properties, '$.far') FROM graph_nodes") == "0;1;2;3");
  CHECK(ring.connection.rows("SELECT graph_write('articulation_points', NULL, 'weak')") == "0");
  REQUIRE(ring.connection.run("BEGIN; SELECT graph_write('wcc', NULL, 'part'); ROLLBACK") == BRAID_OK);
  CHECK(ring.connection.rows("SELECT count(*) FROM graph_nodes WHERE properties LIKE '%part%'") == "0");
  CHECK(braid_algorithm_write(connection, "bfs", nullptr, R"({"source": 1})", "colour", "x", nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(ring.connection.error() == "graph_bfs has no column 'colour' to keep; it has depth, parent");
  CHECK(braid_algorithm_write(connection, "pagerank", nullptr, nullptr, nullptr, "", nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_algorithm_write(connection, "all_pairs", nullptr, nullptr, nullptr, "x", nullptr) == BRAID_INVALID_ARGUMENT);
  REQUIRE(ring.connection.run("CREATE TABLE t(id TEXT PRIMARY KEY, size INT); INSERT INTO t VALUES('a', 1); SELECT graph_bind('T', 't', 'id')") == BRAID_OK);
  CHECK(braid_algorithm_write(connection, "wcc", nullptr, nullptr, nullptr, "size", nullptr) == BRAID_CONSTRAINT);
  CHECK(braid_algorithm_write(connection, "wcc", nullptr, nullptr, nullptr, "part", nullptr) == BRAID_OK);
  CHECK(ring.connection.rows("SELECT properties FROM graph_nodes WHERE label = 'T'") == R"({"id":"a","size":1,"part":5})");
  CHECK(ring.database.check() == "");
}

TEST_CASE("what makes many nodes, or keeps a result, is undone as a whole inside a transaction") {
  Ring ring(3);
  braid_connection* connection = ring.connection.get();
  REQUIRE(ring.connection.run("SELECT graph_create_index('U', 'u', 1); INSERT INTO graph_nodes(labels, properties) VALUES('[\"U\"]', '{\"u\":5}'), "
                              "('[\"U\"]', '{\"u\":6}'); BEGIN IMMEDIATE") == BRAID_OK);
  const std::array<const char*, 3> twice{R"({"u":1})", R"({"u":2})", R"({"u":1})"}, damaged{"{}", "{}", "{"};
  CHECK(braid_nodes_create(connection, R"(["U"])", twice.data(), 3, nullptr) == BRAID_CONSTRAINT);
  CHECK(braid_nodes_create(connection, nullptr, damaged.data(), 3, nullptr) == BRAID_INVALID_ARGUMENT);
  CHECK(ring.connection.number("SELECT count(*) FROM graph_nodes") == 5);
  CHECK(braid_algorithm_write(connection, "degree", nullptr, nullptr, "in_degree", "u", nullptr) == BRAID_CONSTRAINT);
  CHECK(ring.connection.rows("SELECT properties FROM graph_nodes WHERE label = 'U'") == R"({"u":5};{"u":6})");
  REQUIRE(braid_commit(connection) == BRAID_OK);
  CHECK(ring.connection.number("SELECT count(*) FROM graph_nodes") == 5);
  CHECK(ring.database.check() == "");
}

TEST_CASE("making many nodes ends at the bounds of a transaction and of time") {
  const TempDir directory;
  TestDatabase database(directory / "db", "transaction_bytes_max=1000000");
  TestConnection connection(database);
  CHECK(braid_nodes_create(connection.get(), nullptr, nullptr, 4'000'000'000, nullptr) == BRAID_LIMIT);
  CHECK(connection.error().find("transaction_bytes_max") != std::string::npos);
  const std::vector<int64_t> ends(50'000, 1);
  CHECK(braid_edges_create(connection.get(), "T", ends.data(), ends.data(), nullptr, ends.size(), nullptr) == BRAID_LIMIT);
  REQUIRE(braid_set_time_limit(connection.get(), 1) == BRAID_OK);
  const int32_t late = braid_nodes_create(connection.get(), nullptr, nullptr, 4'000'000'000, nullptr);
  CHECK((late == BRAID_LIMIT || late == BRAID_INTERRUPTED));
  CHECK(braid_in_transaction(connection.get()) == 0);
  CHECK(connection.number("SELECT count(*) FROM graph_nodes") == 0);
}

TEST_CASE("progress is told and can stop an algorithm; so can a time limit") {
  Ring ring(20000);
  int calls = 0;
  REQUIRE(braid_on_progress(ring.connection.get(), [](void* context, double) { return ++*static_cast<int*>(context) >= 3 ? 1 : 0; }, &calls) == BRAID_OK);
  CHECK(rows_of(ring.connection, "betweenness", nullptr, nullptr).find("stopped") != std::string::npos);
  CHECK(calls == 3);
  REQUIRE(braid_on_progress(ring.connection.get(), nullptr, nullptr) == BRAID_OK);
  CHECK(braid_set_time_limit(ring.connection.get(), -1) == BRAID_INVALID_ARGUMENT);
  REQUIRE(braid_set_time_limit(ring.connection.get(), 20) == BRAID_OK);
  CHECK(rows_of(ring.connection, "betweenness", nullptr, nullptr).find("the connection's time limit") != std::string::npos);
  braid_statement* statement = nullptr;
  REQUIRE(braid_algorithm(ring.connection.get(), "betweenness", nullptr, nullptr, &statement) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_INTERRUPTED);
  braid_statement_close(statement);
  REQUIRE(braid_set_time_limit(ring.connection.get(), 0) == BRAID_OK);
  CHECK(ring.connection.number("SELECT count(*) FROM graph_bfs(NULL, 1)") == 20000);
}
