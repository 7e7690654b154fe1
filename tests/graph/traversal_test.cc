#include "graph/traversal.h"

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <random>

#include "tests/graph/graph_fixture.h"
#include "tests/graph/graph_model.h"

using namespace braid;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A random multigraph with self loops, parallel edges, two types and weights on most edges.
struct RandomGraph {
  explicit RandomGraph(uint64_t seed) : random(seed) {
    GraphFixture::Transaction tx(graph);
    weight = tx.key("weight");
    const TypeId types[] = {tx.type("t"), tx.type("u")};
    const size_t node_count = 5 + random() % 40;
    for (size_t i = 0; i < node_count; ++i) nodes.push_back(tx.node());
    for (size_t i = random() % (4 * node_count); i > 0; --i) {
      Properties properties;
      if (random() % 3 != 0) properties = {{weight, {static_cast<double>(random() % 40) / 4}}};
      if (random() % 5 == 0) properties = {{weight, {static_cast<int64_t>(random() % 5)}}};
      const NodeId source = pick(), target = pick();
      const TypeId type = types[random() % 2];
      const EdgeId id = tx.edge(source, type, target, properties);
      model.edges[id] = {id, source, type, target, properties};
    }
    tx.commit();
  }
  NodeId pick() { return nodes[random() % nodes.size()]; }

  static double cost_of(const Edge& edge) {
    if (edge.properties.empty()) return 1;
    const auto& value = edge.properties.front().second.value;
    if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
    return std::get<double>(value);
  }
  bool follows(const Edge& edge, NodeId from, NodeId to, const TraversalOptions& options) const {
    if (options.type && edge.type != *options.type) return false;
    const bool out =
        edge.source == from && edge.target == to && options.direction != Direction::kIn;
    const bool in =
        edge.target == from && edge.source == to && options.direction != Direction::kOut;
    return out || in;
  }
  /// Bellman and Ford: costs from `source`, with hops or weights.
  std::map<NodeId, double> costs(NodeId source, bool weighted,
                                 const TraversalOptions& options) const {
    std::map<NodeId, double> best;
    for (const NodeId node : nodes) best[node] = node == source ? 0 : kInfinity;
    for (size_t round = 0; round < nodes.size(); ++round) {
      for (const auto& [id, edge] : model.edges) {
        const double cost = weighted ? cost_of(edge) : 1;
        for (const auto& [from, to] :
             {std::pair(edge.source, edge.target), {edge.target, edge.source}}) {
          if (follows(edge, from, to, options)) best[to] = std::min(best[to], best[from] + cost);
        }
      }
    }
    return best;
  }
  /// That the path is one and costs what it says.
  void check_path(const Path& path, NodeId source, NodeId target, bool weighted,
                  const TraversalOptions& options) const {
    REQUIRE(path.nodes.size() == path.edges.size() + 1);
    CHECK(path.nodes.front() == source);
    CHECK(path.nodes.back() == target);
    double cost = 0;
    for (size_t i = 0; i < path.edges.size(); ++i) {
      const Edge& edge = model.edges.at(path.edges[i]);
      CHECK(follows(edge, path.nodes[i], path.nodes[i + 1], options));
      cost += weighted ? cost_of(edge) : 1;
    }
    CHECK(cost == doctest::Approx(path.cost));
  }

  std::mt19937_64 random;
  GraphFixture graph;
  GraphModel model;
  std::vector<NodeId> nodes;
  KeyId weight;
};

TraversalOptions random_options(std::mt19937_64& random) {
  TraversalOptions options;
  options.direction = static_cast<Direction>(1 + random() % 3);
  if (random() % 2 == 0) options.type = TypeId(static_cast<uint32_t>(1 + random() % 2));
  return options;
}

}  // namespace

TEST_CASE("walks on random multigraphs agree with plain implementations") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    RandomGraph it(seed);
    const GraphView view = it.graph.view();
    for (int round = 0; round < 6; ++round) {
      TraversalOptions options = random_options(it.random);
      const NodeId source = it.pick(), target = it.pick();
      const auto hops = it.costs(source, false, options);
      const auto costs = it.costs(source, true, options);

      const auto weighted = weighted_shortest_path(view, source, target, it.weight, options);
      REQUIRE_MESSAGE(weighted.ok(), weighted.status().message());
      REQUIRE(weighted->has_value() == (costs.at(target) < kInfinity));
      if (*weighted) {
        CHECK((*weighted)->cost == doctest::Approx(costs.at(target)));
        it.check_path(**weighted, source, target, true, options);
      }

      if (it.random() % 2 == 0) options.depth_max = static_cast<uint32_t>(it.random() % 5);
      const auto path = shortest_path(view, source, target, options);
      REQUIRE(path.ok());
      REQUIRE(path->has_value() ==
              (hops.at(target) <= options.depth_max && hops.at(target) < kInfinity));
      if (*path) {
        CHECK((*path)->cost == hops.at(target));
        it.check_path(**path, source, target, false, options);
      }

      const auto reached = k_hops(view, source, options);
      REQUIRE(reached.ok());
      size_t wanted = 0;
      for (const auto& [node, depth] : hops)
        wanted += depth <= options.depth_max && depth < kInfinity;
      CHECK(reached->size() == wanted);
      for (size_t i = 0; i < reached->size(); ++i) {
        const Reached& step = (*reached)[i];
        CHECK(step.depth == hops.at(step.node));
        if (i == 0) continue;
        CHECK((*reached)[i - 1].depth <= step.depth);
        CHECK(it.follows(it.model.edges.at(step.via), step.previous, step.node, options));
      }
    }
  }
}

TEST_CASE("walks from or to a node that does not exist are refused") {
  RandomGraph it(1);
  const GraphView view = it.graph.view();
  CHECK(k_hops(view, NodeId(999), {}).status().code() == StatusCode::kNotFound);
  CHECK(shortest_path(view, NodeId(1), NodeId(999), {}).status().code() == StatusCode::kNotFound);
  CHECK(weighted_shortest_path(view, NodeId(999), NodeId(1), it.weight, {}).status().code() ==
        StatusCode::kNotFound);
}

TEST_CASE("limits, cancelling and bad weights end a walk with their own codes") {
  GraphFixture graph;
  GraphFixture::Transaction tx(graph);
  const TypeId type = tx.type("t");
  const KeyId weight = tx.key("weight");
  std::vector<NodeId> chain = {tx.node()};
  for (int i = 0; i < 100; ++i) {
    chain.push_back(tx.node());
    Properties properties;
    if (i == 50) properties = {{weight, {-1.0}}};
    tx.edge(chain[chain.size() - 2], type, chain.back(), properties);
  }
  tx.commit();
  const GraphView view = graph.view();
  TraversalOptions few;
  few.visits_max = 10;
  CHECK(k_hops(view, chain[0], few).status().code() == StatusCode::kLimit);
  CHECK(shortest_path(view, chain[0], chain[60], few).status().code() == StatusCode::kLimit);
  CHECK(weighted_shortest_path(view, chain[0], chain[60], weight, few).status().code() ==
        StatusCode::kLimit);
  CHECK((*shortest_path(view, chain[0], chain[5], few)).has_value());
  const std::atomic<bool> cancel{true};
  TraversalOptions cancelled;
  cancelled.cancel = &cancel;
  CHECK(k_hops(view, chain[0], cancelled).status().code() == StatusCode::kInterrupted);
  CHECK(shortest_path(view, chain[0], chain[60], cancelled).status().code() ==
        StatusCode::kInterrupted);
  CHECK(weighted_shortest_path(view, chain[0], chain[60], weight, cancelled).status().code() ==
        StatusCode::kInterrupted);
  const auto bad = weighted_shortest_path(view, chain[0], chain[60], weight, {});
  CHECK(bad.status().code() == StatusCode::kInvalidArgument);
  CHECK(bad.status().message().find("edge 51") != std::string::npos);
  CHECK((*weighted_shortest_path(view, chain[0], chain[20], weight, {}))->cost == 20);
  TraversalOptions hops;
  hops.depth_max = 3;
  CHECK(weighted_shortest_path(view, chain[0], chain[2], weight, hops).status().code() ==
        StatusCode::kInvalidArgument);
}

TEST_CASE("a path from a node to itself is empty") {
  RandomGraph it(2);
  const auto path = shortest_path(it.graph.view(), it.nodes[0], it.nodes[0], {});
  REQUIRE(path.ok());
  CHECK((*path)->nodes == std::vector<NodeId>{it.nodes[0]});
  CHECK((*weighted_shortest_path(it.graph.view(), it.nodes[0], it.nodes[0], it.weight, {}))->cost ==
        0);
}
