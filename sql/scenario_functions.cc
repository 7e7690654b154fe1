// graph_scenario and its family, and the tables that list scenarios and their steps.
#include <fmt/format.h>

#include <cmath>

#include "sql/graph_access.h"
#include "sql/scenario.h"
#include "sql/table_function.h"

namespace braid {

namespace {

using Values = std::span<sqlite3_value*>;

/// Positive: a node of the graph. Negative: the node that a step adds.
Result<int64_t> node_value(sqlite3_value* value, std::string_view what) {
  if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER && sqlite3_value_int64(value) != 0) return int64_t{sqlite3_value_int64(value)};
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{} '{}': expected a node's id, or -n for the node that step n adds", what, text_of(value)));
}

Result<int64_t> edge_value(sqlite3_value* value) {
  if (const auto id = id_of(value)) return static_cast<int64_t>(*id);
  return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is no edge: expected an id above 0", text_of(value)));
}

/// A JSON value of a wanted kind under a name; nothing for NULL or what is left out.
template <typename Kind>
Status add_json(Values values, size_t index, const char* name, std::string_view expected, PropertyMap& change) {
  const auto text = index < values.size() ? optional_text(values[index]) : std::nullopt;
  if (!text) return {};
  auto parsed = value_from_json(*text);
  if (!parsed.ok()) return parsed.status().within(name);
  if (!std::holds_alternative<Kind>(parsed->value)) return Status(StatusCode::kInvalidArgument, fmt::format("{}: expected {}", name, expected));
  change.emplace_back(name, parsed.take());
  return {};
}

Status answer_step(Connection& connection, sqlite3_context* context, Values values, const PropertyMap& change) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const int64_t step, add_scenario_step(connection, text_of(values[0]), change));
  sqlite3_result_int64(context, step);
  return {};
}

Status create_scenario_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  BRAID_TRY(create_scenario(connection, text_of(values[0])));
  result_text(context, text_of(values[0]));
  return {};
}

Status add_node_function(Connection& connection, sqlite3_context* context, Values values) {
  PropertyMap change = {{"change", {std::string("add_node")}}};
  BRAID_TRY(add_json<PropertyList>(values, 1, "labels", "a JSON array of names", change));
  if (values.size() > 1) BRAID_TRY(names_argument(optional_text(values[1]), "labels").status());
  BRAID_TRY(add_json<PropertyMap>(values, 2, "properties", "a JSON object", change));
  return answer_step(connection, context, values, change);
}

Status remove_node_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_ASSIGN(const int64_t node, node_value(values[1], "node"));
  return answer_step(connection, context, values, {{"change", {std::string("remove_node")}}, {"node", {node}}});
}

Status add_edge_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_ASSIGN(const int64_t source, node_value(values[1], "source"));
  BRAID_ASSIGN(const int64_t target, node_value(values[3], "target"));
  if (text_of(values[2]).empty()) return Status(StatusCode::kInvalidArgument, "an edge needs a type, for example 'FEEDS'");
  PropertyMap change = {{"change", {std::string("add_edge")}},
                        {"source", {source}},
                        {"type", {std::string(text_of(values[2]))}},
                        {"target", {target}}};
  BRAID_TRY(add_json<PropertyMap>(values, 4, "properties", "a JSON object", change));
  return answer_step(connection, context, values, change);
}

Status remove_edge_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_ASSIGN(const int64_t edge, edge_value(values[1]));
  return answer_step(connection, context, values, {{"change", {std::string("remove_edge")}}, {"edge", {edge}}});
}

Status set_property_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_ASSIGN(const int64_t edge, edge_value(values[1]));
  if (text_of(values[2]).empty()) return Status(StatusCode::kInvalidArgument, "the property needs a name");
  if (!std::isfinite(sqlite3_value_double(values[3]))) return Status(StatusCode::kInvalidArgument, "the value is infinite; a property is finite");
  return answer_step(connection, context, values,
                     {{"change", {std::string("set")}}, {"edge", {edge}}, {"property", {std::string(text_of(values[2]))}}, {"value", property_of(values[3])}});
}

Status undo_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  const int64_t step = sqlite3_value_int64(values[1]);
  BRAID_TRY(undo_scenario_step(connection, text_of(values[0]), step));
  sqlite3_result_int64(context, step);
  return {};
}

Status drop_scenario_function(Connection& connection, sqlite3_context*, Values values) {
  BRAID_TRY(connection.check_writing());
  return drop_scenario(connection, text_of(values[0]));
}

Status keep_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  BRAID_ASSIGN(const int64_t count, keep_scenario(connection, text_of(values[0])));
  sqlite3_result_int64(context, count);
  return {};
}

Result<std::unique_ptr<FunctionResult>> list_scenarios(Connection& connection, std::span<sqlite3_value* const>) {
  BRAID_ASSIGN(const auto names, scenario_names(connection));
  std::vector<Row> rows;
  for (const ScenarioName& name : names) rows.push_back({name.name, name.steps});
  return make_rows(std::move(rows));
}

Result<std::unique_ptr<FunctionResult>> list_steps(Connection& connection, std::span<sqlite3_value* const> parameters) {
  BRAID_ASSIGN(const auto steps, scenario_steps(connection, text_parameter(parameters, 0).value_or("")));
  std::vector<Row> rows;
  for (const ScenarioStep& step : steps) rows.push_back({step.step, step.change});
  return make_rows(std::move(rows));
}

constexpr FunctionRow kScenarioFunctions[] = {
    {"graph_scenario", 1, 1, create_scenario_function},
    {"graph_scenario_add_node", 1, 3, add_node_function},
    {"graph_scenario_remove_node", 2, 2, remove_node_function},
    {"graph_scenario_add_edge", 4, 5, add_edge_function},
    {"graph_scenario_remove_edge", 2, 2, remove_edge_function},
    {"graph_scenario_set", 4, 4, set_property_function},
    {"graph_scenario_undo", 2, 2, undo_function},
    {"graph_scenario_drop", 1, 1, drop_scenario_function},
    {"graph_scenario_keep", 1, 1, keep_function},
};

}  // namespace

Status register_scenario_functions(Connection& connection) {
  static const TableFunction kTables[] = {
      {"graph_scenarios", "name TEXT, steps INTEGER", 2, {}, list_scenarios},
      {"graph_scenario_steps", "step INTEGER, change TEXT", 2, {{"scenario", true}}, list_steps},
  };
  for (const TableFunction& table : kTables) BRAID_TRY(register_table_function(connection, table));
  return register_functions(connection, FunctionUse::kDirectOnly, kScenarioFunctions);
}

}  // namespace braid
