// GraphStore: the Store over the families.
//
// Threads: publish, replay, view and checkpoint_begin are called by the holder of the writer slot;
// the rest from any thread.
#pragma once

#include <rocksdb/write_batch.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/backed_up_store.h"
#include "engine/env.h"
#include "engine/mutex.h"
#include "engine/store.h"
#include "graph/graph_overlay.h"
#include "graph/graph_store.h"
#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"
#include "graph/read_ahead.h"
#include "graph/rocksdb_handle.h"

namespace braid {

class GraphStore final : public BackedUpStore {
 public:
  GraphStore(Env& env, const Catalog& catalog, std::shared_ptr<RocksdbHandle> handle, const GraphStoreOptions& options, MemoryShare fixed_memory);
  /// Reads the markers; `created` are the families that were missing.
  Status open(const std::vector<Family>& created);

  std::unique_ptr<StoreWriter> begin(std::shared_ptr<const StoreView> base,
                                     CatalogWriter& catalog) override;
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
  /// Flushes one family alone, as RocksDB does by itself when memory is full.
  Status flush_family(Family family);
  Status check(const StoreView& view, std::vector<std::string>& problems) override;

 private:
  using Markers = std::array<FamilyMarker, kFamilyCount>;
  /// What is written at once, and the markers after it.
  struct Part {
    rocksdb::WriteBatch batch;
    Markers markers;
  };

  /// Writes what an overlay holds for each family, with the family's marker at `lsn`.
  Status write_overlay(const GraphOverlay& overlay, Lsn lsn, const GraphCounters& counters);
  void note_changes(Family family, const GraphOverlay::Entries& entries);
  Status write_part(Part& part);
  Result<FamilyMarker> read_marker(Family family, const rocksdb::ReadOptions& options) const;
  GraphCounters counters() const;

  // Constant after construction.
  Env& env_;
  const Catalog& catalog_;
  const MemoryShare fixed_memory_;                      // of RocksDB's cache and buffers
  const std::shared_ptr<RocksdbHandle> handle_;         // shared with the views
  const std::shared_ptr<ProjectionCache> projections_;  // shared with the views

  RecentChanges changes_;  // touched by the holder of the writer slot only
  mutable Mutex mutex_;
  Markers markers_ BRAID_GUARDED_BY(mutex_);  // published, durable or not
};

}  // namespace braid
