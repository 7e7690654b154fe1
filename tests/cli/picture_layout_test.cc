// What a person needs of a picture: nothing covers a node or a text. Random graphs with loops and
// parallel edges.
#include "cli/picture_layout.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "cli/svg_writer.h"

using namespace braid::cli;

namespace {

/// `layers` of 0 puts nodes anywhere, close together.
Picture random_picture(uint64_t seed, size_t nodes, size_t edges, size_t layers) {
  std::mt19937_64 random(seed);
  Picture picture;
  picture.labels = {{"A", nodes}};
  picture.types = {{"T", edges}};
  for (size_t i = 0; i < nodes; ++i) {
    PictureNode node;
    node.id = static_cast<int64_t>(i + 1);
    node.caption = std::string(1 + random() % 25, 'n');
    node.width = text_width(node.caption, kNodeFontSize) + 2 * kNodePadding;
    node.height = kNodeHeight;
    node.place = {static_cast<double>(random() % 1000) / 300,
                  static_cast<double>(random() % 1000) / 300};
    if (layers > 0) node.place = {static_cast<double>(i / layers), static_cast<double>(i % layers)};
    picture.nodes.push_back(node);
  }
  for (size_t i = 0; i < edges; ++i) {
    PictureEdge edge;
    edge.source = random() % nodes;
    edge.target = random() % 3 == 0 ? edge.source : random() % nodes;
    edge.text = "weight " + std::to_string(i);
    picture.nodes[edge.source].loops += edge.source == edge.target ? 1 : 0;
    picture.edges.push_back(edge);
  }
  return picture;
}

void draw(Picture* picture, bool layered) {
  place_nodes(picture, layered);
  route_edges(picture);
  place_edge_texts(picture);
}

}  // namespace

TEST_CASE("no node covers another, and no text a node or a text") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    for (const size_t layers : {0, 4}) {
      Picture picture = random_picture(seed, 10 + 3 * seed, 15 + 2 * seed, layers);
      draw(&picture, layers > 0);
      for (size_t i = 0; i < picture.nodes.size(); ++i) {
        for (size_t j = i + 1; j < picture.nodes.size(); ++j)
          CHECK(!picture.nodes[i].box().overlaps(picture.nodes[j].box()));
      }
      std::vector<PictureBox> texts;
      for (const PictureEdge& edge : picture.edges) {
        if (!edge.text_place.has_value()) continue;
        const PictureBox box = edge_text_box(edge, *edge.text_place);
        for (const PictureNode& node : picture.nodes) CHECK(!box.overlaps(node.box()));
        for (const PictureBox& other : texts) CHECK(!box.overlaps(other));
        texts.push_back(box);
      }
      CHECK(texts.size() * 10 >= picture.edges.size() * 8);
    }
  }
}

TEST_CASE("edges go from outline to outline, and parallel ones apart") {
  Picture picture = random_picture(1, 2, 0, 0);
  picture.nodes[0].place = {0, 0};
  picture.nodes[1].place = {3, 1};
  for (const auto& [source, target] :
       {std::pair<size_t, size_t>{0, 1}, {0, 1}, {1, 0}, {0, 0}, {0, 0}}) {
    PictureEdge edge;
    edge.source = source;
    edge.target = target;
    picture.nodes[source].loops += source == target ? 1 : 0;
    picture.edges.push_back(edge);
  }
  draw(&picture, false);
  for (size_t i = 0; i < picture.edges.size(); ++i) {
    const PictureEdge& edge = picture.edges[i];
    CHECK(picture.nodes[edge.source].box().grown(2).holds(edge.curve.from));
    CHECK(picture.nodes[edge.target].box().grown(3).holds(edge.curve.to));
    CHECK(!picture.nodes[edge.source].box().holds(edge.curve.at(0.5)));
    for (size_t j = i + 1; j < picture.edges.size(); ++j) {
      const PicturePoint a = edge.curve.at(0.5), b = picture.edges[j].curve.at(0.5);
      CHECK(std::hypot(a.x - b.x, a.y - b.y) > 8);
    }
  }
}

TEST_CASE("an edge goes around a node that is in its way") {
  Picture picture = random_picture(1, 3, 0, 0);
  for (size_t i = 0; i < 3; ++i) {
    picture.nodes[i].caption = "abc";
    picture.nodes[i].width = 40;
    picture.nodes[i].place = {static_cast<double>(i), 0};
  }
  PictureEdge edge;
  edge.source = 0;
  edge.target = 2;
  picture.edges.push_back(edge);
  draw(&picture, true);
  for (double t = 0; t <= 1; t += 0.01)
    CHECK(!picture.nodes[1].box().holds(picture.edges[0].curve.at(t)));
}

TEST_CASE("a picture is the same each time, and has its texts escaped") {
  Picture first = random_picture(3, 12, 20, 0), second = random_picture(3, 12, 20, 0);
  first.title = second.title = "a <b> & \"c\"";
  draw(&first, false);
  draw(&second, false);
  CHECK(svg_text(first) == svg_text(second));
  CHECK(svg_text(first).find("a &lt;b&gt; &amp; &quot;c&quot;") != std::string::npos);
}

TEST_CASE("a caption that is too long ends in an ellipsis, and has no control characters") {
  CHECK(shortened("short", 10) == "short");
  CHECK(shortened("exactly ten", 11) == "exactly ten");
  CHECK(shortened("a longer caption", 8) == "a longe…");
  CHECK(shortened("a\nb", 8) == "a b");
  CHECK(shortened("", 8).empty());
}
