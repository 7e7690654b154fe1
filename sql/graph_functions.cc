// The graph's scalar functions.
#include <fmt/format.h>

#include "sql/binding.h"
#include "sql/graph_access.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

using Values = std::span<sqlite3_value*>;

Status node_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.pin());
  BRAID_ASSIGN(const auto node, find_node(connection, text_of(values[0]), text_of(values[1]), property_of(values[2])));
  if (node) sqlite3_result_int64(context, static_cast<int64_t>(node->value()));
  return {};
}

Status link_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  Link request{.from_label = text_of(values[0]),
               .from_key = property_of(values[1]),
               .type = text_of(values[2]),
               .to_label = text_of(values[3]),
               .to_key = property_of(values[4]),
               .properties = std::nullopt,
               .edge_key = std::nullopt};
  if (values.size() > 5) request.properties = optional_text(values[5]);
  if (values.size() > 6) request.edge_key = optional_text(values[6]);
  BRAID_ASSIGN(const EdgeId edge, link(connection, request));
  sqlite3_result_int64(context, static_cast<int64_t>(edge.value()));
  return {};
}

Status create_index(Connection& connection, sqlite3_context* context, Values values, bool on_edges) {
  BRAID_TRY(connection.check_writing());
  const std::string_view scope = text_of(values[0]);
  const std::string_view property = text_of(values[1]);
  if (scope.empty() || property.empty())
    return Status(StatusCode::kInvalidArgument, "an index needs a label (or an edge type) and a property");
  GraphWriter& writer = connection.graph_writer();
  const uint32_t scope_id = writer.catalog().intern(on_edges ? NameKind::kEdgeType : NameKind::kLabel, scope);
  if (!on_edges) BRAID_TRY(check_indexable(connection, LabelId(scope_id), property).within("graph_create_index"));
  const KeyId key(writer.catalog().intern(NameKind::kPropertyKey, property));
  const bool unique = values.size() > 2 && sqlite3_value_int(values[2]) != 0;
  BRAID_ASSIGN(const IndexId index, writer.create_index(on_edges, scope_id, key, unique));
  sqlite3_result_int64(context, index.value());
  return {};
}

Status create_node_index_function(Connection& connection, sqlite3_context* context, Values values) {
  return create_index(connection, context, values, false);
}
Status create_edge_index_function(Connection& connection, sqlite3_context* context, Values values) {
  return create_index(connection, context, values, true);
}

Status drop_index(Connection& connection, Values values, bool on_edges) {
  BRAID_TRY(connection.check_writing());
  const auto scope = connection.find_name(on_edges ? NameKind::kEdgeType : NameKind::kLabel, text_of(values[0]));
  const auto key = connection.find_name(NameKind::kPropertyKey, text_of(values[1]));
  const CatalogState& state = connection.catalog_state();
  const IndexDefinition* index = scope && key ? state.index(on_edges, *scope, KeyId(*key)) : nullptr;
  if (index == nullptr)
    return Status(StatusCode::kNotFound,
                  fmt::format("there is no index on property '{}' of '{}'", text_of(values[1]), text_of(values[0])));
  for (const auto& [label, binding] : state.bindings)
    if (binding.index == index->id)
      return Status(StatusCode::kConstraint, fmt::format("the index is the key of the binding to table '{}'; call graph_unbind first",
                                                         binding.table));
  return connection.graph_writer().drop_index(index->id);
}

Status drop_node_index_function(Connection& connection, sqlite3_context*, Values values) {
  return drop_index(connection, values, false);
}
Status drop_edge_index_function(Connection& connection, sqlite3_context*, Values values) {
  return drop_index(connection, values, true);
}

Status delete_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  const std::string_view rule = values.size() > 1 ? text_of(values[1]) : "restrict";
  if (rule != "restrict" && rule != "detach")
    return Status(StatusCode::kInvalidArgument, fmt::format("graph_delete: '{}': expected 'restrict' or 'detach'", rule));
  BRAID_ASSIGN(const auto node, node_id_of(values[0]));
  if (!node) return Status(StatusCode::kNotFound, "graph_delete: the node is NULL: there is no such node");
  BRAID_TRY(delete_node(connection, *node, rule == "detach" ? DeleteRule::kDetach : DeleteRule::kRestrict));
  sqlite3_result_int64(context, static_cast<int64_t>(node->value()));
  return {};
}

// May stand in a user's trigger.
constexpr FunctionRow kGraphFunctions[] = {
    {"graph_node", 3, 3, node_function},
    {"graph_link", 5, 7, link_function},
    {"graph_delete", 1, 2, delete_function},
};
constexpr FunctionRow kGraphIndexFunctions[] = {
    {"graph_create_index", 2, 3, create_node_index_function},
    {"graph_create_edge_index", 2, 3, create_edge_index_function},
    {"graph_drop_index", 2, 2, drop_node_index_function},
    {"graph_drop_edge_index", 2, 2, drop_edge_index_function},
};

}  // namespace

Status register_graph_functions(Connection& connection) {
  BRAID_TRY(register_functions(connection, FunctionUse::kInnocuous, kGraphFunctions));
  return register_functions(connection, FunctionUse::kDirectOnly, kGraphIndexFunctions);
}

}  // namespace braid
