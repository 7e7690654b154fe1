#include "graph/graph_store.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/graph/graph_fixture.h"
#include "tests/graph/graph_model.h"

using namespace braid;

namespace {

using Transaction = GraphFixture::Transaction;

/// Transactions of every kind, with a hub that is sealed and partly emptied again.
void fill(GraphFixture& graph, int transactions, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<NodeId> nodes;
  std::vector<EdgeId> edges;
  Transaction first(graph);
  const LabelId label = first.label("l");
  const TypeId type = first.type("t");
  const KeyId key = first.key("k");
  REQUIRE(first.writer.create_index(false, label.value(), key, false).ok());
  for (int i = 0; i < 10; ++i) nodes.push_back(first.node({label}, {{key, {int64_t{i}}}}));
  first.commit();
  for (int i = 0; i < transactions; ++i) {
    Transaction tx(graph);
    for (int j = 0; j < 12; ++j) {
      edges.push_back(tx.edge(nodes[random() % 2], type, nodes[random() % nodes.size()]));
      if (random() % 3 == 0) {
        const size_t victim = random() % edges.size();
        REQUIRE(tx.writer.delete_edge(edges[victim]).ok());
        edges.erase(edges.begin() + static_cast<std::ptrdiff_t>(victim));
      }
    }
    REQUIRE(tx.writer.update_node(nodes[random() % 10], {label}, {{key, {int64_t{i}}}}).ok());
    tx.commit();
  }
}

void put_marker(GraphFixture& graph, Family family, Lsn lsn) {
  auto handle = std::shared_ptr<RocksdbHandle>();
  std::vector<Family> created;
  auto opened =
      RocksdbHandle::open(graph.env, graph.directory / "graph", {1 << 20, 1 << 20}, created);
  REQUIRE(opened.ok());
  handle = opened.take();
  rocksdb::WriteBatch batch;
  REQUIRE(batch.Put(handle->family(family), std::string(kMarkerKey), encode_marker({lsn, 1})).ok());
  REQUIRE(handle->write(batch).ok());
  REQUIRE(handle->flush().ok());
}

}  // namespace

TEST_CASE("replaying all records into an empty store gives the published bytes") {
  GraphFixture graph;
  fill(graph, 200, 1);
  GraphFixture fresh;
  graph.replay_all(*fresh.store);
  CHECK(fresh.contents(*fresh.make_view()) == graph.contents(*graph.newest));
  const GraphCounters counters = static_cast<const GraphStoreView&>(*fresh.make_view()).counters();
  const GraphCounters wanted = static_cast<const GraphStoreView&>(*graph.newest).counters();
  CHECK(counters.next_edge == wanted.next_edge);
  CHECK(counters.next_node == wanted.next_node);
  CHECK(counters.least_removed == wanted.least_removed);
}

TEST_CASE("the least removed node is kept through commits, rollbacks, reopening and replay") {
  GraphFixture graph;
  const auto counters = [&] { return static_cast<const GraphStoreView&>(*graph.newest).counters(); };
  {
    GraphFixture::Transaction tx(graph);
    for (int i = 0; i < 5; ++i) tx.node();
    tx.commit();
  }
  CHECK(counters().gapless_limit() == NodeId(6));
  CHECK(counters().is_surely_node(NodeId(5)));
  CHECK_FALSE(counters().is_surely_node(NodeId(6)));
  CHECK_FALSE(counters().is_surely_node(NodeId(0)));
  {
    GraphFixture::Transaction tx(graph);
    const uint64_t mark = tx.writer.mark();
    REQUIRE(tx.writer.delete_node(NodeId(1), DeleteRule::kDetach).ok());
    tx.writer.rollback_to(mark);
    REQUIRE(tx.writer.delete_node(NodeId(4), DeleteRule::kDetach).ok());
    const NodeId gone = tx.node();
    REQUIRE(tx.writer.delete_node(gone, DeleteRule::kDetach).ok());
    CHECK_FALSE(*tx.writer.view().node_exists(NodeId(4)));
    CHECK_FALSE(*tx.writer.view().node_exists(gone));
    CHECK(*tx.writer.view().node_exists(NodeId(1)));
    tx.commit();
  }
  CHECK(counters().least_removed == NodeId(4));
  CHECK(counters().next_node == NodeId(7));
  graph.reopen_and_replay();
  CHECK(counters().least_removed == NodeId(4));
  CHECK_FALSE(*GraphView(graph.newest, nullptr).node_exists(NodeId(4)));
  CHECK_FALSE(*GraphView(graph.newest, nullptr).node_exists(NodeId(6)));
  CHECK(*GraphView(graph.newest, nullptr).node_exists(NodeId(5)));
  CHECK(graph.problems().empty());
  graph.checkpoint();
  graph.crash();
  graph.open();
  CHECK(counters().least_removed == NodeId(4));
}

TEST_CASE("replaying twice changes nothing") {
  GraphFixture graph;
  fill(graph, 50, 2);
  const auto before = graph.contents(*graph.newest);
  graph.replay_from(*graph.store, Lsn(0));
  CHECK(graph.contents(*graph.make_view()) == before);
}

TEST_CASE("a store that crashed at any point after a checkpoint is brought up to date") {
  for (int checkpoint_after : {0, 1, 20, 60}) {
    GraphFixture graph;
    fill(graph, checkpoint_after, 3);
    graph.checkpoint();
    const Lsn marker = graph.store->durable_marker();
    CHECK(marker.value() == graph.records.size());
    {
      Transaction tx(graph);
      const NodeId node = tx.node();
      tx.edge(node, tx.type("t"), node);
      tx.commit();
    }
    CHECK(graph.store->durable_marker() == marker);
    const auto published = graph.contents(*graph.newest);
    graph.reopen_and_replay();
    CHECK(graph.contents(*graph.newest) == published);
    CHECK(graph.problems().empty());
  }
}

TEST_CASE("families at different markers are each brought up to date") {
  GraphFixture graph;
  fill(graph, 30, 4);
  graph.checkpoint();
  fill(graph, 60, 5);
  for (const Family flushed : kFamilies) {
    // Only one family reaches the disk, as when its memory is full.
    auto* store = static_cast<GraphStore*>(graph.store.get());
    REQUIRE(store->flush_family(flushed).ok());
    const auto published = graph.contents(*graph.newest);
    CHECK(graph.store->durable_marker().value() < graph.records.size());
    graph.reopen_and_replay();
    CHECK(graph.contents(*graph.newest) == published);
    CHECK(graph.problems().empty());
  }
}

TEST_CASE("ids are not used again after recovery") {
  GraphFixture graph;
  {
    Transaction tx(graph);
    const NodeId a = tx.node(), b = tx.node();
    const EdgeId edge = tx.edge(a, tx.type("t"), b);
    REQUIRE(tx.writer.delete_edge(edge).ok());
    REQUIRE(tx.writer.delete_node(b, DeleteRule::kRestrict).ok());
    tx.commit();
  }
  for (const bool flushed : {false, true}) {
    if (flushed) graph.checkpoint();
    graph.reopen_and_replay();
    Transaction tx(graph);
    CHECK(tx.node() == NodeId(3));
    CHECK(tx.edge(NodeId(1), tx.type("t"), NodeId(1)) == EdgeId(2));
  }
}

TEST_CASE("a hub of many edges is read in order and taken apart") {
  constexpr uint64_t kEdges = 300'000;
  GraphFixture graph;
  NodeId hub, leaf;
  TypeId type;
  {
    Transaction tx(graph);
    hub = tx.node();
    leaf = tx.node();
    type = tx.type("t");
    for (uint64_t i = 0; i < kEdges; ++i) tx.edge(hub, type, i % 2 == 0 ? leaf : hub);
    tx.commit();
  }
  for (const auto asked : {std::optional<TypeId>(type), std::optional<TypeId>()}) {
    std::vector<Neighbor> neighbors;
    REQUIRE(graph.view().neighbors(hub, Direction::kOut, asked, SIZE_MAX, neighbors).ok());
    REQUIRE(neighbors.size() == kEdges);
    for (uint64_t i = 0; i < kEdges; ++i) REQUIRE(neighbors[i].edge == EdgeId(i + 1));
  }
  {
    Transaction tx(graph);
    for (uint64_t id = 1; id <= kEdges; id += 2) REQUIRE(tx.writer.delete_edge(EdgeId(id)).ok());
    tx.commit();
  }
  CHECK(*graph.view().degree(hub, Direction::kOut, type) == kEdges / 2);
  CHECK(graph.contents(*graph.newest).size() < kEdges / 12);
  {
    Transaction tx(graph);
    REQUIRE(tx.writer.delete_node(hub, DeleteRule::kDetach).ok());
    REQUIRE(tx.writer.delete_node(leaf, DeleteRule::kRestrict).ok());
    tx.commit();
  }
  CHECK(graph.contents(*graph.newest).empty());
}

TEST_CASE("a family that was lost is noticed at open") {
  GraphFixture graph;
  fill(graph, 3, 6);
  graph.checkpoint();
  graph.crash();
  {
    std::vector<Family> created;
    auto handle =
        RocksdbHandle::open(graph.env, graph.directory / "graph", {1 << 20, 1 << 20}, created);
    REQUIRE(handle.ok());
    REQUIRE((*handle)->db().DropColumnFamily((*handle)->family(Family::kLabel)).ok());
  }
  const auto opened = open_graph_store(graph.env, graph.catalog, graph.directory / "graph", {});
  CHECK(opened.status().code() == StatusCode::kCorrupt);
  CHECK(opened.status().message().find("label") != std::string::npos);
}

TEST_CASE("a transaction of many megabytes is published and replayed") {
  GraphFixture graph;
  {
    Transaction tx(graph);
    const KeyId key = tx.key("k");
    const TypeId type = tx.type("t");
    const NodeId node = tx.node({}, {{key, {std::string(12 << 20, 'x')}}});
    tx.node({}, {{key, {std::string(12 << 20, 'y')}}});
    for (int i = 0; i < 6; ++i) tx.edge(node, type, node, {{key, {std::string(3 << 20, 'z')}}});
    tx.commit();
  }
  const auto published = graph.contents(*graph.newest);
  CHECK(graph.problems().empty());
  graph.reopen_and_replay();
  CHECK(graph.contents(*graph.newest) == published);
  graph.checkpoint();
  CHECK(graph.store->durable_marker() == Lsn(1));
}

TEST_CASE("records at or below a family's marker are skipped") {
  GraphFixture graph;
  Transaction tx(graph);
  tx.node({tx.label("l")});
  tx.commit();
  GraphFixture ahead;
  ahead.crash();
  put_marker(ahead, Family::kLabel, Lsn(1));
  ahead.open();
  graph.replay_from(*ahead.store, Lsn(0));
  const auto contents = ahead.contents(*ahead.make_view());
  CHECK(contents.size() == 1);
  CHECK(contents.begin()->first.starts_with("node/"));
}

TEST_CASE("a checkpoint moves every family's durable marker, with and without changes") {
  GraphFixture graph;
  CHECK(graph.store->durable_marker() == Lsn(0));
  fill(graph, 2, 7);
  CHECK(graph.store->durable_marker() == Lsn(0));
  graph.checkpoint();
  CHECK(graph.store->durable_marker().value() == graph.records.size());
  graph.records.emplace_back();  // a commit of rows only
  graph.checkpoint();
  CHECK(graph.store->durable_marker().value() == graph.records.size());
}

TEST_CASE("figures have names, units and sane values") {
  GraphFixture graph;
  fill(graph, 20, 8);
  graph.checkpoint();
  for (const StoreFigure& figure : graph.store->figures()) {
    CAPTURE(figure.name);
    CHECK(figure.name.starts_with("graph_"));
    CHECK_FALSE(figure.unit.empty());
    CHECK(figure.value >= 0);
    if (figure.name == "graph_nodes_estimate") CHECK(figure.value == 10);
  }
}

// RocksDB's own estimate was 0 after opening.
TEST_CASE("the number of nodes is estimated after reopening too") {
  GraphFixture graph;
  fill(graph, 20, 8);
  graph.checkpoint();
  graph.reopen_and_replay();
  for (const StoreFigure& figure : graph.store->figures())
    if (figure.name == "graph_nodes_estimate") CHECK(figure.value == 10);
}
