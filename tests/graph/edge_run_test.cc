#include "graph/edge_run.h"

#include <algorithm>
#include <random>

#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

using Transaction = GraphFixture::Transaction;

struct Wanted {
  std::vector<NodeId> sources, targets;
  std::vector<Properties> properties;
};

/// Lists of some hundred edges at a few nodes, loops and parallel edges among them.
Wanted random_run(std::mt19937_64& random, size_t count, uint64_t nodes, KeyId key) {
  Wanted wanted;
  for (size_t i = 0; i < count; ++i) {
    wanted.sources.emplace_back(1 + (random() % 2 == 0 ? random() % 3 : random() % nodes));
    wanted.targets.emplace_back(1 + random() % nodes);
    wanted.properties.push_back(random() % 2 == 0 ? Properties() : Properties{{key, {static_cast<int64_t>(i)}}});
  }
  return wanted;
}

/// The same edges twice: at once in one store, one by one in the other.
void create(GraphFixture& at_once, GraphFixture& one_by_one, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (GraphFixture* graph : {&at_once, &one_by_one}) {
    Transaction tx(*graph);
    for (int i = 0; i < 40; ++i) tx.node();
    tx.commit();
  }
  for (const size_t count : {1u, 7u, 700u, 255u, 256u, 257u, 3000u}) {
    Transaction many(at_once), single(one_by_one);
    const TypeId type = many.type("t");
    REQUIRE(single.type("t") == type);
    const Wanted wanted = random_run(random, count, 40, many.key("k"));
    single.key("k");
    // Some edges are there already, in the same transaction.
    CHECK(many.edge(NodeId(1), type, NodeId(2)) == single.edge(NodeId(1), type, NodeId(2)));
    const bool plain = random() % 3 == 0;
    const auto first = many.writer.create_edges(type, wanted.sources, wanted.targets,
                                                plain ? std::vector<Properties>() : wanted.properties);
    REQUIRE(first.ok());
    for (size_t i = 0; i < count; ++i) {
      const EdgeId id = single.edge(wanted.sources[i], type, wanted.targets[i], plain ? Properties() : wanted.properties[i]);
      CHECK(id.value() == first->value() + i);
    }
    // What the transaction itself sees.
    for (uint64_t node = 1; node <= 40; ++node) {
      std::vector<Neighbor> a, b;
      REQUIRE(many.writer.view().neighbors(NodeId(node), Direction::kBoth, std::nullopt, SIZE_MAX, a).ok());
      REQUIRE(single.writer.view().neighbors(NodeId(node), Direction::kBoth, std::nullopt, SIZE_MAX, b).ok());
      REQUIRE(a.size() == b.size());
      for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].edge == b[i].edge);
    }
    if (count == 256) {
      REQUIRE(many.writer.delete_edge(EdgeId(first->value() + 9)).ok());
      REQUIRE(single.writer.delete_edge(EdgeId(first->value() + 9)).ok());
    }
    many.commit();
    single.commit();
  }
}

}  // namespace

TEST_CASE("edges created at once give the bytes of edges created one by one") {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    GraphFixture at_once, one_by_one;
    create(at_once, one_by_one, seed);
    CHECK(GraphFixture::contents(*at_once.newest) == GraphFixture::contents(*one_by_one.newest));
    CHECK(at_once.problems() == std::vector<std::string>());
  }
}

TEST_CASE("a run of edges is replayed after a crash, also into families that lag behind") {
  GraphFixture graph, other;
  create(graph, other, 3);
  const auto before = GraphFixture::contents(*graph.newest);
  graph.reopen_and_replay();
  CHECK(GraphFixture::contents(*graph.newest) == before);
  REQUIRE(static_cast<GraphStore&>(*graph.store).flush_family(Family::kIn).ok());
  graph.reopen_and_replay();
  CHECK(GraphFixture::contents(*graph.newest) == before);
  CHECK(graph.problems().empty());
}

TEST_CASE("a missing end refuses the whole run and names the node") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId type = tx.type("t");
  const NodeId a = tx.node(), b = tx.node();
  const std::vector<NodeId> good = {a, b, a}, bad = {b, NodeId(77), b};
  const auto refused = tx.writer.create_edges(type, good, bad, {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == StatusCode::kConstraint);
  CHECK(refused.status().message() == "edge 2 of 3, at index 1: the edge's target is missing: there is no node 77");
  CHECK(*tx.writer.view().degree(a, Direction::kBoth, std::nullopt) == 0);
  CHECK(tx.writer.create_edges(type, good, {}, {}).status().code() == StatusCode::kInvalidArgument);
  CHECK(tx.writer.create_edges(type, {}, {}, {}).status().code() == StatusCode::kInvalidArgument);
  CHECK(tx.edge(a, type, b) == EdgeId(1));
}

TEST_CASE("a run under an index keeps the index, and a value given twice undoes all of it") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId type = tx.type("t");
  const KeyId key = tx.key("k");
  const IndexId index = *tx.writer.create_index(true, type.value(), key, true);
  const std::vector<NodeId> nodes = {tx.node(), tx.node()};
  auto properties = [&](int64_t first, int64_t second) {
    return std::vector<Properties>{{{key, {first}}}, {{key, {second}}}};
  };
  REQUIRE(tx.writer.create_edges(type, nodes, nodes, properties(1, 2)).ok());
  std::vector<EdgeId> found;
  REQUIRE(tx.writer.view().find_edges(index, {int64_t{2}}, found).ok());
  CHECK(found == std::vector<EdgeId>{EdgeId(2)});
  CHECK(tx.writer.create_edges(type, nodes, nodes, properties(3, 1)).status().code() == StatusCode::kConstraint);
  CHECK(*tx.writer.view().degree(nodes[0], Direction::kOut, type) == 1);
  tx.commit();
  CHECK(graph.problems().empty());
}

TEST_CASE("a rolled back run leaves nothing") {
  GraphFixture graph, other;
  create(graph, other, 4);
  const auto before = GraphFixture::contents(*graph.newest);
  Transaction tx(graph);
  const TypeId type = tx.type("t");
  const EdgeId kept = tx.edge(NodeId(1), type, NodeId(2));
  const uint64_t mark = tx.writer.mark();
  const std::vector<NodeId> ends(1000, NodeId(1));
  REQUIRE(tx.writer.create_edges(type, ends, ends, {}).ok());
  tx.writer.rollback_to(mark);
  CHECK(tx.edge(NodeId(1), type, NodeId(3)).value() == kept.value() + 1);
  REQUIRE(tx.writer.delete_edge(kept).ok());
  REQUIRE(tx.writer.delete_edge(EdgeId(kept.value() + 1)).ok());
  tx.commit();
  CHECK(GraphFixture::contents(*graph.newest) == before);
}

TEST_CASE("damaged runs are refused") {
  std::mt19937_64 random(5);
  const Wanted wanted = random_run(random, 50, 40, KeyId(1));
  const std::string bytes = encode_edge_run({TypeId(1), EdgeId(9), wanted.sources, wanted.targets, {}});
  const auto decoded = DecodedEdgeRun::decode(TypeId(1), EdgeId(9), bytes);
  REQUIRE(decoded.ok());
  const EdgeRun run = decoded->run();
  CHECK(std::equal(run.sources.begin(), run.sources.end(), wanted.sources.begin(), wanted.sources.end()));
  CHECK(std::equal(run.targets.begin(), run.targets.end(), wanted.targets.begin(), wanted.targets.end()));
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(DecodedEdgeRun::decode(TypeId(1), EdgeId(9), bytes.substr(0, size)).ok());
  }
  CHECK_FALSE(DecodedEdgeRun::decode(TypeId(1), EdgeId(9), bytes + "x").ok());
  CHECK_FALSE(DecodedEdgeRun::decode(TypeId(1), EdgeId(UINT64_MAX - 3), bytes).ok());
}

TEST_CASE("nodes are ordered as a stable sort orders them") {
  std::mt19937_64 random(6);
  for (const uint64_t range : {uint64_t{1}, uint64_t{5}, uint64_t{3000}, uint64_t{1} << 40, UINT64_MAX}) {
    std::vector<NodeId> nodes;
    for (int i = 0; i < 5000; ++i) nodes.emplace_back(UINT64_MAX - range + random() % range);
    std::vector<uint32_t> expected(nodes.size());
    for (uint32_t i = 0; i < expected.size(); ++i) expected[i] = i;
    std::stable_sort(expected.begin(), expected.end(), [&](uint32_t a, uint32_t b) { return nodes[a] < nodes[b]; });
    CHECK(order_by_node(nodes) == expected);
  }
  CHECK(order_by_node({}).empty());
}
