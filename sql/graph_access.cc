#include "sql/graph_access.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "graph/pace.h"
#include "graph/property_filter.h"
#include "sql/name_argument.h"

namespace braid {

const BindingDefinition* binding_of(const CatalogState& state, const std::vector<LabelId>& labels) {
  for (const LabelId label : labels)
    if (const auto found = state.bindings.find(label); found != state.bindings.end()) return &found->second;
  return nullptr;
}

void bind_key(SqliteStatement& statement, const PropertyValue& key) {
  if (const auto* number = std::get_if<int64_t>(&key.value)) statement.bind(1, *number);
  if (const auto* real = std::get_if<double>(&key.value)) sqlite3_bind_double(statement.get(), 1, *real);
  if (const auto* text = std::get_if<std::string>(&key.value)) statement.bind_text(1, *text);
  if (const auto* bytes = std::get_if<Bytes>(&key.value)) statement.bind_blob(1, bytes->data);
}

namespace {

/// The binding of a label that one of the lists has and the other has not, if there is one.
const BindingDefinition* changed_binding(const CatalogState& state, const std::vector<LabelId>& before, const std::vector<LabelId>& after) {
  std::vector<LabelId> changed;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(changed));
  return binding_of(state, changed);
}

Result<std::vector<LabelId>> labels_from_json(Connection& connection, std::string_view json) {
  const Status wrong(StatusCode::kInvalidArgument,
                     fmt::format("labels: {} is not a JSON array of text; expected for example [\"Device\"]", json));
  const auto value = value_from_json(json);
  if (!value.ok()) return wrong;
  const auto* list = std::get_if<PropertyList>(&value->value);
  if (list == nullptr) return wrong;
  std::vector<LabelId> labels;
  for (const PropertyValue& item : *list) {
    const auto* text = std::get_if<std::string>(&item.value);
    if (text == nullptr || text->empty()) return wrong;
    labels.emplace_back(connection.graph_writer().catalog().intern(NameKind::kLabel, *text));
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

Result<Properties> parse_properties(Connection& connection, std::string_view json) {
  CatalogWriter& catalog = connection.graph_writer().catalog();
  auto properties =
      properties_from_json(json, [&](std::string_view name) { return KeyId(catalog.intern(NameKind::kPropertyKey, name)); });
  if (!properties.ok()) return properties.status().within("properties");
  return properties;
}

PropertyValue column_value(sqlite3_stmt* row, int column) {
  return property_of(sqlite3_column_value(row, column));
}

/// The row of a bound node as (column, value), at the connection's snapshot. Empty when the row is not there.
Result<PropertyMap> bound_row(Connection& connection, const BindingDefinition& binding, const Node& node) {
  PropertyMap row;
  const PropertyValue* key = find_property(node.properties, binding.key);
  if (key == nullptr) return row;
  const Session::Internal internal(connection.session());
  // Compared twice: by the column's own collation, which its index has, and exactly, as the graph tells keys apart.
  BRAID_ASSIGN(SqliteStatement * statement,
               connection.internal_statement(fmt::format("SELECT * FROM main.{0} WHERE {1} = ?1 AND {1} = ?1 COLLATE BINARY LIMIT 1",
                                                         quote_identifier(binding.table), quote_identifier(binding.key_column))));
  sqlite3_stmt* raw = statement->get();
  bind_key(*statement, *key);
  BRAID_ASSIGN(const bool found, statement->step());
  for (int i = 0; found && i < sqlite3_column_count(raw); ++i)
    row.emplace_back(sqlite3_column_name(raw, i), column_value(raw, i));
  statement->reset();
  return row;
}

/// Of the properties given for a bound node, those that are kept in the graph: the key, and what is no column of the row.
/// A column's value may be repeated, as json_set(properties, …) does, but not changed.
Result<Properties> split_bound_properties(Connection& connection, const BindingDefinition& binding, const Node& node,
                                          const Properties& given) {
  BRAID_ASSIGN(const auto row, bound_row(connection, binding, node));
  Properties kept;
  if (const PropertyValue* key = find_property(node.properties, binding.key)) kept.emplace_back(binding.key, *key);
  for (const auto& [key, value] : given) {
    const std::string& name = connection.name(NameKind::kPropertyKey, key.value());
    const auto column = std::find_if(row.begin(), row.end(), [&](const auto& item) { return item.first == name; });
    if (column == row.end() && key != binding.key) kept.emplace_back(key, value);
    if (column == row.end() || column->second == value) continue;
    return Status(StatusCode::kConstraint, fmt::format("property '{}' of node {} is column '{}' of table '{}': update the row", name,
                                                       node.id.value(), name, binding.table));
  }
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return kept;
}

Result<Properties> properties_at(Connection& connection, std::span<const char* const> texts, size_t index) {
  if (texts.empty() || texts[index] == nullptr) return Properties();
  return parse_properties(connection, texts[index]);
}

/// What a transaction may hold, how long a call may take, and whether it was interrupted.
Status check_going_on(Connection& connection, size_t done, size_t count) {
  BRAID_TRY(connection.session().check_limits());
  return connection.algorithm_context().check(static_cast<double>(done) / static_cast<double>(count));
}

Result<Node> existing_node(Connection& connection, NodeId id) {
  BRAID_ASSIGN(auto node, connection.graph().node(id));
  if (!node.has_value()) return Status(StatusCode::kNotFound, fmt::format("there is no node {}", id.value()));
  return std::move(*node);
}

Status refuse_bound_label(const Connection& connection, const BindingDefinition& binding, std::string_view what) {
  return Status(StatusCode::kConstraint,
                fmt::format("label '{}' is bound to table '{}': {}", connection.name(NameKind::kLabel, binding.label.value()),
                            binding.table, what));
}

}  // namespace

std::string labels_to_json(const Connection& connection, const std::vector<LabelId>& labels) {
  PropertyValue list;
  list.value = PropertyList();
  for (const LabelId label : labels)
    std::get<PropertyList>(list.value).push_back({connection.name(NameKind::kLabel, label.value())});
  return value_to_json(list);
}

Result<PropertyMap> node_properties(Connection& connection, const Node& node) {
  PropertyMap merged;
  if (const BindingDefinition* binding = binding_of(connection.catalog_state(), node.labels)) {
    BRAID_ASSIGN(merged, bound_row(connection, *binding, node));
  }
  const auto columns = static_cast<std::ptrdiff_t>(merged.size());
  for (const auto& [key, value] : node.properties) {
    const std::string& name = connection.name(NameKind::kPropertyKey, key.value());
    const bool is_column = std::any_of(merged.begin(), merged.begin() + columns, [&](const auto& item) { return item.first == name; });
    if (!is_column) merged.emplace_back(name, value);
  }
  std::erase_if(merged, [](const auto& item) { return item.second.is_null(); });
  return merged;
}

Result<std::string> node_properties_json(Connection& connection, const Node& node) {
  BRAID_ASSIGN(PropertyMap properties, node_properties(connection, node));
  return value_to_json({std::move(properties)});
}

namespace {

const PropertyValue* find_member(const PropertyMap& properties, std::string_view name) {
  const auto found = std::find_if(properties.begin(), properties.end(), [name](const auto& item) { return item.first == name; });
  return found == properties.end() ? nullptr : &found->second;
}

}  // namespace

Status NodeProperties::read(NodeId id) {
  last_.reset();
  properties_.clear();
  BRAID_ASSIGN(const auto node, connection_.graph().node(id));
  if (node) {
    BRAID_ASSIGN(properties_, node_properties(connection_, *node));
  }
  last_ = id;
  return {};
}

Result<const PropertyValue*> NodeProperties::find(NodeId id, std::string_view name) {
  if (last_ != id) BRAID_TRY(read(id));
  return find_member(properties_, name);
}

std::string edge_properties_json(const Connection& connection, const Edge& edge) {
  return properties_to_json(edge.properties, [&](KeyId key) -> std::string_view {
    return connection.name(NameKind::kPropertyKey, key.value());
  });
}

Result<NodeId> create_node(Connection& connection, std::optional<std::string_view> labels,
                           std::optional<std::string_view> properties) {
  std::vector<LabelId> label_ids;
  Properties parsed;
  if (labels) {
    BRAID_ASSIGN(label_ids, labels_from_json(connection, *labels));
  }
  if (const BindingDefinition* binding = binding_of(connection.catalog_state(), label_ids))
    return refuse_bound_label(connection, *binding, "insert a row instead, it becomes the node");
  if (properties) {
    BRAID_ASSIGN(parsed, parse_properties(connection, *properties));
  }
  return connection.graph_writer().create_node(std::move(label_ids), std::move(parsed));
}

Result<NodeId> create_nodes(Connection& connection, std::optional<std::string_view> labels,
                            std::span<const char* const> properties, size_t count) {
  std::vector<LabelId> label_ids;
  if (labels) {
    BRAID_ASSIGN(label_ids, labels_from_json(connection, *labels));
  }
  if (const BindingDefinition* binding = binding_of(connection.catalog_state(), label_ids))
    return refuse_bound_label(connection, *binding, "insert rows instead, they become the nodes");
  GraphWriter& writer = connection.graph_writer();
  std::optional<NodeId> first;
  for (size_t i = 0; i < count; ++i) {
    if (i % kStepsPerCheck == 0) BRAID_TRY(check_going_on(connection, i, count));
    auto parsed = properties_at(connection, properties, i);
    if (!parsed.ok()) return parsed.status().within(fmt::format("node {} of {}", i + 1, count));
    auto id = writer.create_node(label_ids, parsed.take());
    if (!id.ok()) return id.status().within(fmt::format("node {} of {}", i + 1, count));
    if (!first) first = *id;
  }
  return *first;
}

Result<EdgeId> create_edges(Connection& connection, std::string_view type, std::span<const NodeId> sources,
                            std::span<const NodeId> targets, std::span<const char* const> properties) {
  BRAID_TRY(check_going_on(connection, 0, sources.size()));
  // Staged and in the record an edge takes more than this.
  constexpr uint64_t kEdgeBytesMin = 24;
  const auto bytes_max = static_cast<uint64_t>(connection.engine().options()[OptionId::kTransactionBytesMax]);
  if (sources.size() > bytes_max / kEdgeBytesMin)
    return Status(StatusCode::kLimit, fmt::format("{} edges take more than the {} bytes that transaction_bytes_max allows", sources.size(), bytes_max));
  std::vector<Properties> parsed;
  for (size_t i = 0; i < properties.size(); ++i) {
    if (i % kStepsPerCheck == 0) BRAID_TRY(check_going_on(connection, i, properties.size()));
    auto own = properties_at(connection, properties, i);
    if (!own.ok()) return own.status().within(fmt::format("edge {} of {}", i + 1, properties.size()));
    parsed.push_back(own.take());
  }
  GraphWriter& writer = connection.graph_writer();
  BRAID_ASSIGN(const TypeId type_id, type_for_writing(writer, type));
  return writer.create_edges(type_id, sources, targets, std::move(parsed));
}

Status update_node(Connection& connection, NodeId id, std::optional<std::string_view> labels,
                   std::optional<std::string_view> properties) {
  BRAID_ASSIGN(Node node, existing_node(connection, id));
  std::vector<LabelId> label_ids = node.labels;
  if (labels) {
    BRAID_ASSIGN(label_ids, labels_from_json(connection, *labels));
  }
  const BindingDefinition* bound_before = binding_of(connection.catalog_state(), node.labels);
  std::sort(node.labels.begin(), node.labels.end());
  if (const BindingDefinition* changed = changed_binding(connection.catalog_state(), node.labels, label_ids))
    return refuse_bound_label(connection, *changed, "the label comes and goes with the row; insert or delete the row");
  Properties kept = node.properties;
  if (properties) {
    BRAID_ASSIGN(kept, parse_properties(connection, *properties));
    if (bound_before != nullptr) {
      BRAID_ASSIGN(kept, split_bound_properties(connection, *bound_before, node, kept));
    }
  }
  return connection.graph_writer().update_node(id, std::move(label_ids), std::move(kept));
}

Status delete_node(Connection& connection, NodeId id, DeleteRule rule) {
  BRAID_ASSIGN(const Node node, existing_node(connection, id));
  if (const BindingDefinition* binding = binding_of(connection.catalog_state(), node.labels))
    return refuse_bound_label(connection, *binding, "delete the row instead, its node goes with it");
  return connection.graph_writer().delete_node(id, rule);
}

Result<EdgeId> create_edge(Connection& connection, std::optional<NodeId> source, std::string_view type,
                           std::optional<NodeId> target, std::optional<std::string_view> properties, const EdgeAhead* ahead) {
  if (!source || !target)
    return Status(StatusCode::kConstraint,
                  fmt::format("the edge's {} is NULL: no such node; an edge needs two nodes that exist", !source ? "src" : "dst"));
  GraphWriter& writer = connection.graph_writer();
  BRAID_ASSIGN(const TypeId type_id, type_for_writing(writer, type));
  Properties parsed;
  if (properties) {
    BRAID_ASSIGN(parsed, parse_properties(connection, *properties));
  }
  return writer.create_edge(*source, type_id, *target, std::move(parsed), ahead);
}

Status update_edge(Connection& connection, EdgeId id, std::optional<std::string_view> properties) {
  if (!properties) return {};
  BRAID_ASSIGN(Properties parsed, parse_properties(connection, *properties));
  return connection.graph_writer().update_edge(id, std::move(parsed));
}

Result<IndexId> property_index(Connection& connection, bool on_edges, std::string_view scope, std::string_view property) {
  const auto scope_id = connection.find_name(on_edges ? NameKind::kEdgeType : NameKind::kLabel, scope);
  if (!scope_id && !on_edges) return Status(StatusCode::kNotFound, fmt::format("no node has label '{}'", scope));
  const auto key = connection.find_name(NameKind::kPropertyKey, property);
  const IndexDefinition* index = scope_id && key ? connection.catalog_state().index(on_edges, *scope_id, KeyId(*key)) : nullptr;
  if (index != nullptr) return index->id;
  if (on_edges)
    return Status(StatusCode::kNotFound,
                  fmt::format("there is no index on property '{}' of edge type '{}'; call graph_create_edge_index('{}', '{}')", property,
                              scope, scope, property));
  return Status(StatusCode::kNotFound,
                fmt::format("there is no index on property '{}' of label '{}'; call graph_create_index('{}', '{}')", property, scope,
                            scope, property));
}

Result<std::optional<NodeId>> find_node(Connection& connection, std::string_view label, std::string_view property,
                                        const PropertyValue& value) {
  BRAID_ASSIGN(const IndexId index, property_index(connection, false, label, property));
  if (value.is_null()) return std::optional<NodeId>();
  std::vector<NodeId> found;
  BRAID_TRY(connection.graph().find_nodes(index, value, found));
  return found.empty() ? std::optional<NodeId>() : std::optional<NodeId>(found.front());
}

Result<std::optional<NodeId>> find_node_by_key(Connection& connection, std::string_view label, const PropertyValue& key) {
  const auto label_id = connection.find_name(NameKind::kLabel, label);
  if (!label_id) return Status(StatusCode::kNotFound, fmt::format("no node has label '{}'", label));
  const CatalogState& state = connection.catalog_state();
  const IndexDefinition* index = nullptr;
  if (const auto binding = state.bindings.find(LabelId(*label_id)); binding != state.bindings.end()) {
    const auto found = state.indexes.find(binding->second.index);
    index = found == state.indexes.end() ? nullptr : &found->second;
  } else {
    for (const auto& [id, definition] : state.indexes)
      if (index == nullptr && !definition.on_edges && definition.unique && definition.scope == *label_id) index = &definition;
  }
  if (index == nullptr)
    return Status(StatusCode::kNotFound, fmt::format("label '{}' has no key; bind it to a table, or call graph_create_index('{}', "
                                                     "property, 1)",
                                                     label, label));
  if (key.is_null()) return std::optional<NodeId>();
  std::vector<NodeId> found;
  BRAID_TRY(connection.graph().find_nodes(index->id, key, found));
  return found.empty() ? std::optional<NodeId>() : std::optional<NodeId>(found.front());
}

namespace {

Result<NodeId> linked_end(Connection& connection, std::string_view label, const PropertyValue& key, std::string_view end) {
  BRAID_ASSIGN(const auto node, find_node_by_key(connection, label, key));
  if (node) return *node;
  return Status(StatusCode::kConstraint,
                fmt::format("the edge's {} does not exist: no {} has key {}", end, label, value_to_json(key)));
}

/// The edge of the type that has the same value of its key property, if there is one.
Result<std::optional<EdgeId>> keyed_edge(Connection& connection, TypeId type, KeyId key, const Properties& properties) {
  const PropertyValue* value = find_property(properties, key);
  if (value == nullptr)
    return Status(StatusCode::kInvalidArgument, fmt::format("the edge's properties have no '{}', which is its key",
                                                            connection.name(NameKind::kPropertyKey, key.value())));
  BRAID_ASSIGN(const IndexId index, connection.graph_writer().create_index(true, type.value(), key, true));
  std::vector<EdgeId> found;
  BRAID_TRY(connection.graph().find_edges(index, *value, found));
  return found.empty() ? std::optional<EdgeId>() : std::optional<EdgeId>(found.front());
}

}  // namespace

Result<EdgeId> link(Connection& connection, const Link& link) {
  BRAID_ASSIGN(const NodeId source, linked_end(connection, link.from_label, link.from_key, "source"));
  BRAID_ASSIGN(const NodeId target, linked_end(connection, link.to_label, link.to_key, "target"));
  GraphWriter& writer = connection.graph_writer();
  BRAID_ASSIGN(const TypeId type, type_for_writing(writer, link.type));
  Properties parsed;
  if (link.properties) {
    BRAID_ASSIGN(parsed, parse_properties(connection, *link.properties));
  }
  if (!link.edge_key) return writer.create_edge(source, type, target, std::move(parsed));
  const KeyId key(writer.catalog().intern(NameKind::kPropertyKey, *link.edge_key));
  BRAID_ASSIGN(const auto existing, keyed_edge(connection, type, key, parsed));
  if (!existing) return writer.create_edge(source, type, target, std::move(parsed));
  BRAID_ASSIGN(const auto edge, connection.graph().edge(*existing));
  if (edge && (edge->source != source || edge->target != target))
    return Status(StatusCode::kConstraint,
                  fmt::format("edge {} of type {} has this key already, between nodes {} and {}", existing->value(), link.type,
                              edge->source.value(), edge->target.value()));
  BRAID_TRY(writer.update_edge(*existing, std::move(parsed)));
  return *existing;
}

Result<std::vector<std::string>> names_argument(std::optional<std::string_view> text, std::string_view what) {
  std::vector<std::string> names;
  if (!text) return names;
  if (!text->starts_with('[')) {
    names.emplace_back(*text);
    return names;
  }
  BRAID_ASSIGN(const PropertyValue parsed, value_from_json(*text));
  const auto* list = std::get_if<PropertyList>(&parsed.value);
  for (const PropertyValue& item : list != nullptr ? *list : PropertyList()) {
    const auto* name = std::get_if<std::string>(&item.value);
    if (name == nullptr) return Status(StatusCode::kInvalidArgument, fmt::format("{}: expected a name or a JSON array of names", what));
    names.push_back(*name);
  }
  return names;
}

Result<std::vector<std::string>> choice_argument(std::optional<std::string_view> text, std::string_view what) {
  BRAID_ASSIGN(auto names, names_argument(text, what));
  if (text && names.empty()) return Status(StatusCode::kInvalidArgument, fmt::format("{}: an empty list chooses none; leave it out, or give NULL, for all", what));
  return names;
}

TypeId type_for_reading(const Connection& connection, std::string_view type) {
  constexpr TypeId kNoType(UINT32_MAX);
  const auto found = connection.find_name(NameKind::kEdgeType, type);
  return found ? TypeId(*found) : kNoType;
}

Result<std::vector<TypeId>> types_for_reading(const Connection& connection, std::optional<std::string_view> types) {
  std::vector<TypeId> ids;
  BRAID_ASSIGN(const auto names, choice_argument(types, "the edge type"));
  for (const std::string& name : names) ids.push_back(type_for_reading(connection, name));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

namespace {

/// A condition on labels holds when it holds for one of them; !=, when for all.
constexpr std::string_view kLabelMember = "$label";

Result<bool> node_passes(Connection& connection, const PropertyFilter& filter, NodeId id) {
  BRAID_ASSIGN(const auto node, connection.graph().node(id));
  if (!node) return false;
  BRAID_ASSIGN(const PropertyMap properties, node_properties(connection, *node));
  std::vector<PropertyValue> labels;
  if (filter.asks_for(kLabelMember))
    for (const LabelId label : node->labels) labels.push_back(PropertyValue{connection.name(NameKind::kLabel, label.value())});
  return filter.holds([&](std::string_view name) { return find_member(properties, name); }, kLabelMember, labels);
}

Result<bool> edge_passes(Connection& connection, const PropertyFilter& filter, EdgeId id) {
  BRAID_ASSIGN(const auto edge, connection.graph().edge(id));
  if (!edge) return false;
  return filter.holds([&](std::string_view name) -> const PropertyValue* {
    const auto key = connection.find_name(NameKind::kPropertyKey, name);
    return key ? find_property(edge->properties, KeyId(*key)) : nullptr;
  });
}

}  // namespace

Status set_filters(Connection& connection, std::optional<std::string_view> nodes, std::optional<std::string_view> edges, StepRules& rules) {
  if (nodes) {
    BRAID_ASSIGN(const PropertyFilter filter, PropertyFilter::parse(*nodes));
    rules.node_passes = [&connection, filter](NodeId id) { return node_passes(connection, filter, id); };
  }
  if (edges) {
    BRAID_ASSIGN(const PropertyFilter filter, PropertyFilter::parse(*edges));
    rules.edge_passes = [&connection, filter](EdgeId id) { return edge_passes(connection, filter, id); };
  }
  return {};
}

Result<std::optional<Path>> find_path(Connection& connection, NodeId source, NodeId target,
                                      std::optional<std::string_view> weight, TraversalOptions options) {
  if (!weight) {
    WalkReport report;
    auto path = shortest_path(connection.graph(), source, target, options, &report);
    connection.note_walk("shortest path", std::move(report));
    return path;
  }
  // A property that no edge has counts 1 for each edge, as it does for the edges that lack it.
  const KeyId key(connection.find_name(NameKind::kPropertyKey, *weight).value_or(UINT32_MAX));
  options.depth_max = UINT32_MAX;  // the cheapest path may be a long one; the nodes reached bound the search
  return weighted_shortest_path(connection.graph(), source, target, key, options);
}

namespace {
constexpr std::pair<std::string_view, Direction> kDirections[] = {
    {"out", Direction::kOut}, {"in", Direction::kIn}, {"both", Direction::kBoth}};
}  // namespace

Result<Direction> direction_of(std::string_view text) {
  for (const auto& [name, direction] : kDirections)
    if (name == text) return direction;
  return Status(StatusCode::kInvalidArgument, fmt::format("direction '{}': expected 'out', 'in' or 'both'", text));
}

std::string_view direction_text(Direction direction) {
  for (const auto& [name, value] : kDirections)
    if (value == direction) return name;
  return {};
}

std::optional<uint64_t> id_of(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  const int64_t id = sqlite3_value_int64(value);
  const bool whole = type == SQLITE_INTEGER || (type == SQLITE_FLOAT && static_cast<double>(id) == sqlite3_value_double(value));
  return whole && id > 0 ? std::optional(static_cast<uint64_t>(id)) : std::nullopt;
}

Result<std::optional<NodeId>> node_id_of(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return std::optional<NodeId>();
  if (const auto id = id_of(value)) return std::optional(NodeId(*id));
  return Status(StatusCode::kConstraint, fmt::format("'{}' is no node: an id is a whole number above 0; graph_node(label, property, value) "
                                                     "finds it",
                                                     optional_text(value).value_or("")));
}

PropertyValue property_of(sqlite3_value* value) {
  PropertyValue out;
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: out.value = static_cast<int64_t>(sqlite3_value_int64(value)); break;
    case SQLITE_FLOAT: out.value = sqlite3_value_double(value); break;
    case SQLITE_BLOB:
      out.value = Bytes{std::string(static_cast<const char*>(sqlite3_value_blob(value)),
                                    static_cast<size_t>(sqlite3_value_bytes(value)))};
      break;
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));  // Safety: unsigned char is read as char.
      out.value = std::string(text == nullptr ? "" : text, static_cast<size_t>(sqlite3_value_bytes(value)));
      break;
    }
    default: break;
  }
  return out;
}

std::optional<std::string_view> optional_text(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));  // Safety: unsigned char is read as char.
  return std::string_view(text == nullptr ? "" : text, static_cast<size_t>(sqlite3_value_bytes(value)));
}

Result<std::vector<std::string>> table_columns(Connection& connection, std::string_view table) {
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement, connection.internal_statement("SELECT name FROM pragma_table_info(?1, 'main') ORDER BY cid"));
  statement->bind_text(1, table);
  std::vector<std::string> columns;
  for (;;) {
    BRAID_ASSIGN(const bool more, statement->step());
    if (!more) break;
    columns.emplace_back(statement->bytes(0));
  }
  statement->reset();
  return columns;
}

}  // namespace braid
