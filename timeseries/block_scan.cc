#include "timeseries/block_scan.h"

#include <algorithm>
#include <compare>
#include <iterator>
#include <numeric>
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

/// A loaded cursor while rows of several are merged.
struct Lane {
  BlockCursor* cursor;
  const PointBlock* block;
  size_t row;
  size_t taken = 0;  // rows passed over

  explicit Lane(BlockCursor& of) : cursor(&of), block(&of.block()), row(of.row()) {}
  bool at_end() const { return taken == cursor->rows_left(); }
  void step(bool descending) {
    ++taken;
    row = descending ? row - 1 : row + 1;
  }
};

/// Where a merged row comes from.
struct MergedRow {
  uint32_t lane;
  uint32_t row;
};

template <typename Value, typename Values>
void gather_values(std::span<const MergedRow> rows, std::span<const Lane> lanes, Values values_of, std::vector<Value>& to) {
  std::vector<const Value*> from;
  for (const Lane& lane : lanes) from.push_back(values_of(*lane.block));
  const size_t before = to.size();
  to.resize(before + rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Value* values = from[rows[i].lane];
    to[before + i] = values == nullptr ? Value{} : values[rows[i].row];
  }
}

/// Appends which of the merged rows are deleted; before their times are appended.
void gather_deleted(std::span<const MergedRow> rows, std::span<const Lane> lanes, PointBlock& to) {
  const bool any = std::any_of(lanes.begin(), lanes.end(), [](const Lane& lane) { return !lane.block->deleted.empty(); });
  if (!any && to.deleted.empty()) return;
  to.deleted.resize(to.times.size(), 0);
  gather_values(rows, lanes, [](const PointBlock& block) { return block.deleted.empty() ? nullptr : block.deleted.data(); }, to.deleted);
}

/// Appends a column of the merged rows. Texts stay where they are.
void gather_column(std::span<const MergedRow> rows, std::span<const Lane> lanes, size_t column, PointColumn& to) {
  const auto source = [column](const PointBlock& block) -> const PointColumn& { return block.columns[column]; };
  const PointColumn& any = source(*lanes.front().block);
  to.type = any.type;
  to.loaded = any.loaded;
  if (!to.loaded) return;
  const bool nulls = std::any_of(lanes.begin(), lanes.end(), [&](const Lane& lane) { return !source(*lane.block).nulls.empty(); });
  const size_t before = to.integers.size() + to.reals.size() + to.texts.size();
  if (nulls && to.nulls.empty()) to.nulls.assign(before, 0);
  if (nulls || !to.nulls.empty()) {
    gather_values(rows, lanes, [&](const PointBlock& block) { return source(block).nulls.empty() ? nullptr : source(block).nulls.data(); }, to.nulls);
  }
  switch (to.type) {
    case FieldType::kDouble:
      return gather_values(rows, lanes, [&](const PointBlock& block) { return source(block).reals.data(); }, to.reals);
    case FieldType::kInt64:
    case FieldType::kBool:
      return gather_values(rows, lanes, [&](const PointBlock& block) { return source(block).integers.data(); }, to.integers);
    case FieldType::kText:
    case FieldType::kJson:
      return gather_values(rows, lanes, [&](const PointBlock& block) { return source(block).texts.data(); }, to.texts);
  }
}

}  // namespace

/// A part of the time of so many files, or of one interval, is read at once: fewer than are kept open.
constexpr size_t kPartChunksMax = 64;
/// A part has so many rows, or one interval, so that what is known of its series is bounded.
constexpr uint64_t kPartRowsMax = 1'000'000;
/// For fewer series it is not looked up which of them are in a part.
constexpr size_t kFewSeries = 256;

/// That a chunk of the part, by its place in State::chunks, has points of the series.
struct SeriesPlace {
  SeriesId series;
  uint32_t chunk;
  auto operator<=>(const SeriesPlace&) const = default;
};

// A scan of very many files goes through its range part by part, each of them some files; mostly there is one part. In a part, for each series in
// turn, cursors over its sources are merged by time: the one at the least key gives its rows up to the least key of all others as
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
  bool in_one_part = false;
  std::unordered_map<SeriesId, std::pair<const StagedRun*, size_t>> staged;

  // Where the scan is.
  struct DueChunk {
    int64_t key;  // no row of it has a lesser one
    std::shared_ptr<ChunkHandle> handle;  // shared with the view
  };
  struct Part {
    TimeRange range;
    std::vector<DueChunk> chunks;  // that touch the range, by key
  };
  bool started = false;
  size_t epoch = 0;
  std::vector<Part> parts;  // in the order of the scan
  size_t next_part = 0;
  std::vector<DueChunk> chunks;       // of the part
  std::vector<SeriesPlace> places;    // in them, ascending; empty while there is one part
  size_t next_place = 0;
  std::vector<SeriesId> series;       // in the part
  size_t next_series = 0;
  SeriesId current_series;
  std::vector<uint32_t> due;          // chunks that may have points of the current series, by key
  size_t next_due = 0;                // the first of them that is not opened
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
  void add_part(TimeRange range, std::span<const std::shared_ptr<ChunkHandle>> handles);
  Result<bool> enter_part();
  Status list_places();
  Status list_series();
  Status add_chunk_series(std::vector<SeriesId>& ids) const;
  void add_memory_series(std::vector<SeriesId>& ids) const;
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
  std::optional<int64_t> bound_of_unloaded() const;
  void merge_loaded();
  PointRun take(BlockCursor& cursor, size_t count);
  void emit_gathered();
};

void BlockScan::State::set_up(const SeriesScanOptions& options) {
  wanted = options.series;
  shape.range = options.range;
  shape.descending = options.descending;
  shows_deleted = options.shows_deleted;
  in_one_part = options.one_part;
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

void BlockScan::State::add_part(TimeRange range, std::span<const std::shared_ptr<ChunkHandle>> handles) {
  Part& part = parts.emplace_back(Part{range, {}});
  for (const auto& chunk : handles) {
    const ChunkDefinition& definition = chunk->definition();
    if (definition.time_min < range.limit && definition.time_max >= range.start) {
      part.chunks.push_back({shape.key((shape.descending ? definition.time_max : definition.time_min).value()), chunk});
    } else {
      ++counts.chunks_pruned;
    }
  }
  std::stable_sort(part.chunks.begin(), part.chunks.end(), [](const DueChunk& a, const DueChunk& b) { return a.key < b.key; });
}

/// Intervals of chunks are equal or apart, so a range that is cut between them keeps all that may hold one point together. One series' points
/// come by time anyhow.
void BlockScan::State::choose_chunks() {
  started = true;
  const TimeRange range = shape.range;
  const auto touched = base->chunks().within(table.id, range);
  counts.chunks_pruned += base->chunks().of(table.id).size() - touched.size();
  size_t start = 0;
  Timestamp part_start = range.start;
  uint64_t rows = 0;
  const bool one_part = in_one_part || touched.size() <= kPartChunksMax || (wanted.has_value() && wanted->size() == 1);
  for (size_t i = 0; i < touched.size() && !one_part; ++i) {
    const ChunkDefinition& definition = touched[i]->definition();
    const bool new_interval = i > start && definition.interval.start != touched[i - 1]->definition().interval.start;
    if (new_interval && (i - start >= kPartChunksMax || rows + definition.rows > kPartRowsMax)) {
      add_part({part_start, definition.interval.start}, touched.subspan(start, i - start));
      part_start = definition.interval.start;
      start = i;
      rows = 0;
    }
    rows += definition.rows;
  }
  add_part({part_start, range.limit}, touched.subspan(start));
  if (shape.descending) std::reverse(parts.begin(), parts.end());
}

Result<bool> BlockScan::State::enter_part() {
  if (next_part == parts.size()) return false;
  shape.range = parts[next_part].range;
  chunks = std::move(parts[next_part].chunks);
  ++next_part;
  places.clear();
  next_place = 0;
  series.clear();
  next_series = 0;
  if (parts.size() > 1) {
    BRAID_TRY(list_places());
  } else {
    due.resize(chunks.size());
    std::iota(due.begin(), due.end(), 0U);
  }
  BRAID_TRY(list_series());
  next_due = due.size();
  return true;
}

Status BlockScan::State::list_places() {
  for (uint32_t chunk = 0; chunk < chunks.size(); ++chunk) {
    BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunks[chunk].handle->reader());
    if (wanted.has_value() && wanted->size() <= kFewSeries) {
      for (const SeriesId id : *wanted) {
        if (!reader->blocks_of(id).empty()) places.push_back({id, chunk});
      }
      continue;
    }
    for (const SeriesBlocks& blocks : reader->series()) places.push_back({blocks.series, chunk});
  }
  std::sort(places.begin(), places.end());
  return Status();
}

Status BlockScan::State::add_chunk_series(std::vector<SeriesId>& ids) const {
  if (parts.size() > 1) {
    for (const SeriesPlace& place : places) {
      if (ids.empty() || ids.back() != place.series) ids.push_back(place.series);
    }
    return Status();
  }
  std::vector<SeriesId> both;
  for (const auto& chunk : chunks) {
    BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, chunk.handle->reader());
    const auto before = static_cast<ptrdiff_t>(ids.size());
    for (const SeriesBlocks& blocks : reader->series()) ids.push_back(blocks.series);
    if (before == 0) continue;
    both.clear();
    std::set_union(ids.begin(), ids.begin() + before, ids.begin() + before, ids.end(), std::back_inserter(both));
    ids.swap(both);
  }
  return Status();
}

void BlockScan::State::add_memory_series(std::vector<SeriesId>& ids) const {
  if (const TailTable* tail = base->tail().find(table.id)) {
    for (const auto& segment : tail->segments) segment->add_series_ids(ids);
  }
  for (const auto& [id, staged_run] : staged) ids.push_back(id);
}

Status BlockScan::State::list_series() {
  if (wanted.has_value() && wanted->size() <= kFewSeries) {
    series = *wanted;
    return Status();
  }
  BRAID_TRY(add_chunk_series(series));
  const size_t in_chunks = series.size();
  add_memory_series(series);
  if (series.size() > in_chunks) {
    std::sort(series.begin(), series.end());
    series.erase(std::unique(series.begin(), series.end()), series.end());
  }
  if (!wanted.has_value()) return Status();
  std::vector<SeriesId> both;
  std::set_intersection(series.begin(), series.end(), wanted->begin(), wanted->end(), std::back_inserter(both));
  series = std::move(both);
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
  next_due = 0;
  if (parts.size() > 1) {
    due.clear();
    while (next_place < places.size() && places[next_place].series < id) ++next_place;
    for (; next_place < places.size() && places[next_place].series == id; ++next_place) due.push_back(places[next_place].chunk);
  }
  open_memory(id);
}

void BlockScan::State::end_series() {
  active.clear();
  next_due = due.size();
}

int64_t BlockScan::State::least_key() const {
  int64_t least = next_due < due.size() ? chunks[due[next_due]].key : INT64_MAX;
  for (const auto& cursor : active) least = std::min(least, cursor->key());
  return least;
}

/// The least key of all other sources, if there are others. Nothing but `cursor` has rows before it.
std::optional<int64_t> BlockScan::State::bound_beside(const BlockCursor& cursor) const {
  std::optional<int64_t> bound;
  if (next_due < due.size()) bound = chunks[due[next_due]].key;
  for (const auto& other : active) {
    if (other.get() == &cursor || other->at_end()) continue;
    bound = bound.has_value() ? std::min(*bound, other->key()) : other->key();
  }
  return bound;
}

/// Opens the chunks that may have rows at `least`; false when there are none.
Result<bool> BlockScan::State::open_due(int64_t least) {
  const size_t before = next_due;
  while (next_due < due.size() && chunks[due[next_due]].key <= least) {
    BRAID_TRY(open_chunk(*chunks[due[next_due]].handle, current_series));
    ++next_due;
  }
  return next_due > before;
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
    if (active.empty() && next_due == due.size()) return false;
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

/// The least key of what is not loaded yet.
std::optional<int64_t> BlockScan::State::bound_of_unloaded() const {
  std::optional<int64_t> bound;
  if (next_due < due.size()) bound = chunks[due[next_due]].key;
  for (const auto& cursor : active) {
    if (cursor->loaded()) continue;
    bound = bound.has_value() ? std::min(*bound, cursor->key()) : cursor->key();
  }
  return bound;
}

/// Gathers rows of all loaded cursors in their order, until one of them is through, or one alone has many to give.
void BlockScan::State::merge_loaded() {
  const auto bound = bound_of_unloaded();
  std::vector<Lane> lanes;
  for (const auto& cursor : active) {
    if (cursor->loaded()) lanes.emplace_back(*cursor);
  }
  const auto key_of = [&](const Lane& lane) { return shape.key(lane.block->times[lane.row]); };
  std::vector<MergedRow> rows;
  size_t room = kBlockRowsMax - gathered.times.size();
  size_t in_a_row = 0;
  while (rows.size() < room && in_a_row < kRunRowsMin) {
    size_t best = 0;
    int64_t least = key_of(lanes[0]);
    for (size_t i = 1; i < lanes.size(); ++i) {
      const int64_t key = key_of(lanes[i]);
      if (key < least || (key == least && lanes[i].cursor->rank() > lanes[best].cursor->rank())) {
        best = i;
        least = key;
      }
    }
    if (bound.has_value() && least >= *bound) break;
    if (shows_deleted || !lanes[best].block->is_deleted(lanes[best].row)) {
      in_a_row = !rows.empty() && rows.back().lane == best ? in_a_row + 1 : 0;
      rows.push_back({static_cast<uint32_t>(best), static_cast<uint32_t>(lanes[best].row)});
    }
    bool through = false;
    for (Lane& lane : lanes) {
      if (key_of(lane) != least) continue;
      lane.step(shape.descending);
      through = through || lane.at_end();
    }
    if (through) break;
  }
  gathered.columns.resize(shape.types.size());
  if (shows_deleted) gather_deleted(rows, lanes, gathered);
  gather_values(rows, lanes, [](const PointBlock& block) { return block.times.data(); }, gathered.times);
  for (size_t column = 0; column < gathered.columns.size(); ++column) gather_column(rows, lanes, column, gathered.columns[column]);
  for (const Lane& lane : lanes) {
    if (lane.taken > 0) lane.cursor->advance(lane.taken);
  }
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
  while (gathered.times.size() < kBlockRowsMax) {
    BRAID_ASSIGN(const bool found, settle());
    if (!found) break;
    const int64_t least = least_key();
    BlockCursor* current = nullptr;
    size_t at_least = 0;
    for (const auto& cursor : active) {
      if (cursor->key() != least) continue;
      ++at_least;
      current = cursor.get();
    }
    const auto bound = bound_beside(*current);
    size_t rows = at_least > 1 ? 0 : bound.has_value() ? current->rows_before(*bound) : current->rows_left();
    if (rows > 0 && !shows_deleted) {
      rows = current->rows_alike(rows);
      if (current->is_deleted()) {
        current->advance(rows);
        continue;
      }
    }
    const bool rest_of_block = rows == current->rows_left() && gathered.times.empty();
    if (rows < kRunRowsMin && !rest_of_block) {
      merge_loaded();
      continue;
    }
    const PointRun next = take(*current, rows);
    if (gathered.times.empty()) {
      run = next;
    } else {
      kept = next;
      emit_gathered();
    }
    return true;
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
  if (!state.started) state.choose_chunks();
  while (true) {
    BRAID_ASSIGN(const bool found, state.next_in_series());
    if (found) return true;
    if (state.next_series == state.series.size()) {
      BRAID_ASSIGN(const bool entered, state.enter_part());
      if (!entered) return false;
      continue;
    }
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
  State& state = *scan.state_;
  state.choose_chunks();
  std::vector<SeriesId> all;
  std::vector<SeriesId> both;
  while (true) {
    BRAID_ASSIGN(const bool entered, state.enter_part());
    if (!entered) return all;
    both.clear();
    std::set_union(all.begin(), all.end(), state.series.begin(), state.series.end(), std::back_inserter(both));
    all.swap(both);
  }
}

}  // namespace braid
