#include "timeseries/series_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "engine/backed_up_store.h"
#include "engine/check.h"
#include "engine/long_call.h"
#include "engine/mutex.h"
#include "timeseries/chunk_check.h"
#include "timeseries/chunk_directory.h"
#include "timeseries/compaction.h"
#include "timeseries/run_codec.h"
#include "timeseries/series_checkpoint.h"
#include "timeseries/series_overlay.h"
#include "timeseries/series_view.h"
#include "timeseries/series_writer.h"

namespace braid {
namespace {

/// Changes of the set of segments and deletions are made on a copy, which is made at most once.
class TailChange {
 public:
  TailChange(std::shared_ptr<const TailSet> before, std::shared_ptr<MemoryBudget> memory) : before_(std::move(before)), memory_(std::move(memory)) {}

  /// The table's newest segment that takes rows of these fields; adds one if need be.
  TailSegment& open_segment(HypertableId table, const StoredFields& fields) {
    const TailTable* known = set().find(table);
    if (known != nullptr && !known->segments.empty() && !known->segments.back()->frozen() && known->segments.back()->fields() == fields)
      return *known->segments.back();
    auto& segments = copy().tables[table].segments;
    segments.push_back(std::make_shared<TailSegment>(fields, memory_));  // shared: with views
    return *segments.back();
  }
  /// A new segment before all others: for rows that are older than theirs.
  TailSegment& oldest_segment(HypertableId table, const StoredFields& fields) {
    auto& segments = copy().tables[table].segments;
    return **segments.insert(segments.begin(), std::make_shared<TailSegment>(fields, memory_));
  }
  void delete_range(RangeDeletion deletion) {
    TailTable& changed = copy().tables[deletion.hypertable];
    if (deletion.series.empty() && deletion.range.start == TimeRange{}.start && deletion.range.limit == TimeRange{}.limit)
      changed.segments.clear();
    changed.add_deletion(std::move(deletion));
  }
  std::shared_ptr<const TailSet> take() {
    return copy_ != nullptr ? std::move(copy_) : std::move(before_);
  }

 private:
  const TailSet& set() const { return copy_ != nullptr ? *copy_ : *before_; }
  TailSet& copy() {
    if (copy_ == nullptr) copy_ = std::make_shared<TailSet>(*before_);
    return *copy_;
  }
  std::shared_ptr<const TailSet> before_;
  const std::shared_ptr<MemoryBudget> memory_;  // shared: with segments
  std::shared_ptr<TailSet> copy_;
};

StoredFields fields_of(const SeriesRun& run) {
  StoredFields fields{.ids = run.fields, .types = {}};
  for (const ColumnData& column : run.columns) fields.types.push_back(column.type);
  return fields;
}

/// Fields may have been added, dropped and widened since the record was written.
bool is_whole(const SeriesRun& run, const HypertableDefinition& table) {
  const StoredFields fields = fields_of(run);
  if (fields.ids.size() != fields.types.size() || !FieldMapping::make(fields.ids, fields.types, table.fields).ok()) return false;
  for (const ColumnData& column : run.columns) {
    if (column.size() != run.times.size()) return false;
    if (!column.nulls.empty() && column.nulls.size() != run.times.size()) return false;
  }
  return run.deleted.empty() || run.deleted.size() == run.times.size();
}

/// The chunks of a view, which keeps their files.
class HeldChunks final : public HeldFiles {
 public:
  explicit HeldChunks(std::shared_ptr<const SeriesView> view) : view_(std::move(view)) {
    for (const auto& [id, chunk] : view_->chunks().by_id)
      files_.push_back({.path = chunk->path(), .size_bytes = chunk->definition().size_bytes, .immutable = true});
  }
  const std::vector<StoreFile>& files() const override { return files_; }

 private:
  const std::shared_ptr<const SeriesView> view_;  // shared with snapshots
  std::vector<StoreFile> files_;
};

}  // namespace

class SeriesStore final : public BackedUpStore {
 public:
  SeriesStore(std::shared_ptr<ChunkFiles> files, const SeriesStoreOptions& options,
              const Catalog& catalog, const CatalogState& state)
      : options_(options),
        files_(std::move(files)),
        index_(std::make_shared<SeriesIndex>(catalog)),
        state_(std::make_shared<CatalogState>(state)),
        tail_(std::make_shared<TailSet>()),
        chunks_(make_chunk_set(files_, ChunkSet{}, state.chunks)),
        lsn_(state.series_watermark),
        marker_(state.series_watermark) {}

  void reserve_ids_up_to(ChunkId id) {
    if (next_chunk_.load() <= id.value()) next_chunk_.store(id.value() + 1);
  }

  std::unique_ptr<StoreWriter> begin(std::shared_ptr<const StoreView> base,
                                     CatalogWriter& catalog) override {
    const MutexLock lock(mutex_);
    return std::make_unique<SeriesWriter>(std::move(base), catalog, lsn_, files_->env().now());
  }
  std::unique_ptr<StoreRewrite> begin_rewrite(const RewriteWish& wish) override;
  Status admit() override;
  Status publish(StoreWriter& writer, Lsn lsn) override;
  Result<std::shared_ptr<const StoreView>> view(std::shared_ptr<const CatalogState> state) override;
  Lsn durable_marker() override;
  Status replay(const CommitRecord& record, Lsn lsn) override;
  Status checkpoint_begin(Lsn published) override;
  Status checkpoint_write() override;
  Status checkpoint_install(CatalogWriter& catalog, CommitRecord& record) override;
  void checkpoint_end(bool committed) override;
  Result<std::unique_ptr<HeldFiles>> hold_files(std::shared_ptr<const StoreView> view) override;
  std::vector<StoreFigure> figures() override;
  Status check(const StoreView& view, std::vector<std::string>& problems) override;

  uint64_t tail_bytes() const { return tail_bytes_.load(std::memory_order_relaxed); }
  bool tail_is_full() const { return tail_bytes() >= options_.tail_bytes_max; }

 private:
  std::shared_ptr<const TailSet> tail() {
    const MutexLock lock(mutex_);
    return tail_;
  }
  void install_tail(std::shared_ptr<const TailSet> tail, std::optional<Lsn> lsn);
  void append(TailSegment& segment, SeriesId series, const TailRows& rows, size_t start, size_t limit, Lsn lsn);
  void append_staged(TailChange& change, const StagedRun& run, Lsn lsn);
  Status replay_relogged(TailChange& change, const HypertableDefinition& table, const SeriesRun& run, std::map<HypertableId, TailSegment*>& oldest);
  Status replay_runs(TailChange& change, const SeriesChanges& changes, Lsn lsn);

  // Constant after construction.
  const SeriesStoreOptions options_;
  const std::shared_ptr<ChunkFiles>
      files_;  // synchronises itself; shared with chunk handles, which views keep
  const std::shared_ptr<SeriesIndex> index_;  // synchronises itself; shared with views

  // Belongs to the holder of the writer slot; `write` of the checkpoint runs without the slot, but
  // alone.
  std::unique_ptr<SeriesCheckpoint> checkpoint_;

  std::atomic<uint64_t> next_chunk_{options_.next_chunk.value()};
  std::atomic<uint64_t> tail_bytes_{0};
  std::atomic<uint64_t> rows_sealed_{0};
  std::atomic<uint64_t> compactions_{0};
  std::atomic<uint64_t> late_points_{0};

  Mutex mutex_;                                                         // a leaf
  std::shared_ptr<const CatalogState> state_ BRAID_GUARDED_BY(mutex_);  // of the newest view
  std::shared_ptr<const TailSet> tail_ BRAID_GUARDED_BY(mutex_);
  std::shared_ptr<const ChunkSet> chunks_ BRAID_GUARDED_BY(mutex_);
  Lsn lsn_ BRAID_GUARDED_BY(mutex_);     // the newest that was published or replayed
  Lsn marker_ BRAID_GUARDED_BY(mutex_);  // the watermark in the catalog
};

Status SeriesStore::admit() {
  if (tail_bytes() < options_.tail_bytes_limit) return Status();
  return Status(StatusCode::kLimit,
                fmt::format("unsealed points take {} bytes of at most {} (tail_bytes_limit)",
                            tail_bytes(), options_.tail_bytes_limit));
}

void SeriesStore::install_tail(std::shared_ptr<const TailSet> tail, std::optional<Lsn> lsn) {
  std::shared_ptr<const TailSet> before;  // released after the lock
  const MutexLock lock(mutex_);
  before = std::exchange(tail_, std::move(tail));
  if (lsn.has_value()) lsn_ = std::max(lsn_, *lsn);
}

void SeriesStore::append(TailSegment& segment, SeriesId series, const TailRows& rows, size_t start, size_t limit, Lsn lsn) {
  const uint64_t before = segment.bytes();
  segment.append(series, rows, start, limit, lsn);
  tail_bytes_.fetch_add(segment.bytes() - before, std::memory_order_relaxed);
}

void SeriesStore::append_staged(TailChange& change, const StagedRun& run, Lsn lsn) {
  if (run.rows() == 0) return;
  TailSegment& segment = change.open_segment(run.table(), run.fields());
  const TailRows rows{run.times(), run.columns(), run.deleted()};
  if (!run.has_deleted_ranges()) {
    append(segment, run.series(), rows, 0, run.rows(), lsn);
    return;
  }
  for (size_t row = 0; row < run.rows(); ++row) {
    if (!run.in_deleted_range(row)) append(segment, run.series(), rows, row, row + 1, lsn);
  }
}

Status SeriesStore::publish(StoreWriter& writer, Lsn lsn) {
  const SeriesOverlay& staged = *static_cast<SeriesWriter&>(writer).overlay();
  late_points_.fetch_add(static_cast<SeriesWriter&>(writer).late_points(), std::memory_order_relaxed);
  TailChange change(tail(), options_.memory);
  for (const SeriesOverlay::Deletion& deletion : staged.deletions()) {
    RangeDeletion range = *deletion.range;
    range.lsn = lsn;
    change.delete_range(std::move(range));
  }
  for (const auto& run : staged.runs()) append_staged(change, *run, lsn);
  auto changed = change.take();
  if (!staged.deletions().empty()) tail_bytes_.store(changed->bytes(), std::memory_order_relaxed);
  install_tail(std::move(changed), lsn);
  return Status();
}

Result<std::shared_ptr<const StoreView>> SeriesStore::view(
    std::shared_ptr<const CatalogState> state) {
  std::shared_ptr<const CatalogState> old_state;  // released after the lock
  std::shared_ptr<const ChunkSet> old_chunks;
  const MutexLock lock(mutex_);
  if (state != state_) {
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    const bool changed = !state->chunks.shares(state_->chunks) &&
                         !std::equal(state->chunks.begin(), state->chunks.end(), chunks_->by_id.begin(), chunks_->by_id.end(), same);
    if (changed) {
      old_chunks = std::move(chunks_);
      chunks_ = make_chunk_set(files_, *old_chunks, state->chunks);
    }
    old_state = std::exchange(state_, state);
  }
  // Shared: by every snapshot of the version.
  return std::shared_ptr<const StoreView>(
      std::make_shared<SeriesView>(lsn_, std::move(state), tail_, chunks_, index_));
}

Lsn SeriesStore::durable_marker() {
  const MutexLock lock(mutex_);
  return marker_;
}

/// The segment of a table that takes points which were logged again: before all others.
Status SeriesStore::replay_relogged(TailChange& change, const HypertableDefinition& table, const SeriesRun& run,
                                    std::map<HypertableId, TailSegment*>& oldest) {
  TailSegment*& segment = oldest[run.hypertable];
  if (segment == nullptr) segment = &change.oldest_segment(run.hypertable, fields_of(run));
  if (segment->fields() != fields_of(run))
    return Status(StatusCode::kCorrupt, fmt::format("points of hypertable '{}' that were logged again differ in their fields", table.name));
  append(*segment, run.series, {run.times, run.columns, run.deleted}, 0, run.times.size(), durable_marker());
  return Status();
}

// Points logged again are as old as the watermark: writes that were logged between it and their
// record win over them. So they go before all others, at the watermark's LSN.
Status SeriesStore::replay_runs(TailChange& change, const SeriesChanges& changes, Lsn lsn) {
  std::shared_ptr<const CatalogState> state;
  {
    const MutexLock lock(mutex_);
    state = state_;
  }
  std::map<HypertableId, TailSegment*> oldest;
  BRAID_TRY(read_runs(changes.runs, [&](const SeriesRun& run) -> Status {
    const auto table = state->hypertables.find(run.hypertable);
    if (table == state->hypertables.end()) return Status();
    if (!is_whole(run, table->second))
      return Status(
          StatusCode::kCorrupt,
          fmt::format("points of hypertable '{}' do not have its fields", table->second.name));
    if (changes.relogged) return replay_relogged(change, table->second, run, oldest);
    append(change.open_segment(run.hypertable, fields_of(run)), run.series, {run.times, run.columns, run.deleted}, 0, run.times.size(), lsn);
    return Status();
  }));
  // No row may follow in a segment of older rows, unless it is the only one.
  for (const auto& [table, segment] : oldest) segment->freeze();
  return Status();
}

Status SeriesStore::replay(const CommitRecord& record, Lsn lsn) {
  {
    const MutexLock lock(mutex_);
    if (lsn <= lsn_) return Status();
  }
  TailChange change(tail(), options_.memory);
  for (const SeriesDeletion& deletion : record.series.deletions)
    change.delete_range({.hypertable = deletion.hypertable, .range = deletion.range, .series = deletion.series, .lsn = lsn});
  const Status status = replay_runs(change, record.series, lsn);
  if (!status.ok()) return status.within(fmt::format("log record {}", lsn.value()));
  install_tail(change.take(), lsn);
  return Status();
}

Status SeriesStore::checkpoint_begin(Lsn published) {
  if (checkpoint_ != nullptr) checkpoint_end(false);
  std::shared_ptr<const CatalogState> state;
  std::shared_ptr<const TailSet> tail;
  {
    const MutexLock lock(mutex_);
    lsn_ = std::max(lsn_, published);
    state = state_;
    tail = tail_;
  }
  constexpr uint64_t kRelogPart = 8;  // of the tail
  checkpoint_ = std::make_unique<SeriesCheckpoint>(published, std::move(state), std::move(tail),
                                                   RelogBounds{options_.relog_rows_max, options_.tail_bytes_max / kRelogPart});
  return Status();
}

Status SeriesStore::checkpoint_write() {
  if (checkpoint_ == nullptr)
    return Status(StatusCode::kMisuse, "no checkpoint of the time series was begun");
  return checkpoint_->write(*files_, [this] { return ChunkId(next_chunk_.fetch_add(1)); });
}

Status SeriesStore::checkpoint_install(CatalogWriter& catalog, CommitRecord& record) {
  if (checkpoint_ == nullptr)
    return Status(StatusCode::kMisuse, "no checkpoint of the time series was begun");
  checkpoint_->install(*tail(), catalog, record);
  return Status();
}

void SeriesStore::checkpoint_end(bool committed) {
  if (checkpoint_ == nullptr) return;
  const std::unique_ptr<SeriesCheckpoint> ended = std::move(checkpoint_);
  if (committed) {
    auto changed = ended->without_sealed(*tail());
    tail_bytes_.store(changed->bytes(), std::memory_order_relaxed);
    install_tail(std::move(changed), std::nullopt);
    rows_sealed_.fetch_add(ended->rows_sealed());
    const MutexLock lock(mutex_);
    marker_ = ended->newest();
  }
  ended->remove_files(*files_, committed);
}

/// Without a checkpoint that was begun, what it will install is newer than the output: chunks win by their ids.
std::unique_ptr<StoreRewrite> SeriesStore::begin_rewrite(const RewriteWish& wish) {
  if (checkpoint_ != nullptr) return nullptr;
  CompactionBase base{.files = files_, .state = {}, .chunks = {}, .index = index_};
  {
    const MutexLock lock(mutex_);
    base.state = state_;
    base.chunks = chunks_;
    base.newest = lsn_;
  }
  auto plan = choose_compaction(*base.state, wish);
  if (!plan.has_value()) return nullptr;
  base.output = ChunkId(next_chunk_.fetch_add(1));
  return std::make_unique<Compaction>(std::move(base), std::move(*plan), compactions_);
}

Result<std::unique_ptr<HeldFiles>> SeriesStore::hold_files(std::shared_ptr<const StoreView> view) {
  return std::unique_ptr<HeldFiles>(std::make_unique<HeldChunks>(std::static_pointer_cast<const SeriesView>(std::move(view))));
}

std::vector<StoreFigure> SeriesStore::figures() {
  std::shared_ptr<const TailSet> tail;
  std::shared_ptr<const ChunkSet> chunks;
  {
    const MutexLock lock(mutex_);
    tail = tail_;
    chunks = chunks_;
  }
  uint64_t chunk_bytes = 0;
  for (const auto& [id, handle] : chunks->by_id) chunk_bytes += handle->definition().size_bytes;
  const auto figure = [](std::string name, std::string unit, uint64_t value) {
    return StoreFigure{std::move(name), std::move(unit), static_cast<int64_t>(value)};
  };
  const auto counter = [&](std::string name, std::string unit, uint64_t value) {
    StoreFigure counted = figure(std::move(name), std::move(unit), value);
    counted.is_counter = true;
    return counted;
  };
  return {figure("tail_rows", "rows", tail->rows()), figure("tail_bytes", "bytes", tail->bytes()),
          figure("chunk_files", "files", chunks->by_id.size()),
          figure("chunk_bytes", "bytes", chunk_bytes),
          counter("rows_sealed", "rows", rows_sealed_.load()),
          counter("compactions", "", compactions_.load()),
          counter("late_points_dropped", "points", late_points_.load())};
}

Status SeriesStore::check(const StoreView& view, std::vector<std::string>& problems) {
  const auto& pinned = static_cast<const SeriesView&>(view);
  const auto& tables = pinned.state().hypertables;
  size_t done = 0;
  for (const auto& [id, handle] : pinned.chunks().by_id) {
    BRAID_TRY(LongCall::check(static_cast<double>(done++) / static_cast<double>(pinned.chunks().by_id.size())));
    const auto table = tables.find(handle->definition().hypertable);
    check_chunk(*handle, table == tables.end() ? nullptr : &table->second, problems);
  }
  return Status();
}

Result<std::unique_ptr<Store>> open_series_store(Env& env, const Catalog& catalog,
                                                 const CatalogState& state,
                                                 const std::string& directory,
                                                 const DatabaseIdentity& identity,
                                                 const SeriesStoreOptions& options) {
  if (!env.exists(directory)) BRAID_TRY(env.create_directory(directory));
  // Shared: chunk handles keep it, in views that may outlive the store.
  auto files =
      std::make_shared<ChunkFiles>(env, directory, ChunkOwner{identity.uuid, identity.epoch});
  BRAID_ASSIGN(const ChunkId greatest, clean_chunk_directory(*files, state.chunks));
  auto store = std::make_unique<SeriesStore>(std::move(files), options, catalog, state);
  store->reserve_ids_up_to(greatest);
  if (!state.chunks.empty()) store->reserve_ids_up_to(state.chunks.rbegin()->first);
  return std::unique_ptr<Store>(std::move(store));
}

uint64_t tail_bytes(const Store& series_store) {
  return static_cast<const SeriesStore&>(series_store).tail_bytes();
}
bool tail_is_full(const Store& series_store) {
  return static_cast<const SeriesStore&>(series_store).tail_is_full();
}

}  // namespace braid
