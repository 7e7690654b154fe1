// The graph as plain maps: what the stored graph must behave as.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "graph/graph_view.h"
#include "tests/graph/graph_fixture.h"

namespace braid {

struct GraphModel {
  std::map<NodeId, Node> nodes;
  std::map<EdgeId, Edge> edges;

  std::vector<EdgeId> edges_of(NodeId id) const {
    std::vector<EdgeId> found;
    for (const auto& [edge_id, edge] : edges) {
      if (edge.source == id || edge.target == id) found.push_back(edge_id);
    }
    return found;
  }
  std::vector<Neighbor> neighbors(NodeId id, Direction side, std::optional<TypeId> type) const {
    std::vector<Neighbor> found;
    for (const auto& [edge_id, edge] : edges) {
      if (type && edge.type != *type) continue;
      if (side == Direction::kOut && edge.source == id) {
        found.push_back({edge_id, edge.type, edge.target, side});
      }
      if (side == Direction::kIn && edge.target == id) {
        found.push_back({edge_id, edge.type, edge.source, side});
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.type < b.type; });
    return found;
  }
};

inline bool same(const Node& a, const Node& b) {
  return a.id == b.id && a.labels == b.labels && a.properties == b.properties;
}
inline bool same(const Edge& a, const Edge& b) {
  return a.id == b.id && a.source == b.source && a.type == b.type && a.target == b.target &&
         a.properties == b.properties;
}
inline bool same(const Neighbor& a, const Neighbor& b) {
  return a.edge == b.edge && a.type == b.type && a.node == b.node && a.direction == b.direction;
}
template <typename T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return same(x, y); });
}

/// Compares everything that a view can tell with the model.
inline void check_same(const GraphView& view, const GraphModel& model) {
  std::vector<Node> nodes, model_nodes;
  REQUIRE(view.scan_nodes(NodeId(0), SIZE_MAX, nodes).ok());
  for (const auto& [id, node] : model.nodes) model_nodes.push_back(node);
  CHECK(same(nodes, model_nodes));
  std::vector<Edge> edges, model_edges;
  REQUIRE(view.scan_edges(EdgeId(0), SIZE_MAX, edges).ok());
  for (const auto& [id, edge] : model.edges) model_edges.push_back(edge);
  CHECK(same(edges, model_edges));
  for (const auto& [id, node] : model.nodes) {
    for (const Direction side : {Direction::kOut, Direction::kIn}) {
      for (const auto type : {std::optional<TypeId>(), std::optional<TypeId>(TypeId(1))}) {
        std::vector<Neighbor> found;
        REQUIRE(view.neighbors(id, side, type, SIZE_MAX, found).ok());
        CHECK(same(found, model.neighbors(id, side, type)));
        CHECK(*view.degree(id, side, type) == found.size());
      }
    }
  }
}

}  // namespace braid
