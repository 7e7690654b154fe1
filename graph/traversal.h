// Bounded walks over a GraphView: k hops, trails, shortest paths.
//
// Short walks read the stored graph. One that goes on reaches a projection by itself when that pays: at once when one is there, else when
// walks of its kind have read so much from the store that building it would have been cheaper. Both ways give the same nodes at the same depths.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/memory_budget.h"
#include "engine/result.h"
#include "graph/graph_view.h"
#include "graph/steps.h"

namespace braid {

/// kAuto chooses; the others are for who knows better, and for tests.
enum class WalkWay : uint8_t { kAuto, kStore, kProjection };

struct TraversalOptions {
  StepRules steps{};
  uint32_t depth_max = UINT32_MAX;            ///< hops
  uint64_t visits_max = 10'000'000;           ///< nodes reached; more is kLimit
  uint64_t bytes_max = UINT64_MAX;            ///< of memory; more is kLimit
  MemoryShare* memory = nullptr;              ///< where it is reserved, for as long as the caller keeps the answer; may be null
  const std::atomic<bool>* cancel = nullptr;  ///< set by another thread: kInterrupted
  std::optional<std::chrono::steady_clock::time_point> deadline{};  ///< past it kLimit
  WalkWay way = WalkWay::kAuto;               ///< walks with filters, and those that see a transaction's own changes, read the store
};

/// How a walk was read.
struct WalkReport {
  bool on_projection = false;
  std::string why;
  uint64_t nodes_expanded = 0;  ///< whose steps were read from the store
};

struct Reached {
  NodeId node;
  uint32_t depth = 0;
  EdgeId via;       ///< the edge of smallest id over which it is reached at this depth; 0 for the start
  NodeId previous;  ///< node before it; 0 for the start
};

struct Path {
  std::vector<NodeId> nodes;  ///< from source to target
  std::vector<EdgeId> edges;  ///< nodes.size() - 1
  double cost = 0;            ///< hops, or the sum of weights
};

/// Every node within `depth_max` hops of `start` (the start too, at depth 0), each once, nearer ones first. kNotFound when `start` does not
/// exist. `report` may be null.
Result<std::vector<Reached>> k_hops(const GraphView& view, NodeId start, const TraversalOptions& options, WalkReport* report = nullptr);

/// A path with the fewest edges, searched from both ends; nullopt when there is none of at most `depth_max`. kNotFound when an end does not
/// exist. A filter on nodes is not asked of the source.
Result<std::optional<Path>> shortest_path(const GraphView& view, NodeId source, NodeId target, const TraversalOptions& options,
                                          WalkReport* report = nullptr);

/// A path with the least sum of the edges' `weight` property (numbers ≥ 0; an edge without it
/// counts 1; a negative or non-numeric one is kInvalidArgument naming the edge).
Result<std::optional<Path>> weighted_shortest_path(const GraphView& view, NodeId source,
                                                   NodeId target, KeyId weight,
                                                   const TraversalOptions& options);

/// Trails: walks that use no edge twice, of `depth_min` to `depth_max` edges from `start`, to `target` where one is given, in depth-first
/// order. At most `visits_max` steps are looked at; more is kLimit. kNotFound when an end does not exist.
struct TrailQuery {
  NodeId start;
  std::optional<NodeId> target;
  uint32_t depth_min = 1;
};
Result<std::vector<Path>> trails(const GraphView& view, const TrailQuery& query, const TraversalOptions& options);

}  // namespace braid
