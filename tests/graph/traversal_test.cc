#include "graph/traversal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <tuple>

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
    if (!options.steps.types.empty() && edge.type != options.steps.types.front()) return false;
    const bool out =
        edge.source == from && edge.target == to && options.steps.direction != Direction::kIn;
    const bool in =
        edge.target == from && edge.source == to && options.steps.direction != Direction::kOut;
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
  options.steps.direction = static_cast<Direction>(1 + random() % 3);
  if (random() % 2 == 0) options.steps.types = {TypeId(static_cast<uint32_t>(1 + random() % 2))};
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

TEST_CASE("a walk gives the same on a projection as from the store") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    RandomGraph it(seed);
    const GraphView view = it.graph.view();
    for (int round = 0; round < 6; ++round) {
      TraversalOptions store = random_options(it.random);
      store.way = WalkWay::kStore;
      if (it.random() % 2 == 0) store.depth_max = static_cast<uint32_t>(it.random() % 5);
      TraversalOptions projection = store;
      projection.way = WalkWay::kProjection;
      const NodeId source = it.pick(), target = it.pick();
      WalkReport report;
      const auto a = k_hops(view, source, store, &report);
      CHECK_FALSE(report.on_projection);
      const auto b = k_hops(view, source, projection, &report);
      CHECK(report.on_projection == (store.depth_max > 0));
      const auto rows = [](const std::vector<Reached>& reached) {
        std::set<std::tuple<uint64_t, uint32_t, uint64_t, uint64_t>> set;
        for (const Reached& one : reached) set.emplace(one.node.value(), one.depth, one.via.value(), one.previous.value());
        return set;
      };
      CHECK(rows(*a) == rows(*b));
      const auto path = shortest_path(view, source, target, projection);
      const auto other = shortest_path(view, source, target, store);
      REQUIRE(path.ok());
      REQUIRE(path->has_value() == other->has_value());
      if (!*path) continue;
      CHECK((*path)->cost == (*other)->cost);
      it.check_path(**path, source, target, false, store);
    }
  }
}

TEST_CASE("walks reach a projection by themselves when it pays, and say so") {
  GraphFixture graph;
  GraphFixture::Transaction tx(graph);
  const TypeId type = tx.type("t");
  std::vector<NodeId> nodes;
  for (int i = 0; i < 20000; ++i) nodes.push_back(tx.node());
  for (size_t i = 1; i < nodes.size(); ++i) tx.edge(nodes[i - 1], type, nodes[i]);
  tx.commit();
  const GraphView view = graph.view();
  TraversalOptions options;
  WalkReport report;
  options.depth_max = 10;
  for (int i = 0; i < 100; ++i) REQUIRE(k_hops(view, nodes[static_cast<size_t>(i)], options, &report).ok());
  CHECK_FALSE(report.on_projection);
  CHECK(report.why == "a short walk");
  options.depth_max = 100;
  int on_store = 0;
  for (; on_store < 100; ++on_store) {
    REQUIRE(k_hops(view, nodes[0], options, &report)->size() == 101);
    if (report.on_projection) break;
  }
  CHECK(on_store > 1);
  CHECK(on_store < 20);
  CHECK(report.why == "such walks have read more than building a projection takes");
  REQUIRE(k_hops(view, nodes[7], options, &report)->size() == 101);
  CHECK(report.why == "a projection is kept");
  GraphFixture::Transaction more(graph);
  more.edge(nodes[0], type, nodes[5000]);
  // The transaction's own changes are in no projection.
  CHECK(k_hops(more.writer.view(), nodes[0], options, &report)->size() == 201);
  CHECK(report.why == "the transaction has changed the graph");
  more.commit();
  CHECK(k_hops(graph.view(), nodes[0], options, &report)->size() == 201);
  CHECK(report.why == "a projection is kept");
  options.depth_max = 100000;
  options.steps.direction = Direction::kIn;
  REQUIRE((*shortest_path(graph.view(), nodes[4000], nodes[0], options, &report))->edges.size() == 4000);
  CHECK(report.on_projection);  // one long walk pays by itself
}

TEST_CASE("filters on nodes and edges bound a walk") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    RandomGraph it(seed);
    const GraphView view = it.graph.view();
    TraversalOptions all = random_options(it.random), some = all;
    const auto edge_odd = [](EdgeId id) -> Result<bool> { return id.value() % 3 != 0; };
    const auto node_odd = [](NodeId id) -> Result<bool> { return id.value() % 4 != 0; };
    some.steps.edge_passes = edge_odd;
    some.steps.node_passes = node_odd;
    const NodeId source = it.pick(), target = it.pick();
    RandomGraph rest(seed);
    std::erase_if(rest.model.edges, [&](const auto& item) {
      const auto& [id, edge] = item;
      if (!*edge_odd(id)) return true;
      // A step may not lead to a node that fails; the source may fail.
      const bool into_source = all.steps.direction != Direction::kIn ? edge.target == source : edge.source == source;
      return (!*node_odd(edge.source) && edge.source != source) || (!*node_odd(edge.target) && edge.target != source) ||
             (into_source && !*node_odd(source) && all.steps.direction != Direction::kBoth);
    });
    const auto hops = rest.costs(source, false, all);
    size_t wanted = 0;
    for (const auto& [node, depth] : hops) wanted += depth < kInfinity;
    CHECK(k_hops(view, source, some)->size() == wanted);
    const auto path = shortest_path(view, source, target, some);
    REQUIRE(path.ok());
    if (source != target) CHECK(path->has_value() == (hops.at(target) < kInfinity));
    if (*path) CHECK((*path)->cost == hops.at(target));
  }
}

TEST_CASE("trails use no edge twice, and are all there") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    RandomGraph it(seed);
    TraversalOptions options = random_options(it.random);
    options.depth_max = 3;
    const NodeId start = it.pick();
    // Every sequence of up to three steps, by trying all edges.
    std::set<std::vector<uint64_t>> wanted;
    const std::function<void(NodeId, std::vector<uint64_t>)> grow = [&](NodeId at, std::vector<uint64_t> edges) {
      if (!edges.empty()) wanted.insert(edges);
      if (edges.size() == 3) return;
      for (const auto& [id, edge] : it.model.edges) {
        if (std::find(edges.begin(), edges.end(), id.value()) != edges.end()) continue;
        for (const NodeId next : {edge.source, edge.target}) {
          if (!it.follows(edge, at, next, options)) continue;
          std::vector<uint64_t> longer = edges;
          longer.push_back(id.value());
          grow(next, longer);
          if (edge.source == edge.target) break;
        }
      }
    };
    grow(start, {});
    const auto found = trails(it.graph.view(), {.start = start}, options);
    REQUIRE(found.ok());
    std::set<std::vector<uint64_t>> edges_found;
    for (const Path& path : *found) {
      std::vector<uint64_t> edges;
      for (const EdgeId edge : path.edges) edges.push_back(edge.value());
      edges_found.insert(edges);
      CHECK(path.nodes.size() == path.edges.size() + 1);
    }
    CHECK(edges_found == wanted);
    CHECK(found->size() == wanted.size());
    const NodeId target = it.pick();
    const auto to_target = trails(it.graph.view(), {.start = start, .target = target, .depth_min = 0}, options);
    for (const Path& path : *to_target) CHECK(path.nodes.back() == target);
    options.visits_max = 3;
    if (wanted.size() > 10) CHECK(trails(it.graph.view(), {.start = start}, options).status().code() == StatusCode::kLimit);
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
