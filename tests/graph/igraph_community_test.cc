// Components, cores, communities and triangles beside igraph's.
#include <algorithm>

#include "tests/graph/igraph_graph.h"

using namespace braid;

namespace {

/// Directions do not count in what Braid makes of communities and triangles.
IgraphGraph undirected(const Sample& sample) { return IgraphGraph(sample.count, sample.edges, false); }

IgraphGraph without_loops(const Sample& sample) {
  TestEdges edges = sample.edges;
  std::erase_if(edges, [](const TestEdge& edge) { return edge.source == edge.target; });
  return IgraphGraph(sample.count, edges, false);
}

/// igraph counts a triangle for each choice of parallel edges in some functions and in others not; Braid's counts nodes.
IgraphGraph simple(IgraphGraph graph) {
  must(igraph_simplify(graph.get(), true, true, nullptr));
  return graph;
}

std::vector<int64_t> components_of(const IgraphGraph& graph, igraph_connectedness_t kind) {
  IgraphIntegers membership;
  must(igraph_connected_components(graph.get(), membership.get(), nullptr, nullptr, kind));
  return membership.values();
}

double modularity_of(const Sample& sample, const std::vector<int64_t>& groups, double resolution) {
  igraph_real_t found = 0;
  must(igraph_modularity(undirected(sample).get(), IgraphIntegers(groups).get(), sample.weights.get(), resolution, false, &found));
  return found;
}

double best_of_igraph(const Sample& sample, double resolution) {
  IgraphIntegers membership;
  must(igraph_community_multilevel(undirected(sample).get(), sample.weights.get(), resolution, membership.get(), nullptr, nullptr));
  return modularity_of(sample, membership.values(), resolution);
}

bool is_group_connected(const Sample& sample, const std::vector<int64_t>& groups, int64_t group) {
  std::vector<Vertex> members;
  for (Vertex vertex = 0; vertex < sample.count; ++vertex)
    if (groups[vertex] == group) members.push_back(vertex);
  TestEdges within;
  for (const TestEdge& edge : sample.edges) {
    const auto number = [&](Vertex vertex) {
      return static_cast<Vertex>(std::lower_bound(members.begin(), members.end(), vertex) - members.begin());
    };
    if (groups[edge.source] == group && groups[edge.target] == group)
      within.push_back({number(edge.source), number(edge.target)});
  }
  igraph_bool_t connected = false;
  must(igraph_is_connected(IgraphGraph(static_cast<Vertex>(members.size()), within, false).get(), &connected, IGRAPH_WEAK));
  return connected;
}

}  // namespace

TEST_CASE("components are igraph's, each named by its first vertex") {
  for_each_sample([](const Sample& sample) {
    constexpr std::pair<const char*, igraph_connectedness_t> kKinds[] = {{"wcc", IGRAPH_WEAK}, {"scc", IGRAPH_STRONG}};
    for (const auto& [function, kind] : kKinds) {
      const char* const name = function;  // clang 14 captures no structured binding
      CAPTURE(name);
      const std::vector<int64_t> found = Answer(name, *sample.graph).integers("component");
      CHECK(same_partition(found, components_of(sample.reference, kind)));
      for (size_t i = 0; i < found.size(); ++i) {
        CHECK(found[i] <= static_cast<int64_t>(i));
        CHECK(found[static_cast<size_t>(found[i])] == found[i]);
      }
    }
  });
}

TEST_CASE("core numbers are igraph's, parallel edges counting each") {
  for_each_sample([](const Sample& sample) {
    IgraphIntegers wanted;
    // A loop keeps nothing in a core: both leave it out, but igraph 0.10.2 only where it is taken away first.
    must(igraph_coreness(without_loops(sample).get(), wanted.get(), IGRAPH_ALL));
    CHECK(Answer("core_number", *sample.graph).integers("core_number") == wanted.values());
  });
}

// Labels depend on the order and on ties, which are LDBC's here and random in igraph. What any answer has is checked: a label is a
// node's of the same component, and when no iteration changed anything, a most frequent one among the neighbours.
TEST_CASE("labels spread within igraph's components and end most frequent") {
  int settled = 0;
  for_each_sample([&settled](const Sample& sample) {
    const auto labels = [&](int64_t iterations) {
      return Answer("label_propagation", *sample.graph, {{"iterations", iterations}}).integers("label");
    };
    const std::vector<int64_t> components = components_of(sample.reference, IGRAPH_WEAK);
    const std::vector<int64_t> found = labels(50);
    for (Vertex vertex = 0; vertex < sample.count; ++vertex) {
      const auto owner = sample.graph->vertex(NodeId(static_cast<uint64_t>(found[vertex])));
      REQUIRE(owner.has_value());
      CHECK(components[*owner] == components[vertex]);
    }
    if (found != labels(51)) return;
    ++settled;
    std::vector<std::map<int64_t, int>> counts(sample.count);
    for (const TestEdge& edge : sample.edges) {
      ++counts[edge.source][found[edge.target]];
      ++counts[edge.target][found[edge.source]];
    }
    for (Vertex vertex = 0; vertex < sample.count; ++vertex)
      for (const auto& [label, count] : counts[vertex]) CHECK(count <= counts[vertex][found[vertex]]);
  });
  CHECK(settled > 50);
}

TEST_CASE("communities have the modularity that igraph computes and are as good as igraph's; Leiden's are connected") {
  for_each_sample([](const Sample& sample) {
    // Without edges modularity is 0 / 0.
    if (sample.edges.empty()) return;
    for (const double resolution : {1.0, 0.5, 2.0}) {
      CAPTURE(resolution);
      const double rival = best_of_igraph(sample, resolution);
      for (const char* name : {"louvain", "leiden"}) {
        CAPTURE(name);
        double best = -1;
        for (int64_t seed = 0; seed < 3; ++seed) {
          const std::vector<int64_t> groups =
              Answer(name, *sample.graph, {{"resolution", resolution}, {"levels", {}}, {"seed", seed}}).integers("community");
          best = std::max(best, modularity_of(sample, groups, resolution));
          const int64_t count = *std::max_element(groups.begin(), groups.end()) + 1;
          if (std::string_view(name) == "leiden" && sample.count <= 60)
            for (int64_t group = 0; group < count; ++group) CHECK(is_group_connected(sample, groups, group));
        }
        // Neither is the optimum: the best of three tries is at most 3 hundredths behind igraph's one.
        CAPTURE(best);
        CAPTURE(rival);
        CHECK(best > rival - 0.03);
      }
    }
  });
}

TEST_CASE("modularity is what igraph computes of the same communities") {
  for_each_sample([](const Sample& sample) {
    for (const double resolution : {1.0, 0.3, 4.0}) {
      const NamedArguments arguments{{"resolution", resolution}, {"levels", {}}, {"seed", int64_t{5}}};
      const Answer answer("modularity", *sample.graph, arguments);
      const std::vector<int64_t> groups = Answer("louvain", *sample.graph, arguments).integers("community");
      if (sample.edges.empty()) {
        CHECK(std::isnan(answer.reals("modularity")[0]));
        continue;
      }
      CHECK(answer.integers("communities")[0] == *std::max_element(groups.begin(), groups.end()) + 1);
      CHECK(is_near(answer.reals("modularity")[0], modularity_of(sample, groups, resolution), 1e-9));
    }
  });
}

TEST_CASE("triangles at each vertex are igraph's of the simple graph") {
  for_each_sample([](const Sample& sample) {
    IgraphReals found;
    must(igraph_adjacent_triangles(simple(undirected(sample)).get(), found.get(), igraph_vss_all()));
    std::vector<int64_t> wanted;
    for (const double count : found.values()) wanted.push_back(static_cast<int64_t>(count));
    CHECK(Answer("triangles", *sample.graph).integers("triangles") == wanted);
  });
}

// igraph's local transitivity knows no directions; LDBC's coefficient counts directed edges among the neighbours. Of an undirected
// graph they are the same number.
TEST_CASE("clustering is igraph's of an undirected graph, and the edges of igraph's neighbourhood of a directed one") {
  for_each_sample([](const Sample& sample) {
    const IgraphGraph reference = simple(sample.reference);
    std::vector<double> wanted;
    if (!sample.directed) {
      IgraphReals found;
      must(igraph_transitivity_local_undirected(reference.get(), found.get(), igraph_vss_all(), IGRAPH_TRANSITIVITY_ZERO));
      wanted = found.values();
    }
    const IgraphGraph plain = simple(undirected(sample));
    for (Vertex vertex = 0; vertex < sample.count && sample.directed; ++vertex) {
      IgraphIntegers neighbors;
      must(igraph_neighbors(plain.get(), neighbors.get(), vertex, IGRAPH_ALL));
      igraph_t among;
      must(igraph_induced_subgraph(reference.get(), &among, igraph_vss_vector(neighbors.get()), IGRAPH_SUBGRAPH_AUTO));
      const double degree = static_cast<double>(igraph_vcount(&among));
      wanted.push_back(degree < 2 ? 0 : static_cast<double>(igraph_ecount(&among)) / (degree * (degree - 1)));
      igraph_destroy(&among);
    }
    check_near(Answer("clustering", *sample.graph).reals("clustering"), wanted, 1e-12);
  });
}
