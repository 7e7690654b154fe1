// One operation over three models: update a row, add an edge, append ten points, durable when it
// returns.
//
// Beside Braid: the gluing of three stores that a user would make, one SQLite file with three
// tables, and RocksDB alone. Every subject is loaded once and stays open; its turns are spread over
// the rounds, a calibration of the disk before each.
#include <fmt/format.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include "bench/disk.h"
#include "bench/harness.h"
#include "bench/mixed_subject.h"
#include "bench/sync_count.h"

namespace bench {
namespace {

/// A kind of turn that subjects take.
struct Setting {
  std::string_view metric;
  int threads;
  Style style;
};

constexpr std::array kSettings = {
    Setting{"ops_1thr", 1, Style::kWhole},
    Setting{"ops_1thr_interactive", 1, Style::kInteractive},
    Setting{"ops_4thr", 4, Style::kWhole},
    Setting{"ops_16thr", 16, Style::kWhole},
};

using OpenSubject = std::unique_ptr<Subject> (*)(const std::string&, const std::vector<Entity>&);

struct SubjectKind {
  std::string_view name;
  OpenSubject open;
};

constexpr std::array kSubjectKinds = {
    SubjectKind{"braid", open_mixed_braid},
    SubjectKind{"glue", open_mixed_glue},
    SubjectKind{"sqlite", open_mixed_sqlite},
    SubjectKind{"rocksdb", open_mixed_rocksdb},
};

/// A subject that takes part, with the operations that it was given.
struct Entrant {
  std::string_view name;
  std::unique_ptr<Subject> subject;
  OperationSource operations;
};

void work(Worker& worker, OperationSource& operations, uint64_t seed, double limit) {
  Random random(seed);
  while (now_seconds() < limit) worker.run(operations.next(random));
}

/// Runs all threads for the time of a turn; returns the seconds until the last was done.
double run_threads(Entrant& entrant, const std::vector<std::unique_ptr<Worker>>& workers,
                   double seconds) {
  const double start = now_seconds();
  const uint64_t seed = entrant.operations.count();
  std::vector<std::thread> threads;
  for (const std::unique_ptr<Worker>& worker : workers) {
    threads.emplace_back(work, std::ref(*worker), std::ref(entrant.operations),
                         seed * 64 + threads.size(), start + seconds);
  }
  for (std::thread& thread : threads) thread.join();
  return now_seconds() - start;
}

using Counters = std::map<std::string, int64_t>;

/// What one turn showed.
struct Outcome {
  double seconds;
  uint64_t operations;
  uint64_t syncs;
  Counters counters_before;
  Counters counters_after;
};

Outcome measure(Entrant& entrant, const std::vector<std::unique_ptr<Worker>>& workers,
                double seconds) {
  Outcome outcome;
  outcome.counters_before = entrant.subject->counters();
  const uint64_t syncs_before = sync_totals().count;
  const uint64_t operations_before = entrant.operations.count();
  outcome.seconds = run_threads(entrant, workers, seconds);
  outcome.operations = entrant.operations.count() - operations_before;
  outcome.syncs = sync_totals().count - syncs_before;
  outcome.counters_after = entrant.subject->counters();
  return outcome;
}

void report_counters(Report& report, const Setting& setting, std::string_view subject,
                     Outcome& outcome) {
  for (const auto& [name, value] : outcome.counters_after) {
    const auto grown = static_cast<double>(value - outcome.counters_before[name]);
    report.add(fmt::format("{}_{}", setting.metric, name), subject, grown, "");
    if (!name.ends_with("groups") || grown <= 0) continue;
    report.add(fmt::format("{}_syncs_per_group", setting.metric), subject,
               static_cast<double>(outcome.syncs) / grown, "");
  }
}

void take_turn(Report& report, const Setting& setting, Entrant& entrant, Disk& disk,
               double seconds) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (int thread = 0; thread < setting.threads; ++thread) {
    workers.push_back(entrant.subject->start_worker(setting.style));
    if (workers.back() == nullptr) return;
  }
  Outcome outcome;
  const DiskState state = disk.run_calm([&] { outcome = measure(entrant, workers, seconds); });
  const auto operations = static_cast<double>(outcome.operations);
  const std::string metric(setting.metric);
  report.add(metric, entrant.name, operations / outcome.seconds, "/s", state);
  report.add(metric + "_fdatasync", entrant.name, state.sync_us, "us", state);
  report.add(metric + "_syncs_per_op", entrant.name,
             static_cast<double>(outcome.syncs) / operations, "");
  report_counters(report, setting, entrant.name, outcome);
}

/// Ends the benchmark when a store does not hold what it was given.
void verify(Entrant& entrant) {
  const uint64_t edges = entrant.subject->count_edges();
  const uint64_t points = entrant.subject->count_points();
  const uint64_t operations = entrant.operations.count();
  if (edges != operations || points != operations * kPointsPerOperation) {
    fail(fmt::format("{} holds {} edges and {} points after {} operations", entrant.name, edges,
                     points, operations));
  }
}

void set_targets(Report& report) {
  using enum Bound::Kind;
  report.expect_ratio({"ops_1thr", "braid"}, {"ops_1thr", "glue"}, {kAtLeast, 2.5});
  report.expect_ratio({"ops_1thr", "braid"}, {"ops_1thr", "sqlite"}, {kAtLeast, 1.0});
  report.expect_ratio({"ops_4thr", "braid"}, {"ops_4thr", "rocksdb"}, {kAtLeast, 1.4});
  report.expect_ratio({"ops_16thr", "braid"}, {"ops_1thr", "glue"}, {kAtLeast, 10});
  for (const Setting& setting : kSettings) {
    // What is above one is the copying of the WAL, after every so many megabytes.
    report.expect({std::string(setting.metric) + "_syncs_per_group", "braid"}, {kAtMost, 1.05});
  }
}

std::vector<std::string> subject_names() {
  std::vector<std::string> names;
  for (const auto& kind : kSubjectKinds) names.emplace_back(kind.name);
  return names;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const auto& setting : kSettings) names.emplace_back(setting.metric);
  return names;
}

int run(int argc, char** argv) {
  const Arguments arguments = parse_arguments(
      argc, argv, "Rows, graph and points in one durable operation.", subject_names(), metric_names());
  const WorkDirectory directory(arguments.directory);
  const std::vector<Entity> entities = make_entities();
  std::vector<std::unique_ptr<Entrant>> entrants;
  for (const SubjectKind& kind : kSubjectKinds) {
    if (!arguments.selected(kind.name)) continue;
    entrants.push_back(std::make_unique<Entrant>());
    entrants.back()->name = kind.name;
    entrants.back()->subject = kind.open(directory.entry(kind.name), entities);
  }

  Report report("mixed");
  Disk disk(directory.path());
  for (int round = 0; round < arguments.rounds; ++round) {
    for (const Setting& setting : kSettings) {
      if (!arguments.measures(setting.metric)) continue;
      // Each round begins with another subject, since the first may pay for what came before.
      for (size_t turn = 0; turn < entrants.size(); ++turn) {
        Entrant& entrant = *entrants[(turn + static_cast<size_t>(round)) % entrants.size()];
        take_turn(report, setting, entrant, disk, arguments.seconds);
      }
    }
  }
  for (const std::unique_ptr<Entrant>& entrant : entrants) verify(*entrant);
  set_targets(report);
  report.print(arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv); }
