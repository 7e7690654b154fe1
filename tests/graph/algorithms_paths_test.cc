// Against the plainest implementations: relaxing every edge again and again, trying every path.
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "graph/algorithms.h"
#include "tests/graph/random_graph.h"

using namespace braid;

namespace {

constexpr Orientation kOrientations[] = {Orientation::kNatural, Orientation::kReverse, Orientation::kUndirected};

std::vector<double> plain_distances(const std::vector<ListedEdge>& steps, Vertex count, Vertex source, bool weighted,
                                    Vertex without = UINT32_MAX, uint64_t without_edge = 0) {
  std::vector<double> distance(count, kFar);
  if (source != without) distance[source] = 0;
  for (Vertex round = 0; round < count; ++round)
    for (const ListedEdge& step : steps) {
      if (step.target == without || step.id == without_edge) continue;
      distance[step.target] = std::min(distance[step.target], distance[step.source] + (weighted ? step.weight : 1));
    }
  return distance;
}

/// The costs of all paths without a repeated node.
std::vector<double> plain_paths(const std::vector<ListedEdge>& steps, Vertex source, Vertex target) {
  std::vector<double> costs;
  std::set<Vertex> on_path{source};
  const std::function<void(Vertex, double)> go = [&](Vertex vertex, double cost) {
    for (const ListedEdge& step : steps) {
      if (step.source != vertex || on_path.contains(step.target)) continue;
      if (step.target == target) {
        costs.push_back(cost + step.weight);
        continue;
      }
      on_path.insert(step.target);
      go(step.target, cost + step.weight);
      on_path.erase(step.target);
    }
  };
  go(source, 0);
  std::sort(costs.begin(), costs.end());
  return costs;
}

/// What each path of a result costs; checks that its steps are steps of the graph, from the source to the target.
std::vector<double> path_costs(const AlgorithmResult& result, const std::vector<ListedEdge>& steps, Vertex source, Vertex target) {
  std::vector<double> costs;
  for (size_t row = 0; row < result.row_count; ++row) {
    const auto vertex = static_cast<Vertex>(result.columns[2].integers[row]);
    if (result.columns[1].integers[row] == 0) {
      CHECK(vertex == source);
      costs.push_back(0);
    } else {
      const auto before = static_cast<Vertex>(result.columns[2].integers[row - 1]);
      const auto edge = static_cast<uint64_t>(result.columns[3].integers[row]);
      const auto step = std::find_if(steps.begin(), steps.end(), [&](const ListedEdge& one) {
        return one.id == edge && one.source == before && one.target == vertex;
      });
      REQUIRE(step != steps.end());
      costs.back() += step->weight;
      CHECK(result.columns[4].reals[row] == costs.back());
    }
    const bool last = row + 1 == result.row_count || result.columns[1].integers[row + 1] == 0;
    if (last) CHECK(vertex == target);
  }
  return costs;
}

}  // namespace

TEST_CASE("distances from one node are those of the plainest search") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const RandomGraph random(seed, 14, 10 + seed * 3);
    for (const Orientation orientation : kOrientations) {
      const auto steps = random.steps(orientation);
      for (const bool weighted : {false, true}) {
        const auto graph = random.project(orientation, weighted);
        const auto expected = plain_distances(steps, random.count, 0, weighted);
        for (const char* name : {"dijkstra", "bellman_ford"}) {
          const AlgorithmResult result = result_of(name, *graph, {Vertex{0}});
          std::vector<double> distance(random.count, kFar);
          for (size_t row = 0; row < result.row_count; ++row)
            distance[static_cast<size_t>(result.columns[0].integers[row])] = result.columns[1].reals[row];
          CHECK(distance == expected);
        }
        if (weighted) continue;
        const AlgorithmResult bfs = result_of("bfs", *graph, {Vertex{0}});
        CHECK(bfs.row_count == static_cast<size_t>(std::count_if(expected.begin(), expected.end(), [](double d) { return d < kFar; })));
        for (size_t row = 0; row < bfs.row_count; ++row)
          CHECK(static_cast<double>(bfs.columns[1].integers[row]) == expected[static_cast<size_t>(bfs.columns[0].integers[row])]);
        CHECK(result_of("dfs", *graph, {Vertex{0}}).row_count == bfs.row_count);
      }
    }
  }
}

TEST_CASE("all pairs are the distances from each node") {
  const RandomGraph random(4, 9, 20);
  const auto graph = random.project(Orientation::kNatural, true);
  const AlgorithmResult result = result_of("all_pairs", *graph);
  size_t reached = 0;
  for (Vertex source = 0; source < random.count; ++source)
    for (const double distance : plain_distances(random.steps(Orientation::kNatural), random.count, source, true))
      reached += distance < kFar ? 1 : 0;
  CHECK(result.row_count == reached);
  for (size_t row = 0; row < result.row_count; ++row) {
    const auto expected = plain_distances(random.steps(Orientation::kNatural), random.count,
                                          static_cast<Vertex>(result.columns[0].integers[row]), true);
    CHECK(result.columns[2].reals[row] == expected[static_cast<size_t>(result.columns[1].integers[row])]);
  }
}

TEST_CASE("negative weights are for Bellman and Ford, and a negative cycle is refused") {
  const RandomGraph random(2, 8, 40, -3);
  const auto graph = random.project(Orientation::kNatural, true);
  AlgorithmResult out;
  REQUIRE(graph->has_negative_weight());
  CHECK(run_algorithm("dijkstra", *graph, {Vertex{0}}, out).code() == StatusCode::kInvalidArgument);
  GraphFixture fixture;
  GraphFixture::Transaction tx(fixture);
  const KeyId key = tx.key("w");
  const NodeId a = tx.node(), b = tx.node(), c = tx.node();
  tx.edge(a, tx.type("T"), b, {{key, PropertyValue{int64_t{4}}}});
  tx.edge(b, tx.type("T"), c, {{key, PropertyValue{int64_t{-6}}}});
  tx.commit();
  ProjectionSpec spec;
  spec.weight = key;
  CHECK(result_of("bellman_ford", **Projection::build(fixture.view(), spec, {}), {Vertex{0}}).columns[1].reals.back() == -2);
  GraphFixture::Transaction more(fixture);
  more.edge(c, more.type("T"), b, {{key, PropertyValue{int64_t{5}}}});
  more.commit();
  const Status refused = run_algorithm("bellman_ford", **Projection::build(fixture.view(), spec, {}), {Vertex{0}}, out);
  CHECK(refused.message().find("negative sum") != std::string::npos);
}

TEST_CASE("shortest paths: one, all of them, and the k first") {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    const RandomGraph random(seed, 7, 14, 1);
    for (const Orientation orientation : kOrientations) {
      const auto steps = random.steps(orientation);
      const auto graph = random.project(orientation, true);
      const auto unweighted = random.project(orientation, false);
      for (Vertex target = 1; target < random.count; ++target) {
        const std::vector<double> expected = plain_paths(steps, 0, target);
        const auto one = path_costs(result_of("path", *graph, {Vertex{0}, target}), steps, 0, target);
        CHECK(one.size() == std::min<size_t>(1, expected.size()));
        if (!expected.empty()) CHECK(one.front() == expected.front());
        const auto all = path_costs(result_of("all_shortest_paths", *graph, {Vertex{0}, target}), steps, 0, target);
        CHECK(all.size() == static_cast<size_t>(std::count(expected.begin(), expected.end(), expected.empty() ? 0 : expected.front())));
        const auto first = path_costs(result_of("k_shortest_paths", *graph, {Vertex{0}, target, int64_t{6}}), steps, 0, target);
        CHECK(first == std::vector<double>(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(6, expected.size()))));
        const AlgorithmResult hops = result_of("path", *unweighted, {Vertex{0}, target});
        const double depth = plain_distances(steps, random.count, 0, false)[target];
        CHECK(hops.row_count == (depth == kFar ? 0 : static_cast<size_t>(depth) + 1));
      }
    }
  }
}

TEST_CASE("the path from a node to itself is that node") {
  const RandomGraph random(1, 5, 8);
  const auto graph = random.project(Orientation::kNatural, true);
  for (const char* name : {"path", "all_shortest_paths", "k_shortest_paths"}) {
    const AlgorithmResult result = result_of(name, *graph, {Vertex{2}, Vertex{2}});
    CHECK(result.row_count == 1);
    CHECK(result.columns[2].integers[0] == 2);
  }
}

TEST_CASE("what is cut off is what only the failed node or edge led to") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const RandomGraph random(seed, 12, 16);
    const auto steps = random.steps(Orientation::kNatural);
    const auto graph = random.project(Orientation::kNatural, false);
    const auto before = plain_distances(steps, random.count, 0, false);
    const auto lost = [&](Vertex node, uint64_t edge) {
      const auto after = plain_distances(steps, random.count, 0, false, node, edge);
      size_t count = 0;
      for (Vertex vertex = 0; vertex < random.count; ++vertex)
        count += vertex != node && before[vertex] < kFar && after[vertex] == kFar ? 1 : 0;
      return count;
    };
    for (Vertex node = 0; node < random.count; ++node)
      CHECK(result_of("cut_off", *graph, {Vertex{0}, node}).row_count == lost(node, 0));
    for (const ListedEdge& edge : random.edges)
      CHECK(result_of("cut_off", *graph, {Vertex{0}, ArgumentValue(), static_cast<int64_t>(edge.id)}).row_count == lost(UINT32_MAX, edge.id));
  }
}
