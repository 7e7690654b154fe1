// The chunk files that a view reads: counted handles, opened on first use, unlinked when the last
// view of a dropped one goes.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/catalog.h"
#include "engine/env.h"
#include "engine/mutex.h"
#include "timeseries/chunk_reader.h"

namespace braid {

/// What marks the files as this database's.
struct ChunkOwner {
  std::string uuid;
  uint64_t epoch = 0;
};

/// Opens chunk files and keeps the most recently used ones open, so that descriptors and footers
/// are bounded. Threads: all members may be called from any thread. The lock is a leaf.
class ChunkFiles {
 public:
  ChunkFiles(Env& env, std::string directory, ChunkOwner owner)
      : env_(env), directory_(std::move(directory)), owner_(std::move(owner)) {}

  std::string path(ChunkId chunk) const { return directory_ + "/" + chunk_file_name(chunk); }
  /// kCorrupt, naming the file, when it is missing, damaged or another chunk's.
  Result<std::shared_ptr<const ChunkReader>> open(const ChunkDefinition& chunk);
  void remove(ChunkId chunk);

  Env& env() const { return env_; }
  const std::string& directory() const { return directory_; }
  const ChunkOwner& owner() const { return owner_; }

 private:
  using Recent = std::list<std::pair<ChunkId, std::shared_ptr<const ChunkReader>>>;
  std::shared_ptr<const ChunkReader> cached(ChunkId chunk);
  void keep(ChunkId chunk, std::shared_ptr<const ChunkReader> reader);

  Env& env_;                     // synchronises itself
  const std::string directory_;  // constant after construction
  const ChunkOwner owner_;
  Mutex mutex_;
  Recent recent_ BRAID_GUARDED_BY(mutex_);  // most recent first
  std::unordered_map<ChunkId, Recent::iterator> by_id_ BRAID_GUARDED_BY(mutex_);
};

/// A chunk of the catalogue. Its file is unlinked when an obsolete handle goes.
class ChunkHandle {
 public:
  ChunkHandle(std::shared_ptr<ChunkFiles> files, const ChunkDefinition& definition)
      : files_(std::move(files)), definition_(definition) {}
  ~ChunkHandle();
  ChunkHandle(const ChunkHandle&) = delete;
  ChunkHandle& operator=(const ChunkHandle&) = delete;

  const ChunkDefinition& definition() const { return definition_; }
  Result<std::shared_ptr<const ChunkReader>> reader() const { return files_->open(definition_); }
  std::string path() const { return files_->path(definition_.id); }
  /// Only after the removal of its row is committed.
  void set_obsolete() { obsolete_.store(true, std::memory_order_release); }

 private:
  const std::shared_ptr<ChunkFiles> files_;  // shared: handles outlive the store in views
  const ChunkDefinition definition_;
  std::atomic<bool> obsolete_{false};
};

/// Immutable. The chunks of each hypertable are ordered by (interval, id).
struct ChunkSet {
  using Handles = std::vector<std::shared_ptr<ChunkHandle>>;
  std::map<HypertableId, Handles> by_table;
  std::map<ChunkId, std::shared_ptr<ChunkHandle>> by_id;

  const Handles& of(HypertableId table) const;
  /// Those of the intervals that touch the range.
  std::span<const std::shared_ptr<ChunkHandle>> within(HypertableId table, TimeRange range) const;
  /// Those of the interval that holds `time`, by id.
  std::span<const std::shared_ptr<ChunkHandle>> at(HypertableId table, int64_t time) const;
};

/// The set for the catalogue's chunks, with the handles of `before` where they go on; others of
/// `before` become obsolete.
std::shared_ptr<const ChunkSet> make_chunk_set(const std::shared_ptr<ChunkFiles>& files,
                                               const ChunkSet& before,
                                               const std::map<ChunkId, ChunkDefinition>& chunks);

}  // namespace braid
