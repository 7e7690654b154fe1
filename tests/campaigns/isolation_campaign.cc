// Threads that append to lists and read them, in rows, the graph and series at once, through interactive transactions and batches; the history
// is judged by list_history. Rounds have databases and histories of their own, so that a long run is as fast as a short one.
//
// isolation_campaign [TRANSACTIONS (20000)] [--from N] [--seed N]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>

#include "tests/campaigns/list_history.h"
#include "tests/support/campaign_progress.h"
#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int kThreads = 8;
constexpr int64_t kTransactionsPerRound = 20'000;
constexpr int64_t kAppendsPerList = 60;
constexpr int64_t kListsInUse = 9;
constexpr const char* kOptions = "busy_timeout_ms=60000;tail_bytes_max=65536;wal_soft_bytes=262144;log_soft_bytes=131072";

/// Where a list is kept: in a row, in a node's property, or as the points of a series.
enum class Model : uint8_t { kRow, kNode, kSeries };
Model model_of(int64_t list) { return static_cast<Model>(list % 3); }

std::string append_sql(int64_t list, int64_t value) {
  switch (model_of(list)) {
    case Model::kRow: return fmt::format("UPDATE list SET entries = entries || ',{}' WHERE key = {};", value, list);
    case Model::kNode:
      return fmt::format("UPDATE graph_nodes SET properties = json_set(properties, '$.entries', json_extract(properties, '$.entries') || ',{}') "
                         "WHERE id = graph_node('List', 'key', {});",
                         value, list);
    case Model::kSeries:
      return fmt::format("INSERT INTO entry(time, list, value) SELECT count(*) + 1, '{}', {} FROM entry WHERE list = '{}';", list, value, list);
  }
  return "";
}

std::string read_sql(int64_t list) {
  switch (model_of(list)) {
    case Model::kRow: return fmt::format("SELECT entries FROM list WHERE key = {}", list);
    case Model::kNode:
      return fmt::format("SELECT json_extract(properties, '$.entries') FROM graph_nodes WHERE id = graph_node('List', 'key', {})", list);
    case Model::kSeries:
      return fmt::format("SELECT coalesce(group_concat(value), '') FROM (SELECT value FROM entry WHERE list = '{}' ORDER BY time)", list);
  }
  return "";
}

std::vector<int64_t> list_of(const std::string& text) {
  std::vector<int64_t> list;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');)
    if (!part.empty()) list.push_back(std::stoll(part));
  return list;
}

struct Totals {
  size_t transactions = 0, anomalies = 0;
  size_t outcomes[3] = {};
};

class Round {
 public:
  Round(uint64_t seed, int64_t count) : seed_(seed), count_(count), database_(directory_ / "db", kOptions) {
    lists_ = kListsInUse + count * 3 / kAppendsPerList;
  }

  /// Whether nothing went wrong.
  bool run(Totals& totals) {
    if (!database_.ok()) return fail(database_.message());
    {
      TestConnection connection(database_);
      const std::string numbers = fmt::format("WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {}) ", lists_);
      for (const std::string& sql : {std::string("CREATE TABLE list(key INTEGER PRIMARY KEY, entries TEXT NOT NULL)"),
                                     std::string("CREATE VIRTUAL TABLE entry USING hypertable(time TIMESTAMP, list TEXT TAG, value INTEGER)"),
                                     numbers + "INSERT INTO list SELECT n, '' FROM n", std::string("SELECT graph_create_index('List', 'key', 1)"),
                                     numbers + "INSERT INTO graph_nodes(labels, properties) SELECT '[\"List\"]', json_object('key', n, 'entries', '') FROM n"})
        if (connection.run(sql) != BRAID_OK) return fail(sql + ": " + connection.error());
    }
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back([this, thread] { work(thread); });
    std::thread keeper([this] {
      for (; !done_; std::this_thread::sleep_for(std::chrono::milliseconds(200))) braid_checkpoint(database_.get());
    });
    for (std::thread& thread : threads) thread.join();
    done_ = true;
    keeper.join();
    read_everything();
    if (!problem_.empty()) return fail(problem_);
    totals.transactions += history_.size();
    for (const ListTransaction& transaction : history_) ++totals.outcomes[static_cast<size_t>(transaction.outcome)];
    const auto anomalies = list_anomalies(history_);
    for (const std::string& anomaly : anomalies) std::fprintf(stderr, "%s\n", anomaly.c_str());
    const std::string damage = database_.check();
    if (!damage.empty()) return fail("check: " + damage);
    totals.anomalies += anomalies.size();
    return anomalies.empty() || fail("an isolation anomaly");
  }

 private:
  bool fail(const std::string& why) {
    fmt::print(stderr, "isolation: --seed {}: {}\n", seed_, why);
    return false;
  }
  uint64_t tick() { return clock_.fetch_add(1); }
  void stop(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (problem_.empty()) problem_ = why;
    started_ = count_;
  }
  void keep(ListTransaction transaction) {
    const std::lock_guard lock(mutex_);
    history_.push_back(std::move(transaction));
  }

  void work(int thread) {
    std::mt19937_64 random(seed_ * 1000 + static_cast<uint64_t>(thread));
    TestConnection connection(database_);
    for (int64_t number; (number = started_.fetch_add(1)) < count_;) {
      // Lists come into use and go out of it, so that they stay short.
      const int64_t first = number * 3 / kAppendsPerList;
      const auto list = [&] { return std::min(lists_ - 1, first + static_cast<int64_t>(random() % kListsInUse)); };
      switch (random() % 10) {
        case 0:
        case 1:
        case 2: run_batch(random, list); break;
        case 3: run_single(connection, random, list); break;
        default: run_interactive(connection, random, list);
      }
    }
  }

  template <typename Random, typename PickList>
  void run_batch(Random& random, const PickList& list) {
    ListTransaction transaction;
    TestBatch batch(database_);
    for (uint64_t i = 1 + random() % 3; i > 0; --i) {
      const ListOperation operation{list(), next_value_.fetch_add(1), {}};
      if (batch.execute(append_sql(operation.key, operation.appended)) != BRAID_OK) return stop(batch.error());
      transaction.operations.push_back(operation);
    }
    // Some are refused as a whole by their last statement.
    const bool refused = random() % 20 == 0;
    if (refused && batch.execute("INSERT INTO list VALUES(0, '')") != BRAID_OK) return stop(batch.error());
    transaction.begun = tick();
    const int32_t code = batch.commit();
    transaction.ended = tick();
    if (refused ? code != BRAID_CONSTRAINT : code != BRAID_OK) return stop(fmt::format("batch: {} {}", code, batch.error()));
    transaction.outcome = refused ? ListOutcome::kAborted : ListOutcome::kCommitted;
    keep(std::move(transaction));
  }

  /// One statement without a transaction around it.
  template <typename Random, typename PickList>
  void run_single(TestConnection& connection, Random& random, const PickList& list) {
    ListTransaction transaction;
    transaction.begun = tick();
    bool good = false;
    if (random() % 2 == 0)
      good = append(connection, transaction, list()) == BRAID_OK;
    else
      good = read(connection, transaction, list());
    transaction.ended = tick();
    if (!good) return stop(connection.error());
    transaction.outcome = ListOutcome::kCommitted;
    keep(std::move(transaction));
  }

  int32_t append(TestConnection& connection, ListTransaction& transaction, int64_t list) {
    const int64_t value = next_value_.fetch_add(1);
    const int32_t code = connection.run(append_sql(list, value));
    if (code == BRAID_OK) transaction.operations.push_back({list, value, {}});
    return code;
  }
  bool read(TestConnection& connection, ListTransaction& transaction, int64_t list) {
    const std::string text = connection.rows(read_sql(list));
    if (text.starts_with("error")) return false;
    transaction.operations.push_back({list, 0, list_of(text)});
    return true;
  }

  enum class Kind : uint8_t { kReader, kWriter, kUpgrade };

  template <typename Random, typename PickList>
  void run_interactive(TestConnection& connection, Random& random, const PickList& list) {
    const Kind kind = static_cast<Kind>(random() % 3);
    ListTransaction transaction;
    transaction.begun = tick();
    const int32_t begun = kind == Kind::kUpgrade ? connection.run("BEGIN") : braid_begin(connection.get(), kind == Kind::kReader ? BRAID_READ : BRAID_WRITE);
    if (begun != BRAID_OK) return stop("BEGIN: " + connection.error());
    bool refused = false;
    for (uint64_t i = 1 + random() % 4; i > 0 && !refused; --i) {
      if (kind == Kind::kReader || random() % 2 == 0) {
        if (!read(connection, transaction, list())) return stop("read: " + connection.error());
        continue;
      }
      if (random() % 10 == 0 && !try_savepoint(connection, list(), refused)) return stop("savepoint: " + connection.error());
      const int32_t code = refused ? BRAID_CONFLICT : append(connection, transaction, list());
      // A read that was overtaken cannot write; nothing else may fail here.
      refused = kind == Kind::kUpgrade && (code == BRAID_CONFLICT || code == BRAID_BUSY);
      if (code != BRAID_OK && !refused) return stop(fmt::format("append: {} {}", code, connection.error()));
    }
    const bool rolled_back = refused || random() % 20 == 0;
    const int32_t code = rolled_back ? braid_rollback(connection.get()) : braid_commit(connection.get());
    transaction.ended = tick();
    if (code != BRAID_OK) return stop(fmt::format("end: {} {}", code, connection.error()));
    transaction.outcome = rolled_back ? ListOutcome::kAborted : ListOutcome::kCommitted;
    keep(std::move(transaction));
  }

  /// Appends, and undoes it: a transaction that was rolled back, as far as anybody else can see.
  bool try_savepoint(TestConnection& connection, int64_t list, bool& refused) {
    ListTransaction undone{tick(), 0, ListOutcome::kAborted, {}};
    if (braid_savepoint(connection.get(), "s") != BRAID_OK) return false;
    const int32_t code = append(connection, undone, list);
    refused = code == BRAID_CONFLICT || code == BRAID_BUSY;
    if (code != BRAID_OK) return refused;
    if (braid_rollback_to(connection.get(), "s") != BRAID_OK || braid_release(connection.get(), "s") != BRAID_OK) return false;
    undone.ended = tick();
    keep(std::move(undone));
    return true;
  }

  void read_everything() {
    TestConnection connection(database_);
    ListTransaction last{tick(), 0, ListOutcome::kCommitted, {}};
    if (braid_begin(connection.get(), BRAID_READ) != BRAID_OK) return stop(connection.error());
    for (int64_t list = 0; list < lists_; ++list)
      if (!read(connection, last, list)) return stop(connection.error());
    if (braid_commit(connection.get()) != BRAID_OK) return stop(connection.error());
    last.ended = tick();
    keep(std::move(last));
  }

  const uint64_t seed_;
  const int64_t count_;
  int64_t lists_ = 0;
  TempDir directory_;
  TestDatabase database_;
  std::atomic<int64_t> started_{0};
  std::atomic<int64_t> next_value_{1};
  std::atomic<uint64_t> clock_{1};
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::vector<ListTransaction> history_;
  std::string problem_;
};

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Looks for transactions that no serial execution could explain."};
  int64_t transactions = 20'000, from = 0;
  uint64_t seed = std::random_device()();
  app.add_option("transactions", transactions)->check(CLI::Range(int64_t{1}, int64_t{100'000'000}));
  app.add_option("--from", from, "of the round that this one is in")->check(CLI::Range(int64_t{0}, int64_t{100'000'000}));
  app.add_option("--seed", seed, "of the first round; the threads are never the same");
  CLI11_PARSE(app, count, arguments);

  CampaignProgress progress;
  Totals totals;
  for (int64_t number = from / kTransactionsPerRound * kTransactionsPerRound; number < transactions; number += kTransactionsPerRound) {
    if (!Round(seed + static_cast<uint64_t>(number / kTransactionsPerRound), std::min(kTransactionsPerRound, transactions - number)).run(totals)) return 1;
    progress.reached(static_cast<uint64_t>(number + kTransactionsPerRound));
  }
  fmt::print("isolation: --seed {}, {} transactions of {} threads: {} committed, {} rolled back or refused, {} unknown; {} anomalies; {:.0f} s\n", seed,
             totals.transactions, kThreads, totals.outcomes[0], totals.outcomes[1], totals.outcomes[2], totals.anomalies, progress.seconds());
  return 0;
}
