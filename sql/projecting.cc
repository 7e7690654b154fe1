#include "sql/projecting.h"

#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"

namespace braid {

Result<std::shared_ptr<const Projection>> project(Connection& connection, const ProjectionSpec& spec) {
  const GraphView view = connection.graph();
  return view.base().projections().get(view, spec, connection.traversal_options().cancel);
}

AlgorithmContext algorithm_context(const Connection& connection) {
  const TraversalOptions bounds = connection.traversal_options();
  AlgorithmContext context;
  context.cancel = bounds.cancel;
  context.deadline = connection.statement_deadline();
  context.rows_max = bounds.visits_max;
  return context;
}

Result<bool> step_within(SqliteStatement& statement, const AlgorithmContext& context) {
  auto stepped = statement.step();
  if (!stepped.ok() && stepped.status().code() == StatusCode::kInterrupted) BRAID_TRY(context.check());
  return stepped;
}

}  // namespace braid
