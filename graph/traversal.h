// Bounded walks over a GraphView: k hops, shortest path, weighted shortest path (Boost.Graph's
// algorithms on graph/boost_graph.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/result.h"
#include "graph/graph_view.h"

namespace braid {

struct TraversalOptions {
  Direction direction = Direction::kOut;
  std::optional<TypeId> type;                 ///< none: all types
  uint32_t depth_max = UINT32_MAX;            ///< hops
  uint64_t visits_max = 10'000'000;           ///< nodes reached; more is kLimit
  const std::atomic<bool>* cancel = nullptr;  ///< set by another thread: kInterrupted
};

struct Reached {
  NodeId node;
  uint32_t depth = 0;
  EdgeId via;       ///< edge over which it was first reached; 0 for the start
  NodeId previous;  ///< node before it; 0 for the start
};

struct Path {
  std::vector<NodeId> nodes;  ///< from source to target
  std::vector<EdgeId> edges;  ///< nodes.size() - 1
  double cost = 0;            ///< hops, or the sum of weights
};

/// Every node within `depth_max` hops of `start` (the start too, at depth 0), each once, in
/// breadth-first order. kNotFound when `start` does not exist.
Result<std::vector<Reached>> k_hops(const GraphView& view, NodeId start,
                                    const TraversalOptions& options);

/// A path with the fewest edges; nullopt when there is none. kNotFound when an end does not exist.
Result<std::optional<Path>> shortest_path(const GraphView& view, NodeId source, NodeId target,
                                          const TraversalOptions& options);

/// A path with the least sum of the edges' `weight` property (numbers ≥ 0; an edge without it
/// counts 1; a negative or non-numeric one is kInvalidArgument naming the edge).
Result<std::optional<Path>> weighted_shortest_path(const GraphView& view, NodeId source,
                                                   NodeId target, KeyId weight,
                                                   const TraversalOptions& options);

}  // namespace braid
