// Chunks and sizes of hypertables, by TimescaleDB's names:
//
//   drop_chunks(hypertable, older_than)                        a time, or an age like '30 days'
//   show_chunks(hypertable [, older_than [, newer_than]])      a table
//   hypertable_size(hypertable), hypertable_detailed_size(hypertable), chunks_detailed_size(hypertable), hypertables
#include "sql/chunk_functions.h"

#include <algorithm>

#include <fmt/format.h>

#include "graph/property.h"
#include "sql/aggregate_refresh.h"
#include "sql/hypertable_columns.h"
#include "sql/policies.h"
#include "sql/table_function.h"
#include "sql/time_age.h"
#include "sql/time_text.h"
#include "timeseries/series_view.h"

namespace braid {

Result<const HypertableDefinition*> find_hypertable(Connection& connection, std::string_view name, std::string_view caller) {
  const HypertableDefinition* table = connection.catalog_state().hypertable(name);
  if (table == nullptr) return Status(StatusCode::kNotFound, fmt::format("{}: there is no hypertable '{}'", caller, name));
  return table;
}

Result<uint64_t> drop_old_chunks(Connection& connection, const HypertableDefinition& table, Timestamp older_than) {
  const HypertableDefinition copy = table;  // dropping changes the catalog that it stands in
  BRAID_TRY(freeze_aggregates(connection, copy, connection.series_writer().drop_limit(copy, older_than)));
  return connection.series_writer().drop_chunks(copy, older_than);
}

HypertableSize hypertable_size(Connection& connection, HypertableId table) {
  HypertableSize size;
  for (const auto& [id, chunk] : connection.catalog_state().chunks) {
    if (chunk.hypertable != table) continue;
    size.chunk_bytes += chunk.size_bytes;
    size.chunk_rows += chunk.rows;
    ++size.chunks;
  }
  const auto view = connection.series_view();
  if (const TailTable* tail = static_cast<const SeriesView&>(*view).tail().find(table)) {
    for (const auto& segment : tail->segments) {
      size.tail_bytes += segment->bytes();
      size.tail_rows += segment->rows();
    }
  }
  return size;
}

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;

std::string chunk_name(const ChunkDefinition& chunk) { return fmt::format("_hyper_{}_{}_chunk", chunk.hypertable.value(), chunk.id.value()); }

/// An end of time is none.
Cell time_cell(Timestamp time) {
  if (time == TimeRange{}.start || time == TimeRange{}.limit) return {};
  return format_time(time);
}

/// In the order of their times.
std::vector<const ChunkDefinition*> chunks_of(Connection& connection, HypertableId table) {
  std::vector<const ChunkDefinition*> chunks;
  for (const auto& [id, chunk] : connection.catalog_state().chunks)
    if (chunk.hypertable == table) chunks.push_back(&chunk);
  std::stable_sort(chunks.begin(), chunks.end(), [](const auto* a, const auto* b) { return a->interval.start < b->interval.start; });
  return chunks;
}

Result<TimeRange> bounds_parameter(Connection& connection, Parameters parameters) {
  TimeRange bounds;
  const auto given = [&](size_t index) { return parameters[index] != nullptr && sqlite3_value_type(parameters[index]) != SQLITE_NULL; };
  if (given(1)) {
    BRAID_ASSIGN(bounds.limit, time_or_age(connection, parameters[1], "show_chunks: older_than"));
  }
  if (given(2)) {
    BRAID_ASSIGN(bounds.start, time_or_age(connection, parameters[2], "show_chunks: newer_than"));
  }
  return bounds;
}

Rows run_show_chunks(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const HypertableDefinition* table, find_hypertable(connection, text_parameter(parameters, 0).value_or(""), "show_chunks"));
  BRAID_ASSIGN(const TimeRange bounds, bounds_parameter(connection, parameters));
  std::vector<Row> rows;
  for (const ChunkDefinition* chunk : chunks_of(connection, table->id)) {
    if (chunk->interval.limit > bounds.limit || chunk->interval.start < bounds.start) continue;
    rows.push_back({chunk_name(*chunk), figure(chunk->id.value()), time_cell(chunk->interval.start), time_cell(chunk->interval.limit),
                    time_cell(chunk->time_min), time_cell(chunk->time_max), figure(chunk->rows), figure(chunk->size_bytes)});
  }
  return make_rows(std::move(rows));
}

Rows run_chunks_size(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const HypertableDefinition* table, find_hypertable(connection, text_parameter(parameters, 0).value_or(""), "chunks_detailed_size"));
  std::vector<Row> rows;
  for (const ChunkDefinition* chunk : chunks_of(connection, table->id)) {
    const double each = chunk->rows == 0 ? 0.0 : static_cast<double>(chunk->size_bytes) / static_cast<double>(chunk->rows);
    rows.push_back({chunk_name(*chunk), figure(chunk->rows), figure(chunk->deleted_rows), figure(chunk->size_bytes), each, int64_t{chunk->compressed ? 1 : 0}});
  }
  return make_rows(std::move(rows));
}

Rows run_detailed_size(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const HypertableDefinition* table, find_hypertable(connection, text_parameter(parameters, 0).value_or(""), "hypertable_detailed_size"));
  const HypertableSize size = hypertable_size(connection, table->id);
  return make_rows({{figure(size.chunks), figure(size.chunk_rows), figure(size.chunk_bytes), figure(size.tail_rows), figure(size.tail_bytes),
                     figure(size.total_bytes())}});
}

std::string json_names(const std::vector<std::string>& names) {
  PropertyList list;
  for (const std::string& name : names) list.push_back({name});
  return value_to_json({std::move(list)});
}

std::string json_fields(const HypertableDefinition& table) {
  PropertyMap map;
  for (const FieldDefinition& field : table.fields) map.emplace_back(field.name, PropertyValue{std::string(field_type_name(field.type))});
  return value_to_json({std::move(map)});
}

uint64_t count_series(Connection& connection, HypertableId table) {
  uint64_t count = 0;
  const auto visit = [&](SeriesId, const std::string&) { ++count; };
  if (connection.writing())
    connection.session().catalog_writer().for_each_series(table, visit);
  else
    connection.engine().catalog().for_each_series(table, visit);
  return count;
}

Rows run_hypertables(Connection& connection, Parameters) {
  std::vector<Row> rows;
  const CatalogState& state = connection.catalog_state();
  for (const auto& [id, table] : state.hypertables) {
    const HypertableSize size = hypertable_size(connection, id);
    std::string policies;
    for (const auto& [number, policy] : state.policies)
      if (policy->kind != PolicyKind::kRefresh && policy->target == id.value()) policies += (policies.empty() ? "" : "; ") + describe_policy(*policy);
    rows.push_back({table.name, table.time_column, json_names(table.tags), json_fields(table), length_text({0, table.chunk_interval_us}),
                    policies.empty() ? Cell() : Cell(policies), figure(size.chunks), figure(count_series(connection, id)), figure(size.total_bytes())});
  }
  return make_rows(std::move(rows));
}

const TableFunction kChunkTables[] = {
    {"show_chunks", "chunk TEXT, id INTEGER, range_start TEXT, range_end TEXT, time_min TEXT, time_max TEXT, rows INTEGER, bytes INTEGER", 8,
     {{"hypertable", true}, {"older_than"}, {"newer_than"}}, run_show_chunks},
    {"chunks_detailed_size", "chunk_name TEXT, rows INTEGER, deleted_rows INTEGER, total_bytes INTEGER, bytes_per_row REAL, compressed INTEGER", 6, {{"hypertable", true}},
     run_chunks_size},
    {"hypertable_detailed_size",
     "chunks INTEGER, chunk_rows INTEGER, chunk_bytes INTEGER, unsealed_rows INTEGER, unsealed_bytes INTEGER, total_bytes INTEGER", 6,
     {{"hypertable", true}}, run_detailed_size},
    {"hypertables",
     "name TEXT, time_column TEXT, tags TEXT, fields TEXT, chunk_interval TEXT, policies TEXT, chunks INTEGER, series INTEGER, bytes INTEGER", 9, {},
     run_hypertables},
};

Status size_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.pin());
  BRAID_ASSIGN(const HypertableDefinition* table, find_hypertable(connection, text_of(values[0]), "hypertable_size"));
  sqlite3_result_int64(context, figure(hypertable_size(connection, table->id).total_bytes()));
  return {};
}

Status drop_chunks_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const HypertableDefinition* table, find_hypertable(connection, text_of(values[0]), "drop_chunks"));
  BRAID_ASSIGN(const Timestamp older_than, time_or_age(connection, values[1], "drop_chunks: older_than"));
  const CatalogState& state = connection.catalog_state();
  const bool kept = std::any_of(state.aggregates.begin(), state.aggregates.end(), [&](const auto& one) { return one.second->hypertable == table->id; });
  if (!kept) {
    BRAID_ASSIGN(const uint64_t dropped, drop_old_chunks(connection, *table, older_than));
    sqlite3_result_int64(context, figure(dropped));
    return {};
  }
  const Timestamp limit = connection.series_writer().drop_limit(*table, older_than);
  const auto goes = [&](const auto& one) { return one.second.hypertable == table->id && one.second.interval.limit <= limit; };
  sqlite3_result_int64(context, std::count_if(state.chunks.begin(), state.chunks.end(), goes));
  // What the aggregates keep are rows, which SQLite would not undo with a SELECT that fails.
  connection.defer([&connection, id = table->id, older_than]() -> Status {
    const auto found = connection.catalog_state().hypertables.find(id);
    return found == connection.catalog_state().hypertables.end() ? Status() : drop_old_chunks(connection, found->second, older_than).status();
  });
  return {};
}

}  // namespace

Status register_chunk_functions(Connection& connection) {
  for (const TableFunction& table : kChunkTables) BRAID_TRY(register_table_function(connection, table));
  BRAID_TRY(register_function(connection, "hypertable_size", 1, FunctionUse::kInnocuous, size_function));
  return register_function(connection, "drop_chunks", 2, FunctionUse::kDirectOnly, drop_chunks_function);
}

}  // namespace braid
