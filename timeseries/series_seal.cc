#include "timeseries/series_seal.h"

#include <algorithm>
#include <optional>

#include "timeseries/chunk_interval.h"
#include "timeseries/chunk_writer.h"
#include "timeseries/point_rows.h"

namespace braid {
namespace {

/// The rows of one series in the order of time, and how many of them are sealed already.
struct SeriesRows {
  SeriesId series;
  std::vector<PointRow> rows;
  size_t next = 0;
};

std::vector<FieldType> types_of(const HypertableDefinition& table) {
  std::vector<FieldType> types;
  for (const FieldDefinition& field : table.fields) types.push_back(field.type);
  return types;
}

std::vector<SeriesRows> rows_of(const TailTable& tail, Lsn newest) {
  std::vector<SeriesId> ids;
  for (const auto& segment : tail.segments) segment->add_series_ids(ids);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<SeriesRows> out;
  for (const SeriesId id : ids) {
    SeriesRows series{.series = id, .rows = {}};
    add_tail_rows(tail, id, newest, TimeRange{}, series.rows);
    sort_last_wins(series.rows);
    if (!series.rows.empty()) out.push_back(std::move(series));
  }
  return out;
}

/// Moves the series past its rows before `limit` and returns them.
std::span<const PointRow> take_before(SeriesRows& series, Timestamp limit) {
  const size_t start = series.next;
  while (series.next < series.rows.size() && series.rows[series.next].time < limit.value())
    ++series.next;
  return std::span(series.rows).subspan(start, series.next - start);
}

Status write_chunk(ChunkFiles& files, const HypertableDefinition& table,
                   std::vector<SeriesRows>& series, ChunkDefinition& chunk) {
  const std::vector<FieldType> types = types_of(table);
  const ChunkHeader header{files.owner().uuid, files.owner().epoch, chunk.id, table.id};
  BRAID_ASSIGN(std::unique_ptr<ChunkWriter> writer,
               ChunkWriter::create(files.env(), files.path(chunk.id), header, types));
  PointBlock block;
  for (SeriesRows& one : series) {
    std::span<const PointRow> rows = take_before(one, chunk.interval.limit);
    while (!rows.empty()) {
      const size_t count = std::min(rows.size(), kBlockRowsMax);
      gather_rows(rows.first(count), nullptr, types, {}, block);
      BRAID_TRY(writer->add(one.series, block));
      rows = rows.subspan(count);
    }
  }
  BRAID_ASSIGN(const WrittenChunk written, writer->finish());
  chunk.rows = written.rows;
  chunk.size_bytes = written.size_bytes;
  chunk.time_min = Timestamp(written.time_min);
  chunk.time_max = Timestamp(written.time_max);
  return Status();
}

/// The interval of the earliest row that is not sealed yet; none when all are.
std::optional<TimeRange> next_interval(const HypertableDefinition& table,
                                       const std::vector<SeriesRows>& series) {
  std::optional<int64_t> earliest;
  for (const SeriesRows& one : series) {
    if (one.next == one.rows.size()) continue;
    const int64_t time = one.rows[one.next].time;
    if (!earliest.has_value() || time < *earliest) earliest = time;
  }
  if (!earliest.has_value()) return std::nullopt;
  return chunk_interval_of(table, *earliest);
}

ColumnData column_data(const PointColumn& column) {
  ColumnData out;
  out.type = column.type;
  out.integers = column.integers;
  out.reals = column.reals;
  out.texts.assign(column.texts.begin(), column.texts.end());
  out.nulls = column.nulls;
  return out;
}

}  // namespace

Status seal_table(ChunkFiles& files, const HypertableDefinition& table, const TailTable& tail,
                  Lsn newest, const std::function<ChunkId()>& next_id,
                  std::vector<ChunkDefinition>& out) {
  std::vector<SeriesRows> series = rows_of(tail, newest);
  while (const auto interval = next_interval(table, series)) {
    ChunkDefinition& chunk = out.emplace_back();
    chunk.id = next_id();
    chunk.hypertable = table.id;
    chunk.interval = *interval;
    BRAID_TRY(write_chunk(files, table, series, chunk));
  }
  return Status();
}

void add_runs(const HypertableDefinition& table, const TailTable& tail, Lsn newest,
              std::vector<SeriesRun>& runs) {
  PointBlock block;
  for (const SeriesRows& series : rows_of(tail, newest)) {
    gather_rows(series.rows, nullptr, types_of(table), {}, block);
    SeriesRun& run = runs.emplace_back();
    run.hypertable = table.id;
    run.series = series.series;
    run.times = block.times;
    for (const PointColumn& column : block.columns) run.columns.push_back(column_data(column));
  }
}

}  // namespace braid
