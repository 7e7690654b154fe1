// graph_match: where a pattern lies in the graph.
#include <fmt/format.h>

#include "graph/graph_store_view.h"
#include "graph/projection_cache.h"
#include "graph/subgraph_match.h"
#include "sql/graph_access.h"
#include "sql/table_function.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;

constexpr std::pair<std::string_view, MatchMode> kModes[] = {
    {"mono", MatchMode::kMono}, {"induced", MatchMode::kInduced}, {"homomorphism", MatchMode::kHomomorphism}};
constexpr int64_t kMatchesFallback = 1'000'000;
constexpr int64_t kMatchesMax = 1'000'000'000;

/// A row for each node of the pattern in each match.
class MatchRows final : public FunctionResult {
 public:
  MatchRows(Pattern pattern, Matches matches) : pattern_(std::move(pattern)), matches_(std::move(matches)) {}

  size_t size() const override { return matches_.vertices.size(); }
  void column(sqlite3_context* context, size_t row, int column) const override {
    const std::string& name = pattern_.nodes[row % matches_.width].name;
    if (column == 0) sqlite3_result_int64(context, static_cast<int64_t>(row / matches_.width) + 1);
    if (column == 1 && !name.empty()) result_text(context, name);
    if (column == 2) sqlite3_result_int64(context, static_cast<int64_t>(matches_.projection->node(matches_.vertices[row]).value()));
  }

 private:
  const Pattern pattern_;
  const Matches matches_;
};

/// As an index compares: a whole number is equal to the same number with a fraction of 0, and kinds are told apart.
bool same_value(const PropertyValue& stored, const PropertyValue& wanted) {
  const auto a = encode_index_value(stored), b = encode_index_value(wanted);
  return a.ok() && b.ok() && *a == *b;
}

Result<bool> has_properties(NodeProperties& properties, NodeId id, const PatternNode& node) {
  for (const auto& [name, wanted] : node.properties) {
    BRAID_ASSIGN(const PropertyValue* stored, properties.find(id, name));
    if (stored == nullptr || !same_value(*stored, wanted)) return false;
  }
  return true;
}

/// By an index on one of the labels and properties. The columns of rows are not in the graph's indexes, but for the key of a bound label: any
/// other index may lack nodes that are rows.
Result<std::optional<std::vector<NodeId>>> indexed(Connection& connection, const PatternNode& node) {
  const CatalogState& state = connection.catalog_state();
  for (const std::string& label : node.labels) {
    for (const auto& [name, wanted] : node.properties) {
      const auto label_id = connection.find_name(NameKind::kLabel, label);
      const auto key = connection.find_name(NameKind::kPropertyKey, name);
      const IndexDefinition* index = label_id && key ? state.index(false, *label_id, KeyId(*key)) : nullptr;
      if (index == nullptr) continue;
      const auto binding = state.bindings.find(LabelId(*label_id));
      const bool is_key = binding != state.bindings.end() && binding->second.index == index->id;
      if (!is_key && !state.bindings.empty()) continue;
      std::vector<NodeId> ids;
      BRAID_TRY(connection.graph().find_nodes(index->id, wanted, ids));
      return std::optional(std::move(ids));
    }
  }
  return std::optional<std::vector<NodeId>>();
}

Result<MatchMode> mode_argument(std::string_view text) {
  for (const auto& [name, mode] : kModes)
    if (name == text) return mode;
  return Status(StatusCode::kInvalidArgument, fmt::format("mode '{}': expected mono|induced|homomorphism", text));
}

Status options_argument(Connection& connection, Parameters parameters, MatchOptions& options) {
  if (const auto projection = text_parameter(parameters, 1)) {
    BRAID_ASSIGN(options.within, connection.graph().base().projections().find(*projection));
  }
  if (const auto mode = text_parameter(parameters, 2)) {
    BRAID_ASSIGN(options.mode, mode_argument(*mode));
  }
  options.matches_max = kMatchesFallback;
  if (const auto text = text_parameter(parameters, 3)) {
    const int64_t limit = sqlite3_value_int64(parameters[3]);
    if (sqlite3_value_numeric_type(parameters[3]) != SQLITE_INTEGER || limit < 1 || limit > kMatchesMax)
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("limit_matches '{}': expected a whole number from 1 to {}", *text, kMatchesMax));
    options.matches_max = static_cast<uint64_t>(limit);
  }
  return {};
}

Rows match(Connection& connection, Parameters parameters) {
  const auto text = text_parameter(parameters, 0);
  if (!text) return make_rows({});
  BRAID_ASSIGN(Pattern pattern, parse_pattern(*text));
  MatchOptions options;
  BRAID_TRY(options_argument(connection, parameters, options));
  NodeProperties properties(connection);
  const MatchNames names{
      .label = [&](std::string_view name) -> std::optional<LabelId> {
        const auto id = connection.find_name(NameKind::kLabel, name);
        return id ? std::optional(LabelId(*id)) : std::nullopt;
      },
      .type = [&](std::string_view name) -> std::optional<TypeId> {
        const auto id = connection.find_name(NameKind::kEdgeType, name);
        return id ? std::optional(TypeId(*id)) : std::nullopt;
      },
      .has_properties = [&](NodeId id, const PatternNode& node) { return has_properties(properties, id, node); },
      .indexed = [&](const PatternNode& node) { return indexed(connection, node); },
  };
  const TraversalOptions bounds = connection.traversal_options();
  AlgorithmContext context;
  context.cancel = bounds.cancel;
  context.deadline = connection.statement_deadline();
  context.rows_max = bounds.visits_max;
  Matches matches;
  BRAID_TRY(match_pattern(connection.graph(), pattern, names, options, context, matches));
  return std::unique_ptr<FunctionResult>(std::make_unique<MatchRows>(std::move(pattern), std::move(matches)));
}

Rows run_match(Connection& connection, Parameters parameters) {
  auto rows = match(connection, parameters);
  if (!rows.ok()) return rows.status().within("graph_match");
  return rows;
}

}  // namespace

Status register_match_tables(Connection& connection) {
  static const TableFunction kMatch = {"graph_match", "match INTEGER, variable TEXT, node INTEGER", 3,
                                       {{"pattern", true}, {"projection"}, {"mode"}, {"limit_matches"}}, run_match};
  return register_table_function(connection, kMatch);
}

}  // namespace braid
