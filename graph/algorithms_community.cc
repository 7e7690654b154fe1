// Communities: components, cores, labels that spread, modularity, and triangles.
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


/// A label, component or community of each vertex: the number of a vertex or counted from 0.
using Groups = std::vector<Vertex>;

/// Each vertex in a group of its own.
Groups singletons(Vertex count) {
  Groups groups(count);
  std::iota(groups.begin(), groups.end(), Vertex{0});
  return groups;
}

/// Every vertex in order, with nothing yet beside it.
Status answer_vertices(const Projection& graph, const AlgorithmContext& context,
                       AlgorithmResult& out) {
  out.row_count = graph.vertex_count();
  if (out.row_count > context.rows_max) {
    return Status(StatusCode::kLimit,
                  fmt::format("the result has more than {} rows, as traversal_nodes_max allows",
                              context.rows_max));
  }
  out.columns.assign(1, integer_column(out.row_count));
  std::iota(out.columns[0].integers.begin(), out.columns[0].integers.end(), int64_t{0});
  return {};
}

/// Every vertex with its value.
template <typename T>
Status answer_integers(const Projection& graph, const std::vector<T>& values,
                       const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(answer_vertices(graph, context, out));
  out.columns.emplace_back().integers.assign(values.begin(), values.end());
  return {};
}

/// What is at the other end of each edge, of both directions. An undirected loop comes twice.
template <typename Visit>
void visit_neighbors(const Projection& graph, Vertex vertex, const Visit& visit) {
  for (const Vertex target : graph.out().of(vertex)) visit(target);
  if (!graph.directed()) return;
  for (const Vertex source : graph.in().of(vertex)) visit(source);
}

uint64_t neighbor_count(const Projection& graph, Vertex vertex) {
  return graph.out().degree(vertex) + (graph.directed() ? graph.in().degree(vertex) : 0);
}

// --- Weakly connected components ---------------------------------------------------------------

Vertex find_root(Groups& parents, Vertex vertex) {
  while (parents[vertex] != vertex) {
    parents[vertex] = parents[parents[vertex]];
    vertex = parents[vertex];
  }
  return vertex;
}

/// The smaller root stays one, so that a root is the smallest of its component.
void join(Groups& parents, Vertex a, Vertex b) {
  a = find_root(parents, a);
  b = find_root(parents, b);
  parents[std::max(a, b)] = std::min(a, b);
}

Status run_wcc(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context,
               AlgorithmResult& out) {
  Pace pace(context);
  Groups parents = singletons(graph.vertex_count());
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    pace.set_done(vertex, graph.vertex_count());
    for (const Vertex target : graph.out().of(vertex)) join(parents, vertex, target);
    BRAID_TRY(pace.step(graph.out().degree(vertex) + 1));
  }
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    parents[vertex] = find_root(parents, vertex);
  }
  return answer_integers(graph, parents, context, out);
}

// --- Strongly connected components -------------------------------------------------------------

/// Tarjan's search with a stack of its own.
class StrongComponents {
 public:
  StrongComponents(const Projection& graph, Pace& pace)
      : graph_(graph),
        pace_(pace),
        numbers_(graph.vertex_count(), kNoVertex),
        lowest_(graph.vertex_count()),
        components_(graph.vertex_count(), kNoVertex) {}

  Status run() {
    for (Vertex root = 0; root < graph_.vertex_count(); ++root) {
      if (numbers_[root] != kNoVertex) continue;
      enter(root);
      while (!calls_.empty()) BRAID_TRY(go_on());
    }
    return {};
  }
  const Groups& components() const { return components_; }

 private:
  struct Call {
    Vertex vertex;
    uint64_t next;  // entry of its out edges
  };

  void enter(Vertex vertex) {
    pace_.set_done(count_, graph_.vertex_count());
    numbers_[vertex] = lowest_[vertex] = count_++;
    open_.push_back(vertex);
    calls_.push_back({vertex, graph_.out().offsets[vertex]});
  }

  /// Follows edges of the innermost call until one enters a vertex or none is left.
  Status go_on() {
    Call& call = calls_.back();
    const Vertex vertex = call.vertex;
    const uint64_t first = call.next;
    const uint64_t limit = graph_.out().offsets[vertex + 1];
    while (call.next < limit) {
      const Vertex target = graph_.out().targets[call.next++];
      if (numbers_[target] == kNoVertex) {
        const uint64_t steps = call.next - first;
        enter(target);  // which moves the calls
        return pace_.step(steps);
      }
      if (components_[target] == kNoVertex) {
        lowest_[vertex] = std::min(lowest_[vertex], numbers_[target]);
      }
    }
    leave(vertex);
    return pace_.step(limit - first + 1);
  }

  void leave(Vertex vertex) {
    calls_.pop_back();
    if (!calls_.empty()) {
      const Vertex caller = calls_.back().vertex;
      lowest_[caller] = std::min(lowest_[caller], lowest_[vertex]);
    }
    if (lowest_[vertex] == numbers_[vertex]) close_component(vertex);
  }

  /// All that was opened since the vertex is its component.
  void close_component(Vertex vertex) {
    size_t start = open_.size();
    while (open_[--start] != vertex) {
    }
    const Vertex smallest =
        *std::min_element(open_.begin() + static_cast<ptrdiff_t>(start), open_.end());
    for (size_t i = start; i < open_.size(); ++i) components_[open_[i]] = smallest;
    open_.resize(start);
  }

  const Projection& graph_;
  Pace& pace_;
  std::vector<Vertex> numbers_;  // in the order they were entered
  std::vector<Vertex> lowest_;   // number of what is reached and open
  Groups components_;
  std::vector<Vertex> open_;  // entered, and their component is not closed
  std::vector<Call> calls_;
  Vertex count_ = 0;
};

Status run_scc(const Projection& graph, const AlgorithmArguments&, const AlgorithmContext& context,
               AlgorithmResult& out) {
  Pace pace(context);
  StrongComponents search(graph, pace);
  BRAID_TRY(search.run());
  return answer_integers(graph, search.components(), context, out);
}

// --- Core numbers ------------------------------------------------------------------------------

/// The vertices sorted by what is left of their degree, and where in that order each degree starts.
/// Batagelj and Zaversnik: the least is taken away, and its neighbours move one bin down by
/// changing places with the first of their bin.
class DegreeBins {
 public:
  explicit DegreeBins(std::vector<uint64_t> degrees)
      : degrees_(std::move(degrees)), order_(degrees_.size()), places_(degrees_.size()) {
    for (const uint64_t degree : degrees_) {
      if (degree + 2 > starts_.size()) starts_.resize(degree + 2);
      ++starts_[degree + 1];
    }
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    std::vector<Vertex> next = starts_;
    for (Vertex vertex = 0; vertex < degrees_.size(); ++vertex) {
      places_[vertex] = next[degrees_[vertex]]++;
      order_[places_[vertex]] = vertex;
    }
  }

  Vertex at(size_t place) const { return order_[place]; }
  void lower(Vertex vertex) {
    Vertex& start = starts_[degrees_[vertex]];
    const Vertex other = order_[start];
    std::swap(order_[start], order_[places_[vertex]]);
    std::swap(places_[other], places_[vertex]);
    ++start;
    --degrees_[vertex];
  }
  const std::vector<uint64_t>& degrees() const { return degrees_; }

 private:
  std::vector<uint64_t> degrees_;
  std::vector<Vertex> order_;
  std::vector<Vertex> places_;  // in order_
  std::vector<Vertex> starts_;  // in order_, by degree
};

std::vector<uint64_t> degrees_without_loops(const Projection& graph) {
  std::vector<uint64_t> degrees(graph.vertex_count());
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    visit_neighbors(graph, vertex, [&](Vertex other) { degrees[vertex] += other != vertex; });
  }
  return degrees;
}

Status run_core_number(const Projection& graph, const AlgorithmArguments&,
                       const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  DegreeBins bins(degrees_without_loops(graph));
  for (size_t place = 0; place < graph.vertex_count(); ++place) {
    pace.set_done(static_cast<double>(place), graph.vertex_count());
    const Vertex vertex = bins.at(place);
    visit_neighbors(graph, vertex, [&](Vertex other) {
      if (bins.degrees()[other] > bins.degrees()[vertex]) bins.lower(other);
    });
    BRAID_TRY(pace.step(neighbor_count(graph, vertex) + 1));
  }
  return answer_integers(graph, bins.degrees(), context, out);
}

// --- Label propagation -------------------------------------------------------------------------

enum LabelParameter : size_t { kLabelIterations };

/// The most frequent label among the neighbours, of equally frequent ones the smallest. `counts` is
/// by label and all 0 before and after.
Vertex most_frequent_label(const Projection& graph, Vertex vertex, const Groups& labels,
                           std::vector<uint64_t>& counts) {
  Vertex best = labels[vertex];
  uint64_t best_count = 0;
  visit_neighbors(graph, vertex, [&](Vertex other) {
    const Vertex label = labels[other];
    const uint64_t count = ++counts[label];
    if (count < best_count || (count == best_count && label > best)) return;
    best = label;
    best_count = count;
  });
  visit_neighbors(graph, vertex, [&](Vertex other) { counts[labels[other]] = 0; });
  return best;
}

/// Labels are vertices meanwhile, which have the order of their node ids.
Status run_label_propagation(const Projection& graph, const AlgorithmArguments& arguments,
                             const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  const int64_t iterations = arguments.integer(kLabelIterations);
  Groups labels = singletons(graph.vertex_count());
  Groups next(labels.size());
  std::vector<uint64_t> counts(labels.size());
  for (int64_t i = 0; i < iterations; ++i) {
    pace.set_done(static_cast<double>(i), static_cast<double>(iterations));
    for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
      next[vertex] = most_frequent_label(graph, vertex, labels, counts);
      BRAID_TRY(pace.step(2 * neighbor_count(graph, vertex) + 1));
    }
    labels.swap(next);
    if (labels == next) break;
  }
  BRAID_TRY(answer_integers(graph, labels, context, out));
  for (int64_t& label : out.columns[1].integers) {
    label = static_cast<int64_t>(graph.node(static_cast<Vertex>(label)).value());
  }
  return {};
}

// --- Networks to be parted by modularity -------------------------------------------------------

/// An undirected weighted graph without loops, each edge at both of its ends. Loops, and what an
/// aggregated node holds within, are in the strengths only: no move changes them.
struct Network {
  std::vector<uint64_t> offsets;
  std::vector<Vertex> targets;
  std::vector<double> weights;
  std::vector<double> strengths;  // sum of the weights of the edge ends at the node
  double total = 0;               // of the strengths

  Vertex size() const { return static_cast<Vertex>(strengths.size()); }
  uint64_t degree(Vertex node) const { return offsets[node + 1] - offsets[node]; }
  template <typename Visit>
  void visit(Vertex node, const Visit& visit) const {
    for (uint64_t i = offsets[node]; i < offsets[node + 1]; ++i) visit(targets[i], weights[i]);
  }
};

/// Calls `visit(a, b, weight)` for each end `a` of each edge: for a loop twice.
template <typename Visit>
Status visit_ends(const Projection& graph, Pace& pace, const Visit& visit) {
  const Adjacency& out = graph.out();
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    for (uint64_t entry = out.offsets[vertex]; entry < out.offsets[vertex + 1]; ++entry) {
      visit(vertex, out.targets[entry], graph.weight(entry));
      if (graph.directed()) visit(out.targets[entry], vertex, graph.weight(entry));
    }
    BRAID_TRY(pace.step(out.degree(vertex) + 1));
  }
  return {};
}

Status require_weights(const Projection& graph) {
  for (uint64_t entry = 0; entry < graph.out().targets.size(); ++entry) {
    const double weight = graph.weight(entry);
    if (std::isfinite(weight) && weight >= 0) continue;
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("the weight of edge {} is {} and must be finite and at least 0",
                              graph.edge(entry).value(), weight));
  }
  return {};
}

/// Edges without weight are left out: they connect nothing.
Status read_network(const Projection& graph, Pace& pace, Network& network) {
  BRAID_TRY(require_weights(graph));
  network.strengths.assign(graph.vertex_count(), 0);
  network.offsets.assign(graph.vertex_count() + size_t{1}, 0);
  BRAID_TRY(visit_ends(graph, pace, [&](Vertex a, Vertex b, double weight) {
    network.strengths[a] += weight;
    network.offsets[a + size_t{1}] += a != b && weight > 0;
  }));
  std::partial_sum(network.offsets.begin(), network.offsets.end(), network.offsets.begin());
  network.total = std::accumulate(network.strengths.begin(), network.strengths.end(), 0.0);
  network.targets.resize(network.offsets.back());
  network.weights.resize(network.offsets.back());
  std::vector<uint64_t> next = network.offsets;
  return visit_ends(graph, pace, [&](Vertex a, Vertex b, double weight) {
    if (a == b || weight == 0) return;
    network.targets[next[a]] = b;
    network.weights[next[a]++] = weight;
  });
}

/// Numbers the groups from 0 in the order of their first member. Answers how many there are.
Vertex renumber(Groups& groups) {
  Groups numbers(groups.size(), kNoVertex);
  Vertex count = 0;
  for (Vertex& group : groups) {
    if (numbers[group] == kNoVertex) numbers[group] = count++;
    group = numbers[group];
  }
  return count;
}

/// Sums of weights by group, of which only those that are used need to be set back. Weights are
/// more than 0, so that a sum of 0 is one that is not used.
class GroupSums {
 public:
  explicit GroupSums(size_t groups) : sums_(groups) {}
  void add(Vertex group, double weight) {
    if (sums_[group] == 0) groups_.push_back(group);
    sums_[group] += weight;
  }
  double of(Vertex group) const { return sums_[group]; }
  const std::vector<Vertex>& groups() const { return groups_; }
  void clear() {
    for (const Vertex group : groups_) sums_[group] = 0;
    groups_.clear();
  }

 private:
  std::vector<double> sums_;
  std::vector<Vertex> groups_;
};

/// The nodes by group, in order: those of group g are at starts[g] to starts[g + 1].
struct Members {
  std::vector<Vertex> starts;
  std::vector<Vertex> nodes;
};

Members members_of(const Groups& groups, Vertex group_count) {
  Members members;
  members.starts.assign(group_count + size_t{1}, 0);
  members.nodes.resize(groups.size());
  for (const Vertex group : groups) ++members.starts[group + size_t{1}];
  std::partial_sum(members.starts.begin(), members.starts.end(), members.starts.begin());
  std::vector<Vertex> next = members.starts;
  for (Vertex node = 0; node < groups.size(); ++node) members.nodes[next[groups[node]]++] = node;
  return members;
}

/// Each group becomes a node. The groups are numbered.
Status aggregate(const Network& network, const Groups& groups, Vertex group_count, Pace& pace,
                 Network& out) {
  const Members members = members_of(groups, group_count);
  GroupSums sums(group_count);
  out.total = network.total;
  out.strengths.assign(group_count, 0);
  out.offsets.assign(1, 0);
  for (Vertex group = 0; group < group_count; ++group) {
    for (Vertex i = members.starts[group]; i < members.starts[group + 1]; ++i) {
      const Vertex node = members.nodes[i];
      out.strengths[group] += network.strengths[node];
      network.visit(node, [&](Vertex target, double weight) {
        if (groups[target] != group) sums.add(groups[target], weight);
      });
      BRAID_TRY(pace.step(network.degree(node) + 1));
    }
    for (const Vertex other : sums.groups()) {
      out.targets.push_back(other);
      out.weights.push_back(sums.of(other));
    }
    out.offsets.push_back(out.targets.size());
    sums.clear();
  }
  return {};
}

// --- Moving nodes between communities ----------------------------------------------------------

struct CommunityOptions {
  double resolution;
  int64_t levels_max;
  uint64_t seed;
};

/// What moves of nodes need. Gains are of modularity, times half the network's total.
class Communities {
 public:
  Communities(const Network& network, double resolution, Groups groups)
      : network_(network),
        penalty_(network.total > 0 ? resolution / network.total : 0),
        groups_(std::move(groups)),
        strengths_(network.size()),
        sizes_(network.size()),
        sums_(network.size()) {
    for (Vertex node = 0; node < network.size(); ++node) {
      strengths_[groups_[node]] += network.strengths[node];
      ++sizes_[groups_[node]];
    }
    for (Vertex group = network.size(); group-- > 0;) {
      if (sizes_[group] == 0) empty_.push_back(group);
    }
  }

  Vertex of(Vertex node) const { return groups_[node]; }
  Groups take() { return std::move(groups_); }

  /// The community where the node adds most, which may be an empty one; its own when none is
  /// clearly better.
  Vertex best_for(Vertex node) {
    const Vertex own = groups_[node];
    const double strength = network_.strengths[node];
    const double margin = kGainMargin * strength;
    network_.visit(node, [&](Vertex target, double weight) { sums_.add(groups_[target], weight); });
    Vertex best = own;
    double best_gain = sums_.of(own) - penalty_ * strength * (strengths_[own] - strength);
    for (const Vertex group : sums_.groups()) {
      const double gain = sums_.of(group) - penalty_ * strength * strengths_[group];
      if (group == own || gain <= best_gain + margin) continue;
      best = group;
      best_gain = gain;
    }
    sums_.clear();
    return best_gain < -margin && sizes_[own] > 1 ? empty_.back() : best;
  }

  void move(Vertex node, Vertex to) {
    const Vertex from = groups_[node];
    if (sizes_[to] == 0) empty_.pop_back();
    if (sizes_[from] == 1) empty_.push_back(from);
    strengths_[from] -= network_.strengths[node];
    strengths_[to] += network_.strengths[node];
    --sizes_[from];
    ++sizes_[to];
    groups_[node] = to;
  }

 private:
  /// Less of a node's strength is what rounding makes of nothing, and could move it for ever.
  static constexpr double kGainMargin = 1e-10;

  const Network& network_;
  const double penalty_;
  Groups groups_;
  std::vector<double> strengths_;  // by community
  std::vector<Vertex> sizes_;      // by community
  std::vector<Vertex> empty_;
  GroupSums sums_;
};

/// The standard's shuffle differs between libraries; this one does not.
std::vector<Vertex> shuffled_nodes(Vertex count, std::mt19937_64& random) {
  std::vector<Vertex> nodes(count);
  std::iota(nodes.begin(), nodes.end(), Vertex{0});
  for (size_t left = count; left > 1; --left) std::swap(nodes[left - 1], nodes[random() % left]);
  return nodes;
}

/// Moves nodes one at a time while modularity grows. After the first round only the neighbours of
/// what moved are looked at again (Traag, Waltman and van Eck 2019, fast local move).
Status move_nodes(const Network& network, Communities& communities, std::mt19937_64& random,
                  Pace& pace) {
  std::vector<Vertex> queue = shuffled_nodes(network.size(), random);
  std::vector<uint8_t> queued(network.size(), true);
  // A node is in the queue once at most, so a ring of that size holds it.
  size_t head = 0;
  size_t length = queue.size();
  while (length > 0) {
    const Vertex node = queue[head];
    head = head + 1 == queue.size() ? 0 : head + 1;
    --length;
    queued[node] = false;
    BRAID_TRY(pace.step(2 * network.degree(node) + 1));
    const Vertex best = communities.best_for(node);
    if (best == communities.of(node)) continue;
    communities.move(node, best);
    network.visit(node, [&](Vertex target, double) {
      if (queued[target] || communities.of(target) == best) return;
      queued[target] = true;
      queue[(head + length++) % queue.size()] = target;
    });
  }
  return {};
}

/// A partition of a projection: communities counted from 0 by first vertex, and how often nodes
/// were put together to bigger ones.
struct Partition {
  Groups groups;
  int64_t level = 0;
};

/// What the groups of groups are to the vertices.
void compose(Groups& groups, const Groups& outer) {
  for (Vertex& group : groups) group = outer[group];
}

Status louvain(const Projection& graph, const CommunityOptions& options, Pace& pace,
               Partition& out) {
  Network network;
  BRAID_TRY(read_network(graph, pace, network));
  std::mt19937_64 random(options.seed);
  out.groups = singletons(network.size());
  for (out.level = 0; out.level < options.levels_max; ++out.level) {
    Communities communities(network, options.resolution, singletons(network.size()));
    BRAID_TRY(move_nodes(network, communities, random, pace));
    Groups groups = communities.take();
    const Vertex count = renumber(groups);
    if (count == network.size()) break;
    compose(out.groups, groups);
    Network smaller;
    BRAID_TRY(aggregate(network, groups, count, pace, smaller));
    network = std::move(smaller);
  }
  renumber(out.groups);
  return {};
}

// --- Leiden ------------------------------------------------------------------------------------

/// Parts each community into well connected ones: starts from single nodes and merges those that
/// are still single into the best neighbour within their community. A node takes the best where
/// the paper draws one at random, by which the answer needs no randomness to be good.
class Refinement {
 public:
  Refinement(const Network& network, double resolution, const Groups& communities)
      : network_(network),
        penalty_(network.total > 0 ? resolution / network.total : 0),
        communities_(communities),
        community_strengths_(network.size()),
        groups_(singletons(network.size())),
        strengths_(network.strengths),
        bonds_(network.size()),
        sizes_(network.size(), 1),
        sums_(network.size()) {
    for (Vertex node = 0; node < network.size(); ++node) {
      community_strengths_[communities[node]] += network.strengths[node];
      network.visit(node, [&](Vertex target, double weight) {
        if (communities[target] == communities[node]) bonds_[node] += weight;
      });
    }
  }

  Status run(std::mt19937_64& random, Pace& pace) {
    for (const Vertex node : shuffled_nodes(network_.size(), random)) {
      if (sizes_[groups_[node]] == 1 && is_well_connected(groups_[node])) merge(node);
      BRAID_TRY(pace.step(network_.degree(node) + 1));
    }
    return {};
  }
  Groups take() { return std::move(groups_); }

 private:
  /// Whether the group is bound to the rest of its community as much as chance would bind it.
  bool is_well_connected(Vertex group) const {
    // A group is named by a node of it that never left.
    const double rest = community_strengths_[communities_[group]] - strengths_[group];
    return bonds_[group] >= penalty_ * strengths_[group] * rest;
  }

  void merge(Vertex node) {
    network_.visit(node, [&](Vertex target, double weight) {
      if (communities_[target] == communities_[node]) sums_.add(groups_[target], weight);
    });
    Vertex best = kNoVertex;
    double best_gain = 0;
    for (const Vertex group : sums_.groups()) {
      const double gain = sums_.of(group) - penalty_ * strengths_[node] * strengths_[group];
      if (gain < best_gain || (gain == best_gain && best != kNoVertex)) continue;
      if (!is_well_connected(group)) continue;
      best = group;
      best_gain = gain;
    }
    if (best != kNoVertex) join(node, best);
    sums_.clear();
  }

  void join(Vertex node, Vertex group) {
    strengths_[group] += strengths_[node];
    bonds_[group] += bonds_[node] - 2 * sums_.of(group);
    ++sizes_[group];
    --sizes_[node];
    groups_[node] = group;
  }

  const Network& network_;
  const double penalty_;
  const Groups& communities_;
  std::vector<double> community_strengths_;
  Groups groups_;
  std::vector<double> strengths_;  // by group
  std::vector<double> bonds_;      // by group: weight of its edges to the rest of its community
  std::vector<Vertex> sizes_;      // by group
  GroupSums sums_;
};

/// Parts groups that are not connected. That adds to modularity, so it is no loss.
Groups connected_parts(const Network& network, const Groups& groups) {
  Groups parts(groups.size(), kNoVertex);
  std::vector<Vertex> reached;
  for (Vertex root = 0; root < groups.size(); ++root) {
    if (parts[root] != kNoVertex) continue;
    parts[root] = root;
    reached.assign(1, root);
    while (!reached.empty()) {
      const Vertex node = reached.back();
      reached.pop_back();
      network.visit(node, [&](Vertex target, double) {
        if (parts[target] != kNoVertex || groups[target] != groups[root]) return;
        parts[target] = root;
        reached.push_back(target);
      });
    }
  }
  return parts;
}

/// What was one community in the network is one among the nodes made of its groups.
Groups communities_of_groups(const Groups& communities, const Groups& groups, Vertex group_count) {
  Groups outer(group_count);
  for (size_t node = 0; node < groups.size(); ++node) outer[groups[node]] = communities[node];
  renumber(outer);
  return outer;
}

Status leiden(const Projection& graph, const CommunityOptions& options, Pace& pace,
              Partition& out) {
  Network network;
  BRAID_TRY(read_network(graph, pace, network));
  std::mt19937_64 random(options.seed);
  out.groups = singletons(network.size());
  Groups communities = singletons(network.size());
  for (out.level = 0; out.level < options.levels_max; ++out.level) {
    Communities moving(network, options.resolution, std::move(communities));
    BRAID_TRY(move_nodes(network, moving, random, pace));
    communities = moving.take();
    if (renumber(communities) == network.size()) break;
    Refinement refinement(network, options.resolution, communities);
    BRAID_TRY(refinement.run(random, pace));
    Groups groups = refinement.take();
    const Vertex count = renumber(groups);
    if (count == network.size()) break;
    Network smaller;
    BRAID_TRY(aggregate(network, groups, count, pace, smaller));
    communities = communities_of_groups(communities, groups, count);
    compose(out.groups, groups);
    network = std::move(smaller);
  }
  compose(out.groups, connected_parts(network, communities));
  renumber(out.groups);
  return {};
}

// --- Answers of both, and modularity -----------------------------------------------------------

enum CommunityParameter : size_t { kCommunityResolution, kCommunityLevels, kCommunitySeed };

CommunityOptions community_options(const AlgorithmArguments& arguments) {
  return {.resolution = arguments.real(kCommunityResolution),
          .levels_max = arguments.integer(kCommunityLevels),
          .seed = static_cast<uint64_t>(arguments.integer(kCommunitySeed))};
}

using FindCommunities = Status (*)(const Projection&, const CommunityOptions&, Pace&, Partition&);

template <FindCommunities kFind>
Status run_communities(const Projection& graph, const AlgorithmArguments& arguments,
                       const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  Partition partition;
  BRAID_TRY(kFind(graph, community_options(arguments), pace, partition));
  BRAID_TRY(answer_integers(graph, partition.groups, context, out));
  out.columns.emplace_back().integers.assign(out.row_count, partition.level);
  return {};
}

/// Newman and Girvan's, with a resolution: the share of edges within communities, less what chance
/// would put there. NaN without edges.
Status modularity_of(const Projection& graph, const Groups& groups, double resolution, Pace& pace,
                     double& modularity) {
  std::vector<double> strengths(groups.size());
  double within = 0;
  double total = 0;
  BRAID_TRY(visit_ends(graph, pace, [&](Vertex a, Vertex b, double weight) {
    strengths[groups[a]] += weight;
    total += weight;
    if (groups[a] == groups[b]) within += weight;
  }));
  double chance = 0;
  for (const double strength : strengths) chance += strength / total * (strength / total);
  modularity = within / total - resolution * chance;
  return {};
}

Status run_modularity(const Projection& graph, const AlgorithmArguments& arguments,
                      const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  const CommunityOptions options = community_options(arguments);
  Partition partition;
  BRAID_TRY(louvain(graph, options, pace, partition));
  double modularity = 0;
  BRAID_TRY(modularity_of(graph, partition.groups, options.resolution, pace, modularity));
  int64_t count = 0;
  for (const Vertex group : partition.groups) count = std::max(count, int64_t{group} + 1);
  out.row_count = 1;
  out.columns.assign(2, ResultColumn());
  out.columns[0].integers.push_back(count);
  out.columns[1].reals.push_back(modularity);
  return {};
}

// --- Triangles and clustering ------------------------------------------------------------------

/// The simple undirected graph under a projection, each edge only at the end of smaller degree.
/// Then no list has more than sqrt(2 m) targets, which bounds the search for triangles.
class TriangleGraph {
 public:
  Status build(const Projection& graph, Pace& pace) {
    degrees_.assign(graph.vertex_count(), 0);
    std::vector<Vertex> seen_by(graph.vertex_count(), kNoVertex);
    for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
      seen_by[vertex] = vertex;
      visit_neighbors(graph, vertex, [&](Vertex other) {
        degrees_[vertex] += std::exchange(seen_by[other], vertex) != vertex;
      });
      BRAID_TRY(pace.step(neighbor_count(graph, vertex) + 1));
    }
    std::vector<uint64_t> entries(graph.vertex_count(), kNoEntry);
    offsets_.assign(1, 0);
    for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
      add_edges(graph, vertex, entries);
      BRAID_TRY(pace.step(neighbor_count(graph, vertex) + 1));
    }
    return {};
  }

  const std::vector<Vertex>& degrees() const { return degrees_; }

  /// Calls `visit(corner, others)` for each corner of each triangle, where `others` is in how many
  /// directions the edge between the two other corners goes.
  template <typename Visit>
  Status visit_corners(Pace& pace, const Visit& visit) const {
    std::vector<uint8_t> marks(degrees_.size());
    for (Vertex a = 0; a < degrees_.size(); ++a) {
      pace.set_done(a, static_cast<double>(degrees_.size()));
      mark(a, marks);
      for (uint64_t ab = offsets_[a]; ab < offsets_[a + 1]; ++ab) {
        const Vertex b = targets_[ab];
        for (uint64_t bc = offsets_[b]; bc < offsets_[b + 1]; ++bc) {
          const Vertex c = targets_[bc];
          if (marks[c] == 0) continue;
          visit(a, directions_[bc]);
          visit(b, marks[c]);
          visit(c, directions_[ab]);
        }
        BRAID_TRY(pace.step(offsets_[b + 1] - offsets_[b] + 1));
      }
      for (uint64_t i = offsets_[a]; i < offsets_[a + 1]; ++i) marks[targets_[i]] = 0;
    }
    return {};
  }

 private:
  static constexpr uint64_t kNoEntry = UINT64_MAX;

  bool has_smaller_degree(Vertex a, Vertex b) const {
    return degrees_[a] != degrees_[b] ? degrees_[a] < degrees_[b] : a < b;
  }

  /// `entries` has the last entry made for each target, which is this vertex's or an earlier one's.
  void add_edges(const Projection& graph, Vertex vertex, std::vector<uint64_t>& entries) {
    const auto add = [&](Vertex target, uint8_t direction) {
      if (!has_smaller_degree(vertex, target)) return;
      const bool is_new = entries[target] == kNoEntry || entries[target] < offsets_.back();
      if (is_new) {
        entries[target] = targets_.size();
        targets_.push_back(target);
        directions_.push_back(0);
      }
      directions_[entries[target]] |= direction;
    };
    constexpr uint8_t kOut = 1;
    constexpr uint8_t kIn = 2;
    for (const Vertex target : graph.out().of(vertex)) add(target, kOut);
    for (const Vertex target : graph.in().of(vertex)) add(target, kIn);
    count_directions();
    offsets_.push_back(targets_.size());
  }
  /// From a set of directions to their number.
  void count_directions() {
    for (uint64_t i = offsets_.back(); i < directions_.size(); ++i) {
      directions_[i] = directions_[i] == 3 ? 2 : 1;
    }
  }
  void mark(Vertex vertex, std::vector<uint8_t>& marks) const {
    for (uint64_t i = offsets_[vertex]; i < offsets_[vertex + 1]; ++i) {
      marks[targets_[i]] = directions_[i];
    }
  }

  std::vector<Vertex> degrees_;
  std::vector<uint64_t> offsets_;
  std::vector<Vertex> targets_;
  std::vector<uint8_t> directions_;  // of each entry: 1 or 2
};

Status run_triangles(const Projection& graph, const AlgorithmArguments&,
                     const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  TriangleGraph triangles;
  BRAID_TRY(triangles.build(graph, pace));
  std::vector<uint64_t> counts(graph.vertex_count());
  BRAID_TRY(triangles.visit_corners(pace, [&](Vertex corner, uint8_t) { ++counts[corner]; }));
  return answer_integers(graph, counts, context, out);
}

/// An undirected edge goes both ways, so that one formula serves both kinds of projection.
Status run_clustering(const Projection& graph, const AlgorithmArguments&,
                      const AlgorithmContext& context, AlgorithmResult& out) {
  Pace pace(context);
  TriangleGraph triangles;
  BRAID_TRY(triangles.build(graph, pace));
  std::vector<uint64_t> links(graph.vertex_count());
  BRAID_TRY(triangles.visit_corners(
      pace, [&](Vertex corner, uint8_t others) { links[corner] += others; }));
  BRAID_TRY(answer_vertices(graph, context, out));
  std::vector<double>& values = out.columns.emplace_back().reals;
  values.resize(graph.vertex_count());
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex) {
    const double degree = triangles.degrees()[vertex];
    if (degree >= 2) values[vertex] = static_cast<double>(links[vertex]) / (degree * (degree - 1));
  }
  return {};
}

// --- The table ---------------------------------------------------------------------------------

constexpr ResultColumnRow kComponentColumns[] = {kNodeColumn, {"component", ColumnKind::kNode}};
constexpr ResultColumnRow kCoreColumns[] = {kNodeColumn, {"core_number", ColumnKind::kInteger}};
constexpr ResultColumnRow kLabelColumns[] = {kNodeColumn, {"label", ColumnKind::kInteger}};
constexpr ResultColumnRow kCommunityColumns[] = {
    kNodeColumn, {"community", ColumnKind::kInteger}, {"level", ColumnKind::kInteger}};
constexpr ResultColumnRow kModularityColumns[] = {{"communities", ColumnKind::kInteger},
                                                  {"modularity", ColumnKind::kReal}};
constexpr ResultColumnRow kTriangleColumns[] = {kNodeColumn, {"triangles", ColumnKind::kInteger}};
constexpr ResultColumnRow kClusteringColumns[] = {kNodeColumn, {"clustering", ColumnKind::kReal}};

constexpr AlgorithmParameter kLabelParameters[] = {{.name = "iterations",
                                                    .kind = ParameterKind::kInteger,
                                                    .fallback = 10,
                                                    .minimum = 1,
                                                    .maximum = kIterationsMax}};
constexpr AlgorithmParameter kCommunityParameters[] = {
    {.name = "resolution", .kind = ParameterKind::kReal, .fallback = 1, .maximum = 1e9},
    {.name = "levels",
     .kind = ParameterKind::kInteger,
     .fallback = 10,
     .minimum = 1,
     .maximum = kIterationsMax},
    {.name = "seed", .kind = ParameterKind::kInteger, .maximum = kIntegerMax}};

constexpr AlgorithmRow kCommunities[] = {
    {"clustering",
     "How many of the pairs of neighbours of each node are neighbours themselves.",
     kClusteringColumns,
     {},
     "Braid: Watts and Strogatz 1998, Collective Dynamics of Small-World Networks; as LDBC "
     "Graphalytics 1.0 has it",
     "O(m sqrt(m)); memory O(n + m)",
     run_clustering},
    {"core_number",
     "The greatest k for which each node is in the k-core.",
     kCoreColumns,
     {},
     "Braid: Batagelj and Zaversnik 2003, An O(m) Algorithm for Cores Decomposition of Networks",
     "O(n + m); memory O(n)",
     run_core_number},
    {"label_propagation", "Communities in which nodes have the label that most neighbours have.",
     kLabelColumns, kLabelParameters,
     "Braid: Raghavan, Albert and Kumara 2007, Near Linear Time Algorithm to Detect Community "
     "Structures; as LDBC Graphalytics 1.0 has it",
     "O(n + m) each iteration; memory O(n)", run_label_propagation},
    {"leiden", "Communities of high modularity, each of them connected.", kCommunityColumns,
     kCommunityParameters,
     "Braid: Traag, Waltman and van Eck 2019, From Louvain to Leiden: Guaranteeing Well-Connected "
     "Communities",
     "O(n + m) each round, of which there are few; memory O(n + m)", run_communities<leiden>},
    {"louvain", "Communities of high modularity.", kCommunityColumns, kCommunityParameters,
     "Braid: Blondel, Guillaume, Lambiotte and Lefebvre 2008, Fast Unfolding of Communities in "
     "Large Networks",
     "O(n + m) each round, of which there are few; memory O(n + m)", run_communities<louvain>},
    {"modularity", "The modularity of the communities that louvain finds.", kModularityColumns,
     kCommunityParameters,
     "Braid: Newman and Girvan 2004, Finding and Evaluating Community Structure in Networks",
     "that of louvain", run_modularity},
    {"scc",
     "The strongly connected components, each named by its first node.",
     kComponentColumns,
     {},
     "Braid: Tarjan 1972, Depth-First Search and Linear Graph Algorithms",
     "O(n + m); memory O(n)",
     run_scc},
    {"triangles",
     "The number of triangles at each node, parallel edges counting once.",
     kTriangleColumns,
     {},
     "Braid: Latapy 2008, Main-Memory Triangle Computations for Very Large (Sparse (Power-Law)) "
     "Graphs",
     "O(m sqrt(m)); memory O(n + m)",
     run_triangles},
    {"wcc",
     "The connected components, whatever way edges go, each named by its first node.",
     kComponentColumns,
     {},
     "Braid: Tarjan 1975, Efficiency of a Good But Not Linear Set Union Algorithm",
     "O(n + m log n), in practice O(n + m); memory O(n)",
     run_wcc},
};

}  // namespace

std::span<const AlgorithmRow> community_algorithms() { return kCommunities; }

}  // namespace braid
