// graph_layout_of: places for chosen nodes, laid out with the edges among them. graph_layout does
// the same for a projection.
#include <fmt/format.h>

#include <algorithm>

#include "graph/layout.h"
#include "graph/property.h"
#include "sql/graph_access.h"
#include "sql/table_function.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;

enum LayoutParameter { kNodes, kEdges, kMethod, kIterations, kSeed };

Status invalid(std::string_view what) {
  return Status(StatusCode::kInvalidArgument, fmt::format("graph_layout_of: {}", what));
}

/// The ids in a JSON array, ascending and each once.
Result<std::vector<uint64_t>> ids_argument(std::string_view json, std::string_view what) {
  BRAID_ASSIGN(const PropertyValue parsed, value_from_json(json));
  const auto* list = std::get_if<PropertyList>(&parsed.value);
  if (list == nullptr) return invalid(fmt::format("{}: expected a JSON array of ids", what));
  std::vector<uint64_t> ids;
  ids.reserve(list->size());
  for (const PropertyValue& item : *list) {
    const auto* id = std::get_if<int64_t>(&item.value);
    if (id == nullptr || *id <= 0)
      return invalid(fmt::format("{}: '{}' is no id", what, value_to_json(item)));
    ids.push_back(static_cast<uint64_t>(*id));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

Status number_argument(sqlite3_value* value, std::string_view what, uint64_t minimum,
                       uint64_t maximum, uint64_t& out) {
  if (value == nullptr || sqlite3_value_type(value) == SQLITE_NULL) return {};
  const int64_t number = sqlite3_value_int64(value);
  const bool fits = sqlite3_value_numeric_type(value) == SQLITE_INTEGER &&
                    number >= static_cast<int64_t>(minimum) &&
                    number <= static_cast<int64_t>(maximum);
  if (!fits)
    return invalid(fmt::format("{} '{}': expected a whole number from {} to {}", what,
                               text_of(value), minimum, maximum));
  out = static_cast<uint64_t>(number);
  return {};
}

Result<LayoutOptions> options_argument(Parameters parameters) {
  LayoutOptions options;
  if (const auto name = text_parameter(parameters, kMethod)) {
    const auto method = layout_method_named(*name);
    if (!method) return invalid(fmt::format("method '{}': expected {}", *name, kLayoutMethods));
    options.method = *method;
  }
  uint64_t rounds = options.rounds;
  BRAID_TRY(number_argument(parameters[kIterations], "iterations", 1, kLayoutRoundsMax, rounds));
  options.rounds = static_cast<uint32_t>(rounds);
  BRAID_TRY(number_argument(parameters[kSeed], "seed", 0, INT64_MAX, options.seed));
  return options;
}

/// What is laid out; vertices are the nodes in the order of their ids.
class Chosen {
 public:
  Chosen(const GraphView& view, std::vector<uint64_t> nodes)
      : view_(view), nodes_(std::move(nodes)) {}

  const std::vector<uint64_t>& nodes() const { return nodes_; }
  const std::vector<LayoutEdge>& edges() const { return edges_; }

  Status add_edges(std::span<const uint64_t> ids, Pace& pace) {
    for (const uint64_t id : ids) {
      BRAID_TRY(pace.step(64));
      BRAID_ASSIGN(const auto edge, view_.edge(EdgeId(id)));
      if (!edge)
        return Status(StatusCode::kNotFound,
                      fmt::format("graph_layout_of: there is no edge {}", id));
      const auto source = vertex_of(edge->source.value()), target = vertex_of(edge->target.value());
      if (!source || !target)
        return invalid(fmt::format("edge {} leads to a node that is not among the nodes", id));
      edges_.push_back({*source, *target});
    }
    return {};
  }

  Status add_edges_among(size_t edges_max, Pace& pace) {
    std::vector<Neighbor> neighbors;
    for (Vertex vertex = 0; vertex < nodes_.size(); ++vertex) {
      neighbors.clear();
      BRAID_TRY(view_.neighbors(NodeId(nodes_[vertex]), Direction::kOut, std::nullopt,
                                edges_max + 1, neighbors));
      if (neighbors.size() > edges_max)
        return Status(
            StatusCode::kLimit,
            fmt::format(
                "graph_layout_of: node {} has more than {} edges, as traversal_nodes_max allows",
                nodes_[vertex], edges_max));
      BRAID_TRY(pace.step(neighbors.size() + 64));
      for (const Neighbor& neighbor : neighbors)
        if (const auto target = vertex_of(neighbor.node.value()))
          edges_.push_back({vertex, *target});
    }
    return {};
  }

  /// kNotFound for a node that does not exist: it would have a place like any other.
  Status check_nodes(Pace& pace) const {
    for (const uint64_t node : nodes_) {
      BRAID_TRY(pace.step(64));
      BRAID_ASSIGN(const bool exists, view_.node_exists(NodeId(node)));
      if (!exists)
        return Status(StatusCode::kNotFound,
                      fmt::format("graph_layout_of: there is no node {}", node));
    }
    return {};
  }

 private:
  std::optional<Vertex> vertex_of(uint64_t node) const {
    const auto found = std::lower_bound(nodes_.begin(), nodes_.end(), node);
    if (found == nodes_.end() || *found != node) return std::nullopt;
    return static_cast<Vertex>(found - nodes_.begin());
  }

  const GraphView& view_;
  const std::vector<uint64_t> nodes_;
  std::vector<LayoutEdge> edges_;
};

Rows run_layout_of(Connection& connection, Parameters parameters) {
  const auto nodes = text_parameter(parameters, kNodes);
  if (!nodes) return make_rows({});
  BRAID_ASSIGN(const LayoutOptions options, options_argument(parameters));
  const TraversalOptions bounds = connection.traversal_options();
  AlgorithmContext context;
  context.cancel = bounds.cancel;
  context.deadline = connection.statement_deadline();
  Pace pace(context);

  const GraphView view = connection.graph();
  BRAID_ASSIGN(std::vector<uint64_t> ids, ids_argument(*nodes, "nodes"));
  if (ids.size() > bounds.visits_max)
    return Status(StatusCode::kLimit,
                  fmt::format("graph_layout_of: {} nodes, traversal_nodes_max allows {}",
                              ids.size(), bounds.visits_max));
  Chosen chosen(view, std::move(ids));
  BRAID_TRY(chosen.check_nodes(pace));
  if (const auto edges = text_parameter(parameters, kEdges)) {
    BRAID_ASSIGN(const std::vector<uint64_t> edge_ids, ids_argument(*edges, "edges"));
    BRAID_TRY(chosen.add_edges(edge_ids, pace));
  } else {
    BRAID_TRY(chosen.add_edges_among(bounds.visits_max, pace));
  }

  Layout layout;
  BRAID_TRY(
      lay_out(static_cast<Vertex>(chosen.nodes().size()), chosen.edges(), options, context, layout)
          .within("graph_layout_of"));
  std::vector<Row> rows;
  rows.reserve(chosen.nodes().size());
  for (size_t i = 0; i < chosen.nodes().size(); ++i) {
    rows.push_back({static_cast<int64_t>(chosen.nodes()[i]), layout.points[i].x, layout.points[i].y,
                    layout.layers.empty() ? Cell() : Cell(int64_t{layout.layers[i]})});
  }
  return make_rows(std::move(rows));
}

}  // namespace

Status register_layout_table(Connection& connection) {
  static const TableFunction kFunction = {
      "graph_layout_of",
      "node INTEGER, x REAL, y REAL, layer INTEGER",
      4,
      {{"nodes", true}, {"edges"}, {"method"}, {"iterations"}, {"seed"}},
      run_layout_of};
  return register_table_function(connection, kFunction);
}

}  // namespace braid
