#include "graph/steps.h"

#include <algorithm>

namespace braid {
namespace {

Status read_unfiltered(const GraphView& view, NodeId node, const StepRules& rules, std::vector<Neighbor>& out) {
  if (rules.types.empty()) return view.neighbors(node, rules.direction, std::nullopt, SIZE_MAX, out);
  if (rules.types.size() == 1) return view.neighbors(node, rules.direction, rules.types.front(), SIZE_MAX, out);
  for (const Direction side : {Direction::kOut, Direction::kIn}) {
    if (rules.direction != side && rules.direction != Direction::kBoth) continue;
    for (const TypeId type : rules.types) BRAID_TRY(view.neighbors(node, side, type, SIZE_MAX, out));
  }
  return {};
}

Result<bool> passes(const StepRules& rules, const Neighbor& step) {
  if (rules.edge_passes) {
    BRAID_ASSIGN(const bool edge, rules.edge_passes(step.edge));
    if (!edge) return false;
  }
  return rules.node_passes ? rules.node_passes(step.node) : true;
}

}  // namespace

Status read_steps(const GraphView& view, NodeId node, const StepRules& rules, std::vector<Neighbor>& out) {
  const size_t start = out.size();
  BRAID_TRY(read_unfiltered(view, node, rules, out));
  if (!rules.filters()) return {};
  size_t kept = start;
  for (size_t i = start; i < out.size(); ++i) {
    BRAID_ASSIGN(const bool passed, passes(rules, out[i]));
    if (passed) out[kept++] = out[i];
  }
  out.resize(kept);
  return {};
}

StepRules reversed(const StepRules& rules) {
  StepRules back = rules;
  if (rules.direction == Direction::kOut) back.direction = Direction::kIn;
  if (rules.direction == Direction::kIn) back.direction = Direction::kOut;
  return back;
}

}  // namespace braid
