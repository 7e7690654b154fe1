// A GraphView as a model of Boost.Graph's concepts, so that Boost's algorithms run on the stored
// graph.
//
// BoostGraph models BidirectionalGraph: vertices are node ids, edges are steps from a node,
// parallel edges and self loops included. BoostVertexListGraph adds VertexListGraph, EdgeListGraph
// and AdjacencyGraph, with a dense vertex index and weights, for algorithms that visit everything
// (graph/boost_projection.h is faster at it). Concepts have no way to report an error: a
// failed read gives an empty range and is kept in `failure()`, which every caller asks when the
// algorithm is done (or earlier, from a visitor). Source: Siek, Lee, Lumsdaine, "The Boost Graph
// Library", chapter 12.
#pragma once

#include <algorithm>
#include <boost/graph/adjacency_iterator.hpp>
#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/result.h"
#include "graph/graph_view.h"
#include "graph/projection.h"
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
  const StepRules& rules() const { return rules_; }
  /// The first error of a read.
  const Status& failure() const { return failure_; }
  /// Keeps `status` as the failure unless there is one; for maps that read while an algorithm runs.
  void fail(const Status& status) const {
    if (failure_.ok()) failure_ = status;
  }

  /// The steps from `vertex` (with `reversed`, those to it); empty after an error.
  std::pair<BoostEdgeIterator, BoostEdgeIterator> steps(BoostVertex vertex, bool reversed) const {
    auto neighbors = std::make_shared<std::vector<Neighbor>>();
    const Status status = read_steps(view_, NodeId(vertex), reversed ? reversed_rules_ : rules_, *neighbors);
    if (!status.ok()) {
      neighbors->clear();
      fail(status);
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

class BoostVertexListGraph;

/// All steps of all vertices, one vertex after the other; ends early when a read fails.
class BoostAllEdgesIterator
    : public boost::iterator_facade<BoostAllEdgesIterator, BoostEdge, boost::forward_traversal_tag,
                                    BoostEdge, std::ptrdiff_t> {
 public:
  BoostAllEdgesIterator() = default;
  /// At the first step of a vertex whose index is `vertex_index` or more.
  BoostAllEdgesIterator(const BoostVertexListGraph& graph, size_t vertex_index);

 private:
  friend class boost::iterator_core_access;
  BoostEdge dereference() const { return *step_; }
  bool equal(const BoostAllEdgesIterator& other) const {
    return vertex_index_ == other.vertex_index_ && step_ == other.step_;
  }
  void increment() {
    if (++step_ != limit_) return;
    ++vertex_index_;
    skip_lonely();
  }
  void skip_lonely();

  const BoostVertexListGraph* graph_ = nullptr;
  size_t vertex_index_ = 0;
  BoostEdgeIterator step_, limit_;
};

/// Knows all its vertices: eight bytes for each node of the view. Its edges are the steps of all
/// vertices, so that with Direction::kBoth, where the graph is a directed one that has each edge
/// both ways, `edges` has each twice too, and what relaxes edges goes both ways.
class BoostVertexListGraph : public BoostGraph {
 public:
  struct Traversal : virtual boost::bidirectional_graph_tag,
                     virtual boost::vertex_list_graph_tag,
                     virtual boost::edge_list_graph_tag,
                     virtual boost::adjacency_graph_tag {};
  using traversal_category = Traversal;
  using vertex_iterator = std::vector<BoostVertex>::const_iterator;
  using edge_iterator = BoostAllEdgesIterator;
  using adjacency_iterator =
      boost::adjacency_iterator_generator<BoostGraph, BoostVertex, BoostEdgeIterator>::type;

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

inline BoostAllEdgesIterator::BoostAllEdgesIterator(const BoostVertexListGraph& graph,
                                                    size_t vertex_index)
    : graph_(&graph), vertex_index_(vertex_index) {
  skip_lonely();
}
inline void BoostAllEdgesIterator::skip_lonely() {
  const size_t count = graph_->vertices().size();
  for (; vertex_index_ < count; ++vertex_index_) {
    std::tie(step_, limit_) = graph_->steps(graph_->vertices()[vertex_index_], false);
    if (step_ != limit_) return;
    if (!graph_->failure().ok()) break;
  }
  vertex_index_ = count;
  step_ = limit_ = BoostEdgeIterator();
}

inline std::pair<BoostAllEdgesIterator, BoostAllEdgesIterator> edges(
    const BoostVertexListGraph& graph) {
  return {BoostAllEdgesIterator(graph, 0), BoostAllEdgesIterator(graph, num_vertices(graph))};
}
/// Reads a counter of each vertex, or its steps where there are filters or several types; those of a vertex that cannot be read are left out.
inline size_t num_edges(const BoostVertexListGraph& graph) {
  size_t count = 0;
  for (const BoostVertex vertex : graph.vertices()) {
    const StepRules& rules = graph.rules();
    if (rules.filters() || rules.types.size() > 1) {
      count += out_degree(vertex, graph);
      continue;
    }
    const auto degree = graph.view().degree(NodeId(vertex), rules.direction, rules.types.empty() ? std::nullopt : std::optional(rules.types.front()));
    if (!degree.ok()) graph.fail(degree.status());
    count += degree.ok() ? static_cast<size_t>(*degree) : 0;
  }
  return count;
}
inline std::pair<BoostVertexListGraph::adjacency_iterator, BoostVertexListGraph::adjacency_iterator>
adjacent_vertices(BoostVertex vertex, const BoostVertexListGraph& graph) {
  using Iterator = BoostVertexListGraph::adjacency_iterator;
  const auto [start, limit] = out_edges(vertex, graph);
  return {Iterator(start, &graph), Iterator(limit, &graph)};
}

/// The number under a property key of an edge that was listed, 1 where there is none. Errors as
/// those of `edge_weight`.
inline Result<double> stored_weight(const GraphView& view, EdgeId id, KeyId key) {
  BRAID_ASSIGN(const auto edge, view.edge(id));
  if (!edge) {
    return Status(StatusCode::kCorrupt,
                  "graph: edge " + std::to_string(id.value()) + " is listed and does not exist");
  }
  return edge_weight(id, edge->properties, key);
}

/// Property map from an edge to the number under a property key, 1 where there is none. Each `get`
/// reads the store. An edge that cannot be read or whose property is no number weighs 1, and the
/// graph keeps the failure. Borrows the graph.
struct BoostEdgeWeightMap {
  using key_type = BoostEdge;
  using value_type = double;
  using reference = double;
  using category = boost::readable_property_map_tag;
  const BoostGraph* graph = nullptr;
  KeyId key;
};
inline double get(const BoostEdgeWeightMap& map, const BoostEdge& edge) {
  const Result<double> weight = stored_weight(map.graph->view(), edge.id, map.key);
  if (!weight.ok()) map.graph->fail(weight.status());
  return weight.ok() ? *weight : 1.0;
}

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
/// Some of Boost's algorithms look the map up by the type of their `const Graph&`.
template <>
struct boost::property_map<const braid::BoostVertexListGraph, boost::vertex_index_t>
    : boost::property_map<braid::BoostVertexListGraph, boost::vertex_index_t> {};
