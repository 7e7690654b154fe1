// A hypertable of very many series and chunk files: that it opens, is asked and grows in time and memory that do not depend on all of them, and
// that the answers are right when a scan goes through its files part by part.
//
// BRAID_SERIES (3000), BRAID_CHUNKS (300): how many. With BRAID_FIGURES set, times and memory are printed (docs/benchmarks.md).
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

constexpr int64_t kHour = int64_t{3600} * 1'000'000;
constexpr int64_t kPointsOfSeries = 10;
constexpr int64_t kRegions = 10;
constexpr const char* kOptions = "tail_bytes_max=67108864";

int64_t setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

double resident_megabytes() {
  std::ifstream statistics("/proc/self/statm");
  double pages = 0, resident = 0;
  statistics >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

class Scale {
 public:
  int run() {
    build_apart();
    open();
    ask();
    grow();
    close();
    if (failed_) return 1;
    fmt::print("{} series in {} chunks: as expected\n", series_, chunks_);
    return 0;
  }

 private:
  int64_t per_chunk() const { return series_ * kPointsOfSeries / chunks_; }
  int64_t points() const { return per_chunk() * chunks_; }
  /// Points of a chunk are of series that follow each other, so that each series comes again after some chunks.
  int64_t series_of(int64_t point) const { return point % series_; }
  static std::string host(int64_t series) { return fmt::format("host_{}", series); }
  static std::string region(int64_t series) { return fmt::format("region_{}", series % kRegions); }

  void require(bool holds, const std::string& what) {
    if (holds) return;
    fmt::print("not so: {}\n", what);
    failed_ = true;
  }
  void expect(const std::string& sql, const std::string& rows) {
    const std::string got = connection_->rows(sql);
    require(got == rows, fmt::format("{}: expected {}, got {}", sql, rows, got));
  }

  template <typename Work>
  void measure(const std::string& what, Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (figures_) fmt::print("{:<44} {:>10.2f} ms {:>8.1f} MB resident\n", what, ms, resident_megabytes());
  }

  /// In a process of its own, so that what it took is not counted later.
  void build_apart() {
    const pid_t child = ::fork();
    if (child == 0) {
      build();
      std::fflush(stdout);
      ::_exit(failed_ ? 1 : 0);
    }
    int status = 1;
    require(child > 0 && ::waitpid(child, &status, 0) == child && status == 0, "the database is built");
  }

  void build() {
    database_ = std::make_unique<TestDatabase>(directory_ / "db", kOptions);
    connection_ = std::make_unique<TestConnection>(*database_);
    require(connection_->run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, region TEXT TAG, v DOUBLE, n BIGINT, chunk_interval='1 hour')") ==
                BRAID_OK, connection_->error());
    measure("build", [&] {
      for (int64_t point = 0; point < points(); ++point) {
        add(series_of(point), point / per_chunk() * kHour + point % per_chunk());
        if ((point + 1) % 100'000 == 0) flush();
      }
      flush();
      require(braid_checkpoint(database_->get()) == BRAID_OK, "checkpoint");
    });
    close();
  }

  void add(int64_t series, int64_t time) {
    if (appender_ == nullptr) require(braid_appender_open(connection_->get(), "m", &appender_) == BRAID_OK, connection_->error());
    const std::string names[] = {host(series), region(series)};
    const char* const tags[] = {names[0].c_str(), names[1].c_str()};
    const double values[] = {static_cast<double>(series) / 2, static_cast<double>(series)};
    require(braid_appender_series(appender_, tags, 2) == BRAID_OK, "series");
    require(braid_appender_point(appender_, time, values, nullptr, 2) == BRAID_OK, "point");
  }
  void flush() {
    require(braid_appender_close(appender_) == BRAID_OK, connection_->error());
    appender_ = nullptr;
  }

  void open() {
    const double before = resident_megabytes();
    measure("open, and connect", [&] {
      database_ = std::make_unique<TestDatabase>(directory_ / "db", kOptions);
      connection_ = std::make_unique<TestConnection>(*database_);
    });
    const double bytes_each = (resident_megabytes() - before) * (1 << 20) / static_cast<double>(series_ + chunks_);
    if (figures_) fmt::print("{:<44} {:>10.0f} bytes for each series and chunk\n", "open", bytes_each);
    require(database_->figure("chunk_files") >= chunks_, fmt::format("{} chunk files", database_->figure("chunk_files")));
  }

  void ask() {
    const int64_t one = series_ / 2;
    measure("first narrow: a series, an hour", [&] { narrow(one); });
    measure("narrow again", [&] { narrow(one); });
    measure("WHERE host = ?", [&] { expect(fmt::format("SELECT count(*), sum(n) FROM m WHERE host = '{}'", host(one)), fmt::format("{}|{}", kPointsOfSeries, kPointsOfSeries * one)); });
    measure("WHERE region = ? AND host IN (?, ?), an hour", [&] {
      expect(fmt::format("SELECT count(*) FROM m WHERE region = '{}' AND host IN ('{}', '{}') AND time >= 0 AND time < {}", region(1), host(1), host(2), kHour), "1");
    });
    measure("WHERE region = ?, an hour, by host", [&] {
      expect(fmt::format("SELECT count(*), sum(c) FROM (SELECT host, count(*) AS c FROM m WHERE region = '{}' AND time < {} GROUP BY host)", region(3), kHour),
             fmt::format("{0}|{0}", per_chunk() / kRegions));
    });
    measure("last points of all", [&] { last_points(0); });
    measure("last points of a region", [&] {
      expect(fmt::format("SELECT count(*), min(host), max(region) FROM m WHERE latest AND region = '{}' AND host < 'host_2'", region(1)),
             fmt::format("{}|host_1|region_1", below_two()));
    });
    measure("count of everything, by region", [&] {
      expect("SELECT count(*), sum(c), min(c) FROM (SELECT region, count(v) AS c FROM m GROUP BY region)", fmt::format("{}|{}|{}", kRegions, points(), points() / kRegions));
    });
    measure("sum of the values above a bound", [&] { expect(fmt::format("SELECT count(n) FROM m WHERE n >= {}", series_ - 1), std::to_string(kPointsOfSeries)); });
    measure("all rows", [&] { expect("SELECT count(*), sum(n) FROM (SELECT n FROM m LIMIT -1)", fmt::format("{}|{}", points(), kPointsOfSeries * (series_ - 1) * series_ / 2)); });
    measure("the newest row of a series", [&] {
      const int64_t last = points() - series_ + one;
      expect(fmt::format("SELECT n FROM m WHERE host = '{}' AND region = '{}' ORDER BY time DESC LIMIT 1", host(one), region(one)), std::to_string(one));
      expect(fmt::format("SELECT count(*) FROM m WHERE host = '{}' AND time = {}", host(one), last / per_chunk() * kHour + last % per_chunk()), "1");
    });
  }

  /// Series of region_1 whose hosts' names sort before host_2.
  int64_t below_two() const {
    int64_t count = 0;
    for (int64_t series = 1; series < series_; series += kRegions)
      if (host(series) < "host_2") ++count;
    return count;
  }

  void narrow(int64_t series) {
    const int64_t hour = series / per_chunk() * kHour;
    expect(fmt::format("SELECT count(*), max(v) FROM m WHERE host = '{}' AND time >= {} AND time < {}", host(series), hour, hour + kHour),
           fmt::format("1|{:.1f}", static_cast<double>(series) / 2));
  }

  void last_points(int64_t later) {
    const int64_t newest = later > 0 ? later : (chunks_ - 1) * kHour + per_chunk() - 1;
    expect(fmt::format("SELECT count(*), count(DISTINCT host), sum(n), max(time) = strftime('%Y-%m-%d %H:%M:%S', {} / 1000000, 'unixepoch') || substr(printf('%.6f', {} % 1000000 / 1e6), 2) "
                       "FROM m WHERE latest = 1", newest, newest),
           fmt::format("{0}|{0}|{1}|1", series_, (series_ - 1) * series_ / 2));
  }

  void grow() {
    const int64_t later = chunks_ * kHour + 123;
    measure("append a point to each series", [&] {
      for (int64_t series = 0; series < series_; ++series) {
        add(series, later);
        if ((series + 1) % 10'000 == 0) flush();
      }
      if (appender_ != nullptr) flush();
    });
    measure("last points, unsealed", [&] { last_points(later); });
    measure("checkpoint", [&] { require(braid_checkpoint(database_->get()) == BRAID_OK, "checkpoint"); });
    measure("last points, sealed", [&] { last_points(later); });
    constexpr int64_t kDeletions = 100;
    measure(fmt::format("{} DELETEs of a series in an hour", kDeletions), [&] {
      for (int64_t series = 0; series < kDeletions; ++series)
        require(connection_->run(fmt::format("DELETE FROM m WHERE host = '{}' AND time < {}", host(series), (series / per_chunk() + 1) * kHour)) == BRAID_OK, connection_->error());
    });
    expect("SELECT count(*) FROM m", std::to_string(points() + series_ - kDeletions));
    measure("narrow, with deletions", [&] { narrow(series_ / 2); });
  }

  void close() {
    connection_.reset();
    require(database_->close() == BRAID_OK, "close");
    database_.reset();
  }

  const int64_t series_ = setting("BRAID_SERIES", 3000);
  const int64_t chunks_ = setting("BRAID_CHUNKS", 300);
  const bool figures_ = std::getenv("BRAID_FIGURES") != nullptr;
  TempDir directory_;
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<TestConnection> connection_;
  braid_appender* appender_ = nullptr;
  bool failed_ = false;
};

}  // namespace

int main() { return Scale().run(); }
