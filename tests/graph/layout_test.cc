#include "graph/layout.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/graph/algorithm_fixture.h"

using namespace braid;

namespace {

using Edges = std::vector<LayoutEdge>;

Layout laid_out(Vertex count, const Edges& edges, const LayoutOptions& options) {
  Layout layout;
  const Status status = lay_out(count, edges, options, {}, layout);
  REQUIRE_MESSAGE(status.ok(), status.message());
  REQUIRE(layout.points.size() == count);
  for (const LayoutPoint& point : layout.points) {
    CHECK(std::isfinite(point.x));
    CHECK(std::isfinite(point.y));
  }
  return layout;
}

double apart(const Layout& layout, Vertex a, Vertex b) {
  return std::hypot(layout.points[a].x - layout.points[b].x,
                    layout.points[a].y - layout.points[b].y);
}

Edges path(Vertex count) {
  Edges edges;
  for (Vertex vertex = 1; vertex < count; ++vertex) edges.push_back({vertex - 1, vertex});
  return edges;
}

Edges star(Vertex leaves) {
  Edges edges;
  for (Vertex leaf = 1; leaf <= leaves; ++leaf) edges.push_back({0, leaf});
  return edges;
}

constexpr LayoutMethod kMethods[] = {LayoutMethod::kAuto, LayoutMethod::kSpring,
                                     LayoutMethod::kCircle, LayoutMethod::kLayers};

/// Places in one layer, from left to right, at least 1 apart.
void check_rows(const Layout& layout) {
  std::map<double, std::vector<double>> rows;
  for (const LayoutPoint& point : layout.points) rows[point.y].push_back(point.x);
  for (auto& [y, row] : rows) {
    std::sort(row.begin(), row.end());
    for (size_t i = 1; i < row.size(); ++i) CHECK(row[i] - row[i - 1] > 1 - 1e-6);
  }
}

}  // namespace

TEST_CASE("methods have names, and no other word is one") {
  CHECK(layout_method_named("auto") == LayoutMethod::kAuto);
  CHECK(layout_method_named("spring") == LayoutMethod::kSpring);
  CHECK(layout_method_named("circle") == LayoutMethod::kCircle);
  CHECK(layout_method_named("layers") == LayoutMethod::kLayers);
  CHECK(!layout_method_named("").has_value());
  CHECK(!layout_method_named("spring|circle").has_value());
}

TEST_CASE("nothing, one node, loops and parallel edges have places with every method") {
  for (const LayoutMethod method : kMethods) {
    CHECK(laid_out(0, {}, {.method = method}).points.empty());
    laid_out(1, {{0, 0}}, {.method = method});
    const Layout layout = laid_out(3, {{0, 1}, {0, 1}, {1, 0}, {1, 1}, {1, 2}}, {.method = method});
    CHECK(apart(layout, 0, 1) > 0.5);
    CHECK(apart(layout, 1, 2) > 0.5);
  }
}

TEST_CASE("the same seed gives the same places, another one others") {
  const Edges edges = {{0, 1}, {1, 2}, {2, 0}, {2, 3}, {3, 4}, {4, 5}, {5, 3}};
  const auto places = [&](uint64_t seed) {
    std::vector<double> numbers;
    for (const LayoutPoint& point :
         laid_out(6, edges, {.method = LayoutMethod::kSpring, .seed = seed}).points) {
      numbers.push_back(point.x);
      numbers.push_back(point.y);
    }
    return numbers;
  };
  CHECK(places(1) == places(1));
  CHECK(places(1) != places(2));
}

TEST_CASE("spring: a path is stretched, and distances follow those in the graph") {
  const Layout layout = laid_out(12, path(12), {.method = LayoutMethod::kSpring});
  const double edge = apart(layout, 0, 1);
  for (Vertex vertex = 1; vertex < 12; ++vertex) {
    CHECK(apart(layout, vertex - 1, vertex) == doctest::Approx(edge).epsilon(0.25));
    CHECK(apart(layout, 0, vertex) > apart(layout, 0, vertex - 1));
  }
  CHECK(apart(layout, 0, 11) > 9 * edge);
}

TEST_CASE("spring: the leaves of a star are around its middle, no two in one place") {
  const Layout layout = laid_out(31, star(30), {.method = LayoutMethod::kSpring});
  double near = 1e9, far = 0;
  for (Vertex leaf = 1; leaf <= 30; ++leaf) {
    near = std::min(near, apart(layout, 0, leaf));
    far = std::max(far, apart(layout, 0, leaf));
    for (Vertex other = leaf + 1; other <= 30; ++other) CHECK(apart(layout, leaf, other) > 0.1);
  }
  CHECK(far < 2 * near);
}

TEST_CASE("spring: components are side by side") {
  Edges edges = path(6);
  for (const LayoutEdge& edge : star(5)) edges.push_back({edge.source + 6, edge.target + 6});
  const Layout layout = laid_out(13, edges, {.method = LayoutMethod::kSpring});
  for (Vertex first = 0; first < 6; ++first)
    for (Vertex second = 6; second < 12; ++second) CHECK(apart(layout, first, second) > 0.5);
}

TEST_CASE("spring takes a bounded number of nodes and says so") {
  Layout layout;
  const Status status = lay_out(kSpringNodesMax + 1, path(kSpringNodesMax + 1),
                                {.method = LayoutMethod::kSpring}, {}, layout);
  CHECK(status.code() == StatusCode::kLimit);
  CHECK(status.message().find("2000") != std::string::npos);
  laid_out(kSpringNodesMax + 1, path(kSpringNodesMax + 1), {.method = LayoutMethod::kCircle});
}

TEST_CASE("circle: all are equally far from the middle, connected ones beside each other") {
  const Layout layout = laid_out(8, path(8), {.method = LayoutMethod::kCircle});
  LayoutPoint middle;
  for (const LayoutPoint& point : layout.points)
    middle = {middle.x + point.x / 8, middle.y + point.y / 8};
  const double radius = std::hypot(layout.points[0].x - middle.x, layout.points[0].y - middle.y);
  for (const LayoutPoint& point : layout.points)
    CHECK(std::hypot(point.x - middle.x, point.y - middle.y) == doctest::Approx(radius));
  for (Vertex vertex = 2; vertex < 8; ++vertex)
    CHECK(apart(layout, vertex - 1, vertex) == doctest::Approx(apart(layout, 0, 1)));
}

TEST_CASE("layers: a tree has its root above the middle of its children") {
  const Layout layout = laid_out(7, {{0, 1}, {0, 2}, {1, 3}, {1, 4}, {2, 5}, {2, 6}},
                                 {.method = LayoutMethod::kLayers});
  CHECK(layout.layers == std::vector<uint32_t>{0, 1, 1, 2, 2, 2, 2});
  check_rows(layout);
  CHECK(layout.points[0].x == doctest::Approx((layout.points[1].x + layout.points[2].x) / 2));
  CHECK(layout.points[1].x == doctest::Approx((layout.points[3].x + layout.points[4].x) / 2));
}

TEST_CASE("layers: every edge of a graph without cycles goes down") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    Edges edges;
    for (int i = 0; i < 40; ++i) {
      const auto a = static_cast<Vertex>(random() % 20), b = static_cast<Vertex>(random() % 20);
      if (a != b) edges.push_back({std::min(a, b), std::max(a, b)});
    }
    const Layout layout = laid_out(20, edges, {.method = LayoutMethod::kLayers, .rounds = 5});
    for (const LayoutEdge& edge : edges) {
      CHECK(layout.layers[edge.source] < layout.layers[edge.target]);
      CHECK(layout.points[edge.source].y < layout.points[edge.target].y);
    }
    check_rows(layout);
  }
}

TEST_CASE("layers: two pairs that can be drawn without a crossing are") {
  // 0 and 1 on top; their children are given in the order that crosses.
  const Layout layout =
      laid_out(6, {{5, 0}, {5, 1}, {0, 3}, {0, 4}, {1, 2}}, {.method = LayoutMethod::kLayers});
  const bool first_left = layout.points[0].x < layout.points[1].x;
  CHECK((layout.points[3].x < layout.points[2].x) == first_left);
  CHECK((layout.points[4].x < layout.points[2].x) == first_left);
}

TEST_CASE("layers: a cycle has one edge that goes up") {
  const Edges edges = {{0, 1}, {1, 2}, {2, 0}};
  const Layout layout = laid_out(3, edges, {.method = LayoutMethod::kLayers});
  int up = 0;
  for (const LayoutEdge& edge : edges) {
    CHECK(layout.layers[edge.source] != layout.layers[edge.target]);
    if (layout.layers[edge.source] > layout.layers[edge.target]) ++up;
  }
  CHECK(up == 1);
}

TEST_CASE("layers take a bounded number of places") {
  // Edges over the whole of a long path need a place in each of its layers.
  constexpr Vertex kCount = 2000;
  Edges edges = path(kCount);
  for (Vertex vertex = 2; vertex < 200; ++vertex) edges.push_back({0, kCount - vertex});
  Layout layout;
  const Status status = lay_out(kCount, edges, {.method = LayoutMethod::kLayers}, {}, layout);
  CHECK(status.code() == StatusCode::kLimit);
}

TEST_CASE(
    "auto: a small hierarchy is layered; a star, a cycle and what has both a tree and a cycle are "
    "not") {
  CHECK(laid_out(3, {{0, 1}, {0, 2}}, {}).layers == std::vector<uint32_t>{0, 1, 1});
  CHECK(laid_out(61, star(60), {}).layers.empty());
  CHECK(laid_out(3, {{0, 1}, {1, 2}, {2, 0}}, {}).layers.empty());
  CHECK(laid_out(6, {{0, 1}, {0, 2}, {3, 4}, {4, 5}, {5, 3}}, {}).layers.empty());
}

TEST_CASE("a layout ends when it is cancelled") {
  const std::atomic<bool> cancel{true};
  AlgorithmContext context;
  context.cancel = &cancel;
  for (const LayoutMethod method : kMethods) {
    Layout layout;
    CHECK(lay_out(600, path(600), {.method = method}, context, layout).code() ==
          StatusCode::kInterrupted);
  }
}

TEST_CASE("a layout ends in the middle of its work too") {
  for (const LayoutMethod method : {LayoutMethod::kSpring, LayoutMethod::kLayers}) {
    int asked = 0;
    AlgorithmContext context;
    context.progress = [&asked](double) { return ++asked < 5; };
    Layout layout;
    CHECK(lay_out(600, path(600), {.method = method, .rounds = 100}, context, layout).code() ==
          StatusCode::kInterrupted);
    CHECK(asked == 5);
  }
}

TEST_CASE("graph_layout: one row for each node of a projection, whatever its orientation") {
  const TestGraph graph(5, {{0, 1}, {1, 2}, {2, 3}, {3, 3}, {0, 1}}, 4);
  for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
    const Answer answer(
        "layout", *graph.project(orientation),
        {{"method", std::string("spring")}, {"iterations", int64_t{30}}, {"seed", int64_t{7}}});
    CHECK(answer.integers("node") == std::vector<int64_t>{0, 1, 2, 3, 4});
    CHECK(answer.integers("layer")[0] == ResultColumn::kNoValue);
    CHECK(std::isfinite(answer.reals("x")[4]));
  }
  const Answer layers(
      "layout", *graph.project(kNatural),
      {{"method", std::string("layers")}, {"iterations", int64_t{30}}, {"seed", int64_t{7}}});
  CHECK(layers.integers("layer") == std::vector<int64_t>{0, 1, 2, 3, 0});
}
