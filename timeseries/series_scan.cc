#include "timeseries/series_scan.h"

#include <algorithm>

#include "engine/check.h"
#include "timeseries/live_ranges.h"
#include "timeseries/point_rows.h"
#include "timeseries/scan_cursor.h"
#include "timeseries/series_overlay.h"
#include "timeseries/series_view.h"

namespace braid {

// For each series in turn, cursors over its sources are merged by time. Cursors that start later
// wait in `waiting`; the current one runs up to `bound`, the least key of all others, without
// looking at them again.
struct SeriesScan::State {
  // Constant after construction.
  std::shared_ptr<const SeriesView> base;
  std::shared_ptr<const SeriesOverlay> overlay;
  HypertableDefinition table;
  std::optional<std::vector<SeriesId>> wanted;
  ScanShape shape;
  bool shows_deleted = false;
  uint64_t position = 0;                    // of the overlay: what is staged later is not seen
  std::optional<LiveRanges> live;           // of the base
  std::unordered_map<SeriesId, std::pair<const StagedRun*, size_t>> staged;

  // Where the scan is.
  bool started = false;
  size_t epoch = 0;
  std::vector<std::shared_ptr<ChunkHandle>> chunks;  // that touch the range
  std::vector<SeriesId> series;
  size_t next_series = 0;
  SeriesId current_series;
  std::vector<std::unique_ptr<ScanCursor>> waiting;  // by key, the least last
  std::vector<std::unique_ptr<ScanCursor>> active;
  ScanCursor* current = nullptr;
  int64_t bound = 0;
  bool bounded = false;
  SeriesScanCounts counts;

  void capture_overlay();
  Status check_overlay();
  Status start();
  Status add_chunk_series(std::vector<SeriesId>& ids) const;
  Status open_series(SeriesId id);
  Status open_chunk(const ChunkHandle& chunk, SeriesId id);
  void open_memory(SeriesId id);
  Result<bool> select();
  Result<bool> settle(int64_t& least);
  Result<bool> advance();
};

void SeriesScan::State::capture_overlay() {
  if (overlay != nullptr) position = overlay->position();
  live.emplace(base->state(), overlay.get(), position, table.id);
  if (overlay == nullptr) return;
  epoch = overlay->epoch();
  const auto capture = [&](const StagedRun* run) {
    if (run != nullptr && run->table() == table.id && run->rows() > 0)
      staged[run->series()] = {run, run->rows()};
  };
  if (wanted.has_value()) {
    for (const SeriesId id : *wanted) capture(overlay->find(table.id, id));
  } else {
    for (const auto& run : overlay->runs()) capture(run.get());
  }
}

Status SeriesScan::State::check_overlay() {
  if (overlay == nullptr || overlay->epoch() == epoch) return Status();
  if (overlay->undone_since(epoch, position))
    return Status(StatusCode::kInterrupted,
                  "the changes that the scan was reading were rolled back");
  epoch = overlay->epoch();
  return Status();
}

Status SeriesScan::State::add_chunk_series(std::vector<SeriesId>& ids) const {
  for (const auto& chunk : chunks) {
    BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunk->reader());
    for (const BlockEntry& block : reader->footer().blocks) {
      if (ids.empty() || ids.back() != block.series) ids.push_back(block.series);
    }
  }
  return Status();
}

Status SeriesScan::State::start() {
  started = true;
  const TimeRange range = shape.range;
  for (const auto& chunk : base->chunks().of(table.id)) {
    const ChunkDefinition& definition = chunk->definition();
    if (definition.time_min < range.limit && definition.time_max >= range.start) {
      chunks.push_back(chunk);
    } else {
      ++counts.chunks_pruned;
    }
  }
  if (wanted.has_value()) {
    series = *wanted;
    return Status();
  }
  BRAID_TRY(add_chunk_series(series));
  if (const TailTable* tail = base->tail().find(table.id)) {
    for (const auto& segment : tail->segments) segment->add_series_ids(series);
  }
  for (const auto& [id, run] : staged) series.push_back(id);
  std::sort(series.begin(), series.end());
  series.erase(std::unique(series.begin(), series.end()), series.end());
  return Status();
}

Status SeriesScan::State::open_chunk(const ChunkHandle& chunk, SeriesId id) {
  BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunk.reader());
  if (reader->footer().types != shape.types)
    return Status(
        StatusCode::kCorrupt,
        chunk.path() + ": its field types are not those of hypertable '" + table.name + "'");
  const auto all = reader->blocks_of(id);
  counts.blocks_pruned += all.size();
  for (const TimeRange& range : live->of_chunk(id, chunk.definition().applied, shape.range)) {
    const auto start =
        std::lower_bound(all.begin(), all.end(), range.start.value(),
                         [](const BlockEntry& block, int64_t t) { return block.time_max < t; });
    const auto limit =
        std::lower_bound(start, all.end(), range.limit.value(),
                         [](const BlockEntry& block, int64_t t) { return block.time_min < t; });
    const std::span<const BlockEntry> blocks(start, limit);
    counts.blocks_pruned -= std::min<uint64_t>(blocks.size(), counts.blocks_pruned);
    if (blocks.empty()) continue;
    waiting.push_back(std::make_unique<ScanCursor>(shape, chunk.definition().id.value(), reader,
                                                   blocks, range));
  }
  return Status();
}

void SeriesScan::State::open_memory(SeriesId id) {
  std::vector<PointRow> rows;
  if (const TailTable* tail = base->tail().find(table.id)) {
    for (const TimeRange& range : live->of_tail(id, shape.range))
      add_tail_rows(*tail, id, base->lsn(), range, rows);
  }
  const StagedRun* run = nullptr;
  if (const auto found = staged.find(id); found != staged.end()) {
    run = found->second.first;
    add_staged_rows(*run, found->second.second, position, shape.range, rows);
  }
  if (rows.empty()) return;
  sort_last_wins(rows);
  PointBlock block;
  gather_rows(rows, run, shape.types, shape.fields, block);
  waiting.push_back(std::make_unique<ScanCursor>(shape, UINT64_MAX, std::move(block)));
}

Status SeriesScan::State::open_series(SeriesId id) {
  current_series = id;
  for (const auto& chunk : chunks) BRAID_TRY(open_chunk(*chunk, id));
  open_memory(id);
  std::sort(waiting.begin(), waiting.end(),
            [](const auto& a, const auto& b) { return a->key() > b->key(); });
  return Status();
}

/// Loads until every active cursor at the least key stands on a row; false if none is left.
Result<bool> SeriesScan::State::settle(int64_t& least) {
  while (true) {
    std::erase_if(active, [](const auto& cursor) { return cursor->at_end(); });
    if (active.empty() && waiting.empty()) return false;
    least = INT64_MAX;
    for (const auto& cursor : active) least = std::min(least, cursor->key());
    while (!waiting.empty() && (active.empty() || waiting.back()->key() <= least)) {
      least = active.empty() ? waiting.back()->key() : std::min(least, waiting.back()->key());
      active.push_back(std::move(waiting.back()));
      waiting.pop_back();
    }
    bool settled = true;
    for (const auto& cursor : active) {
      if (cursor->key() != least || cursor->loaded()) continue;
      BRAID_TRY(cursor->load(counts));
      settled = false;
    }
    if (settled) return true;
  }
}

/// Makes the cursor of the next row current; false at the end of the series.
Result<bool> SeriesScan::State::select() {
  current = nullptr;
  int64_t least = 0;
  BRAID_ASSIGN(const bool found, settle(least));
  if (!found) return false;
  for (const auto& cursor : active) {
    if (cursor->key() == least && (current == nullptr || cursor->rank() > current->rank()))
      current = cursor.get();
  }
  bounded = !waiting.empty();
  bound = bounded ? waiting.back()->key() : INT64_MAX;
  for (const auto& cursor : active) {
    if (cursor.get() == current) continue;
    if (cursor->key() == least) cursor->advance();
    if (cursor->at_end()) continue;
    bounded = true;
    bound = std::min(bound, cursor->key());
  }
  return true;
}

SeriesScan::SeriesScan(std::shared_ptr<const StoreView> base,
                       std::shared_ptr<const SeriesOverlay> overlay,
                       const HypertableDefinition& table, SeriesScanOptions options)
    : state_(std::make_unique<State>()) {
  state_->base = std::static_pointer_cast<const SeriesView>(std::move(base));
  state_->overlay = std::move(overlay);
  state_->table = table;
  state_->wanted = std::move(options.series);
  state_->shape.range = options.range;
  state_->shows_deleted = options.shows_deleted;
  state_->shape.descending = options.descending;
  state_->shape.fields = std::move(options.fields);
  for (const FieldDefinition& field : table.fields) state_->shape.types.push_back(field.type);
  state_->capture_overlay();
}

SeriesScan::~SeriesScan() = default;
SeriesScan::SeriesScan(SeriesScan&&) noexcept = default;

/// Moves to the next latest write, deleted points among them; false at the end.
Result<bool> SeriesScan::State::advance() {
  if (current != nullptr) {
    current->advance();
    if (current->loaded() && (!bounded || current->key() < bound)) return true;
  }
  while (true) {
    BRAID_ASSIGN(const bool found, select());
    if (found) return true;
    if (next_series == series.size()) return false;
    BRAID_TRY(open_series(series[next_series]));
    ++next_series;
  }
}

Result<bool> SeriesScan::next() {
  State& state = *state_;
  BRAID_TRY(state.check_overlay());
  if (!state.started) BRAID_TRY(state.start());
  while (true) {
    BRAID_ASSIGN(const bool found, state.advance());
    if (!found) return false;
    if (!state.current->deleted() || state.shows_deleted) return true;
  }
}

bool SeriesScan::deleted() const { return state_->current->deleted(); }

SeriesId SeriesScan::series() const { return state_->current_series; }
Timestamp SeriesScan::time() const { return Timestamp(state_->current->time()); }
FieldValue SeriesScan::field(size_t index) const { return state_->current->field(index); }
SeriesScanCounts SeriesScan::counts() const { return state_->counts; }

}  // namespace braid
