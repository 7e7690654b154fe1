#include "bench/harness.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

namespace bench {

void fail(std::string_view message) {
  fmt::print(stderr, "bench: {}\n", message);
  std::fflush(nullptr);
  // Other threads may still be inside a store, so nothing is torn down under them.
  _exit(1);
}

namespace {

/// An empty choice is everything.
bool chosen(const std::vector<std::string>& choice, std::string_view name) {
  return choice.empty() || std::find(choice.begin(), choice.end(), name) != choice.end();
}

}  // namespace

bool Arguments::selected(std::string_view subject) const { return chosen(subjects, subject); }

bool Arguments::measures(std::string_view metric) const { return chosen(metrics, metric); }

Arguments parse_arguments(int argc, char** argv, const char* about, const std::vector<std::string>& subjects,
                          const std::vector<std::string>& metrics, bool uses_node,
                          const std::function<void(CLI::App&)>& add_more) {
  Arguments arguments;
  CLI::App app{about};
  app.add_option("--seconds", arguments.seconds, "length of one measured turn")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--rounds", arguments.rounds, "turns of each subject; their median counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--directory", arguments.directory,
                 "where the temporary directory is made (default: the current directory)");
  app.add_option("--subject", arguments.subjects, "measure only this one; may be repeated")
      ->check(CLI::IsMember(subjects));
  if (!metrics.empty()) {
    app.add_option("--metric", arguments.metrics, "measure only this one; may be repeated")
        ->check(CLI::IsMember(metrics));
  }
  if (uses_node) {
    app.add_option("--node-modules", arguments.node_modules, "where npm installed the peers that node calls (default: NODE_PATH)");
  }
  if (add_more) add_more(app);
  app.add_flag("--json", arguments.json, "one JSON object a line instead of a table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return arguments;
}

WorkDirectory::WorkDirectory(const std::string& parent) {
  std::error_code error;
  std::filesystem::path base = parent;
  if (parent.empty()) base = std::filesystem::current_path(error);
  std::string pattern = (base / "braid-bench-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr) {
    fail(fmt::format("cannot make a directory in {}", base.string()));
  }
  path_ = pattern;
}

WorkDirectory::~WorkDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const size_t middle = samples.size() / 2;
  if (samples.size() % 2 != 0) return samples[middle];
  return (samples[middle - 1] + samples[middle]) / 2;
}

void Report::add(std::string_view metric, std::string_view subject, double value,
                 std::string_view unit, DiskState disk) {
  const auto same = [&](const Series& series) {
    return series.metric == metric && series.subject == subject;
  };
  auto series = std::find_if(series_.begin(), series_.end(), same);
  if (series == series_.end()) {
    series =
        series_.insert(series, {std::string(metric), std::string(subject), std::string(unit), {}});
  }
  series->samples.push_back({value, disk});
}

const Report::Series* Report::find(Figure figure) const {
  for (const Series& series : series_) {
    if (series.metric == figure.metric && series.subject == figure.subject) return &series;
  }
  return nullptr;
}

double Report::best_sync_us() const {
  double best_us = std::numeric_limits<double>::infinity();
  for (const Series& series : series_) {
    for (const Sample& sample : series.samples) {
      if (sample.disk.sync_us > 0) best_us = std::min(best_us, sample.disk.sync_us);
    }
  }
  return best_us;
}

Report::Summary Report::summarize(const Series& series) const {
  const double best_us = best_sync_us();
  std::vector<double> calm;
  std::vector<double> all;
  for (const Sample& sample : series.samples) {
    all.push_back(sample.value);
    if (sample.disk.is_calm(best_us)) calm.push_back(sample.value);
  }
  const std::vector<double>& counted = calm.empty() ? all : calm;
  const auto [lowest, highest] = std::minmax_element(counted.begin(), counted.end());
  return {median(counted), *lowest, *highest, calm.size()};
}

std::optional<double> Report::value(Figure figure) const {
  const Series* series = find(figure);
  if (series == nullptr) return std::nullopt;
  return summarize(*series).median;
}

void Report::expect(Figure figure, Bound bound) {
  const Series* series = find(figure);
  if (series == nullptr) return;
  const Summary summary = summarize(*series);
  targets_.push_back({fmt::format("{} {}", figure.metric, figure.subject), summary.median, bound,
                      summary.calm_count > 0});
}

void Report::expect_ratio(Figure figure, Figure base, Bound bound) {
  const Series* series = find(figure);
  const Series* divisor = find(base);
  if (series == nullptr || divisor == nullptr) return;
  const Summary above = summarize(*series);
  const Summary below = summarize(*divisor);
  const std::string_view metric = figure.metric == base.metric ? "" : base.metric;
  targets_.push_back({fmt::format("{} {} / {}{}{}", figure.metric, figure.subject, metric,
                                  metric.empty() ? "" : " ", base.subject),
                      above.median / below.median, bound,
                      above.calm_count > 0 && below.calm_count > 0});
}

void Report::print(const Arguments& arguments) const {
  if (arguments.json) {
    print_json();
  } else {
    print_table(arguments);
  }
}

/// Four significant digits, but never fewer than all digits of the whole part.
static std::string number(double value) {
  return std::abs(value) >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

void Report::print_table(const Arguments& arguments) const {
  fmt::print("{}: {} round{}, turns of {} s\n\n", bench_, arguments.rounds,
             arguments.rounds == 1 ? "" : "s", arguments.seconds);
#ifndef NDEBUG
  fmt::print("This is not a release build; its figures mean nothing.\n\n");
#endif
  fmt::print("{:<38} {:<10} {:>12} {:<7} {:>12} {:>12} {:>6}\n", "metric", "subject", "median",
             "unit", "lowest", "highest", "calm");
  for (const Series& series : series_) {
    const Summary summary = summarize(series);
    fmt::print("{:<38} {:<10} {:>12} {:<7} {:>12} {:>12} {:>6}\n", series.metric, series.subject,
               number(summary.median), series.unit, number(summary.lowest), number(summary.highest),
               fmt::format("{}/{}", summary.calm_count, series.samples.size()));
  }
  if (!targets_.empty()) print_targets();
}

void Report::print_targets() const {
  fmt::print("\n{:<50} {:>8}  {:<16} {}\n", "target", "is", "should be", "");
  for (const Target& target : targets_) {
    const bool at_least = target.bound.kind == Bound::Kind::kAtLeast;
    const bool met =
        at_least ? target.value >= target.bound.value : target.value <= target.bound.value;
    const char* verdict = met ? "met" : "MISSED";
    if (!target.calm) verdict = "unknown: the disk was not calm";
    fmt::print("{:<50} {:>8}  {:<16} {}\n", target.what, fmt::format("{:.4g}", target.value),
               fmt::format("{} {}", at_least ? "at least" : "at most", number(target.bound.value)),
               verdict);
  }
}

void Report::print_json() const {
  for (const Series& series : series_) {
    // Ordered, so that every line reads alike.
    nlohmann::ordered_json line;
    line["bench"] = bench_;
    line["metric"] = series.metric;
    line["subject"] = series.subject;
    line["value"] = summarize(series).median;
    line["unit"] = series.unit;
    fmt::print("{}\n", line.dump());
  }
}

}  // namespace bench
