// A pattern in terms of one graph: ids for its names, projections for its edges, candidates for its labels and properties.
//
// Part of graph/subgraph_match. Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "graph/pace.h"
#include "graph/subgraph_match.h"

namespace braid {

/// What is between two placed nodes: an edge from `source` to `target` of the pattern, or either way.
struct EdgeRule {
  using Types = std::vector<TypeId>;  ///< ascending; none: every type that is looked at
  size_t source;
  size_t target;
  bool directed;
  Types types;
  auto operator<=>(const EdgeRule&) const = default;
};

/// The vertices that one node of the pattern may be.
struct MatchCandidates {
  std::vector<bool> members;  ///< by vertex; empty: every one
  uint64_t count = 0;
  bool has(Vertex vertex) const { return members.empty() || members[vertex]; }
};

/// Borrows what it is made of.
class ResolvedPattern {
 public:
  using Types = EdgeRule::Types;

  ResolvedPattern(const GraphView& view, const Pattern& pattern, const MatchNames& names, const MatchOptions& options, Pace& pace)
      : view_(view), pattern_(pattern), names_(names), options_(options), pace_(pace) {}

  /// To be called first. False when nothing can match.
  Result<bool> run();

  const std::shared_ptr<const Projection>& base() const { return base_; }
  const std::vector<EdgeRule>& rules() const { return rules_; }
  const MatchCandidates& candidates(size_t node) const { return candidates_[node]; }
  size_t size() const { return pattern_.nodes.size(); }
  bool induced() const { return options_.mode == MatchMode::kInduced; }
  bool distinct() const { return options_.mode != MatchMode::kHomomorphism; }

  /// The edges of these types, in their own direction. Vertices are the same in all of them: they have the same labels.
  Result<std::shared_ptr<const Projection>> projection(const Types& types);
  const Types& all_types() const { return options_.within.types; }
  /// The types of the edges that the pattern asks for from one node to another; nullopt when it asks for none.
  std::optional<Types> asked(size_t source, size_t target) const;

 private:
  bool resolve_edges();
  /// Nothing when no edge can have one of them.
  std::optional<Types> types_of(const PatternEdge& edge) const;
  Result<MatchCandidates> candidates_of(size_t node);
  MatchCandidates members_of(const std::vector<NodeId>& ids) const;
  Status keep_labelled(LabelId label, MatchCandidates& candidates);
  /// Those that have an edge of the types, on the side where the pattern has it.
  Status keep_linked(size_t node, const EdgeRule& rule, MatchCandidates& candidates);
  /// `is_one` reads the node.
  Status keep_those(MatchCandidates& candidates, const std::function<Result<bool>(NodeId)>& is_one);

  const GraphView& view_;
  const Pattern& pattern_;
  const MatchNames& names_;
  const MatchOptions& options_;
  Pace& pace_;
  std::vector<EdgeRule> rules_;
  std::map<Types, std::shared_ptr<const Projection>> projections_;  // shared with the cache
  std::shared_ptr<const Projection> base_;                          // one of them
  std::vector<MatchCandidates> candidates_;
};

}  // namespace braid
