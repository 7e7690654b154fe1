#include "timeseries/point_probe.h"

#include <algorithm>

#include "timeseries/chunk_interval.h"
#include "timeseries/point_rows.h"

namespace braid {

bool PointProbe::in_tail(const TailTable& table, SeriesId series, int64_t time) const {
  const bool may_be_dropped =
      std::any_of(table.drops.begin(), table.drops.end(),
                  [&](const TailDrop& drop) { return time < drop.limit.value(); });
  if (may_be_dropped) {
    std::vector<PointRow> rows;
    add_tail_rows(table, series, base_.lsn(), {Timestamp(time), Timestamp(time + 1)}, rows);
    return !rows.empty();
  }
  return std::any_of(table.segments.begin(), table.segments.end(), [&](const auto& segment) {
    const SeriesTail* tail = segment->find_as_writer(series);
    return tail != nullptr && tail->contains(time);
  });
}

Result<bool> PointProbe::in_chunk(const ChunkHandle& chunk, SeriesId series, int64_t time) {
  const ChunkDefinition& definition = chunk.definition();
  if (time < definition.time_min.value() || time > definition.time_max.value()) return false;
  BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunk.reader());
  const auto blocks = reader->blocks_of(series);
  const auto found =
      std::lower_bound(blocks.begin(), blocks.end(), time,
                       [](const BlockEntry& block, int64_t t) { return block.time_max < t; });
  if (found == blocks.end() || found->time_min > time) return false;
  if (block_.chunk != definition.id || block_.entry != &*found) {
    block_.entry = nullptr;
    BRAID_TRY(reader->read_times(*found, block_.times));
    block_.chunk = definition.id;
    block_.entry = &*found;
    reader_ = reader;
  }
  return std::binary_search(block_.times.begin(), block_.times.end(), time);
}

Result<bool> PointProbe::exists(const HypertableDefinition& table, SeriesId series, int64_t time,
                                std::optional<Timestamp> drop_limit) {
  if (drop_limit.has_value() && time < drop_limit->value()) return false;
  const TailTable* tail = base_.tail().find(table.id);
  if (tail != nullptr && in_tail(*tail, series, time)) return true;
  const ChunkSet::Handles& chunks = base_.chunks().of(table.id);
  const Timestamp start = chunk_interval_of(table, time).start;
  auto chunk = std::lower_bound(
      chunks.begin(), chunks.end(), start,
      [](const auto& handle, Timestamp t) { return handle->definition().interval.start < t; });
  for (; chunk != chunks.end() && (*chunk)->definition().interval.start == start; ++chunk) {
    BRAID_ASSIGN(const bool found, in_chunk(**chunk, series, time));
    if (found) return true;
  }
  return false;
}

}  // namespace braid
