#include "sql/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"
#include "sql/graph_access.h"
#include "sql/name_argument.h"

namespace braid {

namespace {

Result<SqliteStatement*> statement_on(Connection& connection, const char* sql, std::string_view name) {
  BRAID_ASSIGN(SqliteStatement * statement, connection.internal_statement(sql));
  statement->bind_text(1, name);
  return statement;
}

/// Calls `visit` for each row, and leaves the statement ready to run again.
template <typename Visit>
Status for_each_row(SqliteStatement& statement, Visit&& visit) {
  Result<bool> more = statement.step();
  for (; more.ok() && *more; more = statement.step()) visit(statement);
  statement.reset();
  return more.status();
}

Status run_to_end(SqliteStatement& statement) {
  return for_each_row(statement, [](SqliteStatement&) {});
}

/// 0 for a scenario without steps, -1 where there is no scenario. Found by the key, however many steps there are.
Result<int64_t> last_step(Connection& connection, std::string_view name) {
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement, statement_on(connection, "SELECT coalesce(max(step), -1) FROM _braid_scenario WHERE name = ?1", name));
  int64_t last = -1;
  BRAID_TRY(for_each_row(*statement, [&last](SqliteStatement& row) { last = sqlite3_column_int64(row.get(), 0); }));
  return last;
}

Status check_name(std::string_view name) {
  if (!name.empty() && name.find(kScenarioMark) == std::string_view::npos) return check_utf8("the scenario", name);
  return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is no name for a scenario: it needs one without '@'", name));
}

Status no_scenario(Connection& connection, std::string_view name) {
  BRAID_ASSIGN(const auto names, scenario_names(connection));
  std::string list;
  for (const ScenarioName& other : names) list += fmt::format("{}'{}'", list.empty() ? "there are " : ", ", other.name);
  return Status(StatusCode::kNotFound, fmt::format("there is no scenario '{}'; {}; graph_scenario(name) makes one", name,
                                                   list.empty() ? "there are none" : list));
}

// --- Making the changes --------------------------------------------------------------------------------------------------------------

const PropertyValue* member(const PropertyMap& change, std::string_view name) {
  const auto found = std::find_if(change.begin(), change.end(), [name](const auto& item) { return item.first == name; });
  return found == change.end() ? nullptr : &found->second;
}

int64_t integer_member(const PropertyMap& change, std::string_view name) {
  const PropertyValue* value = member(change, name);
  const auto* integer = value == nullptr ? nullptr : std::get_if<int64_t>(&value->value);
  return integer == nullptr ? 0 : *integer;
}

std::string text_member(const PropertyMap& change, std::string_view name) {
  const PropertyValue* value = member(change, name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(&value->value);
  return text == nullptr ? std::string() : *text;
}

/// Makes changes through a writer, which may be one whose changes nobody will ever see.
class ScenarioChanges {
 public:
  /// `connection` null: bound nodes may go, since no row is touched.
  ScenarioChanges(GraphWriter& writer, Connection* connection) : writer_(writer), connection_(connection) {}

  Status make(const ScenarioStep& step);

 private:
  using Body = Status (ScenarioChanges::*)(int64_t, const PropertyMap&);

  Result<NodeId> node(const PropertyMap& change, std::string_view name) const {
    const int64_t id = integer_member(change, name);
    if (id > 0) return NodeId(static_cast<uint64_t>(id));
    const auto added = id < -INT64_MAX ? added_.end() : added_.find(-id);
    if (added != added_.end()) return added->second;
    return Status(StatusCode::kNotFound, fmt::format("{} names no node that an earlier step adds", id));
  }
  KeyId key(std::string_view name) { return KeyId(writer_.catalog().intern(NameKind::kPropertyKey, name)); }
  Properties properties(const PropertyMap& change) {
    Properties out;
    const PropertyValue* given = member(change, "properties");
    const auto* map = given == nullptr ? nullptr : std::get_if<PropertyMap>(&given->value);
    for (const auto& [name, value] : map == nullptr ? PropertyMap() : *map) out.emplace_back(key(name), value);
    return out;
  }

  Status add_node(int64_t step, const PropertyMap& change) {
    std::vector<LabelId> labels;
    const PropertyValue* given = member(change, "labels");
    const auto* list = given == nullptr ? nullptr : std::get_if<PropertyList>(&given->value);
    for (const PropertyValue& label : list == nullptr ? PropertyList() : *list)
      if (const auto* name = std::get_if<std::string>(&label.value)) labels.emplace_back(writer_.catalog().intern(NameKind::kLabel, *name));
    for (const LabelId label : labels) {
      const auto binding = writer_.catalog().state().bindings.find(label);
      if (binding != writer_.catalog().state().bindings.end())
        return Status(StatusCode::kConstraint, fmt::format("its label is bound to table '{}': a scenario adds no rows", binding->second.table));
    }
    BRAID_ASSIGN(added_[step], writer_.create_node(std::move(labels), properties(change)));
    return {};
  }
  Status remove_node(int64_t, const PropertyMap& change) {
    BRAID_ASSIGN(const NodeId id, node(change, "node"));
    return connection_ == nullptr ? writer_.delete_node(id, DeleteRule::kDetach) : delete_node(*connection_, id, DeleteRule::kDetach);
  }
  Status add_edge(int64_t, const PropertyMap& change) {
    BRAID_ASSIGN(const NodeId source, node(change, "source"));
    BRAID_ASSIGN(const NodeId target, node(change, "target"));
    BRAID_ASSIGN(const TypeId type, type_for_writing(writer_, text_member(change, "type")));
    return writer_.create_edge(source, type, target, properties(change)).status();
  }
  Status remove_edge(int64_t, const PropertyMap& change) {
    return writer_.delete_edge(EdgeId(static_cast<uint64_t>(integer_member(change, "edge"))));
  }
  Status set(int64_t, const PropertyMap& change) {
    const EdgeId id(static_cast<uint64_t>(integer_member(change, "edge")));
    BRAID_ASSIGN(const auto edge, writer_.view().edge(id));
    if (!edge) return Status(StatusCode::kNotFound, fmt::format("there is no edge {}", id.value()));
    Properties kept = edge->properties;
    const KeyId changed = key(text_member(change, "property"));
    std::erase_if(kept, [changed](const auto& property) { return property.first == changed; });
    if (const PropertyValue* value = member(change, "value"); value != nullptr && !value->is_null()) kept.emplace_back(changed, *value);
    return writer_.update_edge(id, std::move(kept));
  }

  GraphWriter& writer_;
  Connection* const connection_;
  std::map<int64_t, NodeId> added_;  // by step
};

Status ScenarioChanges::make(const ScenarioStep& step) {
  constexpr std::pair<std::string_view, Body> kChanges[] = {
      {"add_node", &ScenarioChanges::add_node}, {"remove_node", &ScenarioChanges::remove_node},
      {"add_edge", &ScenarioChanges::add_edge}, {"remove_edge", &ScenarioChanges::remove_edge},
      {"set", &ScenarioChanges::set}};
  BRAID_ASSIGN(const PropertyValue parsed, value_from_json(step.change));
  const auto* change = std::get_if<PropertyMap>(&parsed.value);
  const std::string kind = change == nullptr ? std::string() : text_member(*change, "change");
  for (const auto& [name, body] : kChanges)
    if (name == kind) return (this->*body)(step.step, *change);
  return Status(StatusCode::kCorrupt, fmt::format("'{}' is no change", step.change));
}

Status make_changes(Connection& connection, std::string_view name, GraphWriter& writer, bool for_good, int64_t& count) {
  BRAID_ASSIGN(const auto steps, scenario_steps(connection, name));
  ScenarioChanges changes(writer, for_good ? &connection : nullptr);
  for (const ScenarioStep& step : steps) BRAID_TRY(changes.make(step).within(fmt::format("scenario '{}', step {}", name, step.step)));
  count = static_cast<int64_t>(steps.size());
  return {};
}

}  // namespace

Status create_scenario(Connection& connection, std::string_view name) {
  BRAID_TRY(check_name(name));
  BRAID_ASSIGN(const auto names, scenario_names(connection));
  if (std::any_of(names.begin(), names.end(), [name](const ScenarioName& other) { return other.name == name; }))
    return Status(StatusCode::kConstraint, fmt::format("there is a scenario '{}' already; graph_scenario_drop('{}') drops it", name, name));
  const Session::Internal internal(connection.session());
  // Step 0 stands for the scenario itself.
  BRAID_ASSIGN(SqliteStatement * statement, statement_on(connection, "INSERT INTO _braid_scenario VALUES(?1, 0, '')", name));
  return run_to_end(*statement);
}

Result<std::vector<ScenarioName>> scenario_names(Connection& connection) {
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement, connection.internal_statement("SELECT name, count(*) - 1 FROM _braid_scenario GROUP BY name ORDER BY name"));
  std::vector<ScenarioName> names;
  BRAID_TRY(for_each_row(*statement, [&names](SqliteStatement& row) {
    names.push_back({std::string(row.bytes(0)), sqlite3_column_int64(row.get(), 1)});
  }));
  return names;
}

Result<std::vector<ScenarioStep>> scenario_steps(Connection& connection, std::string_view name) {
  std::vector<ScenarioStep> steps;
  {
    const Session::Internal internal(connection.session());
    BRAID_ASSIGN(SqliteStatement * statement, statement_on(connection, "SELECT step, change FROM _braid_scenario WHERE name = ?1 ORDER BY step", name));
    BRAID_TRY(for_each_row(*statement, [&steps](SqliteStatement& row) {
      steps.push_back({sqlite3_column_int64(row.get(), 0), std::string(row.bytes(1))});
    }));
  }
  if (steps.empty()) return no_scenario(connection, name);
  steps.erase(steps.begin());
  return steps;
}

Result<int64_t> add_scenario_step(Connection& connection, std::string_view name, const PropertyMap& change) {
  BRAID_ASSIGN(const int64_t last, last_step(connection, name));
  if (last < 0) return no_scenario(connection, name);
  if (last >= kScenarioStepsMax)
    return Status(StatusCode::kLimit, fmt::format("scenario '{}' has its step {}, which is the last that there can be", name, last));
  const int64_t step = last + 1;
  const std::string text = value_to_json({change});
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement, statement_on(connection, "INSERT INTO _braid_scenario VALUES(?1, ?2, ?3)", name));
  sqlite3_bind_int64(statement->get(), 2, step);
  statement->bind_text(3, text);
  BRAID_TRY(run_to_end(*statement));
  return step;
}

Status undo_scenario_step(Connection& connection, std::string_view name, int64_t step) {
  BRAID_ASSIGN(const auto steps, scenario_steps(connection, name));
  const auto found = std::find_if(steps.begin(), steps.end(), [step](const ScenarioStep& other) { return other.step == step; });
  if (found == steps.end()) return Status(StatusCode::kNotFound, fmt::format("scenario '{}' has no step {}", name, step));
  for (const ScenarioStep& other : steps) {
    BRAID_ASSIGN(const PropertyValue parsed, value_from_json(other.change));
    for (const char* end : {"source", "target", "node"})
      if (integer_member(std::get<PropertyMap>(parsed.value), end) == -step)
        return Status(StatusCode::kConstraint, fmt::format("scenario '{}': step {} names the node that step {} adds", name, other.step, step));
  }
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement, statement_on(connection, "DELETE FROM _braid_scenario WHERE name = ?1 AND step = ?2", name));
  sqlite3_bind_int64(statement->get(), 2, step);
  return run_to_end(*statement);
}

Status drop_scenario(Connection& connection, std::string_view name) {
  BRAID_TRY(scenario_steps(connection, name).status());
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement, statement_on(connection, "DELETE FROM _braid_scenario WHERE name = ?1", name));
  return run_to_end(*statement);
}

Result<int64_t> keep_scenario(Connection& connection, std::string_view name) {
  int64_t count = 0;
  BRAID_TRY(make_changes(connection, name, connection.graph_writer(), true, count));
  BRAID_TRY(drop_scenario(connection, name));
  return count;
}

Result<std::shared_ptr<const Projection>> project_scenario(Connection& connection, std::string_view name, const ProjectionSpec& spec) {
  const GraphView graph = connection.graph();
  if (graph.has_changes())
    return Status(StatusCode::kMisuse, fmt::format("scenario '{}': this transaction has changed the graph itself; scenarios are tried on the "
                                                   "committed graph", name));
  // A writer whose changes are never committed: the graph with them is what its view shows.
  CatalogWriter catalog(connection.engine().catalog(), connection.session().shared_catalog_state(), {});
  const RecentChanges no_changes;
  GraphWriter writer(connection.session().view(StoreKind::kGraph), catalog, no_changes);
  int64_t count = 0;
  BRAID_TRY(make_changes(connection, name, writer, false, count));
  return graph.base().projections().get_changed(graph, writer.view(), writer.shape(), spec, connection.traversal_options().cancel);
}

}  // namespace braid
