// Which steps a walk may take from a node, and reading them.
#pragma once

#include <functional>
#include <vector>

#include "engine/result.h"
#include "graph/graph_view.h"

namespace braid {

struct StepRules {
  Direction direction = Direction::kOut;
  std::vector<TypeId> types;                           ///< ascending, each once; none: all types
  std::function<Result<bool>(NodeId)> node_passes;     ///< of the node that a step leads to; empty: all do
  std::function<Result<bool>(EdgeId)> edge_passes;     ///< empty: all do

  bool filters() const { return node_passes != nullptr || edge_passes != nullptr; }
};

/// Appends the steps from `node`, ordered by direction, type, edge. A self loop is a step each way asked.
Status read_steps(const GraphView& view, NodeId node, const StepRules& rules, std::vector<Neighbor>& out);

/// The same walks backwards.
StepRules reversed(const StepRules& rules);

}  // namespace braid
