// Each test plants one damage behind the store's back and asks for the sentence that names it.
#include "graph/graph_check.h"

#include <doctest/doctest.h>

#include "graph/adjacency_block.h"
#include "tests/graph/graph_fixture.h"

using namespace braid;

namespace {

/// Two nodes with labels and an indexed property, one edge of each kind.
struct Damaged {
  Damaged() {
    create();
    graph.checkpoint();
    REQUIRE(graph.problems().empty());
  }
  void create() {
    GraphFixture::Transaction tx(graph);
    label = tx.label("person");
    type = tx.type("knows");
    key = tx.key("name");
    index = *tx.writer.create_index(false, label.value(), key, true);
    a = tx.node({label}, {{key, {std::string("a")}}});
    b = tx.node({label}, {{key, {std::string("b")}}});
    edge = tx.edge(a, type, b);
    tx.commit();
  }

  void put(Family family, const std::string& at, const std::string& bytes) {
    change([&](rocksdb::WriteBatch& batch, auto* handle) { return batch.Put(handle, at, bytes); },
           family);
  }
  void remove(Family family, const std::string& at) {
    change([&](rocksdb::WriteBatch& batch, auto* handle) { return batch.Delete(handle, at); },
           family);
  }
  bool finds(std::string_view sentence) {
    const auto problems = graph.problems();
    CHECK_FALSE(problems.empty());
    for (const std::string& problem : problems) {
      if (problem.find(sentence) != std::string::npos) return true;
      MESSAGE(problem);
    }
    return false;
  }

  GraphFixture graph;
  LabelId label;
  TypeId type;
  KeyId key;
  IndexId index;
  NodeId a, b;
  EdgeId edge;

 private:
  template <typename Change>
  void change(Change&& change, Family family) {
    graph.crash();
    std::vector<Family> created;
    auto handle =
        RocksdbHandle::open(graph.env, graph.directory / "graph", {1 << 20, 1 << 20}, created);
    REQUIRE(handle.ok());
    rocksdb::WriteBatch batch;
    REQUIRE(change(batch, (*handle)->family(family)).ok());
    REQUIRE((*handle)->write(batch).ok());
    REQUIRE((*handle)->flush().ok());
    handle->reset();
    graph.open();
  }
};

}  // namespace

TEST_CASE("a lost node is found from its edges, its label and its index") {
  Damaged it;
  it.remove(Family::kNode, node_key(it.b));
  CHECK(it.finds("node 2 is missing, and no removal is noted of it"));
  CHECK(it.finds("edge 1 ends at node 2, which does not exist"));
  CHECK(it.finds("label \"person\" lists node 2, which does not exist"));
  CHECK(it.finds("index 1 lists node 2 under a value that it does not have"));
}

TEST_CASE("a lost edge block is found from both directions") {
  Damaged it;
  it.remove(Family::kEdge, edge_block_key(it.edge));
  CHECK(it.finds(
      "family out of node 1, type \"knows\", lists edge 1 to node 2, which does not exist"));
  CHECK(it.finds("family in of node 2"));
}

TEST_CASE("a lost adjacency block is found from the edge") {
  Damaged it;
  it.remove(Family::kIn, head_key(it.b, it.type));
  CHECK(it.finds("edge 1 is missing in family in of node 2"));
}

TEST_CASE("an adjacency entry to another node is found") {
  Damaged it;
  const AdjacencyEntry wrong{it.edge, it.a};
  it.put(Family::kOut, head_key(it.a, it.type), encode_adjacency_block(std::span(&wrong, 1), 1));
  CHECK(it.finds("which has other ends or another type"));
}

TEST_CASE("a wrong total of a list is found") {
  Damaged it;
  const AdjacencyEntry entry{it.edge, it.b};
  it.put(Family::kOut, head_key(it.a, it.type), encode_adjacency_block(std::span(&entry, 1), 2));
  CHECK(it.finds("has 1 entries and counts 2"));
}

TEST_CASE("label entries that disagree with nodes are found both ways") {
  Damaged it;
  it.remove(Family::kLabel, label_key(it.label, it.a));
  CHECK(it.finds("node 1 has label \"person\", which does not list it"));
  it.put(Family::kLabel, label_key(LabelId(7), it.b), "");
  CHECK(it.finds("lists node 2, which does not have it"));
}

TEST_CASE("index entries that disagree with nodes are found both ways, and duplicates") {
  Damaged it;
  const std::string value = *encode_index_value({std::string("a")});
  it.put(Family::kIndex, index_key(it.index, value, it.b.value()), "");
  CHECK(it.finds("unique index 1 lists node 2 under a value of another node"));
  CHECK(it.finds("index 1 lists node 2 under a value that it does not have"));
  it.remove(Family::kIndex, index_key(it.index, value, it.a.value()));
  CHECK(it.finds("node 1 is missing in index 1"));
  it.put(Family::kIndex, index_key(IndexId(9), value, 1), "");
  CHECK(it.finds("index 9 has entries and no definition"));
}

TEST_CASE("undecodable values and keys are found in every family") {
  for (const Family family : kFamilies) {
    CAPTURE(family_name(family));
    Damaged it;
    it.put(family, "strange", "strange value");
    CHECK(it.finds("the key is damaged"));
  }
  Damaged node;
  node.put(Family::kNode, node_key(node.a), "\xff\xff");
  CHECK(node.finds("node 1: the node's bytes are damaged"));
  Damaged edge;
  edge.put(Family::kEdge, edge_block_key(edge.edge), "\xff\xff");
  CHECK(edge.finds("the edge block is damaged"));
}

TEST_CASE("damage is answered by reads and writes, naming the key") {
  Damaged it;
  it.put(Family::kOut, head_key(it.a, it.type), "damaged");
  std::vector<Neighbor> out;
  const Status read = it.graph.view().neighbors(it.a, Direction::kOut, it.type, 10, out);
  CHECK(read.code() == StatusCode::kCorrupt);
  CHECK(read.message().find("family out") != std::string::npos);
  GraphFixture::Transaction tx(it.graph);
  const uint64_t before = tx.writer.staged_bytes();
  CHECK(tx.writer.create_edge(it.a, it.type, it.b, {}).status().code() == StatusCode::kCorrupt);
  CHECK(tx.writer.delete_node(it.a, DeleteRule::kDetach).code() == StatusCode::kCorrupt);
  CHECK(tx.writer.staged_bytes() == before);
  CommitRecord record;
  tx.writer.take_changes(record);
  CHECK(record.graph.empty());
}

TEST_CASE("the list of problems is bounded") {
  GraphFixture graph;
  {
    GraphFixture::Transaction tx(graph);
    for (int i = 0; i < 1500; ++i) tx.node();
    tx.commit();
  }
  graph.checkpoint();
  graph.crash();
  {
    std::vector<Family> created;
    auto handle =
        RocksdbHandle::open(graph.env, graph.directory / "graph", {1 << 20, 1 << 20}, created);
    REQUIRE(handle.ok());
    rocksdb::WriteBatch batch;
    for (uint64_t id = 1; id <= 1500; ++id) {
      REQUIRE(batch.Put((*handle)->family(Family::kNode), node_key(NodeId(id)), "x").ok());
    }
    REQUIRE((*handle)->write(batch).ok());
    REQUIRE((*handle)->flush().ok());
  }
  graph.open();
  CHECK(graph.problems().size() == kGraphProblemsMax + 1);
}
