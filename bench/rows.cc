// Rows only: what Braid costs a user who needs nothing but SQL. Beside it, bare SQLite with the
// same settings.
//
// In each round both subjects, one after the other, insert rows in transactions of 10,000, commit
// single rows durably, commit single rows without a sync of each (Braid's relaxed durability, SQLite's
// synchronous=NORMAL), both again while another thread follows Braid's commits by a feed, and read single rows by key; both stay open, so a round's inserts also meet the
// rows of earlier rounds.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "bench/braid_subject.h"
#include "bench/disk.h"
#include "bench/entity.h"
#include "bench/harness.h"
#include "bench/sqlite_peer.h"
#include "bench/sync_count.h"

namespace bench {
namespace {

constexpr size_t kRowsPerTransaction = 10'000;
constexpr size_t kTransactionsPerTurn = 10;
constexpr size_t kRowsPerTurn = kRowsPerTransaction * kTransactionsPerTurn;
constexpr int64_t kCacheBytes = int64_t{256} << 20;

constexpr const char* kCreate =
    "CREATE TABLE entities(id TEXT PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, "
    "props TEXT NOT NULL, created_at INTEGER NOT NULL)";
constexpr const char* kInsert = "INSERT INTO entities VALUES(?,?,?,?,?)";
constexpr const char* kRead = "SELECT type, name, props, created_at FROM entities WHERE id = ?";

/// The table in one of the subjects.
class Table {
 public:
  virtual ~Table() = default;
  virtual std::string_view name() const = 0;
  virtual void begin() = 0;
  virtual void commit() = 0;
  /// Whether commits wait for a sync; they do at first.
  virtual void set_synced(bool on) = 0;
  /// Outside a transaction the row is committed on return.
  virtual void insert(const Entity& entity) = 0;
  /// Somebody who is told of every commit, until it is destroyed; null where there is no such thing.
  virtual std::shared_ptr<void> follow() { return nullptr; }
  /// Reads the row and every value of it; returns its `created_at`.
  virtual int64_t read(const std::string& key) = 0;
};

// Both kinds of statement have the same members, so the subjects run the same code.
template <typename Statement>
void insert_with(Statement& statement, const Entity& entity) {
  statement.bind(1, entity.key);
  statement.bind(2, entity.type);
  statement.bind(3, entity.name);
  statement.bind(4, entity.properties);
  statement.bind(5, entity.created_at);
  statement.run();
}

template <typename Statement>
int64_t read_with(Statement& statement, const std::string& key) {
  statement.bind(1, key);
  if (!statement.row()) fail(key + ": the row is missing");
  if (statement.text(0).empty() || statement.text(1).empty() || statement.text(2).empty()) {
    fail(key + ": a value of the row is missing");
  }
  const int64_t created_at = statement.int64(3);
  statement.reset();
  return created_at;
}

/// A feed that a thread of its own reads to its end.
class Follower {
 public:
  explicit Follower(BraidDatabase& database) {
    if (braid_feed_open(database.handle(), nullptr, &feed_) != BRAID_OK) fail("the feed cannot be opened");
    thread_ = std::thread([this] {
      constexpr int64_t kWaitMs = 1000;
      const char* line = nullptr;
      size_t size = 0;
      for (int32_t code = BRAID_ROW; code == BRAID_ROW || code == BRAID_DONE;) code = braid_feed_next(feed_, kWaitMs, &line, &size);
    });
  }
  ~Follower() {
    braid_feed_cancel(feed_);
    thread_.join();
    braid_feed_close(feed_);
  }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

 private:
  braid_feed* feed_ = nullptr;
  std::thread thread_;
};

class BraidTable final : public Table {
 public:
  explicit BraidTable(const std::string& path)
      : database_(path, braid_options({{"cache_bytes", kCacheBytes}})), connection_(database_) {
    connection_.execute(kCreate);
    insert_ = std::make_unique<BraidStatement>(connection_, kInsert);
    read_ = std::make_unique<BraidStatement>(connection_, kRead);
  }
  std::string_view name() const override { return "braid"; }
  void begin() override { connection_.begin(); }
  void commit() override { connection_.commit(); }
  void set_synced(bool on) override {
    connection_.execute(on ? "SELECT braid_durability('full')" : "SELECT braid_durability('relaxed')");
  }
  void insert(const Entity& entity) override { insert_with(*insert_, entity); }
  std::shared_ptr<void> follow() override { return std::make_shared<Follower>(database_); }
  int64_t read(const std::string& key) override { return read_with(*read_, key); }

 private:
  BraidDatabase database_;
  BraidConnection connection_;
  std::unique_ptr<BraidStatement> insert_;
  std::unique_ptr<BraidStatement> read_;
};

class SqliteTable final : public Table {
 public:
  SqliteTable(const std::string& path, SqliteSettings settings) : file_(path, settings) {
    file_.execute(kCreate);
    insert_ = std::make_unique<SqliteStatement>(file_.handle(), kInsert);
    read_ = std::make_unique<SqliteStatement>(file_.handle(), kRead);
  }
  std::string_view name() const override { return "sqlite"; }
  void begin() override { file_.execute("BEGIN IMMEDIATE"); }
  void commit() override { file_.execute("COMMIT"); }
  void set_synced(bool on) override {
    file_.execute(on ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  }
  void insert(const Entity& entity) override { insert_with(*insert_, entity); }
  int64_t read(const std::string& key) override { return read_with(*read_, key); }

 private:
  SqliteFile file_;
  std::unique_ptr<SqliteStatement> insert_;
  std::unique_ptr<SqliteStatement> read_;
};

/// The settings that bare SQLite needs to be compared with a Braid opened as above.
SqliteSettings settings_like_braid(const std::string& directory) {
  BraidDatabase database(directory, braid_options({{"cache_bytes", kCacheBytes}}));
  return {.cache_bytes = database.option("cache_bytes"),
          .checkpoint_wal_bytes = database.option("wal_soft_bytes")};
}

/// The rows of one round.
struct Rows {
  std::vector<Entity> bulk;
  Random random;  // makes the rows committed singly and chooses those that are read
};

Rows make_rows(uint64_t round) {
  Rows rows{{}, Random(round)};
  for (uint64_t index = 0; index < kRowsPerTurn; ++index) {
    rows.bulk.push_back(make_entity(rows.random, round * kRowsPerTurn + index));
  }
  return rows;
}

void measure_insert(Report& report, Table& table, const Rows& rows) {
  const double start = now_seconds();
  for (size_t first = 0; first < rows.bulk.size(); first += kRowsPerTransaction) {
    table.begin();
    for (size_t index = first; index < first + kRowsPerTransaction; ++index) {
      table.insert(rows.bulk[index]);
    }
    table.commit();
  }
  report.add("insert", table.name(),
             static_cast<double>(rows.bulk.size()) / (now_seconds() - start), "rows/s");
}

/// Commits new rows one by one for the time of a turn.
void measure_commit(Report& report, std::string_view metric, Table& table, Random& random,
                    double seconds, Disk& disk) {
  const std::string name(metric);
  double elapsed = 0;
  uint64_t commits = 0;
  uint64_t syncs = 0;
  const DiskState state = disk.run_calm([&] {
    const uint64_t syncs_before = sync_totals().count;
    const double start = now_seconds();
    for (commits = 0; now_seconds() < start + seconds; ++commits) {
      table.insert(make_entity(random, commits));
    }
    elapsed = now_seconds() - start;
    syncs = sync_totals().count - syncs_before;
  });
  report.add(name, table.name(), static_cast<double>(commits) / elapsed, "/s", state);
  report.add(name + "_fdatasync", table.name(), state.sync_us, "us", state);
  report.add(name + "_syncs_per_op", table.name(),
             static_cast<double>(syncs) / static_cast<double>(commits), "");
}

void measure_point_read(Report& report, Table& table, Rows rows, double seconds) {
  constexpr uint64_t kReadsPerLook = 64;  // at the clock
  const double start = now_seconds();
  uint64_t reads = 0;
  for (; now_seconds() < start + seconds; reads += kReadsPerLook) {
    for (uint64_t look = 0; look < kReadsPerLook; ++look) {
      const Entity& entity = rows.bulk[random_below(rows.random, rows.bulk.size())];
      if (table.read(entity.key) != entity.created_at) fail(entity.key + ": a wrong row was read");
    }
  }
  report.add("point_read", table.name(), static_cast<double>(reads) / (now_seconds() - start),
             "/s");
}

std::vector<std::unique_ptr<Table>> open_tables(const Arguments& arguments,
                                                const WorkDirectory& directory) {
  std::vector<std::unique_ptr<Table>> tables;
  if (arguments.selected("braid")) {
    tables.push_back(std::make_unique<BraidTable>(directory.entry("braid")));
  }
  if (arguments.selected("sqlite")) {
    tables.push_back(std::make_unique<SqliteTable>(
        directory.entry("sqlite"), settings_like_braid(directory.entry("settings"))));
  }
  return tables;
}

int run(int argc, char** argv) {
  const Arguments arguments =
      parse_arguments(argc, argv, "Rows alone, beside bare SQLite.", {"braid", "sqlite"});
  const WorkDirectory directory(arguments.directory);
  std::vector<std::unique_ptr<Table>> tables = open_tables(arguments, directory);

  Report report("rows");
  Disk disk(directory.path());
  for (int round = 0; round < arguments.rounds; ++round) {
    const Rows rows = make_rows(static_cast<uint64_t>(round));
    for (const auto& table : tables) measure_insert(report, *table, rows);
    for (const auto& table : tables) {
      Random random = rows.random;
      measure_commit(report, "commit", *table, random, arguments.seconds, disk);
      table->set_synced(false);
      measure_commit(report, "commit_relaxed", *table, random, arguments.seconds, disk);
      table->set_synced(true);
      if (const auto follower = table->follow()) {
        measure_commit(report, "commit_followed", *table, random, arguments.seconds, disk);
        table->set_synced(false);
        measure_commit(report, "commit_relaxed_followed", *table, random, arguments.seconds, disk);
        table->set_synced(true);
      }
    }
    for (const auto& table : tables) measure_point_read(report, *table, rows, arguments.seconds);
    // The next round begins with the other one, since the first may pay for what came before.
    std::reverse(tables.begin(), tables.end());
  }
  // "Within 1.1 times": SQLite is at most 1.1 times as fast.
  for (const std::string_view metric : {"insert", "commit", "point_read"}) {
    report.expect_ratio({metric, "sqlite"}, {metric, "braid"}, {Bound::Kind::kAtMost, 1.1});
  }
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
