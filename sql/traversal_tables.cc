// graph_neighbors, graph_hops and graph_shortest_path: walks over the stored graph.
#include <fmt/format.h>

#include "sql/graph_access.h"
#include "sql/table_function.h"
#include "sql/walk_rows.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;

Status walk_parameters(Connection& connection, Parameters parameters, size_t first, TraversalOptions& options) {
  options = connection.traversal_options();
  if (const auto text = text_parameter(parameters, first)) {
    BRAID_ASSIGN(options.direction, direction_of(*text));
  }
  options.type = type_for_reading(connection, text_parameter(parameters, first + 1));
  return {};
}

int64_t number(auto id) { return static_cast<int64_t>(id.value()); }

Rows run_neighbors(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const auto start, node_parameter(parameters, 0, "graph_neighbors"));
  if (!start) return make_rows({});
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, 1, options));
  std::vector<Neighbor> neighbors;
  BRAID_TRY(connection.graph().neighbors(*start, options.direction, options.type, options.visits_max + 1, neighbors));
  if (neighbors.size() > options.visits_max)
    return Status(StatusCode::kLimit, fmt::format("node {} has more than {} neighbours, as traversal_nodes_max allows", start->value(),
                                                  options.visits_max));
  if (neighbors.empty()) {
    BRAID_ASSIGN(const bool exists, connection.graph().node_exists(*start));
    if (!exists) return Status(StatusCode::kNotFound, fmt::format("there is no node {}", start->value()));
  }
  std::vector<Row> rows;
  for (const Neighbor& neighbor : neighbors)
    rows.push_back({number(neighbor.edge), connection.name(NameKind::kEdgeType, neighbor.type.value()), number(neighbor.node),
                    std::string(direction_text(neighbor.direction))});
  return make_rows(std::move(rows));
}

Rows run_hops(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const auto start, node_parameter(parameters, 0, "graph_hops"));
  if (!start) return make_rows({});
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, 2, options));
  return walk_rows(connection, *start, parameters[1], options, "graph_hops");
}

Rows run_path(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const auto source, node_parameter(parameters, 0, "graph_shortest_path: source"));
  BRAID_ASSIGN(const auto target, node_parameter(parameters, 1, "graph_shortest_path: target"));
  if (!source || !target) return make_rows({});
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, 2, options));
  BRAID_ASSIGN(const auto path, find_path(connection, *source, *target, text_parameter(parameters, 4), options));
  if (!path) return make_rows({});
  std::vector<Row> rows;
  for (size_t i = 0; i < path->nodes.size(); ++i)
    rows.push_back({static_cast<int64_t>(i), number(path->nodes[i]), i == 0 ? Cell() : Cell(number(path->edges[i - 1])), path->cost});
  return make_rows(std::move(rows));
}

}  // namespace

Status register_traversal_tables(Connection& connection) {
  static const TableFunction kFunctions[] = {
      {"graph_neighbors", "edge INTEGER, type TEXT, node INTEGER, direction TEXT", 4, {{"start", true}, {"along"}, {"of_type"}},
       run_neighbors},
      {"graph_hops", kWalkColumns, kWalkColumnCount, {{"start", true}, {"hops", true}, {"along"}, {"of_type"}}, run_hops},
      {"graph_shortest_path", "step INTEGER, node INTEGER, edge INTEGER, cost REAL", 4,
       {{"source", true}, {"target", true}, {"along"}, {"of_type"}, {"weight"}}, run_path},
  };
  for (const TableFunction& function : kFunctions) BRAID_TRY(register_table_function(connection, function));
  return {};
}

}  // namespace braid
