#include "graph/key_format.h"

#include <doctest/doctest.h>

#include <random>

using namespace braid;

TEST_CASE("the marker sorts before every data key and equals none") {
  const std::string marker(kMarkerKey);
  CHECK(marker < node_key(NodeId(0)));
  CHECK(marker < head_key(NodeId(0), TypeId(0)));
  CHECK(marker < edge_block_key(EdgeId(0)));
  CHECK(marker < label_key(LabelId(0), NodeId(0)));
  CHECK(marker < index_prefix(IndexId(0), ""));
}

TEST_CASE("a head sorts before its sealed blocks, which sort by edge id") {
  const std::string head = head_key(NodeId(5), TypeId(2));
  CHECK(head < sealed_key(NodeId(5), TypeId(2), EdgeId(0)));
  CHECK(sealed_key(NodeId(5), TypeId(2), EdgeId(255)) <
        sealed_key(NodeId(5), TypeId(2), EdgeId(256)));
  CHECK(sealed_key(NodeId(5), TypeId(2), EdgeId(UINT64_MAX)) < head_key(NodeId(5), TypeId(3)));
}

TEST_CASE("keys are read back as they were made") {
  NodeId node;
  REQUIRE(parse_node_key(node_key(NodeId(77)), node));
  CHECK(node == NodeId(77));
  AdjacencyKey adjacency;
  REQUIRE(parse_adjacency_key(sealed_key(NodeId(1), TypeId(2), EdgeId(3)), adjacency));
  CHECK_FALSE(adjacency.is_head);
  CHECK(adjacency.first == EdgeId(3));
  REQUIRE(parse_adjacency_key(head_key(NodeId(1), TypeId(2)), adjacency));
  CHECK(adjacency.is_head);
  EdgeId first;
  REQUIRE(parse_edge_block_key(edge_block_key(EdgeId(35)), first));
  CHECK(first == EdgeId(32));
  LabelId label;
  REQUIRE(parse_label_key(label_key(LabelId(4), NodeId(5)), label, node));
  CHECK(label == LabelId(4));
  CHECK(node == NodeId(5));
}

TEST_CASE("keys of random bytes are refused or read, never more") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 10000; ++round) {
    std::string key(random() % 24, '\0');
    for (char& byte : key) byte = static_cast<char>(random());
    NodeId node;
    EdgeId edge;
    LabelId label;
    AdjacencyKey adjacency;
    IndexKey index;
    FamilyMarker marker;
    parse_node_key(key, node);
    parse_edge_block_key(key, edge);
    parse_label_key(key, label, node);
    parse_adjacency_key(key, adjacency);
    parse_index_key(key, index);
    decode_marker(key, marker);
  }
}

TEST_CASE("the limit of a prefix is above every key with it and not above the next") {
  CHECK(prefix_limit("ab") == "ac");
  CHECK(prefix_limit("a\xff") == "b");
  CHECK(prefix_limit("\xff\xff").empty());
}
