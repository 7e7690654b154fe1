// Reading nodes, edges, neighbours and index entries out of the families.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "graph/family_reader.h"
#include "graph/graph_view.h"

namespace braid {

Result<bool> node_exists(const FamilyReader& reader, NodeId id);
Result<std::optional<Node>> read_node(const FamilyReader& reader, NodeId id);
Result<std::optional<Edge>> read_edge(const FamilyReader& reader, EdgeId id);
/// Edges of `type` on one side (kOut or kIn) of a node, from the totals in the heads of its lists.
Result<uint64_t> read_degree(const FamilyReader& reader, NodeId node, Direction side, TypeId type);
/// Of all types.
Result<uint64_t> read_degree(const FamilyReader& reader, NodeId node, Direction side);

/// One side of a node. GraphView::neighbors says the order.
struct NeighborQuery {
  NodeId node;
  Direction direction = Direction::kOut;  ///< kOut or kIn
  std::optional<TypeId> type;
  size_t count_max = SIZE_MAX;  ///< of `out` in all
  bool stops = false;           ///< a long list is left with kInterrupted when the thread's call is to end
};
Status read_neighbors(const FamilyReader& reader, const NeighborQuery& query,
                      std::vector<Neighbor>& out);

/// Appends the ids in the index keys that start with `prefix`, at most `count_max`.
Status read_index_ids(const FamilyReader& reader, const std::string& prefix, size_t count_max,
                      std::vector<uint64_t>& out);

/// As GraphView::scan_index.
Status scan_index_up(const FamilyReader& reader, IndexId index, const IndexRange& range,
                     const IndexHit* after, size_t count_max, std::vector<IndexHit>& out);
Status scan_index_down(const FamilyReader& reader, IndexId index, const IndexRange& range,
                       const IndexHit* after, size_t count_max, std::vector<IndexHit>& out);

Status scan_nodes(const FamilyReader& reader, NodeId after, size_t count_max,
                  std::vector<Node>& out);
Status scan_label(const FamilyReader& reader, LabelId label, NodeId after, size_t count_max,
                  std::vector<NodeId>& out);
Status scan_edges(const FamilyReader& reader, EdgeId after, size_t count_max,
                  std::vector<Edge>& out);

}  // namespace braid
