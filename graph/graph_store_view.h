// The graph at one LSN: a RocksDB snapshot with the catalog of the same LSN. Immutable; any thread
// may read it. It keeps the database open, so a store that is closed lets go of its files when its
// last view is released.
#pragma once

#include <rocksdb/db.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "engine/catalog.h"
#include "engine/result.h"
#include "engine/store.h"
#include "graph/rocksdb_handle.h"

namespace braid {

class ProjectionCache;  // graph/projection_cache.h

/// The ids to assign next, and what follows from them: as ids are assigned without gaps, each node below `least_removed` exists.
struct GraphCounters {
  NodeId next_node{1};
  EdgeId next_edge{1};
  NodeId least_removed{UINT64_MAX};  ///< the least id of a node that was removed

  /// The ids from 1 to below this one are nodes.
  NodeId gapless_limit() const { return std::min(next_node, least_removed); }
  bool is_surely_node(NodeId id) const { return id.value() > 0 && id < gapless_limit(); }
};

class GraphStoreView final : public StoreView {
 public:
  enum class Pin { kSnapshot, kNewest };

  /// kNewest reads whatever is newest at each call; it is for the one writer's replay.
  GraphStoreView(std::shared_ptr<RocksdbHandle> handle, Pin pin, const Catalog& catalog,
                 std::shared_ptr<const CatalogState> state, GraphCounters counters, uint64_t sequence,
                 std::shared_ptr<ProjectionCache> projections);
  ~GraphStoreView() override;
  GraphStoreView(const GraphStoreView&) = delete;
  GraphStoreView& operator=(const GraphStoreView&) = delete;

  /// Answers whether the key is there.
  Result<bool> get(Family family, std::string_view key, rocksdb::PinnableSlice& out) const;
  /// `limit`, the first key not to be seen, may be null; it is borrowed by the iterator.
  std::unique_ptr<rocksdb::Iterator> iterate(Family family, const rocksdb::Slice* limit) const;
  /// Why such an iterator stands nowhere: ok at its end.
  static Status scan_status(const rocksdb::Iterator& iterator, Family family);

  const Catalog& catalog() const { return catalog_; }
  const CatalogState& state() const { return *state_; }
  const GraphCounters& counters() const { return counters_; }
  /// How many publishes came before: see RecentChanges.
  uint64_t sequence() const { return sequence_; }
  ProjectionCache& projections() const { return *projections_; }

 private:
  const std::shared_ptr<RocksdbHandle> handle_;  // shared with the store and the other views
  const rocksdb::Snapshot* const snapshot_;
  const Catalog& catalog_;
  const std::shared_ptr<const CatalogState> state_;  // shared by all views of one version
  const GraphCounters counters_;
  const uint64_t sequence_;
  const std::shared_ptr<ProjectionCache> projections_;  // shared by all views
  rocksdb::ReadOptions read_options_;
};

/// "graph: family F, key 0a1b..: WHAT" with kCorrupt.
Status damaged(Family family, std::string_view key, std::string_view what);

}  // namespace braid
