// Rows as an Arrow C stream: types, bounds, errors on the way, and what outlives what.
#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/support/arrow_text.h"
#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

struct Fixture {
  TempDir directory;
  TestDatabase database{directory / "db"};
  TestConnection connection{database};
};

/// A statement and its stream; both close themselves, in either order.
class Stream {
 public:
  Stream(TestConnection& connection, const std::string& sql, const braid_arrow_options* options = nullptr) {
    REQUIRE(braid_prepare(connection.get(), sql.c_str(), BRAID_NUL_TERMINATED, &statement_, nullptr) == BRAID_OK);
    code_ = braid_statement_arrow(statement_, options, &stream_);
    CHECK((code_ == BRAID_OK) == (stream_.release != nullptr));
    if (code_ != BRAID_OK) error_ = connection.error();
  }
  ~Stream() {
    release();
    close_statement();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int32_t code() const { return code_; }
  const std::string& error() const { return error_; }
  braid_statement* statement() const { return statement_; }
  ArrowArrayStream& get() { return stream_; }
  void release() {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }
  void close_statement() { braid_statement_close(std::exchange(statement_, nullptr)); }

  std::string schema() {
    ArrowSchema schema = {};
    REQUIRE(stream_.get_schema(&stream_, &schema) == 0);
    const std::string text = schema_text(schema);
    schema.release(&schema);
    return text;
  }
  /// All rows that are left; or "errno N: message".
  std::string rows() {
    ArrowSchema schema = {};
    std::string text;
    if (const int code = stream_.get_schema(&stream_, &schema)) return "errno " + std::to_string(code);
    for (;;) {
      ArrowArray array = {};
      const int code = stream_.get_next(&stream_, &array);
      if (code != 0) {
        CHECK((array.release == nullptr));
        text = "errno " + std::to_string(code) + ": " + stream_.get_last_error(&stream_);
        break;
      }
      if (array.release == nullptr) break;
      ++arrays;
      text += rows_text(schema, array);
      array.release(&array);
    }
    schema.release(&schema);
    return text;
  }
  int arrays = 0;

 private:
  braid_statement* statement_ = nullptr;
  ArrowArrayStream stream_ = {};
  int32_t code_ = BRAID_OK;
  std::string error_;
};

braid_arrow_options options_of(int64_t rows_max, const std::vector<int32_t>& types = {}) {
  return {sizeof(braid_arrow_options), rows_max, 0, types.empty() ? nullptr : types.data(), types.size()};
}

}  // namespace

TEST_CASE("every type comes out as it was declared and stored") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE TABLE t(i BIGINT, d DOUBLE, s VARCHAR(20), b BLOB, f BOOLEAN, at TIMESTAMP, x);"
                           "INSERT INTO t VALUES(-9223372036854775807, 0.25, 'gr\xc3\xbc\xc3\x9f', x'00ff', 1, '2024-01-01', NULL),"
                           "(NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 4, '', x'', 0, '2024-01-01T01:00:00+01:00', NULL)") == BRAID_OK);
  Stream stream(f.connection, "SELECT * FROM t");
  REQUIRE(stream.code() == BRAID_OK);
  CHECK(stream.schema() == "i:l d:g s:u b:z f:b at:tsu:UTC x:n");
  CHECK(stream.rows() == std::string("-9223372036854775807|0.25|gr\xc3\xbc\xc3\x9f|") + std::string("\0\xff", 2) +
                             "|1|1704067200000000|NULL|\nNULL|NULL|NULL|NULL|NULL|NULL|NULL|\n3|4|||0|1704067200000000|NULL|\n");
  CHECK(stream.arrays == 1);
  CHECK(stream.rows() == "");
  CHECK((stream.get().get_last_error(&stream.get()) == nullptr));
}

TEST_CASE("without values the declared types remain") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE TABLE t(i INTEGER, d REAL, s CLOB, b BLOB, f BOOL, at DATETIME, n NUMERIC)") == BRAID_OK);
  Stream empty(f.connection, "SELECT *, i + 1 AS e FROM t");
  CHECK(empty.schema() == "i:l d:g s:u b:z f:b at:tsu:UTC n:n e:n");
  CHECK(empty.rows() == "");
  REQUIRE(f.connection.run("INSERT INTO t(i) VALUES(1)") == BRAID_OK);
  Stream nulls(f.connection, "SELECT *, i + 1 AS e FROM t");
  CHECK(nulls.schema() == "i:l d:g s:u b:z f:b at:tsu:UTC n:n e:l");
  CHECK(nulls.rows() == "1|NULL|NULL|NULL|NULL|NULL|NULL|2|\n");
  Stream nothing(f.connection, "CREATE TABLE made(x)");
  CHECK(nothing.code() == BRAID_OK);
  CHECK(nothing.schema() == "");
  CHECK(nothing.rows() == "");
  CHECK(f.connection.rows("SELECT count(*) FROM made") == "0");
}

TEST_CASE("values of several types in the first batch have one that holds them all") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE TABLE b(x BOOLEAN); CREATE TABLE w(x TIMESTAMP); CREATE TABLE i(x INTEGER)") == BRAID_OK);
  const auto read = [&](const std::string& sql) {
    Stream stream(f.connection, sql);
    return stream.code() == BRAID_OK ? stream.schema() + " " + stream.rows() : std::to_string(stream.code()) + " " + stream.error();
  };
  const std::string from = "SELECT column1 AS x FROM (VALUES";
  CHECK(read(from + "(1),(NULL),(2.5))") == "x:g 1|\nNULL|\n2.5|\n");
  CHECK(read(from + "(2.5),(1))") == "x:g 2.5|\n1|\n");
  CHECK(read(from + "(1),('a'),(2.5))") == "x:u 1|\na|\n2.5|\n");
  CHECK(read(from + "('a'),(x'41'))") == "x:z a|\nA|\n");
  CHECK(read(from + "(NULL),('a'))") == "x:u NULL|\na|\n");
  CHECK(read(from + "(9007199254740992),(0.5))") == "x:g 9.00719925474099e+15|\n0.5|\n");
  // Nothing is rounded, cut or turned into another character in silence.
  CHECK(read(from + "(9007199254740993),(0.5))").starts_with("3 column 'x', row 2 of the batch: a double comes after integers"));
  CHECK(read(from + "(0.5),(9007199254740993))").starts_with("3 column 'x', row 2 of the batch: no double holds 9007199254740993 exactly"));
  CHECK(read(from + "(1),(x'41'))").starts_with("3 column 'x', row 2 of the batch: a value of type binary does not fit type int64"));
  CHECK(read(from + "(CAST(x'61ff' AS TEXT)))").starts_with("3 column 'x', row 1 of the batch: the text is no UTF-8 at byte 1"));

  REQUIRE(f.connection.run("INSERT INTO b VALUES(1),(0),(7); INSERT INTO i VALUES('text')") == BRAID_OK);
  CHECK(read("SELECT x FROM b") == "x:l 1|\n0|\n7|\n");
  CHECK(read("SELECT x FROM i") == "x:u text|\n");
  REQUIRE(f.connection.run("INSERT INTO w VALUES(1704067200)") == BRAID_OK);
  CHECK(read("SELECT x FROM w") == "x:l 1704067200|\n");
  REQUIRE(f.connection.run("DELETE FROM w; INSERT INTO w VALUES('2024-01-01'), ('soon')") == BRAID_OK);
  CHECK(read("SELECT x FROM w").starts_with("3 column 'x', row 2 of the batch: a value is no time"));
  CHECK(read("SELECT CAST(x AS TEXT) AS x FROM w") == "x:u 2024-01-01|\nsoon|\n");
}

TEST_CASE("the caller's types hold for the whole stream") {
  Fixture f;
  const std::string sql = "SELECT column1 AS a, column2 AS b FROM (VALUES (NULL, 1704067200000000), (NULL, '2024-01-01'), ('later', NULL))";
  {
    const std::vector<int32_t> types = {BRAID_ARROW_UTF8, BRAID_ARROW_TIMESTAMP};
    const braid_arrow_options options = options_of(1, types);
    Stream stream(f.connection, sql, &options);
    CHECK(stream.schema() == "a:u b:tsu:UTC");
    CHECK(stream.rows() == "NULL|1704067200000000|\nNULL|1704067200000000|\nlater|NULL|\n");
    CHECK(stream.arrays == 3);
  }
  {
    const braid_arrow_options options = options_of(1);
    Stream stream(f.connection, sql, &options);
    CHECK(stream.schema() == "a:n b:l");
    const std::string answer = stream.rows();
    CHECK(answer.starts_with("errno " + std::to_string(EINVAL) + ": column 'b', row 1 of the batch: a value of type utf8 does not fit type int64"));
    CHECK(stream.rows() == "errno " + std::to_string(EINVAL));  // it has ended
    CHECK(f.connection.error().find("column 'b'") != std::string::npos);
  }
  struct Case {
    std::vector<int32_t> types;
    const char* answer;
  };
  const Case cases[] = {{{BRAID_ARROW_BOOL}, "3 column 'x', row 1"},   {{BRAID_ARROW_NULL}, "3 column 'x', row 1"},     {{BRAID_ARROW_INT64}, "0 x:l 7|\n"},
                        {{BRAID_ARROW_DOUBLE}, "0 x:g 7|\n"},          {{BRAID_ARROW_UTF8}, "0 x:u 7|\n"},              {{BRAID_ARROW_BINARY}, "3 column 'x', row 1"},
                        {{BRAID_ARROW_TIMESTAMP}, "0 x:tsu:UTC 7|\n"}, {{BRAID_ARROW_INT64, BRAID_ARROW_INT64}, "1 types: 2 are given"}};
  for (const Case& one : cases) {
    CAPTURE(one.answer);
    const braid_arrow_options options = options_of(0, one.types);
    Stream stream(f.connection, "SELECT 7 AS x", &options);
    const std::string answer = std::to_string(stream.code()) + " " + (stream.code() == BRAID_OK ? stream.schema() + " " + stream.rows() : stream.error());
    CHECK(answer.starts_with(one.answer));
  }
}

TEST_CASE("an array holds no more rows and bytes than were asked for") {
  Fixture f;
  const std::string sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, printf('%.*c', 1000, 'x') AS t FROM n";
  braid_arrow_options options = options_of(300);
  {
    Stream stream(f.connection, sql, &options);
    stream.rows();
    CHECK(stream.arrays == 4);
  }
  options = options_of(0);
  options.bytes_max = 10000;
  Stream stream(f.connection, sql, &options);
  CHECK(stream.rows().size() > 1000000);
  CHECK(stream.arrays == 100);
}

TEST_CASE("a hypertable's columns are streamed without rows, within the same bounds") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, ok BOOLEAN, note TEXT);"
                           "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999) INSERT INTO m SELECT "
                           "datetime(1704067200 + i, 'unixepoch'), 'a', i / 2.0, i % 2, printf('%.*c', 100, 'y') FROM n") == BRAID_OK);
  REQUIRE(braid_checkpoint(f.database.get()) == BRAID_OK);
  braid_arrow_options options = options_of(0);
  options.bytes_max = 20000;
  std::string all;
  for (const char* fast : {"SELECT series_fast_path(0)", "SELECT series_fast_path(1)"}) {
    f.connection.rows(fast);
    Stream stream(f.connection, "SELECT time, host, v, ok, note FROM m", &options);
    CHECK(stream.schema() == "time:tsu:UTC host:u v:g ok:b note:u");
    const std::string rows = stream.rows();
    CHECK(stream.arrays > 10);
    if (!all.empty()) CHECK(all == rows);
    all = rows;
  }
  CHECK(f.connection.rows("SELECT way FROM series_reads LIMIT 1") == "batch");
}

TEST_CASE("errors on the way end the stream and leave the statement usable") {
  Fixture f;
  const braid_arrow_options options = options_of(10);
  Stream stream(f.connection,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT CASE i WHEN 25 THEN abs(-9223372036854775807 - 1) ELSE i END AS x FROM n", &options);
  REQUIRE(stream.code() == BRAID_OK);
  CHECK(stream.rows() == "errno " + std::to_string(EINVAL) + ": integer overflow");
  CHECK(stream.arrays == 2);
  ArrowArray array = {};
  CHECK(stream.get().get_next(&stream.get(), &array) == EINVAL);
  CHECK(braid_statement_step(stream.statement()) == BRAID_ROW);
  // Releasing the stream then touches nothing of the statement's new run.
  stream.release();
  CHECK(braid_statement_step(stream.statement()) == BRAID_ROW);
  CHECK(braid_column_int64(stream.statement(), 0) == 2);
}

TEST_CASE("a stream is interrupted like a statement") {
  Fixture f;
  const braid_arrow_options options = options_of(BRAID_BATCH_ROWS_MAX);
  Stream stream(f.connection, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", &options);
  REQUIRE(stream.code() == BRAID_OK);
  std::thread other([&] { braid_interrupt(f.connection.get()); });
  other.join();
  const std::string answer = stream.rows();
  CHECK(answer.starts_with("errno " + std::to_string(ECANCELED) + ": "));
  CHECK(f.connection.rows("SELECT 1") == "1");
}

TEST_CASE("what is released early, or outlives statement, connection and database, does no harm") {
  Fixture f;
  const std::string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  const braid_arrow_options options = options_of(4);
  {
    Stream unread(f.connection, endless, &options);  // with its first array
    Stream read(f.connection, endless, &options);
    ArrowArray array = {};
    REQUIRE(read.get().get_next(&read.get(), &array) == 0);
    read.release();
    CHECK(braid_statement_step(read.statement()) == BRAID_ROW);
    read.close_statement();
    CHECK(array.length == 4);
    array.release(&array);
  }
  {
    // A child that is moved away lives on when its parent is released.
    Stream stream(f.connection, "SELECT 'kept' AS x, 2 AS y", &options);
    ArrowArray array = {}, child = {};
    REQUIRE(stream.get().get_next(&stream.get(), &array) == 0);
    child = *array.children[0];
    array.children[0]->release = nullptr;
    array.release(&array);
    CHECK(std::memcmp(child.buffers[2], "kept", 4) == 0);
    child.release(&child);
  }
  TestConnection other(f.database);
  Stream first(other, "SELECT i FROM (" + endless + ")", &options);
  Stream second(other, "SELECT i FROM (" + endless + ") WHERE i > 1", &options);
  CHECK(braid_statement_step(first.statement()) == BRAID_MISUSE);
  ArrowArray array = {};
  CHECK(braid_statement_batch(first.statement(), 10, nullptr, &array) == BRAID_MISUSE);
  ArrowArrayStream third = {};
  CHECK(braid_statement_arrow(first.statement(), nullptr, &third) == BRAID_MISUSE);
  CHECK((third.release == nullptr));
  CHECK(braid_statement_reset(first.statement()) == BRAID_OK);
  CHECK(braid_statement_step(first.statement()) == BRAID_ROW);
  CHECK(first.get().get_next(&first.get(), &array) == EINVAL);  // though its rows were read before
  CHECK((array.release == nullptr));
  CHECK(std::string(first.get().get_last_error(&first.get())).find("reset") != std::string::npos);
  second.close_statement();
  CHECK(second.get().get_next(&second.get(), &array) == EINVAL);
}

TEST_CASE("a stream keeps the database open, and its columns are all that is left of it") {
  TempDir directory;
  braid_database* database = nullptr;
  braid_connection* connection = nullptr;
  braid_statement* statement = nullptr;
  ArrowArrayStream stream = {};
  REQUIRE(braid_open((directory / "db").c_str(), nullptr, &database) == BRAID_OK);
  REQUIRE(braid_connect(database, &connection) == BRAID_OK);
  REQUIRE(braid_prepare(connection, "SELECT 1 AS x", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_statement_arrow(statement, nullptr, &stream) == BRAID_OK);
  braid_close(database);
  braid_disconnect(connection);
  braid_statement_close(statement);
  REQUIRE(braid_open((directory / "db").c_str(), nullptr, &database) == BRAID_BUSY);
  braid_close(database);
  ArrowSchema schema = {};
  ArrowArray array = {};
  CHECK(stream.get_schema(&stream, &schema) == 0);
  CHECK(schema_text(schema) == "x:l");
  schema.release(&schema);
  CHECK(stream.get_next(&stream, &array) == EINVAL);
  CHECK((array.release == nullptr));
  stream.release(&stream);
  CHECK((stream.release == nullptr));
  REQUIRE(braid_open((directory / "db").c_str(), nullptr, &database) == BRAID_OK);
  braid_close(database);
}

TEST_CASE("a stream of a writing statement commits when its rows are read") {
  Fixture f;
  REQUIRE(f.connection.run("CREATE TABLE t(x)") == BRAID_OK);
  const braid_arrow_options options = options_of(1);
  Stream stream(f.connection, "INSERT INTO t VALUES(1), (2) RETURNING x", &options);
  CHECK(stream.rows() == "1|\n2|\n");
  TestConnection other(f.database);
  CHECK(other.rows("SELECT count(*) FROM t") == "2");
}

TEST_CASE("wrong arguments of a stream are named") {
  Fixture f;
  braid_statement* statement = nullptr;
  ArrowArrayStream stream = {};
  REQUIRE(braid_prepare(f.connection.get(), "SELECT 1", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  CHECK(braid_statement_arrow(nullptr, nullptr, &stream) == BRAID_MISUSE);
  CHECK(braid_statement_arrow(statement, nullptr, nullptr) == BRAID_INVALID_ARGUMENT);
  struct Case {
    braid_arrow_options options;
    const char* named;
  };
  const int32_t wrong = 99;
  const Case cases[] = {{{sizeof(braid_arrow_options) - 1, 0, 0, nullptr, 0}, "size_bytes"},
                        {{sizeof(braid_arrow_options), -1, 0, nullptr, 0}, "rows_max"},
                        {{sizeof(braid_arrow_options), BRAID_BATCH_ROWS_MAX + 1, 0, nullptr, 0}, "rows_max"},
                        {{sizeof(braid_arrow_options), 0, -1, nullptr, 0}, "bytes_max"},
                        {{sizeof(braid_arrow_options), 0, 0, nullptr, 1}, "types"},
                        {{sizeof(braid_arrow_options), 0, 0, &wrong, 1}, "99"}};
  for (const Case& one : cases) {
    CHECK(braid_statement_arrow(statement, &one.options, &stream) == BRAID_INVALID_ARGUMENT);
    CHECK(f.connection.error().find(one.named) != std::string::npos);
    CHECK((stream.release == nullptr));
  }
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_statement_arrow(statement, nullptr, &stream) == BRAID_MISUSE);
  braid_statement_close(statement);
}
