#include "graph/subgraph_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "graph/pace.h"
#include "graph/resolved_pattern.h"

namespace braid {
namespace {

using ProjectionPointer = std::shared_ptr<const Projection>;  // shared with the cache

uint64_t count_edges(const Projection& graph, Vertex source, Vertex target) {
  const auto out = graph.out().of(source), in = graph.in().of(target);
  const auto counted = out.size() <= in.size() ? std::count(out.begin(), out.end(), target) : std::count(in.begin(), in.end(), source);
  return static_cast<uint64_t>(counted);
}
/// How many entries `count_edges` looks at.
uint64_t count_cost(const Projection& graph, Vertex source, Vertex target) {
  return 1 + std::min(graph.out().degree(source), graph.in().degree(target));
}

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
    const auto add = [&level](std::span<const Vertex> vertices) {
      level.candidates.insert(level.candidates.end(), vertices.begin(), vertices.end());
    };
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
