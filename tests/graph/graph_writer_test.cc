#include "graph/graph_writer.h"

#include <doctest/doctest.h>

#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

using Transaction = GraphFixture::Transaction;

PropertyValue text(const char* value) { return {std::string(value)}; }

std::vector<NodeId> found_nodes(const GraphView& view, IndexId index, const PropertyValue& value) {
  std::vector<NodeId> ids;
  REQUIRE(view.find_nodes(index, value, ids).ok());
  return ids;
}

}  // namespace

TEST_CASE("a transaction reads its own writes and others see them after publish") {
  GraphFixture graph;
  Transaction tx(graph);
  const LabelId person = tx.label("person");
  const NodeId a = tx.node({person}, {{tx.key("name"), text("ann")}});
  const NodeId b = tx.node();
  const EdgeId edge = tx.edge(a, tx.type("knows"), b);
  const GraphView own = tx.writer.view();
  CHECK((*own.node(a))->labels == std::vector<LabelId>{person});
  CHECK((*own.edge(edge))->target == b);
  CHECK_FALSE((*graph.view().node(a)).has_value());
  tx.commit();
  CHECK((*graph.view().node(a))->properties.front().second == text("ann"));
  CHECK((*graph.view().edge(edge))->source == a);
  CHECK(*graph.view().degree(a, Direction::kOut, std::nullopt) == 1);
  CHECK(graph.problems().empty());
}

TEST_CASE("an edge with a missing end is refused and leaves no trace") {
  GraphFixture graph;
  Transaction tx(graph);
  const NodeId a = tx.node();
  const uint64_t before = tx.writer.staged_bytes();
  const auto edge = tx.writer.create_edge(a, tx.type("t"), NodeId(99), {});
  CHECK(edge.status().code() == StatusCode::kConstraint);
  CHECK(edge.status().message().find("node 99") != std::string::npos);
  CHECK(edge.status().message().find("target") != std::string::npos);
  CHECK(tx.writer.create_edge(NodeId(98), tx.type("t"), a, {}).status().message().find("source") !=
        std::string::npos);
  CHECK(tx.writer.staged_bytes() == before);
}

TEST_CASE("deleting a node restricts or detaches") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId type = tx.type("t");
  const NodeId a = tx.node(), b = tx.node();
  tx.edge(a, type, b);
  tx.edge(b, type, a);
  tx.edge(a, type, a);
  const Status restricted = tx.writer.delete_node(a, DeleteRule::kRestrict);
  CHECK(restricted.code() == StatusCode::kConstraint);
  CHECK(restricted.message().find("3 edges") != std::string::npos);
  CHECK(tx.writer.delete_node(a, DeleteRule::kDetach).ok());
  CHECK(tx.writer.delete_node(a, DeleteRule::kDetach).code() == StatusCode::kNotFound);
  CHECK(*tx.writer.view().degree(b, Direction::kBoth, std::nullopt) == 0);
  CHECK(tx.writer.delete_node(b, DeleteRule::kRestrict).ok());
  tx.commit();
  CHECK(graph.contents(*graph.newest).empty());
}

TEST_CASE("a self loop appears once per direction and parallel edges each") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId type = tx.type("t"), other = tx.type("u");
  const NodeId a = tx.node(), b = tx.node();
  const EdgeId loop = tx.edge(a, type, a);
  const EdgeId first = tx.edge(a, other, b), second = tx.edge(a, type, b);
  tx.commit();
  std::vector<Neighbor> both;
  REQUIRE(graph.view().neighbors(a, Direction::kBoth, std::nullopt, 100, both).ok());
  REQUIRE(both.size() == 4);
  CHECK(both[0].edge == loop);
  CHECK(both[1].edge == second);
  CHECK(both[2].edge == first);
  CHECK(both[3].edge == loop);
  CHECK(both[3].direction == Direction::kIn);
  std::vector<Neighbor> typed;
  REQUIRE(graph.view().neighbors(a, Direction::kOut, other, 100, typed).ok());
  CHECK(node_ids(typed) == std::vector<NodeId>{b});
  both.clear();
  REQUIRE(graph.view().neighbors(a, Direction::kBoth, std::nullopt, 2, both).ok());
  CHECK(both.size() == 2);
}

TEST_CASE("a unique index sees committed and staged values, and ignores missing ones") {
  GraphFixture graph;
  Transaction first(graph);
  const LabelId person = first.label("person");
  const KeyId name = first.key("name");
  const auto index = first.writer.create_index(false, person.value(), name, true);
  REQUIRE(index.ok());
  const NodeId ann = first.node({person}, {{name, text("ann")}});
  first.node({person});
  first.node({person}, {{name, {}}});
  first.node({}, {{name, text("ann")}});
  first.commit();
  Transaction tx(graph);
  const auto again = tx.writer.create_node({person}, {{name, text("ann")}});
  CHECK(again.status().code() == StatusCode::kConstraint);
  CHECK(again.status().message().find("\"name\"") != std::string::npos);
  CHECK(again.status().message().find("\"person\"") != std::string::npos);
  const NodeId bob = tx.node({person}, {{name, text("bob")}});
  CHECK_FALSE(tx.writer.create_node({person}, {{name, text("bob")}}).ok());
  CHECK(tx.writer.update_node(bob, {person}, {{name, text("ann")}}).code() ==
        StatusCode::kConstraint);
  CHECK(tx.writer.update_node(bob, {person}, {{name, text("bob")}}).ok());
  CHECK(tx.writer.update_node(ann, {person}, {{name, text("eve")}}).ok());
  CHECK(tx.writer.update_node(bob, {person}, {{name, text("ann")}}).ok());
  CHECK(found_nodes(tx.writer.view(), *index, text("ann")) == std::vector<NodeId>{bob});
  CHECK(found_nodes(graph.view(), *index, text("ann")) == std::vector<NodeId>{ann});
  tx.commit();
  CHECK(found_nodes(graph.view(), *index, text("eve")) == std::vector<NodeId>{ann});
  CHECK(graph.problems().empty());
}

TEST_CASE("index entries follow labels, values and deletion") {
  GraphFixture graph;
  Transaction tx(graph);
  const LabelId a = tx.label("a"), b = tx.label("b");
  const KeyId key = tx.key("k");
  const IndexId index = *tx.writer.create_index(false, a.value(), key, false);
  const NodeId x = tx.node({a}, {{key, {int64_t{1}}}}), y = tx.node({a, b}, {{key, {1.0}}});
  CHECK(found_nodes(tx.writer.view(), index, {int64_t{1}}) == std::vector<NodeId>{x, y});
  REQUIRE(tx.writer.update_node(y, {b}, {{key, {1.0}}}).ok());
  CHECK(found_nodes(tx.writer.view(), index, {int64_t{1}}) == std::vector<NodeId>{x});
  REQUIRE(tx.writer.delete_node(x, DeleteRule::kRestrict).ok());
  CHECK(found_nodes(tx.writer.view(), index, {int64_t{1}}).empty());
  const auto list = tx.writer.create_node({a}, {{key, {PropertyList()}}});
  CHECK(list.status().code() == StatusCode::kConstraint);
  CHECK(list.status().message().find("\"k\"") != std::string::npos);
  CHECK(tx.writer.create_node({a}, {{key, {std::string(9000, 'x')}}}).status().code() ==
        StatusCode::kConstraint);
  tx.commit();
  CHECK(graph.problems().empty());
}

TEST_CASE("an index is built over what is there and dropped with its entries") {
  GraphFixture graph;
  std::optional<Transaction> loading(graph);
  Transaction& load = *loading;
  const LabelId label = load.label("a");
  const TypeId type = load.type("t");
  const KeyId key = load.key("k");
  const NodeId first = load.node({label}, {{key, {int64_t{1}}}});
  const NodeId second = load.node({label}, {{key, {int64_t{1}}}});
  const EdgeId edge = load.edge(first, type, second, {{key, text("e")}});
  load.commit();
  loading.reset();
  std::optional<Transaction> indexing(graph);
  Transaction& tx = *indexing;
  const auto unique = tx.writer.create_index(false, label.value(), key, true);
  CHECK(unique.status().code() == StatusCode::kConstraint);
  CHECK(unique.status().message().find("nodes 1 and 2") != std::string::npos);
  CHECK(tx.names.state().indexes.empty());
  const auto plain = tx.writer.create_index(false, label.value(), key, false);
  REQUIRE(plain.ok());
  CHECK(*tx.writer.create_index(false, label.value(), key, false) == *plain);
  CHECK(tx.writer.create_index(false, label.value(), key, true).status().code() ==
        StatusCode::kConstraint);
  const auto edges = tx.writer.create_index(true, type.value(), key, true);
  REQUIRE(edges.ok());
  CHECK(tx.writer.create_edge(first, type, first, {{key, text("e")}}).status().code() ==
        StatusCode::kConstraint);
  tx.commit();
  indexing.reset();
  std::vector<EdgeId> ids;
  REQUIRE(graph.view().find_edges(*edges, text("e"), ids).ok());
  CHECK(ids == std::vector<EdgeId>{edge});
  CHECK(found_nodes(graph.view(), *plain, {int64_t{1}}) == std::vector<NodeId>{first, second});
  CHECK(graph.problems().empty());
  {
    Transaction drop(graph);
    REQUIRE(drop.writer.drop_index(*plain).ok());
    CHECK(drop.writer.drop_index(*plain).code() == StatusCode::kNotFound);
    drop.commit();
    CHECK(found_nodes(graph.view(), *plain, {int64_t{1}}).empty());
    CHECK(graph.problems().empty());
  }
  graph.reopen_and_replay();
  CHECK(graph.problems().empty());
}

TEST_CASE("rolling back to a mark undoes values, counters and changes") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId type = tx.type("t");
  const NodeId a = tx.node();
  const uint64_t mark = tx.writer.mark();
  const NodeId b = tx.node();
  tx.edge(a, type, b);
  const uint64_t inner = tx.writer.mark();
  tx.edge(a, type, a);
  tx.writer.rollback_to(inner);
  CHECK(*tx.writer.view().degree(a, Direction::kOut, type) == 1);
  tx.edge(a, type, b);
  tx.writer.rollback_to(inner);
  CHECK(*tx.writer.view().degree(a, Direction::kOut, type) == 1);
  tx.writer.rollback_to(mark);
  CHECK_FALSE(*tx.writer.view().node_exists(b));
  CHECK(*tx.writer.view().degree(a, Direction::kOut, type) == 0);
  CommitRecord record;
  tx.writer.take_changes(record);
  CHECK(record.graph.nodes.size() == 1);
  CHECK(record.graph.edges.empty());
  CHECK(record.graph.next_node == NodeId(2));
}

TEST_CASE("changes are taken per member of a group and a rollback reaches behind a taking") {
  GraphFixture graph;
  Transaction tx(graph);
  const uint64_t start = tx.writer.mark();
  tx.node();
  CommitRecord first;
  tx.writer.take_changes(first);
  CHECK(first.graph.nodes.size() == 1);
  const uint64_t member = tx.writer.mark();
  tx.node();
  tx.writer.rollback_to(member);
  tx.node();
  tx.node();
  CommitRecord second;
  tx.writer.take_changes(second);
  CHECK(second.graph.nodes.size() == 2);
  tx.writer.rollback_to(start);
  tx.node();
  CommitRecord third;
  tx.writer.take_changes(third);
  CHECK(third.graph.nodes.size() == 1);
  CHECK(third.graph.nodes.front().id == NodeId(1));
}

TEST_CASE("of a member that is undone after its changes were taken no shape is left") {
  GraphFixture graph;
  Transaction tx(graph);
  const NodeId a = tx.node();
  CommitRecord first;
  tx.writer.take_changes(first);
  const uint64_t member = tx.writer.mark();
  tx.edge(a, tx.type("t"), a);
  CommitRecord second;
  tx.writer.take_changes(second);
  CHECK(tx.writer.shape().size() == 2);
  tx.writer.rollback_to(member);
  REQUIRE(tx.writer.shape().size() == 1);
  CHECK(tx.writer.shape().front().kind == ShapeChange::Kind::kMany);
}

TEST_CASE("many marks without changes cost nothing") {
  GraphFixture graph;
  Transaction tx(graph);
  tx.node();
  const uint64_t before = tx.writer.mark();
  const uint64_t bytes = tx.writer.staged_bytes();
  for (int i = 0; i < 1000; ++i) CHECK(tx.writer.mark() == before);
  CHECK(tx.writer.staged_bytes() == bytes);
}

TEST_CASE("properties given twice or too long are refused") {
  GraphFixture graph;
  Transaction tx(graph);
  const KeyId key = tx.key("k");
  CHECK(tx.writer.create_node({}, {{key, {true}}, {key, {false}}}).status().code() ==
        StatusCode::kInvalidArgument);
  CHECK(tx.writer.create_node({}, {{key, {std::string(17 << 20, 'x')}}}).status().code() ==
        StatusCode::kLimit);
}

TEST_CASE("a bulk load stays under 300 staged bytes an edge") {
  GraphFixture graph;
  Transaction tx(graph);
  const TypeId type = tx.type("t");
  std::vector<NodeId> nodes;
  for (int i = 0; i < 10000; ++i) nodes.push_back(tx.node());
  const uint64_t before = tx.writer.staged_bytes();
  tx.writer.mark();
  uint64_t state = 1;
  auto pick = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return nodes[(state >> 33) % nodes.size()];
  };
  for (int i = 0; i < 100000; ++i) tx.edge(pick(), type, pick());
  CHECK((tx.writer.staged_bytes() - before) / 100000 < 300);
}
