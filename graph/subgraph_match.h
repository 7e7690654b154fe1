// Where a pattern lies in the graph: every way to put a node of the graph for each node of the pattern.
//
// The edges are read from projections, one for each set of types that the pattern names, which are kept for the next call. Nodes are placed
// one after another, depth first, the most selective first and each beside one that is placed already, where there is one: its neighbours
// are the candidates. That is the order and the feasibility rule of VF2++; Boost's vf2_subgraph_mono has no place for candidates by label or
// property, counts a match once for each choice among parallel edges, and can be stopped at a match only.
// Source: Cordella and others, "A (sub)graph isomorphism algorithm for matching large graphs" (2004); Jüttner and Madarasi, "VF2++" (2018).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/algorithm.h"
#include "graph/pattern.h"

namespace braid {

enum class MatchMode : uint8_t {
  kMono,          ///< different nodes of the pattern are different nodes; an edge of the pattern is at least one edge of the graph
  kInduced,       ///< moreover, between the nodes of a match there is no edge that no edge of the pattern asks for
  kHomomorphism,  ///< as kMono, but nodes of the pattern may be the same node
};

/// What the graph's names and rows mean; the functions are called by the caller's thread.
struct MatchNames {
  std::function<std::optional<LabelId>(std::string_view)> label;  ///< nothing for one that is not used
  std::function<std::optional<TypeId>(std::string_view)> type;
  /// Whether a node has the properties of a node of the pattern; asked where there are some.
  std::function<Result<bool>(NodeId, const PatternNode&)> has_properties;
  /// Nodes among which are all that have the labels and properties of a node of the pattern; nothing where no index tells. May be null.
  std::function<Result<std::optional<std::vector<NodeId>>>(const PatternNode&)> indexed;
};

struct MatchOptions {
  MatchMode mode = MatchMode::kMono;
  uint64_t matches_max = UINT64_MAX;  ///< more is kLimit
  /// The labels and types that are looked at. Reverse: arrows of the pattern go against the stored edges; undirected: they go either way.
  ProjectionSpec within;
};

/// Of each match, a vertex for each node of the pattern, in its order.
struct Matches {
  std::shared_ptr<const Projection> projection;  ///< says which node a vertex is; shared with the cache. Null when there are no matches
  size_t width = 0;
  std::vector<Vertex> vertices;
  size_t count() const { return width == 0 ? 0 : vertices.size() / width; }
};

/// Parallel edges make no further matches, and edges of the pattern between the same two nodes may be the same edge of the graph. A label
/// or a type that the graph does not use matches nothing. kLimit past `matches_max`, or past the context's rows_max with a row for each node
/// of each match.
Status match_pattern(const GraphView& view, const Pattern& pattern, const MatchNames& names, const MatchOptions& options,
                     const AlgorithmContext& context, Matches& out);

}  // namespace braid
