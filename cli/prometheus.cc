#include "cli/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace braid::cli {

namespace {

struct Metric {
  std::string_view figure;
  bool counts;  ///< only grows, from 0 on when the database is opened
  std::string_view help;
};

// A figure that is not listed is a gauge.
constexpr auto kMetrics = std::to_array<Metric>({
    {"lsn", false, "Log sequence number of the newest commit"},
    {"durable_lsn", false, "Log sequence number up to which commits are synced"},
    {"oldest_snapshot", false, "Log sequence number of the oldest snapshot that is read"},
    {"commits", true, "Transactions committed"},
    {"groups", true, "Groups of batches committed with one sync"},
    {"group_members", true, "Batches committed in groups"},
    {"wal_syncs", true, "Syncs of the write-ahead log"},
    {"checkpoints", true, "Checkpoints made"},
    {"replayed_at_open", false, "Log records that were applied when the database was opened"},
    {"connections", false, "Open connections"},
    {"served", false, "1 when other processes are served"},
    {"clients", false, "Connections of other processes"},
    {"writers_waiting", false, "Writers that wait for the writer slot"},
    {"rows_size", false, "Size of rows.db"},
    {"wal_size", false, "Size of the write-ahead log"},
    {"hypertables", false, "Hypertables"},
    {"poisoned", false, "1 when writes are refused until the database is opened again"},
    {"memory_held", false, "Memory that the databases of the process hold"},
    {"memory_sqlite", false, "Memory that SQLite holds in the process"},
    {"graph_nodes_estimate", false, "Nodes, estimated"},
    {"graph_edges_estimate", false, "Edges, estimated"},
    {"graph_disk_bytes", false, "Size of the graph's files"},
    {"graph_memtable_bytes", false, "Write buffer of the graph in use"},
    {"graph_cache_bytes", false, "Block cache of the graph in use"},
    {"graph_projection_bytes", false, "Memory of the graph's projections"},
    {"tail_rows", false, "Points in memory that no chunk file holds yet"},
    {"tail_bytes", false, "Memory of points that no chunk file holds yet"},
    {"chunk_files", false, "Chunk files"},
    {"chunk_bytes", false, "Size of the chunk files"},
    {"rows_sealed", true, "Points written to chunk files"},
    {"compactions", true, "Chunk files merged"},
    {"late_points_dropped", true, "Points left out for being older than the horizon"},
});

/// Units as Prometheus wants them: of one kind and in the base unit.
struct Unit {
  std::string_view unit;
  std::string_view name;
  double factor;
};
constexpr std::array<Unit, 4> kUnits = {{{"bytes", "bytes", 1}, {"us", "seconds", 1e-6}, {"ms", "seconds", 1e-3}, {"s", "seconds", 1}}};

std::string metric_name(std::string_view figure, std::string_view unit, bool counts) {
  std::string name = "braid_";
  for (char c : figure) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  // A figure may tell its unit already.
  if (!unit.empty() && !name.ends_with(fmt::format("_{}", unit))) name += fmt::format("_{}", unit);
  return counts ? name + "_total" : name;
}

std::string value_text(int64_t value, double factor) {
  return factor == 1 ? fmt::format("{}", value) : fmt::format("{}", static_cast<double>(value) * factor);
}

}  // namespace

std::string prometheus_metric(std::string_view figure, std::string_view unit, int64_t value) {
  const auto* const metric = std::find_if(kMetrics.begin(), kMetrics.end(), [&](const Metric& row) { return row.figure == figure; });
  const auto* const known = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& row) { return row.unit == unit; });
  const bool counts = metric != kMetrics.end() && metric->counts;
  const std::string name = metric_name(figure, known == kUnits.end() ? "" : known->name, counts);
  const std::string help = metric == kMetrics.end() ? fmt::format("The figure {} of braid_stats", figure) : std::string(metric->help);
  return fmt::format("# HELP {0} {1}.\n# TYPE {0} {2}\n{0} {3}\n", name, help, counts ? "counter" : "gauge",
                     value_text(value, known == kUnits.end() ? 1 : known->factor));
}

}  // namespace braid::cli
