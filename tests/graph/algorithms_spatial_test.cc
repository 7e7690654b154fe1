#include <atomic>

#include "tests/graph/algorithm_fixture.h"

using namespace braid;

namespace {

struct Point {
  double x = 0;
  double y = 0;
  bool known = true;
};

/// Points and edges that are as long as their ends are apart, or a little longer.
struct Map {
  std::vector<Point> points;
  TestEdges edges;
};

double apart(const Point& a, const Point& b) { return std::hypot(a.x - b.x, a.y - b.y); }

Map random_map(uint64_t seed, double unknown_share) {
  std::mt19937_64 random(seed);
  const auto real = [&random](double limit) { return std::uniform_real_distribution<double>(0, limit)(random); };
  Map map;
  const auto count = static_cast<Vertex>(2 + random() % 60);
  for (Vertex i = 0; i < count; ++i) map.points.push_back({real(100), real(100), real(1) >= unknown_share});
  for (uint64_t left = random() % (5 * count); left > 0; --left) {
    const auto source = static_cast<Vertex>(random() % count), target = static_cast<Vertex>(random() % count);
    map.edges.push_back({source, target, apart(map.points[source], map.points[target]) * (1 + real(0.3))});
  }
  return map;
}

AlgorithmContext context_of(const std::vector<Point>& points) {
  AlgorithmContext context;
  context.node_number = [&points](Vertex vertex, std::string_view property) -> Result<std::optional<double>> {
    if (!points[vertex].known) return std::optional<double>();
    if (property == "x") return std::optional(points[vertex].x);
    if (property == "y") return std::optional(points[vertex].y);
    return std::optional<double>();
  };
  return context;
}

struct Route {
  std::vector<Vertex> nodes;
  double cost = -1;  // of no path
  int64_t settled = 0;
  std::vector<double> estimates;
};

Route route(const Projection& graph, Vertex source, Vertex target, const AlgorithmContext& context, NamedArguments more = {}) {
  const AlgorithmRow& row = algorithm_named("a_star");
  more["source"] = source;
  more["target"] = target;
  AlgorithmResult result;
  const Status status = row.run(graph, arguments_of(row, std::move(more)), context, result);
  REQUIRE_MESSAGE(status.ok(), status.message());
  Route found;
  double cost = 0;
  for (size_t i = 0; i < result.row_count; ++i) {
    CHECK(result.columns[1].integers[i] == static_cast<int64_t>(i));
    found.nodes.push_back(static_cast<Vertex>(result.columns[2].integers[i]));
    found.estimates.push_back(result.columns[5].reals[i]);
    found.settled = result.columns[6].integers[i];
    if (i == 0) CHECK(result.columns[3].integers[i] == ResultColumn::kNoValue);
    if (i > 0) {
      // The step is an edge of the graph with the weight that the cost grew by.
      bool walked = false;
      for (uint64_t entry = graph.out().offsets[found.nodes[i - 1]]; entry < graph.out().offsets[found.nodes[i - 1] + 1]; ++entry) {
        if (graph.edge(entry).value() != static_cast<uint64_t>(result.columns[3].integers[i])) continue;
        if (graph.out().targets[entry] != found.nodes[i]) continue;
        cost += graph.weight(entry);
        walked = true;
        break;
      }
      CHECK(walked);
    }
    CHECK(result.columns[4].reals[i] == cost);
    found.cost = cost;
  }
  return found;
}

double dijkstra_cost(const Projection& graph, Vertex source, Vertex target) {
  const Answer answer("dijkstra", graph, {{"source", source}});
  for (size_t i = 0; i < answer.row_count(); ++i)
    if (answer.integers("node")[i] == static_cast<int64_t>(target)) return answer.reals("distance")[i];
  return -1;
}

}  // namespace

TEST_CASE("A* finds what Dijkstra finds and settles no more nodes") {
  int64_t settled = 0, settled_without = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const Map map = random_map(seed, 0);
    const TestGraph stored(static_cast<Vertex>(map.points.size()), map.edges);
    for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
      const auto graph = stored.project(orientation, true);
      const AlgorithmContext context = context_of(map.points);
      const Vertex target = graph->vertex_count() - 1;
      const Route found = route(*graph, 0, target, context);
      const Route plain = route(*graph, 0, target, {}, {{"metric", std::string("none")}});
      CHECK(found.cost == doctest::Approx(dijkstra_cost(*graph, 0, target)));
      CHECK(plain.cost == doctest::Approx(found.cost));
      CHECK(found.settled <= plain.settled);
      if (found.nodes.empty()) continue;
      settled += found.settled;
      settled_without += plain.settled;
      CHECK(found.nodes.front() == 0);
      CHECK(found.nodes.back() == target);
      CHECK(found.estimates.front() == doctest::Approx(apart(map.points[0], map.points[target])));
      CHECK(found.estimates.back() == 0);
    }
  }
  CHECK(3 * settled < 2 * settled_without);
}

TEST_CASE("A* is right where nodes lack their coordinates and where the scale is smaller") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const Map map = random_map(seed, 0.4);
    const auto graph = TestGraph(static_cast<Vertex>(map.points.size()), map.edges).project(kUndirected, true);
    const AlgorithmContext context = context_of(map.points);
    for (Vertex target = 0; target < graph->vertex_count(); target += 7) {
      const double expected = dijkstra_cost(*graph, 0, target);
      CHECK(route(*graph, 0, target, context).cost == doctest::Approx(expected));
      CHECK(route(*graph, 0, target, context, {{"scale", 0.5}}).cost == doctest::Approx(expected));
      CHECK(route(*graph, 0, target, context, {{"x", std::string("longitude")}}).cost == doctest::Approx(expected));
    }
  }
}

TEST_CASE("a vertex that is reached over a shorter way after it was settled is settled again") {
  // From 0 by way of 1, which has no place and so seems near, and by way of 2, which is shorter.
  std::vector<Point> points = {{0, 0}, {0, 0, false}, {0, 1}, {10, 0}};
  const auto graph = TestGraph(4, {{0, 1, 9}, {0, 2, 1}, {2, 1, 1}, {1, 3, 20}}).project(kNatural, true);
  const Route found = route(*graph, 0, 3, context_of(points));
  CHECK(found.cost == 22);
  CHECK(found.nodes == std::vector<Vertex>{0, 2, 1, 3});
  CHECK(found.settled == 5);
}

TEST_CASE("the haversine estimate is in kilometres of longitude and latitude") {
  // Paris and New York; 5837 km over a sphere of the earth's mean radius.
  const std::vector<Point> points = {{2.3522, 48.8566}, {-74.0060, 40.7128}};
  const auto graph = TestGraph(2, {{0, 1, 6000}}).project(kNatural, true);
  const Route found = route(*graph, 0, 1, context_of(points), {{"metric", std::string("haversine")}});
  CHECK(found.estimates.front() == doctest::Approx(5837).epsilon(0.001));
  CHECK(route(*graph, 0, 1, context_of(points), {{"metric", std::string("haversine")}, {"scale", 0.1}}).estimates.front() ==
        doctest::Approx(583.7).epsilon(0.001));
}

TEST_CASE("A* from a node to itself is the node, and to one that is not reached nothing") {
  const std::vector<Point> points(2);
  const auto graph = TestGraph(2, {{0, 0, 1}}).project(kNatural, true);
  const Route here = route(*graph, 0, 0, context_of(points));
  CHECK(here.nodes == std::vector<Vertex>{0});
  CHECK(here.cost == 0);
  CHECK(here.settled == 1);
  CHECK(route(*graph, 0, 1, context_of(points)).nodes.empty());
}

TEST_CASE("of parallel edges A* takes the lightest") {
  const std::vector<Point> points = {{0, 0}, {1, 0}};
  const auto graph = TestGraph(2, {{0, 1, 5}, {0, 1, 2}, {0, 1, 3}, {0, 0, 0}}).project(kNatural, true);
  CHECK(route(*graph, 0, 1, context_of(points)).cost == 2);
}

TEST_CASE("A* refuses what it cannot do") {
  const NamedArguments ends = {{"source", Vertex{0}}, {"target", Vertex{1}}};
  const auto graph = TestGraph(2, {{0, 1, 1}}).project(kNatural, true);
  const auto negative = TestGraph(2, {{0, 1, -1}}).project(kNatural, true);
  const std::vector<Point> points = {{0, 91}, {1, 0}};
  const AlgorithmContext context = context_of(points);
  const auto named = [&](NamedArguments more) {
    more.insert(ends.begin(), ends.end());
    return more;
  };
  CHECK(status_of("a_star", *negative, named({}), context).code() == StatusCode::kInvalidArgument);
  CHECK(status_of("a_star", *graph, named({})).message().find("properties of nodes cannot be read") != std::string::npos);
  CHECK(status_of("a_star", *graph, named({{"metric", std::string("none")}})).ok());
  const Status pole = status_of("a_star", *graph, named({{"metric", std::string("haversine")}}), context);
  CHECK(pole.code() == StatusCode::kInvalidArgument);
  CHECK(pole.message().find("is 91; expected a number from -90 to 90") != std::string::npos);
  CHECK(status_of("a_star", *graph, named({}), context).ok());
  AlgorithmContext broken;
  broken.node_number = [](Vertex, std::string_view) -> Result<std::optional<double>> { return Status(StatusCode::kIo, "unreadable"); };
  CHECK(status_of("a_star", *graph, named({}), broken).code() == StatusCode::kIo);
}

TEST_CASE("A* ends when it is cancelled and when its rows are too many") {
  const Vertex count = 4000;
  const std::vector<Point> points(count + 1);
  const auto graph = TestGraph(count + 1, many_edges(count)).project(kUndirected, true);
  AlgorithmContext context = context_of(points);
  const NamedArguments ends = {{"source", Vertex{0}}, {"target", count}};
  CHECK(status_of("a_star", *graph, ends, context).ok());
  const std::atomic<bool> cancel = true;
  context.cancel = &cancel;
  CHECK(status_of("a_star", *graph, ends, context).code() == StatusCode::kInterrupted);
  AlgorithmContext narrow = context_of(points);
  narrow.rows_max = 0;
  CHECK(status_of("a_star", *graph, {{"source", Vertex{0}}, {"target", Vertex{0}}}, narrow).code() == StatusCode::kLimit);
}
