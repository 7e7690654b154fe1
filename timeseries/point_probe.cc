#include "timeseries/point_probe.h"

#include <algorithm>

#include "timeseries/point_rows.h"

namespace braid {
namespace {

/// One per chunk of an interval, mostly: compaction keeps them few.
constexpr size_t kBlocksMax = 8;

}  // namespace

/// Segments are in the order of their LSNs, so the first that has the time has its latest row.
std::optional<TailPlace> PointProbe::in_tail(const TailTable& table, SeriesId series, int64_t time) const {
  for (auto segment = table.segments.rbegin(); segment != table.segments.rend(); ++segment) {
    const SeriesTail* tail = (*segment)->find_as_writer(series);
    if (tail == nullptr) continue;
    if (const auto found = tail->find(time)) return found;
  }
  return std::nullopt;
}

Result<PointProbe::CachedBlock*> PointProbe::load(ChunkId chunk, std::shared_ptr<const ChunkReader> reader,
                                                  const BlockEntry& entry) {
  const auto cached = std::find_if(blocks_.begin(), blocks_.end(), [&](const CachedBlock& block) {
    return block.chunk == chunk && block.entry == &entry;
  });
  if (cached != blocks_.end()) {
    blocks_.splice(blocks_.begin(), blocks_, cached);
    return &blocks_.front();
  }
  PointBlock rows;
  BRAID_TRY(reader->read_times(entry, rows.times));
  BRAID_TRY(reader->read_deleted(entry, rows.deleted));
  if (blocks_.size() == kBlocksMax) blocks_.pop_back();
  blocks_.push_front({chunk, &entry, std::move(reader), std::move(rows)});
  return &blocks_.front();
}

Result<std::optional<PointProbe::Place>> PointProbe::in_chunk(const ChunkHandle& chunk, SeriesId series, int64_t time) {
  const ChunkDefinition& definition = chunk.definition();
  if (time < definition.time_min.value() || time > definition.time_max.value()) return std::optional<Place>();
  BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunk.reader());
  const auto blocks = reader->blocks_of(series);
  const auto found =
      std::lower_bound(blocks.begin(), blocks.end(), time,
                       [](const BlockEntry& block, int64_t t) { return block.time_max < t; });
  if (found == blocks.end() || found->time_min > time) return std::optional<Place>();
  BRAID_ASSIGN(CachedBlock * block, load(definition.id, std::move(reader), *found));
  const auto& times = block->rows.times;
  const auto row = std::lower_bound(times.begin(), times.end(), time);
  if (row == times.end() || *row != time) return std::optional<Place>();
  return std::optional(Place{.tail = {}, .block = block, .row = static_cast<size_t>(row - times.begin())});
}

bool PointProbe::is_hidden(HypertableId table, SeriesId series, int64_t time, Lsn applied) const {
  const auto& deletions = base_.state().deletions;
  return std::any_of(deletions.begin(), deletions.end(), [&](const auto& entry) {
    const RangeDeletion& deletion = *entry.second;
    return deletion.hypertable == table && applied < deletion.lsn && deletion.range.start.value() <= time &&
           time < deletion.range.limit.value() && deletion.covers(series);
  });
}

/// Sources are asked from the newest: the first that knows the time has its latest write, and what hides that hides all older ones.
Result<std::optional<PointProbe::Place>> PointProbe::place(HypertableId table, SeriesId series, int64_t time) {
  if (const TailTable* tail = base_.tail().find(table)) {
    if (const auto found = in_tail(*tail, series, time)) {
      if (found->block->is_deleted(found->row) || tail->hides(series, time, found->block->lsn(found->row)))
        return std::optional<Place>();
      return std::optional(Place{.tail = found});
    }
  }
  const auto chunks = base_.chunks().at(table, time);
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend(); ++chunk) {
    BRAID_ASSIGN(const auto found, in_chunk(**chunk, series, time));
    if (!found.has_value()) continue;
    if (found->block->rows.is_deleted(found->row) || is_hidden(table, series, time, (*chunk)->definition().applied))
      return std::optional<Place>();
    return found;
  }
  return std::optional<Place>();
}

Result<bool> PointProbe::exists(HypertableId table, SeriesId series, int64_t time) {
  BRAID_ASSIGN(const auto found, place(table, series, time));
  return found.has_value();
}

Result<std::optional<std::vector<FieldValue>>> PointProbe::find(const HypertableDefinition& table, SeriesId series, int64_t time) {
  using Found = std::optional<std::vector<FieldValue>>;
  BRAID_ASSIGN(const auto at, place(table.id, series, time));
  if (!at.has_value()) return Found();
  if (at->block != nullptr) BRAID_TRY(load_columns(*at->block, table));
  if (at->tail.has_value()) {
    const PointRow row{time, at->tail->block, at->tail->row};
    gather_rows({&row, 1}, nullptr, table.fields, {}, unsealed_);
  }
  const PointBlock& rows = at->block != nullptr ? at->block->rows : unsealed_;
  Found fields(std::in_place);
  for (const PointColumn& column : rows.columns) fields->push_back(column.value(at->row));
  return fields;
}

/// A transaction may change the table's fields: then the columns are read again.
Status PointProbe::load_columns(CachedBlock& block, const HypertableDefinition& table) {
  if (block.columns_of.are(table.fields)) return Status();
  const ChunkFooter& footer = block.reader->footer();
  BRAID_ASSIGN(const FieldMapping mapping, FieldMapping::make(footer.fields, footer.types, table.fields));
  BRAID_TRY(block.reader->read_block(*block.entry, {}, block.rows));
  mapping.apply(block.rows, {});
  block.columns_of = StoredFields::of(table.fields);
  return Status();
}

}  // namespace braid
