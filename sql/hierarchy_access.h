// A hierarchy given by its name.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "graph/hierarchy.h"
#include "sql/connection.h"

namespace braid {

/// kNotFound, naming those that are declared, for what is none.
Result<HierarchyDefinition> hierarchy_parameter(Connection& connection, std::span<sqlite3_value* const> parameters, size_t index,
                                                std::string_view function);

/// Every node, and the hierarchy's edges.
Result<std::shared_ptr<const Projection>> project(Connection& connection, const HierarchyDefinition& hierarchy);

}  // namespace braid
