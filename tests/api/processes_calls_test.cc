// Calls that are more than SQL, through another process: questions to graph and series, rows as columns, cancel tokens, time limits, progress. Each is
// made at home too, and answers the same.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/arrow_text.h"
#include "tests/support/long_call.h"
#include "tests/support/served.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {


bool fill(TestDatabase& database) {
  TestConnection connection(database);
  int64_t first = 0;
  const char* const properties[] = {R"({"k": 1})", R"({"k": 2, "off": true})", R"({"k": 3})", nullptr};
  if (braid_nodes_create(connection.get(), "[\"Bus\"]", properties, 4, &first) != BRAID_OK) return false;
  const int64_t from[] = {first, first, first + 1, first + 2}, to[] = {first + 1, first + 2, first + 3, first + 3};
  if (braid_edges_create(connection.get(), "LINE", from, to, nullptr, 4, nullptr) != BRAID_OK) return false;
  return connection.run(
             "CREATE TABLE t(id INTEGER PRIMARY KEY, x REAL, note TEXT, data BLOB, yes BOOLEAN, at TIMESTAMP);"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO t SELECT i, i / 4.0, CASE i % 3 WHEN 0 THEN NULL ELSE "
             "'note ' || i END, CASE i % 2 WHEN 0 THEN x'00ff' END, i % 2, datetime(i, 'unixepoch') FROM n;"
             "CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG, slot INTEGER TAG, load DOUBLE, up BOOLEAN, note TEXT);"
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) INSERT INTO cpu SELECT time_bucket('1 second', "
             "datetime(1700000000 + i * 10, 'unixepoch')), CASE i % 3 WHEN 0 THEN NULL ELSE 'h' || (i % 3) END, i % 2, i * 0.5, i % 5 = 0, NULL FROM n") == BRAID_OK;
}

/// What a statement answers, with its columns.
std::string rows_of(braid_connection* connection, int32_t code, braid_statement* statement) {
  if (code != BRAID_OK) return fmt::format("{} {}\n", code, braid_connection_error(connection));
  std::string out;
  for (int32_t i = 0; i < braid_column_count(statement); ++i)
    out += fmt::format("{} {}, ", braid_column_name(statement, i), braid_column_declared_type(statement, i));
  while ((code = braid_statement_step(statement)) == BRAID_ROW) {
    out += "\n";
    for (int32_t i = 0; i < braid_column_count(statement); ++i)
      out += fmt::format("{}:{}|", braid_column_type(statement, i), braid_column_text(statement, i, nullptr));
  }
  out += fmt::format("\nend {} {}\n", code, code == BRAID_DONE ? "" : braid_connection_error(connection));
  braid_statement_close(statement);
  return out;
}

std::string expansions(braid_connection* connection) {
  std::string out;
  const auto add = [&](int64_t start, const braid_expand_options* options) {
    braid_statement* statement = nullptr;
    const int32_t code = braid_expand(connection, start, options, &statement);
    out += rows_of(connection, code, statement);
  };
  braid_expand_options options{};
  options.size_bytes = sizeof options;
  add(1, nullptr);
  add(99, nullptr);
  add(-1, nullptr);
  options = {sizeof options, BRAID_IN, 0, 2, "[\"LINE\"]", nullptr, nullptr, 3};
  add(4, &options);
  options = {sizeof options, BRAID_BOTH, 1, 0, nullptr, R"({"k": {"<": 3}})", "{}", 0};
  add(1, &options);
  options = {sizeof options, 7, 0, 0, nullptr, nullptr, nullptr, 0};
  add(1, &options);
  options = {sizeof options, BRAID_OUT, 3, 2, nullptr, nullptr, nullptr, 0};
  add(1, &options);
  options = {sizeof options, BRAID_OUT, 0, 0, nullptr, "no JSON", nullptr, 0};
  add(1, &options);
  options.size_bytes = 1;
  add(1, &options);
  return out;
}

std::string rollups(braid_connection* connection) {
  std::string out;
  const auto add = [&](const char* hypertable, const braid_rollup_options* options) {
    braid_statement* statement = nullptr;
    const int32_t code = braid_rollup(connection, hypertable, options, &statement);
    out += rows_of(connection, code, statement);
  };
  braid_rollup_options options{};
  options.size_bytes = sizeof options;
  add("cpu", nullptr);
  add("cpu", &options);
  options.width = "1 hour";
  add("cpu", &options);
  add(nullptr, &options);
  add("none", &options);
  options = {sizeof options, "30 minutes", 1'700'000'100'000'000, 1'700'004'000'000'000, R"({"host": ["h1", null]})", "load", "Europe/Berlin"};
  add("cpu", &options);
  options.limit = options.start - 1;
  add("cpu", &options);
  options = {sizeof options, "a while", 0, 0, nullptr, nullptr, nullptr};
  add("cpu", &options);
  const auto last = [&](const char* hypertable, const char* const* tags, size_t count) {
    braid_statement* statement = nullptr;
    const int32_t code = braid_last_points(connection, hypertable, tags, count, &statement);
    out += rows_of(connection, code, statement);
  };
  const char* const tags[] = {"h1", "0"};
  const char* const none[] = {nullptr, "1"};
  last("cpu", nullptr, 0);
  last("cpu", tags, 2);
  last("cpu", none, 2);
  last("cpu", tags, 1);
  last("cpu", nullptr, 2);
  last("none", nullptr, 0);
  last(nullptr, nullptr, 0);
  return out;
}

std::string projections(braid_connection* connection) {
  std::string out;
  const auto note = [&](int32_t code) { out += fmt::format("{} {}\n", code, code == BRAID_OK ? "" : braid_connection_error(connection)); };
  const auto list = [&] {
    braid_statement* statement = nullptr;
    const int32_t code = braid_projections(connection, &statement);
    out += rows_of(connection, code, statement);
  };
  list();
  note(braid_projection_create(connection, "all", nullptr));
  const braid_projection_options chosen{sizeof chosen, "Bus", "[\"LINE\"]", nullptr, BRAID_UNDIRECTED};
  note(braid_projection_create(connection, "some", &chosen));
  const braid_projection_options wrong{sizeof wrong, "Nothing", nullptr, nullptr, 0};
  note(braid_projection_create(connection, "wrong", &wrong));
  const braid_projection_options orientation{sizeof orientation, nullptr, nullptr, nullptr, 9};
  note(braid_projection_create(connection, "wrong", &orientation));
  note(braid_projection_create(connection, nullptr, nullptr));
  list();
  note(braid_projection_drop(connection, "all"));
  note(braid_projection_drop(connection, "all"));
  note(braid_projection_drop(connection, nullptr));
  list();
  return out;
}

/// All rows of a stream, or how it failed.
std::string streamed(braid_connection* connection, const char* sql, const braid_arrow_options* options) {
  braid_statement* statement = nullptr;
  if (const int32_t code = braid_prepare(connection, sql, BRAID_NUL_TERMINATED, &statement, nullptr)) return fmt::format("prepare {}\n", code);
  ArrowArrayStream stream;
  const int32_t code = braid_statement_arrow(statement, options, &stream);
  std::string out = fmt::format("{} {}\n", code, code == BRAID_OK ? "" : braid_connection_error(connection));
  if (code == BRAID_OK) {
    // Without rows the run is over already.
    const bool has_rows = std::string_view(sql).find("WHERE 0") == std::string_view::npos;
    if (has_rows) CHECK(braid_statement_step(statement) == BRAID_MISUSE);
    if (has_rows) CHECK(braid_bind_null(statement, 1) == BRAID_MISUSE);
    ArrowSchema schema;
    REQUIRE(stream.get_schema(&stream, &schema) == 0);
    out += schema_text(schema) + "\n";
    for (;;) {
      ArrowArray array;
      const int failed = stream.get_next(&stream, &array);
      if (failed != 0) out += fmt::format("error {} {}\n", failed, stream.get_last_error(&stream));
      if (failed != 0 || array.release == nullptr) break;
      out += rows_text(schema, array);
      array.release(&array);
    }
    schema.release(&schema);
    stream.release(&stream);
    CHECK(braid_statement_step(statement) >= BRAID_ROW);  // it begins anew
  }
  braid_statement_close(statement);
  return out;
}

std::string batches(braid_connection* connection, const char* sql) {
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection, sql, BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  std::string out;
  for (int round = 0; round < 2; ++round) {
    for (;;) {
      ArrowSchema schema;
      ArrowArray array;
      const int32_t code = braid_statement_batch(statement, 700, &schema, &array);
      if (code != BRAID_ROW) {
        out += fmt::format("{}\n", code);
        break;
      }
      out += rows_text(schema, array);
      schema.release(&schema);
      array.release(&array);
    }
  }
  REQUIRE(braid_statement_batch(statement, 0, nullptr, nullptr) == BRAID_INVALID_ARGUMENT);
  braid_statement_close(statement);
  return out;
}

std::string columns(braid_connection* connection) {
  std::string out;
  for (const char* const sql : {"SELECT * FROM t", "SELECT * FROM t WHERE 0", "SELECT NULL AS nothing, 'a' || id AS b FROM t WHERE id < 3",
                                "SELECT time, host, slot, load, up, note FROM cpu ORDER BY time", "SELECT host, count(*) FROM cpu GROUP BY 1",
                                "SELECT CASE WHEN id = 9000 THEN 'x' ELSE id END AS mixed FROM t",
                                "SELECT CASE WHEN id = 9000 THEN abs(-9223372036854775807 - 1) ELSE id END AS fails FROM t", "SELECT CAST(x'80' AS TEXT) AS wild"})
    out += streamed(connection, sql, nullptr);
  braid_arrow_options few{};
  few.size_bytes = sizeof few;
  few.rows_max = 1000;
  out += streamed(connection, "SELECT id, note FROM t", &few);
  out += streamed(connection, "SELECT CASE WHEN id = 9000 THEN 'x' ELSE id END AS mixed FROM t", &few);
  const int32_t types[] = {BRAID_ARROW_UTF8};
  few.types = types;
  few.type_count = 1;
  out += streamed(connection, "SELECT CASE WHEN id = 9000 THEN 'x' ELSE id END AS mixed FROM t", &few);
  out += streamed(connection, "SELECT id, note FROM t", &few);
  return out + batches(connection, "SELECT id, x, note FROM t");
}

constexpr std::pair<const char*, std::string (*)(braid_connection*)> kQuestions[] = {
    {"expansions", expansions}, {"rollups", rollups}, {"projections", projections}, {"columns", columns}};

/// Answers what it was asked at home, in files, by a process of its own: this one must have no threads when it starts others.
bool answer_at_home(const TempDir& temp) {
  const OtherProcess other([&] {
    TestDatabase home(temp / "home", "");
    if (!home.ok() || !fill(home)) return false;
    for (const auto& [name, ask] : kQuestions) {
      TestConnection connection(home);
      std::ofstream(temp / name) << ask(connection.get());
    }
    return true;
  });
  return other.succeeded();
}

/// A database that another process has open.
struct Away {
  Away() : host(temp / "away", "busy_timeout_ms=60000", fill) {
    REQUIRE(host.succeeded());
    database = std::make_unique<TestDatabase>(temp / "away", "remote=only");
    REQUIRE(database->ok());
  }
  TempDir temp;
  ServingProcess host;
  std::unique_ptr<TestDatabase> database;
};

}  // namespace

TEST_CASE("questions to graph and series, and rows as columns, are answered the same at home and through another process") {
  const TempDir temp;
  REQUIRE(answer_at_home(temp));
  Away away;
  for (const auto& [question, ask] : kQuestions) {
    const std::string name = question;  // clang 14 captures no structured binding
    CAPTURE(name);
    std::ifstream told(temp / name);
    const std::string expected(std::istreambuf_iterator<char>(told), {});
    CHECK(expected.size() > 100);
    TestConnection connection(*away.database);
    CHECK(ask(connection.get()) == expected);
  }
}

TEST_CASE("a token stops the calls of a connection through another process") {
  Away away;
  TestDatabase* const database = away.database.get();
  TestConnection connection(*database);
  Token token;
  braid_statement* statement = nullptr;
  braid_appender* appender = nullptr;
  REQUIRE(braid_prepare(connection.get(), "SELECT id FROM t", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_appender_open(connection.get(), "cpu", &appender) == BRAID_OK);
  REQUIRE(braid_connection_set_cancel(connection.get(), token.handle) == BRAID_OK);
  {
    const Later later([&token] { braid_cancel_set(token.handle); });
    CHECK(connection.run(kEndless) == BRAID_INTERRUPTED);
  }
  braid_statement* answer = nullptr;
  ArrowArrayStream stream;
  for (int round = 0; round < 2; ++round) {
    CHECK(connection.run("SELECT 1") == BRAID_INTERRUPTED);
    CHECK(connection.error().find("braid_cancel_reset") != std::string::npos);
    CHECK(braid_begin(connection.get(), BRAID_WRITE) == BRAID_INTERRUPTED);
    CHECK(braid_node_create(connection.get(), nullptr, nullptr, nullptr) == BRAID_INTERRUPTED);
    CHECK(braid_expand(connection.get(), 1, nullptr, &answer) == BRAID_INTERRUPTED);
    CHECK(braid_statement_step(statement) == BRAID_INTERRUPTED);
    CHECK(braid_statement_arrow(statement, nullptr, &stream) == BRAID_INTERRUPTED);
    CHECK(braid_statement_reset(statement) == BRAID_OK);
    CHECK(braid_set_time_limit(connection.get(), 0) == BRAID_OK);
  }
  CHECK(braid_appender_close(appender) == BRAID_OK);  // nothing waits in it
  TestConnection other(*database);
  CHECK(other.rows("SELECT count(*) FROM t") == "10000");
  REQUIRE(braid_cancel_reset(token.handle) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  braid_statement_close(statement);

  // Points that wait are dropped by closing, and a transaction stays open.
  const char* tags[] = {"h9", "1"};
  const int64_t time = 1;
  const double load = 1;
  const char* const text[] = {nullptr};
  const int64_t up = 1;
  const braid_column fields[] = {{sizeof(braid_column), BRAID_TYPE_DOUBLE, &load, nullptr}, {sizeof(braid_column), BRAID_TYPE_INT64, &up, nullptr},
                                 {sizeof(braid_column), BRAID_TYPE_TEXT, text, nullptr}};
  REQUIRE(braid_appender_open(connection.get(), "cpu", &appender) == BRAID_OK);
  REQUIRE(braid_appender_series(appender, tags, 2) == BRAID_OK);
  REQUIRE(braid_appender_columns(appender, &time, 1, fields, 3) == BRAID_OK);
  braid_cancel_set(token.handle);
  CHECK(braid_appender_close(appender) == BRAID_INTERRUPTED);
  braid_cancel_reset(token.handle);
  CHECK(connection.rows("SELECT count(*) FROM cpu WHERE host = 'h9'") == "0");
  REQUIRE(connection.run("BEGIN; INSERT INTO t(id) VALUES(20000)") == BRAID_OK);
  braid_cancel_set(token.handle);
  CHECK(braid_commit(connection.get()) == BRAID_INTERRUPTED);
  CHECK(braid_in_transaction(connection.get()) == 1);
  CHECK(braid_rollback(connection.get()) == BRAID_OK);
  REQUIRE(braid_connection_set_cancel(connection.get(), nullptr) == BRAID_OK);
  CHECK(connection.rows("SELECT count(*) FROM t") == "10000");
}

TEST_CASE("calls on the database and batches are stopped, bounded and followed through another process") {
  Away away;
  TestDatabase* const database = away.database.get();
  Token token;
  TestBatch batch(*database);
  REQUIRE(batch.execute("INSERT INTO t(id) VALUES(30000)") == BRAID_OK);
  REQUIRE(braid_database_set_cancel(database->get(), token.handle) == BRAID_OK);
  braid_cancel_set(token.handle);
  braid_connection* refused = nullptr;
  CHECK(braid_check(database->get(), nullptr, nullptr) == BRAID_INTERRUPTED);
  CHECK(std::string(braid_database_error(database->get())).find("braid_cancel_reset") != std::string::npos);
  CHECK(braid_checkpoint(database->get()) == BRAID_INTERRUPTED);
  CHECK(braid_maintain(database->get(), 10, nullptr) == BRAID_INTERRUPTED);
  CHECK(braid_sync(database->get(), nullptr) == BRAID_INTERRUPTED);
  CHECK(braid_connect(database->get(), &refused) == BRAID_INTERRUPTED);
  CHECK(batch.commit() == BRAID_INTERRUPTED);
  braid_cancel_reset(token.handle);
  CHECK(batch.commit() == BRAID_OK);  // it was emptied

  TestConnection writer(*database);
  CHECK(writer.rows("SELECT count(*) FROM t") == "10000");
  REQUIRE(braid_begin(writer.get(), BRAID_WRITE) == BRAID_OK);
  REQUIRE(writer.run("INSERT INTO t(id) VALUES(30001)") == BRAID_OK);
  REQUIRE(batch.execute("INSERT INTO t(id) VALUES(30002)") == BRAID_OK);
  {
    const Later later([&token] { braid_cancel_set(token.handle); });
    CHECK(batch.commit() == BRAID_INTERRUPTED);
  }
  braid_cancel_reset(token.handle);
  {
    const Later later([&token] { braid_cancel_set(token.handle); });
    CHECK(braid_checkpoint(database->get()) == BRAID_INTERRUPTED);
  }
  braid_cancel_reset(token.handle);
  REQUIRE(braid_database_set_time_limit(database->get(), 20) == BRAID_OK);
  CHECK(braid_checkpoint(database->get()) == BRAID_INTERRUPTED);
  REQUIRE(batch.execute("INSERT INTO t(id) VALUES(30003)") == BRAID_OK);
  CHECK(batch.commit() == BRAID_INTERRUPTED);
  REQUIRE(braid_database_set_time_limit(database->get(), 0) == BRAID_OK);
  int calls = 0;
  REQUIRE(braid_database_on_progress(database->get(), stop, &calls) == BRAID_OK);
  CHECK(braid_checkpoint(database->get()) == BRAID_INTERRUPTED);
  CHECK(calls == 1);
  REQUIRE(braid_rollback(writer.get()) == BRAID_OK);
  std::vector<double> fractions;
  REQUIRE(braid_database_on_progress(database->get(), note, &fractions) == BRAID_OK);
  CHECK(braid_check(database->get(), nullptr, nullptr) == BRAID_OK);
  CHECK(is_whole(fractions));
  REQUIRE(braid_database_on_progress(database->get(), nullptr, nullptr) == BRAID_OK);
  REQUIRE(batch.execute("INSERT INTO t(id) VALUES(30004)") == BRAID_OK);
  CHECK(batch.commit() == BRAID_OK);
  CHECK(writer.rows("SELECT count(*) FROM t") == "10001");
  CHECK(database->check() == "");
  CHECK(writer.run("DELETE FROM t WHERE id > 10000") == BRAID_OK);
}

TEST_CASE("a backup through another process prunes the archive, tells bytes and the part that is done, and is stopped") {
  const TempDir temp;
  ServingProcess host(temp / "db", "archive=on", fill);
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  Token token;
  braid_backup_options options{};
  options.size_bytes = sizeof options;
  options.flags = BRAID_PRUNE_ARCHIVE;
  // Two parts of the archive, of which the backup needs none.
  TestConnection connection(database);
  CHECK(braid_checkpoint(database.get()) == BRAID_OK);
  CHECK(connection.run("INSERT INTO t(id) VALUES(30000)") == BRAID_OK);
  CHECK(braid_checkpoint(database.get()) == BRAID_OK);
  const int64_t from = database.figure("archive_from");
  std::vector<double> fractions;
  REQUIRE(braid_database_on_progress(database.get(), note, &fractions) == BRAID_OK);
  CHECK(braid_backup(database.get(), (temp / "copy").c_str(), &options, nullptr, nullptr, nullptr) == BRAID_OK);
  CHECK(database.figure("archive_from") > from);
  CHECK(is_whole(fractions));
  REQUIRE(braid_database_on_progress(database.get(), nullptr, nullptr) == BRAID_OK);
  REQUIRE(braid_database_set_cancel(database.get(), token.handle) == BRAID_OK);
  options.bytes_per_second = 1000;  // minutes, unless it is stopped
  {
    const Later later([&token] { braid_cancel_set(token.handle); });
    CHECK(braid_backup(database.get(), (temp / "second").c_str(), &options, nullptr, nullptr, nullptr) == BRAID_INTERRUPTED);
  }
  braid_cancel_reset(token.handle);
  const auto refuse = [](void*, uint64_t, uint64_t) -> int32_t { return 1; };
  CHECK(braid_backup(database.get(), (temp / "second").c_str(), &options, refuse, nullptr, nullptr) == BRAID_INTERRUPTED);
}

TEST_CASE("what a client leaves open for too long is ended by the host, and it is told why") {
  const TempDir temp;
  ServingProcess host(temp / "db", "snapshot_age_max_ms=300;transaction_time_max_ms=300;busy_timeout_ms=20000", [](TestDatabase& database) {
    return TestConnection(database).run("CREATE TABLE t(x); INSERT INTO t VALUES(1), (2), (3)") == BRAID_OK;
  });
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  TestConnection reader(database), stepping(database), writer(database), other(database);
  REQUIRE(reader.run("BEGIN; SELECT count(*) FROM t") == BRAID_OK);
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(stepping.get(), "SELECT a.x FROM t a, t b", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  REQUIRE(writer.run("BEGIN IMMEDIATE; INSERT INTO t VALUES(4)") == BRAID_OK);
  // The slot is free once the writer was ended, long before a wait for it would be.
  const auto start = std::chrono::steady_clock::now();
  CHECK(other.run("INSERT INTO t VALUES(5)") == BRAID_OK);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(15));
  CHECK(other.number("SELECT count(*) FROM t WHERE x = 4") == 0);
  // All were open for longer than the writer was allowed to be.
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  CHECK(reader.run("SELECT count(*) FROM t") == BRAID_SNAPSHOT_TOO_OLD);
  CHECK(std::string(reader.error()).find("has ended this connection") != std::string::npos);
  CHECK(writer.run("INSERT INTO t VALUES(6)") == BRAID_LIMIT);
  CHECK(std::string(writer.error()).find("transaction_time_max_ms") != std::string::npos);
  braid_statement_close(statement);
  TestConnection again(database);
  CHECK(again.number("SELECT sum(x) FROM t") == 1 + 2 + 3 + 5);
  host.release();
}

TEST_CASE("an answer that is larger than the host's memory allows is refused, and the host goes on") {
  const TempDir temp;
  ServingProcess host(temp / "db", "memory_bytes_max=134217728;graph_cache_bytes=1048576;graph_buffer_bytes=1048576");
  REQUIRE(host.succeeded());
  TestDatabase database(temp / "db", "remote=only");
  TestConnection connection(database);
  CHECK(connection.run("CREATE TABLE t(x)") == BRAID_OK);
  CHECK(connection.rows("SELECT zeroblob(40000000)").find("memory_bytes_max") != std::string::npos);
  CHECK(connection.number("SELECT length(zeroblob(4000000))") == 4'000'000);
  CHECK(connection.rows("SELECT hex(zeroblob(2))") == "0000");
  CHECK(connection.run("INSERT INTO t VALUES(1)") == BRAID_OK);
  host.release();
}
