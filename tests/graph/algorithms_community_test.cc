#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/graph/algorithm_fixture.h"

namespace braid {
namespace {

/// Runs `check(edges, graph)` on random graphs of all kinds.
template <typename Check>
void check_random_graphs(uint64_t seed_count, const Check& check) {
  for (uint64_t seed = 1; seed <= seed_count; ++seed) {
    std::mt19937_64 random(seed);
    const auto node_count = static_cast<Vertex>(1 + random() % 30);
    const TestEdges edges = random_edges(random, node_count);
    const TestGraph graph(node_count, edges, 1 + seed % 3);
    for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
      CAPTURE(seed);
      CAPTURE(static_cast<int>(orientation));
      check(walks_of(edges, orientation), *graph.project(orientation, seed % 2 == 0));
    }
  }
}

using Integers = std::vector<int64_t>;

/// Cliques of the same size, each with an edge from its last vertex to the first of the next.
TestEdges ring_of_cliques(Vertex clique_count, Vertex size) {
  TestEdges edges;
  for (Vertex clique = 0; clique < clique_count; ++clique) {
    for (Vertex a = 0; a < size; ++a) {
      for (Vertex b = a + 1; b < size; ++b) edges.push_back({clique * size + a, clique * size + b});
    }
    edges.push_back({clique * size + size - 1, (clique + 1) % clique_count * size});
  }
  return edges;
}

// --- Plain methods to compare with -------------------------------------------------------------

using Relation = std::vector<std::vector<bool>>;

/// reaches[a][b]: there is a walk from a to b.
Relation reachable(const TestEdges& walks, size_t count, bool both_ways) {
  Relation reaches(count, std::vector<bool>(count));
  for (size_t i = 0; i < count; ++i) reaches[i][i] = true;
  for (const TestEdge& walk : walks) {
    reaches[walk.source][walk.target] = true;
    if (both_ways) reaches[walk.target][walk.source] = true;
  }
  for (size_t k = 0; k < count; ++k) {
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < count; ++j) {
        if (reaches[i][k] && reaches[k][j]) reaches[i][j] = true;
      }
    }
  }
  return reaches;
}

/// The first vertex with a walk there and back.
Integers first_mutual(const Relation& reaches) {
  Integers first;
  for (size_t i = 0; i < reaches.size(); ++i) {
    size_t j = 0;
    while (!reaches[i][j] || !reaches[j][i]) ++j;
    first.push_back(static_cast<int64_t>(j));
  }
  return first;
}

/// Each edge once: of the two walks of an undirected one the first.
TestEdges edges_of(const TestEdges& walks, bool directed) {
  if (directed) return walks;
  TestEdges edges;
  for (size_t i = 0; i < walks.size(); i += 2) edges.push_back(walks[i]);
  return edges;
}

/// From the definition: takes away what has fewer than k edges until nothing does.
Integers plain_core_numbers(const TestEdges& edges, size_t count) {
  Integers cores(count, 0);
  std::vector<bool> left(count, true);
  for (int64_t k = 1; std::find(left.begin(), left.end(), true) != left.end(); ++k) {
    for (bool changed = true; changed;) {
      changed = false;
      Integers degrees(count, 0);
      for (const TestEdge& edge : edges) {
        if (edge.source == edge.target || !left[edge.source] || !left[edge.target]) continue;
        ++degrees[edge.source];
        ++degrees[edge.target];
      }
      for (size_t v = 0; v < count; ++v) {
        if (!left[v] || degrees[v] >= k) continue;
        left[v] = false;
        changed = true;
      }
    }
    for (size_t v = 0; v < count; ++v) {
      if (left[v]) cores[v] = k;
    }
  }
  return cores;
}

Integers plain_labels(const TestEdges& walks, bool directed, const Projection& graph,
                      int iterations) {
  Integers labels;
  for (Vertex v = 0; v < graph.vertex_count(); ++v) {
    labels.push_back(static_cast<int64_t>(graph.node(v).value()));
  }
  for (int i = 0; i < iterations; ++i) {
    Integers next = labels;
    for (Vertex v = 0; v < labels.size(); ++v) {
      std::map<int64_t, int> counts;
      for (const TestEdge& walk : walks) {
        if (walk.target == v) ++counts[labels[walk.source]];
        if (directed && walk.source == v) ++counts[labels[walk.target]];
      }
      int most = 0;
      for (const auto& [label, count] : counts) {
        if (count > most) next[v] = label;
        most = std::max(most, count);
      }
    }
    labels = next;
  }
  return labels;
}

/// has[a][b]: an edge goes from a to b, and a is not b.
Relation simple_relation(const TestEdges& walks, size_t count) {
  Relation has(count, std::vector<bool>(count));
  for (const TestEdge& walk : walks) has[walk.source][walk.target] = walk.source != walk.target;
  return has;
}

/// Sum over all pairs of ends of what their edges weigh, less what chance gives them.
double plain_modularity(const TestEdges& walks, bool directed, const Integers& communities,
                        double resolution) {
  std::map<int64_t, double> strengths;
  double total = 0, within = 0;
  for (const TestEdge& walk : walks) {
    const double weight = directed ? 2 * walk.weight : walk.weight;
    strengths[communities[walk.source]] += weight / 2;
    strengths[communities[walk.target]] += weight / 2;
    total += weight;
    if (communities[walk.source] == communities[walk.target]) within += weight;
  }
  double modularity = within / total;
  for (const auto& [community, strength] : strengths) {
    modularity -= resolution * strength * strength / (total * total);
  }
  return modularity;
}

/// The best modularity of all partitions, tried one by one.
double best_modularity(const TestEdges& walks, bool directed, Integers& communities, size_t next,
                       int64_t used, double resolution) {
  if (next == communities.size()) return plain_modularity(walks, directed, communities, resolution);
  double best = -INFINITY;
  for (int64_t community = 0; community <= used; ++community) {
    communities[next] = community;
    best = std::max(best, best_modularity(walks, directed, communities, next + 1,
                                          std::max(used, community + 1), resolution));
  }
  return best;
}

bool is_numbered_by_first_vertex(const Integers& communities) {
  int64_t count = 0;
  for (const int64_t community : communities) {
    if (community > count) return false;
    if (community == count) ++count;
  }
  return true;
}

bool all_connected(const TestEdges& walks, const Integers& communities) {
  TestEdges within;
  for (const TestEdge& walk : walks) {
    if (communities[walk.source] == communities[walk.target]) within.push_back(walk);
  }
  const Relation reaches = reachable(within, communities.size(), true);
  for (size_t a = 0; a < communities.size(); ++a) {
    for (size_t b = 0; b < communities.size(); ++b) {
      if (communities[a] == communities[b] && !reaches[a][b]) return false;
    }
  }
  return true;
}

TestEdges with_weights(TestEdges walks, bool weighted) {
  for (TestEdge& walk : walks) walk.weight = weighted ? walk.weight : 1;
  return walks;
}

}  // namespace

// --- Components --------------------------------------------------------------------------------

TEST_CASE("components are named by their first vertex") {
  const TestGraph graph(7, {{2, 1}, {5, 2}, {4, 3}, {3, 4}, {6, 6}});
  const auto natural = graph.project(kNatural);
  CHECK(Answer("wcc", *natural).integers("component") == Integers{0, 1, 1, 3, 3, 1, 6});
  CHECK(Answer("scc", *natural).integers("component") == Integers{0, 1, 2, 3, 3, 5, 6});
  const auto undirected = graph.project(kUndirected);
  CHECK(Answer("wcc", *undirected).integers("component") == Integers{0, 1, 1, 3, 3, 1, 6});
  CHECK(Answer("scc", *undirected).integers("component") == Integers{0, 1, 1, 3, 3, 1, 6});
}

TEST_CASE("components equal mutual reach on random graphs") {
  check_random_graphs(40, [](const TestEdges& walks, const Projection& graph) {
    const size_t count = graph.vertex_count();
    CHECK(Answer("wcc", graph).integers("component") ==
          first_mutual(reachable(walks, count, true)));
    CHECK(Answer("scc", graph).integers("component") ==
          first_mutual(reachable(walks, count, false)));
  });
}

TEST_CASE("a long path needs no deep stack") {
  constexpr Vertex kCount = 100'000;
  TestEdges path;
  for (Vertex v = 0; v + 1 < kCount; ++v) path.push_back({v, v + 1});
  const TestGraph graph(kCount, path);
  const Answer open("scc", *graph.project(kNatural));
  CHECK(open.integers("component") == open.integers("node"));
  for (const char* name : {"scc", "wcc"}) {
    CHECK(Answer(name, *graph.project(kUndirected)).integers("component") == Integers(kCount, 0));
  }
}

// --- Cores -------------------------------------------------------------------------------------

TEST_CASE("core numbers of the karate club are those of the literature") {
  const TestGraph graph(kKarateCount, karate_edges());
  const Integers expected = {4, 4, 4, 4, 3, 3, 3, 4, 4, 2, 3, 1, 2, 4, 2, 2, 2,
                             2, 2, 3, 2, 2, 2, 3, 3, 3, 2, 3, 3, 3, 4, 3, 4, 4};
  CHECK(Answer("core_number", *graph.project(kUndirected)).integers("core_number") == expected);
  CHECK(Answer("core_number", *graph.project(kNatural)).integers("core_number") == expected);
}

TEST_CASE("core numbers equal their definition on random graphs") {
  check_random_graphs(40, [](const TestEdges& walks, const Projection& graph) {
    CHECK(Answer("core_number", graph).integers("core_number") ==
          plain_core_numbers(edges_of(walks, graph.directed()), graph.vertex_count()));
  });
}

// --- Label propagation -------------------------------------------------------------------------

TEST_CASE("labels equal their definition on random graphs") {
  check_random_graphs(40, [](const TestEdges& walks, const Projection& graph) {
    for (const int iterations : {1, 2, 10}) {
      const Answer answer("label_propagation", graph, {{"iterations", int64_t{iterations}}});
      CHECK(answer.integers("label") == plain_labels(walks, graph.directed(), graph, iterations));
    }
  });
}

// --- Communities -------------------------------------------------------------------------------

TEST_CASE("cliques in a ring are the communities") {
  const auto graph = TestGraph(30, ring_of_cliques(6, 5)).project(kUndirected);
  Integers expected;
  for (int64_t v = 0; v < 30; ++v) expected.push_back(v / 5);
  for (const char* name : {"louvain", "leiden"}) {
    for (int64_t seed = 0; seed < 10; ++seed) {
      CHECK(Answer(name, *graph, {{"seed", seed}}).integers("community") == expected);
    }
    const Answer coarse(name, *graph, {{"resolution", 0.0}});
    CHECK(coarse.integers("community") == Integers(30, 0));
    const Answer fine(name, *graph, {{"resolution", 100.0}});
    CHECK(fine.integers("community") == fine.integers("node"));
    CHECK(fine.integers("level") == Integers(30, 0));
  }
}

TEST_CASE("communities of the karate club come near the best modularity known") {
  // 0.4198 is the optimum: Brandes et al. 2008, On Modularity Clustering.
  const TestEdges walks = walks_of(karate_edges(), kUndirected);
  const auto graph = TestGraph(kKarateCount, karate_edges()).project(kUndirected);
  double best = 0;
  for (int64_t seed = 0; seed < 10; ++seed) {
    for (const char* name : {"louvain", "leiden"}) {
      const Answer answer(name, *graph, {{"seed", seed}});
      const double modularity = plain_modularity(walks, false, answer.integers("community"), 1);
      CHECK(modularity > 0.38);
      CHECK(modularity < 0.41980);
      best = std::max(best, modularity);
    }
  }
  CHECK(best > 0.4197);
}

TEST_CASE("communities are numbered, connected by leiden, and never worse than single vertices") {
  check_random_graphs(40, [](const TestEdges& plain_walks, const Projection& graph) {
    const TestEdges walks = with_weights(plain_walks, graph.weighted());
    for (const double resolution : {0.5, 1.0, 2.0}) {
      for (const int64_t levels : {1, 10}) {
        for (const char* name : {"louvain", "leiden"}) {
          CAPTURE(name);
          const Answer answer(name, graph,
                              {{"resolution", resolution}, {"levels", levels}, {"seed", levels}});
          const Integers& communities = answer.integers("community");
          CHECK(is_numbered_by_first_vertex(communities));
          for (const int64_t level : answer.integers("level"))
            CHECK((level >= 0 && level <= levels));
          if (std::string(name) == "leiden") CHECK(all_connected(walks, communities));
          if (walks.empty()) continue;
          CHECK(plain_modularity(walks, graph.directed(), communities, resolution) >=
                plain_modularity(walks, graph.directed(), answer.integers("node"), resolution) -
                    1e-9);
        }
      }
    }
  });
}

TEST_CASE("more levels do not lose modularity") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    TestEdges edges;
    for (int i = 0; i < 45; ++i) {
      edges.push_back({static_cast<Vertex>(random() % 30), static_cast<Vertex>(random() % 30)});
    }
    const auto graph = TestGraph(30, edges).project(kUndirected);
    const TestEdges walks = walks_of(edges, kUndirected);
    const auto modularity = [&](const char* name, int64_t levels) {
      const Answer answer(name, *graph, {{"levels", levels}});
      return plain_modularity(walks, false, answer.integers("community"), 1);
    };
    // Both begin with the same moves.
    CHECK(modularity("louvain", 10) >= modularity("louvain", 1) - 1e-9);
    CHECK(modularity("leiden", 2) >= modularity("louvain", 1) - 1e-9);
    CHECK(modularity("leiden", 10) >= modularity("louvain", 1) - 1e-9);
  }
}

TEST_CASE("leiden parts what is left without the vertex that joined it") {
  // The hub 0 first draws two triangles into its community, then goes to the clique from 7 on, once
  // that has formed. The triangles stay together, since no single vertex gains by leaving.
  TestEdges edges;
  const auto add_clique = [&edges](Vertex start, Vertex limit, double hub_weight) {
    for (Vertex a = start; a < limit; ++a) {
      edges.push_back({0, a, hub_weight});
      for (Vertex b = a + 1; b < limit; ++b) edges.push_back({a, b, 5});
    }
  };
  add_clique(1, 4, 6);
  add_clique(4, 7, 6);
  add_clique(7, 19, 4);
  const auto graph = TestGraph(19, edges).project(kUndirected, true);
  const TestEdges walks = walks_of(edges, kUndirected);
  int disconnected = 0;
  for (int64_t seed = 0; seed < 10; ++seed) {
    const NamedArguments named = {{"resolution", 0.1}, {"levels", int64_t{1}}, {"seed", seed}};
    disconnected += !all_connected(walks, Answer("louvain", *graph, named).integers("community"));
    CHECK(all_connected(walks, Answer("leiden", *graph, named).integers("community")));
  }
  CHECK(disconnected > 0);
}

TEST_CASE("communities of tiny graphs are as good as the best of all partitions, or nearly so") {
  double lost = 0;
  int count = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    const auto node_count = static_cast<Vertex>(2 + random() % 6);
    const TestEdges edges = random_edges(random, node_count);
    if (edges.empty()) continue;
    const TestGraph graph(node_count, edges);
    for (const Orientation orientation : {kNatural, kUndirected}) {
      const auto projection = graph.project(orientation, true);
      const TestEdges walks = walks_of(edges, orientation);
      Integers scratch(node_count);
      const double best = best_modularity(walks, projection->directed(), scratch, 0, 0, 1);
      for (const char* name : {"louvain", "leiden"}) {
        CAPTURE(seed);
        const Answer answer(name, *projection);
        const double found =
            plain_modularity(walks, projection->directed(), answer.integers("community"), 1);
        CHECK(found <= best + 1e-12);
        lost += best - found;
        ++count;
      }
    }
  }
  CHECK(lost / count < 0.01);
}

TEST_CASE("modularity is that of the communities of louvain") {
  check_random_graphs(40, [](const TestEdges& plain_walks, const Projection& graph) {
    const TestEdges walks = with_weights(plain_walks, graph.weighted());
    for (const double resolution : {0.5, 1.0}) {
      const NamedArguments named = {
          {"resolution", resolution}, {"seed", int64_t{3}}, {"levels", {}}};
      const Answer louvain("louvain", graph, named);
      const Answer modularity("modularity", graph, named);
      const Integers& communities = louvain.integers("community");
      REQUIRE(modularity.row_count() == 1);
      CHECK(modularity.integers("communities")[0] ==
            *std::max_element(communities.begin(), communities.end()) + 1);
      if (walks.empty()) {
        CHECK(std::isnan(modularity.reals("modularity")[0]));
      } else {
        CHECK(modularity.reals("modularity")[0] ==
              doctest::Approx(plain_modularity(walks, graph.directed(), communities, resolution))
                  .epsilon(1e-9));
      }
    }
  });
}

TEST_CASE("communities refuse weights that are negative or endless, and ignore edges of none") {
  for (const double weight : {-1.0, double{INFINITY}}) {
    const auto graph = TestGraph(2, {{0, 1, weight}}).project(kNatural, true);
    for (const char* name : {"louvain", "leiden", "modularity"}) {
      CHECK(status_of(name, *graph).code() == StatusCode::kInvalidArgument);
    }
  }
  const auto graph = TestGraph(3, {{0, 1, 0}, {1, 2, 2}}).project(kNatural, true);
  for (const char* name : {"louvain", "leiden"}) {
    CHECK(Answer(name, *graph).integers("community") == Integers{0, 1, 1});
  }
}

// --- Triangles and clustering ------------------------------------------------------------------

TEST_CASE("triangles and clustering of the karate club are those of the literature") {
  const auto graph = TestGraph(kKarateCount, karate_edges()).project(kUndirected);
  CHECK(Answer("triangles", *graph).integers("triangles") ==
        Integers{18, 12, 11, 10, 2, 3, 3, 6, 5, 0, 2, 0, 1, 6, 1, 1,  1,
                 1,  1,  1,  1,  1, 1, 4, 1, 1, 1, 1, 1, 4, 3, 3, 13, 15});
  const Answer clustering("clustering", *graph);
  double sum = 0;
  for (const double value : clustering.reals("clustering")) sum += value;
  CHECK(sum / kKarateCount == doctest::Approx(0.5706384782));
}

TEST_CASE("triangles and clustering equal their definitions on random graphs") {
  check_random_graphs(40, [](const TestEdges& walks, const Projection& graph) {
    const size_t count = graph.vertex_count();
    const Relation has = simple_relation(walks, count);
    const auto joined = [&](size_t a, size_t b) { return has[a][b] || has[b][a]; };
    const Answer triangles("triangles", graph);
    const Answer clustering("clustering", graph);
    for (size_t v = 0; v < count; ++v) {
      int64_t around = 0;
      double links = 0, degree = 0;
      for (size_t a = 0; a < count; ++a) {
        degree += joined(v, a);
        for (size_t b = 0; b < count; ++b) {
          if (!joined(v, a) || !joined(v, b)) continue;
          around += a < b && joined(a, b);
          links += has[a][b];
        }
      }
      CAPTURE(v);
      CHECK(triangles.integers("triangles")[v] == around);
      const double expected = degree < 2 ? 0 : links / (degree * (degree - 1));
      CHECK(clustering.reals("clustering")[v] == doctest::Approx(expected).epsilon(1e-12));
    }
  });
}

// --- What all have in common -------------------------------------------------------------------

TEST_CASE("communities of a graph without edges are single vertices") {
  for (const Vertex count : {0, 1, 2, 3}) {
    const TestGraph graph(count, {}, 5);
    for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
      const auto projection = graph.project(orientation);
      for (const AlgorithmRow& row : community_algorithms()) {
        CAPTURE(row.name);
        const bool is_modularity = std::string(row.name) == "modularity";
        CHECK(Answer(row.name, *projection).row_count() == (is_modularity ? 1 : count));
      }
      for (const char* name : {"louvain", "leiden"}) {
        const Answer answer(name, *projection);
        CHECK(answer.integers("community") == answer.integers("node"));
      }
      const Answer labels("label_propagation", *projection);
      for (Vertex v = 0; v < count; ++v) CHECK(labels.integers("label")[v] == v + 5);
    }
  }
}

TEST_CASE("the same seed gives the same communities") {
  std::mt19937_64 random(9);
  const auto graph = TestGraph(30, random_edges(random, 30)).project(kNatural);
  for (const AlgorithmRow& row : community_algorithms()) {
    CAPTURE(row.name);
    const std::string column = row.columns[1].name;
    if (row.columns[1].kind == ColumnKind::kReal) {
      CHECK(Answer(row.name, *graph).reals(column) == Answer(row.name, *graph).reals(column));
    } else {
      CHECK(Answer(row.name, *graph).integers(column) == Answer(row.name, *graph).integers(column));
    }
  }
}

TEST_CASE("community algorithms stop when they are cancelled and keep the bound of rows") {
  const auto projection = TestGraph(100, many_edges(100)).project(kNatural);
  const std::atomic<bool> cancel = true;
  AlgorithmContext cancelled;
  cancelled.cancel = &cancel;
  AlgorithmContext bounded;
  bounded.rows_max = 99;
  for (const AlgorithmRow& row : community_algorithms()) {
    CAPTURE(row.name);
    CHECK(status_of(row.name, *projection, {}, cancelled).code() == StatusCode::kInterrupted);
    const bool is_modularity = std::string(row.name) == "modularity";
    CHECK(status_of(row.name, *projection, {}, bounded).code() ==
          (is_modularity ? StatusCode::kOk : StatusCode::kLimit));
  }
}

TEST_CASE("community algorithms are listed by name") {
  const auto rows = community_algorithms();
  CHECK(std::is_sorted(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::string_view(a.name) < b.name;
  }));
}

}  // namespace braid
