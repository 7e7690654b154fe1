#include "sql/algorithm_access.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/algorithms.h"
#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"
#include "sql/graph_access.h"
#include "sql/scenario.h"

namespace braid {

namespace {

constexpr std::string_view kPrefix = "graph_";

std::string parameter_names(const AlgorithmRow& algorithm) {
  std::string names;
  for (const AlgorithmParameter& parameter : algorithm.parameters) names += fmt::format("{}{}", names.empty() ? "" : ", ", parameter.name);
  return names.empty() ? "none" : names;
}

/// What the rows of an algorithm tell about, by id.
struct Subject {
  bool nodes = false;  ///< else edges
  std::string_view column;
};

bool has_column(const AlgorithmRow& algorithm, std::string_view name) {
  return std::any_of(algorithm.columns.begin(), algorithm.columns.end(), [name](const ResultColumnRow& column) { return name == column.name; });
}

Result<Subject> subject_of(const AlgorithmRow& algorithm) {
  if (std::string_view(algorithm.columns.front().name) == "node") return Subject{true, "node"};
  if (has_column(algorithm, "edge") && has_column(algorithm, "source_node")) return Subject{false, "edge"};
  return Status(StatusCode::kInvalidArgument,
                fmt::format("the rows of graph_{} do not tell about one node or edge each; its columns cannot be kept", algorithm.name));
}

/// The column to keep, or the truth where being in the result is all there is to say.
Result<std::string_view> written_column(const AlgorithmRow& algorithm, std::optional<std::string_view> wanted) {
  constexpr std::string_view kEnds[] = {"node", "edge", "source_node", "target_node"};
  std::string names;
  for (const ResultColumnRow& column : algorithm.columns) {
    const std::string_view name = column.name;
    if (std::find(std::begin(kEnds), std::end(kEnds), name) != std::end(kEnds)) continue;
    if (!wanted || *wanted == name) return name;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  }
  if (!wanted) return std::string_view("1");
  return Status(StatusCode::kInvalidArgument, fmt::format("graph_{} has no column '{}' to keep; it has {}", algorithm.name, *wanted,
                                                          names.empty() ? "none" : names));
}

struct WrittenRow {
  uint64_t id;
  PropertyValue value;
};

Result<std::vector<WrittenRow>> computed_rows(Connection& connection, std::string_view algorithm, std::string_view subject,
                                              const AlgorithmQuery& query) {
  const Session::Internal internal(connection.session());
  BRAID_ASSIGN(SqliteStatement * statement, connection.internal_statement(query.sql));
  sqlite3_stmt* raw = statement->get();
  for (size_t i = 0; i < query.values.size(); ++i) bind_value(raw, static_cast<int>(i) + 1, query.values[i]);
  std::vector<WrittenRow> rows;
  for (;;) {
    const auto more = statement->step();
    if (!more.ok()) {
      statement->reset();
      // What the algorithm's table said, as a plain SELECT would.
      return connection.reported_or(more.status());
    }
    if (!*more) break;
    rows.push_back({static_cast<uint64_t>(sqlite3_column_int64(raw, 0)), property_of(sqlite3_column_value(raw, 1))});
  }
  statement->reset();
  std::sort(rows.begin(), rows.end(), [](const WrittenRow& a, const WrittenRow& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(rows.begin(), rows.end(), [](const WrittenRow& a, const WrittenRow& b) { return a.id == b.id; });
  if (twice == rows.end()) return rows;
  return Status(StatusCode::kInvalidArgument, fmt::format("graph_{} has several rows for {} {}; a property keeps one value", algorithm,
                                                          subject, twice->id));
}

void set_property(Properties& properties, KeyId key, const PropertyValue& value) {
  std::erase_if(properties, [key](const auto& property) { return property.first == key; });
  if (!value.is_null()) properties.emplace_back(key, value);
}

Status write_node(Connection& connection, NodeId id, KeyId key, const PropertyValue& value) {
  BRAID_ASSIGN(auto node, connection.graph().node(id));
  if (!node) return Status(StatusCode::kInternal, fmt::format("node {} is gone", id.value()));
  set_property(node->properties, key, value);
  return connection.graph_writer().update_node(id, std::move(node->labels), std::move(node->properties));
}

Status write_edge(Connection& connection, EdgeId id, KeyId key, const PropertyValue& value) {
  BRAID_ASSIGN(auto edge, connection.graph().edge(id));
  if (!edge) return Status(StatusCode::kInternal, fmt::format("edge {} is gone", id.value()));
  set_property(edge->properties, key, value);
  return connection.graph_writer().update_edge(id, std::move(edge->properties));
}

/// The key of a result must be no column of the rows that are nodes: those are the row's.
Status refuse_columns(Connection& connection, std::string_view property) {
  std::vector<std::string> tables;
  for (const auto& [label, binding] : connection.catalog_state().bindings) tables.push_back(binding.table);
  for (const std::string& table : tables) {
    BRAID_ASSIGN(const auto columns, table_columns(connection, table));
    if (std::find(columns.begin(), columns.end(), property) == columns.end()) continue;
    return Status(StatusCode::kConstraint,
                  fmt::format("'{}' is a column of the bound table '{}'; choose another property, or update the rows", property, table));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Projection>> build_projection(Connection& connection, const ProjectionSpec& spec) {
  const GraphView view = connection.graph();
  const std::atomic<bool>* cancel = connection.traversal_options().cancel;
  if (!view.has_changes()) return view.base().projections().get(view, spec, cancel);
  const GraphView committed(connection.session().view(StoreKind::kGraph), nullptr);
  return view.base().projections().get_changed(committed, view, connection.graph_writer().shape(), spec, cancel);
}

Result<std::shared_ptr<const Projection>> open_projection(Connection& connection, std::optional<std::string_view> name) {
  ProjectionSpec spec;
  const size_t mark = name ? name->find(kScenarioMark) : std::string_view::npos;
  const std::string_view projection = name ? name->substr(0, mark) : "";
  // "@storm" is the whole graph in a scenario; without a mark a name must be one.
  if (name && (mark == std::string_view::npos || !projection.empty())) {
    BRAID_ASSIGN(spec, connection.graph().base().projections().find(projection));
  }
  if (mark == std::string_view::npos) return build_projection(connection, spec);
  return project_scenario(connection, name->substr(mark + 1), spec);
}

Result<bool> step_within(SqliteStatement& statement, const AlgorithmContext& context) {
  auto stepped = statement.step();
  if (!stepped.ok() && stepped.status().code() == StatusCode::kInterrupted) BRAID_TRY(context.check());
  return stepped;
}

Result<const AlgorithmRow*> find_algorithm(std::string_view name) {
  const std::string_view bare = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
  for (const AlgorithmRow& algorithm : algorithms())
    if (bare == algorithm.name) return &algorithm;
  return Status(StatusCode::kNotFound, fmt::format("there is no algorithm '{}'; the table graph_algorithms lists them", name));
}

Result<AlgorithmQuery> algorithm_query(const AlgorithmRow& algorithm, std::string_view columns, std::optional<std::string_view> projection,
                                       std::optional<std::string_view> arguments) {
  AlgorithmQuery query{fmt::format("SELECT {} FROM graph_{}", columns, algorithm.name), {}};
  const auto add = [&query](std::string_view name, PropertyValue value) {
    query.values.push_back(std::move(value));
    query.sql += fmt::format(" {} {} = ?{}", query.values.size() == 1 ? "WHERE" : "AND", name, query.values.size());
  };
  if (projection) add("projection", {std::string(*projection)});
  if (!arguments) return query;
  BRAID_ASSIGN(const PropertyValue parsed, value_from_json(*arguments));
  const auto* given = std::get_if<PropertyMap>(&parsed.value);
  if (given == nullptr) return Status(StatusCode::kInvalidArgument, "arguments: expected a JSON object, such as {\"damping\": 0.9}");
  for (const auto& [name, value] : *given) {
    const auto known = std::find_if(algorithm.parameters.begin(), algorithm.parameters.end(),
                                    [&name = name](const AlgorithmParameter& parameter) { return name == parameter.name; });
    if (known == algorithm.parameters.end())
      return Status(StatusCode::kInvalidArgument, fmt::format("graph_{} has no parameter '{}'; it has {}", algorithm.name, name,
                                                              parameter_names(algorithm)));
    add(known->name, value);
  }
  return query;
}

void bind_value(sqlite3_stmt* statement, int index, const PropertyValue& value) {
  if (const auto* flag = std::get_if<bool>(&value.value)) sqlite3_bind_int(statement, index, *flag ? 1 : 0);
  if (const auto* number = std::get_if<int64_t>(&value.value)) sqlite3_bind_int64(statement, index, *number);
  if (const auto* real = std::get_if<double>(&value.value)) sqlite3_bind_double(statement, index, *real);
  if (const auto* text = std::get_if<std::string>(&value.value))
    sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (std::holds_alternative<PropertyList>(value.value) || std::holds_alternative<PropertyMap>(value.value)) {
    const std::string json = value_to_json(value);
    sqlite3_bind_text64(statement, index, json.data(), json.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
}

Result<uint64_t> write_algorithm(Connection& connection, const AlgorithmWrite& write) {
  if (write.property.empty()) return Status(StatusCode::kInvalidArgument, "the result needs the name of a property");
  BRAID_ASSIGN(const AlgorithmRow* algorithm, find_algorithm(write.algorithm));
  BRAID_ASSIGN(const Subject subject, subject_of(*algorithm));
  BRAID_ASSIGN(const std::string_view column, written_column(*algorithm, write.column));
  if (subject.nodes) BRAID_TRY(refuse_columns(connection, write.property));
  const std::string columns = fmt::format("{}, {}", subject.column, column);
  BRAID_ASSIGN(const AlgorithmQuery query, algorithm_query(*algorithm, columns, write.projection, write.arguments));
  BRAID_ASSIGN(const auto rows, computed_rows(connection, algorithm->name, subject.column, query));
  const KeyId key(connection.graph_writer().catalog().intern(NameKind::kPropertyKey, write.property));
  for (const WrittenRow& row : rows) {
    BRAID_TRY(subject.nodes ? write_node(connection, NodeId(row.id), key, row.value)
                            : write_edge(connection, EdgeId(row.id), key, row.value));
  }
  return rows.size();
}

}  // namespace braid
