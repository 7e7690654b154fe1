// What graph_hops and the walks along a hierarchy answer: each node reached, how far it is, and how it was reached.
#pragma once

#include <optional>
#include <string_view>

#include "sql/table_function.h"

namespace braid {

inline constexpr const char* kWalkColumns = "node INTEGER, depth INTEGER, via_edge INTEGER, previous INTEGER";
inline constexpr int kWalkColumnCount = 4;

/// The nodes within `hops` of `start`, which comes first; NULL or a null pointer: as far as the walk goes, and kLimit when
/// traversal_depth_max would cut it. `function` is named in errors.
Result<std::unique_ptr<FunctionResult>> walk_rows(Connection& connection, NodeId start, sqlite3_value* hops, TraversalOptions options,
                                                  std::string_view function);

/// A whole number of hops; nothing for NULL or a null pointer. kLimit above `depth_max`.
Result<std::optional<uint32_t>> hops_parameter(sqlite3_value* value, std::string_view function, uint32_t depth_max);

}  // namespace braid
