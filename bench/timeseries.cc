// Time series: appending them, what they take on disk, and the questions of TSBS's devops use case on ten measurements of many hosts.
//
// Braid stands beside DuckDB, SQLite and PostgreSQL, all given the same rows and asked the same; answers are compared.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "bench/duckdb_library.h"
#include "bench/harness.h"
#include "bench/memory_bandwidth.h"
#include "bench/timeseries_answers.h"
#include "bench/timeseries_braid.h"
#include "bench/timeseries_data.h"
#include "bench/timeseries_queries.h"
#include "bench/timeseries_subject.h"

namespace bench {

uint64_t directory_bytes(const std::string& path) {
  std::error_code error;
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error))
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  return bytes;
}

namespace {

constexpr size_t kBatchRows = 10'000;
constexpr const char* kSubjects[] = {"braid", "duckdb", "sqlite", "postgres"};
constexpr const char* kFilteredScan = "hourly-avg-filtered";
constexpr double kFilteredScanRowBytes = 16;  // of a time and a value

struct Options {
  CpuShape shape;
  std::string postgres;  // how libpq connects
  bool memory_child = false;
};

template <typename Work>
double seconds_of(Work&& work) {
  const double start = now_seconds();
  work();
  return now_seconds() - start;
}

void append_all(SeriesSubject& subject, const CpuData& data, const Arrival& arrival) {
  const std::span<const uint32_t> rows(arrival);
  for (size_t start = 0; start < rows.size(); start += kBatchRows) subject.append(data, rows.subspan(start, std::min(kBatchRows, rows.size() - start)));
}

/// One process that runs nothing but Braid, and holds no more of the rows than a batch: what it takes at most.
double run_memory_child(const Options& options, const std::string& directory) {
  BraidSeries braid(directory);
  CpuWalk walk(options.shape, CpuVariant::kFull);
  CpuData batch{options.shape, 0, {}};
  Arrival arrival;
  for (size_t row = 0; row < options.shape.rows();) {
    batch.first_row = row;
    batch.rows.clear();
    arrival.clear();
    for (; arrival.size() < kBatchRows && row < options.shape.rows(); row += options.shape.hosts) {
      const auto& hosts = walk.next();
      batch.rows.insert(batch.rows.end(), hosts.begin(), hosts.end());
      for (size_t host = 0; host < hosts.size(); ++host) arrival.push_back(static_cast<uint32_t>(row + host));
    }
    braid.append(batch, arrival);
  }
  braid.settle();
  for (const SeriesQuery& query : series_queries(options.shape, braid.dialect())) braid.ask(query.texts.front(), query.wide);
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes / 1024;
  }
  fail("/proc/self/status has no VmHWM");
}

class SeriesBench {
 public:
  SeriesBench(const Arguments& arguments, const Options& options, std::vector<std::string> subjects, std::string duckdb, Report& report)
      : arguments_(arguments), options_(options), subjects_(std::move(subjects)), duckdb_(std::move(duckdb)), report_(report),
        directory_(arguments.directory), disk_(directory_.path()) {}

  void run() {
    data_ = make_cpu_data(options_.shape, CpuVariant::kFull);
    if (arguments_.measures("append") || arguments_.measures("query")) measure_append();
    if (arguments_.measures("query")) measure_bandwidth();
    if (arguments_.measures("query")) measure_queries();
    subjects_in_use_.clear();
    if (arguments_.measures("late")) measure_late();
    if (arguments_.measures("size")) measure_sizes();
    data_ = {};
    if (arguments_.measures("memory") && arguments_.selected("braid")) measure_memory();
  }

 private:
  std::unique_ptr<SeriesSubject> make(std::string_view subject) {
    const std::string place = directory_.entry(fmt::format("{}-{}", subject, ++places_));
    if (subject == "braid") return std::make_unique<BraidSeries>(place);
    if (subject == "duckdb") return make_duckdb_series(place, duckdb_);
    if (subject == "sqlite") return make_sqlite_series(place);
    return make_postgres_series(options_.postgres);
  }

  double rows() const { return static_cast<double>(options_.shape.rows()); }

  /// Appends everything to a store made anew, which stays; keeps the rate.
  std::unique_ptr<SeriesSubject> load(const std::string& metric, const std::string& name, const Arrival& arrival) {
    std::unique_ptr<SeriesSubject> subject;
    double seconds = 0;
    const DiskState state = disk_.run_calm([&] {
      subject.reset();
      subject = make(name);
      seconds = seconds_of([&] { append_all(*subject, data_, arrival); });
    });
    report_.add(metric, name, rows() / seconds, "rows/s", state);
    return subject;
  }

  void measure_append() {
    const Arrival arrival = in_time(options_.shape);
    const Arrival hosts = by_host(options_.shape);
    for (int round = 0; round < (arguments_.measures("append") ? arguments_.rounds : 1); ++round) {
      subjects_in_use_.clear();
      for (const std::string& name : subjects_) {
        auto subject = load("append", name, arrival);
        report_.add("settle", name, 1e3 * seconds_of([&] { subject->settle(); }), "ms");
        subjects_in_use_[name] = std::move(subject);
        if (name == "braid" && arguments_.measures("append")) load("append_by_host", name, hosts);
      }
    }
  }

  void measure_bandwidth() {
    report_.add("memory_read_1thr", "machine", memory_read_gb_per_second(1), "GB/s");
    report_.add("memory_read_2thr", "machine", memory_read_gb_per_second(2), "GB/s");
  }

  /// The median time of a question, within the time of a turn: each choice once to compare the answer, then as often as there are rounds.
  double ask(SeriesSubject& subject, std::string_view name, const SeriesQuery& query) {
    const double start = now_seconds();
    const auto in_time = [&] { return now_seconds() - start < arguments_.seconds; };
    size_t asked = 0;
    do {
      answers_.check(fmt::format("{} {}", query.name, asked), query.ordered, name, subject.read(query.texts[asked]));
    } while (++asked < query.texts.size() && in_time());
    std::vector<double> samples;
    for (int round = 0; round < arguments_.rounds && (round == 0 || in_time()); ++round) {
      for (size_t i = 0; i < asked && (samples.empty() || in_time()); ++i)
        samples.push_back(seconds_of([&] { subject.ask(query.texts[i], query.wide); }));
    }
    return median(samples);
  }

  void measure_queries() {
    std::map<std::string, std::vector<SeriesQuery>> queries;
    for (const auto& [name, subject] : subjects_in_use_) queries[name] = series_queries(options_.shape, subject->dialect());
    if (queries.empty()) return;
    for (size_t i = 0; i < queries.begin()->second.size(); ++i) {
      for (const auto& [name, subject] : subjects_in_use_) {
        const SeriesQuery& query = queries[name][i];
        const double seconds = ask(*subject, name, query);
        report_.add(query.name, name, 1e3 * seconds, "ms");
        if (query.name == kFilteredScan) report_.add(query.name + "_decoded", name, rows() * kFilteredScanRowBytes / seconds / 1e9, "GB/s");
      }
    }
  }

  void measure_late() {
    const Arrival arrival = half_late(options_.shape);
    for (const std::string& name : subjects_) {
      if (name != "braid" && name != "duckdb") continue;
      const auto subject = load("late_append", name, arrival);
      const auto queries = series_queries(options_.shape, subject->dialect());
      for (const SeriesQuery& query : queries) report_.add("late_before_" + query.name, name, 1e3 * ask(*subject, name, query), "ms");
      report_.add("late_settle", name, 1e3 * seconds_of([&] { subject->settle(); }), "ms");
      for (const SeriesQuery& query : queries) report_.add("late_after_" + query.name, name, 1e3 * ask(*subject, name, query), "ms");
    }
  }

  void measure_sizes() {
    const Arrival arrival = in_time(options_.shape);
    for (const auto& [variant_name, variant] : kCpuVariants) {
      const CpuData data = variant == CpuVariant::kFull ? data_ : make_cpu_data(options_.shape, variant);
      for (const std::string& name : subjects_) {
        const auto subject = make(name);
        append_all(*subject, data, arrival);
        subject->settle();
        report_.add(fmt::format("bytes_per_row_{}", variant_name), name, static_cast<double>(subject->stored_bytes()) / rows(), "bytes");
        if (const auto* braid = dynamic_cast<BraidSeries*>(subject.get()))
          report_.add(fmt::format("chunk_bytes_per_row_{}", variant_name), name, static_cast<double>(braid->chunk_bytes()) / rows(), "bytes");
      }
    }
  }

  void measure_memory() {
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string command = fmt::format("'{}' --memory-child --hosts {} --days {} --directory '{}'", self, options_.shape.hosts,
                                            options_.shape.days, directory_.path());
    FILE* const child = popen(command.c_str(), "r");
    double megabytes = 0;
    const bool told = child != nullptr && std::fscanf(child, "%lf", &megabytes) == 1;
    if (child == nullptr || pclose(child) != 0 || !told) fail("the process that measures memory failed: " + command);
    report_.add("peak_memory", "braid", megabytes, "MB");
  }

  const Arguments& arguments_;
  const Options& options_;
  const std::vector<std::string> subjects_;
  const std::string duckdb_;
  Report& report_;
  const WorkDirectory directory_;
  Disk disk_;
  CpuData data_;
  int places_ = 0;
  std::map<std::string, std::unique_ptr<SeriesSubject>> subjects_in_use_;
  SeriesAnswers answers_;
};

/// The peer with the lowest figure.
std::string fastest_peer(const Report& report, const std::string& metric) {
  std::string best;
  for (const std::string name : {"duckdb", "sqlite", "postgres"}) {
    const auto value = report.value({metric, name});
    if (value && (best.empty() || *value < *report.value({metric, best}))) best = name;
  }
  return best;
}

void expect_all(const CpuShape& shape, Report& report) {
  using enum Bound::Kind;
  report.expect({"append", "braid"}, {kAtLeast, 2e6});
  report.expect_ratio({"append", "braid"}, {"append", "duckdb"}, {kAtLeast, 1.3});
  report.expect({"bytes_per_row_int", "braid"}, {kAtMost, 7});
  report.expect({"bytes_per_row_dec2", "braid"}, {kAtMost, 20});
  report.expect({"bytes_per_row_full", "braid"}, {kAtMost, 72});
  const auto queries = series_queries(shape, kBraidDialect);
  for (const SeriesQuery& query : queries) {
    const std::string peer = fastest_peer(report, query.name);
    if (!peer.empty()) report.expect_ratio({query.name, "braid"}, {query.name, peer}, {kAtMost, 1});
  }
  const std::string decoded = fmt::format("{}_decoded", kFilteredScan);
  report.expect_ratio({decoded, "braid"}, {"memory_read_2thr", "machine"}, {kAtLeast, 0.5});
  report.expect_ratio({"late_append", "braid"}, {"append", "braid"}, {kAtLeast, 0.5});
  for (const SeriesQuery& query : queries)
    report.expect_ratio({"late_before_" + query.name, "braid"}, {"late_after_" + query.name, "braid"}, {kAtMost, 2});
  report.expect({"peak_memory", "braid"}, {kAtMost, 64 + 64 + 64});
}

/// The subjects that are asked for and that are there; says which are left out, and why.
std::vector<std::string> usable_subjects(const Arguments& arguments, const Options& options, const std::string& duckdb) {
  std::vector<std::string> usable;
  for (const std::string name : kSubjects) {
    if (!arguments.selected(name)) continue;
    std::string why;
    if (name == "duckdb" && duckdb.empty()) why = "npm install @duckdb/node-bindings-linux-x64, and give its node_modules with --node-modules";
    if (name == "postgres") why = why_no_postgres(options.postgres);
    if (why.empty()) usable.push_back(name);
    else fmt::print(stderr, "{} is left out: {}\n", name, why);
  }
  return usable;
}

int run(int argc, char** argv) {
  Options options;
  const Arguments arguments = parse_arguments(
      argc, argv, "Time series: appending, size on disk, TSBS's devops questions.", {std::begin(kSubjects), std::end(kSubjects)},
      {"append", "query", "late", "size", "memory"}, /*uses_node=*/true, [&](CLI::App& app) {
        app.add_option("--hosts", options.shape.hosts, "hosts that are measured")->check(CLI::Range(1, 10'000))->capture_default_str();
        app.add_option("--days", options.shape.days, "days of a row every ten seconds")->check(CLI::Range(2, 365))->capture_default_str();
        app.add_option("--postgres", options.postgres, "how libpq connects to a database whose tables cpu and hosts may be replaced");
        app.add_flag("--memory-child", options.memory_child, "print what Braid alone takes at most, in MB");
      });
  if (options.memory_child) {
    const WorkDirectory directory(arguments.directory);
    fmt::print("{}\n", run_memory_child(options, directory.entry("braid")));
    return 0;
  }
  const std::string duckdb = find_duckdb(arguments.node_modules);
  Report report("timeseries");
  SeriesBench bench(arguments, options, usable_subjects(arguments, options, duckdb), duckdb, report);
  bench.run();
  expect_all(options.shape, report);
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
