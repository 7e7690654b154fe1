// SQL of strangers, and databases that strangers have made: refused or harmless. Names and values at the edges of what there can be.
#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "engine/session.h"
#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

struct Fixture {
  Fixture() {
    REQUIRE(database.message() == "");
    REQUIRE(owner.run("CREATE TABLE r(k PRIMARY KEY, x); INSERT INTO r VALUES(1, 'a'); CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, v REAL); "
                      "CREATE VIRTUAL TABLE words USING fts5(text); INSERT INTO words VALUES('some words'); "
                      "INSERT INTO p VALUES(1, 1.5); INSERT INTO graph_nodes(labels) VALUES('[\"N\"]'); CREATE TABLE unrelated(x); CREATE TABLE named(named)") == BRAID_OK);
  }
  TempDir directory;
  TestDatabase database{directory / "db"};
  TestConnection owner{database};
};

const char* const kReads[] = {
    "SELECT k, x FROM r WHERE k = 1",
    "SELECT count(*) FROM p",
    "SELECT time_bucket('1 hour', time) AS b, avg(v) FROM p GROUP BY b",
    "SELECT count(*) FROM graph_nodes WHERE label = 'N'",
    "SELECT count(*) FROM graph_hops(1, 2)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT sum(i) FROM n",
    "SELECT json_extract('{\"a\":1}', '$.a'), upper('a'), date('now')",
    "SELECT count(*) FROM words WHERE words MATCH 'some'",
    "BEGIN; SELECT 1; COMMIT",
};

const char* const kWrites[] = {
    "INSERT INTO r VALUES(2, 'b')", "UPDATE r SET x = 'c' WHERE k = 1", "DELETE FROM r WHERE k = 2", "INSERT INTO p VALUES(2, 2.5)",
    "INSERT INTO words(text) VALUES('more words')", "INSERT INTO unrelated(x) VALUES(1)", "INSERT INTO named(named) VALUES(1)",
    "INSERT INTO graph_nodes(labels) VALUES('[\"N\"]')", "BEGIN IMMEDIATE; INSERT INTO r VALUES(3, 'd'); ROLLBACK",
};

const char* const kRefused[] = {
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'stolen.db'",
    "PRAGMA synchronous=OFF",
    "PRAGMA user_version=7",
    "PRAGMA user_version",
    "PRAGMA table_info(r)",
    "PRAGMA writable_schema=ON",
    "PRAGMA hard_heap_limit=1",
    "PRAGMA integrity_check",
    "SELECT * FROM pragma_table_info('r')",
    "SELECT * FROM dbstat",
    "SELECT readfile('/etc/passwd')",
    "SELECT writefile('x', 'y')",
    "SELECT load_extension('x')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "CREATE TABLE t(x)",
    "CREATE TEMP TABLE t(x)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE INDEX i ON r(x)",
    "CREATE TRIGGER t AFTER INSERT ON r BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE t USING fts5(x)",
    "CREATE VIRTUAL TABLE t USING csv(filename='/etc/passwd')",
    "ALTER TABLE r ADD COLUMN y",
    "DROP TABLE r",
    "REINDEX",
    "ANALYZE",
    "UPDATE sqlite_master SET sql = ''",
    "DELETE FROM sqlite_sequence",
    "SELECT * FROM _braid_log",
    "DELETE FROM _braid_log",
    "SELECT graph_bind('U', 'unrelated', 'x')",
    "SELECT drop_chunks('p', '2030-01-01')",
    "SELECT add_retention_policy('p', '1 day')",
    "SELECT create_hypertable('unrelated', 'x')",
    "SELECT hypertable_alter('p', 'add', 'w', 'REAL')",
    "SELECT sqlite_compileoption_get(1)",
    "SELECT sql FROM sqlite_stmt",
    "SELECT * FROM maintenance_policies",
    "SELECT name FROM hypertables",
    "SELECT * FROM show_chunks('p')",
    "SELECT * FROM hypertable_detailed_size('p')",
    "SELECT hypertable_size('p')",
    "SELECT * FROM graph_walks",
    "SELECT * FROM series_reads",
    "SELECT * FROM load_positions",
    "SELECT load_position('x')",
    "SELECT snippet(words, 0, '', '', '', 5) FROM words WHERE words MATCH 'some'",
    "SELECT highlight(words, 0, '', '') FROM words WHERE words MATCH 'some'",
    "INSERT INTO words(words) VALUES('optimize')",
    "INSERT INTO words(words, rank) VALUES('rank', 'bm25(10)')",
    "WITH one AS (SELECT 1) INSERT OR REPLACE INTO main.\"words\" AS w (rank, /* no */ [WORDS]) VALUES(64, 'pgsz')",
    "REPLACE INTO 'words'('words', text) SELECT 'rebuild', NULL",
    "BEGIN",
    "BEGIN IMMEDIATE; INSERT INTO r VALUES(9, 'i')",
    "SAVEPOINT s; DELETE FROM r; RELEASE t",
};

/// "{0}" in `value` is the column itself.
std::string with_column(std::string value, const std::string& column) {
  for (size_t at = value.find("{0}"); at != std::string::npos; at = value.find("{0}", at + column.size())) value.replace(at, 3, column);
  return value;
}

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

void check_reads(TestConnection& stranger) {
  for (const char* sql : kReads) {
    CAPTURE(std::string(sql));
    CAPTURE(stranger.error());
    CHECK(stranger.run(sql) == BRAID_OK);
  }
}

}  // namespace

TEST_CASE("a stranger's SQL reads and changes data, and nothing else") {
  Fixture f;
  TestConnection stranger(f.database);
  REQUIRE(braid_restrict(stranger.get(), 0, 1000, 1000000) == BRAID_OK);
  check_reads(stranger);
  for (const char* sql : kWrites) {
    CAPTURE(std::string(sql));
    CAPTURE(stranger.error());
    CHECK(stranger.run(sql) == BRAID_OK);
  }
  for (const char* sql : kRefused) {
    CAPTURE(std::string(sql));
    CAPTURE(stranger.error());
    const int32_t code = stranger.run(sql);
    // What SQLite itself refuses, or does not have, is no SQL.
    CHECK((code == BRAID_DENIED || code == BRAID_SQL || code == BRAID_NOT_FOUND));
    CHECK(braid_in_transaction(stranger.get()) == 0);
  }
  CHECK(f.owner.run("CREATE TABLE t(x); DROP TABLE t; PRAGMA table_info(r)") == BRAID_OK);
  CHECK(f.owner.rows("SELECT x FROM r ORDER BY k") == "c");
  CHECK(f.database.check() == "");
}

TEST_CASE("a stranger who may only read changes nothing") {
  Fixture f;
  TestConnection stranger(f.database);
  REQUIRE(braid_restrict(stranger.get(), BRAID_RESTRICT_READ_ONLY, 0, 0) == BRAID_OK);
  const int64_t commits = f.database.figure("commits");
  check_reads(stranger);
  for (const char* sql : kWrites) {
    CAPTURE(std::string(sql));
    CAPTURE(stranger.error());
    CHECK(stranger.run(sql) == BRAID_DENIED);
    if (braid_in_transaction(stranger.get()) == 1) CHECK(braid_rollback(stranger.get()) == BRAID_OK);
  }
  for (const char* sql : kRefused) {
    CAPTURE(std::string(sql));
    CAPTURE(stranger.error());
    CHECK(stranger.run(sql) != BRAID_OK);
  }
  CHECK(stranger.run("SELECT run_maintenance()") == BRAID_DENIED);
  CHECK(braid_begin(stranger.get(), BRAID_WRITE) == BRAID_DENIED);
  CHECK(braid_node_create(stranger.get(), nullptr, nullptr, nullptr) == BRAID_DENIED);
  CHECK(f.database.figure("commits") == commits);
}

TEST_CASE("a stranger's statement ends in time, also when its rows are fetched slowly, and its values are small") {
  Fixture f;
  TestConnection stranger(f.database);
  REQUIRE(braid_restrict(stranger.get(), 0, 200, 10000) == BRAID_OK);
  CHECK(stranger.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n") == BRAID_INTERRUPTED);
  CHECK(stranger.rows("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n").starts_with("error 11"));
  CHECK(stranger.run("SELECT length(zeroblob(20000))") == BRAID_LIMIT);
  CHECK(stranger.run("SELECT " + std::string(5000, '(') + "1" + std::string(5000, ')')) != BRAID_OK);
  CHECK(stranger.run("SELECT 1" + [] {
          std::string more;
          for (int i = 0; i < 100; ++i) more += " UNION ALL SELECT 1";
          return more;
        }()) != BRAID_OK);
  CHECK(stranger.run("SELECT 'a' LIKE '" + std::string(1000, '%') + "'") != BRAID_OK);
  CHECK(stranger.rows("SELECT 1") == "1");
}

TEST_CASE("functions that could run for minutes are bounded for a stranger, and answer as ever otherwise") {
  Fixture f;
  TestConnection stranger(f.database);
  REQUIRE(braid_restrict(stranger.get(), 0, 1000, 0) == BRAID_OK);
  const char* const kLong[] = {
      "printf('%.*c', 2000000000, 'x')", "format('%2000000c', 'x')", "printf('%%%s %d%.2000000f', 'a', 1, 2.5)", "printf('%*.*d', 1, 1000001, 5)",
      "trim(hex(zeroblob(50000)), hex(zeroblob(20000)))", "rtrim(hex(zeroblob(50000)), hex(zeroblob(20000)) || '1')",
      "ltrim(hex(zeroblob(50000)), hex(zeroblob(20000)) || '1')", "instr(zeroblob(600000), zeroblob(300000))",
      "replace(hex(zeroblob(600000)), hex(zeroblob(300000)) || '1', 'x')", "json_set('{}', '$' || replace(hex(zeroblob(50000)), '0', '.a'), 1)",
      "json_insert('[]', '$' || replace(hex(zeroblob(600)), '0', '[0]'), 1)", "json_patch(hex(zeroblob(100000)), hex(zeroblob(100000)))"};
  for (const char* call : kLong) {
    CAPTURE(std::string(call));
    CHECK(stranger.run(fmt::format("SELECT length({})", call)) == BRAID_DENIED);
    CHECK(stranger.error().find("the connection is restricted: ") != std::string::npos);
  }
  const char* const kOrdinary[] = {
      "printf('%5d|%-5s|%.3f|%c|%%|%08.2f|%+d|%,d|%x|%q|%Q', 42, 'ab', 1.23456, 'xyz', 3.14159, 7, 1234567, 255, 'it''s', NULL)", "format('%*d|%.*s', 6, 42, 2, 'abcdef')",
      "printf('%z')", "printf('%')", "printf(NULL)", "printf('%d %s')", "printf('%n%d', 5)", "printf('%lld', 9223372036854775807)", "quote(printf('%s', x'00'))",
      "trim('  a ')", "trim('xxaxx', 'x')", "ltrim('xxaxx', 'x')", "rtrim('xxaxx', 'xa')", "quote(trim(NULL))", "quote(trim('a', NULL))", "trim(5.50, 5)",
      "instr('hello', 'l')", "instr(x'0102', x'02')", "quote(instr(NULL, 'a'))", "instr(12345, 34)", "replace('aXbX', 'X', 'yy')", "replace('a', '', 'b')",
      "quote(replace('a', NULL, 'b'))", "typeof(replace(5, 5, 6))", "json_set('{\"a\":1}', '$.b', json('[1,2]'), '$.a', '[3]')", "json_insert('[1]', '$[#]', json_object('x', 2))",
      "json_array(json_set('{}', '$.a', 1), json_patch('{\"a\":1}', '{\"a\":null,\"b\":[2]}'))", "quote(json_set(NULL, '$.a', 1))", "json_set('{}')"};
  for (const char* call : kOrdinary) {
    CAPTURE(std::string(call));
    const std::string sql = fmt::format("SELECT {}", call);
    CHECK(stranger.rows(sql) == f.owner.rows(sql));
  }
  CHECK(stranger.rows("SELECT length(printf('%.*c', 1000000, 'x'))") == "1000000");
}

TEST_CASE("a stranger's transaction ends with its text and in time, so that it holds nobody off") {
  Fixture f;
  TestConnection stranger(f.database);
  REQUIRE(braid_restrict(stranger.get(), 0, 1, 10000) == BRAID_OK);
  std::string text = "BEGIN IMMEDIATE;";
  for (int i = 0; i < 2500; ++i) text += "INSERT INTO unrelated VALUES(1);";
  const int32_t code = stranger.run(text + "COMMIT");
  CHECK((code == BRAID_LIMIT || code == BRAID_INTERRUPTED));
  CHECK(braid_in_transaction(stranger.get()) == 0);
  CHECK(f.owner.rows("SELECT count(*) FROM unrelated") == "0");
  braid_statement* begin = nullptr;
  for (const char* sql : {"BEGIN IMMEDIATE", "SAVEPOINT s"}) {
    REQUIRE(braid_prepare(stranger.get(), sql, BRAID_NUL_TERMINATED, &begin, nullptr) == BRAID_OK);
    CHECK(braid_statement_step(begin) == BRAID_DENIED);
    braid_statement_close(begin);
  }
  // One that the host begins is the host's.
  REQUIRE(braid_begin(stranger.get(), BRAID_WRITE) == BRAID_OK);
  CHECK(stranger.run("SAVEPOINT s; RELEASE s; INSERT INTO unrelated VALUES(1)") == BRAID_OK);
  CHECK(braid_in_transaction(stranger.get()) == 1);
  CHECK(braid_commit(stranger.get()) == BRAID_OK);
  CHECK(f.owner.rows("SELECT count(*) FROM unrelated") == "1");
}

TEST_CASE("a restriction is asked for before anything else, and known flags only") {
  Fixture f;
  CHECK(braid_restrict(nullptr, 0, 0, 0) == BRAID_MISUSE);
  TestConnection connection(f.database);
  CHECK(braid_restrict(connection.get(), 64, 0, 0) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_restrict(connection.get(), 0, -1, 0) == BRAID_INVALID_ARGUMENT);
  REQUIRE(braid_begin(connection.get(), BRAID_READ) == BRAID_OK);
  CHECK(braid_restrict(connection.get(), 0, 0, 0) == BRAID_MISUSE);
}

TEST_CASE("a catalog that was made to attack is refused or harmless") {
  TempDir directory(memory_directory());
  {
    TestDatabase database(directory / "db");
    TestConnection connection(database);
    REQUIRE(Operations::create(connection, 2) == BRAID_OK);
    for (int i = 1; i <= 3; ++i) REQUIRE(Operations::run(connection, 0, i) == BRAID_OK);
    REQUIRE(connection.run("CREATE TABLE bound(k INTEGER PRIMARY KEY, x); INSERT INTO bound VALUES(1, 'a'); SELECT graph_bind('Bound', 'bound', 'k')") == BRAID_OK);
  }
  const char* const kValues[] = {"NULL", "x''", "x'ffffffffffffffffffffffffffff'", "9223372036854775807", "-1", "'{\"a\":[[[[1e999]]]]}'", "randomblob(100)",
                                 "zeroblob(100000)", "CAST(substr({0}, 1, length({0}) / 2) AS BLOB)", "{0} || {0}"};
  std::vector<std::pair<std::string, std::string>> columns;
  {
    TestDatabase database(directory / "db");
    TestConnection connection(database);
    const Session::Internal internal(connection.get()->state->connection->session());
    auto found = sqlite_prepare(connection.get()->state->connection->db(),
                                "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.name LIKE '\\_braid\\_%' ESCAPE '\\' AND t.type = 'table' "
                                "AND t.sql NOT LIKE '%VIRTUAL%'");
    REQUIRE(found.ok());
    for (auto more = found->step(); more.ok() && *more; more = found->step()) columns.emplace_back(found->bytes(0), found->bytes(1));
  }
  REQUIRE(columns.size() > 5);
  int refused = 0;
  int opened = 0;
  for (const auto& one : columns) {
    const auto table = one.first, column = one.second;
    for (const char* value : kValues) {
      CAPTURE(table);
      CAPTURE(column);
      CAPTURE(value);
      const std::string path = directory / "attack";
      std::filesystem::remove_all(path);
      std::filesystem::copy(directory / "db", path, std::filesystem::copy_options::recursive);
      {
        TestDatabase database(path);
        if (!database.ok()) continue;
        TestConnection connection(database);
        if (connection.code() != BRAID_OK) continue;
        const Session::Internal internal(connection.get()->state->connection->session());
        sqlite_run(connection.get()->state->connection->db(),
                   fmt::format("UPDATE OR IGNORE {} SET {} = {}", quote_identifier(table), quote_identifier(column), with_column(value, quote_identifier(column))))
            .ignore();
      }
      TestDatabase database(path);
      if (!database.ok()) {
        ++refused;
        CHECK(database.message() != "");
        continue;
      }
      ++opened;
      TestConnection connection(database);
      connection.rows("SELECT count(*) FROM graph_nodes");
      connection.rows("SELECT * FROM point");
      connection.rows("SELECT * FROM bound");
      connection.run("INSERT INTO bound VALUES(2, 'b')");
      connection.run(Operations::all_sql(0, 9));
      database.check();
    }
  }
  CHECK(refused > 0);
  CHECK(opened > 0);
}

TEST_CASE("texts with NUL, texts that are no UTF-8 and deep JSON are kept or refused, in all three models") {
  TempDir directory;
  {
  TestDatabase database(directory / "db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE r(x); CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, d TEXT TAG, v TEXT)") == BRAID_OK);
  for (const char* text : {"char(0)", "'a' || char(0) || 'b'", "CAST(x'ff' AS TEXT)", "CAST(x'c080' AS TEXT)", "CAST(x'eda080' AS TEXT)", "CAST(x'f4908080' AS TEXT)",
                           "char(0x10ffff)", "''"}) {
    CAPTURE(text);
    const std::string value(text);
    CHECK(connection.run("DELETE FROM r; INSERT INTO r VALUES(" + value + ")") == BRAID_OK);
    CHECK(connection.rows("SELECT hex(x) = hex(" + value + ") FROM r") == "1");
    for (const std::string& sql : {"INSERT INTO p VALUES(1, " + value + ", 'v')", "INSERT INTO p VALUES(2, 't', " + value + ")",
                                   "INSERT INTO graph_nodes(labels) VALUES(json_array(" + value + "))",
                                   "INSERT INTO graph_nodes(properties) VALUES(json_object('k', " + value + "))",
                                   "INSERT INTO graph_nodes(properties) VALUES(json_object(" + value + ", 1))"}) {
      CAPTURE(std::string(sql));
      const int32_t code = connection.run(sql);
      CHECK((code == BRAID_OK || code == BRAID_INVALID_ARGUMENT || code == BRAID_CONSTRAINT || code == BRAID_SQL));
      if (code != BRAID_OK) CHECK(connection.error() != "");
    }
    CHECK(connection.rows("SELECT count(*) FROM p WHERE hex(d) = hex(" + value + ") OR hex(v) = hex(" + value + ")") != "");
  }
  for (const size_t depth : {size_t{1}, size_t{50}, size_t{100}, size_t{1000}, size_t{100000}}) {
    const int32_t code = connection.run("INSERT INTO graph_nodes(properties) VALUES('{\"a\":" + nested(depth) + "}')");
    CHECK((code == BRAID_OK || code == BRAID_INVALID_ARGUMENT));
    CHECK((depth > 50 || code == BRAID_OK));
  }
  CHECK(database.check() == "");
  }
  TestDatabase again(directory / "db");
  CHECK(again.message() == "");
  CHECK(again.check() == "");
}

TEST_CASE("the greatest and least integers, infinities and NaN, and the years 0 and 294000 are kept or refused, in all three models") {
  TempDir directory;
  TestDatabase database(directory / "db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE TABLE r(x); CREATE VIRTUAL TABLE p USING hypertable(time TIMESTAMP, i INTEGER, f REAL)") == BRAID_OK);
  for (const char* number : {"9223372036854775807", "-9223372036854775808", "0", "-1"}) {
    CAPTURE(number);
    const std::string text(number);
    CHECK(connection.run("DELETE FROM r; INSERT INTO r VALUES(" + text + ")") == BRAID_OK);
    CHECK(connection.rows("SELECT x FROM r") == text);
    CHECK(connection.run("INSERT INTO p VALUES(5, " + text + ", 0)") == BRAID_OK);
    CHECK(connection.rows("SELECT i FROM p WHERE time = 5") == text);
    CHECK(connection.run("INSERT INTO graph_nodes(labels, properties) VALUES('[\"E\"]', '{\"n\":" + text + "}')") == BRAID_OK);
    CHECK(connection.rows("SELECT json_extract(properties, '$.n') FROM graph_nodes WHERE id = last_insert_rowid()") == text);
    // As a time it is one of the range or refused; as an id it is none that there is.
    const int32_t code = connection.run("INSERT INTO p VALUES(" + text + ", 1, 1)");
    CHECK((code == BRAID_OK || code == BRAID_INVALID_ARGUMENT || code == BRAID_CONSTRAINT));
    CHECK(connection.run("SELECT * FROM graph_nodes WHERE id = " + text) == BRAID_OK);
    CHECK(connection.run("DELETE FROM graph_nodes WHERE id = " + text) == BRAID_OK);
    CHECK(connection.run("INSERT INTO graph_edges(src, type, dst) VALUES(" + text + ", 'T', 1)") != BRAID_OK);
    CHECK(connection.run("SELECT time_bucket('1 day', " + text + ")") != BRAID_INTERNAL);
  }
  for (const char* real : {"9e999", "-9e999", "4.9e-324", "1.7976931348623157e308", "-0.0"}) {
    CAPTURE(real);
    CHECK(connection.run(fmt::format("INSERT INTO p VALUES(6, 1, {})", real)) == BRAID_OK);
    CHECK(connection.rows(fmt::format("SELECT f = {} FROM p WHERE time = 6", real)) == "1");
    const int32_t code = connection.run(fmt::format("INSERT INTO graph_nodes(properties) VALUES('{{\"n\":{}}}')", real));
    CHECK((code == BRAID_OK || code == BRAID_INVALID_ARGUMENT));
  }
  for (const char* time : {"0000-01-01 00:00:00", "-0001-12-31 23:59:59", "9999-12-31 23:59:59.999999", "10000-01-01 00:00:00", "294000-01-01 00:00:00", "294277-01-01 00:00:00",
                           "2024-02-30 00:00:00", "2024-01-01 24:00:00", "2024-01-01 23:59:60"}) {
    CAPTURE(time);
    const int32_t code = connection.run(fmt::format("DELETE FROM p WHERE i = 7; INSERT INTO p VALUES('{}', 7, 1)", time));
    CHECK((code == BRAID_OK || code == BRAID_INVALID_ARGUMENT || code == BRAID_CONSTRAINT));
    if (code == BRAID_OK) CHECK(connection.rows("SELECT count(*) FROM p WHERE i = 7") == "1");
    if (code != BRAID_OK) CHECK(connection.error().find(time) != std::string::npos);
  }
  const int64_t times[] = {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), 0};
  for (const int64_t time : times) {
    braid_appender* appender = nullptr;
    REQUIRE(braid_appender_open(connection.get(), "p", &appender) == BRAID_OK);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const int64_t one = 8;
    const braid_column columns[2] = {{sizeof(braid_column), BRAID_TYPE_INT64, &one, nullptr}, {sizeof(braid_column), BRAID_TYPE_DOUBLE, &nan, nullptr}};
    int32_t code = braid_appender_series(appender, nullptr, 0);
    if (code == BRAID_OK) code = braid_appender_columns(appender, &time, 1, columns, 2);
    const int32_t closed = braid_appender_close(appender);
    if (code == BRAID_OK) code = closed;
    CHECK((code == BRAID_OK || code == BRAID_INVALID_ARGUMENT || code == BRAID_CONSTRAINT));
  }
  CHECK(connection.rows("SELECT count(*) FROM p WHERE i = 8 AND f IS NULL") != "0");
  CHECK(braid_checkpoint(database.get()) == BRAID_OK);
  CHECK(database.check() == "");
  CHECK(connection.run("SELECT time_bucket('1 year', time) AS b, count(*) FROM p GROUP BY b") == BRAID_OK);
}
