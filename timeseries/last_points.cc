#include "timeseries/last_points.h"

#include <algorithm>
#include <bit>

#include "timeseries/block_scan.h"
#include "timeseries/point_rows.h"
#include "timeseries/series_overlay.h"
#include "timeseries/series_view.h"

namespace braid {
namespace {

/// The series to look at: those that are asked for, else all that may have points.
Result<std::vector<SeriesId>> list_series(const SeriesView& view, const SeriesOverlay* overlay, const HypertableDefinition& table,
                                          std::optional<std::vector<SeriesId>> series) {
  if (series.has_value()) return *std::move(series);
  BRAID_ASSIGN(std::vector<SeriesId> all, view.index().all(table));
  if (overlay == nullptr) return all;
  for (const auto& run : overlay->runs()) {
    if (run->table() == table.id && run->rows() > 0) all.push_back(run->series());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

// The newest row of each series is found first: in the tail, then in the chunks, whose last block of the series tells its time, from the newest
// interval on until no older one can have a newer row. Then what the blocks' statistics tell of these rows is kept, chunk by chunk. A series whose
// newest row is not all there is to know (it was deleted, staged over, or has other fields than the table now has) is left to a scan; the block of a
// row whose values its statistics do not tell is read when its turn comes.
struct LastPoints::State {
  /// Where the newest row of a series is known to be.
  struct Found {
    enum class In : uint8_t { kNowhere, kTail, kChunk, kScan };
    In in = In::kNowhere;
    bool told = false;    // `values` has it
    int64_t time = 0;
    uint32_t chunk = 0;   // among the table's
    uint32_t block = 0;
    TailPlace place;
  };

  std::shared_ptr<const SeriesView> base;
  std::shared_ptr<const SeriesOverlay> overlay;
  HypertableDefinition table;
  std::optional<std::vector<SeriesId>> asked;
  std::vector<bool> fields;
  Timestamp before;
  size_t epoch = 0;
  uint64_t position = 0;

  bool ready = false;
  std::vector<SeriesId> series;
  std::vector<Found> found;                // by series
  size_t nowhere = 0;                      // so many of them
  std::vector<size_t> wanted;              // fields that are asked for
  std::vector<FieldValue> told;            // of each series the wanted fields, in their order
  size_t next = 0;                         // series
  SeriesId current;
  int64_t time = 0;
  std::vector<FieldValue> values;          // of the current row; texts lie in `block`, the tail or `scan`
  PointBlock block;
  std::optional<BlockScan> scan;           // of the series that nothing else tells of
  bool scan_stands = false;                // on a row of a series that was not asked for yet

  bool is_wanted(size_t field) const { return fields.empty() || (field < fields.size() && fields[field]); }
  Status check() const;
  Status prepare();
  void find_in_tail();
  std::optional<uint32_t> newest_row(const TailTable& tail, SeriesId id, const TailBlock& part, const Found& best) const;
  Status find_in_chunks();
  Status find_in_chunk(uint32_t chunk);
  void leave_staged_to_scans();
  void open_scan();
  Status tell_from_statistics();
  bool tells(const ChunkFooter& footer, const BlockEntry& entry) const;
  Result<bool> read_row(size_t index);
  Result<bool> scan_row(SeriesId id);
  void take_tail_row(const TailPlace& place);
  Status take_chunk_row(const Found& at);
};

Status LastPoints::State::check() const {
  if (overlay == nullptr || !overlay->undone_since(epoch, position)) return Status();
  return Status(StatusCode::kInterrupted, "the changes that the scan was reading were rolled back");
}

Status LastPoints::State::prepare() {
  ready = true;
  BRAID_ASSIGN(series, list_series(*base, overlay.get(), table, std::move(asked)));
  found.resize(series.size());
  for (size_t i = 0; i < table.fields.size(); ++i)
    if (is_wanted(i)) wanted.push_back(i);
  if (before != Timestamp(INT64_MAX)) {
    for (Found& one : found) one.in = Found::In::kScan;
  } else {
    find_in_tail();
    BRAID_TRY(find_in_chunks());
    leave_staged_to_scans();
    BRAID_TRY(tell_from_statistics());
  }
  open_scan();
  return Status();
}

/// The latest write of the latest time that the view sees.
void LastPoints::State::find_in_tail() {
  const TailTable* tail = base->tail().find(table.id);
  if (tail == nullptr) return;
  for (const auto& segment : tail->segments) {
    const bool as_stored = segment->fields().are(table.fields);
    for (size_t i = 0; i < series.size(); ++i) {
      const SeriesTail* rows = segment->find(series[i]);
      if (rows == nullptr) continue;
      Found& best = found[i];
      for (const TailBlock* part = rows->first(); part != nullptr; part = part->next()) {
        const auto row = newest_row(*tail, series[i], *part, best);
        if (!row) continue;
        best.time = part->time(*row);
        best.place = {part, *row};
        best.in = as_stored && !part->is_deleted(*row) ? Found::In::kTail : Found::In::kScan;
      }
    }
  }
}

/// The last of the block's newest rows, if it is not older than what was found.
std::optional<uint32_t> LastPoints::State::newest_row(const TailTable& tail, SeriesId id, const TailBlock& part, const Found& best) const {
  uint32_t count = part.rows();
  while (count > 0 && part.lsn(count - 1) > base->lsn()) --count;
  int64_t newest = best.in == Found::In::kNowhere ? INT64_MIN : best.time;
  uint32_t at = count;
  for (uint32_t row = 0; row < count; ++row) {
    const int64_t time = part.time(row);
    if (time < newest || (!tail.deletions.empty() && tail.hides(id, time, part.lsn(row)))) continue;
    newest = time;
    at = row;
  }
  return at == count ? std::nullopt : std::optional(at);
}

Status LastPoints::State::find_in_chunks() {
  // What a chunk tells is at or after the start of its interval, and so are all older chunks before it: only what the tail tells may be older.
  int64_t tail_least = INT64_MAX;
  nowhere = 0;
  for (const Found& one : found) {
    if (one.in == Found::In::kTail) tail_least = std::min(tail_least, one.time);
    if (one.in == Found::In::kNowhere) ++nowhere;
  }
  const auto& chunks = base->chunks().of(table.id);
  for (auto limit = static_cast<uint32_t>(chunks.size()); limit > 0;) {
    const TimeRange interval = chunks[limit - 1]->definition().interval;
    if (nowhere == 0 && tail_least >= interval.limit.value()) return Status();
    uint32_t start = limit - 1;
    while (start > 0 && chunks[start - 1]->definition().interval.start == interval.start) --start;
    // Of rows at one time that of the latest chunk counts.
    for (uint32_t chunk = start; chunk < limit; ++chunk) BRAID_TRY(find_in_chunk(chunk));
    limit = start;
  }
  return Status();
}

/// Of two ascending lists the shorter one is gone through, and its series are looked for in the other.
Status LastPoints::State::find_in_chunk(uint32_t chunk) {
  const ChunkHandle& handle = *base->chunks().of(table.id)[chunk];
  BRAID_ASSIGN(const auto reader, handle.reader());
  const ChunkFooter& footer = reader->footer();
  const bool as_stored = StoredFields::are_fields(footer.fields, footer.types, table.fields);
  std::vector<const RangeDeletion*> deletions;
  for (const auto& [id, deletion] : base->state().deletions)
    if (deletion->touches(handle.definition())) deletions.push_back(deletion.get());
  const auto hides = [&](SeriesId id, int64_t at) {
    return std::any_of(deletions.begin(), deletions.end(), [&](const RangeDeletion* deletion) {
      return deletion->range.start.value() <= at && at < deletion->range.limit.value() && deletion->covers(id);
    });
  };
  const auto consider = [&](size_t i, const SeriesBlocks& blocks) {
    Found& best = found[i];
    if (best.in == Found::In::kScan) return;
    const BlockEntry& last = footer.blocks[blocks.limit - 1];
    // What is in the tail is newer than what is in a chunk.
    if (best.in == Found::In::kTail ? last.time_max <= best.time : best.in == Found::In::kChunk && last.time_max < best.time) return;
    if (best.in == Found::In::kNowhere) --nowhere;
    const bool whole = as_stored && !last.has_deleted() && !hides(series[i], last.time_max);
    best = {.in = whole ? Found::In::kChunk : Found::In::kScan, .time = last.time_max, .chunk = chunk, .block = blocks.limit - 1};
  };
  const auto in_chunk = reader->series();
  const auto blocks_before = [](const SeriesBlocks& blocks, SeriesId id) { return blocks.series < id; };
  if (series.size() < in_chunk.size()) {
    auto at = in_chunk.begin();
    for (size_t i = 0; i < series.size(); ++i) {
      if (at == in_chunk.end()) return Status();
      if (at->series != series[i]) at = std::lower_bound(at, in_chunk.end(), series[i], blocks_before);
      if (at != in_chunk.end() && at->series == series[i]) consider(i, *at++);
    }
    return Status();
  }
  auto at = series.begin();
  for (const SeriesBlocks& blocks : in_chunk) {
    if (at == series.end()) return Status();
    if (*at != blocks.series) at = std::lower_bound(at, series.end(), blocks.series);
    if (at != series.end() && *at == blocks.series) consider(static_cast<size_t>(at++ - series.begin()), blocks);
  }
  return Status();
}

void LastPoints::State::leave_staged_to_scans() {
  if (overlay == nullptr) return;
  for (size_t i = 0; i < series.size(); ++i) {
    const StagedRun* run = overlay->find(table.id, series[i]);
    const bool staged = (run != nullptr && run->rows() > 0) ||
                        (found[i].in != Found::In::kNowhere && overlay->deletes(table.id, series[i], found[i].time));
    if (staged) found[i].in = Found::In::kScan;
  }
}

bool LastPoints::State::tells(const ChunkFooter& footer, const BlockEntry& entry) const {
  return std::all_of(wanted.begin(), wanted.end(), [&](size_t field) {
    const FieldType type = footer.types[field];
    if (type == FieldType::kText || type == FieldType::kJson || !entry.has_statistics()) return false;
    return footer.statistics[entry.statistics_start + field].value_count == entry.rows;
  });
}

Status LastPoints::State::tell_from_statistics() {
  std::vector<uint32_t> rows;  // series whose row is in a chunk
  for (uint32_t i = 0; i < found.size(); ++i)
    if (found[i].in == Found::In::kChunk) rows.push_back(i);
  std::stable_sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) { return found[a].chunk < found[b].chunk; });
  told.resize(series.size() * wanted.size());
  std::shared_ptr<const ChunkReader> reader;
  for (size_t i = 0; i < rows.size(); ++i) {
    Found& one = found[rows[i]];
    if (i == 0 || one.chunk != found[rows[i - 1]].chunk) {
      BRAID_ASSIGN(reader, base->chunks().of(table.id)[one.chunk]->reader());
    }
    const ChunkFooter& footer = reader->footer();
    const BlockEntry& entry = footer.blocks[one.block];
    one.told = tells(footer, entry);
    for (size_t column = 0; column < wanted.size() && one.told; ++column) {
      const uint64_t bits = footer.statistics[entry.statistics_start + wanted[column]].last;
      FieldValue& value = told[rows[i] * wanted.size() + column];
      value.is_null = false;
      if (footer.types[wanted[column]] == FieldType::kDouble) value.real = std::bit_cast<double>(bits);
      else value.integer = static_cast<int64_t>(bits);
    }
  }
  return Status();
}

void LastPoints::State::take_tail_row(const TailPlace& place) {
  for (const size_t field : wanted) values[field] = place.block->value(field, place.row);
}

Status LastPoints::State::take_chunk_row(const Found& at) {
  BRAID_ASSIGN(const auto reader, base->chunks().of(table.id)[at.chunk]->reader());
  BRAID_TRY(reader->read_block(reader->footer().blocks[at.block], fields, block));
  for (const size_t field : wanted) values[field] = block.columns[field].value(block.times.size() - 1);
  return Status();
}

/// Opened before the first row is given, so that it does not see what is staged meanwhile.
void LastPoints::State::open_scan() {
  std::vector<SeriesId> left;
  for (size_t i = 0; i < series.size(); ++i)
    if (found[i].in == Found::In::kScan) left.push_back(series[i]);
  if (left.empty()) return;
  SeriesScanOptions options{.range = {TimeRange{}.start, before}, .series = std::move(left), .fields = fields, .descending = true};
  options.one_part = true;
  scan.emplace(base, overlay, table, std::move(options));
}

Result<bool> LastPoints::State::scan_row(SeriesId id) {
  while (!scan_stands || scan->run().series < id) {
    scan->skip_series();
    BRAID_ASSIGN(scan_stands, scan->next());
    if (!scan_stands) return false;
  }
  const PointRun& run = scan->run();
  if (run.series != id) return false;
  const size_t row = run.reversed ? run.start + run.count - 1 : run.start;
  time = run.block->times[row];
  for (const size_t field : wanted) values[field] = run.block->columns[field].value(row);
  return true;
}

Result<bool> LastPoints::State::read_row(size_t index) {
  const Found& at = found[index];
  current = series[index];
  time = at.time;
  values.assign(table.fields.size(), FieldValue{});
  switch (at.in) {
    case Found::In::kNowhere: return false;
    case Found::In::kScan: return scan_row(current);
    case Found::In::kTail: take_tail_row(at.place); return true;
    case Found::In::kChunk: break;
  }
  if (!at.told) BRAID_TRY(take_chunk_row(at));
  for (size_t column = 0; column < wanted.size() && at.told; ++column) values[wanted[column]] = told[index * wanted.size() + column];
  return true;
}

LastPoints::LastPoints(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
                       std::optional<std::vector<SeriesId>> series, std::vector<bool> fields, Timestamp before)
    : state_(std::make_unique<State>()) {
  state_->base = std::static_pointer_cast<const SeriesView>(std::move(base));
  state_->overlay = std::move(overlay);
  state_->table = table;
  state_->asked = std::move(series);
  state_->fields = std::move(fields);
  state_->before = before;
  if (state_->overlay == nullptr) return;
  state_->epoch = state_->overlay->epoch();
  state_->position = state_->overlay->position();
}

LastPoints::~LastPoints() = default;
LastPoints::LastPoints(LastPoints&&) noexcept = default;

Result<bool> LastPoints::next() {
  State& state = *state_;
  BRAID_TRY(state.check());
  if (!state.ready) BRAID_TRY(state.prepare());
  while (state.next < state.series.size()) {
    BRAID_ASSIGN(const bool any, state.read_row(state.next++));
    if (any) return true;
  }
  return false;
}

SeriesId LastPoints::series() const { return state_->current; }
Timestamp LastPoints::time() const { return Timestamp(state_->time); }
FieldValue LastPoints::field(size_t index) const { return state_->values[index]; }

}  // namespace braid
