#include "graph/boost_graph.h"

#include <doctest/doctest.h>

#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/property_map/function_property_map.hpp>
#include <limits>

#include "tests/graph/graph_fixture.h"

using namespace braid;

BOOST_CONCEPT_ASSERT((boost::IncidenceGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<BoostVertexListGraph>));
BOOST_CONCEPT_ASSERT((boost::VertexListGraphConcept<BoostVertexListGraph>));

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
