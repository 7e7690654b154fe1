#include "graph/graph_store_view.h"

#include <fmt/format.h>

#include "graph/rocksdb_status.h"

namespace braid {

GraphStoreView::GraphStoreView(std::shared_ptr<RocksdbHandle> handle, Pin pin,
                               const Catalog& catalog, std::shared_ptr<const CatalogState> state,
                               GraphCounters counters, uint64_t sequence,
                               std::shared_ptr<ProjectionCache> projections)
    : handle_(std::move(handle)),
      snapshot_(pin == Pin::kSnapshot ? handle_->db().GetSnapshot() : nullptr),
      catalog_(catalog),
      state_(std::move(state)),
      counters_(counters),
      sequence_(sequence),
      projections_(std::move(projections)) {
  read_options_.snapshot = snapshot_;
}

GraphStoreView::~GraphStoreView() {
  if (snapshot_ != nullptr) handle_->db().ReleaseSnapshot(snapshot_);
}

Result<bool> GraphStoreView::get(Family family, std::string_view key,
                                 rocksdb::PinnableSlice& out) const {
  out.Reset();
  const rocksdb::Status status = handle_->db().Get(read_options_, handle_->family(family),
                                                   key, &out);
  if (status.ok()) return true;
  if (status.IsNotFound()) return false;
  return rocksdb_status(status, fmt::format("read family {}", family_name(family)));
}

Status GraphStoreView::scan_status(const rocksdb::Iterator& iterator, Family family) {
  return rocksdb_status(iterator.status(), fmt::format("scan family {}", family_name(family)));
}

std::unique_ptr<rocksdb::Iterator> GraphStoreView::iterate(Family family,
                                                           const rocksdb::Slice* limit) const {
  rocksdb::ReadOptions options = read_options_;
  options.iterate_upper_bound = limit;
  return std::unique_ptr<rocksdb::Iterator>(
      handle_->db().NewIterator(options, handle_->family(family)));
}

Status damaged(Family family, std::string_view key, std::string_view what) {
  std::string hex;
  for (const char byte : key.substr(0, 64)) {
    hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  }
  return Status(StatusCode::kCorrupt,
                fmt::format("graph: family {}, key {}: {}", family_name(family), hex, what));
}

}  // namespace braid
