#include "graph/read_ahead.h"

#include "graph/graph_store_view.h"

namespace braid {
namespace {

bool read_end(const GraphStoreView& view, Family family, NodeId node, TypeId type, EndAhead& out) {
  rocksdb::PinnableSlice bytes;
  const Result<bool> listed = view.get(family, head_key(node, type), bytes);
  if (!listed.ok()) return false;
  if (*listed) {
    out.head.emplace(bytes.data(), bytes.size());
    return true;
  }
  const Result<bool> exists = view.get(Family::kNode, node_key(node), bytes);
  if (!exists.ok()) return false;
  out.exists = *exists;
  return true;
}

}  // namespace

std::optional<EdgeAhead> read_edge_ahead(const StoreView& view, NodeId source, TypeId type, NodeId target) {
  const auto& graph = static_cast<const GraphStoreView&>(view);
  EdgeAhead ahead{graph.sequence(), {}, {}};
  const bool read = read_end(graph, Family::kOut, source, type, ahead.source) &&
                    read_end(graph, Family::kIn, target, type, ahead.target);
  return read ? std::optional<EdgeAhead>(std::move(ahead)) : std::nullopt;
}

}  // namespace braid
