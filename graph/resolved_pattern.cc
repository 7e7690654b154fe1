#include "graph/resolved_pattern.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"

namespace braid {

Result<bool> ResolvedPattern::run() {
  if (!resolve_edges()) return false;
  BRAID_ASSIGN(base_, projection(rules_.empty() ? options_.within.types : rules_.front().types));
  for (size_t node = 0; node < pattern_.nodes.size(); ++node) {
    BRAID_ASSIGN(MatchCandidates candidates, candidates_of(node));
    if (candidates.count == 0) return false;
    candidates_.push_back(std::move(candidates));
  }
  return true;
}

Result<std::shared_ptr<const Projection>> ResolvedPattern::projection(const Types& types) {
  std::shared_ptr<const Projection>& known = projections_[types];
  if (known == nullptr) {
    const ProjectionSpec spec{.labels = options_.within.labels, .types = types};
    BRAID_ASSIGN(known, view_.base().projections().get(view_, spec, pace_.context().cancel));
  }
  return known;
}

std::optional<EdgeRule::Types> ResolvedPattern::asked(size_t source, size_t target) const {
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

bool ResolvedPattern::resolve_edges() {
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

std::optional<EdgeRule::Types> ResolvedPattern::types_of(const PatternEdge& edge) const {
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
Result<MatchCandidates> ResolvedPattern::candidates_of(size_t index) {
  const PatternNode& node = pattern_.nodes[index];
  MatchCandidates candidates;
  candidates.count = base_->vertex_count();
  if (!node.properties.empty() && names_.indexed) {
    BRAID_ASSIGN(const auto ids, names_.indexed(node));
    if (ids) candidates = members_of(*ids);
  }
  for (const std::string& name : node.labels) {
    const auto label = names_.label(name);
    if (!label) return MatchCandidates();
    BRAID_TRY(keep_labelled(*label, candidates));
  }
  for (const EdgeRule& rule : rules_) BRAID_TRY(keep_linked(index, rule, candidates));
  if (!node.properties.empty()) BRAID_TRY(keep_those(candidates, [&](NodeId id) { return names_.has_properties(id, node); }));
  return candidates;
}

Status ResolvedPattern::keep_linked(size_t node, const EdgeRule& rule, MatchCandidates& candidates) {
  const bool leaves = rule.source == node || (!rule.directed && rule.target == node);
  const bool enters = rule.target == node || (!rule.directed && rule.source == node);
  if (!leaves && !enters) return {};
  BRAID_ASSIGN(const auto graph, projection(rule.types));
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

MatchCandidates ResolvedPattern::members_of(const std::vector<NodeId>& ids) const {
  MatchCandidates candidates{std::vector<bool>(base_->vertex_count()), 0};
  for (const NodeId id : ids) {
    const auto vertex = base_->vertex(id);
    if (!vertex || candidates.members[*vertex]) continue;
    candidates.members[*vertex] = true;
    ++candidates.count;
  }
  return candidates;
}

Status ResolvedPattern::keep_labelled(LabelId label, MatchCandidates& candidates) {
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

Status ResolvedPattern::keep_those(MatchCandidates& candidates, const std::function<Result<bool>(NodeId)>& is_one) {
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

}  // namespace braid
