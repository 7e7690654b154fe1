// Hierarchies: edge types without cycles, which order the same nodes in several ways. In each a node may have several parents.
//
// CatalogState says which edge types are hierarchies; GraphWriter keeps them without cycles. Here they are read: walks near a node on
// the stored graph, whole hierarchies on a projection of the edge type in its natural orientation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "graph/algorithm.h"
#include "graph/traversal.h"

namespace braid {

/// The side of a node on which the edges to its parents, or to its children, are.
constexpr Direction parent_side(HierarchyDirection direction) {
  return direction == HierarchyDirection::kUp ? Direction::kOut : Direction::kIn;
}
constexpr Direction child_side(HierarchyDirection direction) {
  return direction == HierarchyDirection::kUp ? Direction::kIn : Direction::kOut;
}
inline const Adjacency& parents_of(const Projection& projection, HierarchyDirection direction) {
  return direction == HierarchyDirection::kUp ? projection.out() : projection.in();
}
inline const Adjacency& children_of(const Projection& projection, HierarchyDirection direction) {
  return direction == HierarchyDirection::kUp ? projection.in() : projection.out();
}

/// "3 -> 7 -> 3": the nodes of a cycle from child to parent, `nodes` without the repeated one; long ones are cut and counted.
std::string cycle_text(std::span<const NodeId> nodes);

/// The nodes of one cycle, each a child of the next and the last of the first; empty when there is none. Time and memory O(n + m).
Result<std::vector<NodeId>> find_cycle(const Projection& projection, HierarchyDirection direction, const AlgorithmContext& context);

struct CommonAncestor {
  NodeId node;
  uint32_t depth_a = 0;  ///< least number of edges
  uint32_t depth_b = 0;
};
/// The common ancestors of two nodes that have no other common ancestor below them, by id; a node is its own ancestor. Reads what is
/// above the two. kNotFound for a node that does not exist; kLimit past options.visits_max.
Result<std::vector<CommonAncestor>> lowest_common_ancestors(const GraphView& view, const HierarchyDefinition& hierarchy, NodeId a,
                                                            NodeId b, const TraversalOptions& options);

enum class HierarchyEnd : uint8_t { kRoots, kLeaves };
/// The nodes with children and no parent, or with parents and no child, by id. kLimit past context.rows_max.
Result<std::vector<NodeId>> hierarchy_ends(const Projection& projection, HierarchyDirection direction, HierarchyEnd end,
                                           const AlgorithmContext& context);

}  // namespace braid
