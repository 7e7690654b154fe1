// Declaring hierarchies, and keeping them without cycles when edges are added.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "graph/graph_read.h"
#include "graph/graph_store_view.h"
#include "graph/graph_writer.h"
#include "graph/hierarchy.h"
#include "graph/projection_cache.h"
#include "graph/staged_changes.h"

namespace braid {
namespace {

/// Nodes above the parent that adding one edge may look at.
constexpr size_t kAncestorsMax = 1'000'000;

const char* leading(HierarchyDirection direction) {
  return direction == HierarchyDirection::kUp ? "from child to parent" : "from parent to child";
}

/// The cycle that an edge from `child` to `parent` closes: each node a child of the next, `child` first. Empty when `child` is not above
/// `parent`.
Result<std::vector<NodeId>> closed_by(const FamilyReader& reader, const HierarchyDefinition& hierarchy, NodeId child, NodeId parent) {
  std::unordered_map<NodeId, NodeId> reached_from = {{parent, parent}};
  std::vector<NodeId> queue = {parent};
  std::vector<Neighbor> above;
  for (size_t next = 0; next < queue.size() && !reached_from.contains(child); ++next) {
    above.clear();
    BRAID_TRY(read_neighbors(reader, {.node = queue[next], .direction = parent_side(hierarchy.direction), .type = hierarchy.type}, above));
    for (const Neighbor& step : above) {
      if (reached_from.emplace(step.node, queue[next]).second) queue.push_back(step.node);
    }
    if (queue.size() > kAncestorsMax) {
      return Status(StatusCode::kLimit, fmt::format("node {} has more than {} nodes above it; a cycle cannot be ruled out", parent.value(),
                                                    kAncestorsMax));
    }
  }
  if (!reached_from.contains(child)) return std::vector<NodeId>();
  // Downwards, then turned round.
  std::vector<NodeId> cycle;
  for (NodeId node = child; node != parent; node = reached_from[node]) cycle.push_back(node);
  cycle.push_back(parent);
  std::reverse(cycle.begin(), cycle.end());
  std::rotate(cycle.begin(), cycle.end() - 1, cycle.end());
  return cycle;
}

}  // namespace

Status GraphWriter::check_hierarchy(NodeId source, TypeId type, NodeId target) const {
  const HierarchyDefinition* hierarchy = catalog_.state().hierarchy(type);
  if (hierarchy == nullptr) return {};
  const bool up = hierarchy->direction == HierarchyDirection::kUp;
  const NodeId child = up ? source : target;
  const NodeId parent = up ? target : source;
  const FamilyReader reader = staged_->reader();
  if (child != parent) {
    // Nothing is below a new node, so that nothing above it can be.
    BRAID_ASSIGN(const uint64_t children, read_degree(reader, child, child_side(hierarchy->direction), type));
    if (children == 0) return {};
  }
  BRAID_ASSIGN(const auto cycle, closed_by(reader, *hierarchy, child, parent));
  if (cycle.empty()) return {};
  return Status(StatusCode::kConstraint,
                fmt::format("the edge from node {} to node {} closes a cycle in hierarchy \"{}\": {} (child -> parent)", source.value(),
                            target.value(), catalog_.name(NameKind::kEdgeType, type.value()), cycle_text(cycle)));
}

Status GraphWriter::declare_hierarchy(const HierarchyDefinition& definition, const AlgorithmContext& context) {
  const std::string& name = catalog_.name(NameKind::kEdgeType, definition.type.value());
  if (const HierarchyDefinition* old = catalog_.state().hierarchy(definition.type)) {
    if (old->direction == definition.direction) return {};
    return Status(StatusCode::kConstraint, fmt::format("\"{}\" is a hierarchy whose edges lead {}; graph_hierarchy_drop('{}') ends that",
                                                       name, leading(old->direction), name));
  }
  const GraphView view = this->view();
  const ProjectionSpec spec{.labels = {}, .types = {definition.type}, .weight = std::nullopt, .orientation = Orientation::kNatural};
  BRAID_ASSIGN(const auto projection, view.base().projections().get(view, spec, context.cancel));
  BRAID_ASSIGN(const auto cycle, find_cycle(*projection, definition.direction, context));
  if (!cycle.empty()) {
    return Status(StatusCode::kConstraint, fmt::format("the edges of type \"{}\" have a cycle, which a hierarchy has not: {} (child -> parent)",
                                                       name, cycle_text(cycle)));
  }
  catalog_.put_hierarchy(definition);
  return {};
}

}  // namespace braid
