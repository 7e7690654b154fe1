// A projection: chosen nodes and edges of a graph as a compressed sparse row matrix in memory, for algorithms and long traversals.
//
// Vertices are numbered from 0 in the order of the node ids. Parallel edges and self loops are kept. An undirected projection has each
// edge at both of its ends, a self loop twice at its one end, so that a degree is the number of entries.
// Threads: constant once built, so any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/memory_budget.h"
#include "engine/result.h"
#include "graph/graph_view.h"

namespace braid {

enum class Orientation : uint8_t { kNatural, kReverse, kUndirected };

/// What is projected. Labels and types are ascending and given once.
struct ProjectionSpec {
  std::vector<LabelId> labels;  ///< a node with any of them; none: every node
  std::vector<TypeId> types;    ///< none: every edge. An edge whose end is left out is left out.
  std::optional<KeyId> weight;  ///< a property of the edges: a number; an edge without it counts 1
  Orientation orientation = Orientation::kNatural;
  auto operator<=>(const ProjectionSpec&) const = default;
};

/// What a projection will take.
struct ProjectionSize {
  uint64_t nodes = 0;
  uint64_t edges = 0;  ///< at most: edges whose ends are left out are counted too
  uint64_t bytes = 0;
};
/// Counts without building: reads the keys of the nodes and the heads of the lists.
Result<ProjectionSize> estimate_projection(const GraphView& view, const ProjectionSpec& spec);
/// Memory of a projection of so many nodes and edges.
uint64_t projection_bytes(uint64_t nodes, uint64_t edges, const ProjectionSpec& spec);

/// A node's number in one projection.
using Vertex = uint32_t;
inline constexpr Vertex kNoVertex = UINT32_MAX;
inline constexpr uint64_t kNoEntry = UINT64_MAX;  ///< of an Adjacency

/// More are kLimit.
inline constexpr uint64_t kProjectionEntriesMax = UINT32_MAX;

/// Entries by vertex: entry i of vertex v is at offsets[v] + i.
struct Adjacency {
  std::vector<uint32_t> offsets;  ///< one more than vertices
  std::vector<Vertex> targets;

  std::span<const Vertex> of(Vertex vertex) const {
    return {targets.data() + offsets[vertex], targets.data() + offsets[vertex + 1]};
  }
  uint64_t degree(Vertex vertex) const { return offsets[vertex + 1] - offsets[vertex]; }
};

/// The number under `key`, or 1. kInvalidArgument for what is no number, naming the edge.
Result<double> edge_weight(EdgeId id, const Properties& properties, KeyId key);

struct ProjectionLimits {
  uint64_t bytes_max = UINT64_MAX;            ///< more is kLimit
  const std::atomic<bool>* cancel = nullptr;  ///< set by another thread: kInterrupted
  std::shared_ptr<MemoryBudget> memory{};     ///< shared: the projection keeps its part; may be null
};

class Projection {
 public:
  /// Reads the graph once. kInvalidArgument for a weight that is no number, naming the edge; kLimit past 2^32 - 1 nodes or entries too.
  static Result<std::shared_ptr<const Projection>> build(const GraphView& view, const ProjectionSpec& spec,
                                                         const ProjectionLimits& limits);

  const ProjectionSpec& spec() const { return spec_; }
  bool directed() const { return spec_.orientation != Orientation::kUndirected; }
  Vertex vertex_count() const { return static_cast<Vertex>(nodes_.size()); }
  /// Edges of the graph: an undirected one has two entries.
  uint64_t edge_count() const { return edge_count_; }

  NodeId node(Vertex vertex) const { return NodeId(nodes_[vertex]); }
  /// None for a node that is not in the projection.
  std::optional<Vertex> vertex(NodeId node) const {
    if (!is_gapless_) return find_vertex(node);
    const uint64_t place = node.value() - first_id_;
    return place < nodes_.size() ? std::optional(static_cast<Vertex>(place)) : std::nullopt;
  }

  const Adjacency& out() const { return out_; }
  /// The same as `out` when undirected.
  const Adjacency& in() const { return directed() ? in_ : out_; }
  /// By entry of `out`.
  EdgeId edge(uint64_t entry) const { return EdgeId(edges_[entry]); }
  bool weighted() const { return spec_.weight.has_value(); }
  double weight(uint64_t entry) const { return weights_.empty() ? 1.0 : weights_[entry]; }
  bool has_negative_weight() const { return has_negative_weight_; }

  uint64_t memory_bytes() const;

 private:
  friend class ProjectionBuilder;
  friend class ProjectionPatcher;
  Projection() = default;

  std::optional<Vertex> find_vertex(NodeId node) const;
  /// Brings what finds vertices up to date with `nodes_`, to which some may have been added.
  void number_vertices();

  ProjectionSpec spec_;
  std::vector<uint64_t> nodes_;       // ids, ascending
  uint64_t first_id_ = 0;
  bool is_gapless_ = false;           // ids follow each other, as those of nodes that were created together do
  std::vector<Vertex> vertex_of_id_;  // by node id, where ids are dense but not gapless; else empty
  uint64_t edge_count_ = 0;
  Adjacency out_;
  Adjacency in_;                 // of directed ones
  std::vector<uint64_t> edges_;  // by entry of out_
  std::vector<double> weights_;  // by entry of out_; empty when unweighted
  bool has_negative_weight_ = false;
  MemoryShare memory_;
};

}  // namespace braid
