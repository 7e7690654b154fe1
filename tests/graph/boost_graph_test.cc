#include "graph/boost_graph.h"

#include <doctest/doctest.h>

#include <boost/graph/bellman_ford_shortest_paths.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/kruskal_min_spanning_tree.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/property_map/function_property_map.hpp>
#include <limits>
#include <map>
#include <set>

#include "tests/graph/random_graph.h"

using namespace braid;

BOOST_CONCEPT_ASSERT((boost::IncidenceGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<BoostVertexListGraph>));
BOOST_CONCEPT_ASSERT((boost::VertexListGraphConcept<BoostVertexListGraph>));
BOOST_CONCEPT_ASSERT((boost::EdgeListGraphConcept<BoostVertexListGraph>));
BOOST_CONCEPT_ASSERT((boost::AdjacencyGraphConcept<BoostVertexListGraph>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<BoostEdgeWeightMap, BoostEdge>));

namespace {

/// 1 -> 2 -> 3 -> 4, a shortcut 1 -> 4 of high cost, and 5 alone; ids are not dense.
struct Diamond {
  Diamond() {
    GraphFixture::Transaction tx(graph);
    const TypeId type = tx.type("t");
    const NodeId gone = tx.node();
    for (int i = 0; i < 5; ++i) nodes.push_back(tx.node());
    for (size_t i = 0; i < 3; ++i) tx.edge(nodes[i], type, nodes[i + 1]);
    shortcut = tx.edge(nodes[0], type, nodes[3]);
    REQUIRE(tx.writer.delete_node(gone, DeleteRule::kRestrict).ok());
    tx.commit();
  }
  GraphFixture graph;
  std::vector<NodeId> nodes;
  EdgeId shortcut;
};

class OrderVisitor : public boost::default_bfs_visitor {
 public:
  explicit OrderVisitor(std::vector<BoostVertex>& order) : order_(order) {}
  void discover_vertex(BoostVertex vertex, const BoostVertexListGraph&) {
    order_.push_back(vertex);
  }

 private:
  std::vector<BoostVertex>& order_;
};

}  // namespace

TEST_CASE("Boost's breadth-first search runs on the stored graph") {
  Diamond it;
  const auto graph = BoostVertexListGraph::load(it.graph.view(), Direction::kOut, std::nullopt);
  REQUIRE(graph.ok());
  CHECK(num_vertices(*graph) == 5);
  std::vector<BoostVertex> order;
  boost::breadth_first_search(*graph, it.nodes[0].value(), boost::visitor(OrderVisitor(order)));
  CHECK(order == std::vector<BoostVertex>{it.nodes[0].value(), it.nodes[1].value(),
                                          it.nodes[3].value(), it.nodes[2].value()});
  CHECK(graph->failure().ok());
}

TEST_CASE("Boost's Dijkstra runs on the stored graph") {
  Diamond it;
  const auto graph = BoostVertexListGraph::load(it.graph.view(), Direction::kOut, std::nullopt);
  REQUIRE(graph.ok());
  std::vector<double> cost(num_vertices(*graph));
  const auto index = get(boost::vertex_index, *graph);
  const auto weight = boost::make_function_property_map<BoostEdge>(
      [&it](const BoostEdge& edge) { return edge.id == it.shortcut ? 10.0 : 1.0; });
  boost::dijkstra_shortest_paths(*graph, it.nodes[0].value(),
                                 boost::weight_map(weight).distance_map(
                                     boost::make_iterator_property_map(cost.begin(), index)));
  CHECK(cost[0] == 0);
  CHECK(cost[1] == 1);
  CHECK(cost[2] == 2);
  CHECK(cost[3] == 3);
  CHECK(cost[4] == std::numeric_limits<double>::max());
}

TEST_CASE("edges in and out agree and follow the direction") {
  Diamond it;
  const BoostGraph out(it.graph.view(), Direction::kOut, std::nullopt);
  const BoostGraph in(it.graph.view(), Direction::kIn, std::nullopt);
  const BoostVertex last = it.nodes[3].value();
  CHECK(in_degree(last, out) == 2);
  CHECK(out_degree(last, out) == 0);
  CHECK(out_degree(last, in) == 2);
  CHECK(degree(last, in) == 2);
  const BoostEdge edge = *in_edges(last, out).first;
  CHECK(target(edge, out) == last);
  CHECK(source(edge, out) == it.nodes[2].value());
}

TEST_CASE("the edges of the stored graph are the steps of its vertices") {
  constexpr std::pair<Direction, Orientation> kWays[] = {{Direction::kOut, Orientation::kNatural},
                                                         {Direction::kIn, Orientation::kReverse},
                                                         {Direction::kBoth, Orientation::kUndirected}};
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const RandomGraph random(seed, static_cast<Vertex>(1 + seed % 8), (seed * 5) % 30);
    for (const auto& [direction, orientation] : kWays) {
      const auto graph = BoostVertexListGraph::load(random.fixture.view(), direction, std::nullopt);
      REQUIRE(graph.ok());
      std::multiset<std::tuple<uint64_t, uint64_t, uint64_t>> expected, listed;
      for (const ListedEdge& step : random.steps(orientation)) {
        expected.emplace(step.id, step.source + 1, step.target + 1);
      }
      for (auto [at, end] = edges(*graph); at != end; ++at) {
        listed.emplace(at->id.value(), source(*at, *graph), target(*at, *graph));
      }
      CHECK(listed == expected);
      CHECK(num_edges(*graph) == expected.size());
      for (const BoostVertex vertex : graph->vertices()) {
        std::multiset<BoostVertex> neighbors, reached;
        for (auto [at, end] = adjacent_vertices(vertex, *graph); at != end; ++at) {
          neighbors.insert(*at);
        }
        for (auto [at, end] = out_edges(vertex, *graph); at != end; ++at) {
          reached.insert(at->target);
        }
        CHECK(neighbors == reached);
      }
      CHECK(graph->failure().ok());
    }
  }
}

TEST_CASE("Boost's algorithms over edges agree on the stored graph and with Braid's") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const RandomGraph random(seed, static_cast<Vertex>(1 + seed % 8), (seed * 5) % 30);
    constexpr double kUnreached = std::numeric_limits<double>::max();
    for (const bool both : {false, true}) {
      const auto graph = BoostVertexListGraph::load(
          random.fixture.view(), both ? Direction::kBoth : Direction::kOut, std::nullopt);
      REQUIRE(graph.ok());
      const auto projection =
          random.project(both ? Orientation::kUndirected : Orientation::kNatural, true);
      const auto index = get(boost::vertex_index, *graph);
      const BoostEdgeWeightMap weight{&*graph, random.weight};
      const BoostVertex start = graph->vertices().front();
      const auto count = static_cast<int>(random.count);

      std::vector<double> expected(random.count, kUnreached);
      const AlgorithmResult own = result_of("dijkstra", *projection, {Vertex{0}});
      for (size_t row = 0; row < own.row_count; ++row) {
        expected[static_cast<size_t>(own.columns[0].integers[row])] = own.columns[1].reals[row];
      }
      std::vector<double> dijkstra(random.count), bellman(random.count, kUnreached);
      boost::dijkstra_shortest_paths(
          *graph, start,
          boost::weight_map(weight).distance_map(
              boost::make_iterator_property_map(dijkstra.begin(), index)));
      bellman[0] = 0;
      CHECK(boost::bellman_ford_shortest_paths(
          *graph, count,
          boost::weight_map(weight).distance_map(
              boost::make_iterator_property_map(bellman.begin(), index))));
      CHECK(dijkstra == expected);
      CHECK(bellman == expected);

      std::vector<BoostEdge> tree;
      boost::kruskal_minimum_spanning_tree(*graph, std::back_inserter(tree),
                                           boost::weight_map(weight));
      double sum = 0, least = 0;
      for (const BoostEdge& edge : tree) sum += get(weight, edge);
      const AlgorithmResult forest = result_of("spanning_forest", *projection);
      for (const double one : forest.columns.back().reals) least += one;
      CHECK(sum == least);

      std::vector<int> component(random.count);
      const int components = boost::strong_components(
          *graph, boost::make_iterator_property_map(component.begin(), index));
      const AlgorithmResult own_components = result_of(both ? "wcc" : "scc", *projection);
      std::set<int64_t> parts(own_components.columns[1].integers.begin(),
                              own_components.columns[1].integers.end());
      std::set<std::pair<int64_t, int64_t>> pairs;
      for (size_t row = 0; row < own_components.row_count; ++row) {
        const auto vertex = static_cast<size_t>(own_components.columns[0].integers[row]);
        pairs.emplace(own_components.columns[1].integers[row], component[vertex]);
      }
      CHECK(static_cast<size_t>(components) == parts.size());
      CHECK(pairs.size() == parts.size());
      CHECK(graph->failure().ok());
    }
  }
}

TEST_CASE("a weight that is no number is kept as the failure") {
  GraphFixture graph;
  GraphFixture::Transaction tx(graph);
  const KeyId key = tx.key("km");
  const NodeId node = tx.node();
  tx.edge(node, tx.type("t"), node, {{key, PropertyValue{std::string("far")}}});
  tx.commit();
  const auto model = BoostVertexListGraph::load(graph.view(), Direction::kOut, std::nullopt);
  REQUIRE(model.ok());
  CHECK(get(BoostEdgeWeightMap{&*model, key}, *edges(*model).first) == 1);
  CHECK(model->failure().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a failed read ends the list of edges") {
  GraphFixture graph;
  std::optional<BoostVertexListGraph> lost;
  {
    GraphFixture::Transaction tx(graph);
    const NodeId node = tx.node();
    tx.edge(node, tx.type("t"), node);
    auto loaded = BoostVertexListGraph::load(tx.writer.view(), Direction::kOut, std::nullopt);
    REQUIRE(loaded.ok());
    lost.emplace(loaded.take());
    CHECK((edges(*lost).first != edges(*lost).second));
  }
  CHECK((edges(*lost).first == edges(*lost).second));
  CHECK(num_edges(*lost) == 0);
  CHECK(lost->failure().code() == StatusCode::kInterrupted);
}

TEST_CASE("a failed read is kept in the graph") {
  GraphFixture graph;
  std::optional<BoostGraph> lost;
  {
    GraphFixture::Transaction tx(graph);
    tx.node();
    lost.emplace(tx.writer.view(), Direction::kOut, std::nullopt);
  }
  CHECK(out_degree(1, *lost) == 0);
  CHECK(lost->failure().code() == StatusCode::kInterrupted);
}
