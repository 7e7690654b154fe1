// braid_interrupt at every moment of a transaction: what is answered is what happened.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/database.h"
#include "tests/support/operations.h"
#include "tests/support/temp_dir.h"

using namespace braid;
using namespace std::chrono_literals;

namespace {

/// Interrupts a connection again and again until it is told to stop.
class Interrupter {
 public:
  Interrupter(TestConnection& connection, std::chrono::microseconds pause)
      : thread_([this, &connection, pause] {
          while (!stop_) {
            braid_interrupt(connection.get());
            std::this_thread::sleep_for(pause);
          }
        }) {}
  ~Interrupter() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Fixture {
  Fixture() : database(directory / "db"), connection(database), other(database) {
    REQUIRE(connection.run("CREATE TABLE t(a)") == BRAID_OK);
  }
  int64_t rows() { return other.number("SELECT count(*) FROM t"); }
  int64_t nodes() { return other.number("SELECT count(*) FROM graph_nodes"); }
  /// Writing goes on, everything that was answered OK is there, and nothing else.
  void check(int64_t acknowledged) {
    CHECK(rows() == acknowledged);
    CHECK(nodes() == acknowledged);
    CHECK(other.run("INSERT INTO t VALUES(0); DELETE FROM t WHERE a = 0") == BRAID_OK);
    CHECK(connection.run("INSERT INTO t VALUES(0); DELETE FROM t WHERE a = 0") == BRAID_OK);
    CHECK(database.check() == "");
  }

  TempDir directory;
  TestDatabase database;
  TestConnection connection;
  TestConnection other;
};

constexpr const char* kRow = "INSERT INTO t VALUES(1)";
constexpr const char* kNode = "INSERT INTO graph_nodes(labels) VALUES('[\"N\"]')";

}  // namespace

// SQLite's progress handler is asked when a COMMIT is done: the commit was called interrupted, its LSN was given again, and every later
// write failed.
TEST_CASE("a commit that is interrupted happened or did not, as it was answered") {
  Fixture f;
  int64_t acknowledged = 0;
  int refused = 0;
  {
    const Interrupter interrupter(f.connection, 60us);
    const auto limit = std::chrono::steady_clock::now() + 2s;
    while (std::chrono::steady_clock::now() < limit) {
      const bool good = f.connection.run("BEGIN IMMEDIATE") == BRAID_OK && f.connection.run(kRow) == BRAID_OK &&
                        f.connection.run(kNode) == BRAID_OK && braid_commit(f.connection.get()) == BRAID_OK;
      good ? ++acknowledged : ++refused;
      if (braid_in_transaction(f.connection.get())) braid_rollback(f.connection.get());
    }
  }
  CHECK(acknowledged > 0);
  f.check(acknowledged);
}

// The first write of BEGIN takes the writer slot; interrupted there, SQLite had no transaction any more while Braid had one, and the next
// statement was committed by itself.
TEST_CASE("a first write that is interrupted ends the transaction, and says so") {
  Fixture f;
  int64_t acknowledged = 0;
  for (const char* begin : {"BEGIN", "SAVEPOINT a"}) {
    const char* end = std::string_view(begin) == "BEGIN" ? "COMMIT" : "RELEASE a";
    const Interrupter interrupter(f.connection, 20us);
    const auto limit = std::chrono::steady_clock::now() + 2s;
    while (std::chrono::steady_clock::now() < limit) {
      if (f.connection.run(begin) != BRAID_OK) continue;
      bool good = true;
      for (const char* sql : {kRow, kNode}) {
        // As a careless program would: it goes on as long as it is told that there is a transaction.
        if (braid_in_transaction(f.connection.get())) good &= f.connection.run(sql) == BRAID_OK;
      }
      if (!braid_in_transaction(f.connection.get())) continue;
      if (good && f.connection.run(end) == BRAID_OK) ++acknowledged;
      if (braid_in_transaction(f.connection.get())) braid_rollback(f.connection.get());
    }
  }
  f.check(acknowledged);
}

TEST_CASE("autocommit statements that are interrupted happened or did not, as they were answered") {
  Fixture f;
  int64_t rows = 0, nodes = 0;
  {
    const Interrupter interrupter(f.connection, 40us);
    const auto limit = std::chrono::steady_clock::now() + 2s;
    while (std::chrono::steady_clock::now() < limit) {
      rows += f.connection.run(kRow) == BRAID_OK ? 1 : 0;
      nodes += f.connection.run(kNode) == BRAID_OK ? 1 : 0;
    }
  }
  CHECK(f.rows() == rows);
  CHECK(f.nodes() == nodes);
  CHECK(f.connection.run(kRow) == BRAID_OK);
  CHECK(f.database.check() == "");
}
