// Paths: what is reached, how far, over which edges.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <queue>
#include <unordered_set>

#include "graph/algorithms.h"
#include "graph/pace.h"
#include "graph/projection_walk.h"
#include "graph/result_rows.h"
#include "graph/vertex_set.h"

namespace braid {

Status no_negative_weights(const Projection& graph) {
  if (!graph.has_negative_weight()) return {};
  return Status(StatusCode::kInvalidArgument, "an edge has a negative weight; graph_bellman_ford takes those");
}

namespace {


int64_t vertex_value(Vertex vertex) { return vertex == kNoVertex ? ResultColumn::kNoValue : int64_t{vertex}; }

// --- Breadth first and depth first ---------------------------------------------------------------------------------------------------

/// Vertices level by level, each with the one before it.
class Reach {
 public:
  /// Without the vertex `without`, which may be kNoVertex, and without the edge `without_edge`, which may be 0.
  Status run(const Projection& graph, Vertex source, Vertex without, uint64_t without_edge, const AlgorithmContext& context) {
    seen_.reset(graph.vertex_count());
    order_.resize(graph.vertex_count());
    parents_.resize(graph.vertex_count());
    if (source == without) return finish(0);
    if (without != kNoVertex) seen_.add(without);
    return without_edge == 0 ? spread(graph, source, context, [](uint64_t) { return true; })
                             : spread(graph, source, context, [&](uint64_t entry) { return graph.edge(entry).value() != without_edge; });
  }

  const std::vector<Vertex>& order() const { return order_; }
  /// By place in the order; that of the source is kNoVertex.
  Vertex parent(size_t place) const { return parents_[place]; }
  /// What was left out counts as reached.
  bool has(Vertex vertex) const { return seen_.has(vertex); }
  /// Calls `visit(place, depth)` in the order.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (size_t depth = 0; depth + 1 < levels_.size(); ++depth)
      for (size_t place = levels_[depth]; place < levels_[depth + 1]; ++place) visit(place, depth);
  }

 private:
  template <typename Leads>
  Status spread(const Projection& graph, Vertex source, const AlgorithmContext& context, Leads&& leads) {
    const uint32_t* const offsets = graph.out().offsets.data();
    const Vertex* const targets = graph.out().targets.data();
    size_t end = 0;
    const auto add = [&](Vertex vertex, Vertex parent) {
      order_[end] = vertex;
      parents_[end++] = parent;
    };
    seen_.add(source);
    add(source, kNoVertex);
    Pace pace(context);
    size_t next = 0;
    while (next < end) {
      levels_.push_back(next);
      for (const size_t level_end = end; next < level_end; ++next) {
        const Vertex vertex = order_[next];
        const uint64_t limit = offsets[vertex + size_t{1}];
        for (uint64_t entry = offsets[vertex]; entry < limit; ++entry)
          if (!seen_.has(targets[entry]) && leads(entry) && seen_.add(targets[entry])) add(targets[entry], vertex);
        pace.set_done(static_cast<double>(next), graph.vertex_count());
        BRAID_TRY(pace.step(limit - offsets[vertex] + 1));
      }
    }
    return finish(end);
  }

  Status finish(size_t count) {
    levels_.push_back(count);
    order_.resize(count);
    return {};
  }

  VertexSet seen_;
  std::vector<Vertex> order_;
  std::vector<Vertex> parents_;
  std::vector<size_t> levels_;  // where each begins, and the end
};

Status run_bfs(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  Reach reached;
  BRAID_TRY(reached.run(graph, arguments.vertex(0), kNoVertex, 0, context));
  ResultRows rows(out, 3, context);
  BRAID_TRY(rows.reserve_integers(reached.order().size()));
  reached.each([&](size_t place, size_t depth) { rows.add_integers(reached.order()[place], depth, vertex_value(reached.parent(place))); });
  return {};
}

Status run_dfs(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  std::vector<Vertex> parent(graph.vertex_count(), kNoVertex);
  std::vector<bool> seen(graph.vertex_count());
  struct Frame {
    Vertex vertex;
    uint64_t entry;
  };
  std::vector<Frame> stack;
  ResultRows rows(out, 4, context);
  int64_t order = 0;
  const auto enter = [&](Vertex vertex) {
    seen[vertex] = true;
    const auto depth = static_cast<int64_t>(stack.size());
    stack.push_back({vertex, graph.out().offsets[vertex]});
    return rows.add({int64_t{vertex}, order++, depth, vertex_value(parent[vertex])});
  };
  BRAID_TRY(enter(arguments.vertex(0)));
  uint64_t steps = 0;
  while (!stack.empty()) {
    if (++steps % kStepsPerCheck == 0) BRAID_TRY(context.check());
    Frame& top = stack.back();
    if (top.entry == graph.out().offsets[top.vertex + 1]) {
      stack.pop_back();
      continue;
    }
    const Vertex target = graph.out().targets[top.entry++];
    if (seen[target]) continue;
    parent[target] = top.vertex;
    BRAID_TRY(enter(target));
  }
  return {};
}

/// What hangs on one vertex or edge: reached from the root, and not without it.
Status run_cut_off(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  if (arguments.given(1) == arguments.given(2)) {
    return Status(StatusCode::kInvalidArgument, "takes either 'failed_node' or 'failed_edge'");
  }
  const Vertex root = arguments.vertex(0);
  const Vertex failed = arguments.given(1) ? arguments.vertex(1) : kNoVertex;
  const uint64_t failed_edge = arguments.given(2) ? static_cast<uint64_t>(arguments.integer(2)) : 0;
  Reach before, after;
  BRAID_TRY(before.run(graph, root, kNoVertex, 0, context));
  BRAID_TRY(after.run(graph, root, failed, failed_edge, context));
  ResultRows rows(out, 2, context);
  Status status;
  before.each([&](size_t place, size_t depth) {
    const Vertex vertex = before.order()[place];
    const bool is_cut = vertex != failed && !after.has(vertex);
    if (status.ok() && is_cut) status = rows.add({int64_t{vertex}, static_cast<int64_t>(depth)});
  });
  return status;
}

// --- One source, weighted ------------------------------------------------------------------------------------------------------------

struct Distances {
  std::vector<double> distance;
  std::vector<uint64_t> entry;  // by which each vertex was reached
  std::vector<Vertex> parent;
};

/// Which vertices and entries a search may use; both may be empty.
struct Closed {
  std::vector<bool> vertices;
  std::unordered_set<uint64_t> entries;
};

/// Dijkstra, "A note on two problems in connexion with graphs" (1959), with a lazy heap. Stops at `target`, which may be kNoVertex.
Status dijkstra(const Projection& graph, Vertex source, Vertex target, const Closed& closed, const AlgorithmContext& context,
                Distances& out) {
  out.distance.assign(graph.vertex_count(), kFar);
  out.entry.assign(graph.vertex_count(), kNoEntry);
  out.parent.assign(graph.vertex_count(), kNoVertex);
  using Item = std::pair<double, Vertex>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> heap;
  out.distance[source] = 0;
  heap.emplace(0.0, source);
  uint64_t steps = 0;
  while (!heap.empty()) {
    if (++steps % kStepsPerCheck == 0) BRAID_TRY(context.check());
    const auto [distance, vertex] = heap.top();
    heap.pop();
    if (distance > out.distance[vertex]) continue;
    if (vertex == target) return {};
    for (uint64_t entry = graph.out().offsets[vertex]; entry < graph.out().offsets[vertex + 1]; ++entry) {
      const Vertex next = graph.out().targets[entry];
      const double longer = distance + graph.weight(entry);
      if (longer >= out.distance[next]) continue;
      if (!closed.vertices.empty() && (closed.vertices[next] || closed.entries.contains(entry))) continue;
      out.distance[next] = longer;
      out.entry[next] = entry;
      out.parent[next] = vertex;
      heap.emplace(longer, next);
    }
  }
  return {};
}

Status add_distances(const Distances& found, ResultRows& rows) {
  for (Vertex vertex = 0; vertex < found.distance.size(); ++vertex)
    if (found.distance[vertex] < kFar) BRAID_TRY(rows.add({int64_t{vertex}, found.distance[vertex], vertex_value(found.parent[vertex])}));
  return {};
}

Status run_dijkstra(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(no_negative_weights(graph));
  Distances found;
  BRAID_TRY(dijkstra(graph, arguments.vertex(0), kNoVertex, {}, context, found));
  ResultRows rows(out, 3, context);
  return add_distances(found, rows);
}

/// Bellman, "On a routing problem" (1958), with a queue of what has changed.
Status bellman_ford(const Projection& graph, Vertex source, const AlgorithmContext& context, Distances& out) {
  const Vertex count = graph.vertex_count();
  out.distance.assign(count, kFar);
  out.entry.assign(count, kNoEntry);
  out.parent.assign(count, kNoVertex);
  std::vector<uint32_t> hops(count, 0);
  std::vector<bool> queued(count);
  std::deque<Vertex> queue{source};
  out.distance[source] = 0;
  uint64_t steps = 0;
  while (!queue.empty()) {
    if (++steps % kStepsPerCheck == 0) BRAID_TRY(context.check());
    const Vertex vertex = queue.front();
    queue.pop_front();
    queued[vertex] = false;
    for (uint64_t entry = graph.out().offsets[vertex]; entry < graph.out().offsets[vertex + 1]; ++entry) {
      const Vertex next = graph.out().targets[entry];
      const double longer = out.distance[vertex] + graph.weight(entry);
      if (longer >= out.distance[next]) continue;
      out.distance[next] = longer;
      out.entry[next] = entry;
      out.parent[next] = vertex;
      hops[next] = hops[vertex] + 1;
      // A path of as many edges as there are vertices meets one of them twice.
      if (hops[next] >= count) {
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("a cycle through node {} has a negative sum of weights", graph.node(next).value()));
      }
      if (!queued[next]) queue.push_back(next);
      queued[next] = true;
    }
  }
  return {};
}

Status run_bellman_ford(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  Distances found;
  BRAID_TRY(bellman_ford(graph, arguments.vertex(0), context, found));
  ResultRows rows(out, 3, context);
  return add_distances(found, rows);
}

Status run_all_pairs(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(no_negative_weights(graph));
  ResultRows rows(out, 3, context);
  Distances found;
  for (Vertex source = 0; source < graph.vertex_count(); ++source) {
    BRAID_TRY(context.check(static_cast<double>(source) / graph.vertex_count()));
    BRAID_TRY(dijkstra(graph, source, kNoVertex, {}, context, found));
    for (Vertex target = 0; target < graph.vertex_count(); ++target)
      if (found.distance[target] < kFar) BRAID_TRY(rows.add({int64_t{source}, int64_t{target}, found.distance[target]}));
  }
  return {};
}

// --- Paths between two ---------------------------------------------------------------------------------------------------------------

/// Entries of `out`, from the source to the target.
struct EntryPath {
  std::vector<uint64_t> entries;
  double cost = 0;
};

EntryPath path_to(const Distances& found, Vertex target) {
  EntryPath path{{}, found.distance[target]};
  for (Vertex vertex = target; found.entry[vertex] != kNoEntry; vertex = found.parent[vertex]) path.entries.push_back(found.entry[vertex]);
  std::reverse(path.entries.begin(), path.entries.end());
  return path;
}

Status add_path(const Projection& graph, Vertex source, const EntryPath& path, int64_t number, ResultRows& rows) {
  double cost = 0;
  BRAID_TRY(rows.add({number, int64_t{0}, int64_t{source}, ResultColumn::kNoValue, cost}));
  int64_t step = 0;
  for (const uint64_t entry : path.entries) {
    cost += graph.weight(entry);
    BRAID_TRY(rows.add({number, ++step, int64_t{graph.out().targets[entry]}, static_cast<int64_t>(graph.edge(entry).value()), cost}));
  }
  return {};
}

/// Yen, "Finding the k shortest loopless paths in a network" (1971). Paths differ in an edge: parallel edges make different paths.
Status k_shortest(const Projection& graph, Vertex source, Vertex target, size_t count, const AlgorithmContext& context,
                  std::vector<EntryPath>& out) {
  Distances found;
  BRAID_TRY(dijkstra(graph, source, target, {}, context, found));
  if (found.distance[target] == kFar) return {};
  out.push_back(path_to(found, target));
  const auto order = [](const EntryPath& a, const EntryPath& b) { return std::tie(a.cost, a.entries) < std::tie(b.cost, b.entries); };
  std::vector<EntryPath> candidates;
  while (out.size() < count) {
    BRAID_TRY(context.check(static_cast<double>(out.size()) / static_cast<double>(count)));
    const EntryPath last = out.back();
    Closed closed;
    closed.vertices.assign(graph.vertex_count(), false);
    double root_cost = 0;
    Vertex spur = source;
    for (size_t i = 0; i < last.entries.size(); ++i) {
      closed.entries.clear();
      for (const EntryPath& path : out) {
        const bool same_root = path.entries.size() > i && std::equal(last.entries.begin(), last.entries.begin() + static_cast<std::ptrdiff_t>(i),
                                                                      path.entries.begin());
        if (same_root) closed.entries.insert(path.entries[i]);
      }
      closed.vertices[spur] = true;
      BRAID_TRY(dijkstra(graph, spur, target, closed, context, found));
      if (found.distance[target] < kFar) {
        EntryPath path{{last.entries.begin(), last.entries.begin() + static_cast<std::ptrdiff_t>(i)}, root_cost + found.distance[target]};
        const EntryPath rest = path_to(found, target);
        path.entries.insert(path.entries.end(), rest.entries.begin(), rest.entries.end());
        const auto same = [&path](const EntryPath& other) { return other.entries == path.entries; };
        if (std::none_of(candidates.begin(), candidates.end(), same)) candidates.push_back(std::move(path));
      }
      root_cost += graph.weight(last.entries[i]);
      spur = graph.out().targets[last.entries[i]];
    }
    if (candidates.empty()) return {};
    const auto best = std::min_element(candidates.begin(), candidates.end(), order);
    out.push_back(std::move(*best));
    candidates.erase(best);
  }
  return {};
}

Status run_k_shortest(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(no_negative_weights(graph));
  ResultRows rows(out, 5, context);
  const Vertex source = arguments.vertex(0), target = arguments.vertex(1);
  if (source == target) return add_path(graph, source, {}, 1, rows);
  std::vector<EntryPath> paths;
  BRAID_TRY(k_shortest(graph, source, target, static_cast<size_t>(arguments.integer(2)), context, paths));
  int64_t number = 0;
  for (const EntryPath& path : paths) BRAID_TRY(add_path(graph, source, path, ++number, rows));
  return {};
}

Status run_path(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  ResultRows rows(out, 5, context);
  const Vertex source = arguments.vertex(0), target = arguments.vertex(1);
  EntryPath path;
  if (graph.weighted()) {
    BRAID_TRY(no_negative_weights(graph));
    Distances found;
    BRAID_TRY(dijkstra(graph, source, target, {}, context, found));
    if (found.distance[target] == kFar) return {};
    path = path_to(found, target);
  } else {
    // Borrowed: the walk ends before the projection does.
    ProjectionWalk walk(std::shared_ptr<const Projection>(std::shared_ptr<void>(), &graph));
    BRAID_ASSIGN(const auto vertices, walk.path(source, target, Direction::kOut, context));
    if (vertices.empty()) return {};
    for (size_t i = 1; i < vertices.size(); ++i) path.entries.push_back(entry_between(graph, vertices[i - 1], vertices[i]));
  }
  return add_path(graph, source, path, 1, rows);
}

/// Every path of the least cost, over the entries that lie on one.
Status run_all_shortest(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(no_negative_weights(graph));
  const Vertex source = arguments.vertex(0), target = arguments.vertex(1);
  const auto limit = static_cast<int64_t>(arguments.integer(2));
  ResultRows rows(out, 5, context);
  if (source == target) return add_path(graph, source, {}, 1, rows);
  Distances found;
  BRAID_TRY(dijkstra(graph, source, kNoVertex, {}, context, found));
  if (found.distance[target] == kFar) return {};
  // Which vertices lead to the target over tight entries: those need no second look.
  std::vector<bool> leads(graph.vertex_count());
  std::vector<Vertex> stack{target};
  leads[target] = true;
  const auto tight = [&](Vertex from, uint64_t entry) {
    const double length = found.distance[from] + graph.weight(entry);
    return length - found.distance[graph.out().targets[entry]] <= kTieTolerance * length;
  };
  while (!stack.empty()) {
    BRAID_TRY(context.check());
    const Vertex vertex = stack.back();
    stack.pop_back();
    for (const Vertex before : graph.in().of(vertex)) {
      if (leads[before] || found.distance[before] == kFar) continue;
      for (uint64_t entry = graph.out().offsets[before]; entry < graph.out().offsets[before + 1] && !leads[before]; ++entry)
        if (graph.out().targets[entry] == vertex && tight(before, entry)) leads[before] = true;
      if (leads[before]) stack.push_back(before);
    }
  }
  // Depth first along them. Edges of weight 0 could go round: a vertex is not entered twice on one path.
  struct Frame {
    Vertex vertex;
    uint64_t entry;
  };
  std::vector<Frame> path{{source, graph.out().offsets[source]}};
  std::vector<bool> on_path(graph.vertex_count());
  on_path[source] = true;
  EntryPath entries;
  int64_t number = 0;
  uint64_t steps = 0;
  while (!path.empty()) {
    if (++steps % kStepsPerCheck == 0) BRAID_TRY(context.check());
    Frame& top = path.back();
    if (top.entry == graph.out().offsets[top.vertex + 1]) {
      on_path[top.vertex] = false;
      path.pop_back();
      if (!entries.entries.empty()) entries.entries.pop_back();
      continue;
    }
    const uint64_t entry = top.entry++;
    const Vertex next = graph.out().targets[entry];
    if (!leads[next] || on_path[next] || !tight(top.vertex, entry)) continue;
    entries.entries.push_back(entry);
    if (next == target) {
      if (++number > limit) {
        return Status(StatusCode::kLimit, fmt::format("there are more than {} shortest paths; give a larger 'path_limit'", limit));
      }
      BRAID_TRY(add_path(graph, source, entries, number, rows));
      entries.entries.pop_back();
      continue;
    }
    on_path[next] = true;
    path.push_back({next, graph.out().offsets[next]});
  }
  return {};
}

constexpr ResultColumnRow kReachColumns[] = {{"node", ColumnKind::kNode}, {"depth", ColumnKind::kInteger}, {"parent", ColumnKind::kNode}};
constexpr ResultColumnRow kDepthFirstColumns[] = {
    {"node", ColumnKind::kNode}, {"position", ColumnKind::kInteger}, {"depth", ColumnKind::kInteger}, {"parent", ColumnKind::kNode}};
constexpr ResultColumnRow kCutOffColumns[] = {{"node", ColumnKind::kNode}, {"depth", ColumnKind::kInteger}};
constexpr ResultColumnRow kDistanceColumns[] = {
    {"node", ColumnKind::kNode}, {"distance", ColumnKind::kReal}, {"parent", ColumnKind::kNode}};
constexpr ResultColumnRow kPairColumns[] = {
    {"source_node", ColumnKind::kNode}, {"target_node", ColumnKind::kNode}, {"distance", ColumnKind::kReal}};
constexpr ResultColumnRow kPathColumns[] = {{"path", ColumnKind::kInteger},
                                            {"step", ColumnKind::kInteger},
                                            {"node", ColumnKind::kNode},
                                            {"edge", ColumnKind::kInteger},
                                            {"cost", ColumnKind::kReal}};
constexpr AlgorithmParameter kSource[] = {{"source", ParameterKind::kNode, true}};
constexpr AlgorithmParameter kSourceTarget[] = {{"source", ParameterKind::kNode, true}, {"target", ParameterKind::kNode, true}};
constexpr AlgorithmParameter kFailed[] = {{"source", ParameterKind::kNode, true},
                                          {"failed_node", ParameterKind::kNode},
                                          {"failed_edge", ParameterKind::kInteger, false, std::numeric_limits<double>::quiet_NaN(), 1, 9e18}};
constexpr AlgorithmParameter kYen[] = {{"source", ParameterKind::kNode, true},
                                       {"target", ParameterKind::kNode, true},
                                       {"k", ParameterKind::kInteger, false, 3, 1, 10000}};
constexpr AlgorithmParameter kAllShortest[] = {{"source", ParameterKind::kNode, true},
                                               {"target", ParameterKind::kNode, true},
                                               {"path_limit", ParameterKind::kInteger, false, 1000, 1, 1e9}};

constexpr AlgorithmRow kPaths[] = {
    {"bfs", "What is reached from a node, level by level.", kReachColumns, kSource, "Braid", "O(n + m)", run_bfs},
    {"dfs", "What is reached from a node, depth first.", kDepthFirstColumns, kSource, "Braid", "O(n + m)", run_dfs},
    {"cut_off", "What is reached from a node, and no more when another node or an edge fails.", kCutOffColumns, kFailed, "Braid", "O(n + m)",
     run_cut_off},
    {"dijkstra", "The least distance to every node that is reached; weights are not negative.", kDistanceColumns, kSource,
     "Braid: Dijkstra 1959", "O((n + m) log n)", run_dijkstra},
    {"bellman_ford", "The least distance to every node that is reached; weights may be negative.", kDistanceColumns, kSource,
     "Braid: Bellman 1958", "O(n m)", run_bellman_ford},
    {"all_pairs", "The least distance between any two nodes.", kPairColumns, {}, "Braid", "O(n (n + m) log n)", run_all_pairs},
    {"path", "A shortest path: from both ends without weights, else Dijkstra's.", kPathColumns, kSourceTarget, "Braid", "O((n + m) log n)",
     run_path},
    {"all_shortest_paths", "Every shortest path between two nodes.", kPathColumns, kAllShortest, "Braid", "O((n + m) log n + rows)",
     run_all_shortest},
    {"k_shortest_paths", "The k shortest paths without a repeated node.", kPathColumns, kYen, "Braid: Yen 1971", "O(k n (n + m) log n)",
     run_k_shortest},
};

}  // namespace

std::span<const AlgorithmRow> path_algorithms() { return kPaths; }

}  // namespace braid
