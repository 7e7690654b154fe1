// graph_neighbors, graph_hops and graph_shortest_path: table-valued functions. Their parameters are hidden columns, given in
// parentheses or by name (WHERE start = 5).
#include <array>
#include <variant>

#include <fmt/format.h>

#include "sql/graph_access.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

/// One value of a result row.
using Cell = std::variant<std::monostate, int64_t, double, std::string>;
using Row = std::vector<Cell>;

struct ParameterRow {
  const char* name;
  bool required;
};

struct FunctionRow {
  const char* name;
  const char* columns;  // of the result, as declared
  int column_count;
  std::span<const ParameterRow> parameters;
  Status (*run)(Connection&, std::span<sqlite3_value* const> parameters, std::vector<Row>& rows);
};

std::optional<std::string_view> text_parameter(std::span<sqlite3_value* const> parameters, size_t index) {
  return parameters[index] == nullptr ? std::nullopt : optional_text(parameters[index]);
}

Result<std::optional<NodeId>> node_parameter(std::span<sqlite3_value* const> parameters, size_t index, std::string_view name) {
  sqlite3_value* value = parameters[index];
  if (value == nullptr || sqlite3_value_type(value) == SQLITE_NULL) return std::optional<NodeId>();
  if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER || sqlite3_value_int64(value) <= 0)
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: '{}' is not a node id; graph_node(label, property, value) finds it", name, text_of(value)));
  return std::optional(NodeId(static_cast<uint64_t>(sqlite3_value_int64(value))));
}

Status walk_parameters(Connection& connection, std::span<sqlite3_value* const> parameters, size_t first, TraversalOptions& options) {
  options = connection.traversal_options();
  if (const auto text = text_parameter(parameters, first)) {
    BRAID_ASSIGN(options.direction, direction_of(*text));
  }
  options.type = type_for_reading(connection, text_parameter(parameters, first + 1));
  return {};
}

int64_t number(auto id) { return static_cast<int64_t>(id.value()); }

/// 0 stands for "none": the start of a walk has no edge before it.
Cell cell_or_null(auto id) { return id.value() == 0 ? Cell() : Cell(number(id)); }

constexpr ParameterRow kNeighborParameters[] = {{"start", true}, {"along", false}, {"of_type", false}};

Status run_neighbors(Connection& connection, std::span<sqlite3_value* const> parameters, std::vector<Row>& rows) {
  BRAID_ASSIGN(const auto start, node_parameter(parameters, 0, "graph_neighbors"));
  if (!start) return {};
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, 1, options));
  std::vector<Neighbor> neighbors;
  BRAID_TRY(connection.graph().neighbors(*start, options.direction, options.type, options.visits_max + 1, neighbors));
  if (neighbors.size() > options.visits_max)
    return Status(StatusCode::kLimit, fmt::format("node {} has more than {} neighbours, as traversal_nodes_max allows", start->value(),
                                                  options.visits_max));
  for (const Neighbor& neighbor : neighbors)
    rows.push_back({number(neighbor.edge), connection.name(NameKind::kEdgeType, neighbor.type.value()), number(neighbor.node),
                    std::string(direction_text(neighbor.direction))});
  return {};
}

constexpr ParameterRow kHopParameters[] = {{"start", true}, {"hops", true}, {"along", false}, {"of_type", false}};

Status run_hops(Connection& connection, std::span<sqlite3_value* const> parameters, std::vector<Row>& rows) {
  BRAID_ASSIGN(const auto start, node_parameter(parameters, 0, "graph_hops"));
  if (!start) return {};
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, 2, options));
  const int64_t depth_limit = options.depth_max;
  if (sqlite3_value_type(parameters[1]) != SQLITE_NULL) {
    const int64_t hops = sqlite3_value_int64(parameters[1]);
    if (sqlite3_value_numeric_type(parameters[1]) != SQLITE_INTEGER || hops < 0)
      return Status(StatusCode::kInvalidArgument, fmt::format("graph_hops: '{}' hops: expected a whole number from 0", text_of(parameters[1])));
    if (hops > depth_limit)
      return Status(StatusCode::kLimit, fmt::format("graph_hops: {} hops, traversal_depth_max allows {}", hops, depth_limit));
    options.depth_max = static_cast<uint32_t>(hops);
  } else if (depth_limit < UINT32_MAX) {
    ++options.depth_max;  // one more shows whether the limit cuts the walk
  }
  BRAID_ASSIGN(const auto reached, k_hops(connection.graph(), *start, options));
  if (!reached.empty() && reached.back().depth > depth_limit)
    return Status(StatusCode::kLimit, fmt::format("graph_hops: the walk goes on after {} hops, traversal_depth_max allows no more", depth_limit));
  for (const Reached& item : reached)
    rows.push_back({number(item.node), int64_t{item.depth}, cell_or_null(item.via), cell_or_null(item.previous)});
  return {};
}

constexpr ParameterRow kPathParameters[] = {
    {"source", true}, {"target", true}, {"along", false}, {"of_type", false}, {"weight", false}};

Status run_path(Connection& connection, std::span<sqlite3_value* const> parameters, std::vector<Row>& rows) {
  BRAID_ASSIGN(const auto source, node_parameter(parameters, 0, "graph_shortest_path: source"));
  BRAID_ASSIGN(const auto target, node_parameter(parameters, 1, "graph_shortest_path: target"));
  if (!source || !target) return {};
  TraversalOptions options;
  BRAID_TRY(walk_parameters(connection, parameters, 2, options));
  BRAID_ASSIGN(const auto path, find_path(connection, *source, *target, text_parameter(parameters, 4), options));
  if (!path) return {};
  for (size_t i = 0; i < path->nodes.size(); ++i)
    rows.push_back({static_cast<int64_t>(i), number(path->nodes[i]), i == 0 ? Cell() : Cell(number(path->edges[i - 1])), path->cost});
  return {};
}

constexpr FunctionRow kFunctions[] = {
    {"graph_neighbors", "edge INTEGER, type TEXT, node INTEGER, direction TEXT", 4, kNeighborParameters, run_neighbors},
    {"graph_hops", "node INTEGER, depth INTEGER, via_edge INTEGER, previous INTEGER", 4, kHopParameters, run_hops},
    {"graph_shortest_path", "step INTEGER, node INTEGER, edge INTEGER, cost REAL", 4, kPathParameters, run_path},
};

class FunctionCursor final : public VirtualCursor {
 public:
  FunctionCursor(Connection& connection, const FunctionRow& function) : connection_(connection), function_(function) {}

  /// `plan` has a bit per parameter given, in the order of the values.
  Status filter(int plan, const char*, std::span<sqlite3_value*> values) override {
    std::vector<sqlite3_value*> parameters(function_.parameters.size(), nullptr);
    size_t used = 0;
    for (size_t i = 0; i < parameters.size(); ++i)
      if ((plan >> i & 1) != 0) parameters[i] = values[used++];
    rows_.clear();
    index_ = 0;
    call_ = call_number(parameters);
    for (size_t i = 0; i < parameters.size(); ++i)
      if (function_.parameters[i].required && parameters[i] == nullptr)
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("{} needs its parameter '{}'", function_.name, function_.parameters[i].name));
    return function_.run(connection_, parameters, rows_);
  }
  Status next() override {
    ++index_;
    return {};
  }
  bool at_end() const override { return index_ >= rows_.size(); }
  /// Where SQLite looks for rows by several ways (WHERE a OR b) it takes those of one number for the same row, so the numbers of calls with
  /// other parameters differ.
  int64_t rowid() const override { return static_cast<int64_t>(call_ << kIndexBits | index_); }

  Status column(sqlite3_context* context, int column) override {
    // Parameters are constraints that SQLite does not check again, so their columns are never read.
    if (column >= function_.column_count) return {};
    const Cell& cell = rows_[index_][static_cast<size_t>(column)];
    if (const auto* integer = std::get_if<int64_t>(&cell)) sqlite3_result_int64(context, *integer);
    if (const auto* real = std::get_if<double>(&cell)) sqlite3_result_double(context, *real);
    if (const auto* text = std::get_if<std::string>(&cell)) result_text(context, *text);
    return {};
  }

 private:
  static constexpr int kIndexBits = 24;

  static uint64_t call_number(std::span<sqlite3_value* const> parameters) {
    std::string call;
    for (sqlite3_value* value : parameters) {
      const std::string_view text = value == nullptr ? std::string_view() : text_of(value);
      call += fmt::format("{}:{}:{};", value == nullptr ? 0 : sqlite3_value_type(value), text.size(), text);
    }
    return std::hash<std::string>()(call) >> kIndexBits;
  }

  Connection& connection_;
  const FunctionRow& function_;
  uint64_t call_ = 0;
  std::vector<Row> rows_;
  size_t index_ = 0;
};

class FunctionTable final : public VirtualTable {
 public:
  FunctionTable(Connection& connection, const FunctionRow& function) : VirtualTable(connection), function_(function) {}

  int best_index(sqlite3_index_info& info) override {
    std::array<int, 8> constraint_of;
    constraint_of.fill(-1);
    for (int i = 0; i < info.nConstraint; ++i) {
      const auto& constraint = info.aConstraint[i];
      const int parameter = constraint.iColumn - function_.column_count;
      if (parameter < 0 || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      // A parameter that comes from a table not yet read: another order of the join can give it.
      if (constraint.usable == 0) return SQLITE_CONSTRAINT;
      constraint_of[static_cast<size_t>(parameter)] = i;
    }
    int argument = 0;
    info.idxNum = 0;
    for (size_t parameter = 0; parameter < function_.parameters.size(); ++parameter) {
      if (constraint_of[parameter] < 0) continue;
      auto& usage = info.aConstraintUsage[constraint_of[parameter]];
      usage.argvIndex = ++argument;
      usage.omit = 1;
      info.idxNum |= 1 << parameter;
    }
    info.estimatedCost = 100;
    info.estimatedRows = 50;
    // The call will fail with a message; any plan that gives the parameter is better.
    for (size_t i = 0; i < function_.parameters.size(); ++i)
      if (function_.parameters[i].required && constraint_of[i] < 0) info.estimatedCost = 1e12;
    return SQLITE_OK;
  }
  std::unique_ptr<VirtualCursor> open() override { return std::make_unique<FunctionCursor>(connection, function_); }

 private:
  const FunctionRow& function_;
};

}  // namespace

Status register_traversal_tables(Connection& connection) {
  for (const FunctionRow& row : kFunctions) {
    std::string declaration = fmt::format("CREATE TABLE x({}", row.columns);
    for (const ParameterRow& parameter : row.parameters) declaration += fmt::format(", {} HIDDEN", parameter.name);
    declaration += ")";
    BRAID_TRY(register_module(connection, row.name, ModuleKind::kEponymous,
                              [&row, declaration](Connection& made_on, bool,
                                                  std::span<const char* const>) -> Result<std::unique_ptr<VirtualTable>> {
                                BRAID_TRY(declare_table(made_on, declaration));
                                return std::unique_ptr<VirtualTable>(std::make_unique<FunctionTable>(made_on, row));
                              }));
  }
  return {};
}

}  // namespace braid
