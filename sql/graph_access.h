// The graph in the users' words: labels and properties as JSON, user keys, bound rows. SQL's tables and functions and the C API
// all come here, so that they accept and refuse the same.
//
// All functions work on a connection that is pinned (reads) or in a write transaction (writes).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/connection.h"

namespace braid {

/// JSON array of label names.
std::string labels_to_json(const Connection& connection, const std::vector<LabelId>& labels);
/// A node's properties by name; of a bound node its row's columns are among them.
Result<PropertyMap> node_properties(Connection& connection, const Node& node);
/// The same as a JSON object.
Result<std::string> node_properties_json(Connection& connection, const Node& node);
std::string edge_properties_json(const Connection& connection, const Edge& edge);

/// Properties of one node after another, as node_properties_json has them; those of the last node asked for are kept.
class NodeProperties {
 public:
  explicit NodeProperties(Connection& connection) : connection_(connection) {}
  /// Null when the node has none of this name. Valid until the next call.
  Result<const PropertyValue*> find(NodeId id, std::string_view name);

 private:
  Status read(NodeId id);

  Connection& connection_;
  std::optional<NodeId> last_;
  PropertyMap properties_;
};

/// Null views mean "none" on creation and "as they are" on update.
Result<NodeId> create_node(Connection& connection, std::optional<std::string_view> labels,
                           std::optional<std::string_view> properties);
Status update_node(Connection& connection, NodeId id, std::optional<std::string_view> labels,
                   std::optional<std::string_view> properties);
Status delete_node(Connection& connection, NodeId id, DeleteRule rule);
Result<EdgeId> create_edge(Connection& connection, std::optional<NodeId> source, std::string_view type,
                           std::optional<NodeId> target, std::optional<std::string_view> properties,
                           const EdgeAhead* ahead = nullptr);
/// Many nodes with the same labels; answers the first id, which the others follow. `properties` are `count` JSON objects or nulls, or none.
Result<NodeId> create_nodes(Connection& connection, std::optional<std::string_view> labels,
                            std::span<const char* const> properties, size_t count);
/// Many edges of one type, from sources[i] to targets[i]; as above.
Result<EdgeId> create_edges(Connection& connection, std::string_view type, std::span<const NodeId> sources,
                            std::span<const NodeId> targets, std::span<const char* const> properties);
Status update_edge(Connection& connection, EdgeId id, std::optional<std::string_view> properties);

/// The index on a property of a label's nodes, or of a type's edges; kNotFound, naming the call that makes one, when there is none.
Result<IndexId> property_index(Connection& connection, bool on_edges, std::string_view scope, std::string_view property);
/// The node of a label with a value under an index; nullopt when there is none, the smallest id when there are several.
/// kNotFound when the label or the index does not exist.
Result<std::optional<NodeId>> find_node(Connection& connection, std::string_view label, std::string_view property,
                                        const PropertyValue& value);
/// The same by the label's key: its binding's, else its first unique index.
Result<std::optional<NodeId>> find_node_by_key(Connection& connection, std::string_view label, const PropertyValue& key);

/// The binding of one of the labels, if any is bound.
const BindingDefinition* binding_of(const CatalogState& state, const std::vector<LabelId>& labels);
/// Binds a key of a bound node as value 1. It is borrowed until the statement is reset or bound again.
void bind_key(SqliteStatement& statement, const PropertyValue& key);

/// Adds an edge by user keys. With `edge_key`, a property of that name tells edges of the type apart: an edge that has
/// its value already is updated instead.
struct Link {
  std::string_view from_label;
  PropertyValue from_key;
  std::string_view type;
  std::string_view to_label;
  PropertyValue to_key;
  std::optional<std::string_view> properties;
  std::optional<std::string_view> edge_key;
};
Result<EdgeId> link(Connection& connection, const Link& link);

/// One name, or a JSON array of names; none for NULL. `what` names the argument in an error.
Result<std::vector<std::string>> names_argument(std::optional<std::string_view> text, std::string_view what);
/// The same for a choice, where NULL means all; kInvalidArgument for an empty list, which would choose nothing.
Result<std::vector<std::string>> choice_argument(std::optional<std::string_view> text, std::string_view what);
/// The number of an edge type for reading: a type that no edge has is answered with one that matches nothing.
TypeId type_for_reading(const Connection& connection, std::string_view type);
/// The numbers of edge types for reading: none, which means all, when `types` is null; a type that no edge has is answered with one that matches
/// nothing.
Result<std::vector<TypeId>> types_for_reading(const Connection& connection, std::optional<std::string_view> types);
/// What walks ask of the nodes and edges on their way: texts of PropertyFilter, where "$label" stands for a node's labels; null: nothing. A bound
/// node's columns are among its properties.
Status set_filters(Connection& connection, std::optional<std::string_view> nodes, std::optional<std::string_view> edges, StepRules& rules);
/// A shortest path by edges, or by the sum of the edges' property `weight`; nullopt when there is none.
Result<std::optional<Path>> find_path(Connection& connection, NodeId source, NodeId target,
                                      std::optional<std::string_view> weight, TraversalOptions options);

/// "out", "in", "both".
Result<Direction> direction_of(std::string_view text);
std::string_view direction_text(Direction direction);

/// The id of a node or an edge that a value means: a whole number above 0, as SQLite compares it (2, 2.0, '2'); nothing for other values.
std::optional<uint64_t> id_of(sqlite3_value* value);
/// The node that a value names: nullopt for NULL, kConstraint for what can be no id.
Result<std::optional<NodeId>> node_id_of(sqlite3_value* value);

/// An SQL value as a property value; kInvalidArgument never, blobs become bytes.
PropertyValue property_of(sqlite3_value* value);
/// Text of an SQL value, or nullopt for NULL.
std::optional<std::string_view> optional_text(sqlite3_value* value);

/// Names of a table's columns, in order.
Result<std::vector<std::string>> table_columns(Connection& connection, std::string_view table);

}  // namespace braid
