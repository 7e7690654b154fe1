// Tags that refer to rows, through appenders and batches, across savepoints and a reopen. SQL's part is in tests/scripts/tag_references.test.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

struct Fixture {
  TempDir directory;
  std::unique_ptr<TestDatabase> database = std::make_unique<TestDatabase>(directory / "db");
  std::unique_ptr<TestConnection> connection = std::make_unique<TestConnection>(*database);

  Fixture() {
    REQUIRE(connection->run("CREATE TABLE device(serial TEXT PRIMARY KEY); INSERT INTO device VALUES('a');"
                            "CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG REFERENCES device(serial), v DOUBLE)") == BRAID_OK);
  }
  void reopen() {
    connection.reset();
    REQUIRE(database->close() == BRAID_OK);
    database = std::make_unique<TestDatabase>(directory / "db");
    connection = std::make_unique<TestConnection>(*database);
  }
};

int32_t add_point(braid_appender* appender, const char* host, int64_t time) {
  const double value = 1;
  if (const int32_t code = braid_appender_series(appender, &host, 1)) return code;
  return braid_appender_point(appender, time, &value, nullptr, 1);
}

int32_t add_points(braid_batch* batch, const char* host, int64_t time) {
  const double value = 2;
  const braid_column column{sizeof(braid_column), BRAID_TYPE_DOUBLE, &value, nullptr};
  return braid_batch_points(batch, "m", &host, 1, &time, 1, &column, 1);
}

}  // namespace

TEST_CASE("an appender's flush is refused while the row is missing, and succeeds once it is there") {
  Fixture f;
  braid_appender* appender = nullptr;
  REQUIRE(braid_appender_open(f.connection->get(), "m", &appender) == BRAID_OK);
  REQUIRE(add_point(appender, "a", 1) == BRAID_OK);
  REQUIRE(add_point(appender, "b", 1) == BRAID_OK);
  CHECK(braid_appender_flush(appender) == BRAID_CONSTRAINT);
  CHECK(f.connection->error().find("serial = 'b', which is not there") != std::string::npos);
  CHECK(f.connection->rows("SELECT count(*) FROM m") == "0");
  REQUIRE(f.connection->run("INSERT INTO device VALUES('b')") == BRAID_OK);
  CHECK(braid_appender_close(appender) == BRAID_OK);
  CHECK(f.connection->rows("SELECT group_concat(host) FROM (SELECT host FROM m ORDER BY host)") == "a,b");
}

TEST_CASE("within a transaction what a savepoint undoes is no row to refer to") {
  Fixture f;
  braid_appender* appender = nullptr;
  REQUIRE(braid_appender_open(f.connection->get(), "m", &appender) == BRAID_OK);
  REQUIRE(braid_begin(f.connection->get(), BRAID_WRITE) == BRAID_OK);
  REQUIRE(braid_savepoint(f.connection->get(), "s") == BRAID_OK);
  REQUIRE(f.connection->run("INSERT INTO device VALUES('b')") == BRAID_OK);
  CHECK(add_point(appender, "b", 1) == BRAID_OK);
  REQUIRE(braid_rollback_to(f.connection->get(), "s") == BRAID_OK);
  CHECK(add_point(appender, "b", 2) == BRAID_CONSTRAINT);
  CHECK(add_point(appender, "a", 2) == BRAID_OK);
  CHECK(f.connection->run("DELETE FROM device WHERE serial = 'a'") == BRAID_CONSTRAINT);
  REQUIRE(braid_commit(f.connection->get()) == BRAID_OK);
  CHECK(braid_appender_close(appender) == BRAID_OK);
  CHECK(f.connection->rows("SELECT host, count(*) FROM m GROUP BY host") == "a|1");
}

TEST_CASE("a batch may bring the row and its points; one without the row does nothing") {
  Fixture f;
  TestBatch batch(*f.database);
  REQUIRE(batch.execute("INSERT INTO device VALUES('b')") == BRAID_OK);
  REQUIRE(add_points(batch.get(), "b", 1) == BRAID_OK);
  CHECK(batch.commit() == BRAID_OK);
  REQUIRE(batch.execute("INSERT INTO device VALUES('c')") == BRAID_OK);
  REQUIRE(add_points(batch.get(), "d", 1) == BRAID_OK);
  CHECK(batch.commit() == BRAID_CONSTRAINT);
  CHECK(f.connection->rows("SELECT group_concat(serial) FROM (SELECT serial FROM device ORDER BY serial)") == "a,b");
  REQUIRE(batch.execute("DELETE FROM device WHERE serial = 'b'") == BRAID_OK);
  CHECK(batch.commit() == BRAID_CONSTRAINT);
}

TEST_CASE("a reference is kept when the database is opened again") {
  Fixture f;
  REQUIRE(f.connection->run("INSERT INTO m VALUES(1, 'a', 1)") == BRAID_OK);
  f.reopen();
  CHECK(f.connection->run("DELETE FROM device WHERE serial = 'a'") == BRAID_CONSTRAINT);
  CHECK(f.connection->run("INSERT INTO m VALUES(1, 'z', 1)") == BRAID_CONSTRAINT);
  CHECK(f.connection->run("DELETE FROM m; DELETE FROM device WHERE serial = 'a'") == BRAID_OK);
  CHECK(f.database->check() == "");
}
