// graph_neighbors, graph_hops and graph_shortest_path: walks over the stored graph.
#include <fmt/format.h>

#include <algorithm>

#include "sql/graph_access.h"
#include "sql/table_function.h"
#include "sql/walk_rows.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;

/// Where the parameters of a walk stand in its call.
struct WalkPlaces {
  size_t along;
  size_t of_type;
  size_t node_filter;
  size_t edge_filter;
  std::optional<size_t> way{};
};

constexpr std::pair<std::string_view, WalkWay> kWays[] = {
    {"auto", WalkWay::kAuto}, {"store", WalkWay::kStore}, {"projection", WalkWay::kProjection}};

Status walk_parameters(Connection& connection, Parameters parameters, const WalkPlaces& places, TraversalOptions& options) {
  options = connection.traversal_options();
  if (const auto text = text_parameter(parameters, places.along)) {
    BRAID_ASSIGN(options.steps.direction, direction_of(*text));
  }
  BRAID_ASSIGN(options.steps.types, types_for_reading(connection, text_parameter(parameters, places.of_type)));
  const auto way = places.way ? text_parameter(parameters, *places.way) : std::nullopt;
  if (way) {
    const auto* row = std::find_if(std::begin(kWays), std::end(kWays), [&](const auto& known) { return known.first == *way; });
    if (row == std::end(kWays))
      return Status(StatusCode::kInvalidArgument, fmt::format("way '{}': expected 'auto', 'store' or 'projection'", *way));
    options.way = row->second;
  }
  return set_filters(connection, text_parameter(parameters, places.node_filter), text_parameter(parameters, places.edge_filter),
                     options.steps);
}

int64_t number(auto id) { return static_cast<int64_t>(id.value()); }

Rows run_neighbors(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const auto start, node_parameter(parameters, 0, "graph_neighbors"));
  if (!start) return make_rows({});
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, {.along = 1, .of_type = 2, .node_filter = 3, .edge_filter = 4}, options));
  std::vector<Neighbor> neighbors;
  BRAID_TRY(read_steps(connection.graph(), *start, options.steps, neighbors));
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
  BRAID_TRY(walk_parameters(connection, parameters, {.along = 2, .of_type = 3, .node_filter = 4, .edge_filter = 5, .way = 6}, options));
  return walk_rows(connection, *start, parameters[1], options, "graph_hops");
}

Rows run_path(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const auto source, node_parameter(parameters, 0, "graph_shortest_path: source"));
  BRAID_ASSIGN(const auto target, node_parameter(parameters, 1, "graph_shortest_path: target"));
  if (!source || !target) return make_rows({});
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, {.along = 2, .of_type = 3, .node_filter = 5, .edge_filter = 6, .way = 7}, options));
  BRAID_ASSIGN(const auto path, find_path(connection, *source, *target, text_parameter(parameters, 4), options));
  if (!path) return make_rows({});
  std::vector<Row> rows;
  for (size_t i = 0; i < path->nodes.size(); ++i)
    rows.push_back({static_cast<int64_t>(i), number(path->nodes[i]), i == 0 ? Cell() : Cell(number(path->edges[i - 1])), path->cost});
  return make_rows(std::move(rows));
}

std::string id_list(const auto& ids) {
  std::string json = "[";
  for (const auto id : ids) json += fmt::format("{}{}", json.size() == 1 ? "" : ",", id.value());
  return json + "]";
}

/// Lists are made when they are read: there may be millions of trails.
class TrailRows final : public FunctionResult {
 public:
  explicit TrailRows(std::vector<Path> paths) : paths_(std::move(paths)) {}
  size_t size() const override { return paths_.size(); }
  void column(sqlite3_context* context, size_t row, int column) const override {
    const Path& path = paths_[row];
    if (column == 0) sqlite3_result_int64(context, number(path.nodes.back()));
    if (column == 1) sqlite3_result_int64(context, static_cast<int64_t>(path.edges.size()));
    if (column == 2) result_text(context, id_list(path.nodes));
    if (column == 3) result_text(context, id_list(path.edges));
  }

 private:
  const std::vector<Path> paths_;
};

Rows run_trails(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const auto start, node_parameter(parameters, 0, "graph_trails: start"));
  TrailQuery query;
  BRAID_ASSIGN(query.target, node_parameter(parameters, 3, "graph_trails: target"));
  // A target that was looked up and not found is reached by nothing.
  const bool no_target = parameters[3] != nullptr && !query.target;
  if (!start || no_target) return make_rows({});
  query.start = *start;
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, {.along = 4, .of_type = 5, .node_filter = 6, .edge_filter = 7}, options));
  BRAID_ASSIGN(const auto least, hops_parameter(parameters[1], "graph_trails", options.depth_max));
  BRAID_ASSIGN(const auto most, hops_parameter(parameters[2], "graph_trails", options.depth_max));
  query.depth_min = least.value_or(1);
  options.depth_max = most.value_or(options.depth_max);
  if (query.depth_min > options.depth_max)
    return Status(StatusCode::kInvalidArgument, fmt::format("graph_trails: from {} to {} hops: the first is the greater", query.depth_min,
                                                            options.depth_max));
  BRAID_ASSIGN(auto paths, trails(connection.graph(), query, options));
  return std::unique_ptr<FunctionResult>(std::make_unique<TrailRows>(std::move(paths)));
}

Rows run_walks(Connection& connection, Parameters) {
  std::vector<Row> rows;
  for (const auto& [call, report] : connection.noted_walks())
    rows.push_back({call, std::string(report.on_projection ? "projection" : "store"), report.why, static_cast<int64_t>(report.nodes_expanded)});
  return make_rows(std::move(rows));
}

}  // namespace

Status register_traversal_tables(Connection& connection) {
  static const TableFunction kFunctions[] = {
      {"graph_neighbors", "edge INTEGER, type TEXT, node INTEGER, direction TEXT", 4,
       {{"start", true}, {"along"}, {"of_type"}, {"node_filter"}, {"edge_filter"}}, run_neighbors},
      {"graph_hops", kWalkColumns, kWalkColumnCount,
       {{"start", true}, {"hops", true}, {"along"}, {"of_type"}, {"node_filter"}, {"edge_filter"}, {"way"}}, run_hops},
      {"graph_shortest_path", "step INTEGER, node INTEGER, edge INTEGER, cost REAL", 4,
       {{"source", true}, {"target", true}, {"along"}, {"of_type"}, {"weight"}, {"node_filter"}, {"edge_filter"}, {"way"}}, run_path},
      {"graph_trails", "node INTEGER, length INTEGER, nodes TEXT, edges TEXT", 4,
       {{"start", true}, {"min_hops", true}, {"max_hops", true}, {"target"}, {"along"}, {"of_type"}, {"node_filter"}, {"edge_filter"}}, run_trails},
      {"graph_walks", "call TEXT, way TEXT, why TEXT, nodes_expanded INTEGER", 4, {}, run_walks},
  };
  for (const TableFunction& function : kFunctions) BRAID_TRY(register_table_function(connection, function));
  return {};
}

}  // namespace braid
