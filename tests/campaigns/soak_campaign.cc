// A database that is written, read and kept in order for a long time, with late points, retention, compression and an aggregate. What it takes
// of memory, descriptors, disk and log must not grow with time, and at the end nothing is damaged.
//
// soak_campaign [SECONDS (30)] [--seed N]
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;
using Clock = std::chrono::steady_clock;

namespace {

constexpr const char* kOptions =
    "busy_timeout_ms=60000;tail_bytes_max=1048576;wal_soft_bytes=1048576;wal_hard_bytes=8388608;log_soft_bytes=1048576;free_pages_kept_bytes=4194304;cache_bytes=2097152;"
    "graph_buffer_bytes=2097152;projection_bytes_max=8388608;maintenance_interval_ms=500;statement_time_max_ms=60000";
constexpr int kDevices = 200;
constexpr int kEdgesKept = 2000;
constexpr int64_t kSecond = 1'000'000;

/// What may grow without an end when something is not given back.
struct Usage {
  const char* name;
  double slack;  // more than the middle of the run by so much, and a tenth
  double value = 0;
};
using Sample = std::array<Usage, 4>;

Sample sample_of(TestDatabase& database, const std::string& directory) {
  Sample sample{Usage{"resident bytes", 24e6}, Usage{"descriptors", 40}, Usage{"bytes on disk", 24e6}, Usage{"bytes of the WAL", 8e6}};
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  sample[0].value = pages * static_cast<double>(sysconf(_SC_PAGESIZE));
  std::error_code gone;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", gone); entry != std::filesystem::directory_iterator(); entry.increment(gone))
    sample[1].value += 1;
  for (auto entry = std::filesystem::recursive_directory_iterator(directory, gone); !gone && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(gone)) {
    std::error_code removed;
    const auto bytes = entry->is_regular_file(removed) ? entry->file_size(removed) : 0;
    if (!removed) sample[2].value += static_cast<double>(bytes);
  }
  sample[3].value = static_cast<double>(database.figure("wal_size"));
  return sample;
}

class Campaign {
 public:
  Campaign(uint64_t seed, int64_t seconds) : seed_(seed), seconds_(seconds) {}

  int run() {
    {
      TestDatabase database(path_, kOptions);
      if (!database.ok()) return fail(database.message());
      if (!create(database)) return fail(problem_);
      live(database);
      if (!problem_.empty()) return fail(problem_);
      if (const std::string damage = database.check(); !damage.empty()) return fail("check: " + damage);
      if (const int32_t code = database.close()) return fail(fmt::format("close: {}", code));
    }
    TestDatabase again(path_, kOptions);
    if (!again.ok()) return fail(again.message());
    if (const std::string damage = again.check(); !damage.empty()) return fail("check after opening again: " + damage);
    return judge();
  }

 private:
  int fail(const std::string& why) {
    std::fprintf(stderr, "soak: seed %llu: %s\n", static_cast<unsigned long long>(seed_), why.c_str());
    return 1;
  }
  void stop(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (problem_.empty()) problem_ = why;
    done_ = true;
  }
  static int64_t now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }

  bool create(TestDatabase& database) {
    TestConnection connection(database);
    const std::string numbers = fmt::format("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {}) ", kDevices);
    for (const std::string& sql :
         {std::string("CREATE TABLE device(serial TEXT PRIMARY KEY, value INTEGER NOT NULL, note TEXT)"),
          std::string("CREATE VIRTUAL TABLE reading USING hypertable(time TIMESTAMP, serial TEXT TAG, value DOUBLE, count INTEGER, state TEXT, "
                      "chunk_interval='2 seconds')"),
          numbers + "INSERT INTO device SELECT 'd' || n, 0, '' FROM n", std::string("SELECT graph_bind('Device', 'device', 'serial')"),
          std::string("SELECT create_continuous_aggregate('summary', 'SELECT time_bucket(''1 second'', time) AS bucket, serial, avg(value) AS mean, "
                      "count(*) AS points FROM reading GROUP BY bucket, serial')"),
          std::string("SELECT add_retention_policy('reading', '8 seconds', '1 second')"),
          std::string("SELECT add_compression_policy('reading', '4 seconds', '2 seconds')"),
          std::string("SELECT add_continuous_aggregate_policy('summary', '8 seconds', '1 second', '1 second')")}) {
      if (connection.run(sql) == BRAID_OK) continue;
      problem_ = sql + ": " + connection.error();
      return false;
    }
    return true;
  }

  void live(TestDatabase& database) {
    std::array<std::thread, 4> threads = {std::thread([&] { write_transactions(database); }), std::thread([&] { write_batches(database); }),
                                          std::thread([&] { read(database, 0); }), std::thread([&] { read(database, 1); })};
    const auto end = Clock::now() + std::chrono::seconds(seconds_);
    const auto step = std::max<std::chrono::milliseconds>(std::chrono::milliseconds(seconds_ * 1000 / 200), std::chrono::milliseconds(100));
    while (!done_ && Clock::now() < end) {
      std::this_thread::sleep_for(step);
      samples_.push_back(sample_of(database, path_));
    }
    done_ = true;
    for (std::thread& thread : threads) thread.join();
  }

  /// A row, an edge and points, some of them late, in one transaction.
  void write_transactions(TestDatabase& database) {
    TestConnection connection(database);
    std::mt19937_64 random(seed_);
    for (; !done_; ++transactions_) {
      const auto device = 1 + random() % kDevices;
      std::string sql = fmt::format("BEGIN IMMEDIATE;UPDATE device SET value = value + 1, note = '{}' WHERE serial = 'd{}';",
                                    std::string(random() % 200, 'n'), device);
      sql += fmt::format("INSERT INTO graph_edges(src, type, dst, properties) VALUES(graph_node('Device', 'serial', 'd{}'), 'FEEDS', "
                         "graph_node('Device', 'serial', 'd{}'), '{{\"w\":{}}}');",
                         device, 1 + random() % kDevices, random() % 100);
      sql += fmt::format("DELETE FROM graph_edges WHERE id <= (SELECT max(id) FROM graph_edges) - {};", kEdgesKept);
      sql += "INSERT INTO reading VALUES";
      for (int point = 0; point < 20; ++point) {
        const int64_t late = random() % 5 == 0 ? static_cast<int64_t>(random() % (3 * kSecond)) : 0;
        sql += fmt::format("{}({}, 'd{}', {}.5, {}, 's{}')", point == 0 ? "" : ",", now() - late + point, device, random() % 1000, random() % 10, random() % 3);
      }
      sql += random() % 20 == 0 ? ";ROLLBACK" : ";COMMIT";
      if (connection.run(sql) != BRAID_OK) return stop("transaction: " + connection.error());
      if (random() % 50 == 0 && connection.run(fmt::format("DELETE FROM reading WHERE serial = 'd{}' AND value < 200", device)) != BRAID_OK)
        return stop("delete: " + connection.error());
    }
  }

  void write_batches(TestDatabase& database) {
    std::mt19937_64 random(seed_ + 1);
    for (; !done_; ++batches_) {
      TestBatch batch(database);
      const std::string serial = fmt::format("d{}", 1 + random() % kDevices);
      const char* tags[] = {serial.c_str()};
      std::vector<int64_t> times, counts;
      std::vector<double> values;
      std::vector<const char*> states;
      for (int64_t point = 0; point < 50; ++point) {
        times.push_back(now() + point);
        values.push_back(static_cast<double>(random() % 10000) / 10);
        counts.push_back(point);
        states.push_back("steady");
      }
      const braid_column columns[] = {{sizeof(braid_column), BRAID_TYPE_DOUBLE, values.data(), nullptr},
                                      {sizeof(braid_column), BRAID_TYPE_INT64, counts.data(), nullptr},
                                      {sizeof(braid_column), BRAID_TYPE_TEXT, states.data(), nullptr}};
      int32_t code = batch.execute(fmt::format("UPDATE device SET value = value + 1 WHERE serial = '{}'", serial));
      if (code == BRAID_OK) code = braid_batch_points(batch.get(), "reading", tags, 1, times.data(), times.size(), columns, 3);
      if (code == BRAID_OK) code = batch.commit();
      if (code != BRAID_OK) return stop("batch: " + batch.error());
    }
  }

  void read(TestDatabase& database, int reader) {
    TestConnection connection(database);
    std::mt19937_64 random(seed_ + 2 + static_cast<uint64_t>(reader));
    for (; !done_; ++reads_) {
      const std::string questions[] = {
          fmt::format("SELECT d.serial, d.value, count(r.value), avg(r.value) FROM device d LEFT JOIN reading r ON r.serial = d.serial WHERE d.serial = 'd{}'",
                      1 + random() % kDevices),
          "SELECT sum(points), max(mean) FROM summary", "SELECT serial, value FROM reading WHERE latest = 1",
          "SELECT time_bucket('1 second', time) AS b, max(value) FROM reading GROUP BY b ORDER BY b",
          fmt::format("SELECT count(*) FROM graph_hops(graph_node('Device', 'serial', 'd{}'), 3)", 1 + random() % kDevices),
          "SELECT count(DISTINCT component) FROM graph_wcc"};
      const std::string& question = questions[random() % std::size(questions)];
      const bool held = random() % 3 == 0;
      if (held && braid_begin(connection.get(), BRAID_READ) != BRAID_OK) return stop("begin: " + connection.error());
      const std::string first = connection.rows(question);
      if (first.starts_with("error")) return stop(question + ": " + first);
      // The same snapshot answers the same.
      const std::string second = held ? connection.rows(question) : first;
      if (second.starts_with("error")) return stop(question + ": " + second);
      if (second != first) return stop(question + ": two answers in one snapshot");
      if (held) braid_rollback(connection.get());
    }
  }

  /// The last third of the run takes no more than the middle one.
  int judge() {
    const size_t third = samples_.size() / 3;
    if (third == 0) return fail("the run was too short to judge");
    int failures = 0;
    for (size_t i = 0; i < samples_[0].size(); ++i) {
      const auto highest = [&](size_t from, size_t to) {
        double value = 0;
        for (size_t at = from; at < to; ++at) value = std::max(value, samples_[at][i].value);
        return value;
      };
      const double middle = highest(third, 2 * third), last = highest(2 * third, samples_.size());
      const bool good = last <= middle * 1.1 + samples_[0][i].slack;
      failures += good ? 0 : 1;
      std::printf("soak: %-18s at most %.0f in the second third, %.0f in the last%s\n", samples_[0][i].name, middle, last, good ? "" : ": GROWS");
    }
    std::printf("soak: seed %llu, %lld seconds: %llu transactions, %llu batches, %llu reads; check is clean\n", static_cast<unsigned long long>(seed_),
                static_cast<long long>(seconds_), static_cast<unsigned long long>(transactions_), static_cast<unsigned long long>(batches_),
                static_cast<unsigned long long>(reads_));
    return failures == 0 ? 0 : 1;
  }

  const uint64_t seed_;
  const int64_t seconds_;
  TempDir directory_;
  const std::string path_ = directory_ / "db";
  std::atomic<bool> done_{false};
  std::atomic<uint64_t> transactions_{0}, batches_{0}, reads_{0};
  std::mutex mutex_;
  std::string problem_;
  std::vector<Sample> samples_;
};

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Writes, reads and keeps a database in order, and looks whether anything grows without an end."};
  int64_t seconds = 30;
  uint64_t seed = std::random_device()();
  app.add_option("seconds", seconds)->check(CLI::Range(int64_t{3}, int64_t{86'400}));
  app.add_option("--seed", seed);
  CLI11_PARSE(app, count, arguments);
  return Campaign(seed, seconds).run();
}
