// series_reads: how the last reads of hypertables on this connection were answered. series_fast_path(0|1): whether SELECTs are recognised.
#include <fmt/format.h>

#include "sql/table_function.h"

namespace braid {

namespace {

Result<std::unique_ptr<FunctionResult>> run_reads(Connection& connection, std::span<sqlite3_value* const>) {
  std::vector<Row> rows;
  for (const auto& read : connection.noted_series_reads()) {
    const RollupCounts& counts = read.counts;
    rows.push_back({read.way, read.table, read.detail, figure(read.rows), figure(counts.chunks_pruned), figure(counts.blocks_pruned),
                    figure(counts.blocks_summarised), figure(counts.blocks_read), figure(counts.rows)});
  }
  return make_rows(std::move(rows));
}

const TableFunction kReads = {"series_reads",
                              "way TEXT, hypertable TEXT, detail TEXT, rows INTEGER, chunks_pruned INTEGER, blocks_pruned INTEGER, "
                              "blocks_summarised INTEGER, blocks_read INTEGER, points_read INTEGER",
                              9,
                              {},
                              run_reads};

/// series_fast_path(0|1) answers what was set before; for NULL nothing changes.
Status fast_path_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  const bool before = connection.series_fast_path();
  if (sqlite3_value_type(values[0]) != SQLITE_NULL) connection.set_series_fast_path(sqlite3_value_int(values[0]) != 0);
  sqlite3_result_int(context, before ? 1 : 0);
  return {};
}

}  // namespace

Status register_series_reads(Connection& connection) {
  BRAID_TRY(register_function(connection, "series_fast_path", 1, FunctionUse::kDirectOnly, fast_path_function));
  return register_table_function(connection, kReads);
}

}  // namespace braid
