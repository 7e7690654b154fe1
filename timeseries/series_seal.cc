#include "timeseries/series_seal.h"

#include <algorithm>
#include <optional>

#include "engine/long_call.h"
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

/// The times between which a chunk may hold a point.
class ChunkTimes {
 public:
  ChunkTimes(HypertableId table, const std::map<ChunkId, ChunkDefinition>& chunks) {
    for (const auto& [id, chunk] : chunks) {
      if (chunk.hypertable == table) spans_.emplace_back(chunk.time_min.value(), chunk.time_max.value());
    }
  }
  bool contain(int64_t time) const {
    return std::any_of(spans_.begin(), spans_.end(),
                       [&](const auto& span) { return time >= span.first && time <= span.second; });
  }

 private:
  std::vector<std::pair<int64_t, int64_t>> spans_;
};

std::vector<SeriesRows> rows_of(const UnsealedRows& unsealed) {
  const ChunkTimes sealed(unsealed.table.id, unsealed.chunks);
  std::vector<SeriesId> ids;
  for (const auto& segment : unsealed.tail.segments) segment->add_series_ids(ids);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<SeriesRows> out;
  for (const SeriesId id : ids) {
    SeriesRows series{.series = id, .rows = {}};
    add_tail_rows(unsealed.tail, id, unsealed.newest, TimeRange{}, series.rows);
    sort_last_wins(series.rows);
    std::erase_if(series.rows, [&](const PointRow& row) {
      return row.block->is_deleted(row.row) && !sealed.contain(row.time);
    });
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
  const ChunkHeader header{files.owner().uuid, files.owner().epoch, chunk.id, table.id};
  BRAID_ASSIGN(std::unique_ptr<ChunkWriter> writer,
               ChunkWriter::create(files.env(), files.path(chunk.id), header, table.fields));
  PointBlock block;
  for (SeriesRows& one : series) {
    std::span<const PointRow> rows = take_before(one, chunk.interval.limit);
    while (!rows.empty()) {
      const size_t count = std::min(rows.size(), kBlockRowsMax);
      gather_rows(rows.first(count), nullptr, table.fields, {}, block);
      BRAID_TRY(writer->add(one.series, block));
      rows = rows.subspan(count);
    }
  }
  BRAID_ASSIGN(const WrittenChunk written, writer->finish());
  chunk.rows = written.rows;
  chunk.deleted_rows = written.deleted_rows;
  chunk.size_bytes = written.size_bytes;
  chunk.time_min = Timestamp(written.time_min);
  chunk.time_max = Timestamp(written.time_max);
  return Status();
}

/// The interval of the earliest row that is not sealed yet; none when all are.
std::optional<TimeRange> next_interval(const ChunkIntervals& intervals,
                                       const std::vector<SeriesRows>& series) {
  std::optional<int64_t> earliest;
  for (const SeriesRows& one : series) {
    if (one.next == one.rows.size()) continue;
    const int64_t time = one.rows[one.next].time;
    if (!earliest.has_value() || time < *earliest) earliest = time;
  }
  if (!earliest.has_value()) return std::nullopt;
  return intervals.of(*earliest);
}

}  // namespace

Status seal_table(ChunkFiles& files, const UnsealedRows& unsealed,
                  const std::function<ChunkId()>& next_id, std::vector<ChunkDefinition>& out) {
  const HypertableDefinition& table = unsealed.table;
  const ChunkIntervals intervals(table, unsealed.chunks);
  std::vector<SeriesRows> series = rows_of(unsealed);
  while (const auto interval = next_interval(intervals, series)) {
    BRAID_TRY(LongCall::check());
    ChunkDefinition& chunk = out.emplace_back();
    chunk.id = next_id();
    chunk.hypertable = table.id;
    chunk.interval = *interval;
    chunk.applied = unsealed.newest;
    BRAID_TRY(write_chunk(files, table, series, chunk));
  }
  return Status();
}

void add_runs(const UnsealedRows& unsealed, RunEncoder& runs) {
  const HypertableDefinition& table = unsealed.table;
  const StoredFields fields = StoredFields::of(table.fields);
  const std::vector<SeriesRows> all = rows_of(unsealed);
  std::vector<PointBlock> blocks(all.size());  // which lend their texts until the flush
  for (size_t i = 0; i < all.size(); ++i) {
    gather_rows(all[i].rows, nullptr, table.fields, {}, blocks[i]);
    runs.add({table.id, all[i].series, fields}, blocks[i]);
  }
  runs.flush();
}

}  // namespace braid
