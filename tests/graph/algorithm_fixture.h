// What the tests of algorithms share: small graphs in a store, known ones and random ones, and algorithms called by name.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "graph/algorithms.h"
#include "tests/graph/graph_fixture.h"

namespace braid {

constexpr auto kNatural = Orientation::kNatural;
constexpr auto kReverse = Orientation::kReverse;
constexpr auto kUndirected = Orientation::kUndirected;

/// Ends are vertices, which are numbered from 0.
struct TestEdge {
  Vertex source;
  Vertex target;
  double weight = 1;
};
using TestEdges = std::vector<TestEdge>;
using ProjectionPointer = std::shared_ptr<const Projection>;

/// A graph in a store, of which `first_id - 1` nodes are left out of projections: vertex v is the
/// node v + first_id.
class TestGraph {
 public:
  TestGraph(Vertex node_count, const TestEdges& edges, uint64_t first_id = 1) {
    GraphFixture::Transaction transaction(fixture_);
    label_ = transaction.label("Used");
    const TypeId type = transaction.type("LINKS");
    weight_ = transaction.key("weight");
    for (uint64_t id = 1; id < first_id; ++id) transaction.node();
    std::vector<NodeId> nodes;
    for (Vertex vertex = 0; vertex < node_count; ++vertex) {
      nodes.push_back(transaction.node({label_}));
    }
    for (const TestEdge& edge : edges) {
      Properties properties;
      properties.emplace_back(weight_, PropertyValue{edge.weight});
      transaction.edge(nodes[edge.source], type, nodes[edge.target], std::move(properties));
    }
    transaction.commit();
  }

  ProjectionPointer project(Orientation orientation, bool weighted = false) const {
    ProjectionSpec spec{.labels = {label_}, .orientation = orientation};
    if (weighted) spec.weight = weight_;
    auto built = Projection::build(fixture_.view(), spec, {});
    REQUIRE_MESSAGE(built.ok(), built.status().message());
    return built.take();
  }

 private:
  GraphFixture fixture_;
  LabelId label_;
  KeyId weight_;
};

inline const AlgorithmRow& algorithm_named(std::string_view name) {
  for (const AlgorithmRow& row : algorithms()) {
    if (row.name == name) return row;
  }
  FAIL("there is no algorithm ", std::string(name));
  return algorithms()[0];
}

/// What a surface gives for a parameter that is left out.
inline ArgumentValue fallback_of(const AlgorithmParameter& parameter) {
  if (parameter.kind == ParameterKind::kNode || std::isnan(parameter.fallback)) return {};
  if (parameter.kind == ParameterKind::kInteger) return static_cast<int64_t>(parameter.fallback);
  if (parameter.kind == ParameterKind::kReal) return parameter.fallback;
  if (parameter.choices == nullptr) return std::string(parameter.text);
  const std::string choices = parameter.choices;
  return choices.substr(0, choices.find('|'));
}

using NamedArguments = std::map<std::string, ArgumentValue>;

/// What a surface does: the values by place, with fallbacks where none is given.
inline AlgorithmArguments arguments_of(const AlgorithmRow& row, NamedArguments named) {
  std::vector<ArgumentValue> values;
  for (const AlgorithmParameter& parameter : row.parameters) {
    ArgumentValue value = named[parameter.name];
    if (value.index() == 0) value = fallback_of(parameter);
    values.push_back(std::move(value));
  }
  REQUIRE(named.size() == row.parameters.size());  // no misspelt one
  return AlgorithmArguments(std::move(values));
}

inline Status status_of(const std::string& name, const Projection& graph, NamedArguments named = {},
                 const AlgorithmContext& context = {}) {
  const AlgorithmRow& row = algorithm_named(name);
  AlgorithmResult result;
  return row.run(graph, arguments_of(row, std::move(named)), context, result);
}

/// A result whose columns are found by name.
class Answer {
 public:
  Answer(const std::string& name, const Projection& graph, NamedArguments named = {})
      : row_(algorithm_named(name)) {
    const Status status = row_.run(graph, arguments_of(row_, std::move(named)), {}, result_);
    REQUIRE_MESSAGE(status.ok(), status.message());
    REQUIRE(result_.columns.size() == row_.columns.size());
    for (size_t i = 0; i < row_.columns.size(); ++i) {
      const bool real = row_.columns[i].kind == ColumnKind::kReal;
      CHECK(result_.columns[i].reals.size() == (real ? result_.row_count : 0));
      CHECK(result_.columns[i].integers.size() == (real ? 0 : result_.row_count));
    }
  }
  size_t row_count() const { return result_.row_count; }
  const std::vector<int64_t>& integers(const std::string& column) const {
    return result_.columns[place(column)].integers;
  }
  const std::vector<double>& reals(const std::string& column) const {
    return result_.columns[place(column)].reals;
  }

 private:
  size_t place(const std::string& column) const {
    for (size_t i = 0; i < row_.columns.size(); ++i) {
      if (row_.columns[i].name == column) return i;
    }
    FAIL("there is no column ", column);
    return 0;
  }
  const AlgorithmRow& row_;
  AlgorithmResult result_;
};

/// Zachary's karate club, members from 1.
inline TestEdges karate_edges() {
  constexpr int kPairs[][2] = {
      {1, 2},   {1, 3},   {1, 4},   {1, 5},   {1, 6},   {1, 7},   {1, 8},   {1, 9},   {1, 11},
      {1, 12},  {1, 13},  {1, 14},  {1, 18},  {1, 20},  {1, 22},  {1, 32},  {2, 3},   {2, 4},
      {2, 8},   {2, 14},  {2, 18},  {2, 20},  {2, 22},  {2, 31},  {3, 4},   {3, 8},   {3, 9},
      {3, 10},  {3, 14},  {3, 28},  {3, 29},  {3, 33},  {4, 8},   {4, 13},  {4, 14},  {5, 7},
      {5, 11},  {6, 7},   {6, 11},  {6, 17},  {7, 17},  {9, 31},  {9, 33},  {9, 34},  {10, 34},
      {14, 34}, {15, 33}, {15, 34}, {16, 33}, {16, 34}, {19, 33}, {19, 34}, {20, 34}, {21, 33},
      {21, 34}, {23, 33}, {23, 34}, {24, 26}, {24, 28}, {24, 30}, {24, 33}, {24, 34}, {25, 26},
      {25, 28}, {25, 32}, {26, 32}, {27, 30}, {27, 34}, {28, 34}, {29, 32}, {29, 34}, {30, 33},
      {30, 34}, {31, 33}, {31, 34}, {32, 33}, {32, 34}, {33, 34}};
  TestEdges edges;
  for (const auto& pair : kPairs) {
    edges.push_back({static_cast<Vertex>(pair[0] - 1), static_cast<Vertex>(pair[1] - 1)});
  }
  return edges;
}
constexpr Vertex kKarateCount = 34;

/// With loops and parallel edges, and weights that often tie.
inline TestEdges random_edges(std::mt19937_64& random, Vertex node_count) {
  TestEdges edges;
  for (uint64_t left = random() % (3 * node_count + 1); left > 0; --left) {
    const auto source = static_cast<Vertex>(random() % node_count);
    const auto target = static_cast<Vertex>(random() % node_count);
    edges.push_back({source, target, static_cast<double>(1 + random() % 4)});
    if (random() % 8 == 0) edges.push_back(edges.back());
    if (random() % 8 == 0) edges.push_back({target, source, static_cast<double>(1 + random() % 4)});
  }
  return edges;
}

/// Enough work that every algorithm asks whether to go on.
inline TestEdges many_edges(Vertex node_count) {
  TestEdges edges;
  std::mt19937_64 random(1);
  for (int i = 0; i < 12000; ++i) {
    edges.push_back({static_cast<Vertex>(random() % node_count), static_cast<Vertex>(random() % node_count)});
  }
  return edges;
}

/// What the edges are in a projection: each as often as it can be walked. A directed loop once, an
/// undirected one twice.
inline TestEdges walks_of(const TestEdges& edges, Orientation orientation) {
  TestEdges walks;
  for (const TestEdge& edge : edges) {
    if (orientation != kReverse) walks.push_back(edge);
    if (orientation != kNatural) walks.push_back({edge.target, edge.source, edge.weight});
  }
  return walks;
}

}  // namespace braid
