// A GraphView as a model of Boost.Graph's concepts, so that Boost's algorithms run on the stored
// graph.
//
// BoostGraph models BidirectionalGraph: vertices are node ids, edges are steps from a node,
// parallel edges and self loops included. BoostVertexListGraph adds VertexListGraph and a dense
// vertex index for algorithms that visit everything. Concepts have no way to report an error: a
// failed read gives an empty range and is kept in `failure()`, which every caller asks when the
// algorithm is done (or earlier, from a visitor). Source: Siek, Lee, Lumsdaine, "The Boost Graph
// Library", chapter 12.
#pragma once

#include <algorithm>
#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/result.h"
#include "graph/graph_view.h"
#include "graph/steps.h"

namespace braid {

using BoostVertex = uint64_t;  ///< a node id; 0 is no node

/// One step; `source` and `target` follow the direction of the walk, not of the stored edge.
struct BoostEdge {
  BoostVertex source = 0;
  BoostVertex target = 0;
  EdgeId id;
  TypeId type;
  bool operator==(const BoostEdge&) const = default;
};

/// Steps from (or to) one vertex. Copies share the neighbours that were read.
class BoostEdgeIterator
    : public boost::iterator_facade<BoostEdgeIterator, BoostEdge,
                                    boost::random_access_traversal_tag, BoostEdge, std::ptrdiff_t> {
 public:
  using Neighbors = std::shared_ptr<const std::vector<Neighbor>>;

  BoostEdgeIterator() = default;
  BoostEdgeIterator(Neighbors neighbors, size_t index, BoostVertex vertex, bool reversed)
      : neighbors_(std::move(neighbors)), index_(index), vertex_(vertex), reversed_(reversed) {}

 private:
  friend class boost::iterator_core_access;
  BoostEdge dereference() const {
    const Neighbor& step = (*neighbors_)[index_];
    const BoostVertex other = step.node.value();
    return {reversed_ ? other : vertex_, reversed_ ? vertex_ : other, step.edge, step.type};
  }
  bool equal(const BoostEdgeIterator& other) const { return index_ == other.index_; }
  void increment() { ++index_; }
  void decrement() { --index_; }
  void advance(std::ptrdiff_t count) {
    index_ = static_cast<size_t>(static_cast<std::ptrdiff_t>(index_) + count);
  }
  std::ptrdiff_t distance_to(const BoostEdgeIterator& other) const {
    return static_cast<std::ptrdiff_t>(other.index_) - static_cast<std::ptrdiff_t>(index_);
  }

  Neighbors neighbors_;  // shared with the other end of the range
  size_t index_ = 0;
  BoostVertex vertex_ = 0;
  bool reversed_ = false;
};

class BoostGraph {
 public:
  struct Traversal : virtual boost::bidirectional_graph_tag {};

  // Names are Boost's.
  using vertex_descriptor = BoostVertex;
  using edge_descriptor = BoostEdge;
  using directed_category = boost::bidirectional_tag;
  using edge_parallel_category = boost::allow_parallel_edge_tag;
  using traversal_category = Traversal;
  using out_edge_iterator = BoostEdgeIterator;
  using in_edge_iterator = BoostEdgeIterator;
  using degree_size_type = size_t;
  using vertex_iterator = void;
  using vertices_size_type = size_t;
  using edge_iterator = void;
  using edges_size_type = size_t;
  using adjacency_iterator = void;
  static constexpr vertex_descriptor null_vertex() { return 0; }

  BoostGraph(GraphView view, StepRules rules)
      : view_(std::move(view)), rules_(std::move(rules)), reversed_rules_(braid::reversed(rules_)) {}
  BoostGraph(GraphView view, Direction direction, std::optional<TypeId> type)
      : BoostGraph(std::move(view), StepRules{.direction = direction, .types = type ? std::vector{*type} : std::vector<TypeId>()}) {}

  const GraphView& view() const { return view_; }
  /// The first error of a read.
  const Status& failure() const { return failure_; }

  /// The steps from `vertex` (with `reversed`, those to it); empty after an error.
  std::pair<BoostEdgeIterator, BoostEdgeIterator> steps(BoostVertex vertex, bool reversed) const {
    auto neighbors = std::make_shared<std::vector<Neighbor>>();
    const Status status = read_steps(view_, NodeId(vertex), reversed ? reversed_rules_ : rules_, *neighbors);
    if (!status.ok()) {
      neighbors->clear();
      if (failure_.ok()) failure_ = status;
    }
    const size_t count = neighbors->size();
    return {BoostEdgeIterator(neighbors, 0, vertex, reversed),
            BoostEdgeIterator(neighbors, count, vertex, reversed)};
  }

 private:
  const GraphView view_;
  const StepRules rules_;
  const StepRules reversed_rules_;
  mutable Status failure_;  // one thread runs an algorithm on a graph object
};

inline BoostVertex source(const BoostEdge& edge, const BoostGraph&) { return edge.source; }
inline BoostVertex target(const BoostEdge& edge, const BoostGraph&) { return edge.target; }
inline std::pair<BoostEdgeIterator, BoostEdgeIterator> out_edges(BoostVertex vertex,
                                                                 const BoostGraph& graph) {
  return graph.steps(vertex, false);
}
inline std::pair<BoostEdgeIterator, BoostEdgeIterator> in_edges(BoostVertex vertex,
                                                                const BoostGraph& graph) {
  return graph.steps(vertex, true);
}
inline size_t out_degree(BoostVertex vertex, const BoostGraph& graph) {
  const auto [start, limit] = out_edges(vertex, graph);
  return static_cast<size_t>(limit - start);
}
inline size_t in_degree(BoostVertex vertex, const BoostGraph& graph) {
  const auto [start, limit] = in_edges(vertex, graph);
  return static_cast<size_t>(limit - start);
}
inline size_t degree(BoostVertex vertex, const BoostGraph& graph) {
  return out_degree(vertex, graph) + in_degree(vertex, graph);
}

/// Knows all its vertices: eight bytes for each node of the view.
class BoostVertexListGraph : public BoostGraph {
 public:
  struct Traversal : virtual boost::bidirectional_graph_tag,
                     virtual boost::vertex_list_graph_tag {};
  using traversal_category = Traversal;
  using vertex_iterator = std::vector<BoostVertex>::const_iterator;

  static Result<BoostVertexListGraph> load(const GraphView& view, Direction direction,
                                           std::optional<TypeId> type) {
    BoostVertexListGraph graph(view, direction, type);
    auto vertices = std::make_shared<std::vector<BoostVertex>>();
    std::vector<Node> nodes;
    do {
      nodes.clear();
      const NodeId after(vertices->empty() ? 0 : vertices->back());
      BRAID_TRY(view.scan_nodes(after, kScanBatch, nodes));
      for (const Node& node : nodes) vertices->push_back(node.id.value());
    } while (!nodes.empty());
    graph.vertices_ = std::move(vertices);
    return graph;
  }

  const std::vector<BoostVertex>& vertices() const { return *vertices_; }
  /// 0 to the number of vertices; `vertex` is one of them.
  size_t index_of(BoostVertex vertex) const {
    const auto place = std::lower_bound(vertices_->begin(), vertices_->end(), vertex);
    return static_cast<size_t>(place - vertices_->begin());
  }

 private:
  static constexpr size_t kScanBatch = 1024;
  using BoostGraph::BoostGraph;
  std::shared_ptr<const std::vector<BoostVertex>> vertices_;  // shared by copies of the graph
};

inline std::pair<BoostVertexListGraph::vertex_iterator, BoostVertexListGraph::vertex_iterator>
vertices(const BoostVertexListGraph& graph) {
  return {graph.vertices().begin(), graph.vertices().end()};
}
inline size_t num_vertices(const BoostVertexListGraph& graph) { return graph.vertices().size(); }

/// Property map from a vertex to its dense index.
struct BoostVertexIndexMap {
  using key_type = BoostVertex;
  using value_type = size_t;
  using reference = size_t;
  using category = boost::readable_property_map_tag;
  const BoostVertexListGraph* graph = nullptr;
};
inline size_t get(const BoostVertexIndexMap& map, BoostVertex vertex) {
  return map.graph->index_of(vertex);
}
inline BoostVertexIndexMap get(boost::vertex_index_t, const BoostVertexListGraph& graph) {
  return {&graph};
}

/// Property map over a hash table that the caller owns: only what a walk reaches takes memory. A
/// vertex that was not put has the value `absent`.
template <typename Value>
class SparseVertexMap {
 public:
  using key_type = BoostVertex;
  using value_type = Value;
  using reference = Value;
  using category = boost::read_write_property_map_tag;
  using Table = std::unordered_map<BoostVertex, Value>;

  SparseVertexMap(Table& table, Value absent) : table_(&table), absent_(absent) {}

  friend Value get(const SparseVertexMap& map, BoostVertex vertex) {
    const auto found = map.table_->find(vertex);
    return found == map.table_->end() ? map.absent_ : found->second;
  }
  friend void put(const SparseVertexMap& map, BoostVertex vertex, Value value) {
    (*map.table_)[vertex] = value;
  }

 private:
  Table* table_;
  Value absent_;
};

/// Property map that numbers vertices from 0 in the order in which they are first asked for.
class DiscoveryIndexMap {
 public:
  using key_type = BoostVertex;
  using value_type = size_t;
  using reference = size_t;
  using category = boost::readable_property_map_tag;
  using Table = std::unordered_map<BoostVertex, size_t>;

  explicit DiscoveryIndexMap(Table& table) : table_(&table) {}
  friend size_t get(const DiscoveryIndexMap& map, BoostVertex vertex) {
    return map.table_->emplace(vertex, map.table_->size()).first->second;
  }

 private:
  Table* table_;
};

}  // namespace braid

template <>
struct boost::property_map<braid::BoostVertexListGraph, boost::vertex_index_t> {
  using type = braid::BoostVertexIndexMap;
  using const_type = braid::BoostVertexIndexMap;
};
