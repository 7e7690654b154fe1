// Continuous aggregates under random changes: whatever was appended, deleted, updated, dropped, refreshed, rolled back or reopened, the aggregate
// gives the rows of the plain query.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int64_t kEpoch = 1'704'067'200;  // 2024-01-01
constexpr int kHours = 240;

/// What an aggregate is compared with. Sums and averages are of whole numbers, so that no order of additions shows.
struct Pair {
  const char* name;
  const char* create;
  const char* plain;
};
constexpr Pair kPairs[] = {
    {"hourly",
     "SELECT time_bucket('1 hour', time) AS bucket, host, avg(v) AS a, sum(n) AS s, min(n) AS lo, max(v) AS hi, first(n, time) AS f, last(n, time) AS l, "
     "count(*) AS c, count(v) AS cv FROM m GROUP BY bucket, host",
     nullptr},
    {"daily",
     "SELECT time_bucket('1 day', bucket) AS bucket, host, avg(a) AS a, sum(s) AS s, min(lo) AS lo, max(hi) AS hi, first(f, bucket) AS f, "
     "last(l, bucket) AS l, sum(c) AS c FROM hourly GROUP BY 1, 2",
     "SELECT time_bucket('1 day', time) AS bucket, host, avg(v) AS a, sum(n) AS s, min(n) AS lo, max(v) AS hi, first(n, time) AS f, last(n, time) AS l, "
     "count(*) AS c FROM m GROUP BY 1, 2"},
    {"thirds", "SELECT time_bucket('20 minutes', time) AS bucket, sum(n) AS s, count(*) AS c FROM m GROUP BY bucket", nullptr},
};

class Campaign {
 public:
  explicit Campaign(uint32_t seed) : random_(seed) {
    open();
    run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, n INTEGER, chunk_interval='6 hours')");
    append(500);
    for (const Pair& pair : kPairs) run(fmt::format("SELECT create_continuous_aggregate('{}', '{}', {})", pair.name, quoted(pair.create), below(2)));
  }

  void step() {
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
      case 3: append(1 + below(60)); break;
      case 4: run(fmt::format("DELETE FROM m WHERE time >= {} AND time < {}", at(), at())); break;
      case 5: run(fmt::format("DELETE FROM m WHERE host IS {} AND n % 7 = {}", host(), below(7))); break;
      case 6: run(fmt::format("UPDATE m SET n = n + 1, v = NULL WHERE host IS {} AND time < {}", host(), at())); break;
      case 7:
      case 8: refresh(); break;
      case 9: in_transaction(); break;
      case 10: CHECK(braid_checkpoint(database_->get()) == BRAID_OK); break;
      case 11:
        if (below(3) == 0) open();
        break;
    }
  }

  void compare() {
    for (const Pair& pair : kPairs) {
      const std::string plain = pair.plain != nullptr ? pair.plain : pair.create;
      INFO(pair.name);
      CHECK(connection_->number(fmt::format("SELECT count(*) FROM (SELECT * FROM {} EXCEPT {})", pair.name, plain)) == 0);
      CHECK(connection_->number(fmt::format("SELECT count(*) FROM (SELECT * FROM ({}) EXCEPT SELECT * FROM {})", plain, pair.name)) == 0);
      const std::string where = fmt::format("WHERE bucket >= time_bucket('1 hour', {}) AND bucket < '2024-01-09'", at());
      CHECK(connection_->number(fmt::format("SELECT coalesce(sum(c), 0) FROM {} {}", pair.name, where)) ==
            connection_->number(fmt::format("SELECT coalesce(sum(c), 0) FROM ({}) {}", plain, where)));
    }
  }

  void check() { CHECK(database_->check() == ""); }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  std::string at() { return fmt::format("{}", (kEpoch + int64_t{below(kHours * 360)} * 10) * 1'000'000); }
  std::string host() { return std::array{"'a'", "'b'", "''", "NULL"}[static_cast<size_t>(below(4))]; }
  static std::string quoted(std::string_view text) {
    std::string out;
    for (const char letter : text) out += letter == '\'' ? std::string("''") : std::string(1, letter);
    return out;
  }

  void run(const std::string& sql) {
    INFO(sql);
    REQUIRE(connection_->run(sql) == BRAID_OK);
  }

  void open() {
    connection_ = nullptr;
    database_ = nullptr;
    database_ = std::make_unique<TestDatabase>(directory_ / "db");
    REQUIRE(database_->ok());
    connection_ = std::make_unique<TestConnection>(*database_);
  }

  void append(int count) {
    std::string sql = "INSERT OR REPLACE INTO m VALUES";
    for (int i = 0; i < count; ++i)
      sql += fmt::format("{}({}, {}, {}, {})", i == 0 ? "" : ", ", at(), host(), below(5) == 0 ? "NULL" : fmt::format("{}", below(1000)), below(1000));
    run(sql);
  }

  void refresh() {
    const Pair& pair = kPairs[below(std::size(kPairs))];
    if (below(2) == 0) return run(fmt::format("SELECT refresh_continuous_aggregate('{}', NULL, NULL)", pair.name));
    const int64_t since = kEpoch + int64_t{below(kHours)} * 3600;
    run(fmt::format("SELECT refresh_continuous_aggregate('{}', {}, {})", pair.name, since * 1'000'000, (since + 86400 * (2 + below(3))) * 1'000'000));
  }

  void in_transaction() {
    run("BEGIN; SAVEPOINT s");
    append(20);
    run(fmt::format("DELETE FROM m WHERE time >= {} AND time < {}", at(), at()));
    compare();
    if (below(2) == 0) refresh();
    if (below(2) == 0) run("ROLLBACK TO s");
    compare();
    append(5);
    run(below(2) == 0 ? "COMMIT" : "ROLLBACK");
  }

  TempDir directory_;
  std::mt19937 random_;
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<TestConnection> connection_;
};

}  // namespace

TEST_CASE("a continuous aggregate equals the plain query after random changes") {
  const char* steps = std::getenv("BRAID_AGGREGATE_STEPS");
  const int count = steps == nullptr ? 60 : std::atoi(steps);
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    INFO("seed ", seed);
    Campaign campaign(seed);
    campaign.compare();
    for (int i = 0; i < count; ++i) {
      INFO("step ", i);
      campaign.step();
      campaign.compare();
    }
    campaign.check();
  }
}

TEST_CASE("what chunks that are dropped at random have told stays in the aggregates") {
  std::mt19937 random(7);
  TempDir directory;
  TestDatabase database(directory / "db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, n INTEGER, chunk_interval='5 hours');"
                         "CREATE TABLE kept(time INTEGER, host TEXT, n INTEGER, PRIMARY KEY(time, host));"
                         "SELECT create_continuous_aggregate('d', 'SELECT time_bucket(''1 day'', time) AS bucket, host, sum(n) AS s, count(*) AS c, "
                         "min(n) AS lo, last(n, time) AS l FROM m GROUP BY 1, 2');") == BRAID_OK);
  int64_t dropped_until = 0;
  for (int hour = 0; hour < 24 * 12; hour += 7) {
    for (int i = 0; i < 30; ++i) {
      // Never before what was dropped: such points do not come back into the aggregate.
      const int64_t time = (kEpoch + std::max<int64_t>(dropped_until, int64_t{hour} * 3600 - 40'000) + int64_t(random() % 40'000)) * 1'000'000;
      const std::string row = fmt::format("VALUES({}, '{}', {})", time, random() % 3, random() % 100);
      REQUIRE(connection.run("INSERT OR REPLACE INTO m " + row + "; INSERT OR REPLACE INTO kept " + row) == BRAID_OK);
    }
    if (random() % 3 == 0) REQUIRE(connection.run("SELECT refresh_continuous_aggregate('d', NULL, NULL)") == BRAID_OK);
    if (random() % 3 == 0) {
      const int64_t limit = std::max<int64_t>(0, int64_t{hour} * 3600 - 20'000);
      REQUIRE(connection.run(fmt::format("SELECT drop_chunks('m', {})", (kEpoch + limit) * 1'000'000)) == BRAID_OK);
      dropped_until = std::max(dropped_until, limit);
    }
    CHECK(connection.number("SELECT count(*) FROM (SELECT * FROM d EXCEPT SELECT time_bucket('1 day', time), host, sum(n), count(*), min(n), last(n, time) "
                            "FROM kept GROUP BY 1, 2)") == 0);
    CHECK(connection.number("SELECT sum(c) FROM d") == connection.number("SELECT count(*) FROM kept"));
  }
}

TEST_CASE("batches mark what they touch") {
  TempDir directory;
  TestDatabase database(directory / "db");
  TestConnection connection(database);
  REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, n INTEGER);"
                         "INSERT INTO m VALUES('2024-01-01', 1), ('2024-01-02', 2), ('2024-01-03', 3);"
                         "SELECT create_continuous_aggregate('d', 'SELECT time_bucket(''1 day'', time) AS day, sum(n) AS s FROM m GROUP BY day')") == BRAID_OK);
  TestBatch batch(database);
  REQUIRE(batch.execute("INSERT INTO m VALUES('2024-01-01 12:00:00', 10)") == BRAID_OK);
  CHECK(batch.commit() == BRAID_OK);
  CHECK(connection.number("SELECT s FROM d WHERE day = '2024-01-01'") == 11);
  CHECK(connection.number("SELECT stale_ranges FROM continuous_aggregates") == 1);
}

TEST_CASE("maintenance runs what is due, by the host and by the thread of the database") {
  TempDir directory;
  {
    TestDatabase database(directory / "db", "maintenance_interval_ms=0");
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, n INTEGER, chunk_interval='1 day');"
                           "INSERT INTO m VALUES('2024-01-01', 1), ('2024-01-02', 2), (now(), 3);"
                           "SELECT add_retention_policy('m', '30 days')") == BRAID_OK);
    uint64_t finished = 99;
    CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
    CHECK(finished == 1);
    CHECK(connection.number("SELECT count(*) FROM m") == 1);
    CHECK(connection.number("SELECT runs * 10 + failures FROM maintenance_policies") == 10);
    CHECK(braid_maintain(database.get(), 1000, &finished) == BRAID_OK);
    CHECK(finished == 0);
    CHECK(braid_maintain(database.get(), -1, nullptr) == BRAID_INVALID_ARGUMENT);
    CHECK(connection.run("SELECT remove_retention_policy('m'); INSERT INTO m VALUES('2024-01-01', 1); SELECT add_retention_policy('m', '30 days')") == BRAID_OK);
  }
  TestDatabase database(directory / "db", "maintenance_interval_ms=20");
  TestConnection connection(database);
  int64_t left = -1;
  for (int i = 0; i < 1000 && left != 1; ++i) {
    left = connection.number("SELECT count(*) FROM m");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(left == 1);
}

TEST_CASE("while the disk has less than its reserve nothing is added, but taken away") {
  TempDir directory;
  {
    TestDatabase database(directory / "db");
    TestConnection connection(database);
    REQUIRE(connection.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, n INTEGER); INSERT INTO m VALUES('2024-01-01', 1), ('2024-01-02', 2)") == BRAID_OK);
  }
  TestDatabase database(directory / "db", "free_disk_min_bytes=1152921504606846976");
  TestConnection connection(database);
  CHECK(connection.run("INSERT INTO m VALUES('2024-01-03', 3)") == BRAID_FULL);
  CHECK(std::string(braid_connection_error(connection.get())).find("free_disk_min_bytes") != std::string::npos);
  CHECK(connection.number("SELECT count(*) FROM m") == 2);
  CHECK(connection.run("DELETE FROM m WHERE n = 2") == BRAID_OK);
  CHECK(connection.run("CREATE TABLE t(a)") == BRAID_FULL);
  CHECK(braid_node_create(connection.get(), nullptr, nullptr, nullptr) == BRAID_FULL);
  CHECK(connection.number("SELECT count(*) FROM m") == 1);
}
