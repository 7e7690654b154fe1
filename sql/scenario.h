// Scenarios: named lists of changes that are tried on the graph without making them. They are rows of `_braid_scenario`, so that they commit,
// roll back and last as rows do; a projection named "grid@storm" is `grid` with the changes of the scenario `storm`, "@storm" the whole graph.
//
// A change is a JSON object as graph_scenario_steps shows it. A node that step n adds is named -n by the steps after it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "graph/projection.h"
#include "graph/property.h"
#include "sql/connection.h"

namespace braid {

inline constexpr char kScenarioMark = '@';
inline constexpr int64_t kScenarioStepsMax = 100'000;

/// In a write transaction. kConstraint when there is one of the name, kInvalidArgument for an empty name or one with '@'.
Status create_scenario(Connection& connection, std::string_view name);
/// Appends a change and answers its step. kNotFound for a scenario that there is not; kLimit past step kScenarioStepsMax.
Result<int64_t> add_scenario_step(Connection& connection, std::string_view name, const PropertyMap& change);
/// Takes a step out. kNotFound when there is none; kConstraint when a later step names its node.
Status undo_scenario_step(Connection& connection, std::string_view name, int64_t step);
Status drop_scenario(Connection& connection, std::string_view name);
/// Makes the changes, in the connection's transaction, and drops the scenario; answers how many. An error names the step that cannot be made.
Result<int64_t> keep_scenario(Connection& connection, std::string_view name);

struct ScenarioStep {
  int64_t step = 0;
  std::string change;
};
/// In order. kNotFound naming those that there are.
Result<std::vector<ScenarioStep>> scenario_steps(Connection& connection, std::string_view name);
struct ScenarioName {
  std::string name;
  int64_t steps = 0;
};
Result<std::vector<ScenarioName>> scenario_names(Connection& connection);

/// A projection of the graph as it would be. kMisuse in a transaction that has changed the graph.
Result<std::shared_ptr<const Projection>> project_scenario(Connection& connection, std::string_view name, const ProjectionSpec& spec);

}  // namespace braid
