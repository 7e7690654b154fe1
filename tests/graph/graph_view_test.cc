#include "graph/graph_view.h"

#include <doctest/doctest.h>

#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {
using Transaction = GraphFixture::Transaction;
}

TEST_CASE("a view is not changed by later publishes") {
  GraphFixture graph;
  Transaction first(graph);
  const TypeId type = first.type("t");
  const NodeId a = first.node({first.label("l")});
  first.edge(a, type, a);
  first.commit();
  const GraphView old = graph.view();
  Transaction second(graph);
  second.edge(a, type, a);
  second.node();
  second.commit();
  graph.checkpoint();
  CHECK(*old.degree(a, Direction::kOut, type) == 1);
  std::vector<Node> nodes;
  REQUIRE(old.scan_nodes(NodeId(0), 10, nodes).ok());
  CHECK(nodes.size() == 1);
  CHECK(*graph.view().degree(a, Direction::kOut, type) == 2);
}

TEST_CASE("a view outlives its store") {
  GraphFixture graph;
  Transaction tx(graph);
  const NodeId a = tx.node();
  tx.commit();
  const GraphView view = graph.view();
  graph.crash();
  CHECK(*view.node_exists(a));
}

TEST_CASE("scans go on from where they were, in order, with staged changes on top") {
  GraphFixture graph;
  Transaction load(graph);
  const LabelId label = load.label("l");
  const TypeId type = load.type("t");
  std::vector<NodeId> nodes;
  for (int i = 0; i < 50; ++i) nodes.push_back(load.node({label}));
  for (int i = 0; i < 50; ++i) load.edge(nodes[static_cast<size_t>(i)], type, nodes[0]);
  load.commit();
  Transaction tx(graph);
  REQUIRE(tx.writer.delete_node(nodes[10], DeleteRule::kDetach).ok());
  tx.edge(tx.node({label}), type, nodes[1]);
  const GraphView view = tx.writer.view();
  std::vector<NodeId> by_label;
  std::vector<Node> all;
  std::vector<Edge> edges;
  for (size_t before = SIZE_MAX; before != by_label.size();) {
    before = by_label.size();
    REQUIRE(view.scan_label(label, before == 0 ? NodeId(0) : by_label.back(), 7, by_label).ok());
  }
  for (size_t before = SIZE_MAX; before != all.size();) {
    before = all.size();
    REQUIRE(view.scan_nodes(before == 0 ? NodeId(0) : all.back().id, 7, all).ok());
  }
  for (size_t before = SIZE_MAX; before != edges.size();) {
    before = edges.size();
    REQUIRE(view.scan_edges(before == 0 ? EdgeId(0) : edges.back().id, 7, edges).ok());
  }
  CHECK(by_label.size() == 50);
  CHECK(all.size() == 50);
  CHECK(edges.size() == 50);
  CHECK(std::is_sorted(by_label.begin(), by_label.end()));
  for (size_t i = 1; i < edges.size(); ++i) CHECK(edges[i - 1].id < edges[i].id);
}

TEST_CASE("a scan may change what it scans") {
  GraphFixture graph;
  Transaction tx(graph);
  const LabelId label = tx.label("l");
  for (int i = 0; i < 100; ++i) tx.node({label});
  const GraphView view = tx.writer.view();
  std::vector<NodeId> batch;
  NodeId after;
  int deleted = 0;
  do {
    batch.clear();
    REQUIRE(view.scan_label(label, after, 9, batch).ok());
    for (const NodeId id : batch) {
      REQUIRE(tx.writer.delete_node(id, DeleteRule::kRestrict).ok());
      ++deleted;
    }
    if (!batch.empty()) after = batch.back();
  } while (!batch.empty());
  CHECK(deleted == 100);
}

TEST_CASE("a view answers interrupted once the savepoint in which it was made is gone") {
  GraphFixture graph;
  Transaction tx(graph);
  const NodeId a = tx.node();
  const GraphView outer = tx.writer.view();
  const uint64_t mark = tx.writer.mark();
  const GraphView at_mark = tx.writer.view();
  const NodeId b = tx.node();
  const GraphView inner = tx.writer.view();
  tx.writer.rollback_to(mark);
  CHECK(inner.node(a).status().code() == StatusCode::kInterrupted);
  CHECK(*outer.node_exists(a));
  CHECK(*at_mark.node_exists(a));
  tx.node();
  tx.node();
  CHECK(inner.node(b).status().code() == StatusCode::kInterrupted);
  CHECK(*outer.node_exists(b));
}

TEST_CASE(
    "a view answers interrupted after its transaction was rolled back, and reads on after a "
    "commit") {
  GraphFixture graph;
  std::optional<GraphView> lost, kept;
  {
    Transaction tx(graph);
    tx.node();
    lost = tx.writer.view();
  }
  CHECK(lost->node(NodeId(1)).status().code() == StatusCode::kInterrupted);
  {
    Transaction tx(graph);
    tx.node();
    kept = tx.writer.view();
    tx.commit();
  }
  CHECK(*kept->node_exists(NodeId(1)));
}
