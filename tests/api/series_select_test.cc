// SELECTs over hypertables give the same rows whether they are recognised or not.
//
// BRAID_SELECTS=20000 for a longer run; a slice on every test run.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tests/support/arrow_text.h"
#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

using Random = std::mt19937_64;

std::string pick(Random& random, const std::vector<std::string>& from) { return from[random() % from.size()]; }
bool once_in(Random& random, uint64_t n) { return random() % n == 0; }

std::string time_text(Random& random) {
  const auto two = [](uint64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return "2024-01-" + two(1 + random() % 9) + " " + two(random() % 24) + ":" + two(random() % 60) + ":" + (once_in(random, 3) ? "30.5" : "00");
}

struct PlainValue {
  int32_t type;
  std::string text;
  double real;
};
using Values = std::vector<std::vector<PlainValue>>;

struct Answer {
  int32_t code = BRAID_OK;
  std::string error;
  std::vector<std::string> names;
  std::vector<std::string> declared;
  Values rows;
};

/// A statement and the values bound to ?1, ?2, …
struct Query {
  std::string sql;
  std::vector<std::string> texts;
};

Answer run(TestConnection& connection, const Query& query) {
  Answer answer;
  braid_statement* statement = nullptr;
  answer.code = braid_prepare(connection.get(), query.sql.data(), static_cast<int64_t>(query.sql.size()), &statement, nullptr);
  if (answer.code != BRAID_OK) {
    answer.error = connection.error();
    return answer;
  }
  REQUIRE(braid_parameter_count(statement) == static_cast<int32_t>(query.texts.size()));
  for (size_t i = 0; i < query.texts.size(); ++i)
    REQUIRE(braid_bind_text(statement, static_cast<int32_t>(i) + 1, query.texts[i].data(), static_cast<int64_t>(query.texts[i].size())) == BRAID_OK);
  for (int32_t i = 0; i < braid_column_count(statement); ++i) {
    answer.names.emplace_back(braid_column_name(statement, i));
    answer.declared.emplace_back(braid_column_declared_type(statement, i));
  }
  while ((answer.code = braid_statement_step(statement)) == BRAID_ROW) {
    std::vector<PlainValue> row;
    for (int32_t i = 0; i < braid_column_count(statement); ++i) {
      int64_t size = 0;
      const double real = braid_column_double(statement, i);
      const int32_t type = braid_column_type(statement, i);
      const char* text = braid_column_text(statement, i, &size);
      row.push_back({type, std::string(text, static_cast<size_t>(size)), real});
    }
    answer.rows.push_back(std::move(row));
  }
  if (answer.code == BRAID_DONE) answer.code = BRAID_OK;
  else answer.error = connection.error();
  braid_statement_close(statement);
  return answer;
}

bool same(const PlainValue& a, const PlainValue& b) {
  if (a.type != b.type) return false;
  if (a.type != BRAID_TYPE_DOUBLE) return a.text == b.text;
  // Sums are added up in another order.
  return a.real == b.real || std::abs(a.real - b.real) <= 1e-12 * std::max(std::abs(a.real), std::abs(b.real));
}

std::string written(const Answer& answer) {
  if (answer.code != BRAID_OK) return "error " + std::to_string(answer.code) + ": " + answer.error;
  std::string text;
  for (const auto& row : answer.rows) {
    for (const PlainValue& value : row) text += (value.type == BRAID_TYPE_NULL ? "NULL" : value.text) + "|";
    text += "\n";
  }
  return text;
}

bool same(const Answer& a, const Answer& b) {
  if (a.code != b.code || a.error != b.error || a.names != b.names || a.declared != b.declared || a.rows.size() != b.rows.size()) return false;
  for (size_t row = 0; row < a.rows.size(); ++row)
    for (size_t i = 0; i < a.rows[row].size(); ++i)
      if (!same(a.rows[row][i], b.rows[row][i])) return false;
  return true;
}

/// By all values; doubles by what is sure of them.
Answer sorted(Answer answer) {
  const auto key = [](const std::vector<PlainValue>& row) {
    std::string text;
    for (const PlainValue& value : row) {
      char digits[40];
      std::snprintf(digits, sizeof digits, "%.9g", value.real);
      text += std::to_string(value.type) + (value.type == BRAID_TYPE_DOUBLE ? std::string(digits) : value.text) + "|";
    }
    return text;
  };
  std::stable_sort(answer.rows.begin(), answer.rows.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return answer;
}

// ---- Generated queries -------------------------------------------------------------------------------------------------------

class Generator {
 public:
  explicit Generator(Random& random) : random_(random) {}

  Query query() {
    texts_.clear();
    std::string sql = core();
    if (once_in(random_, 5)) sql = wrapped(sql);
    return {sql, texts_};
  }

 private:
  std::string bound(const std::string& text) {
    texts_.push_back(text);
    return "?" + std::to_string(texts_.size());
  }
  std::string quoted(const std::string& text) { return once_in(random_, 4) ? bound(text) : "'" + text + "'"; }
  std::string column(const std::string& name) {
    switch (random_() % 8) {
      case 0: return "\"" + name + "\"";
      case 1: return qualifier_ + "." + name;
      case 2: return "(" + name + ")";
      default: return name;
    }
  }
  std::string time_value() {
    if (once_in(random_, 12)) return "(SELECT max(time) FROM m)";
    if (once_in(random_, 20)) return "NULL";
    if (once_in(random_, 20)) return std::to_string(1704067200000000 + static_cast<int64_t>(random_() % 600000) * 1000000);
    return quoted(time_text(random_) + pick(random_, {"", "", " +0100", "Z"}));
  }

  std::string condition() {
    switch (random_() % 12) {
      case 0:
      case 1:
      case 2: return column("time") + " " + pick(random_, {"<", "<=", ">", ">=", ">="}) + " " + time_value();
      case 3: return column("time") + " BETWEEN " + time_value() + " AND " + time_value();
      case 4: return "host " + pick(random_, {"=", "=", "IS", "=="}) + " " + quoted(pick(random_, {"a", "b", "", "7", "none"}));
      case 5: return "host IN (" + pick(random_, {"'a'", "'a', 'b'", "'', NULL, 7", "SELECT name FROM hosts", "SELECT name FROM hosts WHERE rank > 1",
                                                   "SELECT number FROM hosts", "VALUES ('a'), ('7')", "7.0, x'61', 'b'"}) + ")";
      case 6: return pick(random_, {"region IS NULL", "region IS NOT NULL", "region = 'eu'", "host = 7", "region NOTNULL", "region IN ('eu', 'us')", "region = NULL", "rack = 9", "rack = '10'", "rack = 9.0", "rack IN (9, 'x', 10.5)", "rack IN (SELECT number + 2 FROM hosts)", "rack IS NULL", "rack = 'nine'"});
      case 7: return pick(random_, {"v", "n", "w"}) + " " + pick(random_, {"<", "<=", "=", "<>", "!=", ">=", ">"}) + " " +
                     pick(random_, {"5", "12.5", "'7'", "'x'", "-1", "NULL", "x'00'", "(SELECT avg(rank) FROM hosts)", "1e3", "9007199254740993"});
      case 8: return "n BETWEEN " + std::to_string(random_() % 50) + " AND " + std::to_string(random_() % 2000);
      case 9: return pick(random_, {"v IS NULL", "v IS NOT NULL", "n ISNULL", "w NOTNULL", "flag = 1", "flag IS NULL", "flag = TRUE", "flag = 'true'"});
      case 10: return rowless_condition();
      default: return time_value() + " " + pick(random_, {"<", "<=", ">=", ">"}) + " time";
    }
  }

  /// Speaks of no column of the hypertable.
  std::string rowless_condition() {
    return pick(random_, {"1", "1 = 1", "EXISTS (SELECT 1 FROM hosts)", "NULL", "0", "'2' > 1", "EXISTS (SELECT 1 FROM blank)", "NOT EXISTS (SELECT 1 FROM hosts)",
                          "(SELECT count(*) FROM blank) > 0", "(SELECT x FROM blank)", "1 IN (SELECT x FROM blank)", "7 IN (SELECT number FROM hosts)",
                          "EXISTS (SELECT 1 FROM blank) = 1", "EXISTS (SELECT 1 FROM blank) IS TRUE", "(SELECT name FROM hosts WHERE number = 8) = 'b'",
                          "(SELECT name FROM hosts WHERE number = 7) = 'b'", "now() IS NULL", "now() IS NOT NULL", "abs(1) = 2", "'a' LIKE 'A'", "1 IN (2, 3)"});
  }

  std::string where() {
    std::string text;
    for (size_t left = random_() % 4; left > 0; --left) text += (text.empty() ? " WHERE " : " AND ") + (once_in(random_, 8) ? "(" + condition() + ")" : condition());
    return text;
  }

  std::string aggregate() {
    switch (random_() % 8) {
      case 0: return "count(*)";
      case 1: return "count(" + column(pick(random_, {"v", "n", "w", "note", "flag", "time"})) + ")";
      case 2: return pick(random_, {"first", "last"}) + "(" + column(pick(random_, {"v", "n", "flag"})) + ", " + column("time") + ")";
      case 3: return pick(random_, {"min", "max"}) + "(time)";
      case 4: return "total(v)";
      default: return pick(random_, {"sum", "avg", "min", "max"}) + "(" + column(pick(random_, {"v", "v", "n", "w", "flag"})) + ")";
    }
  }
  std::string value() {
    switch (random_() % 6) {
      case 0: return aggregate() + " - " + pick(random_, {"1", "2.5", "min(v)", "max(n)"});
      case 1: return "round(" + pick(random_, {"avg", "min", "max"}) + "(v), 3)";
      case 2: return "CASE WHEN count(*) > 10 THEN 'many' ELSE " + aggregate() + " END";
      default: return aggregate();
    }
  }

  std::string core() {
    qualifier_ = pick(random_, {"m", "m", "x"});
    const std::string bucket = "time_bucket('" + pick(random_, {"1 hour", "6 hours", "1 day", "45 minutes", "1 month", "1 week"}) + "', time" +
                               (once_in(random_, 6) ? ", '2024-01-02 03:00:00'" : "") + ")";
    struct Key {
      std::string expression, name;
    };
    std::vector<Key> keys;
    if (!once_in(random_, 4)) keys.push_back({bucket, ""});
    if (once_in(random_, 2)) keys.push_back({"host", ""});
    if (once_in(random_, 3)) keys.push_back({"region", ""});
    if (once_in(random_, 4)) keys.push_back({"rack", ""});
    std::shuffle(keys.begin(), keys.end(), random_);
    std::vector<std::string> items;
    std::vector<size_t> places(keys.size(), 0);
    std::vector<std::string> names;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (once_in(random_, 8)) continue;
      if (keys[i].expression == bucket || once_in(random_, 4)) keys[i].name = "k" + std::to_string(i);
      items.push_back(keys[i].expression + (keys[i].name.empty() ? "" : pick(random_, {" AS ", " "}) + keys[i].name));
      places[i] = items.size();
    }
    for (size_t left = 1 + random_() % 3; left > 0; --left) {
      names.push_back("r" + std::to_string(left));
      items.push_back(value() + (once_in(random_, 2) ? " AS " + names.back() : ""));
      if (items.back().find(" AS r") == std::string::npos) names.pop_back();
    }
    std::string sql = std::string("SELECT ") + (once_in(random_, 15) ? "DISTINCT " : "");
    for (size_t i = 0; i < items.size(); ++i) sql += (i == 0 ? "" : ", ") + items[i];
    sql += " FROM " + pick(random_, {"m", "main.m", "\"m\""}) + (qualifier_ == "x" ? pick(random_, {" x", " AS x"}) : "") + where();
    std::vector<std::string> orders;
    for (size_t i = 0; i < keys.size(); ++i) {
      std::string key = keys[i].expression;
      if (places[i] > 0 && once_in(random_, 3)) key = std::to_string(places[i]);
      else if (!keys[i].name.empty() && once_in(random_, 2)) key = keys[i].name;
      sql += (i == 0 ? " GROUP BY " : ", ") + key;
      orders.push_back(!keys[i].name.empty() && once_in(random_, 2) ? keys[i].name : places[i] > 0 && once_in(random_, 3) ? std::to_string(places[i]) : keys[i].expression);
    }
    if (once_in(random_, 5)) sql += " HAVING " + pick(random_, {"count(*) > 3", "max(n) > 100", "avg(v) IS NOT NULL", aggregate() + " > 5", "min(time) > '2024-01-03'"});
    std::shuffle(orders.begin(), orders.end(), random_);
    if (!names.empty() && once_in(random_, 3)) orders.insert(orders.begin() + static_cast<long>(random_() % (orders.size() + 1)), pick(random_, names));
    if (once_in(random_, 6)) orders.push_back("count(*)");
    orders.resize(std::min<size_t>(orders.size(), random_() % 4));
    for (size_t i = 0; i < orders.size(); ++i)
      sql += (i == 0 ? " ORDER BY " : ", ") + orders[i] + pick(random_, {"", "", " DESC", " ASC", " DESC NULLS LAST"});
    if (once_in(random_, 4)) sql += " LIMIT " + pick(random_, {"1", "5", "2 OFFSET 3", "3, 2", "0", "-1"});
    return sql;
  }

  std::string wrapped(const std::string& sql) {
    const uint64_t way = random_() % 5;
    if (way > 1) texts_.clear();
    switch (way) {
      case 0: return "WITH c AS (" + sql + ") SELECT * FROM c";
      case 1: return "SELECT count(*) FROM (" + sql + ") q JOIN hosts ON hosts.rank < 3";
      case 2: return "SELECT name, (SELECT sum(n) FROM m WHERE host = hosts.name) AS s FROM hosts ORDER BY name";
      case 3: return "SELECT hosts.name, q.* FROM hosts LEFT JOIN (SELECT host AS h, count(*) AS c, max(v) FROM m" + where() + " GROUP BY host) q ON q.h = hosts.name ORDER BY 1, 2";
      default: return "SELECT max(v) FROM m" + where() + " UNION ALL " + "SELECT count(*) FROM hosts";
    }
  }

  Random& random_;
  std::string qualifier_;
  std::vector<std::string> texts_;
};

/// Doubles are such that their sums are exact, so that an ORDER BY of sums tells the same rows apart by both ways.
void insert_points(TestConnection& connection, Random& random, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const std::string host = pick(random, {"'a'", "'b'", "''", "NULL", "'7'", "'c'"});
    const std::string sql = "INSERT INTO m VALUES ('" + time_text(random) + "', " + host + ", " + pick(random, {"'eu'", "'us'", "NULL"}) + ", " + pick(random, {"10", "9", "NULL"}) + ", " +
                            pick(random, {"NULL", std::to_string(static_cast<double>(random() % 400) / 16), "0.03125", "12.5"}) + ", " +
                            pick(random, {"NULL", std::to_string(random() % 2000), std::to_string(random() % 20)}) + ", " +
                            pick(random, {"NULL", "0.125", "3", std::to_string(random() % 10)}) + ", " + pick(random, {"NULL", "0", "1"}) + ", " +
                            pick(random, {"NULL", "'text'"}) + ")";
    REQUIRE(connection.run(sql) == BRAID_OK);
  }
}

/// NaN cannot be written in SQL.
void insert_nan(TestConnection& connection, int64_t start) {
  braid_appender* appender = nullptr;
  REQUIRE(braid_appender_open(connection.get(), "m", &appender) == BRAID_OK);
  const char* tags[] = {"a", "eu", "9"};
  REQUIRE(braid_appender_series(appender, tags, 3) == BRAID_OK);
  const int64_t times[] = {start, start + 1'000'000, start + 2'000'000};
  const double reals[] = {std::nan(""), 4.5, std::nan("")};
  const int64_t integers[] = {1, 0, 1};
  const char* notes[] = {"", "x", ""};
  const braid_column real{sizeof(braid_column), BRAID_TYPE_DOUBLE, reals, nullptr};
  const braid_column integer{sizeof(braid_column), BRAID_TYPE_INT64, integers, nullptr};
  const braid_column note{sizeof(braid_column), BRAID_TYPE_TEXT, notes, nullptr};
  const braid_column columns[] = {real, integer, real, integer, note};
  REQUIRE(braid_appender_columns(appender, times, 3, columns, 5) == BRAID_OK);
  REQUIRE(braid_appender_close(appender) == BRAID_OK);
}

}  // namespace

TEST_CASE("generated SELECTs over a hypertable give the same rows by both ways") {
  TempDir dir;
  TestDatabase database(dir.path());
  TestConnection connection(database);
  Random random(20240101);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, region TEXT TAG, rack INTEGER TAG, v DOUBLE, n BIGINT, w DOUBLE, flag BOOLEAN, "
                         "note TEXT, chunk_interval='2 days');"
                         "CREATE TABLE hosts(name TEXT, number INTEGER, rank REAL);"
                         "CREATE TABLE blank(x);"
                         "INSERT INTO hosts VALUES ('a', 7, 1), ('b', 8, 2.5), (NULL, NULL, 3), ('none', 1, 0);") == BRAID_OK);
  const char* environment = std::getenv("BRAID_SELECTS");
  const size_t selects = environment == nullptr ? 3000 : std::stoul(environment);
  constexpr size_t kStages = 5;
  size_t fast = 0, reordered = 0;
  for (size_t stage = 0; stage < kStages; ++stage) {
    REQUIRE(connection.run("BEGIN") == BRAID_OK);
    insert_points(connection, random, 400);
    insert_nan(connection, 1704153600000000 + static_cast<int64_t>(stage) * 3600000000);
    if (stage % 2 == 0) REQUIRE(connection.run("COMMIT") == BRAID_OK);
    if (stage == 0 || stage == 2) REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
    Generator generator(random);
    for (size_t i = 0; i < selects / kStages; ++i) {
      const Query query = generator.query();
      CAPTURE(query.sql);
      connection.rows("SELECT series_fast_path(0)");
      const Answer slow = run(connection, query);
      connection.rows("SELECT series_fast_path(1)");
      const Answer quick = run(connection, query);
      fast += connection.rows("EXPLAIN QUERY PLAN " + query.sql).find("ROLLUP m") != std::string::npos ? 1 : 0;
      // Sums that differ in their last bits, and rows that are alike in all that they are ordered by, may stand in another order.
      const bool other_order = !same(slow, quick) && query.sql.find("LIMIT") == std::string::npos && same(sorted(slow), sorted(quick));
      reordered += other_order ? 1 : 0;
      CHECK_MESSAGE((other_order || same(slow, quick)), query.sql << "\nslow:\n" << written(slow) << "fast:\n" << written(quick));
    }
    if (stage % 2 != 0) REQUIRE(connection.run(stage == 1 ? "ROLLBACK" : "COMMIT") == BRAID_OK);
  }
  MESSAGE(fast << " of " << selects << " recognised, " << reordered << " in another order");
  CHECK(reordered * 200 < selects);
  CHECK(fast > selects / 2);
}

namespace {

struct Batches {
  int32_t code = BRAID_OK;
  std::string formats;
  std::string rows;
  size_t count = 0;
};

Batches read_batches(TestConnection& connection, const std::string& sql, int64_t rows_max) {
  Batches read;
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection.get(), sql.data(), static_cast<int64_t>(sql.size()), &statement, nullptr) == BRAID_OK);
  ArrowSchema schema{};
  ArrowArray array{};
  while ((read.code = braid_statement_batch(statement, rows_max, &schema, &array)) == BRAID_ROW) {
    ++read.count;
    REQUIRE(array.n_children == schema.n_children);
    CHECK(array.length <= rows_max);
    read.formats = schema_text(schema);
    read.rows += rows_text(schema, array);
    array.release(&array);
    schema.release(&schema);
    CHECK((array.release == nullptr));
    CHECK((schema.release == nullptr));
  }
  braid_statement_close(statement);
  return read;
}

struct BothWays {
  Batches stepped, taken;  ///< by SQLite, and by the columns where the statement is recognised
};

BothWays read_both_ways(TestConnection& connection, const std::string& sql, int64_t rows_max) {
  BothWays read;
  connection.rows("SELECT series_fast_path(0)");
  read.stepped = read_batches(connection, sql, rows_max);
  connection.rows("SELECT series_fast_path(1)");
  read.taken = read_batches(connection, sql, rows_max);
  return read;
}

/// Two hosts with 3000 points each, of which some are sealed.
void make_series(TestDatabase& database, TestConnection& connection) {
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, n BIGINT, flag BOOLEAN, note TEXT);"
                         "CREATE TABLE hosts(name TEXT); CREATE TABLE blank(x);"
                         "INSERT INTO hosts VALUES ('b')") == BRAID_OK);
  const std::string points =
      "INSERT INTO m SELECT datetime(1704067200 + i * 10, 'unixepoch'), CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, nullif(i % 100, 7) / 4.0, i, i % 2, "
      "nullif('note ' || i % 5, 'note 3') FROM (WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 5999) SELECT i FROM c)";
  REQUIRE(connection.run(points + " WHERE i < 4000") == BRAID_OK);
  REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
  REQUIRE(connection.run(points + " WHERE i >= 3900") == BRAID_OK);
}

}  // namespace

TEST_CASE("sums of doubles that are not exact differ in their last digits at most") {
  TempDir dir;
  TestDatabase database(dir.path());
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE);"
                         "INSERT INTO m SELECT datetime(1704067200 + i * 10, 'unixepoch'), 'h' || i % 7, i % 1000 / 7.0 FROM "
                         "(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 9999) SELECT i FROM c)") == BRAID_OK);
  REQUIRE(braid_checkpoint(database.get()) == BRAID_OK);
  for (const std::string sql : {"SELECT sum(v), avg(v), total(v) FROM m", "SELECT host, sum(v), avg(v) FROM m GROUP BY host ORDER BY host",
                                "SELECT time_bucket('1 hour', time) AS b, sum(v), avg(v) FROM m WHERE v > 3.3 GROUP BY b ORDER BY b"}) {
    CAPTURE(sql);
    connection.rows("SELECT series_fast_path(0)");
    const Answer slow = run(connection, {sql, {}});
    connection.rows("SELECT series_fast_path(1)");
    const Answer quick = run(connection, {sql, {}});
    CHECK(same(slow, quick));
    CHECK(!quick.rows.empty());
  }
}

TEST_CASE("batches of columns hold the rows that stepping gives, taken from the scan or not") {
  TempDir dir;
  TestDatabase database(dir.path());
  TestConnection connection(database);
  make_series(database, connection);
  for (const std::string sql : {
           "SELECT * FROM m",
           "SELECT v, time, host FROM m WHERE v > 20.0 AND time >= '2024-01-01 02:00:00' AND host = 'a'",
           "SELECT n, note, v FROM m WHERE host IN (SELECT name FROM hosts) AND n BETWEEN 100 AND 4100",
           "SELECT x.* FROM m x WHERE x.note = 'note 1'",
           "SELECT n, flag FROM m WHERE n < 4000 AND flag = 1 LIMIT 1500",
           "SELECT n FROM m WHERE time > (SELECT max(time) FROM m WHERE host = 'a')",
           "SELECT n FROM m WHERE 1 = 0",
           "SELECT n FROM m WHERE EXISTS (SELECT 1 FROM blank)",
           "SELECT n FROM m WHERE EXISTS (SELECT 1 FROM blank) AND n > 0",
           "SELECT n FROM m WHERE NOT EXISTS (SELECT 1 FROM hosts)",
           "SELECT n FROM m WHERE EXISTS (SELECT 1 FROM hosts) AND n < 5",
           "SELECT n FROM m WHERE (SELECT count(*) FROM blank) > 0",
           "SELECT n FROM m WHERE (SELECT x FROM blank)",
           "SELECT n FROM m WHERE 1 IN (SELECT x FROM blank)",
           "SELECT n FROM m WHERE EXISTS (SELECT 1 FROM blank) IS TRUE",
           "SELECT n FROM m WHERE (SELECT name FROM hosts) = 'a'",
           "SELECT n FROM m WHERE now() IS NULL",
           "SELECT n FROM m WHERE now() IS NULL OR 1 = 0",
           "SELECT n FROM m WHERE CURRENT_TIMESTAMP IS NULL",
           "SELECT n FROM m WHERE 'a' LIKE 'b'",
           "SELECT n FROM m WHERE abs(1) = 2",
           "SELECT n FROM m WHERE 1 IN (2, 3)",
           "SELECT n FROM m WHERE 2 BETWEEN 1 AND 3 AND n < 5",
           "SELECT n FROM m LIMIT 0",
           "SELECT time, n FROM m WHERE v IS NULL",
           "SELECT time, host, n FROM m ORDER BY n DESC",
           "SELECT time_bucket('1 hour', time) AS hour, count(*), avg(v) FROM m GROUP BY hour",
           "SELECT 1, 2.5, 'text', NULL, x'0102'",
           "SELECT n, CASE WHEN n = 2 THEN 2.5 ELSE n END, CASE WHEN n = 2 THEN 'two' ELSE n END FROM m WHERE n < 4 AND host = 'a'",
       }) {
    CAPTURE(sql);
    const auto [stepped, taken] = read_both_ways(connection, sql, 1000);
    CHECK(stepped.code == BRAID_DONE);
    CHECK(taken.code == BRAID_DONE);
    CHECK(taken.formats == stepped.formats);
    CHECK(taken.rows == stepped.rows);
    CHECK(read_batches(connection, sql, 77).rows == taken.rows);
  }
  CHECK(read_batches(connection, "SELECT time, host, v, n FROM m", 100).formats == "time:tsu:UTC host:u v:g n:l");
  CHECK(read_batches(connection, "SELECT * FROM m", 1000).count == 6);
}

TEST_CASE("batches hold the rows that stepping gives, whatever a WHERE asks") {
  TempDir dir;
  TestDatabase database(dir.path());
  TestConnection connection(database);
  make_series(database, connection);
  REQUIRE(connection.run("INSERT INTO hosts VALUES ('none'); CREATE TABLE places(name TEXT, x INTEGER); INSERT INTO places VALUES ('a', 1), (NULL, NULL)") == BRAID_OK);
  Random random(20240102);
  const std::vector<std::string> terms = {
      "EXISTS (SELECT 1 FROM blank)", "NOT EXISTS (SELECT 1 FROM blank)", "EXISTS (SELECT 1 FROM places)", "(SELECT x FROM blank)", "(SELECT x FROM places)",
      "1 IN (SELECT x FROM places)", "2 IN (SELECT x FROM places)", "'a' = (SELECT name FROM places)", "(SELECT count(*) FROM places) > 2", "now() > '2000-01-01'",
      "now() < '2000-01-01'", "1", "0", "NULL", "1 = 1", "2 IN (1, 2)", "abs(-1) = 1", "CASE WHEN 1 THEN 0 ELSE 1 END", "n < 100", "n >= 5990", "v > 3", "host = 'a'",
      "host IN (SELECT name FROM places)", "host = (SELECT name FROM places)", "time < '2024-01-01 01:00:00'", "n > (SELECT max(x) FROM places)", "flag = 1", "v IS NULL",
      "note = 'note 1'", "(n < 50 AND EXISTS (SELECT 1 FROM blank))", "(n < 50 OR EXISTS (SELECT 1 FROM blank))"};
  for (int i = 0; i < 400; ++i) {
    std::string sql = "SELECT n, host FROM m WHERE " + pick(random, terms);
    for (uint64_t left = random() % 3; left > 0; --left) sql += " AND " + pick(random, terms);
    CAPTURE(sql);
    const auto [stepped, taken] = read_both_ways(connection, sql, 10000);
    CHECK(taken.code == BRAID_DONE);
    CHECK(taken.rows == stepped.rows);
  }
}

TEST_CASE("batches outlive the statement, see the open transaction, and are not mixed with steps") {
  TempDir dir;
  TestDatabase database(dir.path());
  TestConnection connection(database);
  make_series(database, connection);
  REQUIRE(connection.run("BEGIN; INSERT INTO m VALUES ('2025-01-01', 'c', 1.5, -1, 0, NULL)") == BRAID_OK);
  CHECK(read_batches(connection, "SELECT host, v FROM m WHERE n = -1", 10).rows == "c|1.5|\n");
  REQUIRE(connection.run("ROLLBACK") == BRAID_OK);
  CHECK(read_batches(connection, "SELECT host, v FROM m WHERE n = -1", 10).rows == "");
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection.get(), "SELECT n FROM m WHERE n < ?1", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_bind_int64(statement, 1, 3) == BRAID_OK);
  ArrowArray array{};
  CHECK(braid_statement_batch(statement, 0, nullptr, &array) == BRAID_INVALID_ARGUMENT);
  CHECK(braid_statement_batch(statement, 10, nullptr, nullptr) == BRAID_INVALID_ARGUMENT);
  REQUIRE(braid_statement_batch(statement, 2, nullptr, &array) == BRAID_ROW);
  CHECK(array.length == 2);
  CHECK(braid_statement_step(statement) == BRAID_MISUSE);
  CHECK(braid_bind_int64(statement, 1, 5) == BRAID_MISUSE);
  array.release(&array);
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_statement_batch(statement, 2, nullptr, &array) == BRAID_MISUSE);
  CHECK(braid_statement_reset(statement) == BRAID_OK);
  REQUIRE(braid_statement_batch(statement, 10, nullptr, &array) == BRAID_ROW);
  braid_statement_close(statement);
  CHECK(array.length == 3);
  array.release(&array);
}

TEST_CASE("a recognised statement follows the schema") {
  TempDir dir;
  TestDatabase database(dir.path());
  TestConnection connection(database);
  make_series(database, connection);
  braid_statement* statement = nullptr;
  REQUIRE(braid_prepare(connection.get(), "SELECT count(*) FROM m WHERE n >= ?1", BRAID_NUL_TERMINATED, &statement, nullptr) == BRAID_OK);
  REQUIRE(braid_bind_int64(statement, 1, 5000) == BRAID_OK);
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_column_int64(statement, 0) == 1000);
  REQUIRE(braid_statement_reset(statement) == BRAID_OK);
  REQUIRE(connection.run("CREATE TEMP TABLE m(n); INSERT INTO temp.m VALUES (5000), (1)") == BRAID_OK);
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_column_int64(statement, 0) == 1);
  REQUIRE(braid_statement_reset(statement) == BRAID_OK);
  REQUIRE(connection.run("DROP TABLE temp.m; DROP TABLE main.m") == BRAID_OK);
  CHECK(braid_statement_step(statement) == BRAID_SQL);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, n DOUBLE); INSERT INTO m VALUES ('2024-01-01', 6000.5)") == BRAID_OK);
  REQUIRE(braid_statement_step(statement) == BRAID_ROW);
  CHECK(braid_column_int64(statement, 0) == 1);
  braid_statement_close(statement);
}

// A result column is named after its text. A SELECT over a hypertable is written anew before SQLite sees it, also where it stands within
// an item of another, whose name must not be what was written.
TEST_CASE("columns have the names that they have over a plain table") {
  TempDir directory;
  TestDatabase database{directory / "series"};
  TestConnection series{database};
  TestDatabase plain_database{directory / "plain"};
  TestConnection plain{plain_database};
  REQUIRE(series.run("CREATE VIRTUAL TABLE s USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE)") == BRAID_OK);
  REQUIRE(plain.run("CREATE TABLE s(time, host, v)") == BRAID_OK);
  for (TestConnection* connection : {&series, &plain}) {
    REQUIRE(connection->run("CREATE TABLE t(id INTEGER PRIMARY KEY, host); INSERT INTO s VALUES('2024-01-01 00:00:00', 'a', 1.5); INSERT INTO t VALUES(1, 'a');"
                            "CREATE VIEW w AS SELECT count(*), (SELECT max( v ) FROM s), host FROM s") == BRAID_OK);
  }
  for (const char* text : {
           "SELECT count(*) FROM s",
           "SELECT host, S.Host, \"host\", (host), max(v)  +  1 FROM s GROUP BY host",
           "SELECT max( v ) /* c */ , min(v)/* d */FROM s",
           "SELECT (SELECT count(*) FROM s)",
           "SELECT (SELECT count(*) FROM s) AS n, (SELECT max(v) FROM s) m, (SELECT min(v) FROM s) 'x y'",
           "SELECT ( SELECT  count(*)  FROM s ) /* after */, 2",
           "SELECT 1 + (SELECT count(*) FROM s), t.host, id FROM t",
           "SELECT ((SELECT count(*) FROM s)) FROM t",
           "SELECT (SELECT count(*) FROM s) COLLATE nocase, -(SELECT count(*) FROM s), (SELECT count(*) FROM s) IS NULL FROM t",
           "SELECT EXISTS(SELECT max(v) FROM s), host IN (SELECT host FROM s GROUP BY host) FROM t",
           "SELECT CASE WHEN (SELECT count(*) FROM s) THEN 1 ELSE 2 END FROM t",
           "SELECT coalesce((SELECT max(v) FROM s WHERE host = t.host), 0) FROM t",
           "SELECT DISTINCT (SELECT count(*) FROM s) FROM t ORDER BY (SELECT count(*) FROM s)",
           "SELECT (SELECT count(*) FROM s) UNION ALL SELECT (SELECT max(v) FROM s)",
           "SELECT count(*) FROM s UNION SELECT (SELECT max(v) FROM s) ORDER BY 1",
           "SELECT * FROM (SELECT (SELECT count(*) FROM s), host FROM t)",
           "SELECT * FROM (SELECT count(*), max(v) FROM s), (SELECT (SELECT min(v) FROM s))",
           "SELECT q.\"(SELECT count(*) FROM s)\" FROM (SELECT (SELECT count(*) FROM s)) AS q",
           "WITH c AS (SELECT count(*), (SELECT max(v) FROM s) FROM s) SELECT * FROM c",
           "WITH c(n) AS (SELECT (SELECT max(v) FROM s)) SELECT *, (SELECT n FROM c) FROM c",
           "SELECT (SELECT (SELECT count(*) FROM s) FROM t), (SELECT v FROM s) FROM t",
           "SELECT (WITH c AS (SELECT count(*) AS n FROM s) SELECT n FROM c)",
           "SELECT (SELECT count(*) FROM s WHERE time > (SELECT min(time) FROM s)) FROM t",
           "SELECT (SELECT count(*) FROM s WHERE v > ?), ? FROM t WHERE id > ?",
           "SELECT * FROM w",
           "INSERT INTO t(host) VALUES('b') RETURNING (SELECT count(*) FROM s), host, (SELECT max(v) FROM s) AS m",
       }) {
    const std::string sql = text;
    CAPTURE(sql);
    const auto names = [&sql](TestConnection& connection) {
      braid_statement* statement = nullptr;
      REQUIRE_MESSAGE(braid_prepare(connection.get(), sql.data(), static_cast<int64_t>(sql.size()), &statement, nullptr) == BRAID_OK, connection.error());
      std::vector<std::string> found;
      for (int32_t i = 0; i < braid_column_count(statement); ++i) found.emplace_back(braid_column_name(statement, i));
      braid_statement_close(statement);
      return found;
    };
    CHECK(fmt::format("{}", fmt::join(names(series), "|")) == fmt::format("{}", fmt::join(names(plain), "|")));
  }
  const std::string made = "CREATE TABLE k AS SELECT (SELECT count(*) FROM s), max(v) FROM s";
  const std::string columns = "SELECT group_concat(name, '|') FROM pragma_table_info('k')";
  REQUIRE(series.run(made) == BRAID_OK);
  REQUIRE(plain.run(made) == BRAID_OK);
  CHECK(series.rows(columns) == plain.rows(columns));
}
