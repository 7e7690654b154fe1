#include "graph/removal_run.h"

#include <algorithm>
#include <random>

#include "graph/projection_patch.h"
#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

using Transaction = GraphFixture::Transaction;

constexpr uint64_t kNodes = 40;
constexpr NodeId kHub(1);

/// A hub whose lists span sealed blocks, with loops and parallel edges, of types with and without an index, beside edges that do not touch
/// it. Some edges are gone already, so that blocks have gaps.
void fill(GraphFixture& graph, uint64_t seed) {
  std::mt19937_64 random(seed);
  {
    Transaction tx(graph);
    for (uint64_t i = 0; i < kNodes; ++i) tx.node();
    REQUIRE(tx.writer.create_index(true, tx.type("indexed").value(), tx.key("k"), false).ok());
    tx.commit();
  }
  Transaction tx(graph);
  const KeyId key = tx.key("k");
  std::vector<EdgeId> edges;
  const struct {
    const char* type;
    size_t count;
  } parts[] = {{"many", 3000}, {"some", 300}, {"few", 31}, {"bound", 64}, {"indexed", 200}};
  for (const auto& [type, count] : parts) {
    for (size_t i = 0; i < count; ++i) {
      const NodeId other(random() % 12 == 0 ? 1 : 2 + (random() % 2 == 0 ? random() % 2 : random() % (kNodes - 1)));
      const NodeId end = random() % 5 == 0 ? NodeId(2 + random() % (kNodes - 1)) : kHub;
      const Properties properties = random() % 3 == 0 ? Properties{{key, {static_cast<int64_t>(i % 7)}}} : Properties();
      const bool leaves = random() % 3 != 0;
      edges.push_back(leaves ? tx.edge(end, tx.type(type), other, properties) : tx.edge(other, tx.type(type), end, properties));
    }
  }
  for (const EdgeId edge : edges) {
    if (random() % 9 == 0) REQUIRE(tx.writer.delete_edge(edge).ok());
  }
  tx.commit();
}

void detach(GraphWriter& writer, NodeId node) { REQUIRE(writer.delete_node(node, DeleteRule::kDetach).ok()); }

/// Edge by edge, then the node.
void delete_singly(GraphWriter& writer, NodeId node) {
  std::vector<Neighbor> steps;
  REQUIRE(writer.view().neighbors(node, Direction::kBoth, std::nullopt, SIZE_MAX, steps).ok());
  std::vector<EdgeId> edges;
  for (const Neighbor& step : steps) edges.push_back(step.edge);
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  for (const EdgeId edge : edges) REQUIRE(writer.delete_edge(edge).ok());
  REQUIRE(writer.delete_node(node, DeleteRule::kRestrict).ok());
}

struct Wanted {
  std::vector<EdgeId> edges;
  std::vector<NodeId> neighbors;
};

Wanted random_run(std::mt19937_64& random, size_t count) {
  Wanted wanted;
  uint64_t edge = 0;
  for (size_t i = 0; i < count; ++i) {
    wanted.edges.emplace_back(edge += 1 + random() % 300);
    wanted.neighbors.emplace_back(random() >> (random() % 64));
  }
  return wanted;
}

EdgeChange removal(bool outgoing, const Wanted& wanted) {
  EdgeChange change;
  change.kind = ChangeKind::kRemovalRun;
  change.type = TypeId(3);
  change.properties = encode_removal_run({TypeId(3), NodeId(7), outgoing, wanted.edges, wanted.neighbors});
  return change;
}

}  // namespace

TEST_CASE("a hub deleted at once leaves the bytes of a hub deleted edge by edge") {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    GraphFixture at_once, one_by_one;
    fill(at_once, seed);
    fill(one_by_one, seed);
    REQUIRE(GraphFixture::contents(*at_once.newest) == GraphFixture::contents(*one_by_one.newest));
    Transaction many(at_once), single(one_by_one);
    // Edges of the same transaction go too.
    for (Transaction* tx : {&many, &single}) {
      for (uint64_t i = 0; i < 100; ++i) tx->edge(kHub, tx->type("many"), NodeId(2 + i % 5));
    }
    detach(many.writer, kHub);
    delete_singly(single.writer, kHub);
    // What the transaction itself sees.
    for (uint64_t node = 1; node <= kNodes; ++node) {
      std::vector<Neighbor> a, b;
      REQUIRE(many.writer.view().neighbors(NodeId(node), Direction::kBoth, std::nullopt, SIZE_MAX, a).ok());
      REQUIRE(single.writer.view().neighbors(NodeId(node), Direction::kBoth, std::nullopt, SIZE_MAX, b).ok());
      REQUIRE(a.size() == b.size());
      for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].edge == b[i].edge);
    }
    // Another node, whose lists were changed by the first.
    detach(many.writer, NodeId(2));
    delete_singly(single.writer, NodeId(2));
    many.commit();
    single.commit();
    CHECK(GraphFixture::contents(*at_once.newest) == GraphFixture::contents(*one_by_one.newest));
    CHECK(at_once.problems() == std::vector<std::string>());
    CHECK(at_once.records.back().size() * 4 < one_by_one.records.back().size());
  }
}

TEST_CASE("a run of removals is replayed after a crash, also into families that lag behind") {
  for (const Family ahead : {Family::kOut, Family::kIn, Family::kEdge}) {
    CAPTURE(std::string(family_name(ahead)));
    GraphFixture graph;
    fill(graph, 6);
    graph.checkpoint();
    {
      Transaction tx(graph);
      detach(tx.writer, kHub);
      tx.commit();
    }
    const auto before = GraphFixture::contents(*graph.newest);
    graph.reopen_and_replay();
    CHECK(GraphFixture::contents(*graph.newest) == before);
    REQUIRE(static_cast<GraphStore&>(*graph.store).flush_family(ahead).ok());
    graph.reopen_and_replay();
    CHECK(GraphFixture::contents(*graph.newest) == before);
    CHECK(graph.problems().empty());
  }
}

TEST_CASE("a rolled back run of removals leaves all edges") {
  GraphFixture graph;
  fill(graph, 7);
  const auto before = GraphFixture::contents(*graph.newest);
  Transaction tx(graph);
  const EdgeId kept = tx.edge(kHub, tx.type("many"), NodeId(2));
  const uint64_t mark = tx.writer.mark();
  for (int round = 0; round < 2; ++round) {
    detach(tx.writer, kHub);
    CHECK_FALSE(*tx.writer.view().node_exists(kHub));
    tx.writer.rollback_to(mark);
    CHECK(*tx.writer.view().node_exists(kHub));
  }
  REQUIRE(tx.writer.delete_edge(kept).ok());
  tx.commit();
  CHECK(GraphFixture::contents(*graph.newest) == before);
  CHECK(graph.problems().empty());
}

TEST_CASE("lists that contradict each other are found and nothing is removed") {
  GraphFixture graph;
  {
    Transaction tx(graph);
    const NodeId hub = tx.node(), other = tx.node();
    const std::vector<NodeId> sources(50, hub), targets(50, other);
    REQUIRE(tx.writer.create_edges(tx.type("t"), sources, targets, {}).ok());
    tx.commit();
  }
  // A removal of edges that the other end does not list.
  const std::vector<EdgeId> edges = {EdgeId(1), EdgeId(99)};
  const std::vector<NodeId> neighbors = {NodeId(2), NodeId(2)};
  CommitRecord record;
  record.graph.next_node = NodeId(3);
  record.graph.next_edge = EdgeId(100);
  EdgeChange change;
  change.kind = ChangeKind::kRemovalRun;
  change.type = TypeId(1);
  change.properties = encode_removal_run({TypeId(1), NodeId(1), true, edges, neighbors});
  record.graph.edges.push_back(change);
  const auto before = GraphFixture::contents(*graph.newest);
  CHECK(graph.store->replay(record, Lsn(2)).code() == StatusCode::kCorrupt);
  record.graph.edges[0].properties.pop_back();
  CHECK(graph.store->replay(record, Lsn(2)).code() == StatusCode::kCorrupt);
  CHECK(GraphFixture::contents(*graph.make_view()) == before);
}

TEST_CASE("projections learn each removed edge, or that there were too many") {
  std::mt19937_64 random(8);
  const Wanted wanted = random_run(random, 50);
  for (const bool outgoing : {true, false}) {
    GraphChanges changes;
    changes.edges.push_back(removal(outgoing, wanted));
    std::vector<ShapeChange> shape;
    append_shape(changes, shape);
    REQUIRE(shape.size() == 50);
    for (size_t i = 0; i < 50; ++i) {
      CHECK(shape[i].kind == ShapeChange::Kind::kEdgeRemoved);
      CHECK(shape[i].id == wanted.edges[i].value());
      CHECK(shape[i].source == (outgoing ? NodeId(7) : wanted.neighbors[i]));
      CHECK(shape[i].target == (outgoing ? wanted.neighbors[i] : NodeId(7)));
      CHECK(shape[i].type == TypeId(3));
    }
  }
  GraphChanges changes;
  changes.edges.push_back(removal(true, random_run(random, kShapeChangesMax + 1)));
  std::vector<ShapeChange> shape;
  append_shape(changes, shape);
  REQUIRE(shape.size() == 1);
  CHECK(shape[0].kind == ShapeChange::Kind::kMany);
}

TEST_CASE("damaged runs of removals are refused") {
  std::mt19937_64 random(9);
  const Wanted wanted = random_run(random, 50);
  const std::string bytes = removal(false, wanted).properties;
  const auto decoded = DecodedRemovalRun::decode(TypeId(3), bytes);
  REQUIRE(decoded.ok());
  const RemovalRun run = decoded->run();
  CHECK(run.type == TypeId(3));
  CHECK(run.node == NodeId(7));
  CHECK_FALSE(run.outgoing);
  CHECK(std::equal(run.edges.begin(), run.edges.end(), wanted.edges.begin(), wanted.edges.end()));
  CHECK(std::equal(run.neighbors.begin(), run.neighbors.end(), wanted.neighbors.begin(), wanted.neighbors.end()));
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(DecodedRemovalRun::decode(TypeId(3), bytes.substr(0, size)).ok());
  }
  CHECK_FALSE(DecodedRemovalRun::decode(TypeId(3), bytes + "x").ok());
  // The same edge twice.
  const std::vector<EdgeId> twice = {EdgeId(5), EdgeId(5)};
  const std::vector<NodeId> neighbors = {NodeId(1), NodeId(2)};
  CHECK_FALSE(DecodedRemovalRun::decode(TypeId(3), encode_removal_run({TypeId(3), NodeId(7), true, twice, neighbors})).ok());
  for (int round = 0; round < 20000; ++round) {
    std::string hit = bytes;
    for (int hits = 0; hits < 2; ++hits) hit[random() % hit.size()] = static_cast<char>(random());
    const auto answer = DecodedRemovalRun::decode(TypeId(3), hit);
    if (!answer.ok()) continue;
    const RemovalRun other = answer->run();
    CHECK(std::is_sorted(other.edges.begin(), other.edges.end()));
    CHECK(other.edges.size() == other.neighbors.size());
  }
}
