#include "graph/traversal.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "engine/long_call.h"
#include "graph/algorithm.h"
#include "graph/boost_graph.h"
#include "graph/projection_walk.h"
#include "graph/walk_choice.h"

namespace braid {
namespace {

/// How a vertex was reached.
struct Arrival {
  BoostVertex previous = 0;
  EdgeId edge;
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
  BRAID_TRY(LongCall::check());
  if (options.deadline && std::chrono::steady_clock::now() > *options.deadline) {
    return Status(StatusCode::kInterrupted,
                  "the traversal ran longer than statement_time_max_ms, or the connection's time limit, allows");
  }
  if (visits <= options.visits_max) return {};
  return Status(StatusCode::kLimit,
                fmt::format("the traversal reaches more than {} nodes, as traversal_nodes_max allows",
                            options.visits_max));
}

/// What a hash table, or a heap block, takes beside the value.
constexpr uint64_t kNodeBytes = 48;
constexpr uint64_t kArrivalBytes = sizeof(std::pair<BoostVertex, Arrival>) + kNodeBytes;
constexpr uint64_t kReachedBytes = sizeof(Reached) + sizeof(std::pair<NodeId, size_t>) + kNodeBytes;

Status check_memory(const TraversalOptions& options, uint64_t bytes) {
  if (bytes <= options.bytes_max) return options.memory == nullptr ? Status() : options.memory->grow_to(bytes);
  return Status(StatusCode::kLimit,
                fmt::format("the traversal takes more than {} bytes, as traversal_bytes_max allows", options.bytes_max));
}

AlgorithmContext context_of(const TraversalOptions& options) {
  AlgorithmContext context;
  context.cancel = options.cancel;
  context.deadline = options.deadline;
  context.rows_max = options.visits_max;
  context.memory = options.memory;
  return context;
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

/// What the search does at each vertex. Boost copies visitors, so the state is borrowed.
struct SearchState {
  const BoostGraph& graph;
  const TraversalOptions& options;
  const BoostVertex target;
  Arrivals& arrivals;
  Status failure{};  // of reading weights
  uint64_t visits = 0;

  void discover() {
    Status status = check_bounds(options, ++visits);
    // Costs, colours and numbers are kept by vertex too.
    if (status.ok()) status = check_memory(options, visits * 4 * kArrivalBytes);
    if (!status.ok()) throw Stop{status};
  }
  void examine_vertex() const {
    if (!graph.failure().ok()) throw Stop{graph.failure()};
    if (!failure.ok()) throw Stop{failure};
    const Status status = check_bounds(options, visits);
    if (!status.ok()) throw Stop{status};
  }
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
    state_.arrivals[edge.target] = {edge.source, edge.id};
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

// --- Hops ----------------------------------------------------------------------------------------------------------------------------

Orientation orientation_of(Direction direction) {
  switch (direction) {
    case Direction::kOut:
      return Orientation::kNatural;
    case Direction::kIn:
      return Orientation::kReverse;
    case Direction::kBoth:
      break;
  }
  return Orientation::kUndirected;
}

/// A node that the graph has is in its projection.
Result<Vertex> vertex_of(const Projection& graph, NodeId id) {
  if (const auto vertex = graph.vertex(id)) return *vertex;
  return Status(StatusCode::kInternal, fmt::format("node {} is not in the projection", id.value()));
}

Result<std::vector<Reached>> hops_on(const Projection& graph, NodeId start, const TraversalOptions& options) {
  BRAID_ASSIGN(const Vertex vertex, vertex_of(graph, start));
  std::vector<Reached> reached;
  Status memory;
  BRAID_TRY(trace_hops(graph, vertex, options.depth_max, context_of(options), [&](const TracedVertex& traced) {
    if (!memory.ok()) return;
    // Growing copies: both are there for a moment.
    if (reached.size() == reached.capacity()) memory = check_memory(options, 3 * reached.capacity() * sizeof(Reached));
    const NodeId previous = traced.depth == 0 ? NodeId() : graph.node(traced.previous);
    if (memory.ok()) reached.push_back({graph.node(traced.vertex), traced.depth, traced.via, previous});
  }));
  BRAID_TRY(memory);
  return reached;
}

// --- Paths from both ends ------------------------------------------------------------------------------------------------------------

Result<std::optional<Path>> path_on(std::shared_ptr<const Projection> projection, NodeId source, NodeId target,
                                    const TraversalOptions& options) {
  const Projection& graph = *projection;
  BRAID_ASSIGN(const Vertex from, vertex_of(graph, source));
  BRAID_ASSIGN(const Vertex to, vertex_of(graph, target));
  ProjectionWalk walk(projection);
  BRAID_ASSIGN(const auto vertices, walk.path(from, to, options.steps.direction, context_of(options)));
  if (vertices.empty() || vertices.size() - 1 > options.depth_max) return std::optional<Path>();
  Path path;
  for (const Vertex vertex : vertices) path.nodes.push_back(graph.node(vertex));
  for (size_t i = 1; i < vertices.size(); ++i)
    path.edges.push_back(edge_between(graph, vertices[i - 1], vertices[i], options.steps.direction));
  path.cost = static_cast<double>(path.edges.size());
  return std::optional<Path>(std::move(path));
}

/// A search from both ends in the store. Levels are whole, so that the first meeting is as near as any.
class StorePath {
 public:
  StorePath(const GraphView& view, NodeId source, NodeId target, const TraversalOptions& options, WalkChoice& choice)
      : view_(view), source_(source), target_(target), options_(options), choice_(choice) {
    sides_[0].rules = options.steps;
    sides_[1].rules = reversed(options.steps);
    // Backwards a step leads to where it would come from: the source is never asked.
    if (options.steps.node_passes) {
      sides_[1].rules.node_passes = [this](NodeId node) -> Result<bool> {
        return node == source_ ? Result<bool>(true) : options_.steps.node_passes(node);
      };
    }
    sides_[0].level = {source};
    sides_[1].level = {target};
    sides_[0].arrivals[source.value()] = {};
    sides_[1].arrivals[target.value()] = {};
  }

  Result<std::optional<Path>> run() {
    if (options_.steps.node_passes) {
      BRAID_ASSIGN(const bool passes, options_.steps.node_passes(target_));
      if (!passes) return std::optional<Path>();
    }
    for (uint32_t depth = 0; depth < options_.depth_max && !sides_[0].level.empty() && !sides_[1].level.empty(); ++depth) {
      const int ahead = sides_[0].level.size() <= sides_[1].level.size() ? 0 : 1;
      BRAID_ASSIGN(const auto meeting, expand(ahead));
      if (projection_ != nullptr) return path_on(projection_, source_, target_, options_);
      if (meeting) return std::optional<Path>(joined(*meeting));
    }
    return std::optional<Path>();
  }

 private:
  struct Side {
    StepRules rules{};
    Arrivals arrivals{};
    std::vector<NodeId> level{};
  };

  Result<std::optional<NodeId>> expand(int ahead) {
    Side& mine = sides_[ahead];
    const Side& other = sides_[1 - ahead];
    std::vector<NodeId> next;
    for (const NodeId from : mine.level) {
      const uint64_t visits = sides_[0].arrivals.size() + sides_[1].arrivals.size();
      BRAID_TRY(check_bounds(options_, visits));
      BRAID_TRY(check_memory(options_, visits * kArrivalBytes));
      BRAID_ASSIGN(projection_, choice_.next());
      if (projection_ != nullptr) return std::optional<NodeId>();
      neighbors_.clear();
      BRAID_TRY(read_steps(view_, from, mine.rules, neighbors_));
      for (const Neighbor& step : neighbors_) {
        if (!mine.arrivals.emplace(step.node.value(), Arrival{from.value(), step.edge}).second) continue;
        if (other.arrivals.contains(step.node.value())) return std::optional(step.node);
        next.push_back(step.node);
      }
    }
    mine.level = std::move(next);
    return std::optional<NodeId>();
  }

  Path joined(NodeId meeting) const {
    Path path = path_to(source_.value(), meeting.value(), sides_[0].arrivals);
    for (BoostVertex at = meeting.value(); at != target_.value();) {
      const Arrival& arrival = sides_[1].arrivals.at(at);
      path.edges.push_back(arrival.edge);
      path.nodes.emplace_back(at = arrival.previous);
    }
    path.cost = static_cast<double>(path.edges.size());
    return path;
  }

  const GraphView& view_;
  const NodeId source_;
  const NodeId target_;
  const TraversalOptions& options_;
  WalkChoice& choice_;
  Side sides_[2];
  std::vector<Neighbor> neighbors_;
  std::shared_ptr<const Projection> projection_;  // shared with the cache
};

// --- Trails --------------------------------------------------------------------------------------------------------------------------

/// Depth first, one step of one node after another.
class TrailSearch {
 public:
  TrailSearch(const GraphView& view, const TrailQuery& query, const TraversalOptions& options)
      : view_(view), query_(query), options_(options) {}

  Result<std::vector<Path>> run() {
    nodes_ = {query_.start};
    keep();
    if (options_.depth_max > 0) BRAID_TRY(enter(query_.start));
    while (!frames_.empty()) {
      Frame& top = frames_.back();
      if (top.next == top.steps->size()) {
        leave();
        continue;
      }
      const Neighbor step = (*top.steps)[top.next++];
      BRAID_TRY(check_bounds(options_, ++looked_at_));
      BRAID_TRY(check_memory(options_, found_bytes_ + steps_kept_ * sizeof(Neighbor)));
      if (!used_.insert(step.edge).second) continue;
      edges_.push_back(step.edge);
      nodes_.push_back(step.node);
      keep();
      if (edges_.size() < options_.depth_max) {
        BRAID_TRY(enter(step.node));
      } else {
        undo_step();
      }
    }
    return std::move(found_);
  }

 private:
  using Steps = std::vector<Neighbor>;
  struct Frame {
    std::shared_ptr<const Steps> steps;  // shared with those kept by node
    size_t next = 0;
  };
  static constexpr size_t kStepsKeptMax = 1 << 20;

  Status enter(NodeId node) {
    auto& known = steps_of_[node];
    if (known == nullptr) {
      auto steps = std::make_shared<Steps>();
      BRAID_TRY(read_steps(view_, node, options_.steps, *steps));
      // A self loop seen from both ends is one step.
      if (options_.steps.direction == Direction::kBoth)
        std::erase_if(*steps, [node](const Neighbor& step) { return step.node == node && step.direction == Direction::kIn; });
      steps_kept_ += steps->size();
      known = std::move(steps);
    }
    frames_.push_back({known});
    if (steps_kept_ > kStepsKeptMax) {
      // The frames keep what they need.
      steps_of_.clear();
      steps_kept_ = 0;
    }
    return {};
  }
  void leave() {
    frames_.pop_back();
    if (!frames_.empty()) undo_step();
  }
  void undo_step() {
    used_.erase(edges_.back());
    edges_.pop_back();
    nodes_.pop_back();
  }
  void keep() {
    if (edges_.size() < query_.depth_min) return;
    if (query_.target && nodes_.back() != *query_.target) return;
    found_.push_back({nodes_, edges_, static_cast<double>(edges_.size())});
    found_bytes_ += sizeof(Path) + 2 * (kNodeBytes + nodes_.size() * sizeof(NodeId));
  }

  const GraphView& view_;
  const TrailQuery& query_;
  const TraversalOptions& options_;
  std::unordered_map<NodeId, std::shared_ptr<const Steps>> steps_of_;
  size_t steps_kept_ = 0;
  std::vector<Frame> frames_;
  std::vector<NodeId> nodes_;
  std::vector<EdgeId> edges_;
  std::unordered_set<EdgeId> used_;
  uint64_t looked_at_ = 0;
  uint64_t found_bytes_ = 0;
  std::vector<Path> found_;
};

}  // namespace

Result<std::vector<Reached>> k_hops(const GraphView& view, NodeId start, const TraversalOptions& options, WalkReport* report) {
  BRAID_TRY(require_node(view, start));
  WalkReport unread;
  const ProjectionSpec spec{.types = options.steps.types, .orientation = orientation_of(options.steps.direction)};
  WalkChoice choice(view, spec, options, report != nullptr ? *report : unread);
  std::vector<Reached> reached = {{start, 0, EdgeId(), NodeId()}};
  std::unordered_map<NodeId, size_t> places = {{start, 0}};
  std::vector<Neighbor> neighbors;
  for (size_t next = 0; next < reached.size(); ++next) {
    const Reached from = reached[next];
    BRAID_TRY(check_bounds(options, reached.size()));
    BRAID_TRY(check_memory(options, reached.size() * kReachedBytes));
    if (from.depth >= options.depth_max) break;
    BRAID_ASSIGN(const auto projection, choice.next());
    if (projection != nullptr) return hops_on(*projection, start, options);
    neighbors.clear();
    BRAID_TRY(read_steps(view, from.node, options.steps, neighbors));
    for (const Neighbor& step : neighbors) {
      const auto [place, fresh] = places.emplace(step.node, reached.size());
      if (fresh) {
        reached.push_back({step.node, from.depth + 1, step.edge, from.node});
        if (reached.size() > options.visits_max) BRAID_TRY(check_bounds(options, reached.size()));
        continue;
      }
      Reached& other = reached[place->second];
      if (other.depth != from.depth + 1 || other.via <= step.edge) continue;
      other.via = step.edge;
      other.previous = from.node;
    }
  }
  return reached;
}

Result<std::optional<Path>> shortest_path(const GraphView& view, NodeId source, NodeId target, const TraversalOptions& options,
                                          WalkReport* report) {
  BRAID_TRY(require_node(view, source));
  BRAID_TRY(require_node(view, target));
  WalkReport unread;
  const ProjectionSpec spec{.types = options.steps.types};
  WalkChoice choice(view, spec, options, report != nullptr ? *report : unread);
  if (source == target) return std::optional<Path>(Path{{source}, {}, 0});
  return StorePath(view, source, target, options, choice).run();
}

Result<std::vector<Path>> trails(const GraphView& view, const TrailQuery& query, const TraversalOptions& options) {
  BRAID_TRY(require_node(view, query.start));
  if (query.target) BRAID_TRY(require_node(view, *query.target));
  return TrailSearch(view, query, options).run();
}

Result<std::optional<Path>> weighted_shortest_path(const GraphView& view, NodeId source,
                                                   NodeId target, KeyId weight,
                                                   const TraversalOptions& options) {
  if (options.depth_max != UINT32_MAX) {
    return Status(StatusCode::kInvalidArgument, "a weighted path has no limit on its hops");
  }
  BRAID_TRY(require_node(view, source));
  BRAID_TRY(require_node(view, target));
  const BoostGraph graph(view, options.steps);
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
