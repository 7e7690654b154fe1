// Projections for a call, and what bounds the call.
#pragma once

#include <memory>

#include "graph/algorithm.h"
#include "sql/connection.h"

namespace braid {

/// The projection of what the connection sees, from the database's cache or built.
Result<std::shared_ptr<const Projection>> project(Connection& connection, const ProjectionSpec& spec);

/// The statement's interrupt and deadline; traversal_nodes_max rows.
AlgorithmContext algorithm_context(const Connection& connection);

}  // namespace braid
