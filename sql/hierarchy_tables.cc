// graph_hierarchy and graph_hierarchy_drop, which say what edge types are hierarchies, graph_hierarchies, which lists them, and the walks
// up and down in one.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sql/hierarchy_access.h"
#include "sql/algorithm_access.h"
#include "sql/name_argument.h"
#include "sql/walk_rows.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;
using Values = std::span<sqlite3_value*>;

constexpr std::pair<std::string_view, HierarchyDirection> kHierarchyDirections[] = {{"up", HierarchyDirection::kUp},
                                                                           {"down", HierarchyDirection::kDown}};

Status declare_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  const std::string_view type = text_of(values[0]);
  const std::string_view direction = values.size() > 1 ? text_of(values[1]) : "up";
  const auto row = std::find_if(std::begin(kHierarchyDirections), std::end(kHierarchyDirections), [&](const auto& one) { return one.first == direction; });
  if (row == std::end(kHierarchyDirections))
    return Status(StatusCode::kInvalidArgument, fmt::format("graph_hierarchy: '{}': expected 'up', for edges from child to parent, or 'down'",
                                                            direction));
  if (type.empty()) return Status(StatusCode::kInvalidArgument, "graph_hierarchy: the edge type is empty");
  GraphWriter& writer = connection.graph_writer();
  BRAID_ASSIGN(const TypeId id, type_for_writing(writer, type));
  BRAID_TRY(writer.declare_hierarchy({id, row->second}, connection.algorithm_context()).within("graph_hierarchy"));
  result_text(context, type);
  return {};
}

Status drop_hierarchy_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const HierarchyDefinition hierarchy, hierarchy_parameter(connection, values, 0, "graph_hierarchy_drop"));
  connection.session().catalog_writer().remove_hierarchy(hierarchy.type);
  result_text(context, text_of(values[0]));
  return {};
}

Rows list_hierarchies(Connection& connection, Parameters) {
  std::vector<Row> rows;
  for (const auto& [type, hierarchy] : connection.catalog_state().hierarchies)
    for (const auto& [name, direction] : kHierarchyDirections)
      if (direction == hierarchy.direction) rows.push_back({connection.name(NameKind::kEdgeType, type.value()), std::string(name)});
  return make_rows(std::move(rows));
}

Rows walk(Connection& connection, Parameters parameters, Direction (*side)(HierarchyDirection), std::string_view function) {
  BRAID_ASSIGN(const HierarchyDefinition hierarchy, hierarchy_parameter(connection, parameters, 1, function));
  BRAID_ASSIGN(const auto start, node_parameter(parameters, 0, function));
  if (!start) return make_rows({});
  TraversalOptions options = connection.traversal_options();
  options.steps.direction = side(hierarchy.direction);
  options.steps.types = {hierarchy.type};
  return walk_rows(connection, *start, parameters[2], options, function);
}

Rows run_ancestors(Connection& connection, Parameters parameters) { return walk(connection, parameters, parent_side, "graph_ancestors"); }
Rows run_descendants(Connection& connection, Parameters parameters) { return walk(connection, parameters, child_side, "graph_descendants"); }

Rows run_common_ancestors(Connection& connection, Parameters parameters) {
  BRAID_ASSIGN(const HierarchyDefinition hierarchy, hierarchy_parameter(connection, parameters, 2, "graph_lowest_common_ancestors"));
  BRAID_ASSIGN(const auto a, node_parameter(parameters, 0, "graph_lowest_common_ancestors: a"));
  BRAID_ASSIGN(const auto b, node_parameter(parameters, 1, "graph_lowest_common_ancestors: b"));
  if (!a || !b) return make_rows({});
  BRAID_ASSIGN(const auto lowest, lowest_common_ancestors(connection.graph(), hierarchy, *a, *b, connection.traversal_options()));
  std::vector<Row> rows;
  for (const CommonAncestor& ancestor : lowest)
    rows.push_back({static_cast<int64_t>(ancestor.node.value()), int64_t{ancestor.depth_a}, int64_t{ancestor.depth_b}});
  return make_rows(std::move(rows));
}

Rows ends(Connection& connection, Parameters parameters, HierarchyEnd end, std::string_view function) {
  BRAID_ASSIGN(const HierarchyDefinition hierarchy, hierarchy_parameter(connection, parameters, 0, function));
  BRAID_ASSIGN(const auto projection, project(connection, hierarchy));
  BRAID_ASSIGN(const auto nodes, hierarchy_ends(*projection, hierarchy.direction, end, connection.algorithm_context()));
  std::vector<Row> rows;
  for (const NodeId node : nodes) rows.push_back({static_cast<int64_t>(node.value())});
  return make_rows(std::move(rows));
}

Rows run_roots(Connection& connection, Parameters parameters) { return ends(connection, parameters, HierarchyEnd::kRoots, "graph_roots"); }
Rows run_leaves(Connection& connection, Parameters parameters) { return ends(connection, parameters, HierarchyEnd::kLeaves, "graph_leaves"); }

constexpr FunctionRow kHierarchyFunctions[] = {{"graph_hierarchy", 1, 2, declare_function}, {"graph_hierarchy_drop", 1, 1, drop_hierarchy_function}};

}  // namespace

Status register_hierarchy_tables(Connection& connection) {
  static const TableFunction kTables[] = {
      {"graph_hierarchies", "type TEXT, direction TEXT", 2, {}, list_hierarchies},
      {"graph_ancestors", kWalkColumns, kWalkColumnCount, {{"start", true}, {"hierarchy", true}, {"depth_max"}}, run_ancestors},
      {"graph_descendants", kWalkColumns, kWalkColumnCount, {{"start", true}, {"hierarchy", true}, {"depth_max"}}, run_descendants},
      {"graph_lowest_common_ancestors", "node INTEGER, depth_a INTEGER, depth_b INTEGER", 3, {{"a", true}, {"b", true}, {"hierarchy", true}},
       run_common_ancestors},
      {"graph_roots", "node INTEGER", 1, {{"hierarchy", true}}, run_roots},
      {"graph_leaves", "node INTEGER", 1, {{"hierarchy", true}}, run_leaves},
  };
  for (const TableFunction& table : kTables) BRAID_TRY(register_table_function(connection, table));
  return register_functions(connection, FunctionUse::kDirectOnly, kHierarchyFunctions);
}

}  // namespace braid
