// Centralities: which vertices and edges matter most, by degree, distance, shortest paths or the
// scores of their neighbours.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "graph/algorithms.h"
#include "graph/pace.h"

namespace braid {
namespace {


using Scores = std::vector<double>;

// --- Arguments and results ---------------------------------------------------------------------

bool is_yes(const AlgorithmArguments& arguments, size_t parameter) {
  return arguments.text(parameter) == "yes";
}

/// Without weights each edge counts 1, which the unweighted methods do faster.
bool counts_weights(const Projection& graph, const AlgorithmArguments& arguments,
                    size_t parameter) {
  return is_yes(arguments, parameter) && graph.weighted();
}

/// Where a shortest path could go in circles for nothing, or a share of a weight means nothing.
Status require_weights(const Projection& graph, const char* algorithm, bool zero_allowed) {
  for (uint64_t entry = 0; entry < graph.out().targets.size(); ++entry) {
    const double weight = graph.weight(entry);
    if (std::isfinite(weight) && (weight > 0 || (weight == 0 && zero_allowed))) continue;
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("{}: the weight of edge {} is {} and must be finite and {} 0", algorithm,
                    graph.edge(entry).value(), weight, zero_allowed ? "at least" : "more than"));
  }
  return {};
}

Status require_rows(const AlgorithmContext& context, uint64_t rows) {
  if (rows <= context.rows_max) return {};
  return Status(StatusCode::kLimit,
                fmt::format("the result has more than {} rows, as traversal_nodes_max allows",
                            context.rows_max));
}

ResultColumn real_column(Scores values) {
  ResultColumn column;
  column.reals = std::move(values);
  return column;
}

/// Every vertex in order, each with its scores.
template <typename... Columns>
Status answer(const Projection& graph, const AlgorithmContext& context, AlgorithmResult& out,
              Columns... scores) {
  BRAID_TRY(require_rows(context, graph.vertex_count()));
  out.row_count = graph.vertex_count();
  out.columns.clear();
  out.columns.push_back(integer_column(out.row_count));
  std::iota(out.columns[0].integers.begin(), out.columns[0].integers.end(), int64_t{0});
  (out.columns.push_back(real_column(std::move(scores))), ...);
  return {};
}

// --- Degree ------------------------------------------------------------------------------------

/// The weights of the edges at each vertex, of both directions.
Status sum_weights(const Projection& graph, Pace& pace, Scores& sums) {
  sums.assign(graph.vertex_count(), 0);
  const Adjacency& out = graph.out();
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    for (uint64_t entry = out.offsets[vertex]; entry < out.offsets[vertex + 1]; ++entry) {
      sums[vertex] += graph.weight(entry);
      if (graph.directed()) sums[out.targets[entry]] += graph.weight(entry);
    }
    BRAID_TRY(pace.step(out.degree(vertex) + 1));
  }
  return {};
}

Status run_degree(const Projection& graph, const AlgorithmArguments&,
                  const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  Scores sums;
  BRAID_TRY(sum_weights(graph, pace, sums));
  BRAID_TRY(answer(graph, context, out));
  ResultColumn in_degree = integer_column(out.row_count);
  ResultColumn out_degree = integer_column(out.row_count);
  ResultColumn degree = integer_column(out.row_count);
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    const auto ins = static_cast<int64_t>(graph.in().degree(vertex));
    const auto outs = static_cast<int64_t>(graph.out().degree(vertex));
    in_degree.integers[vertex] = ins;
    out_degree.integers[vertex] = outs;
    degree.integers[vertex] = graph.directed() ? ins + outs : outs;
  }
  out.columns.push_back(std::move(in_degree));
  out.columns.push_back(std::move(out_degree));
  out.columns.push_back(std::move(degree));
  out.columns.push_back(real_column(std::move(sums)));
  return {};
}

// --- Searches from one source ------------------------------------------------------------------
//
// Both searches have `run`; then `order`, what was reached, nearest first; `distance` and `paths`,
// the number of shortest paths, of what was reached; and `is_last_step`, whether the entry of a
// vertex that was reached ends a shortest path. Parallel edges make paths of their own.

/// Breadth first: every edge is one long.
class HopSearch {
 public:
  HopSearch(const Projection& graph, bool counts_paths)
      : graph_(graph), counts_paths_(counts_paths), hops_(graph.vertex_count(), kUnreached) {
    if (counts_paths) paths_.resize(graph.vertex_count());
  }

  Status run(Vertex source, Pace& pace) {
    for (const Vertex vertex : order_) hops_[vertex] = kUnreached;
    order_.assign(1, source);
    hops_[source] = 0;
    if (counts_paths_) paths_[source] = 1;
    for (size_t next = 0; next < order_.size(); ++next) {
      const Vertex vertex = order_[next];
      if (counts_paths_) {
        expand<true>(vertex);
      } else {
        expand<false>(vertex);
      }
      BRAID_TRY(pace.step(graph_.out().degree(vertex) + 1));
    }
    return {};
  }

  const std::vector<Vertex>& order() const { return order_; }
  double distance(Vertex vertex) const { return hops_[vertex]; }
  double paths(Vertex vertex) const { return paths_[vertex]; }
  bool is_last_step(Vertex vertex, uint64_t entry) const {
    return hops_[graph_.out().targets[entry]] == hops_[vertex] + 1;
  }

 private:
  static constexpr uint32_t kUnreached = UINT32_MAX;

  template <bool kCountsPaths>
  void expand(Vertex vertex) {
    const uint32_t hops = hops_[vertex] + 1;
    for (const Vertex target : graph_.out().of(vertex)) {
      if (hops_[target] == kUnreached) {
        hops_[target] = hops;
        order_.push_back(target);
        if constexpr (kCountsPaths) paths_[target] = 0;
      }
      if constexpr (kCountsPaths) {
        if (hops_[target] == hops) paths_[target] += paths_[vertex];
      }
    }
  }

  const Projection& graph_;
  const bool counts_paths_;
  std::vector<uint32_t> hops_;
  Scores paths_;
  std::vector<Vertex> order_;
};

/// Dijkstra's search with a heap that may hold a vertex more than once. Weights are more than 0.
class CostSearch {
 public:
  CostSearch(const Projection& graph, bool counts_paths)
      : graph_(graph),
        counts_paths_(counts_paths),
        distances_(graph.vertex_count(), kUnreached),
        places_(graph.vertex_count(), kNoPlace) {
    if (counts_paths) paths_.resize(graph.vertex_count());
  }

  Status run(Vertex source, Pace& pace) {
    for (const Vertex vertex : order_) {
      distances_[vertex] = kUnreached;
      places_[vertex] = kNoPlace;
    }
    order_.clear();
    reach(source, 0);
    while (!heap_.empty()) {
      const Vertex vertex = pop_nearest();
      if (places_[vertex] != kNoPlace) continue;
      places_[vertex] = static_cast<uint32_t>(order_.size());
      order_.push_back(vertex);
      relax(vertex);
      BRAID_TRY(pace.step(graph_.out().degree(vertex) + 1));
    }
    return counts_paths_ ? count_paths(pace) : Status();
  }

  const std::vector<Vertex>& order() const { return order_; }
  double distance(Vertex vertex) const { return distances_[vertex]; }
  double paths(Vertex vertex) const { return paths_[vertex]; }
  bool is_last_step(Vertex vertex, uint64_t entry) const {
    // The places keep the steps free of cycles where a weight vanishes beside the distance.
    const Vertex target = graph_.out().targets[entry];
    if (places_[target] <= places_[vertex]) return false;
    const double length = distances_[vertex] + graph_.weight(entry);
    return length - distances_[target] <= kTieTolerance * length;
  }

 private:
  static constexpr double kUnreached = std::numeric_limits<double>::infinity();
  static constexpr uint32_t kNoPlace = UINT32_MAX;

  struct Candidate {
    double distance;
    Vertex vertex;
    bool operator<(const Candidate& other) const {  // the nearest is the greatest
      return distance != other.distance ? distance > other.distance : vertex > other.vertex;
    }
  };

  void reach(Vertex vertex, double distance) {
    distances_[vertex] = distance;
    heap_.push_back({distance, vertex});
    std::push_heap(heap_.begin(), heap_.end());
  }
  Vertex pop_nearest() {
    std::pop_heap(heap_.begin(), heap_.end());
    const Vertex vertex = heap_.back().vertex;
    heap_.pop_back();
    return vertex;
  }
  void relax(Vertex vertex) {
    const Adjacency& out = graph_.out();
    for (uint64_t entry = out.offsets[vertex]; entry < out.offsets[vertex + 1]; ++entry) {
      const double distance = distances_[vertex] + graph_.weight(entry);
      if (distance < distances_[out.targets[entry]]) reach(out.targets[entry], distance);
    }
  }
  /// Once all distances are final, so that ties within the tolerance are judged alike everywhere.
  Status count_paths(Pace& pace) {
    for (const Vertex vertex : order_) paths_[vertex] = 0;
    paths_[order_[0]] = 1;
    const Adjacency& out = graph_.out();
    for (const Vertex vertex : order_) {
      for (uint64_t entry = out.offsets[vertex]; entry < out.offsets[vertex + 1]; ++entry) {
        if (is_last_step(vertex, entry)) paths_[out.targets[entry]] += paths_[vertex];
      }
      BRAID_TRY(pace.step(out.degree(vertex) + 1));
    }
    return {};
  }

  const Projection& graph_;
  const bool counts_paths_;
  Scores distances_;
  std::vector<uint32_t> places_;  // in order_
  Scores paths_;
  std::vector<Vertex> order_;
  std::vector<Candidate> heap_;
};

/// Searches from each of the sources and calls `visit(search, source, pace)` after each search.
template <typename Search, typename Visit>
Status visit_searches(Search search, const std::vector<Vertex>& sources,
                      const AlgorithmContext& context, const Visit& visit) {
  Pace pace(context);
  for (size_t i = 0; i < sources.size(); ++i) {
    pace.set_done(static_cast<double>(i), static_cast<double>(sources.size()));
    BRAID_TRY(search.run(sources[i], pace));
    BRAID_TRY(visit(search, sources[i], pace));
  }
  return {};
}

struct SearchOptions {
  const char* algorithm;
  bool weighted = false;
  bool counts_paths = false;
};

template <typename Visit>
Status search_from_each(const Projection& graph, const std::vector<Vertex>& sources,
                        const SearchOptions& options, const AlgorithmContext& context,
                        const Visit& visit) {
  if (!options.weighted) {
    return visit_searches(HopSearch(graph, options.counts_paths), sources, context, visit);
  }
  BRAID_TRY(require_weights(graph, options.algorithm, false));
  return visit_searches(CostSearch(graph, options.counts_paths), sources, context, visit);
}

std::vector<Vertex> all_vertices(const Projection& graph) {
  std::vector<Vertex> vertices(graph.vertex_count());
  std::iota(vertices.begin(), vertices.end(), Vertex{0});
  return vertices;
}

// --- Closeness and harmonic --------------------------------------------------------------------

enum DistanceParameter : size_t { kDistanceWeighted };

/// Wasserman and Faust's: closeness to what is reached, times the share that is reached.
template <typename Search>
double closeness_of(const Search& search, double vertex_count) {
  double total = 0;
  for (const Vertex vertex : search.order()) total += search.distance(vertex);
  const double others = static_cast<double>(search.order().size()) - 1;
  return total == 0 ? 0 : others / total * (others / (vertex_count - 1));
}

template <typename Search>
double harmonic_of(const Search& search, Vertex source) {
  double total = 0;
  for (const Vertex vertex : search.order()) {
    if (vertex != source) total += 1 / search.distance(vertex);
  }
  return total;
}

/// A score of each vertex from the search that starts there.
template <typename ScoreOf>
Status answer_distances(const char* algorithm, const Projection& graph, const AlgorithmArguments& arguments,
                        const AlgorithmContext& context, AlgorithmResult& out, ScoreOf&& score_of) {
  Scores scores(graph.vertex_count());
  const SearchOptions options{.algorithm = algorithm, .weighted = counts_weights(graph, arguments, kDistanceWeighted)};
  BRAID_TRY(search_from_each(graph, all_vertices(graph), options, context,
                             [&](const auto& search, Vertex source, Pace&) -> Status {
                               scores[source] = score_of(search, source);
                               return {};
                             }));
  return answer(graph, context, out, std::move(scores));
}

Status run_closeness(const Projection& graph, const AlgorithmArguments& arguments,
                     const AlgorithmContext& context, AlgorithmResult& out) {
  return answer_distances("closeness", graph, arguments, context, out,
                          [&](const auto& search, Vertex) { return closeness_of(search, graph.vertex_count()); });
}

Status run_harmonic(const Projection& graph, const AlgorithmArguments& arguments,
                    const AlgorithmContext& context, AlgorithmResult& out) {
  return answer_distances("harmonic", graph, arguments, context, out,
                          [](const auto& search, Vertex source) { return harmonic_of(search, source); });
}

// --- Betweenness -------------------------------------------------------------------------------

enum BetweennessParameter : size_t {
  kBetweennessNormalized,
  kBetweennessSamples,
  kBetweennessSeed,
  kBetweennessWeighted
};

/// Distinct sources in ascending order: all of them when `samples` is 0 or as many as there are.
std::vector<Vertex> sample_sources(const Projection& graph, const AlgorithmArguments& arguments) {
  std::vector<Vertex> vertices = all_vertices(graph);
  const auto samples = static_cast<uint64_t>(arguments.integer(kBetweennessSamples));
  if (samples == 0 || samples >= vertices.size()) return vertices;
  std::mt19937_64 random(static_cast<uint64_t>(arguments.integer(kBetweennessSeed)));
  // The standard's distributions differ between libraries; a remainder is the same everywhere.
  for (size_t i = 0; i < samples; ++i) {
    std::swap(vertices[i], vertices[i + random() % (vertices.size() - i)]);
  }
  vertices.resize(samples);
  std::sort(vertices.begin(), vertices.end());
  return vertices;
}

/// Brandes's accumulation: the share of each vertex in the shortest paths from the source of the
/// search. Calls `on_edge(entry, share)` for the last steps and `on_vertex(vertex, share)`.
template <typename Search, typename OnEdge, typename OnVertex>
Status accumulate_shares(const Projection& graph, const Search& search, Scores& shares, Pace& pace,
                         const OnEdge& on_edge, const OnVertex& on_vertex) {
  const Adjacency& out = graph.out();
  const std::vector<Vertex>& order = search.order();
  for (size_t i = order.size(); i-- > 0;) {
    const Vertex vertex = order[i];
    if (!std::isfinite(search.paths(vertex))) {
      return Status(StatusCode::kLimit, "betweenness: more than 1e308 shortest paths reach a node");
    }
    double share = 0;
    for (uint64_t entry = out.offsets[vertex]; entry < out.offsets[vertex + 1]; ++entry) {
      if (!search.is_last_step(vertex, entry)) continue;
      const Vertex target = out.targets[entry];
      const double part = search.paths(vertex) / search.paths(target) * (1 + shares[target]);
      on_edge(entry, part);
      share += part;
    }
    shares[vertex] = share;
    if (i > 0) on_vertex(vertex, share);
    BRAID_TRY(pace.step(out.degree(vertex) + 1));
  }
  return {};
}

/// Adds up the shares over the sources that the arguments ask for.
template <typename OnEdge, typename OnVertex>
Status add_shares(const Projection& graph, const std::vector<Vertex>& sources,
                  const AlgorithmArguments& arguments, const AlgorithmContext& context,
                  const OnEdge& on_edge, const OnVertex& on_vertex) {
  Scores shares(graph.vertex_count());
  const SearchOptions options{.algorithm = "betweenness",
                              .weighted = counts_weights(graph, arguments, kBetweennessWeighted),
                              .counts_paths = true};
  return search_from_each(
      graph, sources, options, context, [&](const auto& search, Vertex, Pace& pace) {
        return accumulate_shares(graph, search, shares, pace, on_edge, on_vertex);
      });
}

/// What sums of shares are multiplied with. `pairs` is the number of ordered pairs of ends.
double share_scale(const Projection& graph, const AlgorithmArguments& arguments, size_t sources,
                   double pairs) {
  if (sources == 0) return 1;
  const double sampled = static_cast<double>(graph.vertex_count()) / static_cast<double>(sources);
  if (is_yes(arguments, kBetweennessNormalized)) return pairs > 0 ? sampled / pairs : sampled;
  return graph.directed() ? sampled : sampled / 2;
}

Status run_betweenness(const Projection& graph, const AlgorithmArguments& arguments,
                       const AlgorithmContext& context, AlgorithmResult& out) {
  const std::vector<Vertex> sources = sample_sources(graph, arguments);
  Scores scores(graph.vertex_count());
  BRAID_TRY(add_shares(
      graph, sources, arguments, context, [](uint64_t, double) {},
      [&scores](Vertex vertex, double share) { scores[vertex] += share; }));
  const double count = graph.vertex_count();
  const double scale = share_scale(graph, arguments, sources.size(), (count - 1) * (count - 2));
  for (double& score : scores) score *= scale;
  return answer(graph, context, out, std::move(scores));
}

/// By entry: the first entry of the same edge, which is itself when directed.
std::vector<uint64_t> first_entries(const Projection& graph) {
  std::vector<uint64_t> entries(graph.out().targets.size());
  std::iota(entries.begin(), entries.end(), uint64_t{0});
  if (graph.directed()) return entries;
  std::vector<uint64_t> by_edge = entries;
  std::sort(by_edge.begin(), by_edge.end(), [&graph](uint64_t a, uint64_t b) {
    return graph.edge(a) != graph.edge(b) ? graph.edge(a) < graph.edge(b) : a < b;
  });
  for (size_t i = 0; i + 1 < by_edge.size(); i += 2) entries[by_edge[i + 1]] = by_edge[i];
  return entries;
}

/// The entries that are the first of their edge, with their scores.
void answer_edges(const Projection& graph, const std::vector<uint64_t>& first, const Scores& scores,
                  AlgorithmResult& out) {
  out.columns.assign(4, ResultColumn());
  const Adjacency& adjacency = graph.out();
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    for (uint64_t i = adjacency.offsets[vertex]; i < adjacency.offsets[vertex + 1]; ++i) {
      if (first[i] != i) continue;
      out.columns[0].integers.push_back(vertex);
      out.columns[1].integers.push_back(adjacency.targets[i]);
      out.columns[2].integers.push_back(static_cast<int64_t>(graph.edge(i).value()));
      out.columns[3].reals.push_back(scores[i]);
    }
  }
  out.row_count = out.columns[3].reals.size();
}

Status run_edge_betweenness(const Projection& graph, const AlgorithmArguments& arguments,
                            const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(require_rows(context, graph.edge_count()));
  const std::vector<Vertex> sources = sample_sources(graph, arguments);
  const std::vector<uint64_t> first = first_entries(graph);
  Scores scores(first.size());
  BRAID_TRY(add_shares(
      graph, sources, arguments, context,
      [&](uint64_t entry, double share) { scores[first[entry]] += share; }, [](Vertex, double) {}));
  const double count = graph.vertex_count();
  const double scale = share_scale(graph, arguments, sources.size(), count * (count - 1));
  for (double& score : scores) score *= scale;
  answer_edges(graph, first, scores, out);
  return {};
}

// --- Scores handed from neighbour to neighbour -------------------------------------------------

/// What every iteration has: how often, and how little change ends it.
struct Iteration {
  int64_t count_max;
  double tolerance;  // 0: runs them all
};

/// In several sums at once, since each addition waits for the one before it.
double sum_at(std::span<const Vertex> places, const double* values) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= places.size(); i += 4) {
    for (size_t lane = 0; lane < 4; ++lane) sums[lane] += values[places[i + lane]];
  }
  for (; i < places.size(); ++i) sums[0] += values[places[i]];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// to[v] = sum of from[u] over the entries u of v.
Status sum_neighbors(const Adjacency& adjacency, const Scores& from, Scores& to, Pace& pace) {
  return in_two_parts(adjacency, pace, [&](Vertex first, Vertex limit, Pace& own_pace) -> Status {
    for (Vertex vertex = first; vertex < limit; ++vertex) {
      to[vertex] = sum_at(adjacency.of(vertex), from.data());
      BRAID_TRY(own_pace.step(adjacency.degree(vertex) + 1));
    }
    return {};
  });
}

/// to[v] = sum of weight * from[u] over the edges from u to v. Along out edges, which have weights.
Status push_weighted(const Projection& graph, const Scores& from, Scores& to, Pace& pace) {
  const Adjacency& out = graph.out();
  std::fill(to.begin(), to.end(), 0.0);
  for (Vertex vertex = 0; vertex < to.size(); ++vertex) {
    for (uint64_t entry = out.offsets[vertex]; entry < out.offsets[vertex + 1]; ++entry) {
      to[out.targets[entry]] += graph.weight(entry) * from[vertex];
    }
    BRAID_TRY(pace.step(out.degree(vertex) + 1));
  }
  return {};
}

double maximum_of(const Scores& scores) {
  double maximum = 0;
  for (const double score : scores) maximum = std::max(maximum, score);
  return maximum;
}

/// Makes the maximum 1, unless all are 0.
void scale_to_maximum(Scores& scores) {
  const double maximum = maximum_of(scores);
  if (maximum == 0) return;
  for (double& score : scores) score /= maximum;
}

double largest_change(const Scores& before, const Scores& after) {
  double change = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    change = std::max(change, std::abs(after[i] - before[i]));
  }
  return change;
}

// --- Eigenvector -------------------------------------------------------------------------------

enum PowerParameter : size_t { kPowerIterations, kPowerTolerance };

Iteration power_iteration(const AlgorithmArguments& arguments) {
  return {arguments.integer(kPowerIterations), arguments.real(kPowerTolerance)};
}

/// Whether some walk returns to its start: removes vertices that no edge reaches until none is
/// left or all are reached (Kahn 1962).
bool has_closed_walk(const Projection& graph) {
  if (!graph.directed()) return graph.edge_count() > 0;
  std::vector<uint64_t> reached_by(graph.vertex_count());
  std::vector<Vertex> removed;
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    reached_by[vertex] = graph.in().degree(vertex);
    if (reached_by[vertex] == 0) removed.push_back(vertex);
  }
  for (size_t next = 0; next < removed.size(); ++next) {
    for (const Vertex target : graph.out().of(removed[next])) {
      if (--reached_by[target] == 0) removed.push_back(target);
    }
  }
  return removed.size() < graph.vertex_count();
}

/// Each vertex keeps half of its score beside what its neighbours give: that has the same
/// eigenvectors, and converges where the graph has two sides, or nearly so, and the plain iteration
/// swings between them.
Status run_eigenvector(const Projection& graph, const AlgorithmArguments& arguments,
                       const AlgorithmContext& context, AlgorithmResult& out) {
  // Without a closed walk the only eigenvalue is 0: nobody is central.
  if (!has_closed_walk(graph)) {
    return answer(graph, context, out, Scores(graph.vertex_count(), 0.0));
  }
  Pace pace(context);
  const Iteration iteration = power_iteration(arguments);
  Scores scores(graph.vertex_count(), 1.0);
  Scores next(graph.vertex_count());
  for (int64_t i = 0; i < iteration.count_max; ++i) {
    pace.set_done(static_cast<double>(i), static_cast<double>(iteration.count_max));
    BRAID_TRY(sum_neighbors(graph.in(), scores, next, pace));
    scale_to_maximum(next);
    for (size_t v = 0; v < next.size(); ++v) next[v] += scores[v] / 2;
    scale_to_maximum(next);
    scores.swap(next);
    if (largest_change(next, scores) < iteration.tolerance) break;
  }
  return answer(graph, context, out, std::move(scores));
}

// --- PageRank ----------------------------------------------------------------------------------

enum PagerankParameter : size_t {
  kPagerankDamping,
  kPagerankIterations,
  kPagerankTolerance,
  kPagerankSource,
  kPagerankWeighted
};

class Pagerank {
 public:
  Pagerank(const Projection& graph, const AlgorithmArguments& arguments, Pace& pace)
      : graph_(graph),
        damping_(arguments.real(kPagerankDamping)),
        iteration_{arguments.integer(kPagerankIterations), arguments.real(kPagerankTolerance)},
        weighted_(counts_weights(graph, arguments, kPagerankWeighted)),
        pace_(pace),
        inverses_(graph.vertex_count()),
        settled_(graph.vertex_count() / kPartGrain + size_t{1}),
        jumps_(graph.vertex_count(), arguments.given(kPagerankSource) ? 0 : uniform()) {
    if (arguments.given(kPagerankSource)) jumps_[arguments.vertex(kPagerankSource)] = 1;
  }

  Status run(Scores& ranks) {
    BRAID_TRY(read_strengths());
    ranks = jumps_;
    Scores shares(ranks.size());
    Scores next(ranks.size());
    double dangling = 0;
    for (size_t v = 0; v < ranks.size(); ++v) {
      shares[v] = ranks[v] * inverses_[v];
      if (inverses_[v] == 0) dangling += ranks[v];
    }
    for (int64_t i = 0; i < iteration_.count_max; ++i) {
      pace_.set_done(static_cast<double>(i), static_cast<double>(iteration_.count_max));
      if (weighted_) BRAID_TRY(push_weighted(graph_, shares, next, pace_));
      const double jumping = 1 - damping_ + damping_ * dangling;
      BRAID_TRY(in_two_parts(graph_.in(), pace_, [&](Vertex first, Vertex limit, Pace& pace) {
        return weighted_ ? settle(first, limit, jumping, ranks, next, pace, [&](Vertex v) { return next[v]; })
                         : settle(first, limit, jumping, ranks, next, pace,
                                  [&](Vertex v) { return sum_at(graph_.in().of(v), shares.data()); });
      }));
      shares.swap(next);
      Settled all;
      for (const Settled& part : settled_) {
        all.change += part.change;
        all.dangling += part.dangling;
      }
      dangling = all.dangling;
      if (all.change < iteration_.tolerance) break;
    }
    return {};
  }

 private:
  /// Sums over some vertices.
  struct Settled {
    double change = 0;
    double dangling = 0;  // what vertices without edges hold
  };

  double uniform() const { return 1.0 / graph_.vertex_count(); }

  Status read_strengths() {
    if (weighted_) BRAID_TRY(require_weights(graph_, "pagerank", true));
    const std::vector<uint32_t>& offsets = graph_.out().offsets;
    for (Vertex vertex = 0; vertex < inverses_.size(); ++vertex) {
      auto strength = static_cast<double>(graph_.out().degree(vertex));
      if (weighted_) {
        strength = 0;
        for (uint64_t entry = offsets[vertex]; entry < offsets[vertex + 1]; ++entry) strength += graph_.weight(entry);
      }
      inverses_[vertex] = strength == 0 ? 0 : 1 / strength;
    }
    return {};
  }

  /// The new rank of each vertex from what arrived along edges, and into `shares` what it gives for each unit of weight.
  template <typename Arrived>
  Status settle(Vertex first, Vertex limit, double jumping, Scores& ranks, Scores& shares, Pace& pace, const Arrived& arrived) {
    for (Vertex start = first; start < limit; start += kPartGrain) {
      const Vertex end = std::min(limit, start + std::min(kPartGrain, limit - start));
      Settled sums;
      for (Vertex v = start; v < end; ++v) {
        const double rank = damping_ * arrived(v) + jumping * jumps_[v];
        sums.change += std::abs(rank - ranks[v]);
        sums.dangling += inverses_[v] == 0 ? rank : 0;
        ranks[v] = rank;
        shares[v] = rank * inverses_[v];
      }
      settled_[start / kPartGrain] = sums;
      BRAID_TRY(pace.step(graph_.in().offsets[end] - graph_.in().offsets[start] + kPartGrain));
      if (limit - start <= kPartGrain) break;
    }
    return {};
  }

  const Projection& graph_;
  const double damping_;
  const Iteration iteration_;
  const bool weighted_;
  Pace& pace_;
  Scores inverses_;               // 1 / the sum of the weights of the out edges; 0 without any
  std::vector<Settled> settled_;  // by kPartGrain vertices
  Scores jumps_;      // where the walker goes who follows no edge; sums to 1
};

Status run_pagerank(const Projection& graph, const AlgorithmArguments& arguments,
                    const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  Scores ranks;
  BRAID_TRY(Pagerank(graph, arguments, pace).run(ranks));
  return answer(graph, context, out, std::move(ranks));
}

// --- HITS --------------------------------------------------------------------------------------

Status run_hits(const Projection& graph, const AlgorithmArguments& arguments,
                const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  const Iteration iteration = power_iteration(arguments);
  Scores hubs(graph.vertex_count(), 1.0);
  Scores authorities(graph.vertex_count());
  Scores before(graph.vertex_count());
  for (int64_t i = 0; i < iteration.count_max; ++i) {
    pace.set_done(static_cast<double>(i), static_cast<double>(iteration.count_max));
    before.swap(hubs);
    BRAID_TRY(sum_neighbors(graph.in(), before, authorities, pace));
    scale_to_maximum(authorities);
    BRAID_TRY(sum_neighbors(graph.out(), authorities, hubs, pace));
    scale_to_maximum(hubs);
    if (largest_change(before, hubs) < iteration.tolerance) break;
  }
  return answer(graph, context, out, std::move(hubs), std::move(authorities));
}

// --- Katz --------------------------------------------------------------------------------------

enum KatzParameter : size_t { kKatzAlpha, kKatzBeta, kKatzIterations, kKatzTolerance };

Status no_convergence(int64_t iterations) {
  return Status(StatusCode::kInvalidArgument,
                fmt::format("katz: no convergence in {} iterations; 'alpha' must be less than 1 "
                            "divided by the largest eigenvalue of the graph",
                            iterations));
}

/// Unlike scores that are scaled, these grow without end when alpha is too large, and must not pass
/// for an answer.
Status run_katz(const Projection& graph, const AlgorithmArguments& arguments,
                const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  const double alpha = arguments.real(kKatzAlpha);
  const double beta = arguments.real(kKatzBeta);
  const Iteration iteration{arguments.integer(kKatzIterations), arguments.real(kKatzTolerance)};
  Scores scores(graph.vertex_count(), 0.0);
  Scores next(graph.vertex_count());
  for (int64_t i = 0; i < iteration.count_max; ++i) {
    pace.set_done(static_cast<double>(i), static_cast<double>(iteration.count_max));
    BRAID_TRY(sum_neighbors(graph.in(), scores, next, pace));
    for (double& score : next) score = alpha * score + beta;
    scores.swap(next);
    const double change = largest_change(next, scores);
    if (!std::isfinite(change)) return no_convergence(i + 1);
    const bool converged = change <= iteration.tolerance * std::max(1.0, maximum_of(scores));
    if (converged) return answer(graph, context, out, std::move(scores));
  }
  if (iteration.tolerance > 0) return no_convergence(iteration.count_max);
  return answer(graph, context, out, std::move(scores));
}

// --- The table ---------------------------------------------------------------------------------

constexpr ResultColumnRow kDegreeColumns[] = {kNodeColumn,
                                              {"in_degree", ColumnKind::kInteger},
                                              {"out_degree", ColumnKind::kInteger},
                                              {"degree", ColumnKind::kInteger},
                                              {"weighted_degree", ColumnKind::kReal}};
constexpr ResultColumnRow kClosenessColumns[] = {kNodeColumn, {"closeness", ColumnKind::kReal}};
constexpr ResultColumnRow kHarmonicColumns[] = {kNodeColumn, {"harmonic", ColumnKind::kReal}};
constexpr ResultColumnRow kBetweennessColumns[] = {kNodeColumn, {"betweenness", ColumnKind::kReal}};
constexpr ResultColumnRow kEdgeBetweennessColumns[] = {{"source_node", ColumnKind::kNode},
                                                       {"target_node", ColumnKind::kNode},
                                                       {"edge", ColumnKind::kInteger},
                                                       {"betweenness", ColumnKind::kReal}};
constexpr ResultColumnRow kEigenvectorColumns[] = {kNodeColumn, {"eigenvector", ColumnKind::kReal}};
constexpr ResultColumnRow kPagerankColumns[] = {kNodeColumn, {"pagerank", ColumnKind::kReal}};
constexpr ResultColumnRow kHitsColumns[] = {
    kNodeColumn, {"hub", ColumnKind::kReal}, {"authority", ColumnKind::kReal}};
constexpr ResultColumnRow kKatzColumns[] = {kNodeColumn, {"katz", ColumnKind::kReal}};

constexpr AlgorithmParameter kWeighted = {
    .name = "weighted", .kind = ParameterKind::kText, .choices = "no|yes"};

constexpr AlgorithmParameter iterations(double fallback) {
  return {.name = "iterations",
          .kind = ParameterKind::kInteger,
          .fallback = fallback,
          .minimum = 1,
          .maximum = kIterationsMax};
}

constexpr AlgorithmParameter tolerance(double fallback) {
  return {.name = "tolerance", .kind = ParameterKind::kReal, .fallback = fallback, .maximum = 1};
}

constexpr AlgorithmParameter kDistanceParameters[] = {kWeighted};
constexpr AlgorithmParameter kBetweennessParameters[] = {
    {.name = "normalized", .kind = ParameterKind::kText, .choices = "no|yes"},
    {.name = "samples", .kind = ParameterKind::kInteger, .maximum = kIntegerMax},
    {.name = "seed", .kind = ParameterKind::kInteger, .maximum = kIntegerMax},
    kWeighted};
constexpr AlgorithmParameter kEigenvectorParameters[] = {iterations(1000), tolerance(1e-9)};
constexpr AlgorithmParameter kHitsParameters[] = {iterations(200), tolerance(1e-9)};
constexpr AlgorithmParameter kPagerankParameters[] = {
    {.name = "damping", .kind = ParameterKind::kReal, .fallback = 0.85, .maximum = 1},
    iterations(20),
    tolerance(0),
    {.name = "source", .kind = ParameterKind::kNode},
    kWeighted};
constexpr AlgorithmParameter kKatzParameters[] = {
    {.name = "alpha", .kind = ParameterKind::kReal, .fallback = 0.1, .maximum = 1e6},
    {.name = "beta", .kind = ParameterKind::kReal, .fallback = 1, .minimum = 0, .maximum = 1e6},
    iterations(1000),
    tolerance(1e-9)};

constexpr AlgorithmRow kCentralities[] = {
    {"betweenness", "The number of shortest paths that lead through each node.",
     kBetweennessColumns, kBetweennessParameters,
     "Braid: Brandes 2001, A Faster Algorithm for Betweenness Centrality; sampled: Brandes and "
     "Pich 2007, Centrality Estimation in Large Networks",
     "O(n m), weighted O(n m log n); memory O(n + m)", run_betweenness},
    {"closeness", "How near each node is to all that it reaches.", kClosenessColumns,
     kDistanceParameters, "Braid: Wasserman and Faust 1994, Social Network Analysis",
     "O(n m), weighted O(n m log n); memory O(n + m)", run_closeness},
    {"degree",
     "The number of edges at each node.",
     kDegreeColumns,
     {},
     "Braid",
     "O(n + m); memory O(n)",
     run_degree},
    {"edge_betweenness", "The number of shortest paths that lead over each edge.",
     kEdgeBetweennessColumns, kBetweennessParameters,
     "Braid: Brandes 2008, On Variants of Shortest-Path Betweenness Centrality",
     "O(n m), weighted O(n m log n); memory O(n + m)", run_edge_betweenness},
    {"eigenvector", "Scores proportional to the sum of the scores of those who point to the node.",
     kEigenvectorColumns, kEigenvectorParameters,
     "Braid: Bonacich 1987, Power and Centrality: A Family of Measures",
     "O(n + m) each iteration; memory O(n)", run_eigenvector},
    {"harmonic", "The sum of 1 / distance to all that each node reaches.", kHarmonicColumns,
     kDistanceParameters, "Braid: Boldi and Vigna 2014, Axioms for Centrality",
     "O(n m), weighted O(n m log n); memory O(n + m)", run_harmonic},
    {"hits", "Hubs point to good authorities; good hubs point to authorities.", kHitsColumns,
     kHitsParameters, "Braid: Kleinberg 1999, Authoritative Sources in a Hyperlinked Environment",
     "O(n + m) each iteration; memory O(n)", run_hits},
    {"katz", "The number of walks that end at each node, each step counting alpha times.",
     kKatzColumns, kKatzParameters,
     "Braid: Katz 1953, A New Status Index Derived from Sociometric Analysis",
     "O(n + m) each iteration; memory O(n)", run_katz},
    {"pagerank", "How often a walker who jumps now and then comes to each node.", kPagerankColumns,
     kPagerankParameters,
     "Braid: Brin and Page 1998, The Anatomy of a Large-Scale Hypertextual Web Search Engine; "
     "as LDBC Graphalytics 1.0 has it",
     "O(n + m) each iteration; memory O(n)", run_pagerank},
};

}  // namespace

std::span<const AlgorithmRow> centrality_algorithms() { return kCentralities; }

}  // namespace braid
