// A Projection as a model of Boost.Graph's concepts, so that Boost's algorithms run on it at the speed of its matrix.
//
// BoostDirectedProjection and BoostUndirectedProjection model VertexListGraph, EdgeListGraph, IncidenceGraph, BidirectionalGraph and
// AdjacencyGraph. Vertices are those of the projection; edges are values of 16 bytes, numbered from 0, parallel edges and self loops
// included. The maps vertex_index, edge_index and edge_weight are found by `get`, so that an algorithm that is told nothing takes them;
// without weights each edge weighs 1. How edges are listed is Boost's convention for the two kinds of graph:
//   directed:   `edges` has each entry of `out` once; two edges are equal when they are the same entry.
//   undirected: `out_edges` has each edge at both ends, a self loop twice at its one end, as the projection has; `edges` has each edge
//               once, in the order of the edges' ids. Both ends' descriptors have the same number, weight and edge_index and are equal;
//               `source` is the vertex that was asked for.
// The descriptors' numbers hold for one object and its copies. Source: Siek, Lee, Lumsdaine, "The Boost Graph Library", chapter 12.
// Threads: constant once made, so any.
#pragma once

#include <algorithm>
#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/counting_iterator.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/result.h"
#include "graph/projection.h"

namespace braid {

struct BoostProjectionEdge {
  uint64_t number = UINT64_MAX;  ///< 0 to the number of edges
  Vertex source = 0;
  Vertex target = 0;
  bool operator==(const BoostProjectionEdge& other) const { return number == other.number; }
};

/// Edges at one vertex: its entries of `out`, or those that reach it.
template <typename Graph, bool kReaching>
class BoostProjectionStep
    : public boost::iterator_facade<BoostProjectionStep<Graph, kReaching>, BoostProjectionEdge, boost::random_access_traversal_tag,
                                    BoostProjectionEdge, std::ptrdiff_t> {
 public:
  BoostProjectionStep() = default;
  BoostProjectionStep(const Graph& graph, Vertex vertex, uint64_t place) : graph_(&graph), place_(place), vertex_(vertex) {}

 private:
  friend class boost::iterator_core_access;
  BoostProjectionEdge dereference() const {
    return kReaching ? graph_->edge_reaching(vertex_, place_) : graph_->edge_from(vertex_, place_);
  }
  bool equal(const BoostProjectionStep& other) const { return place_ == other.place_; }
  void increment() { ++place_; }
  void decrement() { --place_; }
  void advance(std::ptrdiff_t count) { place_ += static_cast<uint64_t>(count); }
  std::ptrdiff_t distance_to(const BoostProjectionStep& other) const { return static_cast<std::ptrdiff_t>(other.place_ - place_); }

  const Graph* graph_ = nullptr;
  uint64_t place_ = 0;
  Vertex vertex_ = 0;
};

/// All edges by number.
template <typename Graph>
class BoostProjectionListing
    : public boost::iterator_facade<BoostProjectionListing<Graph>, BoostProjectionEdge, boost::forward_traversal_tag, BoostProjectionEdge,
                                    std::ptrdiff_t> {
 public:
  BoostProjectionListing() = default;
  BoostProjectionListing(const Graph& graph, uint64_t number) : graph_(&graph), number_(number) {}

 private:
  friend class boost::iterator_core_access;
  BoostProjectionEdge dereference() const { return graph_->edge_numbered(number_, row_); }
  bool equal(const BoostProjectionListing& other) const { return number_ == other.number_; }
  void increment() { ++number_; }

  const Graph* graph_ = nullptr;
  uint64_t number_ = 0;
  mutable Vertex row_ = 0;  // where the search for the source of the next edge begins
};

/// `Sense`: boost::bidirectional_tag or boost::undirected_tag.
template <typename Sense>
class BoostProjection {
 public:
  static constexpr bool kUndirected = std::is_same_v<Sense, boost::undirected_tag>;
  static_assert(kUndirected || std::is_same_v<Sense, boost::bidirectional_tag>);

  struct Traversal : virtual boost::bidirectional_graph_tag,
                     virtual boost::vertex_list_graph_tag,
                     virtual boost::edge_list_graph_tag,
                     virtual boost::adjacency_graph_tag {};

  // Names are Boost's.
  using vertex_descriptor = Vertex;
  using edge_descriptor = BoostProjectionEdge;
  using directed_category = Sense;
  using edge_parallel_category = boost::allow_parallel_edge_tag;
  using traversal_category = Traversal;
  using out_edge_iterator = BoostProjectionStep<BoostProjection, false>;
  using in_edge_iterator = BoostProjectionStep<BoostProjection, true>;
  using degree_size_type = uint64_t;
  using vertex_iterator = boost::counting_iterator<Vertex>;
  using vertices_size_type = Vertex;
  using edge_iterator = BoostProjectionListing<BoostProjection>;
  using edges_size_type = uint64_t;
  using adjacency_iterator = const Vertex*;
  static constexpr vertex_descriptor null_vertex() { return UINT32_MAX; }

  /// Takes 12 bytes for each edge of a directed projection (the entries by target), 32 for each of an undirected one (the two entries of
  /// each edge). kInvalidArgument when `Sense` is not that of the projection.
  static Result<BoostProjection> over(std::shared_ptr<const Projection> projection) {
    if (projection->directed() == kUndirected) {
      return Status(StatusCode::kInvalidArgument, kUndirected ? "the projection is directed; BoostDirectedProjection models it"
                                                              : "the projection is undirected; BoostUndirectedProjection models it");
    }
    return BoostProjection(std::move(projection));
  }

  const Projection& projection() const { return *projection_; }
  const Adjacency& out() const { return projection_->out(); }
  EdgeId id(const BoostProjectionEdge& edge) const { return projection_->edge(entry(edge)); }
  double weight(const BoostProjectionEdge& edge) const { return projection_->weight(entry(edge)); }

  // What the iterators read.
  BoostProjectionEdge edge_from(Vertex vertex, uint64_t place) const {
    return {kUndirected ? index_->numbers[place] : place, vertex, out().targets[place]};
  }
  BoostProjectionEdge edge_reaching(Vertex vertex, uint64_t place) const {
    if (kUndirected) return {index_->numbers[place], out().targets[place], vertex};
    return {index_->numbers[place], index_->sources[place], vertex};
  }
  /// `row` is a vertex to begin with when the source is looked for; it becomes the source.
  BoostProjectionEdge edge_numbered(uint64_t number, Vertex& row) const {
    if (kUndirected) return {number, index_->sources[number], out().targets[index_->entries[number]]};
    while (out().offsets[row + size_t{1}] <= number) ++row;
    return {number, row, out().targets[number]};
  }
  /// Where `vertex` begins among the places of `edge_reaching`; for the vertex after the last, where they end.
  uint64_t reaching_start(Vertex vertex) const { return kUndirected ? out().offsets[vertex] : index_->offsets[vertex]; }

 private:
  /// Directed, by place among the entries sorted by target: `numbers` and `sources`, with `offsets` by vertex. Undirected: `numbers` by entry,
  /// `entries` and `sources` by number.
  struct Index {
    std::vector<uint64_t> offsets;
    std::vector<uint64_t> numbers;
    std::vector<uint64_t> entries;
    std::vector<Vertex> sources;
  };

  explicit BoostProjection(std::shared_ptr<const Projection> projection)
      : projection_(std::move(projection)), index_(kUndirected ? index_edges() : index_targets()) {}

  uint64_t entry(const BoostProjectionEdge& edge) const { return kUndirected ? index_->entries[edge.number] : edge.number; }

  std::shared_ptr<const Index> index_targets() const {
    auto index = std::make_shared<Index>();
    index->offsets.assign(out().offsets.size(), 0);
    for (const Vertex target : out().targets) ++index->offsets[target + size_t{1}];
    for (size_t i = 1; i < index->offsets.size(); ++i) index->offsets[i] += index->offsets[i - 1];
    index->numbers.resize(out().targets.size());
    index->sources.resize(out().targets.size());
    std::vector<uint64_t> next = index->offsets;
    for (Vertex vertex = 0; vertex < projection_->vertex_count(); ++vertex) {
      for (uint64_t number = out().offsets[vertex]; number < out().offsets[vertex + size_t{1}]; ++number) {
        const uint64_t place = next[out().targets[number]]++;
        index->numbers[place] = number;
        index->sources[place] = vertex;
      }
    }
    return index;
  }

  std::shared_ptr<const Index> index_edges() const {
    auto index = std::make_shared<Index>();
    const uint64_t entry_count = out().targets.size();
    std::vector<uint64_t> order(entry_count);
    for (uint64_t i = 0; i < entry_count; ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [this](uint64_t a, uint64_t b) {
      return std::pair(projection_->edge(a), a) < std::pair(projection_->edge(b), b);
    });
    // The two entries of an edge are now beside each other, and each has the other's vertex as its target.
    index->numbers.resize(entry_count);
    index->entries.resize(entry_count / 2);
    index->sources.resize(entry_count / 2);
    for (uint64_t number = 0; number < entry_count / 2; ++number) {
      const uint64_t first = order[2 * number], second = order[2 * number + 1];
      index->numbers[first] = index->numbers[second] = number;
      index->entries[number] = first;
      index->sources[number] = out().targets[second];
    }
    return index;
  }

  std::shared_ptr<const Projection> projection_;  // shared with the cache
  std::shared_ptr<const Index> index_;            // shared by copies of the graph
};

using BoostDirectedProjection = BoostProjection<boost::bidirectional_tag>;
using BoostUndirectedProjection = BoostProjection<boost::undirected_tag>;

template <typename Sense>
Vertex source(const BoostProjectionEdge& edge, const BoostProjection<Sense>&) {
  return edge.source;
}
template <typename Sense>
Vertex target(const BoostProjectionEdge& edge, const BoostProjection<Sense>&) {
  return edge.target;
}
template <typename Sense>
auto vertices(const BoostProjection<Sense>& graph) {
  using Iterator = typename BoostProjection<Sense>::vertex_iterator;
  return std::pair(Iterator(0), Iterator(graph.projection().vertex_count()));
}
template <typename Sense>
Vertex num_vertices(const BoostProjection<Sense>& graph) {
  return graph.projection().vertex_count();
}
template <typename Sense>
auto edges(const BoostProjection<Sense>& graph) {
  using Iterator = typename BoostProjection<Sense>::edge_iterator;
  return std::pair(Iterator(graph, 0), Iterator(graph, graph.projection().edge_count()));
}
template <typename Sense>
uint64_t num_edges(const BoostProjection<Sense>& graph) {
  return graph.projection().edge_count();
}
template <typename Sense>
auto out_edges(Vertex vertex, const BoostProjection<Sense>& graph) {
  using Iterator = typename BoostProjection<Sense>::out_edge_iterator;
  return std::pair(Iterator(graph, vertex, graph.out().offsets[vertex]), Iterator(graph, vertex, graph.out().offsets[vertex + size_t{1}]));
}
template <typename Sense>
uint64_t out_degree(Vertex vertex, const BoostProjection<Sense>& graph) {
  return graph.out().degree(vertex);
}
template <typename Sense>
auto in_edges(Vertex vertex, const BoostProjection<Sense>& graph) {
  using Iterator = typename BoostProjection<Sense>::in_edge_iterator;
  return std::pair(Iterator(graph, vertex, graph.reaching_start(vertex)), Iterator(graph, vertex, graph.reaching_start(vertex + 1)));
}
template <typename Sense>
uint64_t in_degree(Vertex vertex, const BoostProjection<Sense>& graph) {
  return graph.reaching_start(vertex + 1) - graph.reaching_start(vertex);
}
/// Undirected, the number of entries: a self loop counts twice.
template <typename Sense>
uint64_t degree(Vertex vertex, const BoostProjection<Sense>& graph) {
  return out_degree(vertex, graph) + (BoostProjection<Sense>::kUndirected ? 0 : in_degree(vertex, graph));
}
template <typename Sense>
std::pair<const Vertex*, const Vertex*> adjacent_vertices(Vertex vertex, const BoostProjection<Sense>& graph) {
  const auto targets = graph.out().of(vertex);
  return {targets.data(), targets.data() + targets.size()};
}

/// Property map from an edge to its number.
struct BoostProjectionNumberMap {
  using key_type = BoostProjectionEdge;
  using value_type = uint64_t;
  using reference = uint64_t;
  using category = boost::readable_property_map_tag;
};
inline uint64_t get(const BoostProjectionNumberMap&, const BoostProjectionEdge& edge) { return edge.number; }

/// Property map from an edge to its weight; borrows the graph.
template <typename Sense>
struct BoostProjectionWeightMap {
  using key_type = BoostProjectionEdge;
  using value_type = double;
  using reference = double;
  using category = boost::readable_property_map_tag;
  const BoostProjection<Sense>* graph = nullptr;
};
template <typename Sense>
double get(const BoostProjectionWeightMap<Sense>& map, const BoostProjectionEdge& edge) {
  return map.graph->weight(edge);
}

template <typename Sense>
boost::typed_identity_property_map<Vertex> get(boost::vertex_index_t, const BoostProjection<Sense>&) {
  return {};
}
template <typename Sense>
BoostProjectionNumberMap get(boost::edge_index_t, const BoostProjection<Sense>&) {
  return {};
}
template <typename Sense>
BoostProjectionWeightMap<Sense> get(boost::edge_weight_t, const BoostProjection<Sense>& graph) {
  return {&graph};
}
template <typename Tag, typename Sense, typename Key>
auto get(Tag tag, const BoostProjection<Sense>& graph, const Key& key) {
  return get(get(tag, graph), key);
}

}  // namespace braid

template <typename Sense>
struct boost::property_map<braid::BoostProjection<Sense>, boost::vertex_index_t> {
  using type = boost::typed_identity_property_map<braid::Vertex>;
  using const_type = type;
};
template <typename Sense>
struct boost::property_map<braid::BoostProjection<Sense>, boost::edge_index_t> {
  using type = braid::BoostProjectionNumberMap;
  using const_type = type;
};
template <typename Sense>
struct boost::property_map<braid::BoostProjection<Sense>, boost::edge_weight_t> {
  using type = braid::BoostProjectionWeightMap<Sense>;
  using const_type = type;
};
/// Some of Boost's algorithms look a map up by the type of their `const Graph&`.
template <typename Sense, typename Tag>
struct boost::property_map<const braid::BoostProjection<Sense>, Tag> : boost::property_map<braid::BoostProjection<Sense>, Tag> {};
