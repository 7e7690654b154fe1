// The graph in the users' words: labels and properties as JSON, user keys, bound rows. SQL's tables and functions and the C API
// all come here, so that they accept and refuse the same.
//
// All functions work on a connection that is pinned (reads) or in a write transaction (writes).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/connection.h"

namespace braid {

/// JSON array of label names.
std::string labels_to_json(const Connection& connection, const std::vector<LabelId>& labels);
/// JSON object of a node's properties; of a bound node its row's columns are among them.
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
  Properties stored_;
  std::vector<std::pair<std::string, PropertyValue>> row_;  // of a bound node: its columns
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
Status update_edge(Connection& connection, EdgeId id, std::optional<std::string_view> properties);

/// The node of a label with a value under an index; nullopt when there is none, the smallest id when there are several.
/// kNotFound when the label or the index does not exist.
Result<std::optional<NodeId>> find_node(Connection& connection, std::string_view label, std::string_view property,
                                        const PropertyValue& value);
/// The same by the label's key: its binding's, else its first unique index.
Result<std::optional<NodeId>> find_node_by_key(Connection& connection, std::string_view label, const PropertyValue& key);

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

/// The number of an edge type for reading: nullopt for all types when `type` is null; a type that no edge has is answered with one that
/// matches nothing.
std::optional<TypeId> type_for_reading(const Connection& connection, std::optional<std::string_view> type);
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
