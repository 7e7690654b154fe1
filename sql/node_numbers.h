// A property of many nodes as numbers, read at once.
#pragma once

#include <string_view>
#include <vector>

#include "graph/rollup.h"
#include "sql/connection.h"

namespace braid {

/// The number under `property` at each place of the part; a node without it has none, and neither does NaN. Of a bound node it is the
/// column of its row: one statement reads the rows of each bound table, by key where they are few. kInvalidArgument for what is no
/// number, naming the node; kNotFound when no node can have the property.
Result<std::vector<Totals>> read_node_numbers(Connection& connection, const Projection& projection, const HierarchyPart& part,
                                              std::string_view property, const AlgorithmContext& context);

}  // namespace braid
