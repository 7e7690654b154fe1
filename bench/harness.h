// What every benchmark shares: its options, a directory on a real disk, the clock, and a report of
// medians.
//
// A benchmark runs its subjects (braid and its peers) in turns, round after round, so that a disk
// or a processor that slows down for a while slows down all of them; each figure is the median over
// the rounds. Threads: one thread uses these objects.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/disk.h"

namespace CLI {
class App;
}

namespace bench {

/// Prints the message and ends the process; the files of the run stay for inspection.
[[noreturn]] void fail(std::string_view message);

/// What the command line says.
struct Arguments {
  double seconds = 1;  // length of one measured turn
  int rounds = 5;
  bool json = false;
  std::string directory;              // where the temporary directory is made
  std::string node_modules;           // where node finds the peers that it calls
  std::vector<std::string> subjects;  // empty: all
  std::vector<std::string> metrics;   // empty: all

  bool selected(std::string_view subject) const;
  bool measures(std::string_view metric) const;
};

/// Reads the command line, in which --subject takes one of `subjects` and --metric, where there is a choice, one of
/// `metrics`; --node-modules is there where `uses_node`, and `add_more` adds options that only one benchmark has. Ends the process after
/// --help and after a mistake, which it names.
Arguments parse_arguments(int argc, char** argv, const char* about, const std::vector<std::string>& subjects,
                          const std::vector<std::string>& metrics = {}, bool uses_node = false,
                          const std::function<void(CLI::App&)>& add_more = {});

/// A new directory, removed with all that is in it at the end. It is made under the current
/// directory unless told otherwise, because the usual place for temporary files may be memory,
/// where a sync costs nothing.
class WorkDirectory {
 public:
  explicit WorkDirectory(const std::string& parent);
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  /// Path of an entry that does not exist yet.
  std::string entry(std::string_view name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Seconds of a clock that never goes back.
double now_seconds();

/// Median of at least one sample.
double median(std::vector<double> samples);

/// Names one figure of a report.
struct Figure {
  std::string_view metric;
  std::string_view subject;
};

/// What a figure or a ratio should reach.
struct Bound {
  enum class Kind { kAtLeast, kAtMost } kind;
  double value;
};

/// Gathers samples and prints their medians, as a table with targets or as one JSON object a line.
///
/// A sample that was taken while the disk was slow, compared with the best of the whole run, counts
/// only where its figure has no calm one.
class Report {
 public:
  explicit Report(std::string bench) : bench_(std::move(bench)) {}

  void add(std::string_view metric, std::string_view subject, double value, std::string_view unit,
           DiskState disk = {});

  /// Compares a figure with a bound when the report is printed, if it was measured.
  void expect(Figure figure, Bound bound);
  /// Compares the ratio of two figures with a bound.
  void expect_ratio(Figure figure, Figure base, Bound bound);

  /// The median of a figure, if it was measured.
  std::optional<double> value(Figure figure) const;

  void print(const Arguments& arguments) const;

 private:
  struct Sample {
    double value;
    DiskState disk;
  };
  struct Series {
    std::string metric;
    std::string subject;
    std::string unit;
    std::vector<Sample> samples;
  };
  struct Summary {
    double median;
    double lowest;
    double highest;
    size_t calm_count;
  };
  struct Target {
    std::string what;
    double value;
    Bound bound;
    bool calm;
  };

  const Series* find(Figure figure) const;
  double best_sync_us() const;
  Summary summarize(const Series& series) const;
  void print_table(const Arguments& arguments) const;
  void print_targets() const;
  void print_json() const;

  std::string bench_;
  std::vector<Series> series_;
  std::vector<Target> targets_;
};

}  // namespace bench
