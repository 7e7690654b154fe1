#include "graph/graph_view.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

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

namespace {

using Hits = std::vector<IndexHit>;

Hits scan_all(const GraphView& view, IndexId index, const IndexRange& range, size_t step) {
  Hits all;
  for (size_t before = SIZE_MAX; before != all.size();) {
    before = all.size();
    const Hits last = all.empty() ? Hits() : Hits{all.back()};
    REQUIRE(view.scan_index(index, range, last.empty() ? nullptr : &last.front(), step, all).ok());
    CHECK(all.size() - before <= step);
  }
  return all;
}

}  // namespace

TEST_CASE("an index is scanned by ranges of values, up and down, with staged changes on top") {
  GraphFixture graph;
  std::mt19937_64 random(11);
  Transaction load(graph);
  const LabelId label = load.label("l");
  const KeyId key = load.key("k");
  const IndexId other = *load.writer.create_index(false, load.label("m").value(), key, false);
  const IndexId index = *load.writer.create_index(false, label.value(), key, false);
  const IndexId after = *load.writer.create_index(false, load.label("n").value(), key, false);
  std::map<uint64_t, std::string> model;  // encoded value by node
  const auto value = [&] { return PropertyValue{static_cast<int64_t>(random() % 60)}; };
  const auto encoded = [](const PropertyValue& of) { return *encode_index_value(of); };
  const auto add = [&](Transaction& tx) {
    const PropertyValue given = value();
    model[tx.node({label}, {{key, given}}).value()] = encoded(given);
  };
  for (int i = 0; i < 100; ++i) add(load);
  load.node({load.label("m")}, {{key, {int64_t{5}}}});
  load.node({load.label("n")}, {{key, {int64_t{5}}}});
  load.commit();

  Transaction tx(graph);
  for (int i = 0; i < 30; ++i) add(tx);
  for (int i = 0; i < 30; ++i) {
    const auto victim = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
    if (i % 2 == 0) {
      REQUIRE(tx.writer.delete_node(NodeId(victim->first), DeleteRule::kRestrict).ok());
      model.erase(victim);
      continue;
    }
    const PropertyValue given = value();
    REQUIRE(tx.writer.update_node(NodeId(victim->first), {label}, {{key, given}}).ok());
    victim->second = encoded(given);
  }
  const GraphView view = tx.writer.view();
  for (int round = 0; round < 200; ++round) {
    const IndexRange range{.lower = encoded(value()), .upper = encoded(value()), .descending = round % 2 == 1};
    Hits wanted;
    for (const auto& [id, bytes] : model) {
      if (bytes >= range.lower && bytes < range.upper) wanted.push_back({bytes, id});
    }
    std::sort(wanted.begin(), wanted.end(), [](const IndexHit& a, const IndexHit& b) {
      return std::tie(a.value, a.id) < std::tie(b.value, b.id);
    });
    if (range.descending) std::reverse(wanted.begin(), wanted.end());
    CHECK(scan_all(view, index, range, 1 + random() % 9) == wanted);
  }
  const auto [lower, upper] = index_value_limits(IndexValueKind::kNumber);
  CHECK(scan_all(view, index, {.lower = lower, .upper = upper, .descending = true}, 7).size() == model.size());
  CHECK(scan_all(view, other, {.lower = lower, .upper = upper}, 7).size() == 1);
  CHECK(scan_all(view, after, {.lower = lower, .upper = upper, .descending = true}, 7).size() == 1);
  // What was committed before is not touched by what is staged.
  CHECK(scan_all(graph.view(), index, {.lower = lower, .upper = upper}, 7).size() == 100);
}
