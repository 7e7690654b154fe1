// Short walks over one projection, many after each other: what they need is kept between them, so that a walk costs what it reaches.
//
// Threads: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "graph/algorithm.h"
#include "graph/projection.h"
#include "graph/vertex_set.h"

namespace braid {

/// A vertex that was reached, and from where.
struct TracedVertex {
  Vertex vertex = 0;
  uint32_t depth = 0;
  EdgeId via;           ///< 0 for the start
  Vertex previous = 0;  ///< of the start: itself
};

class ProjectionWalk {
 public:
  explicit ProjectionWalk(std::shared_ptr<const Projection> projection);

  const Projection& graph() const { return *graph_; }

  /// Everything within `hops` of `start`, breadth first, the start first. Valid until the next walk. `context.rows_max` bounds what is
  /// reached; `direction` is as seen along the projection's own entries.
  Result<std::span<const Vertex>> hops(Vertex start, uint32_t hops, Direction direction, const AlgorithmContext& context);

  /// The vertices of a path with the fewest edges, found from both ends; empty when there is none. Valid until the next walk.
  Result<std::span<const Vertex>> path(Vertex source, Vertex target, Direction direction, const AlgorithmContext& context);

 private:
  /// What one search has reached. What an earlier walk left is cleared when the next one starts.
  struct Side {
    void start(Vertex count, Vertex vertex);
    std::span<const Vertex> last_level() const { return std::span(queue).subspan(level, end - level); }

    VertexSet seen;  // what is in the queue
    std::vector<Vertex> queue;
    std::vector<uint32_t> parents;  // places in the queue; of paths only
    size_t level = 0;               // where the last level begins
    size_t end = 0;
  };
  /// Which entries lead on: one or both.
  struct Steps {
    const Adjacency* first;
    const Adjacency* second;  // may be null

    uint64_t degree(Vertex vertex) const { return first->degree(vertex) + (second != nullptr ? second->degree(vertex) : 0); }
  };
  /// Two vertices with an edge between them, by their places in the queues of the two sides.
  struct Meeting {
    size_t ahead;
    size_t back;
  };

  Steps steps(Direction direction) const;
  /// Whether going on from the first side is less work.
  static bool is_smaller(const Side& ahead, const Steps& forward, const Side& back, const Steps& backward);
  /// Goes one level on; the places, here and there, where it met the other side, or nothing.
  static Result<std::optional<std::pair<size_t, size_t>>> expand(Side& mine, const Side& other, const Steps& steps,
                                                                 const AlgorithmContext& context);
  std::span<const Vertex> joined(const Meeting& meeting);

  const std::shared_ptr<const Projection> graph_;  // shared with the cache
  Side sides_[2];  // hops have one
  std::vector<Vertex> path_;
};

/// Everything within `hops` of `start` along the entries of `out`, nearer ones first, with the edge of least id that leads there.
Status trace_hops(const Projection& graph, Vertex start, uint32_t hops, const AlgorithmContext& context,
                  const std::function<void(const TracedVertex&)>& visit);

/// The entry of least edge id from one vertex to another, which there is.
uint64_t entry_between(const Projection& graph, Vertex source, Vertex target);
/// The edge of least id of a step that a walk in this direction takes.
EdgeId edge_between(const Projection& graph, Vertex from, Vertex to, Direction direction);

}  // namespace braid
