// What an archive costs a commit: databases without one and with one, which writes every second, so that each turn pays for its part of it.
//
// In each round both, one after the other, commit single rows durably, transactions of 100 rows, and 1,000 points of one series at a time.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "bench/braid_subject.h"
#include "bench/disk.h"
#include "bench/entity.h"
#include "bench/harness.h"

namespace bench {
namespace {

constexpr size_t kRowsPerTransaction = 100;
constexpr size_t kPointsPerCommit = 1000;
constexpr int64_t kOn = 1;
constexpr int64_t kArchiveIntervalMs = 1000;

class Archived {
 public:
  Archived(std::string name, const std::string& path, bool on)
      : name_(std::move(name)),
        database_(path, on ? braid_options({{"archive", kOn}, {"archive_interval_ms", kArchiveIntervalMs}}) : ""),
        connection_(database_) {
    connection_.execute(
        "CREATE TABLE entities(id INTEGER PRIMARY KEY, name TEXT NOT NULL, props TEXT NOT NULL);"
        "CREATE VIRTUAL TABLE points USING hypertable(time TIMESTAMP, sensor TEXT TAG, value DOUBLE)");
    insert_ = std::make_unique<BraidStatement>(connection_, "INSERT INTO entities(name, props) VALUES(?, ?)");
    connection_.check(braid_appender_open(connection_.handle(), "points", &appender_), "appender");
    const char* sensor = "a";
    connection_.check(braid_appender_series(appender_, &sensor, 1), "series");
  }
  ~Archived() { braid_appender_close(appender_); }
  Archived(const Archived&) = delete;
  Archived& operator=(const Archived&) = delete;

  const std::string& name() const { return name_; }
  void commit_row() { insert(); }
  void commit_rows() {
    connection_.begin();
    for (size_t i = 0; i < kRowsPerTransaction; ++i) insert();
    connection_.commit();
  }
  void commit_points() {
    std::vector<int64_t> times;
    std::vector<double> values;
    for (size_t i = 0; i < kPointsPerCommit; ++i) {
      times.push_back(next_time_us_ += 1'000'000);
      values.push_back(static_cast<double>(random_below(random_, 1'000)) / 8);
    }
    const braid_column column{sizeof(braid_column), BRAID_TYPE_DOUBLE, values.data(), nullptr};
    connection_.check(braid_appender_columns(appender_, times.data(), times.size(), &column, 1), "points");
    connection_.check(braid_appender_flush(appender_), "flush");
  }
  int64_t archive_bytes() { return database_.figures("archive_size")["archive_size"]; }

 private:
  void insert() {
    const Entity entity = make_entity(random_, ++rows_);
    insert_->bind(1, entity.name);
    insert_->bind(2, entity.properties);
    insert_->run();
  }

  const std::string name_;
  BraidDatabase database_;
  BraidConnection connection_;
  std::unique_ptr<BraidStatement> insert_;
  braid_appender* appender_ = nullptr;
  Random random_{1};
  uint64_t rows_ = 0;
  int64_t next_time_us_ = 0;
};

struct Work {
  const char* metric;
  void (Archived::*commit)();
};
constexpr Work kWorks[] = {
    {"commit_row", &Archived::commit_row}, {"commit_100_rows", &Archived::commit_rows}, {"commit_1000_points", &Archived::commit_points}};

void measure(Report& report, Archived& subject, const Work& work, double seconds, Disk& disk) {
  double elapsed = 0;
  uint64_t commits = 0;
  const int64_t bytes_before = subject.archive_bytes();
  const DiskState state = disk.run_calm([&] {
    const double start = now_seconds();
    for (commits = 0; now_seconds() < start + seconds; ++commits) (subject.*work.commit)();
    elapsed = now_seconds() - start;
  });
  report.add(work.metric, subject.name(), static_cast<double>(commits) / elapsed, "/s", state);
  const auto bytes = static_cast<double>(subject.archive_bytes() - bytes_before);
  if (bytes > 0) report.add(std::string(work.metric) + "_archived", subject.name(), bytes / static_cast<double>(commits), "bytes");
}

int run(int argc, char** argv) {
  const Arguments arguments = parse_arguments(argc, argv, "What an archive costs a commit.", {"off", "on"});
  const WorkDirectory directory(arguments.directory);
  std::vector<std::unique_ptr<Archived>> subjects;
  for (const bool on : {false, true}) {
    const std::string name = on ? "on" : "off";
    if (arguments.selected(name)) subjects.push_back(std::make_unique<Archived>(name, directory.entry(name), on));
  }
  Report report("archive");
  Disk disk(directory.path());
  for (int round = 0; round < arguments.rounds; ++round) {
    for (const Work& work : kWorks)
      for (const auto& subject : subjects) measure(report, *subject, work, arguments.seconds, disk);
    std::reverse(subjects.begin(), subjects.end());
  }
  for (const Work& work : kWorks) report.expect_ratio({work.metric, "off"}, {work.metric, "on"}, {Bound::Kind::kAtMost, 1.25});
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
