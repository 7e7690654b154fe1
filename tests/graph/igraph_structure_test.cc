// Order, what falls apart, dominators, trees, flows, sides and likeness beside igraph's.
#include <algorithm>
#include <numeric>

#include "tests/graph/igraph_graph.h"

using namespace braid;

namespace {

IgraphGraph undirected(const Sample& sample) { return IgraphGraph(sample.count, sample.edges, false); }

/// igraph's numbers of the edges in the column 'edge'.
std::vector<int64_t> edges_of(const Answer& answer) {
  std::vector<int64_t> edges = answer.integers("edge");
  for (int64_t& edge : edges) --edge;
  return edges;
}

std::vector<int64_t> sorted(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  return values;
}

bool is_loop(const TestEdge& edge) { return edge.source == edge.target; }

}  // namespace

TEST_CASE("there is a topological order exactly where igraph finds no cycle, and a cycle is one") {
  int ordered = 0, refused = 0;
  for_each_sample([&](const Sample& sample) {
    if (!sample.directed) return;
    igraph_bool_t acyclic = false;
    must(igraph_is_dag(sample.reference.get(), &acyclic));
    const Answer cycle("cycle", *sample.graph);
    CHECK((cycle.row_count() == 0) == acyclic);
    if (!acyclic) {
      ++refused;
      CHECK(status_of("topological_order", *sample.graph).code() == StatusCode::kInvalidArgument);
      const auto& nodes = cycle.integers("node");
      CHECK(std::set(nodes.begin(), nodes.end()).size() == nodes.size());
      int64_t at = nodes.back();
      for (size_t row = 0; row < cycle.row_count(); ++row) {
        const TestEdge& edge = sample.edges[static_cast<size_t>(edges_of(cycle)[row])];
        CHECK(edge.source == at);
        CHECK(edge.target == nodes[row]);
        at = nodes[row];
      }
      return;
    }
    ++ordered;
    const Answer answer("topological_order", *sample.graph);
    REQUIRE(answer.row_count() == sample.count);
    std::vector<int64_t> position(sample.count, -1);
    for (size_t row = 0; row < answer.row_count(); ++row)
      position[static_cast<size_t>(answer.integers("node")[row])] = answer.integers("position")[row];
    for (const TestEdge& edge : sample.edges) CHECK(position[edge.source] < position[edge.target]);
  });
  CHECK(ordered > 10);
  CHECK(refused > 10);
}

TEST_CASE("articulation points and bridges are igraph's") {
  for_each_sample([](const Sample& sample) {
    IgraphIntegers points, bridges;
    const IgraphGraph reference = undirected(sample);
    must(igraph_articulation_points(reference.get(), points.get()));
    CHECK(Answer("articulation_points", *sample.graph).integers("node") == sorted(points.values()));
    must(igraph_bridges(reference.get(), bridges.get()));
    const Answer answer("bridges", *sample.graph);
    CHECK(sorted(edges_of(answer)) == sorted(bridges.values()));
    for (size_t row = 0; row < answer.row_count(); ++row) {
      const TestEdge& edge = sample.edges[static_cast<size_t>(edges_of(answer)[row])];
      const std::pair ends(answer.integers("source_node")[row], answer.integers("target_node")[row]);
      CHECK((ends == std::pair<int64_t, int64_t>(edge.source, edge.target) ||
             (!sample.directed && ends == std::pair<int64_t, int64_t>(edge.target, edge.source))));
    }
  });
}

TEST_CASE("biconnected components are igraph's, edge by edge, parallel edges in the same") {
  for_each_sample([](const Sample& sample) {
    IgraphLists found;
    must(igraph_biconnected_components(undirected(sample).get(), nullptr, nullptr, found.get(), nullptr, nullptr));
    std::vector<int64_t> wanted(sample.edges.size(), -1);
    const auto components = found.values();
    for (size_t i = 0; i < components.size(); ++i)
      for (const int64_t edge : components[i]) wanted[static_cast<size_t>(edge)] = static_cast<int64_t>(i);
    // igraph gives a loop to a component of its vertex, or to none; Braid's are components of their own.
    for (size_t edge = 0; edge < wanted.size(); ++edge)
      if (is_loop(sample.edges[edge])) wanted[edge] = static_cast<int64_t>(components.size() + edge);
    const Answer answer("biconnected", *sample.graph);
    REQUIRE(answer.row_count() == sample.edges.size());
    std::vector<int64_t> parts(sample.edges.size(), -1);
    for (size_t row = 0; row < answer.row_count(); ++row)
      parts[static_cast<size_t>(edges_of(answer)[row])] = answer.integers("component")[row];
    CHECK(same_partition(parts, wanted));
  });
}

TEST_CASE("dominators are igraph's, and what hangs on a vertex is below it in igraph's tree") {
  for_each_sample([](const Sample& sample) {
    // igraph takes directed graphs only: an undirected edge is one in each direction.
    const IgraphGraph reference(sample.count, sample.steps(), true);
    for (const Vertex root : some_vertices(sample)) {
      IgraphIntegers found;
      must(igraph_dominator_tree(reference.get(), root, found.get(), nullptr, nullptr, IGRAPH_OUT));
      // The root is its own in igraph; what is not reached is negative.
      const std::vector<int64_t> dominators = found.values();
      std::vector<int64_t> hanging(sample.count, 0);
      for (Vertex vertex = 0; vertex < sample.count; ++vertex)
        for (int64_t above = vertex; above != root && dominators[static_cast<size_t>(above)] >= 0;) {
          above = dominators[static_cast<size_t>(above)];
          ++hanging[static_cast<size_t>(above)];
        }
      const Answer answer("dominators", *sample.graph, {{"source", root}});
      std::set<int64_t> answered;
      for (size_t row = 0; row < answer.row_count(); ++row) {
        const auto vertex = static_cast<size_t>(answer.integers("node")[row]);
        answered.insert(static_cast<int64_t>(vertex));
        CHECK(answer.integers("dominator")[row] == (vertex == root ? ResultColumn::kNoValue : dominators[vertex]));
        CHECK(answer.integers("hanging")[row] == hanging[vertex]);
      }
      CHECK(answered.size() == answer.row_count());
      for (Vertex vertex = 0; vertex < sample.count; ++vertex)
        CHECK(answered.contains(vertex) == (vertex == root || dominators[vertex] >= 0));
    }
  });
}

TEST_CASE("a spanning forest weighs what igraph's weighs and has no cycle") {
  for_each_sample([](const Sample& sample) {
    IgraphIntegers found;
    must(igraph_minimum_spanning_tree(undirected(sample).get(), found.get(), sample.weights.get()));
    double wanted = 0, weight = 0;
    for (const int64_t edge : found.values()) wanted += sample.edges[static_cast<size_t>(edge)].weight;
    const Answer answer("spanning_forest", *sample.graph);
    CHECK(answer.row_count() == found.values().size());
    TestEdges chosen;
    for (size_t row = 0; row < answer.row_count(); ++row) {
      chosen.push_back(sample.edges[static_cast<size_t>(edges_of(answer)[row])]);
      CHECK(answer.reals("weight")[row] == chosen.back().weight);
      weight += chosen.back().weight;
    }
    CHECK(is_near(weight, wanted, 1e-12));
    // As many edges as a forest with these components has, and the same components: no cycle.
    IgraphIntegers all, kept;
    must(igraph_connected_components(undirected(sample).get(), all.get(), nullptr, nullptr, IGRAPH_WEAK));
    must(igraph_connected_components(IgraphGraph(sample.count, chosen, false).get(), kept.get(), nullptr, nullptr, IGRAPH_WEAK));
    CHECK(same_partition(all.values(), kept.values()));
  });
}

TEST_CASE("a maximum flow is igraph's, keeps to capacities and to what flows in, and its cut is as large and parts the ends") {
  int flows = 0;
  for_each_sample([&flows](const Sample& sample) {
    for (const Vertex source : some_vertices(sample)) {
      for (const Vertex sink : some_vertices(sample)) {
        const NamedArguments ends{{"source", source}, {"target", sink}};
        if (source == sink) {
          CHECK(status_of("max_flow", *sample.graph, ends).code() == StatusCode::kInvalidArgument);
          continue;
        }
        igraph_real_t value = 0;
        must(igraph_maxflow_value(sample.reference.get(), &value, source, sink, sample.weights.get(), nullptr));
        const Answer answer("max_flow", *sample.graph, ends);
        const std::vector<int64_t> edges = edges_of(answer);
        CHECK(std::set(edges.begin(), edges.end()).size() == edges.size());
        CHECK((answer.row_count() > 0) == (value > 0));
        std::vector<double> balance(sample.count, 0);
        double cut = 0;
        IgraphGraph parted = sample.reference;
        std::vector<int64_t> removed;
        for (size_t row = 0; row < answer.row_count(); ++row) {
          const double flow = answer.reals("flow")[row];
          CHECK(is_near(answer.reals("total")[row], value, 1e-9));
          CHECK(answer.reals("capacity")[row] == sample.edges[static_cast<size_t>(edges[row])].weight);
          CHECK(flow <= answer.reals("capacity")[row] + 1e-9);
          balance[static_cast<size_t>(answer.integers("source_node")[row])] -= flow;
          balance[static_cast<size_t>(answer.integers("target_node")[row])] += flow;
          if (answer.integers("cut")[row] == 0) continue;
          cut += answer.reals("capacity")[row];
          removed.push_back(edges[row]);
        }
        if (value == 0) continue;
        ++flows;
        for (Vertex vertex = 0; vertex < sample.count; ++vertex)
          CHECK(is_near(balance[vertex], vertex == source ? -value : vertex == sink ? value : 0, 1e-9));
        CHECK(is_near(cut, value, 1e-9));
        must(igraph_delete_edges(parted.get(), igraph_ess_vector(IgraphIntegers(removed).get())));
        IgraphMatrix distance;
        must(igraph_distances(parted.get(), distance.get(), igraph_vss_1(source), igraph_vss_1(sink), IGRAPH_OUT));
        CHECK(std::isinf(distance.at(0, 0)));
      }
    }
  });
  CHECK(flows > 500);
}

TEST_CASE("a graph has two sides exactly where igraph finds them") {
  int parted = 0, refused = 0;
  for_each_sample([&](const Sample& sample) {
    igraph_bool_t found = false;
    must(igraph_is_bipartite(undirected(sample).get(), &found, nullptr));
    if (!found) {
      ++refused;
      CHECK(status_of("bipartite", *sample.graph).code() == StatusCode::kInvalidArgument);
      return;
    }
    parted += sample.count > 1;
    const std::vector<int64_t> sides = Answer("bipartite", *sample.graph).integers("side");
    REQUIRE(sides.size() == sample.count);
    for (const TestEdge& edge : sample.edges) CHECK(sides[edge.source] + sides[edge.target] == 1);
    for (const int64_t side : sides) CHECK((side == 0 || side == 1));
  });
  CHECK(parted > 30);
  CHECK(refused > 30);
}

// Neighbours are a set in Braid, whatever the directions: of igraph's simple undirected graph.
TEST_CASE("similarities are igraph's of the simple graph") {
  for_each_sample([](const Sample& sample) {
    if (sample.count == 0) return;
    IgraphGraph reference = undirected(sample);
    must(igraph_simplify(reference.get(), true, true, nullptr));
    IgraphMatrix jaccard, adamic_adar, shared;
    must(igraph_similarity_jaccard(reference.get(), jaccard.get(), igraph_vss_all(), IGRAPH_ALL, false));
    must(igraph_similarity_inverse_log_weighted(reference.get(), adamic_adar.get(), igraph_vss_all(), IGRAPH_ALL));
    must(igraph_cocitation(reference.get(), shared.get(), igraph_vss_all()));
    for (const Vertex source : some_vertices(sample)) {
      const Answer answer("similarity", *sample.graph, {{"source", source}});
      std::set<int64_t> answered;
      for (size_t row = 0; row < answer.row_count(); ++row) {
        const int64_t node = answer.integers("node")[row];
        answered.insert(node);
        CHECK(static_cast<double>(answer.integers("common")[row]) == shared.at(source, node));
        CHECK(is_near(answer.reals("jaccard")[row], jaccard.at(source, node), 1e-12));
        CHECK(is_near(answer.reals("adamic_adar")[row], adamic_adar.at(source, node), 1e-12));
      }
      CHECK(answered.size() == answer.row_count());
      for (Vertex vertex = 0; vertex < sample.count; ++vertex)
        CHECK(answered.contains(vertex) == (vertex != source && shared.at(source, vertex) > 0));
    }
  });
}

// Walks are random in both libraries, so every step is checked, and that a walk ends early only where nothing leads on.
TEST_CASE("random walks follow edges to their end") {
  for_each_sample([](const Sample& sample) {
    for (const Vertex source : some_vertices(sample)) {
      constexpr int64_t kLength = 12;
      const Answer answer("random_walk", *sample.graph,
                          {{"source", source}, {"length", kLength}, {"walks", int64_t{3}}, {"seed", int64_t{9}}});
      int64_t at = 0;
      const auto& steps = answer.integers("step");
      for (size_t row = 0; row < answer.row_count(); ++row) {
        const int64_t node = answer.integers("node")[row];
        if (steps[row] == 0) {
          CHECK(node == source);
        } else {
          const TestEdge& edge = sample.edges[static_cast<size_t>(edges_of(answer)[row])];
          CHECK(((edge.source == at && edge.target == node) || (!sample.directed && edge.target == at && edge.source == node)));
        }
        at = node;
        const bool last = row + 1 == answer.row_count() || steps[row + 1] == 0;
        if (last && steps[row] < kLength) {
          IgraphIntegers onward;
          must(igraph_neighbors(sample.reference.get(), onward.get(), at, IGRAPH_OUT));
          CHECK(onward.values().empty());
        }
      }
      CHECK(std::count(steps.begin(), steps.end(), 0) == 3);
    }
  });
}
