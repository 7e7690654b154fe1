#include "graph/hierarchy.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "graph/pace.h"

namespace braid {
namespace {

/// Takes away vertices without a parent until only those on cycles and below them are left; answers how many parents those have.
Result<std::vector<uint64_t>> strip(const Projection& projection, HierarchyDirection direction, Pace& pace) {
  const Adjacency& parents = parents_of(projection, direction);
  const Adjacency& children = children_of(projection, direction);
  std::vector<uint64_t> left(projection.vertex_count());
  std::vector<Vertex> free;
  for (Vertex vertex = 0; vertex < projection.vertex_count(); ++vertex) {
    left[vertex] = parents.degree(vertex);
    if (left[vertex] == 0) free.push_back(vertex);
  }
  while (!free.empty()) {
    const Vertex vertex = free.back();
    free.pop_back();
    BRAID_TRY(pace.step(1 + children.degree(vertex)));
    for (const Vertex child : children.of(vertex)) {
      if (--left[child] == 0) free.push_back(child);
    }
  }
  return left;
}

}  // namespace

std::string cycle_text(std::span<const NodeId> nodes) {
  constexpr size_t kShown = 16;
  std::string text;
  for (const NodeId node : nodes.first(std::min(nodes.size(), kShown))) text += fmt::format("{} -> ", node.value());
  if (nodes.size() > kShown) text += fmt::format("... ({} nodes) -> ", nodes.size());
  return text + fmt::format("{}", nodes.front().value());
}

Result<std::vector<NodeId>> find_cycle(const Projection& projection, HierarchyDirection direction, const AlgorithmContext& context) {
  Pace pace(context);
  BRAID_ASSIGN(const std::vector<uint64_t> left, strip(projection, direction, pace));
  std::vector<NodeId> cycle;
  const auto start = std::find_if(left.begin(), left.end(), [](uint64_t count) { return count > 0; });
  if (start == left.end()) return cycle;
  // What is left has a parent that is left: going up from anywhere comes to a vertex for the second time.
  const Adjacency& parents = parents_of(projection, direction);
  std::unordered_map<Vertex, size_t> met;
  auto vertex = static_cast<Vertex>(start - left.begin());
  while (met.emplace(vertex, cycle.size()).second) {
    BRAID_TRY(pace.step(1 + parents.degree(vertex)));
    cycle.push_back(projection.node(vertex));
    const auto above = parents.of(vertex);
    vertex = *std::find_if(above.begin(), above.end(), [&left](Vertex parent) { return left[parent] > 0; });
  }
  cycle.erase(cycle.begin(), cycle.begin() + static_cast<std::ptrdiff_t>(met[vertex]));
  return cycle;
}

Result<std::vector<CommonAncestor>> lowest_common_ancestors(const GraphView& view, const HierarchyDefinition& hierarchy, NodeId a,
                                                            NodeId b, const TraversalOptions& options) {
  TraversalOptions upward = options;
  upward.steps.direction = parent_side(hierarchy.direction);
  upward.steps.types = {hierarchy.type};
  upward.depth_max = UINT32_MAX;  // a walk that is cut would answer others; the nodes reached bound it
  BRAID_ASSIGN(const auto above_a, k_hops(view, a, upward));
  BRAID_ASSIGN(const auto above_b, k_hops(view, b, upward));
  std::unordered_map<NodeId, uint32_t> depths_a;
  for (const Reached& reached : above_a) depths_a.emplace(reached.node, reached.depth);
  std::vector<CommonAncestor> common;
  for (const Reached& reached : above_b) {
    const auto found = depths_a.find(reached.node);
    if (found != depths_a.end()) common.push_back({reached.node, found->second, reached.depth});
  }
  // All that is above a common ancestor is one too, so that one with another below it is the parent of one.
  std::unordered_set<NodeId> higher;
  std::vector<Neighbor> parents;
  for (const CommonAncestor& ancestor : common) {
    parents.clear();
    BRAID_TRY(read_steps(view, ancestor.node, upward.steps, parents));
    for (const Neighbor& parent : parents) higher.insert(parent.node);
  }
  std::erase_if(common, [&higher](const CommonAncestor& ancestor) { return higher.contains(ancestor.node); });
  std::sort(common.begin(), common.end(), [](const CommonAncestor& x, const CommonAncestor& y) { return x.node < y.node; });
  return common;
}

Result<std::vector<NodeId>> hierarchy_ends(const Projection& projection, HierarchyDirection direction, HierarchyEnd end,
                                           const AlgorithmContext& context) {
  const bool roots = end == HierarchyEnd::kRoots;
  const Adjacency& inner = roots ? children_of(projection, direction) : parents_of(projection, direction);
  const Adjacency& outer = roots ? parents_of(projection, direction) : children_of(projection, direction);
  Pace pace(context);
  std::vector<NodeId> nodes;
  for (Vertex vertex = 0; vertex < projection.vertex_count(); ++vertex) {
    BRAID_TRY(pace.step(1));
    if (inner.degree(vertex) == 0 || outer.degree(vertex) > 0) continue;
    if (nodes.size() >= context.rows_max) {
      return Status(StatusCode::kLimit, fmt::format("the result has more than {} rows, as traversal_nodes_max allows", context.rows_max));
    }
    nodes.push_back(projection.node(vertex));
  }
  return nodes;
}

}  // namespace braid
