// Searches and shortest paths beside igraph's.
#include <algorithm>
#include <limits>

#include "graph/algorithms.h"
#include "tests/graph/igraph_graph.h"

using namespace braid;

namespace {

/// By vertex; infinite where nothing leads to.
std::vector<double> reference_distances(const Sample& sample, Vertex source, const igraph_vector_t* weights) {
  IgraphMatrix found;
  must(igraph_distances_dijkstra(sample.reference.get(), found.get(), igraph_vss_1(source), igraph_vss_all(), weights, IGRAPH_OUT));
  std::vector<double> out;
  for (Vertex vertex = 0; vertex < sample.count; ++vertex) out.push_back(found.at(0, vertex));
  return out;
}

std::vector<double> distances_of(const Answer& answer, Vertex count) {
  std::vector<double> out(count, kFar);
  for (size_t row = 0; row < answer.row_count(); ++row)
    out[static_cast<size_t>(answer.integers("node")[row])] = answer.reals("distance")[row];
  return out;
}

void check_distances(const std::vector<double>& found, const std::vector<double>& wanted) {
  REQUIRE(found.size() == wanted.size());
  // Sums of the same weights in another order: a few units in the last place.
  for (size_t i = 0; i < found.size(); ++i) CHECK((found[i] == wanted[i] || is_near(found[i], wanted[i], 1e-12)));
}

/// A parent is one step nearer by an edge that there is.
void check_parents(const Sample& sample, Vertex source, const Answer& answer, const std::vector<double>& distances) {
  for (size_t row = 0; row < answer.row_count(); ++row) {
    const int64_t node = answer.integers("node")[row], parent = answer.integers("parent")[row];
    if (node == source) {
      CHECK(parent == ResultColumn::kNoValue);
      continue;
    }
    const TestEdges steps = sample.steps();
    CHECK(std::any_of(steps.begin(), steps.end(), [&](const TestEdge& step) {
      return step.source == parent && step.target == node &&
             distances[step.source] + step.weight == distances[step.target];
    }));
  }
}

/// Paths as lists of igraph's edges, with checks that each is one.
std::vector<std::vector<int64_t>> paths_of(const Sample& sample, const Answer& answer, Vertex source, Vertex target) {
  std::vector<std::vector<int64_t>> paths;
  int64_t at = 0;
  double cost = 0;
  for (size_t row = 0; row < answer.row_count(); ++row) {
    const int64_t step = answer.integers("step")[row], node = answer.integers("node")[row];
    if (step == 0) {
      if (!paths.empty()) CHECK(at == target);
      CHECK(node == source);
      CHECK(answer.integers("edge")[row] == ResultColumn::kNoValue);
      paths.emplace_back();
      cost = 0;
    } else {
      const int64_t edge = answer.integers("edge")[row] - 1;
      const TestEdge& taken = sample.edges[static_cast<size_t>(edge)];
      const bool forward = taken.source == at && taken.target == node;
      const bool backward = !sample.directed && taken.target == at && taken.source == node;
      CHECK((forward || backward));
      cost += taken.weight;
      paths.back().push_back(edge);
    }
    CHECK(answer.integers("path")[row] == static_cast<int64_t>(paths.size()));
    CHECK(answer.reals("cost")[row] == cost);
    at = node;
  }
  if (!paths.empty()) CHECK(at == target);
  return paths;
}

double cost_of(const Sample& sample, const std::vector<int64_t>& path) {
  double cost = 0;
  for (const int64_t edge : path) cost += sample.edges[static_cast<size_t>(edge)].weight;
  return cost;
}

}  // namespace

TEST_CASE("breadth-first levels are igraph's distances") {
  for_each_sample([](const Sample& sample) {
    for (const Vertex source : some_vertices(sample)) {
      const Answer answer("bfs", *sample.graph, {{"source", source}});
      std::vector<double> depths(sample.count, kFar);
      int64_t before = 0;
      for (size_t row = 0; row < answer.row_count(); ++row) {
        const int64_t depth = answer.integers("depth")[row];
        CHECK(depth >= before);
        before = depth;
        depths[static_cast<size_t>(answer.integers("node")[row])] = static_cast<double>(depth);
      }
      CHECK(depths == reference_distances(sample, source, nullptr));
      if (!sample.weighted) check_parents(sample, source, answer, depths);
    }
  });
}

// Two depth-first orders of one graph may differ, so what makes an order depth first is checked: an edge to a later vertex goes to
// a descendant.
TEST_CASE("a depth-first order reaches what igraph reaches, and descendants before what is beside") {
  for_each_sample([](const Sample& sample) {
    for (const Vertex source : some_vertices(sample)) {
      const Answer answer("dfs", *sample.graph, {{"source", source}});
      IgraphIntegers reached;
      must(igraph_subcomponent(sample.reference.get(), reached.get(), source, IGRAPH_OUT));
      std::vector<int64_t> wanted = reached.values(), found = answer.integers("node");
      std::sort(wanted.begin(), wanted.end());
      std::sort(found.begin(), found.end());
      CHECK(found == wanted);

      std::map<int64_t, size_t> row_of;
      for (size_t row = 0; row < answer.row_count(); ++row) {
        CHECK(answer.integers("position")[row] == static_cast<int64_t>(row));
        row_of[answer.integers("node")[row]] = row;
      }
      const auto descends = [&](int64_t node, int64_t from) {
        while (node != from && node != ResultColumn::kNoValue) node = answer.integers("parent")[row_of.at(node)];
        return node == from;
      };
      for (const TestEdge& step : sample.steps()) {
        if (!row_of.contains(step.source)) continue;
        REQUIRE(row_of.contains(step.target));
        if (row_of[step.target] > row_of[step.source]) CHECK(descends(step.target, step.source));
      }
    }
  });
}

TEST_CASE("what a failed vertex or edge cuts off is what igraph no longer reaches without it") {
  for_each_sample([](const Sample& sample) {
    if (sample.count == 0 || sample.count > 60) return;
    const Vertex source = sample.count / 2;
    const auto reached = [&](const IgraphGraph& graph) {
      IgraphIntegers found;
      must(igraph_subcomponent(graph.get(), found.get(), source, IGRAPH_OUT));
      const auto values = found.values();
      return std::set<int64_t>(values.begin(), values.end());
    };
    const std::set<int64_t> all = reached(sample.reference);
    const auto check = [&](const IgraphGraph& broken, NamedArguments failed, int64_t left_out) {
      const std::set<int64_t> kept = reached(broken);
      std::set<int64_t> lost;
      std::set_difference(all.begin(), all.end(), kept.begin(), kept.end(), std::inserter(lost, lost.end()));
      lost.erase(left_out);
      failed["source"] = source;
      const Answer answer("cut_off", *sample.graph, [&] {
        failed.try_emplace("failed_node");
        failed.try_emplace("failed_edge");
        return failed;
      }());
      const auto& nodes = answer.integers("node");
      CHECK(std::set<int64_t>(nodes.begin(), nodes.end()) == lost);
      CHECK(nodes.size() == lost.size());
    };
    for (const Vertex vertex : some_vertices(sample)) {
      if (vertex == source) continue;
      // Its edges only, so that the numbers of the others stay.
      IgraphGraph broken = sample.reference;
      igraph_es_t incident;
      must(igraph_es_incident(&incident, vertex, IGRAPH_ALL));
      must(igraph_delete_edges(broken.get(), incident));
      igraph_es_destroy(&incident);
      check(broken, {{"failed_node", vertex}}, vertex);
    }
    for (size_t edge = 0; edge < sample.edges.size(); edge += 1 + sample.edges.size() / 12) {
      IgraphGraph broken = sample.reference;
      must(igraph_delete_edges(broken.get(), igraph_ess_1(static_cast<igraph_integer_t>(edge))));
      check(broken, {{"failed_edge", static_cast<int64_t>(edge) + 1}}, -1);
    }
  });
}

TEST_CASE("distances from one vertex and between all are igraph's") {
  for_each_sample([](const Sample& sample) {
    std::map<std::pair<int64_t, int64_t>, double> pairs;
    const Answer all("all_pairs", *sample.graph);
    for (size_t row = 0; row < all.row_count(); ++row)
      pairs[{all.integers("source_node")[row], all.integers("target_node")[row]}] = all.reals("distance")[row];
    CHECK(pairs.size() == all.row_count());
    for (const Vertex source : some_vertices(sample)) {
      const std::vector<double> wanted = reference_distances(sample, source, sample.weights_if_any());
      for (const char* name : {"dijkstra", "bellman_ford"}) {
        CAPTURE(name);
        const Answer answer(name, *sample.graph, {{"source", source}});
        const std::vector<double> found = distances_of(answer, sample.count);
        check_distances(found, wanted);
        check_parents(sample, source, answer, found);
      }
      std::vector<double> found(sample.count, kFar);
      for (Vertex target = 0; target < sample.count; ++target)
        if (const auto pair = pairs.find({source, target}); pair != pairs.end()) found[target] = pair->second;
      check_distances(found, wanted);
    }
  });
}

TEST_CASE("with negative weights, distances and refused cycles are igraph's") {
  int cycles = 0, distances = 0;
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const Vertex count = 4 + static_cast<Vertex>(random() % 16);
    TestEdges edges = random_edges(random, count);
    for (TestEdge& edge : edges) edge.weight = static_cast<double>(random() % 12) - 2;
    // Every third one without cycles, where any weight will do.
    if (seed % 3 == 0) {
      for (TestEdge& edge : edges) {
        if (edge.source > edge.target) std::swap(edge.source, edge.target);
        edge.weight -= 6;
      }
      std::erase_if(edges, [](const TestEdge& edge) { return edge.source == edge.target; });
    }
    const Sample sample("negative", count, edges, kNatural, true, TestGraph(count, edges, 3).project(kNatural, true));
    for (Vertex source = 0; source < count; ++source) {
      CAPTURE(source);
      IgraphMatrix found;
      const igraph_error_t code = igraph_distances_bellman_ford(sample.reference.get(), found.get(), igraph_vss_1(source),
                                                                igraph_vss_all(), sample.weights.get(), IGRAPH_OUT);
      if (code == IGRAPH_ENEGLOOP) {
        ++cycles;
        CHECK(status_of("bellman_ford", *sample.graph, {{"source", source}}).code() == StatusCode::kInvalidArgument);
        continue;
      }
      must(code);
      ++distances;
      std::vector<double> wanted;
      for (Vertex vertex = 0; vertex < count; ++vertex) wanted.push_back(found.at(0, vertex));
      const Answer answer("bellman_ford", *sample.graph, {{"source", source}});
      check_distances(distances_of(answer, count), wanted);
    }
  }
  CHECK(cycles > 10);
  CHECK(distances > 10);
}

TEST_CASE("a path costs what igraph's distance is") {
  for_each_sample([](const Sample& sample) {
    for (const Vertex source : some_vertices(sample)) {
      const std::vector<double> wanted = reference_distances(sample, source, sample.weights_if_any());
      for (const Vertex target : some_vertices(sample)) {
        const auto paths = paths_of(sample, Answer("path", *sample.graph, {{"source", source}, {"target", target}}), source, target);
        REQUIRE(paths.size() == (wanted[target] < kFar ? 1 : 0));
        if (!paths.empty()) CHECK(is_near(cost_of(sample, paths[0]), wanted[target], 1e-12));
      }
    }
  });
}

TEST_CASE("all shortest paths are igraph's, edge by edge") {
  size_t ties = 0;
  for_each_sample([&ties](const Sample& sample) {
    for (const Vertex source : some_vertices(sample)) {
      for (const Vertex target : some_vertices(sample)) {
        IgraphLists found;
        must(igraph_get_all_shortest_paths_dijkstra(sample.reference.get(), nullptr, found.get(), nullptr, source, igraph_vss_1(target),
                                                    sample.weights_if_any(), IGRAPH_OUT));
        auto wanted = found.values();
        auto paths = paths_of(
            sample,
            Answer("all_shortest_paths", *sample.graph, {{"source", source}, {"target", target}, {"path_limit", int64_t{1'000'000}}}),
            source, target);
        std::sort(wanted.begin(), wanted.end());
        std::sort(paths.begin(), paths.end());
        CHECK(paths == wanted);
        ties += paths.size() > 1;
      }
    }
  });
  CHECK(ties > 100);
}

TEST_CASE("the k shortest paths cost what igraph's cost") {
  size_t many = 0;
  for_each_sample([&many](const Sample& sample) {
    if (sample.count > 60) return;
    for (const Vertex source : some_vertices(sample)) {
      for (const Vertex target : some_vertices(sample)) {
        if (source == target) continue;
        constexpr int64_t kCount = 6;
        IgraphLists found;
        must(igraph_get_k_shortest_paths(sample.reference.get(), sample.weights_if_any(), nullptr, found.get(), kCount, source, target,
                                         IGRAPH_OUT));
        const auto wanted = found.values();
        const auto paths =
            paths_of(sample, Answer("k_shortest_paths", *sample.graph, {{"source", source}, {"target", target}, {"k", kCount}}), source,
                     target);
        REQUIRE(paths.size() == wanted.size());
        for (size_t i = 0; i < paths.size(); ++i)
          CHECK(is_near(cost_of(sample, paths[i]), cost_of(sample, wanted[i]), 1e-12));
        CHECK(std::set(paths.begin(), paths.end()).size() == paths.size());
        many += paths.size() > 1;
      }
    }
  });
  CHECK(many > 100);
}
