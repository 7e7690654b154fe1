// Questions to graph and series without SQL, and what a database tells of itself.
#include <doctest/doctest.h>

#include <map>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

struct Fixture {
  TempDir directory;
  TestDatabase database{directory / "db"};
  TestConnection connection{database};
};

/// The rows of a statement that a call made, as TestConnection::rows gives them; or "error CODE".
std::string rows_of(int32_t code, braid_statement* statement) {
  if (code != BRAID_OK) return "error " + std::to_string(code);
  std::string rows;
  while ((code = braid_statement_step(statement)) == BRAID_ROW) {
    rows += rows.empty() ? "" : ";";
    for (int32_t i = 0; i < braid_column_count(statement); ++i) rows += (i == 0 ? "" : "|") + std::string(braid_column_text(statement, i, nullptr));
  }
  braid_statement_close(statement);
  return code == BRAID_DONE ? rows : "error " + std::to_string(code);
}

}  // namespace

TEST_CASE("an expansion follows directions, types, filters and limits as SQL's graph_hops does") {
  Fixture f;
  // 1 -> 2 -> 3 -> 4, and 1 -> 5 by another type; the third has another k.
  REQUIRE(f.connection.run("INSERT INTO graph_nodes(labels, properties) VALUES('[\"B\"]', '{\"k\": 1}'), ('[\"B\"]', '{\"k\": 1}'), ('[\"B\"]', '{\"k\": 2}'), ('[\"B\"]', '{\"k\": 1}'), "
                           "('[\"B\"]', '{\"k\": 1}'); INSERT INTO graph_edges(src, type, dst) VALUES(1, 'L', 2), (2, 'L', 3), (3, 'L', 4), (1, 'T', 5)") == BRAID_OK);
  const auto expand = [&](const braid_expand_options& options) {
    braid_statement* statement = nullptr;
    const int32_t code = braid_expand(f.connection.get(), 1, &options, &statement);
    return rows_of(code, statement);
  };
  braid_expand_options options = {};
  options.size_bytes = sizeof options;
  CHECK(expand(options) == f.connection.rows("SELECT * FROM graph_hops(1, NULL)"));
  options.hops_min = 1;
  options.hops_max = 1;
  CHECK(expand(options) == "2|1|1|1;5|1|4|1");
  options.hops_max = 3;
  options.types = "L";
  CHECK(expand(options) == "2|1|1|1;3|2|2|2;4|3|3|3");
  options.limit = 2;
  CHECK(expand(options) == "2|1|1|1;3|2|2|2");
  options.limit = 0;
  options.node_filter = "{\"k\": 1}";
  CHECK(expand(options) == f.connection.rows("SELECT * FROM graph_hops(1, 3, 'out', 'L', '{\"k\": 1}') WHERE depth > 0"));
  CHECK(expand(options) == "2|1|1|1");
  options.node_filter = nullptr;
  options.types = "[\"L\", \"T\"]";
  options.direction = BRAID_IN;
  CHECK(expand(options) == "");
  options.types = "[]";
  CHECK(expand(options) == "error " + std::to_string(BRAID_INVALID_ARGUMENT));
}

TEST_CASE("a rollup and the last points are those of SQL") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, n BIGINT);"
                           "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 999) INSERT INTO m SELECT datetime(1704067200 + i * 60, 'unixepoch'), "
                           "CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END, i / 4.0, i FROM c") == BRAID_OK);
  const auto roll = [&](const braid_rollup_options& options) {
    braid_statement* statement = nullptr;
    const int32_t code = braid_rollup(f.connection.get(), "m", &options, &statement);
    return rows_of(code, statement);
  };
  const std::string columns = "SELECT bucket, tags, field, count, sum, avg, min, max, first, last FROM ";
  braid_rollup_options options = {};
  options.size_bytes = sizeof options;
  options.width = "1 hour";
  CHECK(roll(options) == f.connection.rows(columns + "rollup('m', '1 hour')"));
  options.timezone = "Mars/Olympus";
  CHECK(roll(options) == "error " + std::to_string(BRAID_INVALID_ARGUMENT));
  options.timezone = nullptr;
  options.start = 1704067200000000 + 3600000000;
  options.limit = options.start + 7200000000;
  options.tags = "{\"host\": [\"a\", null]}";
  options.fields = "n";
  const std::string part = f.connection.rows(columns + "rollup('m', '1 hour', '2024-01-01 01:00:00', '2024-01-01 03:00:00', '{\"host\": [\"a\", null]}', 'n')");
  CHECK(part.starts_with("2024-01-01 01:00:00|"));
  CHECK(roll(options) == part);
  options.start = INT64_MIN;
  options.limit = 1704067200000000 + 3600000000;
  CHECK(roll(options) == f.connection.rows(columns + "rollup('m', '1 hour', NULL, '2024-01-01 01:00:00', '{\"host\": [\"a\", null]}', 'n')"));

  const auto last = [&](std::vector<const char*> tags) {
    braid_statement* statement = nullptr;
    const int32_t code = braid_last_points(f.connection.get(), "m", tags.data(), tags.size(), &statement);
    return rows_of(code, statement);
  };
  CHECK(last({}) == f.connection.rows("SELECT * FROM m WHERE latest"));
  CHECK(last({"b"}) == "2024-01-01 16:37:00|b|249.25|997");
  CHECK(last({nullptr}) == "2024-01-01 16:38:00||249.5|998");
  CHECK(last({"none"}) == "");
  CHECK(f.connection.rows("SELECT way FROM series_reads LIMIT 1") == "last");
}

TEST_CASE("projections are made, listed and dropped") {
  Fixture f;
  REQUIRE(f.connection.run("INSERT INTO graph_nodes(labels) VALUES('[\"B\"]'), ('[\"B\"]'), ('[\"C\"]');"
                           "INSERT INTO graph_edges(src, type, dst, properties) VALUES(1, 'L', 2, '{\"w\": 2}'), (2, 'T', 3, '{}')") == BRAID_OK);
  braid_projection_options options = {};
  options.size_bytes = sizeof options;
  options.labels = "B";
  options.types = "[\"L\"]";
  options.weight = "w";
  options.orientation = BRAID_UNDIRECTED;
  REQUIRE(braid_projection_create(f.connection.get(), "grid", &options) == BRAID_OK);
  braid_statement* statement = nullptr;
  const int32_t code = braid_projections(f.connection.get(), &statement);
  CHECK(rows_of(code, statement) == f.connection.rows("SELECT * FROM graph_projections"));
  CHECK(f.connection.rows("SELECT name, weight, orientation, nodes, edges FROM graph_projections") == "grid|w|undirected|2|1");
  options.types = "no such";
  CHECK(braid_projection_create(f.connection.get(), "other", &options) == BRAID_NOT_FOUND);
  REQUIRE(braid_projection_drop(f.connection.get(), "grid") == BRAID_OK);
  CHECK(f.connection.rows("SELECT count(*) FROM graph_projections") == "0");
}

TEST_CASE("figures say what they are") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE TABLE t(x)") == BRAID_OK);
  std::map<std::string, int32_t> kinds;
  REQUIRE(braid_stats(
              f.database.get(), [](void* context, const braid_figure* figure) { (*static_cast<std::map<std::string, int32_t>*>(context))[figure->name] = figure->kind; },
              &kinds) == BRAID_OK);
  CHECK(kinds.at("commits") == BRAID_COUNTER);
  CHECK(kinds.at("compactions") == BRAID_COUNTER);
  CHECK(kinds.at("memory_held") == BRAID_GAUGE);
  for (const auto& each : kinds) CHECK_MESSAGE((each.second == BRAID_GAUGE || each.second == BRAID_COUNTER), each.first);
}

TEST_CASE("a struct of an older header is taken as far as it goes") {
  Fixture f;
  struct Newer {
    braid_option known;
    int64_t added = 77;
  } newer;
  newer.known.size_bytes = sizeof newer;
  REQUIRE(braid_option_at(0, &newer.known) == BRAID_OK);
  CHECK(newer.known.size_bytes == sizeof(braid_option));  // so much was filled in
  CHECK(newer.added == 77);
}
