#include "graph/boost_projection.h"

#include <boost/graph/bellman_ford_shortest_paths.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/kruskal_min_spanning_tree.hpp>
#include <boost/graph/strong_components.hpp>
#include <limits>
#include <map>
#include <set>

#include "tests/graph/random_graph.h"

using namespace braid;

template <typename Graph>
struct Models {
  BOOST_CONCEPT_ASSERT((boost::VertexListGraphConcept<Graph>));
  BOOST_CONCEPT_ASSERT((boost::EdgeListGraphConcept<Graph>));
  BOOST_CONCEPT_ASSERT((boost::IncidenceGraphConcept<Graph>));
  BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<Graph>));
  BOOST_CONCEPT_ASSERT((boost::AdjacencyGraphConcept<Graph>));
  BOOST_CONCEPT_ASSERT((boost::ReadablePropertyGraphConcept<Graph, Vertex, boost::vertex_index_t>));
  BOOST_CONCEPT_ASSERT((boost::ReadablePropertyGraphConcept<Graph, BoostProjectionEdge, boost::edge_index_t>));
  BOOST_CONCEPT_ASSERT((boost::ReadablePropertyGraphConcept<Graph, BoostProjectionEdge, boost::edge_weight_t>));
};
template struct Models<BoostDirectedProjection>;
template struct Models<BoostUndirectedProjection>;

namespace {

constexpr double kUnreached = std::numeric_limits<double>::max();

template <typename Graph>
Graph model_of(std::shared_ptr<const Projection> projection) {
  auto graph = Graph::over(std::move(projection));
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return graph.take();
}

/// Calls `check(graph, model, orientation)` for random graphs of all orientations.
template <typename Check>
void for_random_graphs(Check&& check) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const RandomGraph graph(seed, static_cast<Vertex>(1 + seed % 12), seed % 7 == 0 ? 0 : (seed * 5) % 40);
    for (const Orientation orientation : {Orientation::kNatural, Orientation::kReverse})
      check(graph, model_of<BoostDirectedProjection>(graph.project(orientation, true)), orientation);
    check(graph, model_of<BoostUndirectedProjection>(graph.project(Orientation::kUndirected, true)), Orientation::kUndirected);
  }
}

/// The least distances by relaxing every step as often as there are vertices.
std::vector<double> relaxed(const RandomGraph& graph, Orientation orientation, Vertex source) {
  std::vector<double> distance(graph.count, kUnreached);
  distance[source] = 0;
  for (Vertex round = 0; round < graph.count; ++round)
    for (const ListedEdge& step : graph.steps(orientation))
      if (distance[step.source] < kUnreached) distance[step.target] = std::min(distance[step.target], distance[step.source] + step.weight);
  return distance;
}

using Ends = std::map<uint64_t, std::pair<Vertex, Vertex>>;

std::pair<Vertex, Vertex> sorted(Vertex a, Vertex b) { return {std::min(a, b), std::max(a, b)}; }

}  // namespace

TEST_CASE("the ranges of the model have the edges that were put in") {
  for_random_graphs([](const RandomGraph& graph, const auto& model, Orientation orientation) {
    constexpr bool undirected = std::decay_t<decltype(model)>::kUndirected;
    std::multiset<std::tuple<uint64_t, Vertex, Vertex>> steps, out, in;
    for (const ListedEdge& step : graph.steps(orientation)) steps.emplace(step.id, step.source, step.target);
    REQUIRE(num_vertices(model) == graph.count);
    Vertex expected = 0;
    for (auto [at, end] = vertices(model); at != end; ++at) {
      CHECK(*at == expected++);
      std::vector<Vertex> neighbors;
      uint64_t out_count = 0, in_count = 0;
      for (auto [edge, limit] = out_edges(*at, model); edge != limit; ++edge, ++out_count) {
        CHECK(source(*edge, model) == *at);
        out.emplace(model.id(*edge).value(), source(*edge, model), target(*edge, model));
        neighbors.push_back(target(*edge, model));
      }
      for (auto [edge, limit] = in_edges(*at, model); edge != limit; ++edge, ++in_count) {
        CHECK(target(*edge, model) == *at);
        in.emplace(model.id(*edge).value(), source(*edge, model), target(*edge, model));
      }
      CHECK(out_degree(*at, model) == out_count);
      CHECK(in_degree(*at, model) == in_count);
      CHECK(degree(*at, model) == (undirected ? out_count : out_count + in_count));
      const auto [first, last] = adjacent_vertices(*at, model);
      CHECK(std::vector<Vertex>(first, last) == neighbors);
    }
    CHECK(expected == graph.count);
    CHECK(out == steps);
    CHECK(in == steps);
  });
}

TEST_CASE("every edge is listed once, whatever the orientation, with its weight and number") {
  for_random_graphs([](const RandomGraph& graph, const auto& model, Orientation orientation) {
    std::map<uint64_t, ListedEdge> left;
    for (const ListedEdge& edge : graph.edges) left.emplace(edge.id, edge);
    CHECK(num_edges(model) == left.size());
    const auto weight = get(boost::edge_weight, model);
    uint64_t number = 0;
    for (auto [at, end] = edges(model); at != end; ++at) {
      const auto found = left.find(model.id(*at).value());
      REQUIRE(found != left.end());
      const ListedEdge& edge = found->second;
      CHECK(get(boost::edge_index, model, *at) == number++);
      CHECK(get(weight, *at) == edge.weight);
      if (orientation == Orientation::kNatural) CHECK(std::pair(source(*at, model), target(*at, model)) == std::pair(edge.source, edge.target));
      if (orientation == Orientation::kReverse) CHECK(std::pair(source(*at, model), target(*at, model)) == std::pair(edge.target, edge.source));
      CHECK(sorted(source(*at, model), target(*at, model)) == sorted(edge.source, edge.target));
      left.erase(found);
    }
    CHECK(left.empty());
    // A walk meets the same edges under the same numbers.
    std::map<uint64_t, EdgeId> ids;
    for (auto [at, end] = edges(model); at != end; ++at) ids[at->number] = model.id(*at);
    for (Vertex vertex = 0; vertex < graph.count; ++vertex) {
      for (auto [at, end] = out_edges(vertex, model); at != end; ++at) CHECK(ids[at->number] == model.id(*at));
      for (auto [at, end] = in_edges(vertex, model); at != end; ++at) CHECK(ids[at->number] == model.id(*at));
    }
  });
}

TEST_CASE("Boost's Dijkstra, Bellman-Ford and Braid's agree on projections") {
  for_random_graphs([](const RandomGraph& graph, const auto& model, Orientation orientation) {
    const auto& projection = model.projection();
    const auto index = get(boost::vertex_index, model);
    const Vertex start = graph.count / 2;
    const std::vector<double> expected = relaxed(graph, orientation, start);
    std::vector<double> dijkstra(graph.count), bellman(graph.count, kUnreached);
    boost::dijkstra_shortest_paths(model, start, boost::distance_map(boost::make_iterator_property_map(dijkstra.begin(), index)));
    CHECK(dijkstra == expected);
    bellman[start] = 0;
    CHECK(boost::bellman_ford_shortest_paths(model, graph.count,
                                             boost::distance_map(boost::make_iterator_property_map(bellman.begin(), index))));
    CHECK(bellman == expected);
    std::vector<double> own(graph.count, kUnreached);
    const AlgorithmResult result = result_of("dijkstra", projection, {start});
    for (size_t row = 0; row < result.row_count; ++row)
      own[static_cast<size_t>(result.columns[0].integers[row])] = result.columns[1].reals[row];
    CHECK(own == expected);
  });
}

TEST_CASE("Boost's breadth-first search and Braid's reach the same depths on projections") {
  for_random_graphs([](const RandomGraph& graph, const auto& model, Orientation) {
    std::vector<int64_t> depth(graph.count, 0), expected(graph.count, 0);
    std::vector<Vertex> reached;
    const auto record_depth = boost::record_distances(depth.data(), boost::on_tree_edge());
    const auto record_vertex = boost::write_property(boost::identity_property_map(), std::back_inserter(reached), boost::on_discover_vertex());
    const auto recorder = boost::make_bfs_visitor(std::pair(record_depth, record_vertex));
    boost::breadth_first_search(model, Vertex{0}, boost::visitor(recorder));
    const AlgorithmResult result = result_of("bfs", model.projection(), {Vertex{0}});
    for (size_t row = 0; row < result.row_count; ++row)
      expected[static_cast<size_t>(result.columns[0].integers[row])] = result.columns[1].integers[row];
    CHECK(depth == expected);
    CHECK(reached.size() == result.row_count);
  });
}

TEST_CASE("Boost's components and Braid's are the same on projections") {
  // Two partitions are the same when the pairs of their parts are as many as the parts of each.
  const auto check_same = [](const std::vector<int>& boosts, const AlgorithmResult& own) {
    REQUIRE(own.row_count == boosts.size());
    std::set<std::pair<int64_t, int64_t>> pairs;
    std::set<int64_t> first, second;
    for (size_t row = 0; row < own.row_count; ++row) {
      const int part = boosts[static_cast<size_t>(own.columns[0].integers[row])];
      pairs.emplace(part, own.columns[1].integers[row]);
      first.insert(part);
      second.insert(own.columns[1].integers[row]);
    }
    CHECK(pairs.size() == first.size());
    CHECK(pairs.size() == second.size());
  };
  for_random_graphs([&](const RandomGraph& graph, const auto& model, Orientation) {
    std::vector<int> component(graph.count);
    if constexpr (std::decay_t<decltype(model)>::kUndirected) {
      boost::connected_components(model, component.data());
      check_same(component, result_of("wcc", model.projection()));
    } else {
      boost::strong_components(model, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, model)));
      check_same(component, result_of("scc", model.projection()));
    }
  });
}

TEST_CASE("Boost's Kruskal and Braid's spanning forest weigh the same") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const RandomGraph graph(seed, static_cast<Vertex>(1 + seed % 12), (seed * 5) % 40);
    const auto model = model_of<BoostUndirectedProjection>(graph.project(Orientation::kUndirected, true));
    std::vector<BoostProjectionEdge> tree;
    boost::kruskal_minimum_spanning_tree(model, std::back_inserter(tree));
    double weight = 0, expected = 0;
    for (const BoostProjectionEdge& edge : tree) weight += model.weight(edge);
    const AlgorithmResult own = result_of("spanning_forest", model.projection());
    for (const double one : own.columns.back().reals) expected += one;
    CHECK(tree.size() == own.row_count);
    CHECK(weight == expected);
  }
}

TEST_CASE("both ends of an undirected edge have equal descriptors of one number") {
  const TestGraph graph(3, {{0, 1, 2}, {1, 0, 3}, {2, 2, 4}});
  const auto model = model_of<BoostUndirectedProjection>(graph.project(kUndirected, true));
  const auto [first, limit] = out_edges(0, model);
  REQUIRE(limit - first == 2);
  for (auto edge = first; edge != limit; ++edge) {
    const auto [back, back_limit] = out_edges(1, model);
    const auto same = std::find(back, back_limit, *edge);
    REQUIRE(same != back_limit);
    CHECK(source(*same, model) == 1);
    CHECK(model.weight(*same) == model.weight(*edge));
    CHECK(std::count(back, back_limit, *edge) == 1);
  }
  CHECK(out_degree(2, model) == 2);
  CHECK(*out_edges(2, model).first == *(out_edges(2, model).first + 1));
  CHECK(num_edges(model) == 3);
}

TEST_CASE("a model of the wrong sense is refused") {
  const TestGraph graph(2, {{0, 1}});
  CHECK(BoostDirectedProjection::over(graph.project(kUndirected)).status().code() == StatusCode::kInvalidArgument);
  CHECK(BoostUndirectedProjection::over(graph.project(kNatural)).status().code() == StatusCode::kInvalidArgument);
  CHECK(num_vertices(model_of<BoostDirectedProjection>(graph.project(kReverse))) == 2);
}

TEST_CASE("an empty projection and one without weights are modelled") {
  const auto empty = model_of<BoostDirectedProjection>(TestGraph(0, {}).project(kNatural));
  CHECK(num_vertices(empty) == 0);
  CHECK(num_edges(empty) == 0);
  CHECK((edges(empty).first == edges(empty).second));
  const TestGraph graph(2, {{0, 1, 7}});
  const auto model = model_of<BoostDirectedProjection>(graph.project(kNatural));
  CHECK(get(boost::edge_weight, model, *edges(model).first) == 1);
}
