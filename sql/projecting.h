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

/// SqliteStatement::step of a statement that reads for the call; where it was interrupted the context says why.
Result<bool> step_within(SqliteStatement& statement, const AlgorithmContext& context);

}  // namespace braid
