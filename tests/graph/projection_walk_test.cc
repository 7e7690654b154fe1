#include "graph/projection_walk.h"

#include <deque>
#include <set>

#include "tests/graph/algorithm_fixture.h"

using namespace braid;

namespace {

constexpr uint32_t kNever = UINT32_MAX;

/// Steps from a vertex, from the edges themselves.
std::vector<std::vector<Vertex>> steps_of(Vertex count, const TestEdges& edges, Direction direction) {
  std::vector<std::vector<Vertex>> steps(count);
  for (const TestEdge& edge : edges) {
    if (direction != Direction::kIn) steps[edge.source].push_back(edge.target);
    if (direction != Direction::kOut) steps[edge.target].push_back(edge.source);
  }
  return steps;
}

std::vector<uint32_t> depths_from(Vertex start, const std::vector<std::vector<Vertex>>& steps) {
  std::vector<uint32_t> depths(steps.size(), kNever);
  std::deque<Vertex> queue{start};
  depths[start] = 0;
  for (; !queue.empty(); queue.pop_front()) {
    for (const Vertex next : steps[queue.front()]) {
      if (depths[next] != kNever) continue;
      depths[next] = depths[queue.front()] + 1;
      queue.push_back(next);
    }
  }
  return depths;
}

}  // namespace

TEST_CASE("walks on a projection reach what the edges say, in every direction, many after each other") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 30; ++round) {
    const auto count = static_cast<Vertex>(1 + random() % 40);
    const TestEdges edges = random_edges(random, count);
    const TestGraph graph(count, edges, 1 + random() % 3);
    for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
      ProjectionWalk walk(graph.project(orientation));
      for (const Direction direction : {Direction::kOut, Direction::kIn, Direction::kBoth}) {
        Direction real = orientation == kUndirected ? Direction::kBoth : direction;
        if (orientation == kReverse && direction != Direction::kBoth)
          real = direction == Direction::kOut ? Direction::kIn : Direction::kOut;
        const auto steps = steps_of(count, edges, real);
        for (int pair = 0; pair < 20; ++pair) {
          const auto source = static_cast<Vertex>(random() % count), target = static_cast<Vertex>(random() % count);
          const auto depths = depths_from(source, steps);
          const auto hops = static_cast<uint32_t>(random() % 5);
          const auto reached = walk.hops(source, hops, direction, {});
          REQUIRE(reached.ok());
          CHECK(reached->front() == source);
          for (size_t i = 1; i < reached->size(); ++i) CHECK(depths[(*reached)[i - 1]] <= depths[(*reached)[i]]);
          const std::set<Vertex> found(reached->begin(), reached->end());
          CHECK(found.size() == reached->size());
          for (Vertex vertex = 0; vertex < count; ++vertex) CHECK(found.contains(vertex) == (depths[vertex] <= hops));
          const auto path = walk.path(source, target, direction, {});
          REQUIRE(path.ok());
          if (depths[target] == kNever) {
            CHECK(path->empty());
            continue;
          }
          REQUIRE(path->size() == depths[target] + 1);
          CHECK(path->front() == source);
          CHECK(path->back() == target);
          for (size_t i = 1; i < path->size(); ++i) {
            const auto& next = steps[(*path)[i - 1]];
            CHECK(std::find(next.begin(), next.end(), (*path)[i]) != next.end());
          }
        }
      }
    }
  }
}

TEST_CASE("a walk on a projection stops at its bounds") {
  const TestGraph graph(200, many_edges(200));
  ProjectionWalk walk(graph.project(kNatural));
  AlgorithmContext few;
  few.rows_max = 10;
  CHECK(walk.hops(0, 5, Direction::kOut, few).status().code() == StatusCode::kLimit);
  const std::atomic<bool> cancelled{true};
  AlgorithmContext stopped;
  stopped.cancel = &cancelled;
  CHECK(walk.hops(0, 5, Direction::kOut, stopped).status().code() == StatusCode::kInterrupted);
  CHECK(walk.path(0, 1, Direction::kOut, stopped).status().code() == StatusCode::kInterrupted);
  CHECK(walk.hops(0, 0, Direction::kOut, few)->size() == 1);
}
