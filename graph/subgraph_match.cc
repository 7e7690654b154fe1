#include "graph/subgraph_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>

#include "graph/graph_store_view.h"
#include "graph/pace.h"
#include "graph/projection_cache.h"

namespace braid {
namespace {

using Types = std::vector<TypeId>;  // ascending; none: every type
using ProjectionPointer = std::shared_ptr<const Projection>;  // shared with the cache

/// What is between two placed nodes: an edge from `source` to `target` of the pattern, or either way.
struct EdgeRule {
  size_t source;
  size_t target;
  bool directed;
  Types types;
  auto operator<=>(const EdgeRule&) const = default;
};

uint64_t count_edges(const Projection& graph, Vertex source, Vertex target) {
  const auto out = graph.out().of(source), in = graph.in().of(target);
  const auto counted = out.size() <= in.size() ? std::count(out.begin(), out.end(), target) : std::count(in.begin(), in.end(), source);
  return static_cast<uint64_t>(counted);
}
/// How many entries `count_edges` looks at.
uint64_t count_cost(const Projection& graph, Vertex source, Vertex target) {
  return 1 + std::min(graph.out().degree(source), graph.in().degree(target));
}

/// The pattern in terms of the graph: ids for names, projections for types, candidates for labels and properties.
class ResolvedPattern {
 public:
  /// The nodes that one node of the pattern may be.
  struct Candidates {
    std::vector<bool> members;  // by vertex; empty: every one
    uint64_t count = 0;
    bool has(Vertex vertex) const { return members.empty() || members[vertex]; }
  };

  ResolvedPattern(const GraphView& view, const Pattern& pattern, const MatchNames& names, const MatchOptions& options, Pace& pace)
      : view_(view), pattern_(pattern), names_(names), options_(options), pace_(pace) {}

  /// False when nothing can match.
  Result<bool> run() {
    if (!resolve_edges()) return false;
    BRAID_ASSIGN(base_, projection(rules_.empty() ? options_.within.types : rules_.front().types));
    for (size_t node = 0; node < pattern_.nodes.size(); ++node) {
      BRAID_ASSIGN(Candidates candidates, candidates_of(node));
      if (candidates.count == 0) return false;
      candidates_.push_back(std::move(candidates));
    }
    return true;
  }

  const ProjectionPointer& base() const { return base_; }
  const std::vector<EdgeRule>& rules() const { return rules_; }
  const Candidates& candidates(size_t node) const { return candidates_[node]; }
  size_t size() const { return pattern_.nodes.size(); }
  bool induced() const { return options_.mode == MatchMode::kInduced; }
  bool distinct() const { return options_.mode != MatchMode::kHomomorphism; }

  /// Vertices are the same in all of them: they have the same labels.
  Result<ProjectionPointer> projection(const Types& types) {
    ProjectionPointer& known = projections_[types];
    if (known == nullptr) {
      const ProjectionSpec spec{.labels = options_.within.labels, .types = types};
      BRAID_ASSIGN(known, view_.base().projections().get(view_, spec, pace_.context().cancel));
    }
    return known;
  }

  /// The types of the edges that the pattern asks for from one node to another; nullopt when it asks for none.
  std::optional<Types> asked(size_t source, size_t target) const {
    std::optional<Types> all;
    for (const EdgeRule& rule : rules_) {
      const bool there = rule.source == source && rule.target == target;
      const bool back = !rule.directed && rule.source == target && rule.target == source;
      if (!there && !back) continue;
      if (rule.types == options_.within.types) return rule.types;
      Types joined;
      if (all) std::set_union(all->begin(), all->end(), rule.types.begin(), rule.types.end(), std::back_inserter(joined));
      all = all ? std::move(joined) : rule.types;
    }
    return all;
  }
  const Types& all_types() const { return options_.within.types; }

 private:
  bool resolve_edges() {
    std::set<EdgeRule> rules;
    for (const PatternEdge& edge : pattern_.edges) {
      const auto types = types_of(edge);
      if (!types) return false;
      EdgeRule rule{edge.source, edge.target, edge.directed && options_.within.orientation != Orientation::kUndirected, *types};
      const bool turned = rule.directed ? options_.within.orientation == Orientation::kReverse : rule.source > rule.target;
      if (turned) std::swap(rule.source, rule.target);
      rules.insert(std::move(rule));
    }
    rules_.assign(rules.begin(), rules.end());
    return true;
  }

  /// Nothing when no edge can have one of them.
  std::optional<Types> types_of(const PatternEdge& edge) const {
    const Types& within = options_.within.types;
    if (edge.types.empty()) return within;
    std::set<TypeId> types;
    for (const std::string& name : edge.types) {
      const auto type = names_.type(name);
      if (type && (within.empty() || std::binary_search(within.begin(), within.end(), *type))) types.insert(*type);
    }
    if (types.empty()) return std::nullopt;
    return Types(types.begin(), types.end());
  }

  /// What costs least to ask is asked first.
  Result<Candidates> candidates_of(size_t index) {
    const PatternNode& node = pattern_.nodes[index];
    Candidates candidates;
    candidates.count = base_->vertex_count();
    if (!node.properties.empty() && names_.indexed) {
      BRAID_ASSIGN(const auto ids, names_.indexed(node));
      if (ids) candidates = members_of(*ids);
    }
    for (const std::string& name : node.labels) {
      const auto label = names_.label(name);
      if (!label) return Candidates();
      BRAID_TRY(keep_labelled(*label, candidates));
    }
    for (const EdgeRule& rule : rules_) BRAID_TRY(keep_linked(index, rule, candidates));
    if (!node.properties.empty()) BRAID_TRY(keep_those(candidates, [&](NodeId id) { return names_.has_properties(id, node); }));
    return candidates;
  }

  /// Those that have an edge of the types, on the side where the pattern has it.
  Status keep_linked(size_t node, const EdgeRule& rule, Candidates& candidates) {
    const bool leaves = rule.source == node || (!rule.directed && rule.target == node);
    const bool enters = rule.target == node || (!rule.directed && rule.source == node);
    if (!leaves && !enters) return {};
    BRAID_ASSIGN(const ProjectionPointer graph, projection(rule.types));
    BRAID_TRY(pace_.step(graph->vertex_count()));
    std::vector<bool> members(graph->vertex_count());
    candidates.count = 0;
    for (Vertex vertex = 0; vertex < graph->vertex_count(); ++vertex) {
      const bool linked = (leaves && graph->out().degree(vertex) > 0) || (enters && graph->in().degree(vertex) > 0);
      if (!linked || !candidates.has(vertex)) continue;
      members[vertex] = true;
      ++candidates.count;
    }
    candidates.members = std::move(members);
    return {};
  }

  Candidates members_of(const std::vector<NodeId>& ids) const {
    Candidates candidates{std::vector<bool>(base_->vertex_count()), 0};
    for (const NodeId id : ids) {
      const auto vertex = base_->vertex(id);
      if (!vertex || candidates.members[*vertex]) continue;
      candidates.members[*vertex] = true;
      ++candidates.count;
    }
    return candidates;
  }

  Status keep_labelled(LabelId label, Candidates& candidates) {
    constexpr size_t kBatch = 1024;
    // A few nodes are read one by one, rather than all those that have the label.
    if (!candidates.members.empty() && candidates.count < kBatch) {
      return keep_those(candidates, [&](NodeId id) -> Result<bool> {
        BRAID_ASSIGN(const auto node, view_.node(id));
        return node && std::binary_search(node->labels.begin(), node->labels.end(), label);
      });
    }
    std::vector<bool> members(base_->vertex_count());
    uint64_t count = 0;
    std::vector<NodeId> ids;
    NodeId after;
    do {
      ids.clear();
      BRAID_TRY(view_.scan_label(label, after, kBatch, ids));
      BRAID_TRY(pace_.step(ids.size()));
      for (const NodeId id : ids) {
        const auto vertex = base_->vertex(id);
        if (!vertex || !candidates.has(*vertex)) continue;
        members[*vertex] = true;
        ++count;
      }
      if (!ids.empty()) after = ids.back();
    } while (!ids.empty());
    candidates = {std::move(members), count};
    return {};
  }

  /// `is_one(id)` reads the node.
  template <typename IsOne>
  Status keep_those(Candidates& candidates, IsOne&& is_one) {
    constexpr uint64_t kStepsOfARead = 64;
    std::vector<bool> members(base_->vertex_count());
    uint64_t count = 0;
    for (Vertex vertex = 0; vertex < base_->vertex_count(); ++vertex) {
      BRAID_TRY(pace_.step(1));
      if (!candidates.has(vertex)) continue;
      BRAID_TRY(pace_.step(kStepsOfARead));
      BRAID_ASSIGN(const bool is, is_one(base_->node(vertex)));
      members[vertex] = is;
      count += is ? 1 : 0;
    }
    candidates = {std::move(members), count};
    return {};
  }

  const GraphView& view_;
  const Pattern& pattern_;
  const MatchNames& names_;
  const MatchOptions& options_;
  Pace& pace_;
  std::vector<EdgeRule> rules_;
  std::map<Types, ProjectionPointer> projections_;
  ProjectionPointer base_;
  std::vector<Candidates> candidates_;
};

/// Where each node of the pattern is put, one level of depth for each.
class MatchSearch {
 public:
  MatchSearch(ResolvedPattern& pattern, Pace& pace) : pattern_(pattern), pace_(pace) {}

  Status prepare() {
    const std::vector<size_t> order = placing_order();
    for (size_t depth = 0; depth < order.size(); ++depth) {
      Level level;
      level.node = order[depth];
      for (const EdgeRule& rule : pattern_.rules()) {
        const bool from = rule.source == level.node, to = rule.target == level.node;
        const size_t other = from ? rule.target : rule.source;
        const bool placed = std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(depth) + 1, other) !=
                            order.begin() + static_cast<std::ptrdiff_t>(depth) + 1;
        if ((!from && !to) || !placed) continue;
        BRAID_ASSIGN(auto graph, pattern_.projection(rule.types));
        level.checks.push_back({std::move(graph), other, rule.directed ? (from ? Side::kFrom : Side::kTo) : Side::kEither});
      }
      if (pattern_.induced()) BRAID_TRY(add_bans(order, depth, level));
      levels_.push_back(std::move(level));
    }
    return {};
  }

  /// Calls `found(places)` for each match, with a vertex by node of the pattern.
  template <typename Found>
  Status run(Found&& found) {
    size_t depth = 0;
    open(0);
    for (;;) {
      BRAID_TRY(pace_.step(1));
      BRAID_ASSIGN(const bool placed, place_next(depth));
      if (!placed) {
        if (depth == 0) return {};
        --depth;
      } else if (depth + 1 == levels_.size()) {
        BRAID_TRY(found(places_));
      } else {
        open(++depth);
      }
    }
  }

 private:
  enum class Side : uint8_t { kFrom, kTo, kEither };  // an edge from the node of the level, to it, or either

  /// An edge between the level's node and one that is placed, or the node itself.
  struct Check {
    ProjectionPointer graph;
    size_t other;
    Side side;
  };
  /// No more edges between two nodes than those of types that are asked for.
  struct Ban {
    size_t source;
    size_t target;
    ProjectionPointer allowed;  // null: no edge at all
  };
  struct Level {
    size_t node = 0;
    std::vector<Check> checks;
    std::vector<Ban> bans;
    std::vector<Vertex> candidates;  // of this visit, when `listed`
    bool listed = false;
    uint64_t next = 0;  // place in `candidates`, or vertex
  };

  /// The fewest candidates first; then those with the most edges to what is placed.
  std::vector<size_t> placing_order() const {
    std::vector<size_t> order;
    std::vector<bool> placed(pattern_.size());
    while (order.size() < pattern_.size()) {
      std::optional<size_t> best;
      size_t best_edges = 0;
      for (size_t node = 0; node < pattern_.size(); ++node) {
        if (placed[node]) continue;
        size_t edges = 0;
        for (const EdgeRule& rule : pattern_.rules())
          edges += (rule.source == node && placed[rule.target]) || (rule.target == node && placed[rule.source]) ? 1 : 0;
        const bool better = !best || edges > best_edges ||
                            (edges == best_edges && pattern_.candidates(node).count < pattern_.candidates(*best).count);
        if (!better) continue;
        best = node;
        best_edges = edges;
      }
      placed[*best] = true;
      order.push_back(*best);
    }
    return order;
  }

  Status add_bans(const std::vector<size_t>& order, size_t depth, Level& level) {
    BRAID_ASSIGN(every_, pattern_.projection(pattern_.all_types()));
    for (size_t earlier = 0; earlier <= depth; ++earlier) {
      const size_t other = order[earlier];
      BRAID_TRY(add_ban(level.node, other, level));
      if (other != level.node) BRAID_TRY(add_ban(other, level.node, level));
    }
    return {};
  }
  Status add_ban(size_t source, size_t target, Level& level) {
    const auto asked = pattern_.asked(source, target);
    if (asked == pattern_.all_types()) return {};
    Ban ban{source, target, nullptr};
    if (asked) {
      BRAID_ASSIGN(ban.allowed, pattern_.projection(*asked));
    }
    level.bans.push_back(std::move(ban));
    return {};
  }

  uint64_t neighbor_count(const Check& check) const {
    const Vertex other = places_[check.other];
    const uint64_t reaching = check.graph->in().degree(other), leaving = check.graph->out().degree(other);
    return (check.side != Side::kTo ? reaching : 0) + (check.side != Side::kFrom ? leaving : 0);
  }

  /// Begins a visit of a level: what is beside a placed node, by the check that leaves the fewest, else every vertex.
  void open(size_t depth) {
    Level& level = levels_[depth];
    level.next = 0;
    level.candidates.clear();
    const Check* fewest = nullptr;
    for (const Check& check : level.checks) {
      if (check.other == level.node) continue;
      if (fewest == nullptr || neighbor_count(check) < neighbor_count(*fewest)) fewest = &check;
    }
    level.listed = fewest != nullptr;
    if (fewest == nullptr) return;
    const auto add = [&](std::span<const Vertex> vertices) { level.candidates.insert(level.candidates.end(), vertices.begin(), vertices.end()); };
    if (fewest->side != Side::kTo) add(fewest->graph->in().of(places_[fewest->other]));
    if (fewest->side != Side::kFrom) add(fewest->graph->out().of(places_[fewest->other]));
    std::sort(level.candidates.begin(), level.candidates.end());
    level.candidates.erase(std::unique(level.candidates.begin(), level.candidates.end()), level.candidates.end());
  }

  /// Puts the next vertex that fits; false when there is none left.
  Result<bool> place_next(size_t depth) {
    Level& level = levels_[depth];
    const uint64_t limit = level.listed ? level.candidates.size() : pattern_.base()->vertex_count();
    while (level.next < limit) {
      BRAID_TRY(pace_.step(1));
      const Vertex vertex = level.listed ? level.candidates[level.next] : static_cast<Vertex>(level.next);
      ++level.next;
      if (!pattern_.candidates(level.node).has(vertex) || is_taken(vertex, depth)) continue;
      places_[level.node] = vertex;
      BRAID_ASSIGN(const bool fits, fits_here(level));
      if (fits) return true;
    }
    return false;
  }

  bool is_taken(Vertex vertex, size_t depth) const {
    if (!pattern_.distinct()) return false;
    for (size_t earlier = 0; earlier < depth; ++earlier)
      if (places_[levels_[earlier].node] == vertex) return true;
    return false;
  }

  Result<bool> fits_here(const Level& level) {
    for (const Check& check : level.checks) {
      const Vertex here = places_[level.node], other = places_[check.other];
      bool has = false;
      if (check.side != Side::kTo) {
        BRAID_TRY(pace_.step(count_cost(*check.graph, here, other)));
        has = count_edges(*check.graph, here, other) > 0;
      }
      if (!has && check.side != Side::kFrom) {
        BRAID_TRY(pace_.step(count_cost(*check.graph, other, here)));
        has = count_edges(*check.graph, other, here) > 0;
      }
      if (!has) return false;
    }
    for (const Ban& ban : level.bans) {
      const Vertex source = places_[ban.source], target = places_[ban.target];
      BRAID_TRY(pace_.step(2 * count_cost(*every_, source, target)));
      const uint64_t allowed = ban.allowed == nullptr ? 0 : count_edges(*ban.allowed, source, target);
      if (count_edges(*every_, source, target) != allowed) return false;
    }
    return true;
  }

  ResolvedPattern& pattern_;
  Pace& pace_;
  ProjectionPointer every_;  // of all types that are looked at; for kInduced
  std::vector<Level> levels_;
  std::array<Vertex, kPatternNodesMax> places_{};  // by node of the pattern
};

}  // namespace

Status match_pattern(const GraphView& view, const Pattern& pattern, const MatchNames& names, const MatchOptions& options,
                     const AlgorithmContext& context, Matches& out) {
  Pace pace(context);
  ResolvedPattern resolved(view, pattern, names, options, pace);
  out.width = pattern.nodes.size();
  BRAID_ASSIGN(const bool possible, resolved.run());
  if (!possible) return {};
  out.projection = resolved.base();
  MatchSearch search(resolved, pace);
  BRAID_TRY(search.prepare());
  return search.run([&](const std::array<Vertex, kPatternNodesMax>& places) -> Status {
    if (out.count() >= options.matches_max)
      return Status(StatusCode::kLimit, fmt::format("there are more than {} matches; give a larger 'limit_matches'", options.matches_max));
    if (out.vertices.size() + out.width > context.rows_max)
      return Status(StatusCode::kLimit, fmt::format("the result has more than {} rows, as traversal_nodes_max allows", context.rows_max));
    out.vertices.insert(out.vertices.end(), places.begin(), places.begin() + static_cast<std::ptrdiff_t>(out.width));
    return {};
  });
}

}  // namespace braid
