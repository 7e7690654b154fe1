#include "graph/pattern.h"

#include <doctest/doctest.h>

#include <random>

using namespace braid;

namespace {

Pattern parsed(std::string_view text) {
  auto pattern = parse_pattern(text);
  REQUIRE_MESSAGE(pattern.ok(), pattern.status().message());
  return pattern.take();
}

/// "a>b:T|U" for each edge, "a-b" for one of either direction; nodes by place.
std::string edges_of(const Pattern& pattern) {
  std::string out;
  for (const PatternEdge& edge : pattern.edges) {
    if (!out.empty()) out += ' ';
    out += std::to_string(edge.source) + (edge.directed ? ">" : "-") + std::to_string(edge.target);
    for (const std::string& type : edge.types) out += (&type == edge.types.data() ? ":" : "|") + type;
  }
  return out;
}

}  // namespace

TEST_CASE("the six kinds of edges have their directions") {
  CHECK(edges_of(parsed("(a)-[:T]->(b)")) == "0>1:T");
  CHECK(edges_of(parsed("(a)<-[:T]-(b)")) == "1>0:T");
  CHECK(edges_of(parsed("(a)-[:T]-(b)")) == "0-1:T");
  CHECK(edges_of(parsed("(a)-->(b)")) == "0>1");
  CHECK(edges_of(parsed("(a)<--(b)")) == "1>0");
  CHECK(edges_of(parsed("(a)--(b)")) == "0-1");
  CHECK(edges_of(parsed("(a)-[]->(b)")) == "0>1");
  CHECK(edges_of(parsed("( a ) - [ : T | U |:V ] - > ( b )")) == "0>1:T|U|V");
}

TEST_CASE("a name that stands twice is one node with what is said at both places") {
  const Pattern pattern = parsed("(a:Bus)-[:LINE]->(b)-->(a {kv: 110}), (b:Bus:Big {name: 'x'}), ()--()");
  REQUIRE(pattern.nodes.size() == 4);
  CHECK(edges_of(pattern) == "0>1:LINE 1>0 2-3");
  CHECK(pattern.nodes[0].labels == std::vector<std::string>{"Bus"});
  REQUIRE(pattern.nodes[0].properties.size() == 1);
  CHECK(pattern.nodes[0].properties[0].first == "kv");
  CHECK(pattern.nodes[1].labels == std::vector<std::string>{"Bus", "Big"});
  CHECK(pattern.nodes[2].name.empty());
}

TEST_CASE("values are numbers, text and truth, names may be quoted") {
  const Pattern pattern = parsed(
      "(`a ``b`:`Größe` {i: -12, r: 1.5e3, big: 9223372036854775807, t: 'it''s', d: \"say \"\"hi\"\"\", y: true, n:false, Länge: 0})");
  CHECK(pattern.nodes[0].name == "a `b");
  CHECK(pattern.nodes[0].labels == std::vector<std::string>{"Größe"});
  const auto& properties = pattern.nodes[0].properties;
  REQUIRE(properties.size() == 8);
  CHECK(properties[0].second == PropertyValue{int64_t{-12}});
  CHECK(properties[1].second == PropertyValue{1500.0});
  CHECK(properties[2].second == PropertyValue{INT64_MAX});
  CHECK(properties[3].second == PropertyValue{std::string("it's")});
  CHECK(properties[4].second == PropertyValue{std::string("say \"hi\"")});
  CHECK(properties[5].second == PropertyValue{true});
  CHECK(properties[6].second == PropertyValue{false});
  CHECK(properties[7].first == "Länge");
}

TEST_CASE("errors say at which byte what was expected") {
  constexpr std::pair<const char*, const char*> kWrong[] = {
      {"", "byte 0: expected '(' of a node, found the end"},
      {"   ", "byte 3: expected '(' of a node, found the end"},
      {"a", "byte 0: expected '(' of a node, found 'a'"},
      {"(", "byte 1: expected a name, ':', '{' or ')', found the end"},
      {"(5)", "byte 1: expected a name, ':', '{' or ')', found '5'"},
      {"(a", "byte 2: expected ':', '{' or ')', found the end"},
      {"(a b)", "byte 3: expected ':', '{' or ')', found 'b'"},
      {"(a:)", "byte 3: expected a label, found ')'"},
      {"(a:``)", "byte 3: expected a label, found '`'"},
      {"(a {})", "byte 4: expected the name of a property, found '}'"},
      {"(a {k})", "byte 5: expected ':', found '}'"},
      {"(a {k: })", "byte 7: expected a number, 'text', true or false, found '}'"},
      {"(a {k: null})", "byte 7: expected a number, 'text', true or false, found 'n'"},
      {"(a {k: truer})", "byte 7: expected a number, 'text', true or false, found 't'"},
      {"(a {k: inf})", "byte 7: expected a number, 'text', true or false, found 'i'"},
      {"(a {k: 1-2})", "byte 7: expected a number, 'text', true or false, found '1'"},
      {"(a {k: 'x)", "byte 10: expected ' to end what begins at byte 7, found the end"},
      {"(a {k: 1 j: 2})", "byte 9: expected ',' or '}', found 'j'"},
      {"(a {k: 1}", "byte 9: expected ')', found the end"},
      {"(a)(b)", "byte 3: expected an edge, ',' or the end, found '('"},
      {"(a);", "byte 3: expected an edge, ',' or the end, found ';'"},
      {"(a)é", "byte 3: expected an edge, ',' or the end, found 'é'"},
      {"(a),", "byte 4: expected '(' of a node, found the end"},
      {"(a)-(b)", "byte 4: expected '-', found '('"},
      {"(a)->(b)", "byte 4: expected '-', found '>'"},
      {"(a)--", "byte 5: expected '(' of a node, found the end"},
      {"(a)<-->(b)", "byte 6: expected '(' of a node, found '>'"},
      {"(a)-[r]-(b)", "byte 5: expected ':' and an edge type (edges have no names here), found 'r'"},
      {"(a)-[5]-(b)", "byte 5: expected ':' or ']', found '5'"},
      {"(a)-[:]-(b)", "byte 6: expected an edge type, found ']'"},
      {"(a)-[:T|]-(b)", "byte 8: expected an edge type, found ']'"},
      {"(a)-[:T*2]-(b)", "byte 7: expected '|' or ']', found '*'"},
      {"(a)-[:T](b)", "byte 8: expected '-', found '('"},
  };
  for (const auto& [wrong, message] : kWrong) {
    const std::string text = wrong;  // clang 14 captures no structured binding
    CAPTURE(text);
    const auto pattern = parse_pattern(text);
    CHECK(pattern.status().code() == StatusCode::kInvalidArgument);
    CHECK(pattern.status().message() == std::string("pattern, ") + message);
  }
}

TEST_CASE("a pattern has bounds") {
  const auto repeated = [](std::string_view first, std::string_view next, size_t count) {
    std::string text(first);
    for (size_t i = 0; i < count; ++i) text += next;
    return text;
  };
  CHECK(parsed(repeated("()", "--()", kPatternNodesMax - 1)).nodes.size() == kPatternNodesMax);
  CHECK(parse_pattern(repeated("()", "--()", kPatternNodesMax)).status().code() == StatusCode::kLimit);
  CHECK(parsed(repeated("(a)", "--(a)", kPatternEdgesMax)).nodes.size() == 1);
  CHECK(parse_pattern(repeated("(a)", "--(a)", kPatternEdgesMax + 1)).status().code() == StatusCode::kLimit);
  CHECK(parsed(repeated("(a", ":L", kPatternTermsMax) + ")").nodes.size() == 1);
  CHECK(parse_pattern(repeated("(a", ":L", kPatternTermsMax + 1) + ")").status().code() == StatusCode::kLimit);
}

TEST_CASE("no bytes make the parser fail but with an error") {
  constexpr std::string_view kPieces[] = {"(", ")", "a", ":", "B", "{", "}", "k", "'", "x'",    "1", "-",
                                          "[", "]", ">", "<", "|", ",", " ", "`", "\xc3", "true", "."};
  std::mt19937_64 random(7);
  size_t good = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (uint64_t left = random() % 12; left > 0; --left) text += kPieces[random() % std::size(kPieces)];
    const auto pattern = parse_pattern(text);
    good += pattern.ok() ? 1 : 0;
    if (!pattern.ok()) CHECK(!pattern.status().message().empty());
  }
  CHECK(good > 0);
}
