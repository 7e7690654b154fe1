#include "graph/projection.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "graph/projection_cache.h"
#include "tests/graph/random_graph.h"

using namespace braid;

namespace {

constexpr Orientation kOrientations[] = {Orientation::kNatural, Orientation::kReverse, Orientation::kUndirected};

using StepTuple = std::tuple<Vertex, Vertex, uint64_t, double>;

std::multiset<StepTuple> steps_of(const Projection& graph) {
  std::multiset<StepTuple> out;
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex)
    for (uint64_t entry = graph.out().offsets[vertex]; entry < graph.out().offsets[vertex + 1]; ++entry)
      out.emplace(vertex, graph.out().targets[entry], graph.edge(entry).value(), graph.weight(entry));
  return out;
}

}  // namespace

TEST_CASE("a projection has every step of the graph, and the same ones backward") {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    // 300 edges at 3 nodes fill blocks that are sealed.
    const RandomGraph random(seed, seed == 1 ? 3 : 20, seed == 1 ? 900 : 60);
    for (const Orientation orientation : kOrientations) {
      const auto graph = random.project(orientation, true);
      CHECK(graph->vertex_count() == random.count);
      CHECK(graph->edge_count() == random.edges.size());
      std::multiset<StepTuple> expected;
      for (const ListedEdge& step : random.steps(orientation)) expected.emplace(step.source, step.target, step.id, step.weight);
      CHECK(steps_of(*graph) == expected);
      std::multiset<std::pair<Vertex, Vertex>> forward, backward;
      for (Vertex vertex = 0; vertex < graph->vertex_count(); ++vertex) {
        for (const Vertex target : graph->out().of(vertex)) forward.emplace(vertex, target);
        for (const Vertex source : graph->in().of(vertex)) backward.emplace(source, vertex);
      }
      if (graph->directed()) CHECK(forward == backward);
    }
  }
}

TEST_CASE("a projection built in two threads has the edges that there are, with and without gaps among the nodes") {
  constexpr size_t kNodes = 120'000, kEdges = 200'000;
  GraphFixture fixture;
  std::mt19937_64 random(7);
  std::vector<NodeId> nodes, sources, targets;
  {
    GraphFixture::Transaction tx(fixture);
    for (size_t i = 0; i < kNodes; ++i) nodes.push_back(tx.node());
    for (size_t i = 0; i < kEdges; ++i) {
      // The first node is a hub, whose list has sealed blocks; the last ones have no edges.
      sources.push_back(nodes[i % 10 == 0 ? 0 : random() % (kNodes - 50)]);
      targets.push_back(nodes[random() % (kNodes - 50)]);
    }
    REQUIRE(tx.writer.create_edges(tx.type("T"), sources, targets, {}).ok());
    tx.commit();
  }
  const auto check = [&] {
    const auto graph = *Projection::build(fixture.view(), {}, {});
    std::vector<std::tuple<uint64_t, uint64_t, uint64_t>> expected, found;
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].value() != 0) expected.emplace_back(sources[i].value(), i + 1, targets[i].value());
    }
    for (Vertex vertex = 0; vertex < graph->vertex_count(); ++vertex) {
      for (uint64_t entry = graph->out().offsets[vertex]; entry < graph->out().offsets[vertex + 1]; ++entry) {
        found.emplace_back(graph->node(vertex).value(), graph->edge(entry).value(), graph->node(graph->out().targets[entry]).value());
      }
    }
    // The newest entries of a long list come first.
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    CHECK(found == expected);
    return graph->vertex_count();
  };
  CHECK(check() == kNodes);
  CHECK(fixture.problems().empty());
  {
    GraphFixture::Transaction tx(fixture);
    const NodeId gone = nodes[kNodes / 2];
    REQUIRE(tx.writer.delete_node(gone, DeleteRule::kDetach).ok());
    tx.commit();
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i] == gone || targets[i] == gone) sources[i] = NodeId(0);
    }
  }
  CHECK(check() == kNodes - 1);
  CHECK(fixture.problems().empty());
}

TEST_CASE("labels and types choose; an edge whose end is left out is left out") {
  GraphFixture fixture;
  GraphFixture::Transaction tx(fixture);
  const LabelId a = tx.label("A"), b = tx.label("B");
  const TypeId t = tx.type("T"), u = tx.type("U");
  const NodeId one = tx.node({a}), two = tx.node({b}), three = tx.node({a, b}), four = tx.node();
  const EdgeId kept = tx.edge(one, t, three);
  tx.edge(one, u, three);
  tx.edge(one, t, two);
  tx.edge(four, t, one);
  tx.commit();
  ProjectionSpec spec;
  spec.labels = {a};
  spec.types = {t};
  const auto graph = *Projection::build(fixture.view(), spec, {});
  CHECK(graph->vertex_count() == 2);
  CHECK(graph->edge_count() == 1);
  CHECK(graph->edge(0) == kept);
  CHECK(graph->vertex(one) == Vertex{0});
  CHECK(graph->vertex(three) == Vertex{1});
  CHECK_FALSE(graph->vertex(two).has_value());
  CHECK_FALSE(graph->vertex(NodeId(1000)).has_value());
  CHECK(graph->node(1) == three);
  spec.labels = {a, b};
  CHECK((*Projection::build(fixture.view(), spec, {}))->vertex_count() == 3);
  const auto size = estimate_projection(fixture.view(), spec);
  REQUIRE(size.ok());
  CHECK(size->edges == 3);
}

TEST_CASE("a weight that is no number is refused by its edge; a missing one counts 1") {
  GraphFixture fixture;
  GraphFixture::Transaction tx(fixture);
  const NodeId a = tx.node(), b = tx.node();
  const KeyId key = tx.key("w");
  tx.edge(a, tx.type("T"), b);
  const EdgeId negative = tx.edge(a, tx.type("T"), b, {{key, PropertyValue{-2.5}}});
  tx.commit();
  ProjectionSpec spec;
  spec.weight = key;
  const auto graph = *Projection::build(fixture.view(), spec, {});
  CHECK(graph->weight(0) == 1);
  CHECK(graph->weight(1) == -2.5);
  CHECK(graph->has_negative_weight());
  GraphFixture::Transaction later(fixture);
  REQUIRE(later.writer.update_edge(negative, {{key, PropertyValue{std::string("far")}}}).ok());
  later.commit();
  const auto refused = Projection::build(fixture.view(), spec, {});
  CHECK(refused.status().code() == StatusCode::kInvalidArgument);
  CHECK(refused.status().message().find("edge 2 is no number but \"far\"") != std::string::npos);
}

TEST_CASE("a projection that is too large or cancelled is refused") {
  const RandomGraph random(1, 100, 20000);
  const auto large = Projection::build(random.fixture.view(), {}, {.bytes_max = 10000});
  CHECK(large.status().code() == StatusCode::kLimit);
  CHECK(large.status().message().find("projection_bytes_max") != std::string::npos);
  const std::atomic<bool> cancel{true};
  CHECK(Projection::build(random.fixture.view(), {}, {.cancel = &cancel}).status().code() == StatusCode::kInterrupted);
}

TEST_CASE("an estimate is near to what is built") {
  const RandomGraph random(3, 1000, 5000);
  for (const Orientation orientation : kOrientations) {
    ProjectionSpec spec;
    spec.orientation = orientation;
    const auto size = estimate_projection(random.fixture.view(), spec);
    REQUIRE(size.ok());
    const auto graph = random.project(orientation, false);
    CHECK(size->nodes == 1000);
    CHECK(size->edges == 5000);
    CHECK(static_cast<double>(graph->memory_bytes()) < 1.1 * static_cast<double>(size->bytes));
    CHECK(static_cast<double>(graph->memory_bytes()) > 0.8 * static_cast<double>(size->bytes));
  }
}

TEST_CASE("a cached projection serves until the graph changes") {
  GraphFixture fixture;
  GraphFixture::Transaction tx(fixture);
  const NodeId a = tx.node(), b = tx.node();
  const TypeId type = tx.type("T");
  tx.edge(a, type, b);
  tx.commit();
  ProjectionCache cache(1 << 20);
  const auto first = *cache.get(fixture.view(), {}, nullptr);
  CHECK(*cache.get(fixture.view(), {}, nullptr) == first);
  const GraphView old = fixture.view();
  GraphFixture::Transaction later(fixture);
  later.edge(b, type, a);
  // The transaction sees its own edge, and keeps nothing.
  CHECK((*cache.get(later.writer.view(), {}, nullptr))->edge_count() == 2);
  CHECK(*cache.get(old, {}, nullptr) == first);
  later.commit();
  const auto second = *cache.get(fixture.view(), {}, nullptr);
  CHECK(second->edge_count() == 2);
  CHECK(*cache.get(fixture.view(), {}, nullptr) == second);
  // An older snapshot gets what it sees, and does not push the newer one out.
  CHECK((*cache.get(old, {}, nullptr))->edge_count() == 1);
  CHECK(*cache.get(fixture.view(), {}, nullptr) == second);
}

TEST_CASE("past the bound the least recently used projection goes") {
  const RandomGraph random(5, 100, 3000);
  ProjectionSpec reverse, undirected;
  reverse.orientation = Orientation::kReverse;
  undirected.orientation = Orientation::kUndirected;
  ProjectionCache cache(135000);
  const auto natural = *cache.get(random.fixture.view(), {}, nullptr);
  REQUIRE(natural->memory_bytes() > 45000);
  REQUIRE(cache.get(random.fixture.view(), reverse, nullptr).ok());
  CHECK(*cache.get(random.fixture.view(), {}, nullptr) == natural);
  REQUIRE(cache.get(random.fixture.view(), undirected, nullptr).ok());
  CHECK(cache.memory_bytes() <= 135000);
}

namespace {

std::multiset<std::pair<Vertex, Vertex>> backward_of(const Projection& graph) {
  std::multiset<std::pair<Vertex, Vertex>> out;
  for (Vertex vertex = 0; vertex < graph.vertex_count(); ++vertex)
    for (const Vertex source : graph.in().of(vertex)) out.emplace(source, vertex);
  return out;
}

/// Random transactions on a graph of labelled nodes with edges of two types.
class RandomChanges {
 public:
  RandomChanges(GraphFixture& fixture, uint64_t seed) : fixture_(fixture), random_(seed) {
    GraphFixture::Transaction tx(fixture_);
    label = tx.label("A");
    types = {tx.type("T"), tx.type("U")};
    weight = tx.key("w");
    for (int i = 0; i < 8; ++i) nodes_.push_back(tx.node(i % 2 == 0 ? std::vector<LabelId>{label} : std::vector<LabelId>{}));
    for (int i = 0; i < 20; ++i) add_edge(tx);
    tx.commit();
  }
  void run(int operations, bool remove_nodes) {
    GraphFixture::Transaction tx(fixture_);
    for (int i = 0; i < operations; ++i) {
      const uint64_t kind = random_() % 12;
      if (kind < 5) add_edge(tx);
      if (kind >= 5 && kind < 8) remove_edge(tx);
      if (kind == 8) nodes_.push_back(tx.node(random_() % 2 == 0 ? std::vector<LabelId>{label} : std::vector<LabelId>{}));
      if (kind == 9 && !edges_.empty()) {
        REQUIRE(tx.writer.update_edge(edges_[random_() % edges_.size()], {{weight, PropertyValue{static_cast<int64_t>(random_() % 9)}}}).ok());
      }
      if (kind == 10 && remove_nodes && nodes_.size() > 3) {
        const size_t index = random_() % nodes_.size();
        if (tx.writer.delete_node(nodes_[index], DeleteRule::kRestrict).ok()) nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(index));
      }
    }
    tx.commit();
  }

  LabelId label;
  std::vector<TypeId> types;
  KeyId weight;

 private:
  void add_edge(GraphFixture::Transaction& tx) {
    Properties properties;
    if (random_() % 2 == 0) properties.emplace_back(weight, PropertyValue{static_cast<int64_t>(random_() % 9)});
    edges_.push_back(tx.edge(nodes_[random_() % nodes_.size()], types[random_() % 2], nodes_[random_() % nodes_.size()], properties));
  }
  void remove_edge(GraphFixture::Transaction& tx) {
    if (edges_.empty()) return;
    const size_t index = random_() % edges_.size();
    REQUIRE(tx.writer.delete_edge(edges_[index]).ok());
    edges_.erase(edges_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  GraphFixture& fixture_;
  std::mt19937_64 random_;
  std::vector<NodeId> nodes_;
  std::vector<EdgeId> edges_;
};

}  // namespace

TEST_CASE("a projection that is brought up to date equals one that is built") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    GraphFixture fixture;
    RandomChanges changes(fixture, seed);
    std::vector<ProjectionSpec> specs;
    for (const Orientation orientation : kOrientations) {
      specs.push_back({{}, {}, {}, orientation});
      specs.push_back({{}, {changes.types[0]}, changes.weight, orientation});
      specs.push_back({{changes.label}, {}, {}, orientation});
    }
    ProjectionCache& cache = static_cast<const GraphStoreView&>(*fixture.newest).projections();
    // One that somebody reads is copied, another is changed in place.
    std::map<ProjectionSpec, std::pair<std::shared_ptr<const Projection>, std::multiset<StepTuple>>> held;
    for (int round = 0; round < 25; ++round) {
      changes.run(1 + round % 7, seed % 3 == 0);
      for (const ProjectionSpec& spec : specs) {
        const auto kept = *cache.get(fixture.view(), spec, nullptr);
        const auto built = *Projection::build(fixture.view(), spec, {});
        REQUIRE(kept->vertex_count() == built->vertex_count());
        for (Vertex vertex = 0; vertex < built->vertex_count(); ++vertex) {
          REQUIRE(kept->node(vertex) == built->node(vertex));
          CHECK(kept->vertex(built->node(vertex)) == vertex);
          CHECK(kept->out().degree(vertex) == built->out().degree(vertex));
        }
        CHECK(kept->edge_count() == built->edge_count());
        CHECK(steps_of(*kept) == steps_of(*built));
        CHECK(backward_of(*kept) == backward_of(*built));
        if (const auto before = held.find(spec); before != held.end()) CHECK(steps_of(*before->second.first) == before->second.second);
        held.erase(spec);
        if (round % 2 == 0) held.emplace(spec, std::pair(kept, steps_of(*kept)));
      }
    }
  }
}

TEST_CASE("one more edge is patched in, a node that goes is not") {
  GraphFixture fixture;
  RandomChanges changes(fixture, 1);
  const auto before = *Projection::build(fixture.view(), {}, {});
  ShapeChange added{ShapeChange::Kind::kEdgeAdded, false, 1000, before->node(0), before->node(1), changes.types[0]};
  const auto patched = patch_projection(*before, {added}, fixture.view());
  REQUIRE(patched.ok());
  REQUIRE(*patched != nullptr);
  CHECK((*patched)->edge_count() == before->edge_count() + 1);
  const ShapeChange removed{ShapeChange::Kind::kNodeRemoved, false, before->node(0).value(), {}, {}, {}};
  CHECK(*patch_projection(*before, {removed}, fixture.view()) == nullptr);
}

TEST_CASE("a vertex is found by its id, whether ids follow each other or not") {
  GraphFixture fixture;
  std::vector<NodeId> nodes;
  {
    GraphFixture::Transaction tx(fixture);
    for (int i = 0; i < 6; ++i) nodes.push_back(tx.node());
    tx.commit();
  }
  const auto check = [&](const Projection& graph) {
    CHECK(graph.vertex_count() == nodes.size());
    for (size_t i = 0; i < nodes.size(); ++i) CHECK(graph.vertex(nodes[i]) == static_cast<Vertex>(i));
    CHECK_FALSE(graph.vertex(NodeId(0)).has_value());
    CHECK_FALSE(graph.vertex(NodeId(nodes.back().value() + 1)).has_value());
  };
  const auto gapless = *Projection::build(fixture.view(), {}, {});
  check(*gapless);
  {
    GraphFixture::Transaction tx(fixture);
    REQUIRE(tx.writer.delete_node(nodes[2], DeleteRule::kRestrict).ok());
    tx.commit();
  }
  CHECK(gapless->vertex(nodes[2]) == Vertex{2});
  const NodeId deleted = nodes[2];
  nodes.erase(nodes.begin() + 2);
  const auto built = *Projection::build(fixture.view(), {}, {});
  check(*built);
  CHECK_FALSE(built->vertex(deleted).has_value());
  // The journal tells of a node behind a gap, near and then far.
  auto patched = built;
  for (const uint64_t gap : {1u, 3u, 1'000'000u}) {
    nodes.push_back(NodeId(nodes.back().value() + gap));
    patched = *patch_projection(*patched, {{ShapeChange::Kind::kNodePut, false, nodes.back().value(), {}, {}, {}}}, fixture.view());
    REQUIRE(patched != nullptr);
    check(*patched);
  }
}

TEST_CASE("a journal answers for what it keeps") {
  ShapeJournal journal;
  CHECK(journal.between(3, 3).has_value());
  CHECK_FALSE(journal.between(3, 4).has_value());
  for (uint64_t sequence = 5; sequence < 10; ++sequence) journal.add(sequence, {ShapeChange{.id = sequence}});
  CHECK_FALSE(journal.between(3, 9).has_value());
  CHECK_FALSE(journal.between(8, 10).has_value());
  REQUIRE(journal.between(4, 9).has_value());
  CHECK(journal.between(4, 9)->size() == 5);
  CHECK(journal.between(6, 8)->front().id == 7);
  journal.add(10, std::vector<ShapeChange>(1 << 18));
  CHECK_FALSE(journal.between(8, 10).has_value());
}
