#include "bench/harness.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace bench {

void fail(std::string_view message) {
  fmt::print(stderr, "bench: {}\n", message);
  std::fflush(nullptr);
  // Other threads may still be inside a store, so nothing is torn down under them.
  _exit(1);
}

bool Arguments::selected(std::string_view subject) const {
  return subjects.empty() || std::find(subjects.begin(), subjects.end(), subject) != subjects.end();
}

Arguments parse_arguments(int argc, char** argv, const char* about,
                          const std::vector<std::string>& subjects) {
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
                 std::string_view unit, Quality quality) {
  const auto same = [&](const Series& series) {
    return series.metric == metric && series.subject == subject;
  };
  auto series = std::find_if(series_.begin(), series_.end(), same);
  if (series == series_.end()) {
    series = series_.insert(series,
                            {std::string(metric), std::string(subject), std::string(unit), {}, {}});
  }
  (quality == Quality::kCalm ? series->calm : series->disturbed).push_back(value);
}

std::optional<double> Report::find(Figure figure) const {
  for (const Series& series : series_) {
    if (series.metric == figure.metric && series.subject == figure.subject) {
      return median(series.counted());
    }
  }
  return std::nullopt;
}

void Report::expect(Figure figure, Bound bound) {
  const std::optional<double> value = find(figure);
  if (!value) return;
  targets_.push_back({fmt::format("{} {}", figure.metric, figure.subject), *value, bound});
}

void Report::expect_ratio(Figure figure, Figure base, Bound bound) {
  const std::optional<double> value = find(figure);
  const std::optional<double> divisor = find(base);
  if (!value || !divisor) return;
  const std::string_view metric = figure.metric == base.metric ? "" : base.metric;
  targets_.push_back({fmt::format("{} {} / {}{}{}", figure.metric, figure.subject, metric,
                                  metric.empty() ? "" : " ", base.subject),
                      *value / *divisor, bound});
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
    const auto [low, high] = std::minmax_element(series.counted().begin(), series.counted().end());
    fmt::print(
        "{:<38} {:<10} {:>12} {:<7} {:>12} {:>12} {:>6}\n", series.metric, series.subject,
        number(median(series.counted())), series.unit, number(*low), number(*high),
        fmt::format("{}/{}", series.calm.size(), series.calm.size() + series.disturbed.size()));
  }
  if (targets_.empty()) return;
  fmt::print("\n{:<50} {:>8}  {:<16} {}\n", "target", "is", "should be", "");
  for (const Target& target : targets_) {
    const bool at_least = target.bound.kind == Bound::Kind::kAtLeast;
    const bool met =
        at_least ? target.value >= target.bound.value : target.value <= target.bound.value;
    fmt::print("{:<50} {:>8}  {:<16} {}\n", target.what, fmt::format("{:.4g}", target.value),
               fmt::format("{} {}", at_least ? "at least" : "at most", number(target.bound.value)),
               met ? "met" : "MISSED");
  }
}

void Report::print_json() const {
  for (const Series& series : series_) {
    // Ordered, so that every line reads alike.
    nlohmann::ordered_json line;
    line["bench"] = bench_;
    line["metric"] = series.metric;
    line["subject"] = series.subject;
    line["value"] = median(series.counted());
    line["unit"] = series.unit;
    fmt::print("{}\n", line.dump());
  }
}

}  // namespace bench
