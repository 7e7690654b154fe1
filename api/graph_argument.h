// Arguments that the graph's calls share.
#pragma once

#include <string>
#include <string_view>

#include "api/braid.h"
#include "engine/result.h"
#include "graph/graph_view.h"

namespace braid {

inline Result<NodeId> node_argument(int64_t node, std::string_view name) {
  if (node > 0) return NodeId(static_cast<uint64_t>(node));
  return Status(StatusCode::kInvalidArgument, std::string(name) + " " + std::to_string(node) + " is no id; ids are positive");
}

inline Result<EdgeId> edge_argument(int64_t edge) {
  if (edge > 0) return EdgeId(static_cast<uint64_t>(edge));
  return Status(StatusCode::kInvalidArgument, "edge " + std::to_string(edge) + " is no id; ids are positive");
}

inline Result<Direction> direction_argument(int32_t direction) {
  if (direction == BRAID_OUT || direction == BRAID_IN || direction == BRAID_BOTH) return static_cast<Direction>(direction);
  return Status(StatusCode::kInvalidArgument, "direction: expected BRAID_OUT, BRAID_IN or BRAID_BOTH");
}
static_assert(BRAID_OUT == static_cast<int>(Direction::kOut));
static_assert(BRAID_IN == static_cast<int>(Direction::kIn));
static_assert(BRAID_BOTH == static_cast<int>(Direction::kBoth));

}  // namespace braid
