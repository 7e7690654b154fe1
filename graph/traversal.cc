#include "graph/traversal.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/pending/queue.hpp>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "graph/boost_graph.h"

namespace braid {
namespace {

/// How a vertex was reached.
struct Arrival {
  BoostVertex previous = 0;
  EdgeId edge;
  uint32_t depth = 0;
};
using Arrivals = std::unordered_map<BoostVertex, Arrival>;

/// Thrown by a visitor to leave one of Boost's algorithms, and caught where that was called. Boost
/// has no other way out.
struct Stop {
  Status status{};
};

Status missing(NodeId id) {
  return Status(StatusCode::kNotFound, fmt::format("there is no node {}", id.value()));
}

Status require_node(const GraphView& view, NodeId id) {
  BRAID_ASSIGN(const bool exists, view.node_exists(id));
  return exists ? Status() : missing(id);
}

Status check_bounds(const TraversalOptions& options, uint64_t visits) {
  if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
    // Safety: relaxed, since the flag guards no other data.
    return Status(StatusCode::kInterrupted, "the traversal was cancelled");
  }
  if (visits <= options.visits_max) return {};
  return Status(StatusCode::kLimit,
                fmt::format("the traversal reaches more than {} nodes, as traversal_nodes_max allows",
                            options.visits_max));
}

Path path_to(BoostVertex source, BoostVertex target, const Arrivals& arrivals) {
  Path path;
  for (BoostVertex at = target; at != source;) {
    const Arrival& arrival = arrivals.at(at);
    path.nodes.emplace_back(at);
    path.edges.push_back(arrival.edge);
    at = arrival.previous;
  }
  path.nodes.emplace_back(source);
  std::reverse(path.nodes.begin(), path.nodes.end());
  std::reverse(path.edges.begin(), path.edges.end());
  path.cost = static_cast<double>(path.edges.size());
  return path;
}

/// Runs one of Boost's algorithms. Answers ok when it ended or stopped itself because it was done.
template <typename Algorithm>
Status run_on(const BoostGraph& graph, Algorithm&& algorithm) {
  try {
    algorithm();
  } catch (const Stop& stop) {
    return stop.status.ok() ? graph.failure() : stop.status;
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kOutOfMemory, "the traversal needs more memory than there is");
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, fmt::format("traversal: {}", error.what()));
  }
  return graph.failure();
}

/// What both searches do at each vertex. Boost copies visitors, so the state is borrowed.
struct SearchState {
  const BoostGraph& graph;
  const TraversalOptions& options;
  const BoostVertex target;
  Arrivals& arrivals;
  Status failure{};  // of reading weights
  uint64_t visits = 0;

  void discover() {
    const Status status = check_bounds(options, ++visits);
    if (!status.ok()) throw Stop{status};
  }
  void examine_vertex() const {
    if (!graph.failure().ok()) throw Stop{graph.failure()};
    if (!failure.ok()) throw Stop{failure};
    const Status status = check_bounds(options, visits);
    if (!status.ok()) throw Stop{status};
  }
};

class HopVisitor : public boost::default_bfs_visitor {
 public:
  explicit HopVisitor(SearchState& state) : state_(state) {}

  void discover_vertex(BoostVertex vertex, const BoostGraph&) {
    state_.discover();
    if (vertex == state_.target) throw Stop{};
  }
  void examine_vertex(BoostVertex vertex, const BoostGraph&) {
    state_.examine_vertex();
    // Vertices come in order of depth: no later one is nearer.
    if (depth_of(vertex) >= state_.options.depth_max) throw Stop{};
  }
  void tree_edge(const BoostEdge& edge, const BoostGraph&) {
    state_.arrivals[edge.target] = {edge.source, edge.id, depth_of(edge.source) + 1};
  }

 private:
  uint32_t depth_of(BoostVertex vertex) const {
    const auto found = state_.arrivals.find(vertex);
    return found == state_.arrivals.end() ? 0 : found->second.depth;
  }
  SearchState& state_;
};

class CostVisitor : public boost::default_dijkstra_visitor {
 public:
  explicit CostVisitor(SearchState& state) : state_(state) {}

  void discover_vertex(BoostVertex, const BoostGraph&) { state_.discover(); }
  void examine_vertex(BoostVertex vertex, const BoostGraph&) {
    state_.examine_vertex();
    // The cost of a vertex is final when it is examined.
    if (vertex == state_.target) throw Stop{};
  }
  void edge_relaxed(const BoostEdge& edge, const BoostGraph&) {
    state_.arrivals[edge.target] = {edge.source, edge.id, 0};
  }

 private:
  SearchState& state_;
};

/// The weight of one edge: 1 without the property.
Result<double> read_weight(const GraphView& view, EdgeId id, KeyId key) {
  BRAID_ASSIGN(const double weight, stored_weight(view, id, key));
  if (weight >= 0) return weight;
  return Status(StatusCode::kInvalidArgument,
                fmt::format("the weight of edge {} is not a number of at least 0", id.value()));
}

/// Property map from an edge to its weight. A failure is kept for the visitor, which stops.
class WeightMap {
 public:
  using key_type = BoostEdge;
  using value_type = double;
  using reference = double;
  using category = boost::readable_property_map_tag;

  WeightMap(SearchState& state, KeyId key) : state_(&state), key_(key) {}
  friend double get(const WeightMap& map, const BoostEdge& edge) {
    // Boost asks twice for each edge: when it examines it and when it relaxes it.
    if (edge.id == map.last_) return map.last_weight_;
    const Result<double> weight = read_weight(map.state_->graph.view(), edge.id, map.key_);
    if (!weight.ok() && map.state_->failure.ok()) map.state_->failure = weight.status();
    map.last_ = edge.id;
    map.last_weight_ = weight.ok() ? *weight : 0;
    return map.last_weight_;
  }

 private:
  SearchState* state_;
  KeyId key_;
  mutable EdgeId last_;
  mutable double last_weight_ = 0;
};

}  // namespace

Result<std::vector<Reached>> k_hops(const GraphView& view, NodeId start,
                                    const TraversalOptions& options) {
  BRAID_TRY(require_node(view, start));
  std::vector<Reached> reached = {{start, 0, EdgeId(), NodeId()}};
  std::unordered_set<NodeId> seen = {start};
  std::vector<Neighbor> neighbors;
  for (size_t next = 0; next < reached.size(); ++next) {
    const Reached from = reached[next];
    BRAID_TRY(check_bounds(options, reached.size()));
    if (from.depth >= options.depth_max) break;
    neighbors.clear();
    BRAID_TRY(view.neighbors(from.node, options.direction, options.type, SIZE_MAX, neighbors));
    for (const Neighbor& step : neighbors) {
      if (!seen.insert(step.node).second) continue;
      reached.push_back({step.node, from.depth + 1, step.edge, from.node});
      if (reached.size() > options.visits_max) BRAID_TRY(check_bounds(options, reached.size()));
    }
  }
  return reached;
}

Result<std::optional<Path>> shortest_path(const GraphView& view, NodeId source, NodeId target,
                                          const TraversalOptions& options) {
  BRAID_TRY(require_node(view, source));
  BRAID_TRY(require_node(view, target));
  const BoostGraph graph(view, options.direction, options.type);
  Arrivals arrivals;
  SearchState state{graph, options, target.value(), arrivals};
  SparseVertexMap<boost::default_color_type>::Table colors;
  boost::queue<BoostVertex> queue;
  BRAID_TRY(run_on(graph, [&] {
    boost::breadth_first_visit(graph, source.value(), queue, HopVisitor(state),
                               SparseVertexMap(colors, boost::white_color));
  }));
  if (source != target && !arrivals.contains(target.value())) return std::optional<Path>();
  return std::optional<Path>(path_to(source.value(), target.value(), arrivals));
}

Result<std::optional<Path>> weighted_shortest_path(const GraphView& view, NodeId source,
                                                   NodeId target, KeyId weight,
                                                   const TraversalOptions& options) {
  if (options.depth_max != UINT32_MAX) {
    return Status(StatusCode::kInvalidArgument, "a weighted path has no limit on its hops");
  }
  BRAID_TRY(require_node(view, source));
  BRAID_TRY(require_node(view, target));
  const BoostGraph graph(view, options.direction, options.type);
  Arrivals arrivals;
  SearchState state{graph, options, target.value(), arrivals};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  SparseVertexMap<double>::Table costs = {{source.value(), 0.0}};
  SparseVertexMap<boost::default_color_type>::Table colors;
  DiscoveryIndexMap::Table numbers;
  BRAID_TRY(run_on(graph, [&] {
    boost::dijkstra_shortest_paths_no_init(
        graph, source.value(), boost::dummy_property_map(), SparseVertexMap(costs, kInfinity),
        WeightMap(state, weight), DiscoveryIndexMap(numbers), std::less<double>(),
        boost::closed_plus<double>(kInfinity), 0.0, CostVisitor(state),
        SparseVertexMap(colors, boost::white_color));
  }));
  BRAID_TRY(state.failure);
  if (source != target && !arrivals.contains(target.value())) return std::optional<Path>();
  Path path = path_to(source.value(), target.value(), arrivals);
  path.cost = costs[target.value()];
  return std::optional<Path>(std::move(path));
}

}  // namespace braid
