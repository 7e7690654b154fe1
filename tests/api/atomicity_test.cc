// Invariant 6: a savepoint, a failed statement and a rollback undo all three models, whatever made
// them happen.
#include <doctest/doctest.h>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

struct Fixture {
  Fixture() {
    REQUIRE(
        connection.run(
            "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, price INTEGER CHECK(price "
            ">= 0));"
            "CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, item TEXT TAG, value DOUBLE);"
            "SELECT graph_create_index('Item', 'id', 1);") == BRAID_OK);
  }
  /// Rows, nodes, edges and points, in this order.
  std::string counts(TestConnection& on) {
    return on.rows(
        "SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM graph_nodes), (SELECT count(*) "
        "FROM graph_edges), "
        "(SELECT count(*) FROM m)");
  }
  std::string counts() { return counts(connection); }

  /// A trigger that gives each row a node, an edge from the node to itself and a point.
  void make_trigger() {
    REQUIRE(connection.run("CREATE TRIGGER item_everywhere AFTER INSERT ON item BEGIN"
                           "  INSERT INTO graph_nodes(labels, properties) VALUES('[\"Item\"]', "
                           "printf('{\"id\":%d}', NEW.id));"
                           "  INSERT INTO graph_edges(src, type, dst) VALUES(graph_node('Item', "
                           "'id', NEW.id), 'SELF', graph_node('Item', 'id', NEW.id));"
                           "  INSERT INTO m(time, item, value) VALUES(NEW.id, NEW.name, NEW.price);"
                           "END") == BRAID_OK);
  }
  static std::string everywhere(int id) {
    const std::string n = std::to_string(id);
    return "INSERT INTO item VALUES(" + n + ", 'n" + n + "', 1);" +
           "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Item\"]', '{\"id\":" + n +
           "}');" + "INSERT INTO graph_edges(src, type, dst) VALUES(graph_node('Item', 'id', " + n +
           "), 'SELF', graph_node('Item', 'id', " + n + "));" +
           "INSERT INTO m(time, item, value) VALUES(" + n + ", 'n', 1);";
  }

  TempDir directory;
  TestDatabase database{directory / "db"};
  TestConnection connection{database};
  TestConnection other{database};
};

}  // namespace

TEST_CASE("a rollback undoes rows, nodes, edges and points, and a commit keeps them") {
  Fixture f;
  REQUIRE(f.connection.run("BEGIN;" + Fixture::everywhere(1)) == BRAID_OK);
  CHECK(f.counts() == "1|1|1|1");
  CHECK(f.counts(f.other) == "0|0|0|0");
  REQUIRE(f.connection.run("ROLLBACK") == BRAID_OK);
  CHECK(f.counts() == "0|0|0|0");
  REQUIRE(f.connection.run("BEGIN;" + Fixture::everywhere(1) + "COMMIT") == BRAID_OK);
  CHECK(f.counts() == "1|1|1|1");
  CHECK(f.counts(f.other) == "1|1|1|1");
  CHECK(f.database.check() == "");
}

TEST_CASE("a savepoint undoes all three models to where it was set, nested and again") {
  Fixture f;
  REQUIRE(f.connection.run("BEGIN;" + Fixture::everywhere(1) + "SAVEPOINT a;" +
                           Fixture::everywhere(2) + "SAVEPOINT b;" + Fixture::everywhere(3)) ==
          BRAID_OK);
  CHECK(f.counts() == "3|3|3|3");
  REQUIRE(f.connection.run("ROLLBACK TO b") == BRAID_OK);
  CHECK(f.counts() == "2|2|2|2");
  REQUIRE(f.connection.run(Fixture::everywhere(4) + "ROLLBACK TO b") == BRAID_OK);
  CHECK(f.counts() == "2|2|2|2");
  REQUIRE(f.connection.run(Fixture::everywhere(5) + "RELEASE b") == BRAID_OK);
  CHECK(f.counts() == "3|3|3|3");
  REQUIRE(f.connection.run("ROLLBACK TO a") == BRAID_OK);
  CHECK(f.counts() == "1|1|1|1");
  REQUIRE(f.connection.run(Fixture::everywhere(6) + "RELEASE a; COMMIT") == BRAID_OK);
  CHECK(f.counts(f.other) == "2|2|2|2");
  CHECK(f.connection.rows("SELECT id FROM item") == "1;6");
  CHECK(f.database.check() == "");
}

TEST_CASE(
    "a savepoint outside a transaction begins one, and rolling back to it undoes everything") {
  Fixture f;
  REQUIRE(braid_savepoint(f.connection.get(), "s") == BRAID_OK);
  CHECK(braid_in_transaction(f.connection.get()) == 1);
  REQUIRE(f.connection.run(Fixture::everywhere(1)) == BRAID_OK);
  REQUIRE(braid_rollback_to(f.connection.get(), "s") == BRAID_OK);
  CHECK(f.counts() == "0|0|0|0");
  REQUIRE(f.connection.run(Fixture::everywhere(2)) == BRAID_OK);
  REQUIRE(braid_release(f.connection.get(), "s") == BRAID_OK);
  CHECK(braid_in_transaction(f.connection.get()) == 0);
  CHECK(f.counts(f.other) == "1|1|1|1");
  CHECK(braid_release(f.connection.get(), "s") == BRAID_NOT_FOUND);
  CHECK(f.database.check() == "");
}

TEST_CASE("a deferred transaction whose first write comes after savepoints undoes them rightly") {
  Fixture f;
  REQUIRE(f.connection.run("BEGIN; SAVEPOINT a; SAVEPOINT b;" + Fixture::everywhere(1) +
                           "ROLLBACK TO a") == BRAID_OK);
  CHECK(f.counts() == "0|0|0|0");
  REQUIRE(f.connection.run(Fixture::everywhere(2) + "SAVEPOINT c;" + Fixture::everywhere(3) +
                           "ROLLBACK TO c; COMMIT") == BRAID_OK);
  CHECK(f.counts(f.other) == "1|1|1|1");
  CHECK(f.database.check() == "");
}

TEST_CASE("triggers write graph and points inside the same transaction") {
  Fixture f;
  f.make_trigger();
  REQUIRE(f.connection.run("INSERT INTO item VALUES(1, 'a', 1), (2, 'b', 2)") == BRAID_OK);
  CHECK(f.counts(f.other) == "2|2|2|2");
  REQUIRE(f.connection.run("BEGIN; INSERT INTO item VALUES(3, 'c', 1); ROLLBACK") == BRAID_OK);
  CHECK(f.counts() == "2|2|2|2");
  CHECK(f.database.check() == "");
}

TEST_CASE(
    "a statement that fails half way undoes what its triggers wrote, and the transaction goes on") {
  Fixture f;
  f.make_trigger();
  REQUIRE(f.connection.run("BEGIN; INSERT INTO item VALUES(1, 'a', 1)") == BRAID_OK);
  CHECK(f.connection.run("INSERT INTO item VALUES(2, 'b', 1), (3, 'a', 1)") == BRAID_CONSTRAINT);
  CHECK(braid_in_transaction(f.connection.get()) == 1);
  CHECK(f.counts() == "1|1|1|1");
  CHECK(f.connection.run("INSERT INTO item SELECT 10 + value, 'x' || value, 2 - value FROM "
                         "json_each('[0,1,2,3]')") == BRAID_CONSTRAINT);
  CHECK(f.counts() == "1|1|1|1");
  REQUIRE(f.connection.run("INSERT INTO item VALUES(4, 'd', 1); COMMIT") == BRAID_OK);
  CHECK(f.counts(f.other) == "2|2|2|2");
  CHECK(f.database.check() == "");
}

TEST_CASE("a failing statement of its own leaves nothing in any model") {
  Fixture f;
  f.make_trigger();
  CHECK(f.connection.run("INSERT INTO item VALUES(1, 'a', 1), (2, 'a', 1)") == BRAID_CONSTRAINT);
  CHECK(f.counts() == "0|0|0|0");
  CHECK(f.connection.run("INSERT INTO graph_edges(src, type, dst) VALUES(1, 'T', 2)") ==
        BRAID_CONSTRAINT);
  CHECK(f.connection.run("INSERT INTO m(time, item, value) VALUES('no time', 'a', 1)") != BRAID_OK);
  CHECK(f.counts() == "0|0|0|0");
  CHECK(f.database.check() == "");
}

TEST_CASE("INSERT OR FAIL keeps the rows before the one that failed, in all three models") {
  Fixture f;
  f.make_trigger();
  CHECK(f.connection.run(
            "INSERT OR FAIL INTO item VALUES(1, 'a', 1), (2, 'b', 1), (3, 'a', 1), (4, 'd', 1)") ==
        BRAID_CONSTRAINT);
  CHECK(f.counts(f.other) == "2|2|2|2");
  REQUIRE(f.connection.run("BEGIN") == BRAID_OK);
  CHECK(f.connection.run("INSERT OR FAIL INTO item VALUES(5, 'e', 1), (6, 'a', 1)") ==
        BRAID_CONSTRAINT);
  REQUIRE(f.connection.run("COMMIT") == BRAID_OK);
  CHECK(f.counts(f.other) == "3|3|3|3");
  CHECK(f.database.check() == "");
}

TEST_CASE("INSERT OR IGNORE passes over rows with all that hangs on them") {
  Fixture f;
  f.make_trigger();
  REQUIRE(
      f.connection.run("INSERT OR IGNORE INTO item VALUES(1, 'a', 1), (2, 'a', 1), (3, 'c', 1)") ==
      BRAID_OK);
  CHECK(f.counts(f.other) == "2|2|2|2");
  CHECK(f.connection.rows("SELECT id FROM item ORDER BY id") == "1;3");
  CHECK(f.database.check() == "");
}

TEST_CASE("INSERT OR REPLACE fires delete and insert triggers, which keep the graph in step") {
  Fixture f;
  f.make_trigger();
  REQUIRE(
      f.connection.run("CREATE TRIGGER item_gone AFTER DELETE ON item BEGIN"
                       "  SELECT graph_delete(graph_node('Item', 'id', OLD.id), 'detach'); END") ==
      BRAID_OK);
  REQUIRE(f.connection.run("INSERT INTO item VALUES(1, 'a', 1), (2, 'b', 1)") == BRAID_OK);
  REQUIRE(f.connection.run("INSERT OR REPLACE INTO item VALUES(2, 'a', 5)") == BRAID_OK);
  CHECK(f.connection.rows("SELECT id, name, price FROM item") == "2|a|5");
  CHECK(f.connection.rows(
            "SELECT count(*), max(json_extract(properties, '$.id')) FROM graph_nodes") == "1|2");
  CHECK(f.connection.rows("SELECT count(*) FROM graph_edges") == "1");
  CHECK(f.database.check() == "");
}

TEST_CASE("INSERT OR ROLLBACK undoes the whole transaction in all three models") {
  Fixture f;
  f.make_trigger();
  REQUIRE(f.connection.run("INSERT INTO item VALUES(1, 'a', 1)") == BRAID_OK);
  REQUIRE(f.connection.run("BEGIN; INSERT INTO item VALUES(2, 'b', 1)") == BRAID_OK);
  CHECK(f.connection.run("INSERT OR ROLLBACK INTO item VALUES(3, 'c', 1), (4, 'a', 1)") ==
        BRAID_CONSTRAINT);
  CHECK(braid_in_transaction(f.connection.get()) == 0);
  CHECK(f.counts() == "1|1|1|1");
  CHECK(f.connection.run("COMMIT") == BRAID_MISUSE);
  REQUIRE(f.connection.run("INSERT INTO item VALUES(5, 'e', 1)") == BRAID_OK);
  CHECK(f.counts(f.other) == "2|2|2|2");
  CHECK(f.database.check() == "");
}

TEST_CASE("RAISE in a trigger undoes as much as it says, in all three models") {
  Fixture f;
  f.make_trigger();
  REQUIRE(f.connection.run("CREATE TRIGGER refuse AFTER INSERT ON item BEGIN"
                           "  SELECT CASE NEW.price WHEN 100 THEN RAISE(ABORT, 'abort') WHEN 101 "
                           "THEN RAISE(FAIL, 'fail')"
                           "    WHEN 102 THEN RAISE(ROLLBACK, 'rollback') END; END") == BRAID_OK);
  REQUIRE(f.connection.run("BEGIN; INSERT INTO item VALUES(1, 'a', 1)") == BRAID_OK);
  CHECK(f.connection.run("INSERT INTO item VALUES(2, 'b', 1), (3, 'c', 100)") == BRAID_CONSTRAINT);
  CHECK(f.counts() == "1|1|1|1");
  CHECK(f.connection.run("INSERT INTO item VALUES(2, 'b', 1), (3, 'c', 101), (4, 'd', 1)") ==
        BRAID_CONSTRAINT);
  // FAIL keeps the row that failed too; the trigger that refused it came before the one that writes
  // the other models.
  CHECK(f.counts() == "3|2|2|2");
  CHECK(f.connection.run("INSERT INTO item VALUES(5, 'e', 102)") == BRAID_CONSTRAINT);
  CHECK(braid_in_transaction(f.connection.get()) == 0);
  CHECK(f.counts() == "0|0|0|0");
  CHECK(f.database.check() == "");
}

TEST_CASE("RETURNING commits when the last row is read, or at reset when it is not") {
  Fixture f;
  f.make_trigger();
  CHECK(f.connection.rows("INSERT INTO item VALUES(1, 'a', 1), (2, 'b', 1) RETURNING id, name") ==
        "1|a;2|b");
  CHECK(f.counts(f.other) == "2|2|2|2");
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(f.connection.get(),
                        "INSERT INTO item VALUES(3, 'c', 1), (4, 'd', 1) RETURNING id", -1,
                        &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  CHECK(f.counts(f.other) == "2|2|2|2");
  REQUIRE(braid_statement_reset(statement) == BRAID_OK);
  CHECK(f.counts(f.other) == "4|4|4|4");
  braid_statement_close(statement);
  CHECK(f.database.check() == "");
}

TEST_CASE("RETURNING of a statement that fails gives no row and leaves nothing") {
  Fixture f;
  f.make_trigger();
  CHECK(f.connection.rows("INSERT INTO item VALUES(1, 'a', 1), (2, 'a', 1) RETURNING id")
            .starts_with("error 3"));
  CHECK(f.counts(f.other) == "0|0|0|0");
}

TEST_CASE(
    "UPDATE and DELETE through the graph's and bound tables are undone with the transaction") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE TABLE device(serial TEXT PRIMARY KEY, site TEXT);"
                           "SELECT graph_bind('Device', 'device', 'serial', 'detach');"
                           "INSERT INTO device VALUES('d1', 'x'), ('d2', 'y');"
                           "SELECT graph_link('Device', 'd1', 'FEEDS', 'Device', 'd2');") ==
          BRAID_OK);
  REQUIRE(f.connection.run("BEGIN; DELETE FROM device WHERE serial = 'd1'; UPDATE device SET "
                           "serial = 'd3' WHERE serial = 'd2'") == BRAID_OK);
  CHECK(f.connection.rows("SELECT count(*), graph_node('Device', 'serial', 'd1') IS NULL, "
                          "graph_node('Device', 'serial', 'd3') IS NULL "
                          "FROM graph_edges") == "0|1|0");
  REQUIRE(f.connection.run("ROLLBACK") == BRAID_OK);
  CHECK(f.connection.rows("SELECT count(*), graph_node('Device', 'serial', 'd1') IS NULL, "
                          "graph_node('Device', 'serial', 'd3') IS NULL "
                          "FROM graph_edges") == "1|0|1");
  CHECK(f.database.check() == "");
}

TEST_CASE("creating and dropping hypertables and indexes is undone with the transaction") {
  Fixture f;
  REQUIRE(f.connection.run(
              "BEGIN; CREATE VIRTUAL TABLE extra USING hypertable(time TIMESTAMP, v DOUBLE);"
              "INSERT INTO extra VALUES(1, 2); ROLLBACK") == BRAID_OK);
  CHECK(f.connection.rows("SELECT * FROM extra").starts_with("error"));
  REQUIRE(f.connection.run(Fixture::everywhere(1) + "BEGIN; DROP TABLE m; ROLLBACK") == BRAID_OK);
  CHECK(f.counts() == "1|1|1|1");
  REQUIRE(f.connection.run("BEGIN; SELECT graph_drop_index('Item', 'id'); ROLLBACK") == BRAID_OK);
  CHECK(f.connection.rows("SELECT graph_node('Item', 'id', 1)") == "1");
  CHECK(f.database.check() == "");
}

TEST_CASE("a member of a group that fails fails alone, by its step, and undoes its other steps") {
  Fixture f;
  f.make_trigger();
  TestBatch good(f.database);
  TestBatch bad(f.database);
  REQUIRE(good.execute("INSERT INTO item VALUES(1, 'a', 1)") == BRAID_OK);
  REQUIRE(bad.execute("INSERT INTO item VALUES(2, 'b', 1)") == BRAID_OK);
  REQUIRE(bad.execute("INSERT INTO item VALUES(3, 'a', -1)") == BRAID_OK);
  uint64_t lsn = 0;
  CHECK(good.commit(&lsn) == BRAID_OK);
  CHECK(lsn > 0);
  CHECK(bad.commit() == BRAID_CONSTRAINT);
  CHECK(bad.error().find("step 2") != std::string::npos);
  CHECK(f.counts(f.other) == "1|1|1|1");
  CHECK(bad.commit() == BRAID_OK);  // emptied, so nothing is done
  CHECK(f.counts(f.other) == "1|1|1|1");
}
