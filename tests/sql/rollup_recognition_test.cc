// Which texts are recognised as rollups, and what they are written as.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/sqlite_handle.h"
#include "sql/rollup_recognition.h"

using namespace braid;

namespace {

const HypertableDefinition& cpu() {
  static const HypertableDefinition table = [] {
    HypertableDefinition definition;
    definition.name = "cpu";
    definition.time_column = "time";
    definition.tags = {"host", "order"};
    definition.fields = {{"usage", FieldType::kDouble}, {"n", FieldType::kInt64}, {"note", FieldType::kText}};
    return definition;
  }();
  return table;
}

std::optional<RecognizedStatement> recognize(const std::string& sql) {
  const SchemaLookup schema{[](std::string_view name) { return same_sql_name(name, "cpu") ? &cpu() : nullptr; },
                            [](std::string_view table, std::string_view column) {
                              if (same_sql_name(table, "cpu")) return same_sql_name(column, "time") || same_sql_name(column, "host");
                              return same_sql_name(table, "tags") && (same_sql_name(column, "id") || same_sql_name(column, "host"));
                            },
                            [](std::string_view) { return true; }};
  return recognize_rollups(sql, schema);
}

/// The text without the blanks that do not matter to read it.
std::string rewritten(const std::string& sql) {
  const auto statement = recognize(sql);
  return statement ? statement->sql : "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("what a rollup answers is recognised, however it is spaced and quoted") {
  for (const char* sql : {
           "SELECT count(*) FROM cpu",
           "select max(usage) from CPU",
           "SELECT/**/max ( \"usage\" )/* a */FROM--x\n[cpu]\n",
           "SELECT max(cpu.usage) FROM main.cpu WHERE cpu.time > 5",
           "SELECT max(c.usage) m FROM cpu AS c WHERE c.time BETWEEN '2024-01-01' AND '2024-01-02' AND c.n = 3",
           "SELECT host FROM cpu GROUP BY host",
           "SELECT \"order\", count(n) FROM cpu GROUP BY \"order\"",
           "SELECT time_bucket('1 hour', time) AS hour, avg(usage) FROM cpu GROUP BY hour ORDER BY hour DESC LIMIT 5",
           "SELECT time_bucket('1 hour', time), avg(usage) FROM cpu GROUP BY time_bucket( '1 hour' , \"time\" ) HAVING count(*) > 3",
           "SELECT time_bucket(?, time), max(usage) - min(usage) FROM cpu WHERE time > ? GROUP BY 1 ORDER BY 2 LIMIT ?",
           "SELECT max(usage) FROM cpu WHERE host IN (SELECT id FROM tags WHERE host = 'x')",
           "SELECT max(usage) FROM cpu WHERE host IN ('a', 'b', :c) AND \"order\" IS NULL",
           "SELECT max(usage) FROM cpu WHERE time > (SELECT max(time) FROM cpu WHERE host = 'a')",
           "SELECT max(usage) FROM cpu WHERE '2024-01-01' <= time AND (n > 3 AND (usage < 4.5))",
           "SELECT first(usage, time), last(n, time) FROM cpu",
           "SELECT CASE WHEN count(*) > 1 THEN max(usage) ELSE 0 END FROM cpu",
           "SELECT CAST(avg(usage) AS INTEGER) FROM cpu",
           "SELECT DISTINCT count(*) FROM cpu GROUP BY host",
           "WITH a AS (SELECT host, avg(usage) u FROM cpu GROUP BY 1) SELECT * FROM a JOIN tags ON a.host = tags.id",
           "INSERT INTO other SELECT host, count(*) FROM cpu GROUP BY host",
           "CREATE TABLE other AS SELECT host, count(*) FROM cpu GROUP BY host",
           "EXPLAIN QUERY PLAN SELECT count(*) FROM cpu",
           "SELECT t.id, (SELECT max(usage) FROM cpu WHERE host = t.id) FROM tags t",
           "SELECT count(*) FROM cpu UNION ALL SELECT 1",
           "SELECT count(*) FROM cpu; SELECT 2",
           "SELECT count(*) FROM cpu WHERE 1 = 1 AND EXISTS (SELECT 1 FROM tags)",
       }) {
    CAPTURE(sql);
    CHECK(recognize(sql).has_value());
  }
}

TEST_CASE("what is not surely the same is left as it is") {
  for (const char* sql : {
           "SELECT * FROM cpu",
           "SELECT usage FROM cpu",
           "SELECT max(usage) FROM cpu, tags",
           "SELECT max(usage) FROM cpu JOIN tags ON tags.id = cpu.host",
           "SELECT max(usage) FROM (SELECT * FROM cpu)",
           "SELECT max(usage), n FROM cpu",
           "SELECT max(note) FROM cpu",
           "SELECT max(host) FROM cpu",
           "SELECT sum(time) FROM cpu",
           "SELECT max(usage + 1) FROM cpu",
           "SELECT max(DISTINCT usage) FROM cpu",
           "SELECT count(DISTINCT host) FROM cpu",
           "SELECT max(usage) FILTER (WHERE n > 1) FROM cpu",
           "SELECT max(usage) OVER () FROM cpu",
           "SELECT group_concat(usage) FROM cpu",
           "SELECT max(usage) FROM cpu GROUP BY time",
           "SELECT max(usage) FROM cpu GROUP BY n",
           "SELECT max(usage) FROM cpu GROUP BY host COLLATE NOCASE",
           "SELECT time_bucket('1 hour', time) FROM cpu",
           "SELECT time_bucket('1 hour', time) AS time, max(n) FROM cpu GROUP BY time",
           "SELECT time_bucket('1 hour', time), max(n) FROM cpu GROUP BY time_bucket('2 hours', time)",
           "SELECT time_bucket(?, time), max(n) FROM cpu GROUP BY time_bucket(?, time)",
           "SELECT max(usage) FROM cpu WHERE time > '2024' OR n = 1",
           "SELECT max(usage) FROM cpu WHERE NOT n = 1",
           "SELECT max(usage) FROM cpu WHERE time + 1 > 5",
           "SELECT max(usage) FROM cpu WHERE usage > n",
           "SELECT max(usage) FROM cpu WHERE usage > random()",
           "SELECT max(usage) FROM cpu WHERE note = 'x'",
           "SELECT max(usage) FROM cpu WHERE host > 'a'",
           "SELECT max(usage) FROM cpu WHERE host LIKE 'a%'",
           "SELECT max(usage) FROM cpu WHERE host NOT IN ('a')",
           "SELECT max(usage) FROM cpu WHERE host = 'a' COLLATE NOCASE",
           "SELECT max(usage) FROM cpu WHERE host IN (SELECT id FROM tags WHERE id = cpu.host)",
           "SELECT max(usage) FROM cpu WHERE host IN (SELECT id FROM tags WHERE n = 1)",
           "SELECT max(usage) FROM cpu WHERE time = n",
           "SELECT max(usage) FROM cpu WHERE time <> 5",
           "SELECT max(usage) FROM cpu WHERE time IS 5",
           "SELECT max(usage) FROM cpu WHERE time IN (5, 6)",
           "SELECT max(usage) AS m FROM cpu WHERE m > 1",
           "SELECT max(usage) FROM cpu WHERE n = 1 = 1",
           "SELECT max(usage) FROM cpu WHERE latest = 1",
           "SELECT max(usage) FROM cpu WHERE rowid = 1",
           "WITH cpu AS (SELECT 1 AS usage) SELECT max(usage) FROM cpu",
           "SELECT max(usage) FROM temp.cpu",
           "SELECT count(*) FROM tags UNION SELECT max(usage) FROM cpu ORDER BY 1",
           "SELECT * FROM (SELECT max(usage) FROM cpu UNION ALL SELECT 1)",
           "SELECT (SELECT max(host)) FROM cpu GROUP BY host",
           "CREATE VIEW v AS SELECT count(*) FROM cpu",
           "CREATE TRIGGER t AFTER INSERT ON tags BEGIN INSERT INTO x SELECT count(*) FROM cpu; END",
           "DELETE FROM tags WHERE id IN (SELECT max(n) FROM cpu)",
           "UPDATE tags SET id = (SELECT max(n) FROM cpu)",
           "INSERT INTO cpu SELECT time_bucket('1 hour', time), host, NULL, avg(usage), 1, '' FROM cpu GROUP BY 1, 2",
           "SELECT max(usage) FROM cpu NOT INDEXED",
           "SELECT max(usage) FROM cpu WINDOW w AS ()",
           "SELECT _ru_a0, max(usage) FROM cpu",
           "SELECT max(usage FROM cpu",
           "SELECT max(usage) FROM cpu WHERE host = 'a",
           "SELECT count(*) FROM cpu GROUP BY 3",
           "SELECT count(*) FROM cpu ORDER BY 3",
           "",
           "SELECT 'cpu'",
       }) {
    CAPTURE(sql);
    CHECK(rewritten(sql) == "");
  }
}

TEST_CASE("a result column keeps its name") {
  CHECK(contains(rewritten("SELECT max( usage )FROM cpu"), "AS \"max( usage )\" FROM"));
  CHECK(contains(rewritten("SELECT cpu.HOST, count(*) FROM cpu GROUP BY host"), " AS \"host\""));
  CHECK(contains(rewritten("SELECT count(*) \"a\"\"b\" FROM cpu"), "AS \"a\"\"b\""));
  CHECK(contains(rewritten("SELECT ( SELECT max(n) FROM cpu), 2 FROM tags"), ") AS \"( SELECT max(n) FROM cpu)\", 2"));
  CHECK(contains(rewritten("SELECT (SELECT max(n) FROM cpu) AS m, (SELECT max(n) FROM cpu) l FROM tags"), ") AS m,"));
  CHECK(contains(rewritten("SELECT (SELECT max(n) FROM cpu) COLLATE nocase FROM tags"), " COLLATE nocase AS \"(SELECT max(n) FROM cpu) COLLATE nocase\""));
}

TEST_CASE("variables keep their numbers, or the text is left as it is") {
  const auto numbered = recognize("SELECT max(usage) + ? FROM cpu WHERE time > ? AND n < ?");
  REQUIRE(numbered.has_value());
  CHECK(numbered->variable_count == 3);
  CHECK(contains(numbered->sql, "+ ?1"));
  CHECK(contains(numbered->sql, "?2, ?3"));
  CHECK(recognize("SELECT max(usage) + :a FROM cpu WHERE time > :b").has_value());
  // Here :w would be met before :t.
  CHECK(rewritten("SELECT count(*) FROM cpu WHERE time > :t GROUP BY time_bucket(:w, time)") == "");
  CHECK(recognize("SELECT count(*) FROM cpu WHERE time > ?2 GROUP BY time_bucket(?1, time)").has_value());
}

TEST_CASE("what no core holds stays as it is written") {
  const std::string sql = "SELECT  count( * ),? /* c */ FROM (SELECT host FROM cpu GROUP BY host) q WHERE ?=1";
  const auto statement = recognize(sql);
  REQUIRE(statement.has_value());
  CHECK(contains(statement->sql, "SELECT  count( * ),? /* c */ FROM ("));
  CHECK(contains(statement->sql, ") q WHERE ?=1"));
}

TEST_CASE("only the first statement is taken") {
  const auto first = recognize("SELECT count(*) FROM cpu ; SELECT max(n) FROM cpu");
  REQUIRE(first.has_value());
  CHECK(first->used == std::string("SELECT count(*) FROM cpu ;").size());
  CHECK(!contains(first->sql, "max"));
}

TEST_CASE("a bound on the buckets is asked for only when nothing else decides which rows are given") {
  const std::string bucket = "SELECT time_bucket('1 hour', time) AS b, count(*) AS c FROM cpu GROUP BY b ";
  CHECK(contains(rewritten(bucket + "ORDER BY b DESC LIMIT 5"), "limit:1:-"));
  CHECK(contains(rewritten(bucket + "ORDER BY 1 LIMIT 5 OFFSET 2"), "limit:1:2:+"));
  CHECK(contains(rewritten(bucket + "LIMIT 5"), "limit:1:+"));
  CHECK(!contains(rewritten(bucket + "HAVING c > 1 ORDER BY b LIMIT 5"), "limit:"));
  CHECK(!contains(rewritten(bucket + "ORDER BY c LIMIT 5"), "limit:"));
}
