// Projections and the algorithms that run on them: graph_project and its family, and a table-valued function for each row of
// graph/algorithms.
#include <fmt/format.h>

#include <cmath>

#include "graph/algorithms.h"
#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"
#include "graph/property.h"
#include "sql/algorithm_access.h"
#include "sql/graph_access.h"
#include "sql/name_argument.h"
#include "sql/scenario.h"
#include "sql/table_function.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Values = std::span<sqlite3_value*>;

constexpr std::pair<std::string_view, Orientation> kOrientations[] = {
    {"natural", Orientation::kNatural}, {"reverse", Orientation::kReverse}, {"undirected", Orientation::kUndirected}};

std::string_view orientation_text(Orientation orientation) {
  for (const auto& [name, value] : kOrientations)
    if (value == orientation) return name;
  return "";
}

// --- What is projected ---------------------------------------------------------------------------------------------------------------

template <typename Id>
Status ids_of(Connection& connection, NameKind kind, sqlite3_value* value, std::string_view what, std::vector<Id>& out) {
  BRAID_ASSIGN(const std::vector<std::string> names, choice_argument(optional_text(value), fmt::format("graph_project: {}", what)));
  for (const std::string& name : names) {
    const auto id = connection.find_name(kind, name);
    if (!id) return Status(StatusCode::kNotFound, fmt::format("graph_project: {} '{}' is not used in the graph", what, name));
    out.emplace_back(*id);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return {};
}

/// Labels, types, weight and orientation; those that are left out or NULL: everything, 1, natural.
Result<ProjectionSpec> spec_argument(Connection& connection, Values values) {
  ProjectionSpec spec;
  const auto given = [&](size_t index) { return index < values.size() ? values[index] : nullptr; };
  if (given(0) != nullptr) BRAID_TRY(ids_of(connection, NameKind::kLabel, given(0), "label", spec.labels));
  if (given(1) != nullptr) BRAID_TRY(ids_of(connection, NameKind::kEdgeType, given(1), "edge type", spec.types));
  if (const auto weight = given(2) == nullptr ? std::nullopt : optional_text(given(2))) {
    const auto key = connection.find_name(NameKind::kPropertyKey, *weight);
    if (!key) return Status(StatusCode::kNotFound, fmt::format("graph_project: no edge has a property '{}'", *weight));
    spec.weight = KeyId(*key);
  }
  if (const auto text = given(3) == nullptr ? std::nullopt : optional_text(given(3))) {
    const auto found = std::find_if(std::begin(kOrientations), std::end(kOrientations), [&](const auto& row) { return row.first == *text; });
    if (found == std::end(kOrientations))
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("graph_project: orientation '{}': expected 'natural', 'reverse' or 'undirected'", *text));
    spec.orientation = found->second;
  }
  return spec;
}

std::string figures_of(const Projection& projection) {
  return fmt::format(R"({{"nodes":{},"edges":{},"bytes":{}}})", projection.vertex_count(), projection.edge_count(),
                     projection.memory_bytes());
}

Status project_function(Connection& connection, sqlite3_context* context, Values values) {
  const auto name = values.empty() ? std::nullopt : optional_text(values[0]);
  if (!name || name->empty() || values.size() > 5)
    return Status(StatusCode::kInvalidArgument, "graph_project takes a name, labels, edge types, a weight property and an orientation; all "
                                                "but the name may be NULL or left out");
  if (name->find(kScenarioMark) != std::string_view::npos)
    return Status(StatusCode::kInvalidArgument, fmt::format("graph_project: '{}': '@' stands before a scenario's name", *name));
  BRAID_TRY(check_utf8("the projection", *name).within("graph_project"));
  BRAID_ASSIGN(const ProjectionSpec spec, spec_argument(connection, values.subspan(1)));
  BRAID_ASSIGN(const auto projection, build_projection(connection, spec));
  BRAID_TRY(connection.graph().base().projections().define(*name, spec));
  result_text(context, figures_of(*projection));
  return {};
}

Status estimate_function(Connection& connection, sqlite3_context* context, Values values) {
  if (values.size() > 4)
    return Status(StatusCode::kInvalidArgument, "graph_project_estimate takes labels, edge types, a weight property and an orientation");
  BRAID_ASSIGN(const ProjectionSpec spec, spec_argument(connection, values));
  BRAID_ASSIGN(const ProjectionSize size, estimate_projection(connection.graph(), spec));
  result_text(context, fmt::format(R"({{"nodes":{},"edges":{},"bytes":{}}})", size.nodes, size.edges, size.bytes));
  return {};
}

/// The algorithm, a projection or NULL, the property; then a column and arguments, either of which may be NULL.
Status write_function(Connection& connection, sqlite3_context* context, Values values) {
  BRAID_TRY(connection.check_writing());
  if (values.size() < 3 || values.size() > 5)
    return Status(StatusCode::kInvalidArgument, "graph_write takes an algorithm, a projection or NULL, a property for the result, and then "
                                                "one of its columns and its arguments as a JSON object, if wanted");
  const auto text = [&](size_t index) { return index < values.size() ? optional_text(values[index]) : std::nullopt; };
  BRAID_ASSIGN(const uint64_t count,
               write_algorithm(connection, {text_of(values[0]), text(1), text_of(values[2]), text(3), text(4)}));
  sqlite3_result_int64(context, static_cast<int64_t>(count));
  return {};
}

Status drop_projection_function(Connection& connection, sqlite3_context*, Values values) {
  return connection.graph().base().projections().drop(text_of(values[0]));
}

template <typename Ids>
Cell names_of(Connection& connection, NameKind kind, const Ids& ids) {
  if (ids.empty()) return {};
  PropertyList list;
  for (const auto id : ids) list.push_back({connection.name(kind, id.value())});
  return value_to_json({std::move(list)});
}

Result<std::unique_ptr<FunctionResult>> list_projections(Connection& connection, Parameters) {
  const GraphView view = connection.graph();
  std::vector<Row> rows;
  for (const auto& named : view.base().projections().list(view.base())) {
    Row row = {named.name, names_of(connection, NameKind::kLabel, named.spec.labels),
               names_of(connection, NameKind::kEdgeType, named.spec.types), Cell(), std::string(orientation_text(named.spec.orientation))};
    if (named.spec.weight) row[3] = connection.name(NameKind::kPropertyKey, named.spec.weight->value());
    if (named.built != nullptr) {
      row.insert(row.end(), {static_cast<int64_t>(named.built->vertex_count()), static_cast<int64_t>(named.built->edge_count()),
                             static_cast<int64_t>(named.built->memory_bytes())});
    } else {
      row.resize(8);
    }
    row.emplace_back(int64_t{named.current});
    rows.push_back(std::move(row));
  }
  return make_rows(std::move(rows));
}

// --- Running an algorithm ------------------------------------------------------------------------------------------------------------

class AlgorithmRows final : public FunctionResult {
 public:
  AlgorithmRows(std::shared_ptr<const Projection> projection, std::span<const ResultColumnRow> columns, AlgorithmResult result)
      : projection_(std::move(projection)), columns_(columns), result_(std::move(result)) {}

  size_t size() const override { return result_.row_count; }
  void column(sqlite3_context* context, size_t row, int column) const override {
    const auto index = static_cast<size_t>(column);
    const ResultColumn& values = result_.columns[index];
    if (columns_[index].kind == ColumnKind::kReal) {
      sqlite3_result_double(context, values.reals[row]);  // SQLite makes NULL of NaN
      return;
    }
    const int64_t value = values.integers[row];
    if (value == ResultColumn::kNoValue) return;
    const bool is_node = columns_[index].kind == ColumnKind::kNode;
    sqlite3_result_int64(context, is_node ? static_cast<int64_t>(projection_->node(static_cast<Vertex>(value)).value()) : value);
  }

 private:
  const std::shared_ptr<const Projection> projection_;  // shared with the cache
  const std::span<const ResultColumnRow> columns_;
  const AlgorithmResult result_;
};

Status out_of_range(const AlgorithmRow& algorithm, const AlgorithmParameter& parameter, std::string_view given) {
  std::string expected = parameter.choices != nullptr ? std::string(parameter.choices) : "";
  if (parameter.kind == ParameterKind::kInteger || parameter.kind == ParameterKind::kReal)
    expected = fmt::format("{} from {} to {}", parameter.kind == ParameterKind::kReal ? "a number" : "a whole number", parameter.minimum,
                           parameter.maximum);
  return Status(StatusCode::kInvalidArgument,
                fmt::format("graph_{}: {} '{}': expected {}", algorithm.name, parameter.name, given, expected));
}

bool is_choice(std::string_view choices, std::string_view word) {
  while (!choices.empty()) {
    const size_t end = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, end) == word) return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

Result<ArgumentValue> number_argument(const AlgorithmRow& algorithm, const AlgorithmParameter& parameter, sqlite3_value* value) {
  const bool whole = parameter.kind == ParameterKind::kInteger;
  const int type = sqlite3_value_numeric_type(value);
  if (type != SQLITE_INTEGER && (whole || type != SQLITE_FLOAT)) return out_of_range(algorithm, parameter, text_of(value));
  const double number = sqlite3_value_double(value);
  if (!(number >= parameter.minimum && number <= parameter.maximum)) return out_of_range(algorithm, parameter, text_of(value));
  return whole ? ArgumentValue(int64_t{sqlite3_value_int64(value)}) : ArgumentValue(number);
}

/// The value given, or the one that the parameter has without: none for a node, or where the number is NaN.
Result<ArgumentValue> argument_value(const AlgorithmRow& algorithm, const AlgorithmParameter& parameter, sqlite3_value* value,
                                     const Projection& projection) {
  const bool given = value != nullptr && sqlite3_value_type(value) != SQLITE_NULL;
  switch (parameter.kind) {
    case ParameterKind::kNode: {
      if (!given) return ArgumentValue();
      BRAID_ASSIGN(const auto node, node_parameter({&value, 1}, 0, fmt::format("graph_{}: {}", algorithm.name, parameter.name)));
      const auto vertex = projection.vertex(*node);
      if (!vertex)
        return Status(StatusCode::kNotFound,
                      fmt::format("graph_{}: {}: node {} is not in the projection", algorithm.name, parameter.name, node->value()));
      return ArgumentValue(*vertex);
    }
    case ParameterKind::kInteger:
      if (given) return number_argument(algorithm, parameter, value);
      return std::isnan(parameter.fallback) ? ArgumentValue() : ArgumentValue(static_cast<int64_t>(parameter.fallback));
    case ParameterKind::kReal:
      if (given) return number_argument(algorithm, parameter, value);
      return std::isnan(parameter.fallback) ? ArgumentValue() : ArgumentValue(parameter.fallback);
    case ParameterKind::kText: break;
  }
  if (parameter.choices == nullptr) return ArgumentValue(std::string(given ? text_of(value) : parameter.text));
  const std::string_view choices = parameter.choices;
  if (!given) return ArgumentValue(std::string(choices.substr(0, choices.find('|'))));
  if (!is_choice(choices, text_of(value))) return out_of_range(algorithm, parameter, text_of(value));
  return ArgumentValue(std::string(text_of(value)));
}

Result<std::optional<double>> node_number(NodeProperties& properties, NodeId node, std::string_view name) {
  BRAID_ASSIGN(const PropertyValue* value, properties.find(node, name));
  if (value == nullptr) return std::optional<double>();
  if (const auto* integer = std::get_if<int64_t>(&value->value)) return std::optional(static_cast<double>(*integer));
  if (const auto* real = std::get_if<double>(&value->value)) return std::optional(*real);
  return Status(StatusCode::kInvalidArgument,
                fmt::format("property '{}' of node {} is no number but {}", name, node.value(), value_to_json(*value)));
}

/// `parameters` begin with the projection's name; without it the whole graph is projected.
Result<std::unique_ptr<FunctionResult>> run_algorithm(const AlgorithmRow& algorithm, Connection& connection, Parameters parameters) {
  // A required node that is NULL was looked up and not found: nothing starts there.
  for (size_t i = 0; i < algorithm.parameters.size(); ++i)
    if (algorithm.parameters[i].required && sqlite3_value_type(parameters[i + 1]) == SQLITE_NULL) return make_rows({});
  BRAID_ASSIGN(auto projection, open_projection(connection, text_parameter(parameters, 0)));
  std::vector<ArgumentValue> values;
  for (size_t i = 0; i < algorithm.parameters.size(); ++i) {
    BRAID_ASSIGN(ArgumentValue value, argument_value(algorithm, algorithm.parameters[i], parameters[i + 1], *projection));
    values.push_back(std::move(value));
  }
  AlgorithmContext context = connection.algorithm_context();
  NodeProperties properties(connection);
  context.node_number = [&](Vertex vertex, std::string_view name) { return node_number(properties, projection->node(vertex), name); };
  // What the algorithms keep by vertex and by entry, give or take: their table tells the order of it.
  constexpr uint64_t kVertexBytes = 64;
  constexpr uint64_t kEntryBytes = 8;
  BRAID_TRY(context.take(projection->vertex_count() * kVertexBytes + projection->edge_count() * kEntryBytes));
  AlgorithmResult result;
  BRAID_TRY(algorithm.run(*projection, AlgorithmArguments(std::move(values)), context, result)
                .within(fmt::format("graph_{}", algorithm.name)));
  return std::unique_ptr<FunctionResult>(std::make_unique<AlgorithmRows>(std::move(projection), algorithm.columns, std::move(result)));
}

const char* declared_type(ColumnKind kind) { return kind == ColumnKind::kReal ? "REAL" : "INTEGER"; }

TableFunction function_of(const AlgorithmRow& algorithm) {
  TableFunction function;
  function.name = fmt::format("graph_{}", algorithm.name);
  for (const ResultColumnRow& column : algorithm.columns)
    function.columns += fmt::format("{}{} {}", function.columns.empty() ? "" : ", ", column.name, declared_type(column.kind));
  function.column_count = static_cast<int>(algorithm.columns.size());
  function.parameters.push_back({"projection"});
  for (const AlgorithmParameter& parameter : algorithm.parameters) function.parameters.push_back({parameter.name, parameter.required});
  function.run = [&algorithm](Connection& connection, Parameters parameters) { return run_algorithm(algorithm, connection, parameters); };
  return function;
}

const std::vector<TableFunction>& algorithm_functions() {
  static const std::vector<TableFunction> functions = [] {
    std::vector<TableFunction> out;
    for (const AlgorithmRow& algorithm : algorithms()) out.push_back(function_of(algorithm));
    return out;
  }();
  return functions;
}

std::string described(const AlgorithmParameter& parameter) {
  if (parameter.required) return fmt::format("{} (required)", parameter.name);
  if (parameter.choices != nullptr) return fmt::format("{} ({})", parameter.name, parameter.choices);
  if (parameter.kind == ParameterKind::kText) return fmt::format("{} ('{}')", parameter.name, parameter.text);
  if (parameter.kind == ParameterKind::kNode || std::isnan(parameter.fallback)) return parameter.name;
  return fmt::format("{} ({}; {} to {})", parameter.name, parameter.fallback, parameter.minimum, parameter.maximum);
}

Result<std::unique_ptr<FunctionResult>> list_algorithms(Connection&, Parameters) {
  std::vector<Row> rows;
  for (const AlgorithmRow& algorithm : algorithms()) {
    std::string parameters = "projection";
    for (const AlgorithmParameter& parameter : algorithm.parameters) parameters += ", " + described(parameter);
    std::string columns;
    for (const ResultColumnRow& column : algorithm.columns) columns += fmt::format("{}{}", columns.empty() ? "" : ", ", column.name);
    rows.push_back({fmt::format("graph_{}", algorithm.name), std::string(algorithm.about), std::move(parameters), std::move(columns),
                    std::string(algorithm.source), std::string(algorithm.cost)});
  }
  return make_rows(std::move(rows));
}

}  // namespace

Status register_algorithm_tables(Connection& connection) {
  static const TableFunction kTables[] = {
      {"graph_projections",
       "name TEXT, labels TEXT, types TEXT, weight TEXT, orientation TEXT, nodes INTEGER, edges INTEGER, bytes INTEGER, current INTEGER", 9, {},
       list_projections},
      {"graph_algorithms", "name TEXT, about TEXT, parameters TEXT, columns TEXT, source TEXT, cost TEXT", 6, {}, list_algorithms},
  };
  for (const TableFunction& table : kTables) BRAID_TRY(register_table_function(connection, table));
  for (const TableFunction& function : algorithm_functions()) BRAID_TRY(register_table_function(connection, function));
  BRAID_TRY(register_function(connection, "graph_project", -1, FunctionUse::kDirectOnly, project_function));
  BRAID_TRY(register_function(connection, "graph_project_estimate", -1, FunctionUse::kDirectOnly, estimate_function));
  BRAID_TRY(register_function(connection, "graph_write", -1, FunctionUse::kDirectOnly, write_function));
  return register_function(connection, "graph_project_drop", 1, FunctionUse::kDirectOnly, drop_projection_function);
}

}  // namespace braid
