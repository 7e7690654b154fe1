#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "graph/algorithms.h"
#include "tests/graph/algorithm_fixture.h"

namespace braid {
namespace {

void check_near(const std::vector<double>& values, const std::vector<double>& expected,
                double tolerance = 1e-9) {
  REQUIRE(values.size() == expected.size());
  for (size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(values[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i])));
  }
}

/// The first, second, third, twelfth and last member of the karate club.
std::vector<double> chosen_members(const std::vector<double>& values) {
  return {values[0], values[1], values[2], values[11], values[33]};
}

/// Runs `check(edges, node_count, orientation, graph, weighted)` on random graphs of all kinds.
template <typename Check>
void check_random_graphs(uint64_t seed_count, const Check& check) {
  for (uint64_t seed = 1; seed <= seed_count; ++seed) {
    std::mt19937_64 random(seed);
    const auto node_count = static_cast<Vertex>(1 + random() % 30);
    const TestEdges edges = random_edges(random, node_count);
    const TestGraph graph(node_count, edges, 1 + seed % 3);
    for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
      for (const bool weighted : {false, true}) {
        CAPTURE(seed);
        CAPTURE(static_cast<int>(orientation));
        CAPTURE(weighted);
        check(walks_of(edges, orientation), *graph.project(orientation, true), weighted);
      }
    }
  }
}

ArgumentValue yes_if(bool yes) { return std::string(yes ? "yes" : "no"); }

// --- Plain methods to compare with -------------------------------------------------------------

using Matrix = std::vector<std::vector<double>>;

/// Shortest paths between all pairs: Floyd and Warshall's distances, then the number of paths as
/// the sum over their last edges.
struct AllPaths {
  Matrix distances;
  Matrix counts;
};

Matrix distances_of(const TestEdges& walks, size_t count) {
  Matrix distances(count, std::vector<double>(count, kFar));
  for (size_t i = 0; i < count; ++i) distances[i][i] = 0;
  for (const TestEdge& walk : walks) {
    double& distance = distances[walk.source][walk.target];
    distance = std::min(distance, walk.weight);
  }
  for (size_t k = 0; k < count; ++k) {
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < count; ++j) {
        distances[i][j] = std::min(distances[i][j], distances[i][k] + distances[k][j]);
      }
    }
  }
  return distances;
}

AllPaths all_paths(TestEdges walks, size_t count, bool weighted) {
  if (!weighted) {
    for (TestEdge& walk : walks) walk.weight = 1;
  }
  AllPaths paths{distances_of(walks, count), Matrix(count, std::vector<double>(count, 0))};
  for (size_t source = 0; source < count; ++source) {
    const std::vector<double>& distance = paths.distances[source];
    std::vector<size_t> order;
    for (size_t i = 0; i < count; ++i) {
      if (distance[i] < kFar) order.push_back(i);
    }
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return distance[a] < distance[b]; });
    paths.counts[source][source] = 1;
    for (const size_t vertex : order) {
      for (const TestEdge& walk : walks) {
        if (walk.source == vertex && distance[vertex] + walk.weight == distance[walk.target]) {
          paths.counts[source][walk.target] += paths.counts[source][vertex];
        }
      }
    }
  }
  return paths;
}

/// From the definition: for each ordered pair the share of its shortest paths through the vertex.
std::vector<double> plain_betweenness(const AllPaths& paths) {
  const size_t count = paths.counts.size();
  std::vector<double> scores(count);
  for (size_t s = 0; s < count; ++s) {
    for (size_t t = 0; t < count; ++t) {
      for (size_t v = 0; v < count; ++v) {
        if (s == t || v == s || v == t || paths.distances[s][t] == kFar) continue;
        if (paths.distances[s][v] + paths.distances[v][t] != paths.distances[s][t]) continue;
        scores[v] += paths.counts[s][v] * paths.counts[v][t] / paths.counts[s][t];
      }
    }
  }
  return scores;
}

double plain_edge_betweenness(const AllPaths& paths, const TestEdge& walk, bool weighted) {
  const size_t count = paths.counts.size();
  double score = 0;
  for (size_t s = 0; s < count; ++s) {
    for (size_t t = 0; t < count; ++t) {
      if (s == t || paths.distances[s][t] == kFar) continue;
      const double length = paths.distances[s][walk.source] + (weighted ? walk.weight : 1) +
                            paths.distances[walk.target][t];
      if (length != paths.distances[s][t]) continue;
      score += paths.counts[s][walk.source] * paths.counts[walk.target][t] / paths.counts[s][t];
    }
  }
  return score;
}

/// M[v][u] is the sum over the edges from u to v.
Matrix in_matrix(const TestEdges& walks, size_t count, bool weighted) {
  Matrix matrix(count, std::vector<double>(count, 0));
  for (const TestEdge& walk : walks) {
    matrix[walk.target][walk.source] += weighted ? walk.weight : 1;
  }
  return matrix;
}

Matrix transposed(const Matrix& matrix) {
  Matrix result = matrix;
  for (size_t i = 0; i < matrix.size(); ++i) {
    for (size_t j = 0; j < matrix.size(); ++j) result[j][i] = matrix[i][j];
  }
  return result;
}

std::vector<double> product(const Matrix& matrix, const std::vector<double>& vector) {
  std::vector<double> result(vector.size());
  for (size_t i = 0; i < vector.size(); ++i) {
    for (size_t j = 0; j < vector.size(); ++j) result[i] += matrix[i][j] * vector[j];
  }
  return result;
}

/// Solves matrix * x = right by Gauss's elimination with pivots.
std::vector<double> solve(Matrix matrix, std::vector<double> right) {
  const size_t count = right.size();
  for (size_t column = 0; column < count; ++column) {
    size_t pivot = column;
    for (size_t i = column; i < count; ++i) {
      if (std::abs(matrix[i][column]) > std::abs(matrix[pivot][column])) pivot = i;
    }
    std::swap(matrix[column], matrix[pivot]);
    std::swap(right[column], right[pivot]);
    for (size_t i = 0; i < count; ++i) {
      if (i == column) continue;
      const double factor = matrix[i][column] / matrix[column][column];
      for (size_t j = column; j < count; ++j) matrix[i][j] -= factor * matrix[column][j];
      right[i] -= factor * right[column];
    }
  }
  for (size_t i = 0; i < count; ++i) right[i] /= matrix[i][i];
  return right;
}

/// The fixed point of PageRank as a system of equations.
std::vector<double> plain_pagerank(const Matrix& in, double damping,
                                   const std::vector<double>& jumps) {
  const size_t count = in.size();
  Matrix system(count, std::vector<double>(count, 0));
  std::vector<double> right(count);
  for (size_t u = 0; u < count; ++u) {
    double strength = 0;
    for (size_t v = 0; v < count; ++v) strength += in[v][u];
    for (size_t v = 0; v < count; ++v) {
      const double share = strength > 0 ? in[v][u] / strength : jumps[v];
      system[v][u] = (u == v ? 1.0 : 0.0) - damping * share;
    }
    right[u] = (1 - damping) * jumps[u];
  }
  return solve(system, right);
}

void scale_to_maximum(std::vector<double>& values) {
  const double maximum = *std::max_element(values.begin(), values.end());
  if (maximum == 0) return;
  for (double& value : values) value /= maximum;
}

}  // namespace

// --- Degree ------------------------------------------------------------------------------------

TEST_CASE("degrees count parallel edges and both ends of a loop") {
  const TestGraph graph(4, {{0, 1, 2.5}, {0, 1, 0.5}, {1, 2, 4}, {2, 2, 8}});

  const Answer natural("degree", *graph.project(kNatural, true));
  CHECK(natural.integers("node") == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(natural.integers("in_degree") == std::vector<int64_t>{0, 2, 2, 0});
  CHECK(natural.integers("out_degree") == std::vector<int64_t>{2, 1, 1, 0});
  CHECK(natural.integers("degree") == std::vector<int64_t>{2, 3, 3, 0});
  CHECK(natural.reals("weighted_degree") == std::vector<double>{3, 7, 20, 0});

  const Answer reverse("degree", *graph.project(kReverse));
  CHECK(reverse.integers("in_degree") == std::vector<int64_t>{2, 1, 1, 0});
  CHECK(reverse.reals("weighted_degree") == std::vector<double>{2, 3, 3, 0});

  const Answer undirected("degree", *graph.project(kUndirected, true));
  CHECK(undirected.integers("in_degree") == std::vector<int64_t>{2, 3, 3, 0});
  CHECK(undirected.integers("out_degree") == std::vector<int64_t>{2, 3, 3, 0});
  CHECK(undirected.integers("degree") == std::vector<int64_t>{2, 3, 3, 0});
  CHECK(undirected.reals("weighted_degree") == std::vector<double>{3, 7, 20, 0});
}

// --- Closeness and harmonic --------------------------------------------------------------------

TEST_CASE("closeness is lower for a vertex that reaches a smaller share") {
  const TestGraph graph(4, {{0, 1}, {1, 2}});
  const Answer undirected("closeness", *graph.project(kUndirected));
  check_near(undirected.reals("closeness"), {4.0 / 9, 2.0 / 3, 4.0 / 9, 0});
  const Answer natural("closeness", *graph.project(kNatural));
  check_near(natural.reals("closeness"), {4.0 / 9, 1.0 / 3, 0, 0});
}

TEST_CASE("closeness and harmonic of the karate club are those of the literature") {
  const TestGraph graph(kKarateCount, karate_edges());
  const auto projection = graph.project(kUndirected);
  check_near(chosen_members(Answer("closeness", *projection).reals("closeness")),
             {0.568965517, 0.485294118, 0.559322034, 0.366666667, 0.55}, 1e-8);
  check_near(chosen_members(Answer("harmonic", *projection).reals("harmonic")),
             {23.166666667, 19.166666667, 21, 13.5, 23.25}, 1e-8);
}

TEST_CASE("closeness and harmonic equal their definitions on random graphs") {
  check_random_graphs(12, [](const TestEdges& walks, const Projection& graph, bool weighted) {
    const size_t count = graph.vertex_count();
    const Matrix distances = all_paths(walks, count, weighted).distances;
    std::vector<double> closeness(count), harmonic(count);
    for (size_t s = 0; s < count; ++s) {
      double total = 0, reached = 0;
      for (size_t t = 0; t < count; ++t) {
        if (s == t || distances[s][t] == kFar) continue;
        ++reached;
        total += distances[s][t];
        harmonic[s] += 1 / distances[s][t];
      }
      if (reached > 0) closeness[s] = reached * reached / total / static_cast<double>(count - 1);
    }
    const NamedArguments named = {{"weighted", yes_if(weighted)}};
    check_near(Answer("closeness", graph, named).reals("closeness"), closeness);
    check_near(Answer("harmonic", graph, named).reals("harmonic"), harmonic);
  });
}

// --- Betweenness -------------------------------------------------------------------------------

TEST_CASE("betweenness of a star is all in its centre") {
  const TestGraph graph(5, {{0, 1}, {0, 2}, {0, 3}, {0, 4}});
  const auto projection = graph.project(kUndirected);
  CHECK(Answer("betweenness", *projection).reals("betweenness") ==
        std::vector<double>{6, 0, 0, 0, 0});
  const Answer normalized("betweenness", *projection, {{"normalized", std::string("yes")}});
  CHECK(normalized.reals("betweenness") == std::vector<double>{1, 0, 0, 0, 0});
  CHECK(Answer("edge_betweenness", *projection).reals("betweenness") ==
        std::vector<double>{4, 4, 4, 4});
}

TEST_CASE("betweenness of the karate club is that of the literature") {
  const TestGraph graph(kKarateCount, karate_edges());
  const auto projection = graph.project(kUndirected);
  const Answer plain("betweenness", *projection);
  check_near(chosen_members(plain.reals("betweenness")),
             {231.071428571, 28.478571429, 75.850793651, 0, 160.551587302}, 1e-9);
  const Answer normalized("betweenness", *projection, {{"normalized", std::string("yes")}});
  check_near(chosen_members(normalized.reals("betweenness")),
             {0.437635281, 0.053936688, 0.143656806, 0, 0.304074976}, 1e-8);

  const Answer edges("edge_betweenness", *projection);
  REQUIRE(edges.row_count() == 78);
  const std::vector<double>& scores = edges.reals("betweenness");
  const size_t bridge = std::max_element(scores.begin(), scores.end()) - scores.begin();
  CHECK(edges.integers("source_node")[bridge] == 0);
  CHECK(edges.integers("target_node")[bridge] == 31);
  CHECK(scores[bridge] == doctest::Approx(71.39285714285712));
}

TEST_CASE("betweenness equals its definition on random graphs") {
  check_random_graphs(12, [](const TestEdges& walks, const Projection& graph, bool weighted) {
    const double count = graph.vertex_count();
    std::vector<double> expected = plain_betweenness(all_paths(walks, count, weighted));
    for (double& score : expected) score /= graph.directed() ? 1 : 2;
    NamedArguments named = {{"weighted", yes_if(weighted)}};
    check_near(Answer("betweenness", graph, named).reals("betweenness"), expected);

    named["normalized"] = yes_if(true);
    const double pairs = (count - 1) * (count - 2) / (graph.directed() ? 1 : 2);
    for (double& score : expected) score /= pairs > 0 ? pairs : 1;
    check_near(Answer("betweenness", graph, named).reals("betweenness"), expected);
  });
}

TEST_CASE("edge betweenness equals its definition on random graphs") {
  check_random_graphs(12, [](const TestEdges& walks, const Projection& graph, bool weighted) {
    const AllPaths paths = all_paths(walks, graph.vertex_count(), weighted);
    // By edge, in the order of their ids, which is that of the list.
    std::vector<double> expected;
    for (size_t i = 0; i < walks.size(); ++i) {
      const double score = plain_edge_betweenness(paths, walks[i], weighted);
      if (graph.directed() || i % 2 == 0) expected.push_back(0);
      expected.back() += graph.directed() ? score : score / 2;
    }
    const Answer edges("edge_betweenness", graph, {{"weighted", yes_if(weighted)}});
    REQUIRE(edges.row_count() == expected.size());
    std::vector<double> scores(expected.size(), -1);
    for (size_t row = 0; row < edges.row_count(); ++row) {
      const size_t edge = edges.integers("edge")[row] - 1;
      const TestEdge& walk = walks[graph.directed() ? edge : 2 * edge];
      // An undirected edge is told from its smaller end.
      const bool turned = !graph.directed() && walk.target < walk.source;
      CHECK(edges.integers("source_node")[row] == (turned ? walk.target : walk.source));
      CHECK(edges.integers("target_node")[row] == (turned ? walk.source : walk.target));
      scores[edge] = edges.reals("betweenness")[row];
    }
    check_near(scores, expected);
  });
}

TEST_CASE("paths whose lengths differ by rounding alone are equally short") {
  // One way is 0.1 + 0.2 long, which is more than 0.3 as doubles go, and the other is 0.15 + 0.15.
  const TestGraph graph(4, {{0, 1, 0.1}, {1, 3, 0.2}, {0, 2, 0.15}, {2, 3, 0.15}});
  const Answer answer("betweenness", *graph.project(kNatural, true),
                      {{"weighted", std::string("yes")}});
  CHECK(answer.reals("betweenness") == std::vector<double>{0, 0.5, 0.5, 0});
}

TEST_CASE("a weight that vanishes beside the distance does not count a path twice") {
  const TestGraph graph(4, {{0, 1, 1e6}, {1, 2, 1e-12}, {2, 1, 1e-12}, {0, 2, 1e6}, {2, 3, 1}});
  const Answer answer("betweenness", *graph.project(kNatural, true),
                      {{"weighted", std::string("yes")}});
  for (const double score : answer.reals("betweenness")) CHECK((score >= 0 && score <= 2));
}

TEST_CASE("more shortest paths than a double counts are refused") {
  TestEdges chain;
  for (Vertex v = 0; v < 1100; ++v) chain.insert(chain.end(), 2, {v, v + 1});
  const auto graph = TestGraph(1101, chain).project(kNatural);
  CHECK(status_of("betweenness", *graph).code() == StatusCode::kLimit);
  CHECK(status_of("edge_betweenness", *graph).code() == StatusCode::kLimit);
}

TEST_CASE("sampled betweenness is exact in total where all sources are alike") {
  TestEdges ring;
  for (Vertex v = 0; v < 20; ++v) ring.push_back({v, (v + 1) % 20});
  const auto projection = TestGraph(20, ring).project(kNatural);
  const auto total = [&](int64_t samples, int64_t seed) {
    const Answer answer("betweenness", *projection, {{"samples", samples}, {"seed", seed}});
    double sum = 0;
    for (const double score : answer.reals("betweenness")) sum += score;
    return sum;
  };
  const double exact = total(0, 0);
  CHECK(exact == doctest::Approx(20 * 19 * 18 / 2));
  for (int64_t seed = 0; seed < 5; ++seed) {
    CHECK(total(1, seed) == doctest::Approx(exact));
    CHECK(total(7, seed) == doctest::Approx(exact));
    CHECK(total(1000, seed) == doctest::Approx(exact));
  }
}

TEST_CASE("a seed decides the sample") {
  const auto projection = TestGraph(kKarateCount, karate_edges()).project(kUndirected);
  const auto scores = [&](int64_t seed) {
    return Answer("betweenness", *projection, {{"samples", int64_t{5}}, {"seed", seed}})
        .reals("betweenness");
  };
  CHECK(scores(1) == scores(1));
  CHECK(scores(1) != scores(2));
}

// --- Scores handed from neighbour to neighbour -------------------------------------------------

TEST_CASE("pagerank converges to the solution of its equations on random graphs") {
  check_random_graphs(12, [](const TestEdges& walks, const Projection& graph, bool weighted) {
    const size_t count = graph.vertex_count();
    const Matrix in = in_matrix(walks, count, weighted);
    NamedArguments named = {
        {"iterations", int64_t{1000}}, {"tolerance", 1e-14}, {"weighted", yes_if(weighted)}};
    std::vector<double> jumps(count, 1.0 / static_cast<double>(count));
    check_near(Answer("pagerank", graph, named).reals("pagerank"), plain_pagerank(in, 0.85, jumps),
               1e-11);

    const auto source = static_cast<Vertex>(count / 2);
    jumps.assign(count, 0);
    jumps[source] = 1;
    named["source"] = source;
    check_near(Answer("pagerank", graph, named).reals("pagerank"), plain_pagerank(in, 0.85, jumps),
               1e-11);
  });
}

TEST_CASE("pagerank and eigenvector of the karate club are those of the literature") {
  const auto projection = TestGraph(kKarateCount, karate_edges()).project(kUndirected);
  const Answer pagerank("pagerank", *projection, {{"iterations", int64_t{200}}});
  check_near(chosen_members(pagerank.reals("pagerank")),
             {0.096997285, 0.052876924, 0.057078509, 0.009564745, 0.100919182}, 1e-8);
  check_near(chosen_members(Answer("eigenvector", *projection).reals("eigenvector")),
             {0.952132366, 0.712335139, 0.849554200, 0.141566333, 1}, 1e-7);
}

TEST_CASE("eigenvector scores are proportional to the sums of those who point to the vertex") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto count = static_cast<Vertex>(3 + random() % 28);
    TestEdges edges = random_edges(random, count);
    // A ring makes the scores unique and positive.
    for (Vertex v = 0; v < count; ++v) edges.push_back({v, (v + 1) % count});
    const TestGraph graph(count, edges);
    for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
      const Answer answer("eigenvector", *graph.project(orientation),
                          {{"iterations", int64_t{100000}}, {"tolerance", 1e-13}});
      const std::vector<double>& scores = answer.reals("eigenvector");
      std::vector<double> next =
          product(in_matrix(walks_of(edges, orientation), count, false), scores);
      scale_to_maximum(next);
      check_near(next, scores, 1e-8);
      CHECK(*std::min_element(scores.begin(), scores.end()) > 0);
    }
  }
}

TEST_CASE("the two sides of a star have steady eigenvector scores") {
  const auto star = TestGraph(5, {{0, 1}, {0, 2}, {0, 3}, {0, 4}}).project(kUndirected);
  check_near(Answer("eigenvector", *star).reals("eigenvector"), {1, 0.5, 0.5, 0.5, 0.5}, 1e-7);
}

TEST_CASE("nobody is central by eigenvector where no walk returns") {
  const TestGraph graph(3, {{0, 1}, {1, 2}, {0, 2}});
  CHECK(Answer("eigenvector", *graph.project(kNatural)).reals("eigenvector") ==
        std::vector<double>{0, 0, 0});
  const TestGraph empty(2, {});
  CHECK(Answer("eigenvector", *empty.project(kUndirected)).reals("eigenvector") ==
        std::vector<double>{0, 0});
}

TEST_CASE("hubs point to authorities") {
  // Vertices 0 and 1 point to 2 and 3; vertex 4 to 3 alone.
  const auto graph = TestGraph(5, {{0, 2}, {0, 3}, {1, 2}, {1, 3}, {4, 3}}).project(kNatural);
  const Answer answer("hits", *graph, {{"tolerance", 1e-14}});
  // Of authorities (a, b): a is 2 (a + b) and b is 2 (a + b) + b, up to scale.
  const double a = (std::sqrt(17) - 1) / 4;
  check_near(answer.reals("authority"), {0, 0, a, 1, 0}, 1e-10);
  check_near(answer.reals("hub"), {1, 1, 0, 0, 1 / (a + 1)}, 1e-10);
}

TEST_CASE("hits equals its matrix form on random graphs") {
  check_random_graphs(12, [](const TestEdges& walks, const Projection& graph, bool) {
    const Matrix in = in_matrix(walks, graph.vertex_count(), false);
    const Matrix out = transposed(in);
    std::vector<double> hubs(graph.vertex_count(), 1), authorities(graph.vertex_count());
    for (int i = 0; i < 30; ++i) {
      authorities = product(in, hubs);
      scale_to_maximum(authorities);
      hubs = product(out, authorities);
      scale_to_maximum(hubs);
    }
    const Answer answer("hits", graph, {{"iterations", int64_t{30}}, {"tolerance", 0.0}});
    check_near(answer.reals("authority"), authorities);
    check_near(answer.reals("hub"), hubs);
  });
}

TEST_CASE("katz of the karate club is that of the literature") {
  const auto projection = TestGraph(kKarateCount, karate_edges()).project(kUndirected);
  const Answer answer("katz", *projection, {{"tolerance", 1e-13}});
  check_near(chosen_members(answer.reals("katz")),
             {4.982993567, 3.651810495, 4.121408003, 1.498299357, 5.139338796}, 1e-8);
}

TEST_CASE("katz solves its equations on random graphs") {
  check_random_graphs(12, [](const TestEdges& walks, const Projection& graph, bool) {
    const size_t count = graph.vertex_count();
    Matrix system = in_matrix(walks, count, false);
    const double alpha = 0.02;
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < count; ++j) system[i][j] = (i == j ? 1.0 : 0.0) - alpha * system[i][j];
    }
    const Answer answer("katz", graph, {{"alpha", alpha}, {"beta", 2.0}, {"tolerance", 1e-14}});
    check_near(answer.reals("katz"), solve(system, std::vector<double>(count, 2)));
  });
}

TEST_CASE("katz refuses an alpha that makes scores grow without end") {
  const auto ring = TestGraph(3, {{0, 1}, {1, 2}, {2, 0}}).project(kNatural);
  CHECK(status_of("katz", *ring, {{"alpha", 1.5}}).code() == StatusCode::kInvalidArgument);
  // Without a tolerance the sum of the first walks is what is asked for.
  const Answer three("katz", *ring,
                     {{"alpha", 1.5}, {"iterations", int64_t{3}}, {"tolerance", 0.0}});
  check_near(three.reals("katz"), {4.75, 4.75, 4.75});
}

// --- What all have in common -------------------------------------------------------------------

TEST_CASE("centralities refuse weights that make no sense for them") {
  const auto with_weight = [](double weight) {
    return TestGraph(2, {{0, 1, weight}}).project(kNatural, true);
  };
  const NamedArguments weighted = {{"weighted", std::string("yes")}};
  for (const char* name : {"closeness", "harmonic", "betweenness", "edge_betweenness"}) {
    CAPTURE(name);
    for (const double weight : {-1.0, 0.0, double{INFINITY}}) {
      CHECK(status_of(name, *with_weight(weight), weighted).code() == StatusCode::kInvalidArgument);
      CHECK(status_of(name, *with_weight(weight)).ok());
    }
    CHECK(status_of(name, *with_weight(0.5), weighted).ok());
  }
  CHECK(status_of("pagerank", *with_weight(-1), weighted).code() == StatusCode::kInvalidArgument);
  // Without weight nothing goes along the edge.
  const Answer answer("pagerank", *with_weight(0), weighted);
  check_near(answer.reals("pagerank"), {0.5, 0.5});
}

TEST_CASE("centralities of a graph without edges or nodes are empty or plain") {
  for (const Vertex count : {0, 1, 2, 3}) {
    const TestGraph graph(count, {});
    for (const Orientation orientation : {kNatural, kReverse, kUndirected}) {
      for (const AlgorithmRow& row : centrality_algorithms()) {
        CAPTURE(row.name);
        const Answer answer(row.name, *graph.project(orientation));
        const bool by_edge = std::string(row.name) == "edge_betweenness";
        CHECK(answer.row_count() == (by_edge ? 0 : count));
        for (const ResultColumnRow& column : row.columns) {
          for (const double value : answer.reals(column.name)) CHECK(std::isfinite(value));
        }
      }
    }
  }
}

TEST_CASE("centralities stop when they are cancelled and keep the bound of rows") {
  const auto projection = TestGraph(100, many_edges(100)).project(kNatural);
  const std::atomic<bool> cancel = true;
  AlgorithmContext cancelled;
  cancelled.cancel = &cancel;
  AlgorithmContext bounded;
  bounded.rows_max = 99;
  for (const AlgorithmRow& row : centrality_algorithms()) {
    CAPTURE(row.name);
    CHECK(status_of(row.name, *projection, {}, cancelled).code() == StatusCode::kInterrupted);
    const NamedArguments few =
        std::string(row.name) == "katz" ? NamedArguments{{"alpha", 0.001}} : NamedArguments{};
    CHECK(status_of(row.name, *projection, few, bounded).code() == StatusCode::kLimit);
  }
}

TEST_CASE("centralities are listed by name") {
  const auto rows = centrality_algorithms();
  CHECK(std::is_sorted(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::string_view(a.name) < b.name;
  }));
}

}  // namespace braid
