#include "timeseries/compaction.h"

#include <algorithm>
#include <map>

#include "timeseries/series_view.h"

namespace braid {
namespace {

/// Chunks of like size are merged when there are so many.
constexpr size_t kAlikeMin = 4;
/// An older chunk is taken in when it is at most so many times as large as all newer ones together.
constexpr uint64_t kSizeRatio = 4;
/// Larger chunks are rewritten on demand only.
constexpr uint64_t kInputBytesMax = uint64_t{1} << 30;
/// Deletions that reach an interval, and the part of its rows that tell of deleted points, at which it is rewritten.
constexpr size_t kDeletionsMin = 8;
constexpr uint64_t kDeletedPart = 4;
/// Rows with so much text do not wait for others.
constexpr size_t kTextBytesMax = 1 << 20;
/// Runs between two looks at what else is to do.
constexpr size_t kRunsPerStep = 256;

using Group = std::vector<const ChunkDefinition*>;  // of one interval, by id

std::map<std::pair<HypertableId, Timestamp>, Group> groups_of(const CatalogState& state, const RewriteWish& wish) {
  std::map<std::pair<HypertableId, Timestamp>, Group> groups;
  for (const auto& [id, chunk] : state.chunks) {
    const bool wished = chunk.interval.limit <= wish.before && (!wish.table.has_value() || chunk.hypertable == *wish.table);
    if (wished) groups[{chunk.hypertable, chunk.interval.start}].push_back(&chunk);
  }
  return groups;
}

size_t deletions_reaching(const CatalogState& state, const Group& group) {
  return static_cast<size_t>(std::count_if(state.deletions.begin(), state.deletions.end(), [&](const auto& entry) {
    return std::any_of(group.begin(), group.end(), [&](const ChunkDefinition* chunk) { return entry.second->touches(*chunk); });
  }));
}

/// The first of the newest chunks that are merged; none when it is not worth it.
std::optional<size_t> worthwhile_start(const CatalogState& state, const Group& group) {
  uint64_t rows = 0;
  uint64_t deleted = 0;
  uint64_t bytes = 0;
  for (const ChunkDefinition* chunk : group) {
    rows += chunk->rows;
    deleted += chunk->deleted_rows;
    bytes += chunk->size_bytes;
  }
  if (bytes <= kInputBytesMax && (deleted * kDeletedPart > rows || deletions_reaching(state, group) >= kDeletionsMin)) return 0;
  size_t start = group.size() - 1;
  uint64_t newer = group[start]->size_bytes;
  while (start > 0 && group[start - 1]->size_bytes <= std::min(newer * kSizeRatio, kInputBytesMax)) newer += group[--start]->size_bytes;
  return group.size() - start >= kAlikeMin ? std::optional(start) : std::nullopt;
}

std::optional<size_t> start_of(const CatalogState& state, const Group& group, const RewriteWish& wish) {
  if (!wish.table.has_value()) return worthwhile_start(state, group);
  const bool small = group[0]->compressed || !wish.compress;
  const bool in_order = group.size() == 1 && small && group[0]->deleted_rows == 0 && deletions_reaching(state, group) == 0;
  return in_order ? std::nullopt : std::optional<size_t>(0);
}

}  // namespace

std::optional<CompactionPlan> choose_compaction(const CatalogState& state, const RewriteWish& wish) {
  for (const auto& [key, group] : groups_of(state, wish)) {
    const auto start = start_of(state, group, wish);
    if (!start.has_value() || !state.hypertables.contains(key.first)) continue;
    CompactionPlan plan{.table = key.first, .inputs = {}, .keeps_deleted = *start > 0};
    for (size_t i = *start; i < group.size(); ++i) plan.inputs.push_back(group[i]->id);
    // What is compressed stays so, unless younger points come into it.
    plan.compress = wish.compress || std::all_of(group.begin() + static_cast<ptrdiff_t>(*start), group.end(), [](const auto* chunk) { return chunk->compressed; });
    return plan;
  }
  return std::nullopt;
}

Compaction::Compaction(CompactionBase base, CompactionPlan plan, std::atomic<uint64_t>& count)
    : base_(std::move(base)), plan_(std::move(plan)), table_(base_.state->hypertables.at(plan_.table)), count_(count) {
  output_.id = base_.output;
  output_.hypertable = plan_.table;
  output_.interval = base_.state->chunks.at(plan_.inputs.front()).interval;
  output_.applied = base_.newest;
  output_.compressed = plan_.compress;
}

Status Compaction::open() {
  auto inputs = std::make_shared<ChunkSet>();  // shared with the view that is read
  for (const ChunkId id : plan_.inputs) {
    const auto handle = base_.chunks->by_id.at(id);
    inputs->by_table[plan_.table].push_back(handle);
    inputs->by_id.emplace(id, handle);
  }
  auto view = std::make_shared<SeriesView>(base_.newest, base_.state, std::make_shared<TailSet>(), std::move(inputs), base_.index);
  SeriesScanOptions options;
  options.shows_deleted = plan_.keeps_deleted;
  scan_ = std::make_unique<BlockScan>(std::move(view), nullptr, table_, options);
  const ChunkHeader header{base_.files->owner().uuid, base_.files->owner().epoch, output_.id, plan_.table};
  BRAID_ASSIGN(writer_, ChunkWriter::create(base_.files->env(), base_.files->path(output_.id), header, table_.fields, ChunkWriterOptions{.compress = plan_.compress}));
  return Status();
}

Status Compaction::flush() {
  if (waiting_.rows() == 0) return Status();
  const Status added = writer_->add(series_, waiting_.block());
  waiting_.clear();
  return added;
}

Status Compaction::add(const PointRun& run) {
  if (run.series != series_) BRAID_TRY(flush());
  series_ = run.series;
  for (size_t done = 0; done < run.count;) {
    const size_t count = std::min(run.count - done, kBlockRowsMax - waiting_.rows());
    waiting_.append(*run.block, run.start + done, count);
    if (waiting_.rows() == kBlockRowsMax || waiting_.text_bytes() >= kTextBytesMax) BRAID_TRY(flush());
    done += count;
  }
  return Status();
}

Status Compaction::finish() {
  BRAID_TRY(flush());
  BRAID_ASSIGN(const WrittenChunk written, writer_->finish());
  output_.rows = written.rows;
  output_.deleted_rows = written.deleted_rows;
  output_.size_bytes = written.size_bytes;
  output_.time_min = Timestamp(written.time_min);
  output_.time_max = Timestamp(written.time_max);
  scan_.reset();
  writer_.reset();
  return base_.files->env().sync_directory(base_.files->directory());
}

Result<bool> Compaction::write_some() {
  if (scan_ == nullptr) BRAID_TRY(open());
  for (size_t i = 0; i < kRunsPerStep; ++i) {
    BRAID_ASSIGN(const bool more, scan_->next());
    if (!more) {
      BRAID_TRY(finish());
      return false;
    }
    BRAID_TRY(add(scan_->run()));
  }
  return true;
}

bool Compaction::install(CatalogWriter& catalog) {
  const CatalogState& state = catalog.state();
  const bool stands = state.hypertables.contains(plan_.table) &&
                      std::all_of(plan_.inputs.begin(), plan_.inputs.end(), [&](ChunkId id) { return state.chunks.contains(id); });
  if (!stands) return false;
  for (const ChunkId id : plan_.inputs) catalog.remove_chunk(id);
  if (output_.rows > 0) catalog.add_chunk(output_);
  return true;
}

void Compaction::end(bool committed) {
  scan_.reset();
  writer_.reset();
  if (committed) count_.fetch_add(1, std::memory_order_relaxed);
  if (!committed || output_.rows == 0) base_.files->remove(output_.id);
}

}  // namespace braid
