#include "graph/graph_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "graph/graph_check.h"
#include "graph/graph_fold.h"
#include "graph/graph_store_impl.h"
#include "graph/graph_writer.h"
#include "graph/live_files.h"
#include "graph/rocksdb_status.h"
#include "graph/staged_changes.h"
#include "graph/two_threads.h"

namespace braid {
namespace {

constexpr int kStallWaitMsMax = 2000;
/// Above this, a transaction is written family by family, which its markers allow: one is written while the next one is put together.
constexpr uint64_t kStagedBytesSplit = 32 << 20;


Status marker_ahead(Family family, Lsn marker) {
  return Status(StatusCode::kCorrupt,
                fmt::format("graph: column family {} is missing, but others are at commit {}",
                            family_name(family), marker.value()));
}

Status fill_batch(rocksdb::ColumnFamilyHandle* handle, const GraphOverlay::Entries& entries,
                  const FamilyMarker& marker, rocksdb::WriteBatch& batch) {
  rocksdb::Status status = batch.Put(handle, kMarkerKey, encode_marker(marker));
  for (const auto& [key, entry] : entries) {
    if (!status.ok()) break;
    status = entry.bytes ? batch.Put(handle, key, *entry.bytes) : batch.Delete(handle, key);
  }
  return rocksdb_status(status, "fill a batch");
}

}  // namespace

Result<std::unique_ptr<Store>> open_graph_store(Env& env, const Catalog& catalog,
                                                const std::string& directory,
                                                const GraphStoreOptions& options) {
  // A buffer that is being written to disk is held beside the one that is filled.
  MemoryShare fixed_memory(options.memory, MemoryUse::kGraphStore);
  BRAID_TRY(fixed_memory.grow_to(options.block_cache_bytes + 2 * options.write_buffer_bytes).within("graph_cache_bytes and twice graph_buffer_bytes"));
  std::vector<Family> created;
  BRAID_ASSIGN(auto handle, RocksdbHandle::open(env, directory,
                                                {.block_cache_bytes = options.block_cache_bytes,
                                                 .write_buffer_bytes = options.write_buffer_bytes,
                                                 .log_begin = options.log_begin},
                                                created));
  auto store = std::make_unique<GraphStore>(env, catalog, std::move(handle), options, std::move(fixed_memory));
  BRAID_TRY(store->open(created));
  return std::unique_ptr<Store>(std::move(store));
}

GraphStore::GraphStore(Env& env, const Catalog& catalog, std::shared_ptr<RocksdbHandle> handle,
                       const GraphStoreOptions& options, MemoryShare fixed_memory)
    : env_(env),
      catalog_(catalog),
      fixed_memory_(std::move(fixed_memory)),
      handle_(std::move(handle)),
      projections_(std::make_shared<ProjectionCache>(options.projection_bytes_max, options.memory)) {}

Status GraphStore::open(const std::vector<Family>& created) {
  Markers markers;
  Lsn newest;
  for (const Family family : kFamilies) {
    BRAID_ASSIGN(FamilyMarker marker, read_marker(family, {}));
    markers[static_cast<size_t>(family)] = marker;
    newest = std::max(newest, marker.lsn);
  }
  // Families are made together before the first commit: one that is missing later was lost.
  if (!created.empty() && newest.value() > 0) return marker_ahead(created.front(), newest);
  MutexLock lock(mutex_);
  markers_ = markers;
  return {};
}

Result<FamilyMarker> GraphStore::read_marker(Family family,
                                             const rocksdb::ReadOptions& options) const {
  FamilyMarker marker;
  const bool counts = family == Family::kNode || family == Family::kEdge;
  if (counts) marker.next_id = 1;
  std::string bytes;
  const rocksdb::Status status =
      handle_->db().Get(options, handle_->family(family), kMarkerKey, &bytes);
  if (status.IsNotFound()) return marker;
  BRAID_TRY(rocksdb_status(status, fmt::format("read the marker of {}", family_name(family))));
  if (!decode_marker(bytes, marker) || (counts && marker.next_id == 0)) {
    return damaged(family, kMarkerKey, "the marker is damaged");
  }
  return marker;
}

GraphCounters GraphStore::counters() const {
  MutexLock lock(mutex_);
  const FamilyMarker& node = markers_[static_cast<size_t>(Family::kNode)];
  return {NodeId(node.next_id), EdgeId(markers_[static_cast<size_t>(Family::kEdge)].next_id), NodeId(node.least_removed)};
}

std::unique_ptr<StoreWriter> GraphStore::begin(std::shared_ptr<const StoreView> base,
                                               CatalogWriter& catalog) {
  return std::make_unique<GraphWriter>(std::move(base), catalog, changes_);
}

Status GraphStore::admit() {
  BRAID_TRY(env_.check_writable());
  BRAID_TRY(handle_->go_on_after_full_disk());
  for (int waited_ms = 0; handle_->stalled(); ++waited_ms) {
    if (waited_ms >= kStallWaitMsMax) {
      return Status(StatusCode::kBusy, "graph: writing to disk is behind; try again");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    BRAID_TRY(handle_->background_error());
  }
  return {};
}

Status GraphStore::write_overlay(const GraphOverlay& overlay, Lsn lsn,
                                 const GraphCounters& counters) {
  Part part;
  {
    MutexLock lock(mutex_);
    part.markers = markers_;
  }
  changes_.begin_publish();
  const bool is_split = overlay.staged_bytes() >= kStagedBytesSplit;
  Part filled;  // and not written yet
  for (const Family family : kFamilies) {
    const GraphOverlay::Entries& entries = overlay.entries(family);
    if (entries.empty()) continue;
    note_changes(family, entries);
    FamilyMarker& marker = part.markers[static_cast<size_t>(family)];
    marker.lsn = lsn;
    if (family == Family::kNode) {
      marker.next_id = counters.next_node.value();
      marker.least_removed = counters.least_removed.value();
    }
    if (family == Family::kEdge) marker.next_id = counters.next_edge.value();
    Status status, written;
    const auto fill = [&] { status = fill_batch(handle_->family(family), entries, marker, part.batch); };
    if (is_split) {
      in_two_threads(fill, [&] { written = write_part(filled); });
      filled = Part{std::move(part.batch), part.markers};
      part.batch = rocksdb::WriteBatch();
    } else {
      fill();
    }
    BRAID_TRY(std::move(written));
    BRAID_TRY(std::move(status));
  }
  return write_part(is_split ? filled : part);
}

void GraphStore::note_changes(Family family, const GraphOverlay::Entries& entries) {
  if (entries.size() > RecentChanges::kKeysNotedMax) return changes_.note_all();
  for (const auto& [key, entry] : entries) changes_.note(family, key);
}

Status GraphStore::write_part(Part& part) {
  if (part.batch.Count() == 0) return {};
  Status written = handle_->write(part.batch);
  // A flush in the background may have failed since the transaction was admitted.
  if (written.code() == StatusCode::kFull && handle_->go_on_after_full_disk().ok()) written = handle_->write(part.batch);
  BRAID_TRY(written);
  MutexLock lock(mutex_);
  markers_ = part.markers;
  return {};
}

Status GraphStore::publish(StoreWriter& writer, Lsn lsn) {
  auto& graph_writer = static_cast<GraphWriter&>(writer);
  graph_writer.staged_->published = true;
  BRAID_TRY(write_overlay(*graph_writer.overlay_, lsn, graph_writer.staged_->counters));
  projections_->note_publish(changes_.sequence(), graph_writer.staged_->shape);
  return {};
}

Result<std::shared_ptr<const StoreView>> GraphStore::view(
    std::shared_ptr<const CatalogState> state) {
  return std::shared_ptr<const StoreView>(std::make_shared<GraphStoreView>(
      handle_, GraphStoreView::Pin::kSnapshot, catalog_, std::move(state), counters(), changes_.sequence(),
      projections_));
}

Lsn GraphStore::durable_marker() {
  rocksdb::ReadOptions options;
  options.read_tier = rocksdb::kPersistedTier;
  Lsn lowest(UINT64_MAX);
  for (const Family family : kFamilies) {
    const Result<FamilyMarker> marker = read_marker(family, options);
    // A marker that cannot be read promises nothing: no log row may go.
    if (!marker.ok()) return Lsn(0);
    lowest = std::min(lowest, marker->lsn);
  }
  return lowest;
}

Status GraphStore::replay(const CommitRecord& record, Lsn lsn) {
  if (record.graph.empty()) return {};
  // Only what is behind is written; what is opened for reading must be behind in nothing.
  if (env_.read_only() && durable_marker() < lsn)
    return Status(StatusCode::kReadOnly, fmt::format("the graph does not have commit {} yet, since the database was not closed; open it once without "
                                                     "read_only=1", lsn.value()));
  if (env_.read_only()) return {};
  Markers markers;
  {
    MutexLock lock(mutex_);
    markers = markers_;
  }
  GraphOverlay overlay(std::make_shared<GraphStoreView>(handle_, GraphStoreView::Pin::kNewest,
                                                        catalog_, nullptr, counters(), changes_.sequence(),
                                                        projections_));
  OverlayOperation operation(overlay);
  for (const Family family : kFamilies) {
    if (markers[static_cast<size_t>(family)].lsn >= lsn) continue;
    for (const NodeChange& change : record.graph.nodes) {
      BRAID_TRY(fold_change(family, change, overlay));
    }
    for (const EdgeChange& change : record.graph.edges) {
      BRAID_TRY(fold_change(family, change, overlay));
    }
  }
  operation.keep();
  GraphCounters after{record.graph.next_node, record.graph.next_edge, counters().least_removed};
  for (const NodeChange& change : record.graph.nodes) {
    if (change.kind == ChangeKind::kRemove) after.least_removed = std::min(after.least_removed, change.id);
  }
  return write_overlay(overlay, lsn, after)
      .within(fmt::format("replay of commit {}", lsn.value()));
}

Status GraphStore::checkpoint_begin(Lsn published) {
  BRAID_TRY(admit());
  Part part;
  {
    MutexLock lock(mutex_);
    part.markers = markers_;
  }
  for (const Family family : kFamilies) {
    FamilyMarker& marker = part.markers[static_cast<size_t>(family)];
    if (marker.lsn >= published) continue;
    marker.lsn = published;
    BRAID_TRY(
        rocksdb_status(part.batch.Put(handle_->family(family), kMarkerKey, encode_marker(marker)),
                       "fill a batch"));
  }
  return write_part(part);
}

Status GraphStore::checkpoint_write() { return handle_->flush(); }

Status GraphStore::flush_family(Family family) {
  return rocksdb_status(handle_->db().Flush(rocksdb::FlushOptions(), handle_->family(family)),
                        "flush");
}

Status GraphStore::checkpoint_install(CatalogWriter&, CommitRecord&) { return {}; }

void GraphStore::checkpoint_end(bool) {}

Result<std::unique_ptr<HeldFiles>> GraphStore::hold_files(std::shared_ptr<const StoreView>) {
  return LiveFiles::hold(handle_);
}

std::vector<StoreFigure> GraphStore::figures() {
  const GraphCounters next = counters();
  auto estimate = [this](Family family, uint64_t per_key, uint64_t next_id) {
    const uint64_t keys = handle_->keys_estimate(family);
    return static_cast<int64_t>(std::min(keys * per_key, next_id - 1));
  };
  uint64_t disk = 0, memory = 0;
  for (const Family family : kFamilies) {
    disk += handle_->property(family, rocksdb::DB::Properties::kTotalSstFilesSize);
    memory += handle_->property(family, rocksdb::DB::Properties::kSizeAllMemTables);
  }
  const uint64_t cache =
      handle_->property(Family::kNode, rocksdb::DB::Properties::kBlockCacheUsage);
  return {{"graph_nodes_estimate", "nodes", estimate(Family::kNode, 1, next.next_node.value())},
          {"graph_edges_estimate", "edges",
           estimate(Family::kEdge, kEdgesPerBlock, next.next_edge.value())},
          {"graph_disk_bytes", "bytes", static_cast<int64_t>(disk)},
          {"graph_memtable_bytes", "bytes", static_cast<int64_t>(memory)},
          {"graph_cache_bytes", "bytes", static_cast<int64_t>(cache)},
          {"graph_projection_bytes", "bytes", static_cast<int64_t>(projections_->memory_bytes())}};
}

Status GraphStore::check(const StoreView& view, std::vector<std::string>& problems) {
  return check_graph(static_cast<const GraphStoreView&>(view), problems);
}

}  // namespace braid
