// Paths between nodes that have places: a search that prefers what lies towards its target.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <queue>
#include <tuple>

#include "graph/algorithms.h"
#include "graph/pace.h"
#include "graph/result_rows.h"

namespace braid {
namespace {

constexpr double kEarthRadiusKm = 6371.0088;  // the mean one of the IUGG

struct Place {
  double x = 0;
  double y = 0;
};

double euclidean(Place a, Place b) { return std::hypot(a.x - b.x, a.y - b.y); }

/// Kilometres over a sphere between longitudes x and latitudes y. Source: Sinnott, "Virtues of the haversine" (1984).
double haversine(Place a, Place b) {
  constexpr double kRadians = std::numbers::pi / 180;
  const double across = std::sin((b.x - a.x) * kRadians / 2), along = std::sin((b.y - a.y) * kRadians / 2);
  const double square = along * along + std::cos(a.y * kRadians) * std::cos(b.y * kRadians) * across * across;
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(std::min(1.0, square)));
}

struct MetricRow {
  const char* name;
  double (*distance)(Place, Place);  // null: every estimate is 0
  double y_max;                      // of the absolute value
};
constexpr double kAnywhere = std::numeric_limits<double>::max();
constexpr MetricRow kMetrics[] = {{"euclidean", euclidean, kAnywhere}, {"haversine", haversine, 90}, {"none", nullptr, 0}};
constexpr const char* kMetricNames = "euclidean|haversine|none";

/// The least that is left from a vertex to the target, as its place tells; 0 where a place is not known.
class Estimates {
 public:
  Estimates(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context)
      : graph_(graph),
        context_(context),
        x_(arguments.text(2)),
        y_(arguments.text(3)),
        metric_(*std::find_if(std::begin(kMetrics), std::end(kMetrics),
                              [&arguments](const MetricRow& row) { return row.name == arguments.text(4); })),
        scale_(arguments.real(5)) {}

  Status aim(Vertex target) {
    if (metric_.distance == nullptr) return {};
    if (context_.node_number == nullptr) {
      return Status(StatusCode::kInvalidArgument, "the properties of nodes cannot be read here; only the metric 'none' needs none");
    }
    BRAID_ASSIGN(target_, place(target));
    if (target_) known_.assign(graph_.vertex_count(), kUnknown);
    return {};
  }

  Result<double> of(Vertex vertex) {
    if (!target_) return 0.0;
    if (known_[vertex] == kUnknown) {
      BRAID_ASSIGN(const std::optional<Place> here, place(vertex));
      known_[vertex] = here ? scale_ * metric_.distance(*here, *target_) : 0.0;
    }
    return known_[vertex];
  }

 private:
  static constexpr double kUnknown = -1;

  Result<std::optional<double>> coordinate(Vertex vertex, const std::string& property, double limit) const {
    BRAID_ASSIGN(const std::optional<double> number, context_.node_number(vertex, property));
    if (!number || std::abs(*number) <= limit) return number;
    return Status(StatusCode::kInvalidArgument, fmt::format("property '{}' of node {} is {}; expected a number from {} to {}", property,
                                                            graph_.node(vertex).value(), *number, -limit, limit));
  }
  Result<std::optional<Place>> place(Vertex vertex) const {
    BRAID_ASSIGN(const std::optional<double> x, coordinate(vertex, x_, kAnywhere));
    BRAID_ASSIGN(const std::optional<double> y, coordinate(vertex, y_, metric_.y_max));
    return x && y ? std::optional(Place{*x, *y}) : std::nullopt;
  }

  const Projection& graph_;
  const AlgorithmContext& context_;
  const std::string& x_;
  const std::string& y_;
  const MetricRow& metric_;
  const double scale_;
  std::optional<Place> target_;
  std::vector<double> known_;  // by vertex
};

/// Hart, Nilsson and Raphael, "A formal basis for the heuristic determination of minimum cost paths" (1968), with a lazy heap. A vertex that
/// is reached over a shorter way after it was settled is settled again: where places are missing, estimates do not fall evenly.
class AStar {
 public:
  AStar(const Projection& graph, Estimates& estimates, const AlgorithmContext& context)
      : graph_(graph),
        estimates_(estimates),
        pace_(context),
        distance_(graph.vertex_count(), kFar),
        reached_(graph.vertex_count()) {}

  /// Whether there is a path.
  Result<bool> run(Vertex source, Vertex target) {
    BRAID_TRY(reach(source, 0, {}));
    while (!heap_.empty()) {
      const Item item = heap_.top();
      heap_.pop();
      BRAID_TRY(pace_.step(1));
      if (item.distance > distance_[item.vertex]) continue;
      ++settled_;
      if (item.vertex == target) return true;
      BRAID_TRY(pace_.step(graph_.out().degree(item.vertex)));
      for (uint64_t entry = graph_.out().offsets[item.vertex]; entry < graph_.out().offsets[item.vertex + size_t{1}]; ++entry)
        BRAID_TRY(reach(graph_.out().targets[entry], item.distance + graph_.weight(entry), {entry, item.vertex}));
    }
    return false;
  }

  /// Entries from the source to `target`.
  std::vector<uint64_t> path_to(Vertex target) const {
    std::vector<uint64_t> entries;
    for (Vertex vertex = target; reached_[vertex].entry != kNoEntry; vertex = reached_[vertex].from) entries.push_back(reached_[vertex].entry);
    std::reverse(entries.begin(), entries.end());
    return entries;
  }
  int64_t settled() const { return settled_; }

 private:
  struct Arrival {
    uint64_t entry = kNoEntry;
    Vertex from = 0;
  };
  struct Item {
    double total;  // the distance and what is left at least
    double distance;
    Vertex vertex;
    /// Of equal totals, the one nearer to the target first.
    bool operator<(const Item& other) const {
      return std::tie(other.total, distance, other.vertex) < std::tie(total, other.distance, vertex);
    }
  };

  Status reach(Vertex vertex, double distance, Arrival arrival) {
    if (distance >= distance_[vertex]) return {};
    BRAID_ASSIGN(const double left, estimates_.of(vertex));
    distance_[vertex] = distance;
    reached_[vertex] = arrival;
    heap_.push({distance + left, distance, vertex});
    return {};
  }

  const Projection& graph_;
  Estimates& estimates_;
  Pace pace_;
  std::vector<double> distance_;
  std::vector<Arrival> reached_;
  std::priority_queue<Item> heap_;
  int64_t settled_ = 0;
};

Status run_a_star(const Projection& graph, const AlgorithmArguments& arguments, const AlgorithmContext& context, AlgorithmResult& out) {
  BRAID_TRY(no_negative_weights(graph));
  const Vertex source = arguments.vertex(0), target = arguments.vertex(1);
  Estimates estimates(graph, arguments, context);
  BRAID_TRY(estimates.aim(target));
  AStar search(graph, estimates, context);
  ResultRows rows(out, 7, context);
  BRAID_ASSIGN(const bool found, search.run(source, target));
  if (!found) return {};
  double cost = 0;
  int64_t step = 0;
  const auto add = [&](Vertex vertex, int64_t edge) -> Status {
    BRAID_ASSIGN(const double left, estimates.of(vertex));
    return rows.add({int64_t{1}, step++, int64_t{vertex}, edge, cost, left, search.settled()});
  };
  BRAID_TRY(add(source, ResultColumn::kNoValue));
  for (const uint64_t entry : search.path_to(target)) {
    cost += graph.weight(entry);
    BRAID_TRY(add(graph.out().targets[entry], static_cast<int64_t>(graph.edge(entry).value())));
  }
  return {};
}

constexpr ResultColumnRow kAStarColumns[] = {{"path", ColumnKind::kInteger}, {"step", ColumnKind::kInteger}, {"node", ColumnKind::kNode},
                                        {"edge", ColumnKind::kInteger}, {"cost", ColumnKind::kReal},    {"estimate", ColumnKind::kReal},
                                        {"settled", ColumnKind::kInteger}};
constexpr AlgorithmParameter kAStarParameters[] = {{"source", ParameterKind::kNode, true},
                                              {"target", ParameterKind::kNode, true},
                                              {"x", ParameterKind::kText, false, 0, 0, 0, nullptr, "x"},
                                              {"y", ParameterKind::kText, false, 0, 0, 0, nullptr, "y"},
                                              {"metric", ParameterKind::kText, false, 0, 0, 0, kMetricNames},
                                              {"scale", ParameterKind::kReal, false, 1, 0, 1e100}};

constexpr AlgorithmRow kSpatial[] = {
    {"a_star",
     "A shortest path, searched towards the target by the nodes' coordinates: right when no estimate is more than what is left.", kAStarColumns,
     kAStarParameters, "Braid: Hart, Nilsson and Raphael 1968", "O((n + m) log n) with coordinates at every node", run_a_star},
};

}  // namespace

std::span<const AlgorithmRow> spatial_algorithms() { return kSpatial; }

}  // namespace braid
