// Random multigraphs with parallel edges, self loops and weights: in a store, as a list, and projected.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <vector>

#include "tests/graph/algorithm_fixture.h"

namespace braid {

struct ListedEdge {
  uint64_t id;
  Vertex source;
  Vertex target;
  double weight;
};

/// Vertices are 0 to count - 1; node ids are one more.
struct RandomGraph {
  RandomGraph(uint64_t seed, Vertex node_count, size_t edge_count, int least_weight = 0) : count(node_count) {
    std::mt19937_64 random(seed);
    GraphFixture::Transaction tx(fixture);
    const TypeId type = tx.type("T");
    weight = tx.key("w");
    for (Vertex i = 0; i < count; ++i) tx.node();
    for (size_t i = 0; i < edge_count; ++i) {
      const auto source = static_cast<Vertex>(random() % count), target = static_cast<Vertex>(random() % count);
      const auto value = static_cast<int64_t>(random() % 10) + least_weight;
      const EdgeId id = tx.edge(NodeId(source + 1), type, NodeId(target + 1), {{weight, PropertyValue{value}}});
      edges.push_back({id.value(), source, target, static_cast<double>(value)});
    }
    tx.commit();
  }

  std::shared_ptr<const Projection> project(Orientation orientation, bool weighted) const {
    ProjectionSpec spec;
    spec.orientation = orientation;
    if (weighted) spec.weight = weight;
    auto projection = Projection::build(fixture.view(), spec, {});
    REQUIRE_MESSAGE(projection.ok(), projection.status().message());
    return projection.take();
  }
  /// As the projection has them: a list of steps (source, target, weight).
  std::vector<ListedEdge> steps(Orientation orientation) const {
    std::vector<ListedEdge> out;
    for (const ListedEdge& edge : edges) {
      const ListedEdge back{edge.id, edge.target, edge.source, edge.weight};
      if (orientation != Orientation::kReverse) out.push_back(edge);
      if (orientation != Orientation::kNatural) out.push_back(back);
    }
    return out;
  }

  Vertex count;
  GraphFixture fixture;
  KeyId weight;
  std::vector<ListedEdge> edges;
};

/// Runs an algorithm with values by place; those that are left out get their fallbacks.
inline Status run_algorithm(std::string_view name, const Projection& graph, std::vector<ArgumentValue> values, AlgorithmResult& out) {
  const AlgorithmRow& row = algorithm_named(name);
  for (size_t i = values.size(); i < row.parameters.size(); ++i) values.push_back(fallback_of(row.parameters[i]));
  return row.run(graph, AlgorithmArguments(std::move(values)), {}, out);
}

inline AlgorithmResult result_of(std::string_view name, const Projection& graph, std::vector<ArgumentValue> values = {}) {
  AlgorithmResult out;
  const Status status = run_algorithm(name, graph, std::move(values), out);
  REQUIRE_MESSAGE(status.ok(), status.message());
  REQUIRE(out.columns.size() == algorithm_named(name).columns.size());
  for (size_t i = 0; i < out.columns.size(); ++i) {
    const bool real = algorithm_named(name).columns[i].kind == ColumnKind::kReal;
    REQUIRE((real ? out.columns[i].reals.size() : out.columns[i].integers.size()) == out.row_count);
  }
  return out;
}

}  // namespace braid
