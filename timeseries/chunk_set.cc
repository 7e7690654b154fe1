#include "timeseries/chunk_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace braid {
namespace {

constexpr size_t kOpenFilesMax = 128;

bool precedes(const std::shared_ptr<ChunkHandle>& a, const std::shared_ptr<ChunkHandle>& b) {
  const ChunkDefinition& x = a->definition();
  const ChunkDefinition& y = b->definition();
  return x.interval.start != y.interval.start ? x.interval.start < y.interval.start : x.id < y.id;
}

}  // namespace

std::shared_ptr<const ChunkReader> ChunkFiles::cached(ChunkId chunk) {
  const MutexLock lock(mutex_);
  const auto found = by_id_.find(chunk);
  if (found == by_id_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->second;
}

void ChunkFiles::keep(ChunkId chunk, std::shared_ptr<const ChunkReader> reader) {
  std::shared_ptr<const ChunkReader> evicted;  // closed after the lock is released
  const MutexLock lock(mutex_);
  if (by_id_.contains(chunk)) return;
  recent_.emplace_front(chunk, std::move(reader));
  by_id_[chunk] = recent_.begin();
  if (recent_.size() <= kOpenFilesMax) return;
  evicted = std::move(recent_.back().second);
  by_id_.erase(recent_.back().first);
  recent_.pop_back();
}

Result<std::shared_ptr<const ChunkReader>> ChunkFiles::open(const ChunkDefinition& chunk) {
  if (auto reader = cached(chunk.id)) return reader;
  const std::string file = path(chunk.id);
  if (!env_.exists(file))
    return Status(StatusCode::kCorrupt, file + ": the file of a chunk is missing");
  BRAID_ASSIGN(std::shared_ptr<const ChunkReader> reader, ChunkReader::open(env_, file));
  const ChunkHeader& header = reader->header();
  if (header.uuid != owner_.uuid || header.chunk != chunk.id ||
      header.hypertable != chunk.hypertable || reader->size_bytes() != chunk.size_bytes)
    return Status(StatusCode::kCorrupt,
                  file + ": the file is not the chunk that the catalogue names");
  keep(chunk.id, reader);
  return reader;
}

void ChunkFiles::remove(ChunkId chunk) {
  std::shared_ptr<const ChunkReader> closing;
  {
    const MutexLock lock(mutex_);
    const auto found = by_id_.find(chunk);
    if (found != by_id_.end()) {
      closing = std::move(found->second->second);
      recent_.erase(found->second);
      by_id_.erase(found);
    }
  }
  // A loss of power must not bring back the row of a file that is gone. A file that stays is removed at the next open, since no row of the catalogue
  // names it.
  if (!env_.sync_commits().ok()) return;
  env_.remove(path(chunk)).ignore();
}

ChunkHandle::~ChunkHandle() {
  if (obsolete_.load(std::memory_order_acquire)) files_->remove(definition_.id);
}

const ChunkSet::Handles& ChunkSet::of(HypertableId table) const {
  static const Handles kNone;
  const auto found = by_table.find(table);
  return found == by_table.end() ? kNone : found->second;
}

// Intervals are equal or apart, so their limits ascend with their starts.
std::span<const std::shared_ptr<ChunkHandle>> ChunkSet::within(HypertableId table, TimeRange range) const {
  const Handles& all = of(table);
  const auto start = std::partition_point(all.begin(), all.end(), [&](const auto& handle) { return handle->definition().interval.limit <= range.start; });
  const auto limit = std::partition_point(start, all.end(), [&](const auto& handle) { return handle->definition().interval.start < range.limit; });
  return {start, limit};
}

std::span<const std::shared_ptr<ChunkHandle>> ChunkSet::at(HypertableId table, int64_t time) const {
  const Handles& all = of(table);
  const auto start_of = [](const auto& handle) { return handle->definition().interval.start.value(); };
  const auto limit = std::upper_bound(all.begin(), all.end(), time,
                                      [&](int64_t t, const auto& handle) { return t < start_of(handle); });
  if (limit == all.begin() || (*std::prev(limit))->definition().interval.limit.value() <= time) return {};
  const auto start = std::lower_bound(all.begin(), limit, start_of(*std::prev(limit)),
                                      [&](const auto& handle, int64_t t) { return start_of(handle) < t; });
  return {start, limit};
}

std::shared_ptr<const ChunkSet> make_chunk_set(const std::shared_ptr<ChunkFiles>& files,
                                               const ChunkSet& before,
                                               const std::map<ChunkId, ChunkDefinition>& chunks) {
  // Shared: by the store and every view made from it.
  auto set = std::make_shared<ChunkSet>();
  for (const auto& [id, definition] : chunks) {
    const auto known = before.by_id.find(id);
    auto handle = known != before.by_id.end() ? known->second
                                              : std::make_shared<ChunkHandle>(files, definition);
    set->by_table[definition.hypertable].push_back(handle);
    set->by_id.emplace(id, std::move(handle));
  }
  for (auto& [table, handles] : set->by_table) std::sort(handles.begin(), handles.end(), precedes);
  for (const auto& [id, handle] : before.by_id) {
    if (!chunks.contains(id)) handle->set_obsolete();
  }
  return set;
}

}  // namespace braid
