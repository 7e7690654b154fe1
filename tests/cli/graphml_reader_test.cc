#include "cli/graphml_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace braid::cli;

namespace {

/// Hands out a text in pieces of a given size.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string text, size_t piece) : text_(std::move(text)), piece_(piece) {}
  Outcome<std::string_view> read() override {
    const std::string_view bytes = std::string_view(text_).substr(at_, piece_);
    at_ += bytes.size();
    return bytes;
  }

 private:
  const std::string text_;
  const size_t piece_;
  size_t at_ = 0;
};

struct Read {
  std::vector<GraphmlItem> items;
  std::string error;
};

Read read(const std::string& text, size_t piece = 1024) {
  TextSource source(text, piece);
  GraphmlReader reader(source);
  Read result;
  Done done = reader.read([&](const GraphmlItem& item) -> Done {
    result.items.push_back(item);
    return std::nullopt;
  });
  if (done.has_value()) result.error = done->message;
  return result;
}

std::string graph(const std::string& keys, const std::string& body) {
  return "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" "
         "xmlns:braid=\"urn:braid:graphml\" "
         "xmlns:y=\"http://www.yworks.com/xml/graphml\">" +
         keys + "<graph edgedefault=\"directed\">\n" + body + "</graph></graphml>";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("values have the types of their keys, whatever the pieces of the file") {
  const std::string text = graph(
      "<key id=\"a\" for=\"node\" attr.name=\"n\" attr.type=\"long\"/><key id=\"b\" for=\"node\" "
      "attr.name=\"d\" attr.type=\"double\"/>"
      "<key id=\"c\" for=\"all\" attr.name=\"s\" attr.type=\"string\"/><key id=\"d\" for=\"node\" "
      "attr.name=\"t\" attr.type=\"boolean\"/>"
      "<key id=\"e\" for=\"edge\" attr.name=\"w\" attr.type=\"int\"/>",
      "<node id=\"1\" labels=\":A:B\\:C\"><data key=\"a\"> 7 </data><data key=\"b\">2</data><data "
      "key=\"c\">x &lt; y&#10;</data>"
      "<data key=\"d\">true</data></node><node id=\"2\"/>"
      "<edge id=\"e\" source=\"1\" target=\"2\" label=\"T\"><data key=\"e\">3</data><data "
      "key=\"c\" braid:type=\"json\">[1,{\"k\":null}]</data></edge>");
  for (const size_t piece : {size_t{1}, size_t{7}, text.size()}) {
    const Read result = read(text, piece);
    CHECK(result.error.empty());
    REQUIRE(result.items.size() == 3);
    CHECK(result.items[0].labels == std::vector<std::string>{"A", "B:C"});
    CHECK(result.items[0].properties == R"({"d":2.0,"n":7,"s":"x < y\n","t":true})");
    CHECK(result.items[1].labels.empty());
    CHECK(result.items[1].properties == "{}");
    CHECK(result.items[2].edge);
    CHECK(result.items[2].type == "T");
    CHECK(result.items[2].source == "1");
    CHECK(result.items[2].properties == R"({"s":[1,{"k":null}],"w":3})");
  }
}

TEST_CASE("Neo4j repeats labels and types as data; NetworkX keeps only those") {
  const Read neo4j =
      read(graph("<key id=\"labels\" for=\"node\" attr.name=\"labels\"/><key id=\"label\" "
                 "for=\"edge\" attr.name=\"label\"/>",
                 "<node id=\"n0\" labels=\":P\"><data key=\"labels\">:P</data></node>"
                 "<edge id=\"e0\" source=\"n0\" target=\"n0\" label=\"KNOWS\"><data "
                 "key=\"label\">KNOWS</data></edge>"));
  REQUIRE(neo4j.items.size() == 2);
  CHECK(neo4j.items[0].properties == "{}");
  CHECK(neo4j.items[1].properties == "{}");
  const Read networkx =
      read(graph("<key id=\"d0\" for=\"node\" attr.name=\"labels\" attr.type=\"string\"/><key "
                 "id=\"d1\" for=\"edge\" attr.name=\"label\"/>",
                 "<node id=\"n0\"><data key=\"d0\">:P:Q</data></node><edge source=\"n0\" "
                 "target=\"n0\"><data key=\"d1\">KNOWS</data></edge>"));
  REQUIRE(networkx.items.size() == 2);
  CHECK(networkx.items[0].labels == std::vector<std::string>{"P", "Q"});
  CHECK(networkx.items[1].type == "KNOWS");
  CHECK(networkx.items[1].properties == "{}");
}

TEST_CASE(
    "yEd's captions are read out of what it draws, also of nodes within nodes; defaults are filled "
    "in") {
  const Read result = read(graph(
      "<key id=\"d5\" for=\"node\" yfiles.type=\"nodegraphics\"/><key id=\"d9\" for=\"edge\" "
      "yfiles.type=\"edgegraphics\"/>"
      "<key id=\"d6\" for=\"node\" attr.name=\"size\" attr.type=\"int\"><default>4</default></key>",
      "<node id=\"n0\"><data key=\"d5\"><y:ShapeNode><y:Geometry height=\"3\"/>  <y:NodeLabel>Pump "
      "7</y:NodeLabel></y:ShapeNode></data>"
      "<graph><node id=\"n0::n0\"><data key=\"d6\">5</data></node></graph></node>"
      "<edge source=\"n0\" target=\"n0::n0\"><data "
      "key=\"d9\"><y:EdgeLabel>feeds</y:EdgeLabel></data></edge>"));
  CHECK(result.error.empty());
  REQUIRE(result.items.size() == 3);
  CHECK(result.items[0].id == "n0::n0");
  CHECK(result.items[0].properties == R"({"size":5})");
  CHECK(result.items[1].properties == R"({"label":"Pump 7","size":4})");
  CHECK(result.items[2].properties == R"({"label":"feeds"})");
  CHECK(result.items[2].type.empty());
}

TEST_CASE("what is wrong is told with its line") {
  const std::string keys = "<key id=\"a\" for=\"node\" attr.name=\"n\" attr.type=\"long\"/>";
  CHECK(has(
      read(graph(keys, "<node id=\"1\"/>\n<node id=\"2\"><data key=\"a\">x</data></node>")).error,
      "line 3: n: 'x' is not of the type long"));
  CHECK(has(
      read(graph(keys, "<node id=\"1\"><data key=\"a\">99999999999999999999</data></node>")).error,
      "line 2: n"));
  const std::string real = "<key id=\"a\" for=\"node\" attr.name=\"n\" attr.type=\"double\"/>";
  for (const char* number : {"NaN", "INF", "-INF", "nan", "inf", "Infinity", "1e999"}) {
    const std::string node = "<node id=\"1\"><data key=\"a\">" + std::string(number) + "</data></node>";
    CHECK(has(read(graph(real, node)).error, "' is not of the type double"));
  }
  CHECK(has(read(graph(keys, "<node id=\"1\"><data key=\"b\">1</data></node>")).error,
            "line 2: data has the key 'b'"));
  CHECK(has(read(graph(keys, "<node/>")).error, "line 2: a node has no id"));
  CHECK(has(read(graph(keys, "<edge source=\"1\"/>")).error,
            "line 2: an edge has no source or no target"));
  CHECK(has(read(graph(keys, "<hyperedge/>")).error, "line 2: hyperedges"));
  CHECK(has(read(graph(keys, "<node id=\"1\">")).error, "line 2: this is not XML: mismatched tag"));
  CHECK(has(
      read(graph(keys, "<node id=\"1\"><data key=\"a\" braid:type=\"date\">1</data></node>")).error,
      "'date' is no type"));
  CHECK(has(
      read(graph(keys, "<node id=\"1\"><data key=\"a\" braid:type=\"json\">{</data></node>")).error,
      "not of the type json"));
  CHECK(has(read("<svg/>").error, "line 1: this is not GraphML: it begins with <svg>"));
  CHECK(has(read("<graphml/>").error, "the file has no graph"));
  CHECK(has(read("").error, "this is not XML: no element found"));
  CHECK(has(read(std::string("<graphml>\0</graphml>", 20)).error, "this is not XML"));
}

TEST_CASE("entities are refused, and so is what is nested without end") {
  const std::string bomb =
      "<?xml version=\"1.0\"?><!DOCTYPE graphml [\n<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
      "\"&a;&a;&a;&a;&a;&a;\"> ]>"
      "<graphml><graph><node id=\"&b;\"/></graph></graphml>";
  CHECK(has(read(bomb).error, "line 2: entities are not read"));
  CHECK(has(read("<!DOCTYPE graphml [<!ENTITY x SYSTEM "
                 "\"file:///etc/passwd\">]><graphml><graph><node id=\"&x;\"/></graph></graphml>")
                .error,
            "entities are not read"));
  CHECK(read("<!DOCTYPE graphml SYSTEM \"graphml.dtd\"><graphml><graph><node "
             "id=\"1\"/></graph></graphml>")
            .items.size() == 1);
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "<graph><node id=\"" + std::to_string(i) + "\">";
  CHECK(has(read("<graphml>" + deep).error, "nested deeper than 200"));
}

TEST_CASE("reading stops where its visitor fails") {
  TextSource source(graph("", "<node id=\"1\"/>\n<node id=\"2\"/><node id=\"3\"/>"), 10);
  GraphmlReader reader(source);
  int count = 0;
  const Done done = reader.read([&](const GraphmlItem&) -> Done {
    if (++count < 2) return std::nullopt;
    return Failure{"enough"};
  });
  REQUIRE(done.has_value());
  CHECK(done->message == "line 3: enough");
  CHECK(count == 2);
}
