// Feeds of commits against plain models: the lines are applied to maps, which must become what the database answers.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/feed.h"
#include "tests/support/served.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int64_t kNul = BRAID_NUL_TERMINATED;

Json cell(braid_statement* statement, int32_t column) {
  switch (braid_column_type(statement, column)) {
    case BRAID_TYPE_INT64:
      return braid_column_int64(statement, column);
    case BRAID_TYPE_DOUBLE:
      return braid_column_double(statement, column);
    case BRAID_TYPE_TEXT:
      return std::string(braid_column_text(statement, column, nullptr));
    case BRAID_TYPE_BLOB: {
      int64_t size = 0;
      const auto* bytes = static_cast<const unsigned char*>(braid_column_blob(statement, column, &size));
      std::string hex;
      for (int64_t i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
      return hex;
    }
    default:
      return nullptr;
  }
}

/// The rows of a query as objects, each as its text, in order of that.
std::multiset<std::string> rows_of(TestConnection& connection, const std::string& sql) {
  braid_statement* statement = nullptr;
  REQUIRE_MESSAGE(braid_prepare(connection.get(), sql.c_str(), kNul, &statement, nullptr) == BRAID_OK, (sql + ": " + connection.error()));
  std::multiset<std::string> out;
  while (braid_statement_step(statement) == BRAID_ROW) {
    Json row = Json::object();
    for (int32_t i = 0; i < braid_column_count(statement); ++i) row[braid_column_name(statement, i)] = cell(statement, i);
    out.insert(row.dump());
  }
  braid_statement_close(statement);
  return out;
}

/// What the lines say that the database holds.
struct Model {
  struct Table {
    std::vector<std::string> columns;
    std::map<std::string, Json> rows;  // by the text of their key
  };
  std::map<std::string, Table> tables;
  std::map<uint64_t, Json> nodes, edges;
  std::map<std::string, std::map<std::pair<std::string, std::string>, Json>> points;  // by time and tag
  uint64_t lsn = 0;

  void apply(const Json& line) {
    INFO("line: ", line.dump());
    REQUIRE_FALSE(line.contains("gap"));
    CHECK_FALSE(line.contains("truncated"));
    CHECK(line.at("lsn").get<uint64_t>() > lsn);
    lsn = line.at("lsn").get<uint64_t>();
    for (const Json& change : line.value("rows", Json::array())) apply_row(change);
    for (const Json& change : line.value("graph", Json::array())) apply_graph(change);
    for (const Json& change : line.value("series", Json::array())) apply_series(change);
  }

  void apply_row(const Json& change) {
    const std::string op = change.at("op"), name = change.at("table");
    if (op == "create" || op == "alter" || op == "drop") return apply_schema(change, op, name);
    Table& table = tables.at(name);
    const std::string key = change.at("key").dump();
    if (op != "insert") {
      REQUIRE_MESSAGE(table.rows.contains(key), change.dump());
      CHECK(table.rows.at(key).dump() == change.at("old").dump());
      table.rows.erase(key);
    }
    if (op == "delete") return;
    const bool fresh = table.rows.emplace(change.contains("new_key") ? change.at("new_key").dump() : key, change.at("new")).second;
    CHECK_MESSAGE(fresh, change.dump());
  }

  void apply_schema(const Json& change, const std::string& op, const std::string& name) {
    if (change.at("type") != "table") return;
    if (op == "drop") {
      tables.erase(name);
      return;
    }
    const auto columns = change.value("columns", std::vector<std::string>());
    if (op == "create") {
      tables[name] = {columns, {}};
      return;
    }
    Table table = tables.at(change.contains("was") ? change.at("was").get<std::string>() : name);
    if (change.contains("was")) tables.erase(change.at("was").get<std::string>());
    for (auto& [key, row] : table.rows) {
      Json moved = Json::object();
      for (size_t i = 0; i < columns.size(); ++i) {
        const bool renamed = columns.size() == table.columns.size();
        if (renamed) moved[columns[i]] = row.at(table.columns[i]);
        else moved[columns[i]] = row.contains(columns[i]) ? row.at(columns[i]) : Json("dd");  // as the test's ALTERs give it
      }
      row = moved;
    }
    table.columns = columns;
    tables[name] = table;
  }

  void apply_graph(const Json& change) {
    auto& objects = change.contains("node") ? nodes : edges;
    const auto id = change.at(change.contains("node") ? "node" : "edge").get<uint64_t>();
    if (change.at("op") == "remove") {
      CHECK(objects.erase(id) == 1);
      return;
    }
    if (change.contains("edge")) {
      CHECK(nodes.contains(change.at("source").get<uint64_t>()));
      CHECK(nodes.contains(change.at("target").get<uint64_t>()));
    }
    objects[id] = change;
  }

  void apply_series(const Json& change) {
    const std::string op = change.at("op"), name = change.at("hypertable");
    if (op == "create") points[name];
    if (op == "drop") points.erase(name);
    if (op == "write" || op == "remove") {
      CHECK(change.at("points").size() == change.at("count").get<size_t>());
      for (const Json& point : change.at("points")) {
        const std::pair<std::string, std::string> key(point.at("time"), point.at("host").dump());
        CHECK(key.first >= change.at("first").get<std::string>());
        CHECK(key.first <= change.at("last").get<std::string>());
        if (op == "write") points[name][key] = point;
        else points[name].erase(key);
      }
    }
    if (op == "delete") {
      std::set<std::string> hosts;
      for (const Json& series : change.value("series", Json::array())) hosts.insert(series.at("host").dump());
      std::erase_if(points[name], [&](const auto& point) {
        const auto& [time, host] = point.first;
        return (change.at("start").is_null() || time >= change.at("start").get<std::string>()) &&
               (change.at("limit").is_null() || time < change.at("limit").get<std::string>()) && (hosts.empty() || hosts.contains(host));
      });
    }
  }

  /// Takes over what a table holds.
  void read_table(TestConnection& connection, const std::string& name) {
    braid_statement* statement = nullptr;
    REQUIRE(braid_prepare(connection.get(), ("SELECT name FROM pragma_table_xinfo('" + name + "') WHERE hidden <> 2").c_str(), kNul, &statement, nullptr) == BRAID_OK);
    while (braid_statement_step(statement) == BRAID_ROW) tables[name].columns.emplace_back(braid_column_text(statement, 0, nullptr));
    braid_statement_close(statement);
  }

  void compare(TestConnection& connection) const {
    for (const auto& [known, table] : tables) {
      const std::string& name = known;  // clang 14 captures no structured binding
      std::multiset<std::string> told;
      for (const auto& [key, row] : table.rows) told.insert(row.dump());
      std::string columns;
      for (const std::string& column : table.columns) columns += (columns.empty() ? "" : ", ") + column;
      CHECK_MESSAGE(rows_of(connection, "SELECT " + columns + " FROM " + name) == told, name);
    }
    std::multiset<std::string> told_nodes, told_edges;
    for (const auto& [id, node] : nodes)
      told_nodes.insert(Json{{"id", id}, {"labels", node.at("labels").dump()}, {"properties", node.at("properties").dump()}}.dump());
    for (const auto& [id, edge] : edges)
      told_edges.insert(Json{{"id", id}, {"type", edge.at("type")}, {"source", edge.at("source")}, {"target", edge.at("target")}, {"properties", edge.at("properties").dump()}}.dump());
    CHECK(rows_of(connection, "SELECT id, labels, properties FROM graph_nodes") == told_nodes);
    CHECK(rows_of(connection, "SELECT id, type, src AS source, dst AS target, properties FROM graph_edges") == told_edges);
    for (const auto& [known, series] : points) {
      const std::string& name = known;
      std::multiset<std::string> told;
      for (const auto& [key, point] : series) told.insert(point.dump());
      CHECK_MESSAGE(rows_of(connection, "SELECT * FROM " + name) == told, name);
    }
  }
};

constexpr char kTables[] =
    "CREATE TABLE a(id INTEGER PRIMARY KEY, name TEXT, score REAL, data BLOB);"
    "CREATE TABLE b(x, y);"
    "CREATE TABLE c(k TEXT, n INT, v, PRIMARY KEY(k, n)) WITHOUT ROWID;"
    "CREATE TABLE parent(id INTEGER PRIMARY KEY, u UNIQUE);"
    "CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES parent(id) ON DELETE CASCADE ON UPDATE CASCADE);"
    "CREATE TABLE audit(id INTEGER PRIMARY KEY, note TEXT);"
    "CREATE TABLE g(id INTEGER PRIMARY KEY, v AS (x + 1), x REAL, s REAL AS (x * 2) STORED);"
    "CREATE TABLE d(x REAL, k INTEGER PRIMARY KEY, y REAL, n NUMERIC) WITHOUT ROWID;"
    "CREATE TABLE e(k TEXT, w AS (b + 1), b INT, r REAL, l TEXT, PRIMARY KEY(l, k)) WITHOUT ROWID;"
    "CREATE TABLE f(id INTEGER PRIMARY KEY DESC, v);"
    "CREATE TABLE h(id INTEGER PRIMARY KEY, half REAL AS (n / 2.0), n INTEGER, m NUMERIC);"
    "CREATE TRIGGER a_in AFTER INSERT ON a BEGIN INSERT INTO audit(note) VALUES('in ' || new.id); END;"
    "CREATE TRIGGER a_out AFTER DELETE ON a BEGIN INSERT INTO audit(note) VALUES('out ' || old.id); END;"
    "CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, n INTEGER);";
constexpr const char* kTableNames[] = {"a", "b", "c", "parent", "child", "audit", "g", "d", "e", "f", "h"};

/// Statements of every kind; `{0}` to `{2}` are small numbers.
constexpr const char* kStatements[] = {
    "INSERT INTO a VALUES({0}, 'n{1}', {2}, x'00{1}{2}')",
    "INSERT INTO a(name, score) VALUES('x', {0}), ('\"\\', 0.1), (NULL, {1}e300)",
    "REPLACE INTO a VALUES({0}, 'r{1}', {2}.5, NULL)",
    "INSERT INTO a VALUES({0}, 'u', 1, NULL) ON CONFLICT(id) DO UPDATE SET name = name || {1}, score = {2}",
    "UPDATE a SET id = id + 100 WHERE id = {0}",
    "UPDATE OR IGNORE a SET id = {1} WHERE id = {0}",
    "UPDATE a SET name = 'all{0}' WHERE id % 3 = {1} % 3",
    "DELETE FROM a WHERE id > {0} AND id % 2 = {1} % 2",
    "DELETE FROM a",
    "INSERT INTO b VALUES({0}, 'y{1}'), (9223372036854775807, -{2}.25)",
    "INSERT INTO b SELECT * FROM b LIMIT 3",
    "UPDATE b SET x = {0} WHERE rowid % 4 = {1} % 4",
    "UPDATE b SET rowid = rowid + 1000 WHERE rowid < {0} AND NOT EXISTS(SELECT 1 FROM b WHERE rowid > 1000)",
    "DELETE FROM b WHERE rowid % 3 = {0} % 3",
    "DELETE FROM b",
    "INSERT OR REPLACE INTO c VALUES('k{0}', {1}, {2})",
    "INSERT INTO c VALUES('k{0}', {1}, {2})",
    "UPDATE OR REPLACE c SET n = {0} WHERE n = {1}",
    "UPDATE c SET v = {0} WHERE k < 'k{1}'",
    "DELETE FROM c WHERE n = {0}",
    "DELETE FROM c",
    "INSERT OR IGNORE INTO parent VALUES({0}, {1})",
    "INSERT OR REPLACE INTO parent VALUES({0}, {1})",
    "INSERT OR FAIL INTO parent VALUES(NULL, {0}), (NULL, {0})",
    "INSERT OR ROLLBACK INTO parent VALUES({0}, 'same'), ({1}, 'same')",
    "INSERT INTO child VALUES(NULL, {0})",
    "INSERT INTO child SELECT NULL, id FROM parent LIMIT 2",
    "UPDATE parent SET id = id + 50 WHERE id = {0}",
    "DELETE FROM parent WHERE id = {0}",
    "DELETE FROM parent",
    "INSERT INTO audit(note) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) SELECT 'bulk' || i FROM n",
    "DELETE FROM audit WHERE id % 5 <> {0} % 5",
    "INSERT INTO g(x) VALUES({0}), ({1}.5)",
    "UPDATE g SET x = x + 1 WHERE id % 2 = {0} % 2",
    "DELETE FROM g WHERE id < {0}",
    "INSERT OR REPLACE INTO d VALUES({0}, {1}, {2}.5, {0}), ({1}.25, {2}, {0}, 1e300)",
    "UPDATE OR IGNORE d SET k = k + {0}, n = {1}.5 WHERE k % 3 = {2} % 3",
    "DELETE FROM d WHERE k > {0}",
    "INSERT OR REPLACE INTO e(k, b, r, l) VALUES('k{0}', {1}, {2}, 'l{1}'), ('k{1}', '{0}', NULL, 'l')",
    "UPDATE OR REPLACE e SET b = b + 1, l = 'm{0}' WHERE r < {1}",
    "DELETE FROM e WHERE b = {0}",
    "INSERT INTO f VALUES({0}, 'f{1}')",
    "UPDATE f SET id = id + {0} WHERE id < {1}",
    "DELETE FROM f WHERE id > {0}",
    "INSERT INTO h(n, m) VALUES({0}, {1}), (-{0}, '{2}.5')",
    "UPDATE h SET n = n * 2 WHERE id % 2 = {0} % 2",
    "DELETE FROM h WHERE n > {0}",
    "INSERT INTO graph_nodes(labels, properties) VALUES('[\"A\", \"L{0}\"]', '{{\"k\": {1}, \"t\": \"x{2}\"}}')",
    "INSERT INTO graph_nodes(labels, properties) SELECT '[\"A\"]', NULL FROM a LIMIT 3",
    "INSERT INTO graph_edges(src, type, dst, properties) SELECT (SELECT max(id) FROM graph_nodes), 'T{0}', (SELECT min(id) FROM graph_nodes), '{{\"w\": {1}.5}}'",
    "UPDATE graph_nodes SET properties = '{{\"k\": {1}}}' WHERE id % 4 = {0} % 4",
    "UPDATE graph_edges SET properties = '{{\"w\": {1}}}' WHERE id % 3 = {0} % 3",
    "DELETE FROM graph_edges WHERE id % 5 = {0} % 5",
    "SELECT graph_delete(id, 'detach') FROM graph_nodes WHERE id % 6 = {0} % 6",
    "INSERT INTO cpu VALUES('2026-01-0{0} 00:00:0{1}', 'h{2}', {1}.5, {0})",
    "INSERT INTO cpu(time, host, v) SELECT '2026-01-02 00:00:0' || id % 10, 'h' || id % 3, id FROM parent LIMIT 5",
    "INSERT INTO cpu VALUES('2026-01-03', NULL, NULL, {1}), ('2026-01-03', '', 1e-9, NULL)",
    "UPDATE cpu SET v = {0} WHERE host = 'h{1}'",
    "DELETE FROM cpu WHERE host = 'h{0}' AND time < '2026-01-0{1}'",
    "DELETE FROM cpu WHERE v < {0}",
    "SELECT drop_chunks('cpu', '2026-01-0{0}')",
};
constexpr const char* kSchemaStatements[] = {
    "ALTER TABLE b ADD COLUMN z{0} DEFAULT 'dd'", "ALTER TABLE b DROP COLUMN z{0}",        "ALTER TABLE b RENAME COLUMN z{0} TO z{1}",
    "ALTER TABLE b RENAME TO b2",                 "ALTER TABLE b2 RENAME TO b",            "CREATE TABLE made{0} AS SELECT id, name FROM a",
    "DROP TABLE made{0}",                         "CREATE INDEX IF NOT EXISTS i ON a(name)", "DROP INDEX i",
    "CREATE TABLE made{0}(p INTEGER PRIMARY KEY, q)", "INSERT INTO made{0} VALUES(NULL, {1})", "DROP TABLE child",
    "CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES parent(id) ON DELETE CASCADE)",
    "CREATE VIRTUAL TABLE more USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE)", "INSERT INTO more VALUES('2026-01-01', 'm{0}', {1})", "DROP TABLE more",
};

class Writer {
 public:
  Writer(TestDatabase& database, TestConnection& connection, unsigned seed) : database_(database), connection_(connection), random_(seed) {
    // Prepared before anybody follows: SQLite takes all rows of these without looking at them.
    for (const char* sql : {"DELETE FROM b", "DELETE FROM g", "DELETE FROM audit"}) {
      braid_statement* statement = nullptr;
      REQUIRE(braid_prepare(connection.get(), sql, kNul, &statement, nullptr) == BRAID_OK);
      prepared_.push_back(statement);
    }
  }
  ~Writer() {
    for (braid_statement* statement : prepared_) braid_statement_close(statement);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void step() {
    switch (pick(12)) {
      case 0:
        if (braid_in_transaction(connection_.get()) == 0) connection_.run("BEGIN");
        return;
      case 1:
        connection_.run(pick(3) == 0 ? "ROLLBACK" : "COMMIT");
        return;
      case 2:
        connection_.run(fmt::format("SAVEPOINT s{}", pick(3)));
        return;
      case 3:
        connection_.run(fmt::format("{} s{}", pick(2) == 0 ? "ROLLBACK TO" : "RELEASE", pick(3)));
        return;
      case 4:
        braid_statement_step(prepared_[pick(prepared_.size())]);
        return;
      case 5:
        batches();
        return;
      case 6:
        connection_.run(text_of(kSchemaStatements[pick(std::size(kSchemaStatements))]));
        return;
      default:
        connection_.run(text_of(kStatements[pick(std::size(kStatements))]));
        return;
    }
  }
  void end() {
    if (braid_in_transaction(connection_.get()) != 0) connection_.run("COMMIT");
    if (braid_in_transaction(connection_.get()) != 0) connection_.run("ROLLBACK");
  }

 private:
  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  std::string text_of(const char* sql) { return fmt::format(fmt::runtime(sql), pick(9) + 1, pick(9) + 1, pick(9)); }

  /// Some at the same time, so that they are committed together; one of them may fail.
  void batches() {
    if (braid_in_transaction(connection_.get()) != 0) return;
    std::vector<std::unique_ptr<TestBatch>> made;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      auto& batch = made.emplace_back(std::make_unique<TestBatch>(database_));
      batch->execute(fmt::format("INSERT INTO audit(note) VALUES('batch {}')", pick(9)));
      batch->execute(text_of(kStatements[pick(7)]));
      if (i == 0) braid_batch_node(batch->get(), "[\"B\"]", "{\"b\": 1}");
      if (i == 1) batch->execute("DELETE FROM c");
    }
    threads.reserve(made.size());
    for (auto& batch : made) threads.emplace_back([raw = batch.get()] { raw->commit(); });
    for (std::thread& thread : threads) thread.join();
  }

  TestDatabase& database_;
  TestConnection& connection_;
  std::mt19937 random_;
  std::vector<braid_statement*> prepared_;
};

bool make_tables(TestDatabase& database) {
  TestConnection connection(database);
  return connection.run(kTables) == BRAID_OK;
}

struct Tables {
  Tables() { REQUIRE(make_tables(database)); }
  const TempDir directory;
  TestDatabase database{directory.path() + "/db"};
  TestConnection connection{database};
};

}  // namespace

// The first, since it forks: no database was open in this process yet.
TEST_CASE("a feed goes through the socket of the process that has the directory open") {
  const TempDir directory;
  const std::string path = directory.path() + "/db";
  ServingProcess host(path, "", make_tables);
  REQUIRE(host.succeeded());
  TestDatabase database(path, "remote=only");
  REQUIRE_MESSAGE(database.ok(), database.message());
  TestConnection connection(database);
  TestFeed feed(database), graph(database, BRAID_FEED_GRAPH);
  Model model;
  for (const char* name : kTableNames) model.read_table(connection, name);
  Writer writer(database, connection, 7);
  for (int i = 0; i < 150; ++i) writer.step();
  writer.end();
  REQUIRE(connection.run("INSERT INTO graph_nodes(labels) VALUES('[\"Last\"]')") == BRAID_OK);
  uint64_t newest = 0;
  REQUIRE(braid_lsn(connection.get(), &newest) == BRAID_OK);
  while (model.lsn < newest) model.apply(feed.line());
  model.compare(connection);
  Json last;
  while (const auto line = graph.next()) last = *line;
  CHECK(last.at("lsn") == newest);
  CHECK(last.at("graph")[0].at("labels")[0] == "Last");
  // A wait ends by its time, by a cancel, and by the end of the host.
  CHECK_FALSE(feed.next(20).has_value());
  CHECK(feed.code() == BRAID_DONE);
  std::thread canceller([&] { braid_feed_cancel(graph.get()); });
  CHECK_FALSE(graph.next(-1).has_value());
  CHECK(graph.code() == BRAID_INTERRUPTED);
  canceller.join();
  std::thread closer([&] { host.release(); });
  CHECK_FALSE(feed.next(-1).has_value());
  CHECK(feed.code() == BRAID_IO);
  CHECK(feed.error().find("the process that serve") != std::string::npos);
  closer.join();
}

TEST_CASE("the lines of a feed, applied to plain maps, give what the database holds") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    INFO("seed: ", seed);
    const TempDir directory;
    TestDatabase database(directory.path() + "/db");
    REQUIRE(make_tables(database));
    TestConnection connection(database);
    Writer writer(database, connection, seed);
    TestFeed feed(database);
    Model model;
    for (const char* name : kTableNames) model.read_table(connection, name);
    for (int round = 0; round < 8; ++round) {
      for (int i = 0; i < 60; ++i) writer.step();
      writer.end();
      if (round % 3 == 2) CHECK(braid_checkpoint(database.get()) == BRAID_OK);
      while (const auto line = feed.next()) model.apply(*line);
      CHECK(feed.code() == BRAID_DONE);
      model.compare(connection);
    }
    CHECK(model.lsn > feed.start);
    CHECK(database.check() == "");
  }
}

TEST_CASE_FIXTURE(Tables, "a line has values exactly, and says which models it tells") {
  TestFeed all(database), rows(database, BRAID_FEED_ROWS), series(database, BRAID_FEED_SERIES);
  REQUIRE(connection.run("BEGIN; INSERT INTO b VALUES(-9223372036854775807 - 1, 9e999), (x'00FF', char(1, 10, 34, 92, 127, 228));"
                         "INSERT INTO graph_nodes(labels) VALUES('[\"N\"]'); COMMIT") == BRAID_OK);
  const Json line = all.line();
  CHECK(line.at("durability") == "full");
  CHECK(line.at("rows")[0].at("new").dump() == R"({"x":-9223372036854775808,"y":null})");
  CHECK(line.at("rows")[1].at("new").at("x") == "00ff");
  CHECK(line.at("rows")[1].at("new").at("y").get<std::string>() == "\x01\n\"\\\x7f\xc3\xa4");
  CHECK(line.at("rows")[1].at("key").dump() == R"({"rowid":2})");
  CHECK(line.at("graph").dump() == R"([{"op":"put","node":1,"labels":["N"],"properties":{}}])");
  CHECK_FALSE(line.contains("series"));
  CHECK_FALSE(rows.line().contains("graph"));

  REQUIRE(braid_begin(connection.get(), BRAID_WRITE | BRAID_DURABILITY_RELAXED) == BRAID_OK);
  REQUIRE(connection.run("INSERT INTO cpu VALUES('2026-01-01 00:00:01.5', 'h', 0.1, 7), ('2026-01-01', NULL, NULL, NULL)") == BRAID_OK);
  REQUIRE(braid_commit(connection.get()) == BRAID_OK);
  const Json points = series.line();
  CHECK(points.at("lsn").get<uint64_t>() == all.line().at("lsn").get<uint64_t>());
  CHECK(points.at("durability") == "relaxed");
  CHECK(points.at("series").size() == 1);
  CHECK(points.at("series")[0].at("first") == "2026-01-01 00:00:00");
  CHECK(points.at("series")[0].at("last") == "2026-01-01 00:00:01.5");
  CHECK(points.at("series")[0].at("points")[0].dump() == R"({"time":"2026-01-01 00:00:01.5","host":"h","v":0.1,"n":7})");
  CHECK_FALSE(rows.next().has_value());  // nothing of its model
  CHECK_FALSE(series.next().has_value());
}

TEST_CASE_FIXTURE(Tables, "what was rolled back is not told, nor a commit that changes nothing, nor what is behind virtual tables") {
  REQUIRE(connection.run("CREATE VIRTUAL TABLE words USING fts5(w); INSERT INTO a VALUES(1, 'one', 1, NULL)") == BRAID_OK);
  TestFeed feed(database);
  CHECK(connection.run("BEGIN; DELETE FROM a; ROLLBACK") == BRAID_OK);
  CHECK(connection.run("INSERT INTO b VALUES(1, 1), (2, abs(-9223372036854775807 - 1))") != BRAID_OK);
  CHECK(connection.run("UPDATE a SET name = 'two' WHERE id = 99") == BRAID_OK);
  CHECK(connection.run("INSERT INTO words VALUES('hello')") == BRAID_OK);
  CHECK(braid_checkpoint(database.get()) == BRAID_OK);
  CHECK(connection.run("BEGIN; SAVEPOINT s; DELETE FROM a; CREATE TABLE gone(x); ROLLBACK TO s; INSERT INTO b VALUES(3, 3); COMMIT") == BRAID_OK);
  const Json line = feed.line();
  CHECK(line.at("rows").dump() == R"([{"table":"b","op":"insert","key":{"rowid":1},"new":{"x":3,"y":3}}])");
  CHECK_FALSE(feed.next().has_value());
}

TEST_CASE("rows that are older than a column read as its default") {
  const TempDir directory;
  TestDatabase database(directory.path() + "/db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES(1, NULL);"
                         "ALTER TABLE t ADD COLUMN r REAL DEFAULT 5; ALTER TABLE t ADD COLUMN s TEXT DEFAULT 'it''s'; ALTER TABLE t ADD COLUMN n;"
                         "ALTER TABLE t ADD COLUMN i INTEGER DEFAULT '7'; ALTER TABLE t ADD COLUMN m NUMERIC DEFAULT '8.5'; ALTER TABLE t ADD COLUMN w INT DEFAULT 9.0;"
                         "ALTER TABLE t ADD COLUMN c TEXT DEFAULT 10; ALTER TABLE t ADD COLUMN b TEXT DEFAULT x'41'; ALTER TABLE t ADD COLUMN q REAL DEFAULT '11'") == BRAID_OK);
  const std::string shown = *rows_of(connection, "SELECT * FROM t").begin();
  TestFeed feed(database);
  REQUIRE(connection.run("DELETE FROM t") == BRAID_OK);
  const std::string told = feed.line().at("rows")[0].at("old").dump();
  CHECK(told == R"({"id":1,"x":null,"r":5.0,"s":"it's","n":null,"i":7,"m":8.5,"w":9,"c":"10","b":"41","q":11.0})");
  CHECK(told == shown);
  // SQLite answers the rowid for the column that stands where the key would without the generated one.
  REQUIRE(connection.run("CREATE TABLE g(v AS (x + 1), id INTEGER PRIMARY KEY, x, y)") == BRAID_OK);
  feed.line();
  REQUIRE(connection.run("INSERT INTO g(id, x, y) VALUES(7, 1, 2)") == BRAID_OK);
  CHECK(feed.line().at("rows")[0].at("new").dump() == R"({"id":7,"y":2})");
}

TEST_CASE("integers that SQLite answers as reals are told as they are, or not at all") {
  const TempDir directory;
  TestDatabase database(directory.path() + "/db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE t(x REAL, k PRIMARY KEY, y REAL, z) WITHOUT ROWID; CREATE TABLE u(x REAL, k INTEGER PRIMARY KEY) WITHOUT ROWID;"
                         "CREATE TABLE w(id INTEGER PRIMARY KEY, half REAL AS (n / 2), n)") == BRAID_OK);
  TestFeed feed(database);
  REQUIRE(connection.run("INSERT INTO t VALUES(1, 2, 3, 4); UPDATE t SET z = 5; DELETE FROM t") == BRAID_OK);
  CHECK(feed.line().at("rows")[0].at("new").dump() == R"({"x":1.0,"k":2,"y":3.0,"z":4})");
  CHECK(feed.line().at("rows")[0].dump() == R"({"table":"t","op":"update","key":{"k":2},"old":{"x":1.0,"k":2,"y":3.0,"z":4},"new":{"x":1.0,"k":2,"y":3.0,"z":5}})");
  feed.line();
  REQUIRE(connection.run("INSERT INTO u VALUES(1, 9007199254740991), (1, 9007199254740993); DELETE FROM u WHERE k = 9007199254740991; DELETE FROM u") == BRAID_OK);
  feed.line();
  CHECK(feed.line().at("rows")[0].at("key").at("k") == 9007199254740991);
  CHECK(feed.line().dump().find(R"("truncated":true)") != std::string::npos);
  REQUIRE(connection.run("INSERT INTO w(n) VALUES(5), (5.5); DELETE FROM w") == BRAID_OK);
  CHECK(feed.line().at("rows")[0].at("new").dump() == R"({"id":1,"n":5})");
  const Json gone = feed.line().at("rows");
  CHECK(gone[0].at("old").dump() == R"({"id":1})");
  CHECK(gone[1].at("old").dump() == R"({"id":2,"n":5.5})");
}

TEST_CASE("tables that a virtual table makes for itself, and TEMP tables, hide nothing") {
  const TempDir directory;
  TestDatabase database(directory.path() + "/db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE t(x, y); CREATE TEMP TABLE t(p INTEGER PRIMARY KEY, q, r)") == BRAID_OK);
  TestFeed feed(database);
  REQUIRE(connection.run("INSERT INTO temp.t VALUES(1, 2, 3); INSERT INTO main.t VALUES(4, 5)") == BRAID_OK);
  CHECK(feed.line().at("rows").dump() == R"([{"table":"t","op":"insert","key":{"rowid":1},"new":{"x":4,"y":5}}])");
  REQUIRE(connection.run("BEGIN; CREATE VIRTUAL TABLE w USING fts5(x); CREATE VIRTUAL TABLE s USING rtree(id, a, b); INSERT INTO w VALUES('hello');"
                         "INSERT INTO main.t VALUES(6, 7); COMMIT") == BRAID_OK);
  const Json line = feed.line();
  CHECK_FALSE(line.contains("truncated"));
  REQUIRE(line.at("rows").size() == 3);
  CHECK(line.at("rows")[0].at("op") == "create");
  CHECK(line.at("rows")[1].at("op") == "create");
  CHECK(line.at("rows")[2].at("new").dump() == R"({"x":6,"y":7})");
}

TEST_CASE("rows that a failed statement keeps are told, whatever its functions have staged") {
  const TempDir directory;
  TestDatabase database(directory.path() + "/db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE t(u UNIQUE, e); CREATE TABLE n(id INTEGER PRIMARY KEY); INSERT INTO n VALUES(1), (2); SELECT graph_bind('N', 'n', 'id')") == BRAID_OK);
  TestFeed feed(database);
  for (const bool alone : {true, false}) {
    CAPTURE(alone);
    if (!alone) REQUIRE(connection.run("DELETE FROM t; BEGIN") == BRAID_OK);
    if (!alone) feed.line();
    CHECK(connection.run("INSERT OR FAIL INTO t SELECT 1, graph_link('N', 1, 'T', 'N', 2) UNION ALL SELECT 1, 3") != BRAID_OK);
    if (!alone) REQUIRE(connection.run("COMMIT") == BRAID_OK);
    CHECK(connection.number("SELECT count(*) FROM t") == 1);
    CHECK(feed.line().at("rows").size() == 1);
  }
}

TEST_CASE("hypertables that are made, changed and dropped are told, with the points that go") {
  const TempDir directory;
  TestDatabase database(directory.path() + "/db");
  TestConnection connection(database);
  TestFeed feed(database);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(at TIMESTAMP, site INTEGER TAG, v DOUBLE, j JSON)") == BRAID_OK);
  CHECK(feed.line().at("series").dump() == R"([{"hypertable":"m","op":"create","time":"at","tags":{"site":"INTEGER"},"fields":{"v":"DOUBLE","j":"JSON"}}])");
  REQUIRE(connection.run("INSERT INTO m VALUES('2026-01-01', 7, 0.5, '{\"a\":1}'), ('2026-02-01', 7, 1, NULL)") == BRAID_OK);
  CHECK(feed.line().at("series")[0].at("points")[0].dump() == R"({"at":"2026-01-01 00:00:00","site":7,"v":0.5,"j":"{\"a\":1}"})");
  REQUIRE(connection.run("SELECT drop_chunks('m', '2026-01-20')") == BRAID_OK);
  const Json dropped = feed.line().at("series")[0];
  CHECK(dropped.at("op") == "delete");
  CHECK(dropped.at("start").is_null());
  CHECK(dropped.at("limit").get<std::string>() > "2026-01-01");
  REQUIRE(connection.run("DROP TABLE m") == BRAID_OK);
  Json last;
  while (const auto line = feed.next()) last = *line;
  CHECK(last.at("series").dump() == R"([{"hypertable":"m","op":"drop"}])");
}

TEST_CASE_FIXTURE(Tables, "a slow reader is told of what is left out, and goes on behind it") {
  TestFeed slow(database, 0, 4096), fast(database);
  std::vector<uint64_t> committed, fast_told, slow_told;
  Json gap;
  const auto read = [&] {
    while (const auto line = fast.next()) fast_told.push_back((*line).at("lsn"));
    while (const auto line = slow.next()) {
      if ((*line).contains("gap")) gap = (*line).at("gap");
      else slow_told.push_back((*line).at("lsn"));
    }
  };
  const auto write = [&](int count) {
    for (int i = 0; i < count; ++i) {
      REQUIRE(connection.run("INSERT INTO b VALUES(1, 'some text')") == BRAID_OK);
      uint64_t lsn = 0;
      REQUIRE(braid_lsn(connection.get(), &lsn) == BRAID_OK);
      committed.push_back(lsn);
    }
  };
  write(50);
  read();
  REQUIRE(gap.is_object());
  CHECK(slow_told.size() < 50);
  CHECK(slow_told.size() > 0);
  CHECK(gap.at("from").get<uint64_t>() == slow_told.back() + 1);
  CHECK(gap.at("to").get<uint64_t>() == committed.back());
  write(2);
  read();
  CHECK(fast_told == committed);
  CHECK(slow_told.back() == committed.back());
  CHECK(slow_told[slow_told.size() - 2] == committed[committed.size() - 2]);
}

TEST_CASE("a commit that is too large is cut, and the line says so") {
  const TempDir directory;
  TestDatabase database(directory.path() + "/db", "feed_commit_bytes_max=4096");
  REQUIRE(make_tables(database));
  TestConnection connection(database);
  TestFeed feed(database);
  const std::string many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT ";
  REQUIRE(connection.run("INSERT INTO b " + many + "i, 'text' FROM n") == BRAID_OK);
  const Json rows = feed.line();
  CHECK(rows.at("truncated") == true);
  CHECK(rows.at("rows").size() > 10);
  CHECK(rows.at("rows").size() < 2000);
  REQUIRE(connection.run("INSERT INTO cpu(time, host, v) " + many + "i * 1000000, 'h', i FROM n") == BRAID_OK);
  const Json points = feed.line();
  CHECK(points.at("truncated") == true);
  CHECK(points.at("series")[0].at("count") == 2000);
  CHECK(points.at("series")[0].at("truncated") == true);
  CHECK(points.at("series")[0].at("points").size() < 2000);
  CHECK(points.dump().size() < 10'000);
  REQUIRE(connection.run("INSERT INTO graph_nodes(labels) " + many + "'[\"N\"]' FROM n") == BRAID_OK);
  CHECK(feed.line().at("truncated") == true);
  REQUIRE(connection.run("INSERT INTO b VALUES(1, 2)") == BRAID_OK);
  CHECK_FALSE(feed.line().contains("truncated"));
}

TEST_CASE_FIXTURE(Tables, "a transaction that was writing when the feed was opened is a gap") {
  REQUIRE(connection.run("BEGIN; INSERT INTO b VALUES(1, 1)") == BRAID_OK);
  TestFeed feed(database);
  REQUIRE(connection.run("INSERT INTO b VALUES(2, 2); COMMIT; INSERT INTO b VALUES(3, 3)") == BRAID_OK);
  const Json gap = feed.line();
  CHECK(gap.at("gap").at("from").get<uint64_t>() == feed.start + 1);
  CHECK(gap.at("gap").at("to").get<uint64_t>() == feed.start + 1);
  CHECK(feed.line().at("rows")[0].at("new").at("x") == 3);
}

TEST_CASE("there are bounds on feeds, and closing one makes room") {
  const TempDir directory;
  TestDatabase database(directory.path() + "/db", "feeds_max=2");
  auto first = std::make_unique<TestFeed>(database);
  const TestFeed second(database);
  braid_feed* third = nullptr;
  CHECK(braid_feed_open(database.get(), nullptr, &third) == BRAID_LIMIT);
  CHECK(std::string(braid_database_error(database.get())).find("feeds_max") != std::string::npos);
  first = nullptr;
  CHECK(braid_feed_open(database.get(), nullptr, &third) == BRAID_OK);
  braid_feed_close(third);
}

TEST_CASE("a feed outlives the handle of its database, and another thread ends its wait") {
  const TempDir directory;
  auto database = std::make_unique<TestDatabase>(directory.path() + "/db");
  REQUIRE(make_tables(*database));
  auto connection = std::make_unique<TestConnection>(*database);
  auto feed = std::make_unique<TestFeed>(*database);
  CHECK(database->close() == BRAID_OK);
  std::thread writer([&] { connection->run("INSERT INTO b VALUES(1, 1)"); });
  CHECK(feed->line().at("rows").size() == 1);
  writer.join();
  connection = nullptr;
  std::thread canceller([&] { braid_feed_cancel(feed->get()); });
  CHECK_FALSE(feed->next(-1).has_value());
  CHECK(feed->code() == BRAID_INTERRUPTED);
  canceller.join();
  CHECK_FALSE(feed->next(-1).has_value());
  CHECK(feed->code() == BRAID_INTERRUPTED);
  feed = nullptr;
  // Now it is closed.
  const TestDatabase again(directory.path() + "/db");
  CHECK(again.ok());
}

TEST_CASE_FIXTURE(Tables, "nothing is kept while no feed is open") {
  {
    TestFeed feed(database);
    REQUIRE(connection.run("INSERT INTO b VALUES(1, 1)") == BRAID_OK);
    feed.line();
  }
  REQUIRE(connection.run("INSERT INTO b VALUES(2, 2); DELETE FROM b; BEGIN; INSERT INTO b VALUES(4, 4)") == BRAID_OK);
  TestFeed later(database);
  REQUIRE(connection.run("ROLLBACK; INSERT INTO b VALUES(3, 3)") == BRAID_OK);
  CHECK(later.line().at("rows").dump() == R"([{"table":"b","op":"insert","key":{"rowid":1},"new":{"x":3,"y":3}}])");
}
