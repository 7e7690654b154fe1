// SELECTs over hypertables give the same rows whether they are recognised or not.
//
// BRAID_SELECTS=20000 for a longer run; a slice on every test run.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

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

struct Value {
  int32_t type;
  std::string text;
  double real;
};
using Values = std::vector<std::vector<Value>>;

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
    std::vector<Value> row;
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

bool same(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  if (a.type != BRAID_TYPE_DOUBLE) return a.text == b.text;
  // Sums are added up in another order.
  return a.real == b.real || std::abs(a.real - b.real) <= 1e-12 * std::max(std::abs(a.real), std::abs(b.real));
}

std::string written(const Answer& answer) {
  if (answer.code != BRAID_OK) return "error " + std::to_string(answer.code) + ": " + answer.error;
  std::string text;
  for (const auto& row : answer.rows) {
    for (const Value& value : row) text += (value.type == BRAID_TYPE_NULL ? "NULL" : value.text) + "|";
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
      case 6: return pick(random_, {"region IS NULL", "region IS NOT NULL", "region = 'eu'", "host = 7", "region NOTNULL", "region IN ('eu', 'us')", "region = NULL"});
      case 7: return pick(random_, {"v", "n", "w"}) + " " + pick(random_, {"<", "<=", "=", "<>", "!=", ">=", ">"}) + " " +
                     pick(random_, {"5", "12.5", "'7'", "'x'", "-1", "NULL", "x'00'", "(SELECT avg(rank) FROM hosts)", "1e3", "9007199254740993"});
      case 8: return "n BETWEEN " + std::to_string(random_() % 50) + " AND " + std::to_string(random_() % 2000);
      case 9: return pick(random_, {"v IS NULL", "v IS NOT NULL", "n ISNULL", "w NOTNULL", "flag = 1", "flag IS NULL", "flag = TRUE", "flag = 'true'"});
      case 10: return pick(random_, {"1", "1 = 1", "EXISTS (SELECT 1 FROM hosts)", "NULL", "0", "'2' > 1"});
      default: return time_value() + " " + pick(random_, {"<", "<=", ">=", ">"}) + " time";
    }
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
    switch (random_() % 5) {
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

void insert_points(TestConnection& connection, Random& random, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const std::string host = pick(random, {"'a'", "'b'", "''", "NULL", "'7'", "'c'"});
    const std::string sql = "INSERT INTO m VALUES ('" + time_text(random) + "', " + host + ", " + pick(random, {"'eu'", "'us'", "NULL"}) + ", " +
                            pick(random, {"NULL", std::to_string(static_cast<double>(random() % 400) / 16), "1e-3", "12.5"}) + ", " +
                            pick(random, {"NULL", std::to_string(random() % 2000), std::to_string(random() % 20)}) + ", " +
                            pick(random, {"NULL", "0.1", "3", std::to_string(random() % 10)}) + ", " + pick(random, {"NULL", "0", "1"}) + ", " +
                            pick(random, {"NULL", "'text'"}) + ")";
    REQUIRE(connection.run(sql) == BRAID_OK);
  }
}

/// NaN cannot be written in SQL.
void insert_nan(TestConnection& connection, int64_t start) {
  braid_appender* appender = nullptr;
  REQUIRE(braid_appender_open(connection.get(), "m", &appender) == BRAID_OK);
  const char* tags[] = {"a", "eu"};
  REQUIRE(braid_appender_series(appender, tags, 2) == BRAID_OK);
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
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, region TEXT TAG, v DOUBLE, n BIGINT, w DOUBLE, flag BOOLEAN, "
                         "note TEXT, chunk_interval='2 days');"
                         "CREATE TABLE hosts(name TEXT, number INTEGER, rank REAL);"
                         "INSERT INTO hosts VALUES ('a', 7, 1), ('b', 8, 2.5), (NULL, NULL, 3), ('none', 1, 0);") == BRAID_OK);
  const char* environment = std::getenv("BRAID_SELECTS");
  const size_t selects = environment == nullptr ? 3000 : std::stoul(environment);
  constexpr size_t kStages = 5;
  size_t fast = 0;
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
      CHECK_MESSAGE(same(slow, quick), query.sql << "\nslow:\n" << written(slow) << "fast:\n" << written(quick));
    }
    if (stage % 2 != 0) REQUIRE(connection.run(stage == 1 ? "ROLLBACK" : "COMMIT") == BRAID_OK);
  }
  MESSAGE(fast << " of " << selects << " recognised");
  CHECK(fast > selects / 2);
}
