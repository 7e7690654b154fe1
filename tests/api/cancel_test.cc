// Cancel tokens, time limits and progress on every call that may take long; and the log.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/long_call.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int64_t kNodes = 100'000;  // so many that what walks over them all is told of, and stopped, on any machine

struct Fixture {
  Fixture() {
    REQUIRE(connection.run("CREATE TABLE t(x); INSERT INTO t VALUES(1), (2); CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, v DOUBLE)") == BRAID_OK);
    REQUIRE(braid_node_create(connection.get(), nullptr, nullptr, nullptr) == BRAID_OK);
  }
  TempDir directory;
  // Who waits for the writer slot here is stopped by something else.
  TestDatabase database{directory / "db", "busy_timeout_ms=60000"};
  TestConnection connection{database};
};

/// The calls of a connection that a token stops.
std::vector<std::pair<const char*, std::function<int32_t(braid_connection*)>>> connection_calls() {
  return {{"execute", [](braid_connection* c) { return braid_execute(c, "SELECT 1", BRAID_NUL_TERMINATED); }},
          {"begin", [](braid_connection* c) { return braid_begin(c, BRAID_WRITE); }},
          {"commit", [](braid_connection* c) { return braid_commit(c); }},
          {"savepoint", [](braid_connection* c) { return braid_savepoint(c, "s"); }},
          {"prepare", [](braid_connection* c) { braid_statement* s = nullptr; return braid_prepare(c, "SELECT 1", BRAID_NUL_TERMINATED, &s, nullptr); }},
          {"node_create", [](braid_connection* c) { return braid_node_create(c, nullptr, nullptr, nullptr); }},
          {"nodes_create", [](braid_connection* c) { return braid_nodes_create(c, nullptr, nullptr, 10, nullptr); }},
          {"node_read", [](braid_connection* c) { return braid_node_read(c, 1, nullptr, nullptr); }},
          {"appender_open", [](braid_connection* c) { braid_appender* a = nullptr; return braid_appender_open(c, "m", &a); }},
          {"projection_open", [](braid_connection* c) { braid_projection* p = nullptr; return braid_projection_open(c, nullptr, &p); }},
          {"algorithm", [](braid_connection* c) { braid_statement* s = nullptr; return braid_algorithm(c, "pagerank", nullptr, nullptr, &s); }},
          {"expand", [](braid_connection* c) { braid_statement* s = nullptr; return braid_expand(c, 1, nullptr, &s); }},
          {"last_points", [](braid_connection* c) { braid_statement* s = nullptr; return braid_last_points(c, "m", nullptr, 0, &s); }}};
}

}  // namespace

TEST_CASE("a token that is set stops every call of a connection until it is reset") {
  Fixture f;
  Token token;
  braid_statement* statement = nullptr;
  braid_appender* appender = nullptr;
  braid_projection* projection = nullptr;
  const double value = 1;
  REQUIRE(braid_prepare(f.connection.get(), "SELECT x FROM t", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_appender_open(f.connection.get(), "m", &appender) == BRAID_OK);
  REQUIRE(braid_appender_series(appender, nullptr, 0) == BRAID_OK);
  REQUIRE(braid_appender_point(appender, 1, &value, nullptr, 1) == BRAID_OK);
  REQUIRE(braid_projection_open(f.connection.get(), nullptr, &projection) == BRAID_OK);
  REQUIRE(braid_connection_set_cancel(f.connection.get(), token.handle) == BRAID_OK);
  REQUIRE(braid_cancel_set(token.handle) == BRAID_OK);
  CHECK(braid_cancel_is_set(token.handle) == 1);
  size_t count = 0;
  ArrowArrayStream stream = {};
  for (int round = 0; round < 2; ++round) {
    for (const auto& [function, call] : connection_calls()) {
      const std::string name = function;  // clang 14 captures no structured binding
      CAPTURE(name);
      CHECK(call(f.connection.get()) == BRAID_INTERRUPTED);
      CHECK(f.connection.error().find("braid_cancel_reset") != std::string::npos);
    }
    CHECK(braid_statement_step(statement) == BRAID_INTERRUPTED);
    CHECK(braid_statement_arrow(statement, nullptr, &stream) == BRAID_INTERRUPTED);
    CHECK(braid_appender_flush(appender) == BRAID_INTERRUPTED);
    CHECK(braid_projection_hops(projection, 1, 1, BRAID_OUT, nullptr, 0, &count) == BRAID_INTERRUPTED);
    CHECK(braid_statement_reset(statement) == BRAID_OK);
  }
  // Other connections have nothing to do with it.
  TestConnection other(f.database);
  CHECK(other.rows("SELECT count(*) FROM t") == "2");
  REQUIRE(braid_cancel_reset(token.handle) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  braid_statement_close(statement);
  braid_projection_close(projection);
  CHECK(braid_appender_close(appender) == BRAID_OK);
  CHECK(f.connection.rows("SELECT count(*) FROM m") == "1");
}

TEST_CASE("a token that is set meanwhile stops what runs, and what was written is undone by rollback") {
  Fixture f;
  Token token;
  REQUIRE(braid_connection_set_cancel(f.connection.get(), token.handle) == BRAID_OK);
  REQUIRE(f.connection.run("BEGIN; INSERT INTO t VALUES(3)") == BRAID_OK);
  {
    const Later later([&] { braid_cancel_set(token.handle); });
    CHECK(f.connection.run(kEndless) == BRAID_INTERRUPTED);
  }
  CHECK(f.connection.run("SELECT 1") == BRAID_INTERRUPTED);
  CHECK(braid_in_transaction(f.connection.get()) == 1);
  CHECK(braid_rollback(f.connection.get()) == BRAID_OK);
  braid_cancel_reset(token.handle);
  CHECK(f.connection.rows("SELECT count(*) FROM t") == "2");
}

TEST_CASE("waiting for the writer slot is stopped by a token, a time limit and the progress callback") {
  Fixture f;
  Token token;
  TestConnection waiter(f.database);
  REQUIRE(braid_begin(f.connection.get(), BRAID_WRITE) == BRAID_OK);
  REQUIRE(braid_connection_set_cancel(waiter.get(), token.handle) == BRAID_OK);
  {
    const Later later([&] { braid_cancel_set(token.handle); });
    CHECK(braid_begin(waiter.get(), BRAID_WRITE) == BRAID_INTERRUPTED);
  }
  braid_cancel_reset(token.handle);
  {
    const Later later([&] { braid_cancel_set(token.handle); });
    CHECK(waiter.run("INSERT INTO t VALUES(9)") == BRAID_INTERRUPTED);
  }
  braid_cancel_reset(token.handle);
  REQUIRE(braid_set_time_limit(waiter.get(), 20) == BRAID_OK);
  CHECK(waiter.run("INSERT INTO t VALUES(9)") == BRAID_INTERRUPTED);
  CHECK(waiter.error().find("time limit") != std::string::npos);
  CHECK(braid_node_create(waiter.get(), nullptr, nullptr, nullptr) == BRAID_INTERRUPTED);
  REQUIRE(braid_set_time_limit(waiter.get(), 0) == BRAID_OK);
  int calls = 0;
  REQUIRE(braid_on_progress(waiter.get(), stop, &calls) == BRAID_OK);
  CHECK(braid_node_create(waiter.get(), nullptr, nullptr, nullptr) == BRAID_INTERRUPTED);
  CHECK(calls == 1);
  REQUIRE(braid_on_progress(waiter.get(), nullptr, nullptr) == BRAID_OK);
  CHECK(braid_in_transaction(waiter.get()) == 0);
  REQUIRE(braid_commit(f.connection.get()) == BRAID_OK);
  CHECK(waiter.run("INSERT INTO t VALUES(9)") == BRAID_OK);
}

TEST_CASE("the calls of a database handle and of its batches are stopped by its token until it is reset") {
  Fixture f;
  Token token;
  TestBatch batch(f.database);
  REQUIRE(batch.execute("INSERT INTO t VALUES(7)") == BRAID_OK);
  REQUIRE(braid_database_set_cancel(f.database.get(), token.handle) == BRAID_OK);
  REQUIRE(braid_cancel_set(token.handle) == BRAID_OK);
  braid_connection* connection = nullptr;
  CHECK(braid_check(f.database.get(), nullptr, nullptr) == BRAID_INTERRUPTED);
  CHECK(braid_checkpoint(f.database.get()) == BRAID_INTERRUPTED);
  CHECK(braid_maintain(f.database.get(), 10, nullptr) == BRAID_INTERRUPTED);
  CHECK(braid_sync(f.database.get(), nullptr) == BRAID_INTERRUPTED);
  CHECK(braid_backup(f.database.get(), (f.directory / "copy").c_str(), nullptr, nullptr, nullptr, nullptr) == BRAID_INTERRUPTED);
  CHECK(braid_connect(f.database.get(), &connection) == BRAID_INTERRUPTED);
  CHECK(batch.commit() == BRAID_INTERRUPTED);
  CHECK(f.connection.rows("SELECT count(*) FROM t") == "2");  // not the handle's
  REQUIRE(braid_cancel_reset(token.handle) == BRAID_OK);
  CHECK(batch.commit() == BRAID_OK);  // it was emptied
  CHECK(f.connection.rows("SELECT count(*) FROM t") == "2");
  CHECK(braid_checkpoint(f.database.get()) == BRAID_OK);
  CHECK(f.database.check() == "");
}

TEST_CASE("a checkpoint and a batch that wait for the writer slot are stopped") {
  Fixture f;
  Token token;
  REQUIRE(braid_begin(f.connection.get(), BRAID_WRITE) == BRAID_OK);
  REQUIRE(f.connection.run("INSERT INTO t VALUES(3)") == BRAID_OK);
  REQUIRE(braid_database_set_time_limit(f.database.get(), 20) == BRAID_OK);
  CHECK(braid_checkpoint(f.database.get()) == BRAID_INTERRUPTED);
  REQUIRE(braid_database_set_time_limit(f.database.get(), 0) == BRAID_OK);
  int calls = 0;
  REQUIRE(braid_database_on_progress(f.database.get(), stop, &calls) == BRAID_OK);
  CHECK(braid_checkpoint(f.database.get()) == BRAID_INTERRUPTED);
  CHECK(calls == 1);
  REQUIRE(braid_database_on_progress(f.database.get(), nullptr, nullptr) == BRAID_OK);
  REQUIRE(braid_database_set_cancel(f.database.get(), token.handle) == BRAID_OK);
  TestBatch batch(f.database);
  REQUIRE(batch.execute("INSERT INTO t VALUES(4)") == BRAID_OK);
  {
    const Later later([&] { braid_cancel_set(token.handle); });
    CHECK(batch.commit() == BRAID_INTERRUPTED);
  }
  braid_cancel_reset(token.handle);
  REQUIRE(braid_commit(f.connection.get()) == BRAID_OK);
  CHECK(f.connection.rows("SELECT group_concat(x) FROM t") == "1,2,3");
  CHECK(braid_checkpoint(f.database.get()) == BRAID_OK);
}

TEST_CASE("long work is bounded, told of and stopped, and leaves nothing behind") {
  Fixture f;
  int calls = 0;
  REQUIRE(braid_on_progress(f.connection.get(), stop, &calls) == BRAID_OK);
  CHECK(braid_nodes_create(f.connection.get(), nullptr, nullptr, kNodes, nullptr) == BRAID_INTERRUPTED);
  CHECK(calls == 1);
  CHECK(f.connection.rows(kEndless).starts_with("error 11"));
  CHECK(calls == 2);
  REQUIRE(braid_on_progress(f.connection.get(), nullptr, nullptr) == BRAID_OK);
  CHECK(f.connection.rows("SELECT count(*) FROM graph_nodes") == "1");

  int64_t first = 0;
  REQUIRE(braid_nodes_create(f.connection.get(), nullptr, nullptr, kNodes, &first) == BRAID_OK);
  std::vector<double> fractions;
  REQUIRE(braid_database_on_progress(f.database.get(), note, &fractions) == BRAID_OK);
  REQUIRE(braid_check(f.database.get(), nullptr, nullptr) == BRAID_OK);
  for (size_t i = 0; i < fractions.size(); ++i) CHECK((fractions[i] >= (i == 0 ? 0 : fractions[i - 1]) && fractions[i] <= 1));
  REQUIRE(braid_database_on_progress(f.database.get(), nullptr, nullptr) == BRAID_OK);
  REQUIRE(braid_database_set_time_limit(f.database.get(), 1) == BRAID_OK);
  CHECK(braid_check(f.database.get(), nullptr, nullptr) == BRAID_INTERRUPTED);
  REQUIRE(braid_database_set_time_limit(f.database.get(), 0) == BRAID_OK);
  CHECK(f.database.check() == "");

  REQUIRE(braid_set_time_limit(f.connection.get(), 1) == BRAID_OK);
  braid_projection* projection = nullptr;
  CHECK(f.connection.run(kEndless) == BRAID_INTERRUPTED);
  const int32_t built = braid_projection_open(f.connection.get(), nullptr, &projection);
  CHECK((built == BRAID_OK || built == BRAID_INTERRUPTED));
  braid_projection_close(projection);
}

TEST_CASE("a token outlives what it is set on, and what it is set on outlives it") {
  Fixture f;
  braid_cancel* token = nullptr;
  braid_cancel* second = nullptr;
  REQUIRE(braid_cancel_open(&token) == BRAID_OK);
  REQUIRE(braid_cancel_open(&second) == BRAID_OK);
  {
    TestConnection connection(f.database);
    REQUIRE(braid_connection_set_cancel(connection.get(), second) == BRAID_OK);
    REQUIRE(braid_connection_set_cancel(connection.get(), token) == BRAID_OK);
    braid_cancel_set(second);  // it was replaced
    CHECK(connection.run("SELECT 1") == BRAID_OK);
  }
  CHECK(braid_cancel_set(token) == BRAID_OK);
  REQUIRE(braid_connection_set_cancel(f.connection.get(), token) == BRAID_OK);
  braid_cancel_close(token);
  CHECK(f.connection.run("SELECT 1") == BRAID_INTERRUPTED);
  REQUIRE(braid_connection_set_cancel(f.connection.get(), nullptr) == BRAID_OK);
  CHECK(f.connection.run("SELECT 1") == BRAID_OK);
  braid_cancel_close(second);
}

// A listener is called with locks held, for which a call of its own would wait without end.
TEST_CASE("what a listener of the log calls answers BRAID_MISUSE") {
  struct Calls {
    braid_database* database;
    braid_connection* connection;
    std::vector<int32_t> codes;
  };
  Fixture f;
  Calls calls{f.database.get(), f.connection.get(), {}};
  const auto listen = [](void* context, const braid_event*) {
    Calls& made = *static_cast<Calls*>(context);
    made.codes.push_back(braid_execute(made.connection, "SELECT 1", -1));
    made.codes.push_back(braid_checkpoint(made.database));
    made.codes.push_back(braid_on_log(0, nullptr, nullptr));
    braid_connection* none = nullptr;
    made.codes.push_back(braid_connect(made.database, &none));
  };
  REQUIRE(braid_on_log(BRAID_LOG_INFO, listen, &calls) == BRAID_OK);
  REQUIRE(f.connection.run("INSERT INTO t VALUES(7)") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
  REQUIRE(braid_on_log(0, nullptr, nullptr) == BRAID_OK);
  CHECK(calls.codes == std::vector<int32_t>(4, BRAID_MISUSE));
  CHECK(f.connection.run("INSERT INTO t VALUES(8)") == BRAID_OK);
}

TEST_CASE("the log tells what the engine does by itself, up to the level asked for") {
  std::vector<std::string> told;
  const auto listen = [](void* context, const braid_event* event) {
    CHECK(event->size_bytes == sizeof(braid_event));
    CHECK(event->time > 0);
    static_cast<std::vector<std::string>*>(context)->push_back(std::to_string(event->level) + " " + event->area + " " + event->message);
  };
  Fixture f;
  REQUIRE(braid_on_log(BRAID_LOG_INFO, listen, &told) == BRAID_OK);
  REQUIRE(f.connection.run("INSERT INTO t VALUES(5)") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("3 checkpoint " + (f.directory / "db") + ": written up to commit "));
  REQUIRE(braid_on_log(BRAID_LOG_WARNING, listen, &told) == BRAID_OK);
  REQUIRE(f.connection.run("INSERT INTO t VALUES(6)") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
  CHECK(told.size() == 1);
  REQUIRE(braid_on_log(0, nullptr, nullptr) == BRAID_OK);
}
