#include "cli/hypertable_schema.h"

#include <doctest/doctest.h>

using namespace braid::cli;
using Role = HypertableColumn::Role;

TEST_CASE("columns, their types and tags are read from the SQL; options are not columns") {
  auto schema = read_hypertable_schema(
      "CREATE VIRTUAL TABLE \"my cpu\" USING hypertable(\"time\" TIMESTAMP, host TEXT TAG, -- a, "
      "note\n"
      " \"us\"\"age\" DOUBLE, n INTEGER, ok BOOLEAN, doc JSON, chunk_interval='1 day, (or so)', "
      "on_conflict = 'replace')");
  REQUIRE(schema.has_value());
  REQUIRE(schema->size() == 6);
  CHECK((*schema)[0].name == "time");
  CHECK((*schema)[0].role == Role::kTime);
  CHECK((*schema)[1].name == "host");
  CHECK((*schema)[1].role == Role::kTag);
  CHECK((*schema)[2].name == "us\"age");
  CHECK((*schema)[2].type == ColumnType::kDouble);
  CHECK((*schema)[5].type == ColumnType::kJson);
  CHECK((*schema)[5].role == Role::kField);
}

TEST_CASE("what creates no hypertable, or is cut short, has no schema") {
  for (const char* sql : {"", "CREATE TABLE t(a INTEGER)", "CREATE VIRTUAL TABLE t USING fts5(a)",
                          "CREATE VIRTUAL TABLE t USING hypertable(time TIMESTAMP",
                          "CREATE VIRTUAL TABLE t USING hypertable(time MONEY)",
                          "CREATE VIRTUAL TABLE t USING hypertable('"}) {
    CAPTURE(sql);
    CHECK(!read_hypertable_schema(sql).has_value());
  }
}
