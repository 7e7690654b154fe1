#include "timeseries/block_scan.h"

#include <algorithm>
#include <unordered_map>

#include "timeseries/block_cursor.h"
#include "timeseries/live_ranges.h"
#include "timeseries/point_rows.h"
#include "timeseries/series_overlay.h"
#include "timeseries/series_view.h"

namespace braid {
namespace {

/// Shorter runs of a block are gathered with others, so that what works on runs has enough to do.
constexpr size_t kRunRowsMin = 64;

template <typename Value>
void append_values(const std::vector<Value>& from, size_t start, size_t count, bool reversed, std::vector<Value>& to) {
  const auto first = from.begin() + static_cast<ptrdiff_t>(start);
  const auto last = first + static_cast<ptrdiff_t>(count);
  if (reversed) {
    to.insert(to.end(), std::make_reverse_iterator(last), std::make_reverse_iterator(first));
  } else {
    to.insert(to.end(), first, last);
  }
}

/// Rows gathered from several blocks, in the order of the scan. Texts stay where they are.
void append_rows(const PointBlock& from, size_t start, size_t count, bool reversed, PointBlock& to) {
  const size_t before = to.times.size();
  append_values(from.times, start, count, reversed, to.times);
  if (!from.deleted.empty() && to.deleted.empty()) to.deleted.assign(before, 0);
  if (!from.deleted.empty()) {
    append_values(from.deleted, start, count, reversed, to.deleted);
  } else if (!to.deleted.empty()) {
    to.deleted.resize(before + count, 0);
  }
  to.columns.resize(from.columns.size());
  for (size_t i = 0; i < from.columns.size(); ++i) {
    const PointColumn& source = from.columns[i];
    PointColumn& target = to.columns[i];
    target.type = source.type;
    if (!source.loaded) continue;
    target.loaded = true;
    if (!source.nulls.empty() && target.nulls.empty()) target.nulls.assign(before, 0);
    if (!source.nulls.empty()) {
      append_values(source.nulls, start, count, reversed, target.nulls);
    } else if (!target.nulls.empty()) {
      target.nulls.resize(before + count, 0);
    }
    if (!source.integers.empty()) append_values(source.integers, start, count, reversed, target.integers);
    if (!source.reals.empty()) append_values(source.reals, start, count, reversed, target.reals);
    if (!source.texts.empty()) append_values(source.texts, start, count, reversed, target.texts);
  }
}

}  // namespace

// For each series in turn, cursors over its sources are merged by time: the one at the least key gives its rows up to the least key of all others as
// one run. Chunks are opened when the scan arrives at them, so that the last points of series do not cost the chunks before.
struct BlockScan::State {
  // Constant after construction.
  std::shared_ptr<const SeriesView> base;
  std::shared_ptr<const SeriesOverlay> overlay;
  HypertableDefinition table;
  std::optional<std::vector<SeriesId>> wanted;
  Offer offer;
  ScanShape shape;
  bool texts_wanted = false;
  uint64_t position = 0;                    // of the overlay: what is staged later is not seen
  std::optional<LiveRanges> live;           // of the base
  bool shows_deleted = false;
  std::unordered_map<SeriesId, std::pair<const StagedRun*, size_t>> staged;

  // Where the scan is.
  bool started = false;
  size_t epoch = 0;
  struct DueChunk {
    int64_t key;  // no row of it has a lesser one
    std::shared_ptr<ChunkHandle> handle;  // shared with the view
  };
  std::vector<DueChunk> chunks;  // that touch the range, by key
  std::vector<SeriesId> series;
  size_t next_series = 0;
  SeriesId current_series;
  size_t next_chunk = 0;  // the first that is not opened for the current series
  std::vector<std::unique_ptr<BlockCursor>> active;
  PointBlock gathered;
  PointRun run;
  bool series_told = false;      // by an offer that ended the series
  std::optional<PointRun> kept;  // the next run, when what was gathered before it went first
  SeriesScanCounts counts;

  void set_up(const SeriesScanOptions& options);
  void capture_overlay();
  Status check_overlay();
  void choose_chunks();
  Status list_series();
  Status add_chunk_series(std::vector<SeriesId>& ids) const;
  void open_series(SeriesId id);
  Status open_chunk(const ChunkHandle& chunk, SeriesId id);
  void open_memory(SeriesId id);

  int64_t least_key() const;
  std::optional<int64_t> bound_beside(const BlockCursor& cursor) const;
  Result<bool> open_due(int64_t least);
  BlockUse offered(BlockCursor& cursor);
  void end_series();
  Result<bool> settle();
  Result<bool> next_in_series();
  PointRun take(BlockCursor& cursor, size_t count);
  void emit_gathered();
};

void BlockScan::State::set_up(const SeriesScanOptions& options) {
  wanted = options.series;
  shape.range = options.range;
  shape.descending = options.descending;
  shows_deleted = options.shows_deleted;
  shape.fields = options.fields;
  for (size_t i = 0; i < table.fields.size(); ++i) {
    const FieldType type = table.fields[i].type;
    shape.types.push_back(type);
    const bool asked = shape.fields.empty() || (i < shape.fields.size() && shape.fields[i]);
    texts_wanted = texts_wanted || (asked && (type == FieldType::kText || type == FieldType::kJson));
  }
  capture_overlay();
}

void BlockScan::State::capture_overlay() {
  if (overlay != nullptr) position = overlay->position();
  live.emplace(base->state(), overlay.get(), position, table.id);
  if (overlay == nullptr) return;
  epoch = overlay->epoch();
  const auto capture = [&](const StagedRun* staged_run) {
    if (staged_run != nullptr && staged_run->table() == table.id && staged_run->rows() > 0)
      staged[staged_run->series()] = {staged_run, staged_run->rows()};
  };
  if (wanted.has_value()) {
    for (const SeriesId id : *wanted) capture(overlay->find(table.id, id));
  } else {
    for (const auto& staged_run : overlay->runs()) capture(staged_run.get());
  }
}

Status BlockScan::State::check_overlay() {
  if (overlay == nullptr || overlay->epoch() == epoch) return Status();
  if (overlay->undone_since(epoch, position))
    return Status(StatusCode::kInterrupted, "the changes that the scan was reading were rolled back");
  epoch = overlay->epoch();
  return Status();
}

void BlockScan::State::choose_chunks() {
  started = true;
  const TimeRange range = shape.range;
  for (const auto& chunk : base->chunks().of(table.id)) {
    const ChunkDefinition& definition = chunk->definition();
    if (definition.time_min < range.limit && definition.time_max >= range.start) {
      chunks.push_back({shape.key((shape.descending ? definition.time_max : definition.time_min).value()), chunk});
    } else {
      ++counts.chunks_pruned;
    }
  }
  std::stable_sort(chunks.begin(), chunks.end(), [](const DueChunk& a, const DueChunk& b) { return a.key < b.key; });
}

Status BlockScan::State::add_chunk_series(std::vector<SeriesId>& ids) const {
  for (const auto& chunk : chunks) {
    BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunk.handle->reader());
    for (const BlockEntry& block : reader->footer().blocks) {
      if (ids.empty() || ids.back() != block.series) ids.push_back(block.series);
    }
  }
  return Status();
}

Status BlockScan::State::list_series() {
  if (wanted.has_value()) {
    series = *wanted;
    return Status();
  }
  BRAID_TRY(add_chunk_series(series));
  if (const TailTable* tail = base->tail().find(table.id)) {
    for (const auto& segment : tail->segments) segment->add_series_ids(series);
  }
  for (const auto& [id, staged_run] : staged) series.push_back(id);
  std::sort(series.begin(), series.end());
  series.erase(std::unique(series.begin(), series.end()), series.end());
  return Status();
}

Status BlockScan::State::open_chunk(const ChunkHandle& chunk, SeriesId id) {
  BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunk.reader());
  const ChunkFooter& footer = reader->footer();
  FieldMapping mapping;
  if (!StoredFields::are_fields(footer.fields, footer.types, table.fields)) {
    auto made = FieldMapping::make(footer.fields, footer.types, table.fields);
    if (!made.ok()) return made.status().within(chunk.path() + ": hypertable '" + table.name + "'");
    mapping = made.take();
  }
  const auto all = reader->blocks_of(id);
  size_t touched = 0;
  for (const TimeRange& range : live->of_chunk(id, chunk.definition().applied, shape.range)) {
    const auto start =
        std::lower_bound(all.begin(), all.end(), range.start.value(), [](const BlockEntry& block, int64_t t) { return block.time_max < t; });
    const auto limit = std::lower_bound(start, all.end(), range.limit.value(), [](const BlockEntry& block, int64_t t) { return block.time_min < t; });
    const std::span<const BlockEntry> blocks(start, limit);
    if (blocks.empty()) continue;
    touched += blocks.size();
    active.push_back(std::make_unique<BlockCursor>(shape, chunk.definition().id.value(), reader, blocks, range, mapping));
  }
  counts.blocks_pruned += all.size() - std::min(touched, all.size());
  return Status();
}

void BlockScan::State::open_memory(SeriesId id) {
  std::vector<PointRow> rows;
  if (const TailTable* tail = base->tail().find(table.id)) {
    for (const TimeRange& range : live->of_tail(id, shape.range)) add_tail_rows(*tail, id, base->lsn(), range, rows);
  }
  const StagedRun* staged_run = nullptr;
  if (const auto found = staged.find(id); found != staged.end()) {
    staged_run = found->second.first;
    add_staged_rows(*staged_run, found->second.second, position, shape.range, rows);
  }
  if (rows.empty()) return;
  sort_last_wins(rows);
  PointBlock block;
  gather_rows(rows, staged_run, table.fields, shape.fields, block);
  active.push_back(std::make_unique<BlockCursor>(shape, UINT64_MAX, std::move(block)));
}

void BlockScan::State::open_series(SeriesId id) {
  current_series = id;
  next_chunk = 0;
  open_memory(id);
}

void BlockScan::State::end_series() {
  active.clear();
  next_chunk = chunks.size();
}

int64_t BlockScan::State::least_key() const {
  int64_t least = next_chunk < chunks.size() ? chunks[next_chunk].key : INT64_MAX;
  for (const auto& cursor : active) least = std::min(least, cursor->key());
  return least;
}

/// The least key of all other sources, if there are others. Nothing but `cursor` has rows before it.
std::optional<int64_t> BlockScan::State::bound_beside(const BlockCursor& cursor) const {
  std::optional<int64_t> bound;
  if (next_chunk < chunks.size()) bound = chunks[next_chunk].key;
  for (const auto& other : active) {
    if (other.get() == &cursor || other->at_end()) continue;
    bound = bound.has_value() ? std::min(*bound, other->key()) : other->key();
  }
  return bound;
}

/// Opens the chunks that may have rows at `least`; false when there are none.
Result<bool> BlockScan::State::open_due(int64_t least) {
  const size_t before = next_chunk;
  while (next_chunk < chunks.size() && chunks[next_chunk].key <= least) {
    BRAID_TRY(open_chunk(*chunks[next_chunk].handle, current_series));
    ++next_chunk;
  }
  return next_chunk > before;
}

BlockUse BlockScan::State::offered(BlockCursor& cursor) {
  if (!offer) return BlockUse::kRead;
  const std::optional<int64_t> bound = bound_beside(cursor);
  if (bound.has_value() && *bound <= cursor.expected_last_key()) return BlockUse::kRead;
  const BlockEntry& entry = cursor.expected();
  const bool whole = cursor.expects_whole();
  if (!cursor.is_as_stored() || entry.has_deleted() || (!whole && !live->empty())) return BlockUse::kRead;
  return offer(LoneBlock{cursor.reader().footer(), entry, whole});
}

void BlockScan::State::emit_gathered() {
  run = {current_series, &gathered, 0, gathered.times.size(), false};
}

/// Stands on the next rows of the series: every active cursor at the least key is loaded. False at the end of the series, or when what was gathered
/// has to go first, because its texts lie in a block that would be replaced.
Result<bool> BlockScan::State::settle() {
  const bool texts_gathered = texts_wanted && !gathered.times.empty();
  while (true) {
    const bool any_at_end = std::any_of(active.begin(), active.end(), [](const auto& cursor) { return cursor->at_end(); });
    if (any_at_end && texts_gathered) return false;
    std::erase_if(active, [](const auto& cursor) { return cursor->at_end(); });
    if (active.empty() && next_chunk == chunks.size()) return false;
    const int64_t least = least_key();
    BRAID_ASSIGN(const bool opened, open_due(least));
    if (opened) continue;
    bool settled = true;
    for (const auto& cursor : active) {
      if (cursor->key() != least || cursor->loaded()) continue;
      settled = false;
      if (texts_gathered) return false;
      const BlockUse use = offered(*cursor);
      if (use == BlockUse::kSeriesDone) {
        end_series();
        series_told = true;
        return false;
      }
      if (use == BlockUse::kDone) {
        cursor->skip();
        break;
      }
      BRAID_TRY(cursor->load(counts));
    }
    if (settled) return true;
  }
}

PointRun BlockScan::State::take(BlockCursor& cursor, size_t count) {
  PointRun out{current_series, &cursor.block(), shape.descending ? cursor.row() + 1 - count : cursor.row(), count, shape.descending};
  cursor.advance(count);
  return out;
}

/// The next run of the current series; false at its end.
Result<bool> BlockScan::State::next_in_series() {
  if (kept.has_value()) {
    run = *kept;
    kept.reset();
    return true;
  }
  gathered.times.clear();
  gathered.deleted.clear();
  for (PointColumn& column : gathered.columns) column.clear();
  while (true) {
    BRAID_ASSIGN(const bool found, settle());
    if (!found) break;
    const int64_t least = least_key();
    BlockCursor* current = nullptr;
    for (const auto& cursor : active) {
      if (cursor->key() == least && (current == nullptr || cursor->rank() > current->rank())) current = cursor.get();
    }
    for (const auto& cursor : active) {
      if (cursor.get() != current && cursor->key() == least) cursor->advance(1);
    }
    const std::optional<int64_t> bound = bound_beside(*current);
    size_t rows = bound.has_value() ? current->rows_before(*bound) : current->rows_left();
    if (!shows_deleted) {
      rows = current->rows_alike(rows);
      if (current->is_deleted()) {
        current->advance(rows);
        continue;
      }
    }
    const bool last_of_block = rows == current->rows_left();
    const PointRun next = take(*current, rows);
    if (rows >= kRunRowsMin || (gathered.times.empty() && last_of_block)) {
      if (gathered.times.empty()) {
        run = next;
      } else {
        kept = next;
        emit_gathered();
      }
      return true;
    }
    append_rows(*next.block, next.start, next.count, next.reversed, gathered);
    if (gathered.times.size() >= kBlockRowsMax) break;
  }
  if (gathered.times.empty() && !series_told) return false;
  series_told = false;
  emit_gathered();
  return true;
}

BlockScan::BlockScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
                     SeriesScanOptions options, Offer offer)
    : state_(std::make_unique<State>()) {
  state_->base = std::static_pointer_cast<const SeriesView>(std::move(base));
  state_->overlay = std::move(overlay);
  state_->table = table;
  state_->offer = std::move(offer);
  state_->set_up(options);
}

BlockScan::~BlockScan() = default;
BlockScan::BlockScan(BlockScan&&) noexcept = default;

Result<bool> BlockScan::next() {
  State& state = *state_;
  BRAID_TRY(state.check_overlay());
  if (!state.started) {
    state.choose_chunks();
    BRAID_TRY(state.list_series());
  }
  while (true) {
    BRAID_ASSIGN(const bool found, state.next_in_series());
    if (found) return true;
    if (state.next_series == state.series.size()) return false;
    state.open_series(state.series[state.next_series]);
    ++state.next_series;
  }
}

void BlockScan::skip_series() {
  state_->end_series();
  state_->kept.reset();
}

const PointRun& BlockScan::run() const { return state_->run; }
Status BlockScan::check() { return state_->check_overlay(); }
SeriesScanCounts BlockScan::counts() const { return state_->counts; }

Result<std::vector<SeriesId>> BlockScan::series_of(const std::shared_ptr<const StoreView>& base, const std::shared_ptr<const SeriesOverlay>& overlay,
                                                   const HypertableDefinition& table, const SeriesScanOptions& options) {
  BlockScan scan(base, overlay, table, options);
  scan.state_->choose_chunks();
  BRAID_TRY(scan.state_->list_series());
  return std::move(scan.state_->series);
}

}  // namespace braid
