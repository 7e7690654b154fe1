// graph_rollup and graph_rollup_series: numbers of the nodes of a hierarchy, each with all that is below it.
#include <fmt/format.h>

#include "graph/rollup.h"
#include "sql/hierarchy_access.h"
#include "sql/node_numbers.h"
#include "sql/algorithm_access.h"
#include "sql/series_numbers.h"
#include "sql/table_function.h"
#include "sql/time_value.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;

constexpr const char* kColumns = "node INTEGER, depth INTEGER, own NUMERIC, count INTEGER, sum NUMERIC, min NUMERIC, max NUMERIC, avg REAL";

void result_number(sqlite3_context* context, const std::optional<Number>& number) {
  if (!number) return;
  if (const auto* whole = std::get_if<int64_t>(&*number)) sqlite3_result_int64(context, *whole);
  if (const auto* real = std::get_if<double>(&*number)) sqlite3_result_double(context, *real);
}

class RollupRows final : public FunctionResult {
 public:
  enum Column { kNode, kDepth, kOwn, kCount, kSum, kMin, kMax, kAvg, kColumnCount };

  RollupRows(std::shared_ptr<const Projection> projection, HierarchyPart part, std::vector<Totals> own, std::vector<Totals> totals)
      : projection_(std::move(projection)), part_(std::move(part)), own_(std::move(own)), totals_(std::move(totals)) {}

  size_t size() const override { return part_.size(); }
  void column(sqlite3_context* context, size_t row, int column) const override {
    const Totals& totals = totals_[row];
    switch (column) {
      case kNode: sqlite3_result_int64(context, static_cast<int64_t>(projection_->node(part_.vertices()[row]).value())); break;
      case kDepth: sqlite3_result_int64(context, part_.depths()[row]); break;
      case kOwn: result_number(context, own_[row].sum()); break;
      case kCount: sqlite3_result_int64(context, totals.count()); break;
      case kSum: result_number(context, totals.sum()); break;
      case kMin: result_number(context, totals.least()); break;
      case kMax: result_number(context, totals.greatest()); break;
      case kAvg:
        if (const auto average = totals.average()) sqlite3_result_double(context, *average);
        break;
      default: break;
    }
  }

 private:
  const std::shared_ptr<const Projection> projection_;  // shared with the cache
  const HierarchyPart part_;
  const std::vector<Totals> own_;
  const std::vector<Totals> totals_;
};

/// Reads the numbers of the nodes themselves.
using ReadOwn = std::function<Result<std::vector<Totals>>(const Projection&, const HierarchyPart&, const AlgorithmContext&)>;

/// Parameter 0 is the hierarchy; `root` the place of that parameter. A root that is NULL was looked up and not found: no rows.
Rows roll_up(Connection& connection, Parameters parameters, size_t root, std::string_view function, const ReadOwn& read_own) {
  BRAID_ASSIGN(const HierarchyDefinition hierarchy, hierarchy_parameter(connection, parameters, 0, function));
  BRAID_ASSIGN(const auto top, node_parameter(parameters, root, fmt::format("{}: root", function)));
  if (parameters[root] != nullptr && !top) return make_rows({});
  BRAID_ASSIGN(auto projection, project(connection, hierarchy));
  const auto vertex = top ? projection->vertex(*top) : std::nullopt;
  if (top && !vertex) return Status(StatusCode::kNotFound, fmt::format("{}: there is no node {}", function, top->value()));
  const AlgorithmContext context = connection.algorithm_context();
  BRAID_ASSIGN(HierarchyPart part, HierarchyPart::of(*projection, hierarchy.direction, vertex, context));
  auto own = read_own(*projection, part, context);
  if (!own.ok()) return own.status().within(std::string(function));
  auto totals = part.roll_up(*own, context);
  if (!totals.ok()) return totals.status().within(std::string(function));
  return std::unique_ptr<FunctionResult>(std::make_unique<RollupRows>(std::move(projection), std::move(part), own.take(), totals.take()));
}

Rows run_rollup(Connection& connection, Parameters parameters) {
  const std::string_view property = text_parameter(parameters, 1).value_or("");
  return roll_up(connection, parameters, 2, "graph_rollup", [&](const Projection& projection, const HierarchyPart& part, const AlgorithmContext& context) {
    return read_node_numbers(connection, projection, part, property, context);
  });
}

Status time_parameter(Parameters parameters, size_t index, std::string_view name, Timestamp& out) {
  if (parameters[index] == nullptr || sqlite3_value_type(parameters[index]) == SQLITE_NULL) return {};
  BRAID_ASSIGN(out, time_of(parameters[index], fmt::format("graph_rollup_series: {}", name)));
  return {};
}

Rows run_rollup_series(Connection& connection, Parameters parameters) {
  SeriesQuestion question{.hypertable = text_parameter(parameters, 1).value_or(""),
                          .field = text_parameter(parameters, 2).value_or(""),
                          .tag = text_parameter(parameters, 6),
                          .label = text_parameter(parameters, 7),
                          .range = {}};
  BRAID_TRY(time_parameter(parameters, 4, "since", question.range.start));
  BRAID_TRY(time_parameter(parameters, 5, "until", question.range.limit));
  return roll_up(connection, parameters, 3, "graph_rollup_series",
                 [&](const Projection& projection, const HierarchyPart& part, const AlgorithmContext& context) {
                   return read_series_numbers(connection, projection, part, question, context);
                 });
}

}  // namespace

Status register_rollup_tables(Connection& connection) {
  static const TableFunction kTables[] = {
      {"graph_rollup", kColumns, RollupRows::kColumnCount, {{"hierarchy", true}, {"property", true}, {"root"}}, run_rollup},
      {"graph_rollup_series", kColumns, RollupRows::kColumnCount,
       {{"hierarchy", true}, {"hypertable", true}, {"field", true}, {"root"}, {"since"}, {"until"}, {"tag"}, {"label"}}, run_rollup_series},
  };
  for (const TableFunction& table : kTables) BRAID_TRY(register_table_function(connection, table));
  return {};
}

}  // namespace braid
