// Against the plainest implementations: taking away each node and edge in turn, trying every cut.
#include <cmath>
#include <map>
#include <set>

#include "tests/graph/random_graph.h"

using namespace braid;

namespace {

/// Components without direction, without one vertex and one edge.
size_t component_count(const RandomGraph& random, Vertex without, uint64_t without_edge) {
  std::vector<Vertex> of(random.count);
  for (Vertex i = 0; i < random.count; ++i) of[i] = i;
  for (Vertex round = 0; round < random.count; ++round)
    for (const ListedEdge& edge : random.edges) {
      if (edge.source == without || edge.target == without || edge.id == without_edge) continue;
      of[edge.source] = of[edge.target] = std::min(of[edge.source], of[edge.target]);
    }
  std::set<Vertex> components;
  for (Vertex i = 0; i < random.count; ++i)
    if (i != without) components.insert(of[i]);
  return components.size();
}

std::set<int64_t> column_set(const AlgorithmResult& result, size_t column) {
  return {result.columns[column].integers.begin(), result.columns[column].integers.end()};
}

}  // namespace

TEST_CASE("articulation points and bridges are what breaks a component when it is taken away") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const RandomGraph random(seed, 10, 6 + seed % 12);
    const size_t whole = component_count(random, UINT32_MAX, 0);
    std::set<int64_t> points, bridges;
    for (Vertex vertex = 0; vertex < random.count; ++vertex)
      if (component_count(random, vertex, 0) > whole) points.insert(vertex);
    for (const ListedEdge& edge : random.edges)
      if (component_count(random, UINT32_MAX, edge.id) > whole) bridges.insert(static_cast<int64_t>(edge.id));
    for (const Orientation orientation : {Orientation::kNatural, Orientation::kReverse, Orientation::kUndirected}) {
      const auto graph = random.project(orientation, false);
      CHECK(column_set(result_of("articulation_points", *graph), 0) == points);
      CHECK(column_set(result_of("bridges", *graph), 0) == bridges);
      const AlgorithmResult parts = result_of("biconnected", *graph);
      CHECK(parts.row_count == random.edges.size());
      CHECK(column_set(parts, 0).size() == random.edges.size());
      // A node in two components of more than loops is an articulation point, and the other way round.
      std::map<int64_t, std::set<int64_t>> components;
      for (size_t row = 0; row < parts.row_count; ++row)
        for (const size_t end : {1, 2})
          if (parts.columns[1].integers[row] != parts.columns[2].integers[row])
            components[parts.columns[end].integers[row]].insert(parts.columns[3].integers[row]);
      for (Vertex vertex = 0; vertex < random.count; ++vertex) CHECK((components[vertex].size() > 1) == points.contains(vertex));
    }
  }
}

TEST_CASE("an order puts every edge forward, or a cycle shows why there is none") {
  size_t ordered = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const RandomGraph random(seed, 9, 6);
    const auto graph = random.project(Orientation::kNatural, false);
    AlgorithmResult order;
    const Status status = run_algorithm("topological_order", *graph, {}, order);
    const AlgorithmResult cycle = result_of("cycle", *graph);
    CHECK(status.ok() == (cycle.row_count == 0));
    if (status.ok()) {
      ++ordered;
      std::vector<int64_t> position(random.count, -1);
      for (size_t row = 0; row < order.row_count; ++row) position[static_cast<size_t>(order.columns[0].integers[row])] = order.columns[1].integers[row];
      for (const ListedEdge& edge : random.edges) CHECK(position[edge.source] < position[edge.target]);
      continue;
    }
    for (size_t row = 0; row < cycle.row_count; ++row) {
      const size_t before = row == 0 ? cycle.row_count - 1 : row - 1;
      const auto edge = static_cast<uint64_t>(cycle.columns[2].integers[row]);
      const auto found = std::find_if(random.edges.begin(), random.edges.end(), [&](const ListedEdge& one) { return one.id == edge; });
      REQUIRE(found != random.edges.end());
      CHECK(found->source == cycle.columns[1].integers[before]);
      CHECK(found->target == cycle.columns[1].integers[row]);
    }
  }
  CHECK(ordered > 3);
  CHECK(ordered < 37);
}

TEST_CASE("a dominator is a node without which another is not reached") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const RandomGraph random(seed, 12, 22);
    const auto graph = random.project(Orientation::kNatural, false);
    const AlgorithmResult result = result_of("dominators", *graph, {Vertex{0}});
    std::map<Vertex, int64_t> dominator;
    for (size_t row = 0; row < result.row_count; ++row)
      dominator[static_cast<Vertex>(result.columns[0].integers[row])] = result.columns[1].integers[row];
    CHECK(dominator.size() == result_of("bfs", *graph, {Vertex{0}}).row_count);
    for (size_t row = 0; row < result.row_count; ++row) {
      const auto vertex = static_cast<Vertex>(result.columns[0].integers[row]);
      const AlgorithmResult lost = result_of("cut_off", *graph, {Vertex{0}, vertex});
      CHECK(static_cast<size_t>(result.columns[2].integers[row]) == lost.row_count);
      // Every node that is lost with this one is below it in the tree.
      for (const int64_t below : column_set(lost, 0)) {
        int64_t above = below;
        while (above != vertex && above != ResultColumn::kNoValue) above = dominator[static_cast<Vertex>(above)];
        CHECK(above == vertex);
      }
    }
  }
}

TEST_CASE("the largest flow is as large as the least cut") {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    const RandomGraph random(seed, 8, 18);
    for (const Orientation orientation : {Orientation::kNatural, Orientation::kUndirected}) {
      const auto graph = random.project(orientation, true);
      const AlgorithmResult result = result_of("max_flow", *graph, {Vertex{0}, Vertex{7}});
      double least = std::numeric_limits<double>::infinity();
      for (unsigned sides = 0; sides < 256; ++sides) {
        if ((sides & 1) == 0 || (sides >> 7 & 1) != 0) continue;
        double cut = 0;
        for (const ListedEdge& step : random.steps(orientation))
          if ((sides >> step.source & 1) != 0 && (sides >> step.target & 1) == 0) cut += step.weight;
        least = std::min(least, cut);
      }
      double cut = 0;
      std::vector<double> balance(random.count, 0);
      for (size_t row = 0; row < result.row_count; ++row) {
        const double flow = result.columns[3].reals[row];
        CHECK(flow <= result.columns[4].reals[row]);
        CHECK(result.columns[6].reals[row] == least);
        balance[static_cast<size_t>(result.columns[1].integers[row])] -= flow;
        balance[static_cast<size_t>(result.columns[2].integers[row])] += flow;
        if (result.columns[5].integers[row] == 1) cut += result.columns[4].reals[row];
      }
      CHECK(cut == least);
      for (Vertex vertex = 0; vertex < random.count; ++vertex) {
        const double expected = vertex == 0 ? -least : vertex == 7 ? least : 0;
        CHECK(balance[vertex] == expected);
      }
    }
  }
}

// An undirected edge has an entry at each end. The flow found may use both, there and back, and the edge was answered twice.
TEST_CASE("an undirected edge is one row of a flow") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const RandomGraph random(seed, 16, 50);
    const AlgorithmResult result = result_of("max_flow", *random.project(Orientation::kUndirected, true), {Vertex{0}, Vertex{15}});
    CHECK(column_set(result, 0).size() == result.row_count);
  }
}

TEST_CASE("a spanning forest joins what is joined, with the least weight") {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    const RandomGraph random(seed, 6, 8);
    const auto graph = random.project(Orientation::kNatural, true);
    const AlgorithmResult result = result_of("spanning_forest", *graph);
    const size_t joined = random.count - component_count(random, UINT32_MAX, 0);
    CHECK(result.row_count == joined);
    double weight = 0;
    for (const double one : result.columns[3].reals) weight += one;
    double least = std::numeric_limits<double>::infinity();
    for (unsigned chosen = 0; chosen < 1u << random.edges.size(); ++chosen) {
      if (static_cast<size_t>(__builtin_popcount(chosen)) != joined) continue;
      std::vector<Vertex> of(random.count);
      for (Vertex i = 0; i < random.count; ++i) of[i] = i;
      double sum = 0;
      bool tree = true;
      for (size_t i = 0; i < random.edges.size(); ++i) {
        if ((chosen >> i & 1) == 0) continue;
        const Vertex a = of[random.edges[i].source], b = of[random.edges[i].target];
        tree &= a != b;
        for (Vertex& one : of)
          if (one == a) one = b;
        sum += random.edges[i].weight;
      }
      if (tree) least = std::min(least, sum);
    }
    CHECK(weight == least);
  }
}

TEST_CASE("two sides, or an odd cycle") {
  size_t two_sided = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const RandomGraph random(seed, 8, 7);
    bool possible = false;
    for (unsigned sides = 0; sides < 256 && !possible; ++sides) {
      possible = std::all_of(random.edges.begin(), random.edges.end(),
                             [&](const ListedEdge& edge) { return (sides >> edge.source & 1) != (sides >> edge.target & 1); });
    }
    AlgorithmResult result;
    const Status status = run_algorithm("bipartite", *random.project(Orientation::kNatural, false), {}, result);
    CHECK(status.ok() == possible);
    if (!status.ok()) continue;
    ++two_sided;
    for (const ListedEdge& edge : random.edges) CHECK(result.columns[1].integers[edge.source] != result.columns[1].integers[edge.target]);
  }
  CHECK(two_sided > 2);
}

TEST_CASE("likeness counts shared neighbours; walks go over edges") {
  const RandomGraph random(6, 12, 30);
  const auto graph = random.project(Orientation::kNatural, false);
  std::vector<std::set<Vertex>> neighbors(random.count);
  for (const ListedEdge& edge : random.edges) {
    if (edge.source == edge.target) continue;
    neighbors[edge.source].insert(edge.target);
    neighbors[edge.target].insert(edge.source);
  }
  const AlgorithmResult alike = result_of("similarity", *graph, {Vertex{3}});
  std::map<Vertex, std::array<double, 3>> expected;
  for (Vertex other = 0; other < random.count; ++other) {
    double shared = 0, adamic_adar = 0;
    for (const Vertex common : neighbors[3]) {
      if (!neighbors[other].contains(common)) continue;
      ++shared;
      adamic_adar += 1 / std::log(static_cast<double>(neighbors[common].size()));
    }
    std::set<Vertex> both = neighbors[3];
    both.insert(neighbors[other].begin(), neighbors[other].end());
    if (other != 3 && shared > 0) expected[other] = {shared, shared / static_cast<double>(both.size()), adamic_adar};
  }
  CHECK(alike.row_count == expected.size());
  for (size_t row = 0; row < alike.row_count; ++row) {
    const auto& values = expected.at(static_cast<Vertex>(alike.columns[0].integers[row]));
    CHECK(static_cast<double>(alike.columns[1].integers[row]) == values[0]);
    CHECK(alike.columns[2].reals[row] == doctest::Approx(values[1]));
    CHECK(alike.columns[3].reals[row] == doctest::Approx(values[2]));
  }
  const AlgorithmResult walk = result_of("random_walk", *graph, {Vertex{0}, int64_t{5}, int64_t{20}, int64_t{7}});
  for (size_t row = 1; row < walk.row_count; ++row) {
    if (walk.columns[1].integers[row] == 0) continue;
    const auto edge = static_cast<uint64_t>(walk.columns[3].integers[row]);
    const auto found = std::find_if(random.edges.begin(), random.edges.end(), [&](const ListedEdge& one) { return one.id == edge; });
    REQUIRE(found != random.edges.end());
    CHECK(found->source == walk.columns[2].integers[row - 1]);
    CHECK(found->target == walk.columns[2].integers[row]);
  }
  CHECK(result_of("random_walk", *graph, {Vertex{0}, int64_t{5}, int64_t{20}, int64_t{7}}).columns[2].integers == walk.columns[2].integers);
}
