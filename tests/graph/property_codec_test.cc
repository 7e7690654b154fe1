#include <doctest/doctest.h>

#include <random>

#include "graph/node_format.h"
#include "graph/property.h"
#include "tests/graph/random_value.h"

using namespace braid;

TEST_CASE("random properties are the same after encoding and decoding") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    const Properties properties = random_properties(random);
    const auto decoded = decode_properties(encode_properties(properties));
    REQUIRE(decoded.ok());
    CHECK(*decoded == properties);
  }
}

TEST_CASE("damaged property bytes are refused or decode, never more") {
  std::mt19937_64 random(2);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = encode_properties(random_properties(random));
    for (int hits = 0; hits < 3; ++hits)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 2 == 0) bytes.resize(random() % (bytes.size() + 1));
    const auto decoded = decode_properties(bytes);
    if (!decoded.ok()) {
      CHECK(decoded.status().code() == StatusCode::kCorrupt);
      ++refused;
    }
    Node node;
    decode_node(bytes, node).ignore();
  }
  CHECK(refused > 1000);
}

TEST_CASE("bytes that claim huge counts or deep nesting are refused") {
  CHECK_FALSE(decode_properties(std::string("\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9)).ok());
  std::string deep("\1\1", 2);  // one property, key 1
  for (int level = 0; level < 100000; ++level) deep += std::string("\x08\x01", 2);
  deep += '\0';
  CHECK_FALSE(decode_properties(deep).ok());
}

TEST_CASE("a top-level null and keys out of order are damage") {
  CHECK_FALSE(decode_properties(std::string("\1\1\0", 3)).ok());
  CHECK_FALSE(decode_properties(std::string("\2\2\1\1\1", 5)).ok());
  CHECK(decode_properties(std::string("\2\1\1\2\1", 5)).ok());
}

TEST_CASE("a node's labels and properties are the same after encoding and decoding") {
  const Properties properties = {{KeyId(3), PropertyValue{int64_t{-5}}}};
  Node node;
  REQUIRE(decode_node(encode_node({LabelId(1), LabelId(70000)}, properties), node).ok());
  CHECK(node.labels == std::vector<LabelId>{LabelId(1), LabelId(70000)});
  CHECK(node.properties == properties);
  CHECK_FALSE(decode_node(encode_node({LabelId(2), LabelId(1)}, {}), node).ok());
}

TEST_CASE("find_property finds by key") {
  const Properties properties = {{KeyId(2), PropertyValue{true}}, {KeyId(5), PropertyValue{false}}};
  REQUIRE(find_property(properties, KeyId(5)) != nullptr);
  CHECK(*find_property(properties, KeyId(5)) == PropertyValue{false});
  CHECK(find_property(properties, KeyId(3)) == nullptr);
}
