// What a graph is made of: order and cycles, what falls apart when something fails, what flows, what is alike.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <random>

#include "graph/algorithms.h"
#include "graph/disjoint_sets.h"
#include "graph/pace.h"
#include "graph/result_rows.h"

namespace braid {
namespace {


Status directed_only(const Projection& graph) {
  if (graph.directed()) return {};
  return Status(StatusCode::kInvalidArgument, "takes a directed projection; this one is undirected");
}

// --- Order ---------------------------------------------------------------------------------------------------------------------------

/// Vertices on no cycle and behind none, in an order in which every edge goes forward. Kahn, "Topological sorting of large networks" (1962).
std::vector<Vertex> topological_order(const Projection& graph) {
  std::vector<uint64_t> waiting(graph.vertex_count());
  std::vector<Vertex> order;
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    waiting[vertex] = graph.in().degree(vertex);
    if (waiting[vertex] == 0) order.push_back(vertex);
  }
  for (size_t next = 0; next < order.size(); ++next)
    for (const Vertex target : graph.out().of(order[next]))
      if (--waiting[target] == 0) order.push_back(target);
  return order;
}

/// Entries of one cycle, empty when there is none. Every vertex that the order left out has an edge from another such vertex, so going back
/// over those meets a vertex twice.
std::vector<uint64_t> one_cycle(const Projection& graph, const std::vector<Vertex>& order) {
  if (order.size() == graph.vertex_count()) return {};
  std::vector<bool> ordered(graph.vertex_count());
  for (const Vertex vertex : order) ordered[vertex] = true;
  const auto first = std::find(ordered.begin(), ordered.end(), false);
  std::vector<Vertex> walk{static_cast<Vertex>(first - ordered.begin())};
  std::vector<bool> seen(graph.vertex_count());
  while (!seen[walk.back()]) {
    seen[walk.back()] = true;
    const auto before = graph.in().of(walk.back());
    walk.push_back(*std::find_if(before.begin(), before.end(), [&](Vertex vertex) { return !ordered[vertex]; }));
  }
  const auto start = std::find(walk.begin(), walk.end(), walk.back());
  std::vector<uint64_t> cycle;
  for (auto at = walk.end() - 1; at != start; --at) {
    for (uint64_t entry = graph.out().offsets[*at];; ++entry) {
      if (graph.out().targets[entry] != *(at - 1)) continue;
      cycle.push_back(entry);
      break;
    }
  }
  return cycle;
}

Status run_topological_order(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(directed_only(graph));
  const std::vector<Vertex> order = topological_order(graph);
  if (order.size() < graph.vertex_count()) {
    const Vertex on_cycle = graph.out().targets[one_cycle(graph, order).front()];
    return Status(StatusCode::kInvalidArgument, fmt::format("node {} is on a cycle; graph_cycle shows it",
                                                            graph.node(on_cycle).value()));
  }
  ResultRows rows(out, 2, context);
  int64_t position = 0;
  for (const Vertex vertex : order) BRAID_TRY(rows.add({int64_t{vertex}, position++}));
  return {};
}

Status run_cycle(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(directed_only(graph));
  ResultRows rows(out, 3, context);
  int64_t step = 0;
  for (const uint64_t entry : one_cycle(graph, topological_order(graph)))
    BRAID_TRY(rows.add({++step, int64_t{graph.out().targets[entry]}, static_cast<int64_t>(graph.edge(entry).value())}));
  return {};
}

// --- What falls apart ----------------------------------------------------------------------------------------------------------------

/// Hopcroft, Tarjan, "Efficient algorithms for graph manipulation" (1973), without recursion. Edges are told apart by their ids, so that of
/// two parallel edges none is a bridge. Directions do not count.
class Biconnected {
 public:
  explicit Biconnected(const Projection& graph)
      : vertex_count_(graph.vertex_count()), order_(vertex_count_, kNoVertex), low_(vertex_count_, kNoVertex), cuts_(vertex_count_) {
    make_steps(graph);
  }

  Status run(const AlgorithmContext& context) {
    for (Vertex root = 0; root < vertex_count_; ++root)
      if (order_[root] == kNoVertex) BRAID_TRY(search(root, context));
    return {};
  }

  bool cuts(Vertex vertex) const { return cuts_[vertex]; }
  struct EdgeOf {
    uint64_t edge;
    Vertex source;
    Vertex target;
    int64_t component;  // self loops are components of their own
    bool bridge;
  };
  const std::vector<EdgeOf>& edges() const { return edges_; }

 private:
  struct Frame {
    Vertex vertex;
    uint64_t via;   // edge id; 0 at a root
    uint64_t next;  // step to look at
    size_t edges;   // on the stack when `via` was pushed
  };
  struct Step {
    Vertex target;
    uint64_t edge;
    bool forward;
  };

  /// Each edge at both of its ends, self loops at none.
  void make_steps(const Projection& graph) {
    const Adjacency& out = graph.out();
    first_.assign(vertex_count_ + size_t{1}, 0);
    const auto each = [&](const auto& visit) {
      for (Vertex source = 0; source < vertex_count_; ++source)
        for (uint64_t entry = out.offsets[source]; entry < out.offsets[source + 1]; ++entry)
          visit(source, out.targets[entry], graph.edge(entry).value());
    };
    std::vector<std::pair<uint64_t, Vertex>> loops;
    each([&](Vertex source, Vertex target, uint64_t edge) {
      if (source == target) loops.emplace_back(edge, source);
      if (source == target) return;
      ++first_[source + 1];
      if (graph.directed()) ++first_[target + 1];
    });
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    steps_.resize(first_.back());
    std::vector<uint64_t> next(first_.begin(), first_.end() - 1);
    each([&](Vertex source, Vertex target, uint64_t edge) {
      if (source == target) return;
      steps_[next[source]++] = {target, edge, true};
      if (graph.directed()) steps_[next[target]++] = {source, edge, false};
    });
    std::sort(loops.begin(), loops.end());
    loops.erase(std::unique(loops.begin(), loops.end()), loops.end());
    for (const auto& [edge, vertex] : loops) edges_.push_back({edge, vertex, vertex, component_++, false});
  }

  void enter(Vertex vertex, uint64_t via, size_t edges) {
    order_[vertex] = low_[vertex] = time_++;
    stack_.push_back({vertex, via, first_[vertex], edges});
  }

  Status search(Vertex root, const AlgorithmContext& context) {
    enter(root, 0, 0);
    uint64_t root_children = 0;
    while (!stack_.empty()) {
      if (++work_ % kStepsPerCheck == 0) BRAID_TRY(context.check());
      Frame& top = stack_.back();
      if (top.next == first_[top.vertex + 1]) {
        leave(root, root_children);
        continue;
      }
      const Vertex vertex = top.vertex;
      const Step& taken = steps_[top.next++];
      if (taken.edge == top.via) continue;
      const Vertex source = taken.forward ? vertex : taken.target;
      const Vertex target = taken.forward ? taken.target : vertex;
      if (order_[taken.target] == kNoVertex) {
        const size_t held = pending_.size();
        pending_.push_back({taken.edge, source, target, 0, false});
        enter(taken.target, taken.edge, held);
      } else if (order_[taken.target] < order_[vertex]) {
        pending_.push_back({taken.edge, source, target, 0, false});
        low_[vertex] = std::min(low_[vertex], order_[taken.target]);
      }
    }
    cuts_[root] = root_children > 1;
    return {};
  }

  /// The vertex on top is done: its parent learns how far up it reaches, and whether a component ends here.
  void leave(Vertex root, uint64_t& root_children) {
    const Frame done = stack_.back();
    stack_.pop_back();
    if (stack_.empty()) return;
    const Vertex parent = stack_.back().vertex;
    low_[parent] = std::min(low_[parent], low_[done.vertex]);
    if (low_[done.vertex] < order_[parent]) return;
    if (parent == root) {
      ++root_children;
    } else {
      cuts_[parent] = true;
    }
    const bool bridge = low_[done.vertex] > order_[parent];
    for (size_t i = done.edges; i < pending_.size(); ++i) {
      pending_[i].component = component_;
      pending_[i].bridge = bridge && pending_[i].edge == done.via;
      edges_.push_back(pending_[i]);
    }
    pending_.resize(done.edges);
    ++component_;
  }

  const Vertex vertex_count_;
  std::vector<uint64_t> first_;  // step of each vertex, and one more
  std::vector<Step> steps_;
  std::vector<Vertex> order_;
  std::vector<Vertex> low_;
  std::vector<bool> cuts_;
  std::vector<Frame> stack_;
  std::vector<EdgeOf> pending_;  // of components that are not done
  std::vector<EdgeOf> edges_;
  Vertex time_ = 0;
  int64_t component_ = 0;
  uint64_t work_ = 0;
};

Status run_articulation_points(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  Biconnected found(graph);
  BRAID_TRY(found.run(context));
  ResultRows rows(out, 1, context);
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex)
    if (found.cuts(vertex)) BRAID_TRY(rows.add({int64_t{vertex}}));
  return {};
}

Status run_bridges(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  Biconnected found(graph);
  BRAID_TRY(found.run(context));
  ResultRows rows(out, 3, context);
  for (const auto& edge : found.edges())
    if (edge.bridge) BRAID_TRY(rows.add({static_cast<int64_t>(edge.edge), int64_t{edge.source}, int64_t{edge.target}}));
  return {};
}

Status run_biconnected(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  Biconnected found(graph);
  BRAID_TRY(found.run(context));
  ResultRows rows(out, 4, context);
  for (const auto& edge : found.edges())
    BRAID_TRY(rows.add({static_cast<int64_t>(edge.edge), int64_t{edge.source}, int64_t{edge.target}, edge.component}));
  return {};
}

/// Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm" (2001).
Status run_dominators(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  const Vertex root = arguments.vertex(0);
  std::vector<Vertex> postorder;
  std::vector<Vertex> number(graph.vertex_count(), kNoVertex);
  {
    std::vector<bool> seen(graph.vertex_count());
    std::vector<std::pair<Vertex, uint64_t>> stack{{root, graph.out().offsets[root]}};
    seen[root] = true;
    while (!stack.empty()) {
      auto& [vertex, entry] = stack.back();
      if (entry == graph.out().offsets[vertex + 1]) {
        number[vertex] = static_cast<Vertex>(postorder.size());
        postorder.push_back(vertex);
        stack.pop_back();
        continue;
      }
      const Vertex target = graph.out().targets[entry++];
      if (seen[target]) continue;
      seen[target] = true;
      stack.emplace_back(target, graph.out().offsets[target]);
    }
  }
  std::vector<Vertex> dominator(graph.vertex_count(), kNoVertex);
  dominator[root] = root;
  const auto common = [&](Vertex a, Vertex b) {
    while (a != b) {
      while (number[a] < number[b]) a = dominator[a];
      while (number[b] < number[a]) b = dominator[b];
    }
    return a;
  };
  for (bool changed = true; changed;) {
    BRAID_TRY(context.check());
    changed = false;
    for (auto vertex = postorder.rbegin() + 1; vertex != postorder.rend(); ++vertex) {
      Vertex chosen = kNoVertex;
      for (const Vertex before : graph.in().of(*vertex)) {
        if (number[before] == kNoVertex || dominator[before] == kNoVertex) continue;
        chosen = chosen == kNoVertex ? before : common(before, chosen);
      }
      if (dominator[*vertex] == chosen) continue;
      dominator[*vertex] = chosen;
      changed = true;
    }
  }
  // How much hangs on each: everything that it dominates, itself left out.
  std::vector<int64_t> hanging(graph.vertex_count(), 0);
  for (const Vertex vertex : postorder)
    if (vertex != root) hanging[dominator[vertex]] += hanging[vertex] + 1;
  ResultRows rows(out, 3, context);
  for (auto vertex = postorder.rbegin(); vertex != postorder.rend(); ++vertex)
    BRAID_TRY(rows.add({int64_t{*vertex}, *vertex == root ? ResultColumn::kNoValue : int64_t{dominator[*vertex]}, hanging[*vertex]}));
  return {};
}

// --- Trees, flows, sides -------------------------------------------------------------------------------------------------------------

/// Kruskal, "On the shortest spanning subtree of a graph" (1956). Directions do not count.
Status run_spanning_forest(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  struct Candidate {
    double weight;
    uint64_t edge;
    Vertex source;
    Vertex target;
  };
  std::vector<Candidate> candidates;
  for (Vertex source = 0; source < graph.vertex_count(); ++source)
    for (uint64_t entry = graph.out().offsets[source]; entry < graph.out().offsets[source + 1]; ++entry)
      candidates.push_back({graph.weight(entry), graph.edge(entry).value(), source, graph.out().targets[entry]});
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return std::tie(a.weight, a.edge) < std::tie(b.weight, b.edge); });
  DisjointSets sets(graph.vertex_count());
  ResultRows rows(out, 4, context);
  for (const Candidate& one : candidates)
    if (sets.join(one.source, one.target))
      BRAID_TRY(rows.add({static_cast<int64_t>(one.edge), int64_t{one.source}, int64_t{one.target}, one.weight}));
  return {};
}

/// Dinic, "Algorithm for solution of a problem of maximum flow in a network with power estimation" (1970). An edge's weight is its capacity;
/// an undirected edge carries it either way.
class MaximumFlow {
 public:
  explicit MaximumFlow(const Projection& graph) : graph_(graph), first_(graph.vertex_count(), kNoEntry) {
    for (Vertex source = 0; source < graph.vertex_count(); ++source)
      for (uint64_t entry = graph.out().offsets[source]; entry < graph.out().offsets[source + 1]; ++entry) add(source, entry);
  }

  Status run(Vertex source, Vertex sink, const AlgorithmContext& context) {
    source_ = source;
    sink_ = sink;
    while (level()) {
      next_ = first_;
      BRAID_TRY(context.check());
      while (push_one()) {
      }
    }
    return {};
  }
  double total() const { return total_; }
  /// After `run`: on the source's side of the least cut.
  bool near_source(Vertex vertex) const { return level_[vertex] != kNoVertex; }
  double flow(uint64_t entry) const { return graph_.weight(entry) - arcs_[2 * entry].room; }

 private:
  /// Arc 2e is entry e, arc 2e + 1 goes back.
  struct Arc {
    Vertex target;
    double room;
    uint64_t next;
  };

  void add(Vertex source, uint64_t entry) {
    const Vertex target = graph_.out().targets[entry];
    arcs_.push_back({target, graph_.weight(entry), first_[source]});
    first_[source] = arcs_.size() - 1;
    arcs_.push_back({source, 0, first_[target]});
    first_[target] = arcs_.size() - 1;
  }
  bool level() {
    level_.assign(graph_.vertex_count(), kNoVertex);
    level_[source_] = 0;
    std::vector<Vertex> queue{source_};
    for (size_t i = 0; i < queue.size(); ++i)
      for (uint64_t arc = first_[queue[i]]; arc != kNoEntry; arc = arcs_[arc].next) {
        if (arcs_[arc].room <= 0 || level_[arcs_[arc].target] != kNoVertex) continue;
        level_[arcs_[arc].target] = level_[queue[i]] + 1;
        queue.push_back(arcs_[arc].target);
      }
    return level_[sink_] != kNoVertex;
  }
  /// One path of the level graph, found by going forward and back over arcs that lead on.
  bool push_one() {
    std::vector<uint64_t> path;
    Vertex vertex = source_;
    while (vertex != sink_) {
      uint64_t& arc = next_[vertex];
      while (arc != kNoEntry && (arcs_[arc].room <= 0 || level_[arcs_[arc].target] != level_[vertex] + 1)) arc = arcs_[arc].next;
      if (arc != kNoEntry) {
        path.push_back(arc);
        vertex = arcs_[arc].target;
        continue;
      }
      if (path.empty()) return false;
      vertex = arcs_[path.back() ^ 1].target;
      next_[vertex] = arcs_[next_[vertex]].next;
      path.pop_back();
    }
    double amount = std::numeric_limits<double>::infinity();
    for (const uint64_t arc : path) amount = std::min(amount, arcs_[arc].room);
    for (const uint64_t arc : path) {
      arcs_[arc].room -= amount;
      arcs_[arc ^ 1].room += amount;
    }
    total_ += amount;
    return true;
  }

  const Projection& graph_;
  std::vector<uint64_t> first_;
  std::vector<uint64_t> next_;
  std::vector<Arc> arcs_;
  std::vector<Vertex> level_;
  Vertex source_ = 0;
  Vertex sink_ = 0;
  double total_ = 0;
};

/// What an undirected edge's two entries carry against each other is nothing that flows: only the difference stays.
void cancel_opposite(const Projection& graph, std::vector<double>& flows) {
  std::vector<uint64_t> carrying;
  for (uint64_t entry = 0; entry < flows.size(); ++entry)
    if (flows[entry] > 0) carrying.push_back(entry);
  std::sort(carrying.begin(), carrying.end(), [&](uint64_t a, uint64_t b) { return graph.edge(a) < graph.edge(b); });
  for (size_t i = 0; i + 1 < carrying.size(); ++i) {
    double& there = flows[carrying[i]];
    double& back = flows[carrying[i + 1]];
    if (graph.edge(carrying[i]) != graph.edge(carrying[i + 1])) continue;
    const double opposite = std::min(there, back);
    there -= opposite;
    back -= opposite;
  }
}

Status run_max_flow(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  const Vertex source = arguments.vertex(0), sink = arguments.vertex(1);
  if (source == sink) return Status(StatusCode::kInvalidArgument, "the source and the target are the same node");
  if (graph.has_negative_weight()) return Status(StatusCode::kInvalidArgument, "an edge has a negative capacity");
  MaximumFlow flow(graph);
  BRAID_TRY(flow.run(source, sink, context));
  std::vector<double> flows(graph.out().targets.size());
  for (uint64_t entry = 0; entry < flows.size(); ++entry) flows[entry] = flow.flow(entry);
  if (!graph.directed()) cancel_opposite(graph, flows);
  ResultRows rows(out, 7, context);
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex)
    for (uint64_t entry = graph.out().offsets[vertex]; entry < graph.out().offsets[vertex + 1]; ++entry) {
      const Vertex target = graph.out().targets[entry];
      const double carried = flows[entry];
      const bool cut = flow.near_source(vertex) && !flow.near_source(target);
      // Of an undirected edge's two entries, the one that carries something speaks for it, or the one that is cut.
      if (carried <= 0 && !(cut && graph.weight(entry) > 0)) continue;
      BRAID_TRY(rows.add({static_cast<int64_t>(graph.edge(entry).value()), int64_t{vertex}, int64_t{target}, carried, graph.weight(entry),
                          int64_t{cut}, flow.total()}));
    }
  return {};
}

Status run_bipartite(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  std::vector<int64_t> side(graph.vertex_count(), ResultColumn::kNoValue);
  std::vector<Vertex> queue;
  for (Vertex root = 0; root < graph.vertex_count(); ++root) {
    if (side[root] != ResultColumn::kNoValue) continue;
    side[root] = 0;
    queue = {root};
    for (size_t next = 0; next < queue.size(); ++next) {
      if (next % kStepsPerCheck == 0) BRAID_TRY(context.check());
      for (const Adjacency* steps : {&graph.out(), &graph.in()})
        for (const Vertex target : steps->of(queue[next])) {
          if (side[target] == side[queue[next]]) {
            return Status(StatusCode::kInvalidArgument,
                          fmt::format("the graph has no two sides: nodes {} and {} are linked and on a cycle of odd length",
                                      graph.node(queue[next]).value(), graph.node(target).value()));
          }
          if (side[target] != ResultColumn::kNoValue) continue;
          side[target] = 1 - side[queue[next]];
          queue.push_back(target);
        }
    }
  }
  ResultRows rows(out, 2, context);
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) BRAID_TRY(rows.add({int64_t{vertex}, side[vertex]}));
  return {};
}

// --- Likeness and chance -------------------------------------------------------------------------------------------------------------

/// Neighbours without direction, once each, without the vertex itself.
std::vector<Vertex> neighbors_of(const Projection& graph, Vertex vertex) {
  std::vector<Vertex> neighbors;
  for (const Adjacency* steps : {&graph.out(), &graph.in()}) {
    const auto targets = steps->of(vertex);
    neighbors.insert(neighbors.end(), targets.begin(), targets.end());
  }
  std::sort(neighbors.begin(), neighbors.end());
  neighbors.erase(std::unique(neighbors.begin(), neighbors.end()), neighbors.end());
  std::erase(neighbors, vertex);
  return neighbors;
}

/// Nodes that share neighbours with one node. Adamic, Adar, "Friends and neighbors on the Web" (2003).
Status run_similarity(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  const Vertex source = arguments.vertex(0);
  const std::vector<Vertex> own = neighbors_of(graph, source);
  std::vector<Vertex> others;
  for (const Vertex neighbor : own) {
    BRAID_TRY(context.check());
    const std::vector<Vertex> next = neighbors_of(graph, neighbor);
    others.insert(others.end(), next.begin(), next.end());
  }
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  std::erase(others, source);
  ResultRows rows(out, 4, context);
  for (const Vertex other : others) {
    BRAID_TRY(context.check());
    const std::vector<Vertex> theirs = neighbors_of(graph, other);
    std::vector<Vertex> shared;
    std::set_intersection(own.begin(), own.end(), theirs.begin(), theirs.end(), std::back_inserter(shared));
    double adamic_adar = 0;
    for (const Vertex common : shared) {
      const size_t degree = neighbors_of(graph, common).size();
      if (degree > 1) adamic_adar += 1 / std::log(static_cast<double>(degree));
    }
    const auto all = static_cast<double>(own.size() + theirs.size() - shared.size());
    BRAID_TRY(rows.add({int64_t{other}, static_cast<int64_t>(shared.size()), static_cast<double>(shared.size()) / all, adamic_adar}));
  }
  return {};
}

Status run_random_walk(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  std::mt19937_64 random(static_cast<uint64_t>(arguments.integer(3)));
  ResultRows rows(out, 4, context);
  for (int64_t walk = 1; walk <= arguments.integer(2); ++walk) {
    BRAID_TRY(context.check());
    Vertex vertex = arguments.vertex(0);
    BRAID_TRY(rows.add({walk, int64_t{0}, int64_t{vertex}, ResultColumn::kNoValue}));
    for (int64_t step = 1; step <= arguments.integer(1); ++step) {
      const uint64_t degree = graph.out().degree(vertex);
      if (degree == 0) break;
      const uint64_t entry = graph.out().offsets[vertex] + random() % degree;
      vertex = graph.out().targets[entry];
      BRAID_TRY(rows.add({walk, step, int64_t{vertex}, static_cast<int64_t>(graph.edge(entry).value())}));
    }
  }
  return {};
}

using enum ColumnKind;
constexpr ResultColumnRow kOrderColumns[] = {{"node", kNode}, {"position", kInteger}};
constexpr ResultColumnRow kCycleColumns[] = {{"step", kInteger}, {"node", kNode}, {"edge", kInteger}};
constexpr ResultColumnRow kNodeColumns[] = {{"node", kNode}};
constexpr ResultColumnRow kEdgeColumns[] = {{"edge", kInteger}, {"source_node", kNode}, {"target_node", kNode}};
constexpr ResultColumnRow kBiconnectedColumns[] = {
    {"edge", kInteger}, {"source_node", kNode}, {"target_node", kNode}, {"component", kInteger}};
constexpr ResultColumnRow kDominatorColumns[] = {{"node", kNode}, {"dominator", kNode}, {"hanging", kInteger}};
constexpr ResultColumnRow kForestColumns[] = {{"edge", kInteger}, {"source_node", kNode}, {"target_node", kNode}, {"weight", kReal}};
constexpr ResultColumnRow kFlowColumns[] = {{"edge", kInteger}, {"source_node", kNode}, {"target_node", kNode}, {"flow", kReal},
                                            {"capacity", kReal}, {"cut", kInteger},     {"total", kReal}};
constexpr ResultColumnRow kSideColumns[] = {{"node", kNode}, {"side", kInteger}};
constexpr ResultColumnRow kSimilarityColumns[] = {{"node", kNode}, {"common", kInteger}, {"jaccard", kReal}, {"adamic_adar", kReal}};
constexpr ResultColumnRow kWalkColumns[] = {{"walk", kInteger}, {"step", kInteger}, {"node", kNode}, {"edge", kInteger}};

constexpr AlgorithmParameter kRoot[] = {{"source", ParameterKind::kNode, true}};
constexpr AlgorithmParameter kFlowEnds[] = {{"source", ParameterKind::kNode, true}, {"target", ParameterKind::kNode, true}};
constexpr AlgorithmParameter kWalkParameters[] = {{"source", ParameterKind::kNode, true},
                                                  {"length", ParameterKind::kInteger, false, 10, 0, 1e9},
                                                  {"walks", ParameterKind::kInteger, false, 1, 1, 1e9},
                                                  {"seed", ParameterKind::kInteger, false, 1, 0, 9e18}};

constexpr AlgorithmRow kStructure[] = {
    {"topological_order", "An order in which every edge goes forward; refused when there is a cycle.", kOrderColumns, {}, "Braid: Kahn 1962",
     "O(n + m)", run_topological_order},
    {"cycle", "The steps of one directed cycle; no rows when there is none.", kCycleColumns, {}, "Braid", "O(n + m)", run_cycle},
    {"articulation_points", "Nodes without which their component falls apart; directions do not count.", kNodeColumns, {},
     "Braid: Hopcroft, Tarjan 1973", "O(n + m)", run_articulation_points},
    {"bridges", "Edges without which their component falls apart; directions do not count.", kEdgeColumns, {},
     "Braid: Hopcroft, Tarjan 1973", "O(n + m)", run_bridges},
    {"biconnected", "The biconnected component of each edge; directions do not count.", kBiconnectedColumns, {},
     "Braid: Hopcroft, Tarjan 1973", "O(n + m)", run_biconnected},
    {"dominators", "The single point of failure nearest to each node, and how many nodes hang on each.", kDominatorColumns, kRoot,
     "Braid: Cooper, Harvey, Kennedy 2001", "O(n m) at worst, near O(n + m)", run_dominators},
    {"spanning_forest", "The edges of a spanning forest of least weight; directions do not count.", kForestColumns, {},
     "Braid: Kruskal 1956", "O(m log m)", run_spanning_forest},
    {"max_flow", "Edges that carry a largest flow, and those of a least cut; weights are capacities.", kFlowColumns, kFlowEnds,
     "Braid: Dinic 1970", "O(n^2 m)", run_max_flow},
    {"bipartite", "The side of each node; refused when there are no two sides.", kSideColumns, {}, "Braid", "O(n + m)", run_bipartite},
    {"similarity", "Nodes that share neighbours with a node: how many, Jaccard's and Adamic and Adar's measures.", kSimilarityColumns, kRoot,
     "Braid: Adamic, Adar 2003", "O(d^2 log d) around the node", run_similarity},
    {"random_walk", "Walks that take each step with equal chance.", kWalkColumns, kWalkParameters, "Braid", "O(walks length)",
     run_random_walk},
};

}  // namespace

std::span<const AlgorithmRow> structure_algorithms() { return kStructure; }

}  // namespace braid
