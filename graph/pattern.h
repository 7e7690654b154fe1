// Patterns of nodes and edges as text, for graph_match:
//   (a:Bus {kv: 110})-[:LINE]->(b:Bus), (b)-[:FEEDS|SPARE]-(:Load), (a)<--(c)--()
//
//   pattern:  paths, separated by commas
//   path:     node, or node edge node edge ... node
//   node:     ( name :Label {key: value, key: value} )   each part may be left out; several labels must all be there
//   edge:     -[:TYPE|TYPE]->   <-[:TYPE]-   -[:TYPE]-   -->   <--   --       without an arrow either direction will do
//   value:    a number, 'text' (a quote within is doubled) or "text", true, false
// A name is letters, digits and _ that do not begin with a digit, or anything within `backticks`. A name that stands twice is one node,
// with what is said at all its places; a node without a name is one of its own.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/result.h"
#include "graph/property.h"

namespace braid {

struct PatternNode {
  std::string name;                                              ///< "" for none
  std::vector<std::string> labels;                               ///< all of them
  std::vector<std::pair<std::string, PropertyValue>> properties;  ///< all of them are equal
};

/// From nodes[source] to nodes[target]; either way when not `directed`.
struct PatternEdge {
  size_t source = 0;
  size_t target = 0;
  bool directed = true;
  std::vector<std::string> types;  ///< one of them; none: any
};

struct Pattern {
  std::vector<PatternNode> nodes;  ///< as they first appear; at least one
  std::vector<PatternEdge> edges;
};

inline constexpr size_t kPatternNodesMax = 32;
inline constexpr size_t kPatternEdgesMax = 256;
inline constexpr size_t kPatternTermsMax = 256;  ///< labels, types and properties together

/// kInvalidArgument says at which byte, counted from 0, what was expected; kLimit past the sizes above.
Result<Pattern> parse_pattern(std::string_view text);

}  // namespace braid
