// Rows as nodes: graph_bind and graph_unbind, the triggers that they make, and the hidden table that the triggers write.
#include "sql/binding.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/sqlite_handle.h"
#include "sql/graph_access.h"
#include "sql/sql_tokens.h"
#include "sql/trigger_table.h"

namespace braid {

namespace {

std::string trigger_name(LabelId label, std::string_view event) {
  return quote_identifier(fmt::format("_braid_bind_{}_{}", label.value(), event));
}

constexpr std::string_view kBindingEvents[] = {"insert", "update", "delete"};

/// Whether the column is another name of the rowid, which can be changed by three more names.
Result<bool> names_rowid(Connection& connection, const BindingDefinition& binding) {
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement,
               connection.internal_statement("SELECT count(*) = 1 AND max(name = ?2 AND type = 'INTEGER' COLLATE NOCASE) FROM pragma_table_info(?1, 'main') "
                                             "WHERE pk > 0"));
  statement->bind_text(1, binding.table);
  statement->bind_text(2, binding.key_column);
  BRAID_ASSIGN(const bool found, statement->step());
  const bool alias = found && sqlite3_column_int(statement->get(), 0) != 0;
  statement->reset();
  return alias;
}

/// The triggers write (label, event, old key, new key) into `_braid_bound`, whose xUpdate does the work.
Result<std::string> trigger_sql(Connection& connection, const BindingDefinition& binding) {
  const std::string table = quote_identifier(binding.table);
  const std::string key = quote_identifier(binding.key_column);
  const auto body = [&](std::string_view event, std::string_view old_key, std::string_view new_key) {
    return fmt::format(" BEGIN INSERT INTO _braid_bound VALUES({}, '{}', {}, {}); END;", binding.label.value(), event, old_key, new_key);
  };
  // An UPDATE of the rowid by another name is no update OF the column.
  BRAID_ASSIGN(const bool alias, names_rowid(connection, binding));
  const std::string columns = alias ? "" : " OF " + key;
  // Keys that the column's collation or SQL's numbers hold for equal are different keys of nodes.
  const std::string changed = fmt::format("OLD.{0} IS NOT NEW.{0} COLLATE BINARY OR typeof(OLD.{0}) <> typeof(NEW.{0})", key);
  return fmt::format("CREATE TRIGGER {} AFTER INSERT ON {}{}", trigger_name(binding.label, "insert"), table,
                     body("insert", "NULL", "NEW." + key)) +
         fmt::format("CREATE TRIGGER {} AFTER UPDATE{} ON {} WHEN {}{}", trigger_name(binding.label, "update"), columns, table, changed,
                     body("update", "OLD." + key, "NEW." + key)) +
         fmt::format("CREATE TRIGGER {} AFTER DELETE ON {}{}", trigger_name(binding.label, "delete"), table,
                     body("delete", "OLD." + key, "NULL"));
}

Status create_triggers(Connection& connection, const BindingDefinition& binding) {
  BRAID_ASSIGN(const std::string sql, trigger_sql(connection, binding));
  return sqlite_run(connection.db(), sql);
}

Result<NodeId> bound_node(Connection& connection, const BindingDefinition& binding, const PropertyValue& key) {
  std::vector<NodeId> found;
  BRAID_TRY(connection.graph().find_nodes(binding.index, key, found));
  if (found.empty())
    return Status(StatusCode::kCorrupt, fmt::format("the row of '{}' with {} = {} has no node", binding.table, binding.key_column,
                                                    value_to_json(key)));
  return found.front();
}

Status check_key(const BindingDefinition& binding, const PropertyValue& key) {
  if (!key.is_null()) return {};
  return Status(StatusCode::kConstraint, fmt::format("column '{}' of '{}' is the key of a node and cannot be NULL", binding.key_column,
                                                     binding.table));
}

Status insert_bound(Connection& connection, const BindingDefinition& binding, PropertyValue key) {
  BRAID_TRY(check_key(binding, key));
  Properties properties;
  properties.emplace_back(binding.key, std::move(key));
  const auto node = connection.graph_writer().create_node({binding.label}, std::move(properties));
  return node.status();
}

Status rekey_bound(Connection& connection, const BindingDefinition& binding, const PropertyValue& old_key, PropertyValue new_key) {
  BRAID_TRY(check_key(binding, new_key));
  BRAID_ASSIGN(const NodeId id, bound_node(connection, binding, old_key));
  BRAID_ASSIGN(auto node, connection.graph().node(id));
  if (!node) return Status(StatusCode::kCorrupt, fmt::format("node {} is in an index but not there", id.value()));
  for (auto& [key, value] : node->properties)
    if (key == binding.key) value = std::move(new_key);
  return connection.graph_writer().update_node(id, node->labels, node->properties);
}

Status delete_bound(Connection& connection, const BindingDefinition& binding, const PropertyValue& key) {
  BRAID_ASSIGN(const NodeId id, bound_node(connection, binding, key));
  const Status status = connection.graph_writer().delete_node(id, binding.on_delete);
  if (status.ok() || status.code() != StatusCode::kConstraint) return status;
  // The graph's own advice is for nodes that are no rows.
  return Status(StatusCode::kConstraint,
                fmt::format("the row of '{0}' with {1} = {2} is node {3}, which has edges: DELETE FROM graph_edges WHERE src = {3} OR dst = {3} deletes them, "
                            "and a binding made with 'detach' does it by itself",
                            binding.table, binding.key_column, value_to_json(key), id.value()));
}

class BoundTable final : public TriggerTable {
 public:
  explicit BoundTable(Connection& made_on) : TriggerTable(made_on, "_braid_bound") {}

 private:
  // values: label, event, old key, new key
  Status insert(std::span<sqlite3_value*> values) override {
    const LabelId label(static_cast<uint32_t>(sqlite3_value_int64(values[0])));
    const auto& bindings = connection.catalog_state().bindings;
    const auto found = bindings.find(label);
    if (found == bindings.end())
      return Status(StatusCode::kCorrupt, fmt::format("a trigger belongs to label {}, which is not bound", label.value()));
    const BindingDefinition binding = found->second;
    const std::string_view event = text_of(values[1]);
    if (event == "insert") return insert_bound(connection, binding, property_of(values[3]));
    if (event == "update") return rekey_bound(connection, binding, property_of(values[2]), property_of(values[3]));
    return delete_bound(connection, binding, property_of(values[2]));
  }
};

/// The table's and the column's names as the schema spells them.
Status resolve_table(Connection& connection, BindingDefinition& binding) {
  BRAID_ASSIGN(SqliteStatement * statement,
               connection.internal_statement("SELECT name, sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE"));
  statement->bind_text(1, binding.table);
  BRAID_ASSIGN(const bool found, statement->step());
  const std::string name(found ? statement->bytes(0) : std::string_view());
  const bool is_virtual = found && statement->bytes(1).substr(0, 14) == "CREATE VIRTUAL";
  statement->reset();
  if (!found || name.starts_with("_braid_") || name.starts_with("sqlite_"))
    return Status(StatusCode::kNotFound, fmt::format("graph_bind: there is no table '{}'", binding.table));
  if (is_virtual) return Status(StatusCode::kInvalidArgument, fmt::format("graph_bind: '{}' is a virtual table; bind a table of rows", name));
  binding.table = name;
  BRAID_ASSIGN(const auto columns, table_columns(connection, name));
  for (const std::string& column : columns) {
    if (!same_sql_name(column, binding.key_column)) continue;
    binding.key_column = column;
    return {};
  }
  return Status(StatusCode::kNotFound, fmt::format("graph_bind: table '{}' has no column '{}'", name, binding.key_column));
}

/// A bound node's properties are its row's columns: an index of the graph would never have them.
Status check_indexed_property(Connection& connection, const BindingDefinition& binding, std::string_view property) {
  if (property == binding.key_column) return {};
  BRAID_ASSIGN(const auto columns, table_columns(connection, binding.table));
  if (std::find(columns.begin(), columns.end(), property) == columns.end()) return {};
  return Status(StatusCode::kConstraint,
                fmt::format("'{0}' is a column of table '{1}', whose rows are the nodes: an index of the table finds them, CREATE INDEX ... ON {2}({3})", property,
                            binding.table, quote_identifier(binding.table), quote_identifier(property)));
}

Status bind_rows(Connection& connection, const BindingDefinition& binding) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection.db(), fmt::format("SELECT {} FROM main.{}", quote_identifier(binding.key_column),
                                                                      quote_identifier(binding.table))));
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    BRAID_TRY(insert_bound(connection, binding, property_of(sqlite3_column_value(rows.get(), 0))));
  }
}

Status bind(Connection& connection, const std::string& label, BindingDefinition binding) {
  BRAID_TRY(resolve_table(connection, binding));
  const CatalogState& state = connection.catalog_state();
  if (const BindingDefinition* other = state.binding_of_table(binding.table))
    return Status(StatusCode::kConstraint, fmt::format("graph_bind: table '{}' is bound already, to label '{}'", binding.table,
                                                       connection.name(NameKind::kLabel, other->label.value())));
  GraphWriter& writer = connection.graph_writer();
  binding.label = LabelId(writer.catalog().intern(NameKind::kLabel, label));
  if (const auto other = state.bindings.find(binding.label); other != state.bindings.end())
    return Status(StatusCode::kConstraint, fmt::format("graph_bind: label '{}' is bound already, to table '{}'", label, other->second.table));
  std::vector<NodeId> present;
  BRAID_TRY(connection.graph().scan_label(binding.label, NodeId(0), 1, present));
  if (!present.empty())
    return Status(StatusCode::kConstraint,
                  fmt::format("graph_bind: label '{}' has nodes already, node {} for one; bind a label that has none", label,
                              present.front().value()));
  binding.key = KeyId(writer.catalog().intern(NameKind::kPropertyKey, binding.key_column));
  for (const auto& [id, index] : state.indexes)
    if (!index.on_edges && index.scope == binding.label.value() && index.key != binding.key)
      BRAID_TRY(check_indexed_property(connection, binding, connection.name(NameKind::kPropertyKey, index.key.value())).within("graph_bind"));
  BRAID_ASSIGN(binding.index, writer.create_index(false, binding.label.value(), binding.key, true));
  writer.catalog().put_binding(binding);
  BRAID_TRY(bind_rows(connection, binding).within("graph_bind"));
  return create_triggers(connection, binding);
}

/// The nodes stay, with the key that they have; they are ordinary nodes from then on.
Status unbind(Connection& connection, const std::string& label) {
  const auto label_id = connection.find_name(NameKind::kLabel, label);
  const auto& bindings = connection.catalog_state().bindings;
  if (!label_id || !bindings.contains(LabelId(*label_id)))
    return Status(StatusCode::kNotFound, fmt::format("graph_unbind: label '{}' is not bound", label));
  for (const std::string_view event : kBindingEvents)
    BRAID_TRY(sqlite_run(connection.db(), "DROP TRIGGER IF EXISTS " + trigger_name(LabelId(*label_id), event)));
  connection.session().catalog_writer().remove_binding(LabelId(*label_id));
  return {};
}

}  // namespace

Status renew_binding_triggers(Connection& connection, std::string_view table) {
  const BindingDefinition* binding = connection.catalog_state().binding_of_table(table);
  if (binding == nullptr) return {};
  for (const std::string_view event : kBindingEvents)
    BRAID_TRY(sqlite_run(connection.db(), "DROP TRIGGER IF EXISTS " + trigger_name(binding->label, event)));
  return create_triggers(connection, *binding);
}

Status check_indexable(Connection& connection, LabelId label, std::string_view property) {
  const auto& bindings = connection.catalog_state().bindings;
  const auto found = bindings.find(label);
  return found == bindings.end() ? Status() : check_indexed_property(connection, found->second, property);
}

namespace {

/// Each row has one node with its key, and there are no other nodes of the label.
Status check_binding(Connection& connection, const BindingDefinition& binding, std::vector<std::string>& problems) {
  constexpr size_t kTold = 10;
  auto tell = [&problems, told = size_t{0}](std::string problem) mutable {
    if (told++ < kTold) problems.push_back(std::move(problem));
  };
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection.db(), fmt::format("SELECT {} FROM main.{}", quote_identifier(binding.key_column),
                                                                      quote_identifier(binding.table))));
  uint64_t row_count = 0, node_count = 0;
  for (;; ++row_count) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) break;
    const auto node = bound_node(connection, binding, property_of(sqlite3_column_value(rows.get(), 0)));
    if (!node.ok() && node.status().code() != StatusCode::kCorrupt) return node.status();
    if (!node.ok()) tell(node.status().message());
  }
  std::vector<NodeId> nodes;
  for (NodeId after(0);; after = nodes.back()) {
    nodes.clear();
    BRAID_TRY(connection.graph().scan_label(binding.label, after, 1000, nodes));
    node_count += nodes.size();
    if (nodes.empty()) break;
  }
  if (node_count != row_count)
    tell(fmt::format("table '{}' has {} rows and its label '{}' {} nodes", binding.table, row_count,
                     connection.name(NameKind::kLabel, binding.label.value()), node_count));
  return {};
}

}  // namespace

Status check_bindings(Connection& connection, std::vector<std::string>& problems) {
  for (const auto& [label, binding] : connection.catalog_state().bindings) {
    const Status status = check_binding(connection, binding, problems);
    if (!status.ok()) problems.push_back(fmt::format("the binding to table '{}': {}", binding.table, status.message()));
  }
  return {};
}

namespace {

Status bind_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.check_writing());
  BindingDefinition binding;
  const std::string label(text_of(values[0]));
  binding.table = text_of(values[1]);
  binding.key_column = text_of(values[2]);
  const std::string_view rule = values.size() > 3 ? text_of(values[3]) : "restrict";
  if (rule != "restrict" && rule != "detach")
    return Status(StatusCode::kInvalidArgument, fmt::format("graph_bind: '{}': expected 'restrict' or 'detach'", rule));
  if (label.empty()) return Status(StatusCode::kInvalidArgument, "graph_bind: the label is empty");
  binding.on_delete = rule == "detach" ? DeleteRule::kDetach : DeleteRule::kRestrict;
  connection.defer([&connection, label, binding] { return bind(connection, label, binding); });
  result_text(context, label);
  return {};
}

Status unbind_function(Connection& connection, sqlite3_context* context, std::span<sqlite3_value*> values) {
  BRAID_TRY(connection.check_writing());
  const std::string label(text_of(values[0]));
  connection.defer([&connection, label] { return unbind(connection, label); });
  result_text(context, label);
  return {};
}

}  // namespace

Status register_bindings(Connection& connection) {
  BRAID_TRY(register_trigger_table<BoundTable>(connection, "_braid_bound", "label, event, old_key, new_key"));
  BRAID_TRY(register_function(connection, "graph_bind", 3, FunctionUse::kDirectOnly, bind_function));
  BRAID_TRY(register_function(connection, "graph_bind", 4, FunctionUse::kDirectOnly, bind_function));
  return register_function(connection, "graph_unbind", 1, FunctionUse::kDirectOnly, unbind_function);
}

}  // namespace braid
