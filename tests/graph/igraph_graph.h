// igraph's C library as a second opinion: its graphs, vectors and lists as values that clean up after themselves, and random
// multigraphs that both libraries have.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <igraph/igraph.h>

#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/graph/algorithm_fixture.h"

namespace braid {

/// igraph's own handler ends the process; a test reports.
inline void must(igraph_error_t code) { REQUIRE_MESSAGE(code == IGRAPH_SUCCESS, igraph_strerror(code)); }

class IgraphReals {
 public:
  IgraphReals() { must(igraph_vector_init(&vector_, 0)); }
  explicit IgraphReals(const std::vector<double>& values) : IgraphReals() {
    for (const double value : values) must(igraph_vector_push_back(&vector_, value));
  }
  ~IgraphReals() { igraph_vector_destroy(&vector_); }
  IgraphReals(const IgraphReals&) = delete;
  IgraphReals& operator=(const IgraphReals&) = delete;
  igraph_vector_t* get() { return &vector_; }
  const igraph_vector_t* get() const { return &vector_; }
  std::vector<double> values() const {
    return std::vector<double>(VECTOR(vector_), VECTOR(vector_) + igraph_vector_size(&vector_));
  }

 private:
  igraph_vector_t vector_;
};

inline std::vector<int64_t> values_of(const igraph_vector_int_t& vector) {
  return std::vector<int64_t>(VECTOR(vector), VECTOR(vector) + igraph_vector_int_size(&vector));
}

class IgraphIntegers {
 public:
  IgraphIntegers() { must(igraph_vector_int_init(&vector_, 0)); }
  template <typename Values>
  explicit IgraphIntegers(const Values& values) : IgraphIntegers() {
    for (const auto value : values) must(igraph_vector_int_push_back(&vector_, static_cast<igraph_integer_t>(value)));
  }
  ~IgraphIntegers() { igraph_vector_int_destroy(&vector_); }
  IgraphIntegers(const IgraphIntegers&) = delete;
  IgraphIntegers& operator=(const IgraphIntegers&) = delete;
  igraph_vector_int_t* get() { return &vector_; }
  const igraph_vector_int_t* get() const { return &vector_; }
  std::vector<int64_t> values() const { return values_of(vector_); }

 private:
  igraph_vector_int_t vector_;
};

/// A list of lists, such as paths.
class IgraphLists {
 public:
  IgraphLists() { must(igraph_vector_int_list_init(&lists_, 0)); }
  ~IgraphLists() { igraph_vector_int_list_destroy(&lists_); }
  IgraphLists(const IgraphLists&) = delete;
  IgraphLists& operator=(const IgraphLists&) = delete;
  igraph_vector_int_list_t* get() { return &lists_; }
  std::vector<std::vector<int64_t>> values() const {
    std::vector<std::vector<int64_t>> out;
    for (igraph_integer_t i = 0; i < igraph_vector_int_list_size(&lists_); ++i)
      out.push_back(values_of(*igraph_vector_int_list_get_ptr(&lists_, i)));
    return out;
  }

 private:
  igraph_vector_int_list_t lists_;
};

class IgraphMatrix {
 public:
  IgraphMatrix() { must(igraph_matrix_init(&matrix_, 0, 0)); }
  ~IgraphMatrix() { igraph_matrix_destroy(&matrix_); }
  IgraphMatrix(const IgraphMatrix&) = delete;
  IgraphMatrix& operator=(const IgraphMatrix&) = delete;
  igraph_matrix_t* get() { return &matrix_; }
  double at(int64_t row, int64_t column) const { return MATRIX(matrix_, row, column); }

 private:
  igraph_matrix_t matrix_;
};

class IgraphGraph {
 public:
  IgraphGraph(Vertex count, const TestEdges& edges, bool directed) {
    std::vector<Vertex> ends;
    for (const TestEdge& edge : edges) ends.insert(ends.end(), {edge.source, edge.target});
    must(igraph_create(&graph_, IgraphIntegers(ends).get(), count, directed));
  }
  IgraphGraph(const IgraphGraph& other) { must(igraph_copy(&graph_, &other.graph_)); }
  IgraphGraph& operator=(const IgraphGraph&) = delete;
  ~IgraphGraph() { igraph_destroy(&graph_); }
  igraph_t* get() { return &graph_; }
  const igraph_t* get() const { return &graph_; }

 private:
  igraph_t graph_;
};

/// One projection, and the same graph in igraph, whose edge i is Braid's edge i + 1.
struct Sample {
  Sample(std::string name, Vertex count, TestEdges edges, Orientation orientation, bool weighted, ProjectionPointer graph)
      : name(std::move(name)),
        count(count),
        edges(as_projected(std::move(edges), orientation)),
        directed(orientation != kUndirected),
        weighted(weighted),
        graph(std::move(graph)),
        reference(count, this->edges, directed) {
    for (TestEdge& edge : this->edges) {
      if (!weighted) edge.weight = 1;
      must(igraph_vector_push_back(weights.get(), edge.weight));
    }
  }

  const igraph_vector_t* weights_if_any() const { return weighted ? weights.get() : nullptr; }
  /// Every step that can be taken.
  TestEdges steps() const { return walks_of(edges, directed ? kNatural : kUndirected); }

  std::string name;
  Vertex count;
  TestEdges edges;  ///< ends as the projection has them; weights 1 when unweighted
  bool directed;
  bool weighted;
  ProjectionPointer graph;
  IgraphGraph reference;
  IgraphReals weights;  ///< by edge

 private:
  static TestEdges as_projected(TestEdges edges, Orientation orientation) {
    if (orientation == kReverse)
      for (TestEdge& edge : edges) std::swap(edge.source, edge.target);
    return edges;
  }
};

struct SampleKind {
  const char* name;
  Orientation orientation;
  bool weighted;
};
constexpr SampleKind kSampleKinds[] = {{"directed", kNatural, false},
                                       {"directed weighted", kNatural, true},
                                       {"reversed weighted", kReverse, true},
                                       {"undirected", kUndirected, false},
                                       {"undirected weighted", kUndirected, true}};

inline void add_samples(const std::string& name, Vertex count, const TestEdges& edges, std::vector<std::unique_ptr<Sample>>& out) {
  const TestGraph graph(count, edges, 3);
  for (const SampleKind& kind : kSampleKinds)
    out.push_back(std::make_unique<Sample>(fmt::format("{} {}", kind.name, name), count, edges, kind.orientation, kind.weighted,
                                           graph.project(kind.orientation, kind.weighted)));
}

inline void make_weights_real(TestEdges& edges, std::mt19937_64& random) {
  for (TestEdge& edge : edges) edge.weight = 0.5 + static_cast<double>(random() >> 11) * 0x1p-53 * 10;
}
/// So that paths tie but for rounding: 0.1 + 0.2 is not 0.3.
inline void make_weights_tenths(TestEdges& edges) {
  for (TestEdge& edge : edges) edge.weight /= 10;
}
inline void make_acyclic(TestEdges& edges) {
  std::erase_if(edges, [](const TestEdge& edge) { return edge.source == edge.target; });
  for (TestEdge& edge : edges)
    if (edge.source > edge.target) std::swap(edge.source, edge.target);
}
/// Edges between even and odd vertices only.
inline void make_two_sides(TestEdges& edges) {
  std::erase_if(edges, [](const TestEdge& edge) { return edge.source % 2 == edge.target % 2; });
}

/// Multigraphs with loops and parallel edges, from empty and falling apart to dense; some without directed cycles, some
/// with two sides. Weights are small integers, so that paths tie, or reals.
inline const std::vector<std::unique_ptr<Sample>>& samples() {
  static const auto all = [] {
    igraph_set_error_handler(igraph_error_handler_ignore);
    igraph_set_warning_handler(igraph_warning_handler_ignore);
    std::vector<std::unique_ptr<Sample>> out;
    for (const Vertex count : {0u, 1u, 2u, 3u, 5u, 9u, 16u, 30u, 60u}) {
      for (uint64_t seed = 1; seed <= (count == 0 ? 1u : 5u); ++seed) {
        std::mt19937_64 random(1000 * count + seed);
        TestEdges edges = count == 0 ? TestEdges() : random_edges(random, count);
        if (seed % 2 == 0) make_weights_real(edges, random);
        if (seed == 3) make_acyclic(edges);
        if (seed == 4) make_two_sides(edges);
        if (seed == 5) make_weights_tenths(edges);
        add_samples(fmt::format("of {} nodes, seed {}", count, seed), count, edges, out);
      }
    }
    std::mt19937_64 random(7);
    TestEdges edges;
    for (int i = 0; i < 900; ++i)
      edges.push_back({static_cast<Vertex>(random() % 300), static_cast<Vertex>(random() % 300), static_cast<double>(1 + random() % 9)});
    add_samples("of 300 nodes", 300, edges, out);
    return out;
  }();
  return all;
}

/// Which kind of sample an algorithm or igraph's counterpart takes is said by skipping the others.
template <typename Visit>
void for_each_sample(const Visit& visit) {
  for (const auto& sample : samples()) {
    INFO(sample->name);
    visit(*sample);
  }
}

/// A few vertices of each size: all of a small graph's.
inline std::vector<Vertex> some_vertices(const Sample& sample) {
  std::vector<Vertex> vertices;
  const Vertex stride = 1 + sample.count / 8;
  for (Vertex vertex = 0; vertex < sample.count; vertex += stride) vertices.push_back(vertex);
  return vertices;
}

/// Within `tolerance` of the value, or of 1 when the value is smaller.
inline bool is_near(double found, double wanted, double tolerance) {
  return std::abs(found - wanted) <= tolerance * std::max(1.0, std::abs(wanted));
}

inline void check_near(const std::vector<double>& found, const std::vector<double>& wanted, double tolerance) {
  REQUIRE(found.size() == wanted.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CAPTURE(found[i]);
    CAPTURE(wanted[i]);
    CHECK(is_near(found[i], wanted[i], tolerance));
  }
}

/// The same parts of the same things, whatever the parts are called.
template <typename A, typename B>
bool same_partition(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) return false;
  std::map<A, B> there;
  std::map<B, A> back;
  for (size_t i = 0; i < a.size(); ++i)
    if (there.emplace(a[i], b[i]).first->second != b[i] || back.emplace(b[i], a[i]).first->second != a[i]) return false;
  return true;
}

}  // namespace braid
