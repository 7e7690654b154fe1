#include "cli/svg_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/picture_layout.h"
#include "cli/xml_text.h"

namespace braid::cli {

namespace {

constexpr const char* kBackground = "#fcfcfa";
constexpr double kMargin = 28;
constexpr double kTitleHeight = 34;
constexpr double kLegendRow = 20;
constexpr double kLegendFontSize = 11.5;
constexpr double kArrowLength = 8;
constexpr double kArrowHalf = 3.4;

struct NodeColours {
  const char* fill;
  const char* line;
};
// Light enough for dark text, and told apart by most people who see colours differently.
constexpr std::array<NodeColours, 10> kNodeColours = {{{"#cfe3f7", "#3f78b0"},
                                                       {"#fbdcb8", "#c27514"},
                                                       {"#cdebcb", "#3f8f46"},
                                                       {"#f6cfd3", "#bd4b57"},
                                                       {"#e2d6f1", "#7c5bab"},
                                                       {"#f7eaa8", "#9c8412"},
                                                       {"#c8ecea", "#2c8c88"},
                                                       {"#f8d3ea", "#b04d8d"},
                                                       {"#e4d7c8", "#86653d"},
                                                       {"#dcdfe4", "#666e7a"}}};
constexpr std::array<const char*, 8> kEdgeColours = {"#7a828e", "#b5651d", "#2f7d6b", "#8a4fa3",
                                                     "#b23a48", "#3b6fb0", "#7d7a12", "#a14a7f"};

const NodeColours& node_colours(size_t label) { return kNodeColours[label % kNodeColours.size()]; }
const char* edge_colour(size_t type) { return kEdgeColours[type % kEdgeColours.size()]; }

class SvgWriter {
 public:
  explicit SvgWriter(const Picture& picture) : picture_(picture) {}

  std::string write() {
    measure();
    begin();
    for (const PictureEdge& edge : picture_.edges) write_edge(edge);
    for (const PictureNode& node : picture_.nodes) write_node(node);
    // Texts last: nothing is drawn over them.
    for (const PictureEdge& edge : picture_.edges) write_edge_text(edge);
    text_ += "</g>\n";
    write_legend();
    text_ += "</svg>\n";
    return std::move(text_);
  }

 private:
  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  void reach(const PictureBox& box) {
    drawn_ = {std::min(drawn_.left, box.left), std::min(drawn_.top, box.top),
              std::max(drawn_.right, box.right), std::max(drawn_.bottom, box.bottom)};
  }

  void measure() {
    for (const PictureNode& node : picture_.nodes) reach(node.box().grown(4));
    for (const PictureEdge& edge : picture_.edges) {
      for (double t = 0; t <= 1; t += 0.1) {
        const PicturePoint point = edge.curve.at(t);
        reach(PictureBox{point.x, point.y, point.x, point.y}.grown(3));
      }
      if (!edge.text_place.has_value()) continue;
      reach(edge_text_box(edge, *edge.text_place));
    }
  }

  size_t legend_rows() const { return picture_.labels.size() + picture_.types.size(); }

  static std::string legend_text(const std::pair<std::string, size_t>& item, const char* without) {
    return fmt::format("{} ({})", item.first.empty() ? without : shortened(item.first, 40),
                       item.second);
  }

  double legend_width() const {
    double width = 0;
    for (const auto& label : picture_.labels)
      width = std::max(width, text_width(legend_text(label, "no label"), kLegendFontSize));
    for (const auto& type : picture_.types)
      width = std::max(width, text_width(legend_text(type, ""), kLegendFontSize));
    return width + 44;
  }

  void begin() {
    const double drawn_width = drawn_.right - drawn_.left,
                 drawn_height = drawn_.bottom - drawn_.top;
    legend_left_ = kMargin + drawn_width + kMargin;
    const double width = std::max(legend_left_ + legend_width() + kMargin / 2,
                                  text_width(picture_.title, 14) + 2 * kMargin);
    const double height =
        kTitleHeight + std::max(drawn_height + 2 * kMargin,
                                static_cast<double>(legend_rows()) * kLegendRow + 2 * kMargin);
    add("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n",
        width, height);
    add("<title>{}</title>\n", xml_text(picture_.title));
    add("<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n", kBackground);
    add("<text x=\"{:.0f}\" y=\"26\" font-size=\"14\" fill=\"#333a44\">{}</text>\n", kMargin,
        xml_text(picture_.title));
    add("<g transform=\"translate({:.1f} {:.1f})\">\n", kMargin - drawn_.left,
        kTitleHeight + kMargin - drawn_.top);
  }

  void write_edge(const PictureEdge& edge) {
    const char* colour = edge_colour(edge.type);
    const PictureCurve& whole = edge.curve;
    // The line ends inside the arrow's head, which points as the curve arrives.
    const PicturePoint tip = whole.to;
    const double length = std::max(std::hypot(whole.to.x - whole.from.x, whole.to.y - whole.from.y),
                                   4 * kArrowLength);
    const PictureCurve line = whole.between(0, 1 - 0.7 * kArrowLength / length);
    const PicturePoint before = whole.at(1 - kArrowLength / length);
    const double x = tip.x - before.x, y = tip.y - before.y,
                 size = std::max(std::hypot(x, y), 1e-6);
    const PicturePoint way = {x / size, y / size};
    const PicturePoint base = {tip.x - way.x * kArrowLength, tip.y - way.y * kArrowLength};
    add("<g><title>{}</title>", xml_text(edge.details));
    add("<path d=\"M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\" fill=\"none\" "
        "stroke=\"{}\" stroke-width=\"1.3\"/>",
        line.from.x, line.from.y, line.out.x, line.out.y, line.in.x, line.in.y, line.to.x,
        line.to.y, colour);
    add("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}Z\" fill=\"{}\"/></g>\n", tip.x, tip.y,
        base.x - way.y * kArrowHalf, base.y + way.x * kArrowHalf, base.x + way.y * kArrowHalf,
        base.y - way.x * kArrowHalf, colour);
  }

  void write_node(const PictureNode& node) {
    const PictureBox box = node.box();
    const NodeColours& colours = node_colours(node.label);
    add("<g><title>{}</title>", xml_text(node.details));
    if (node.start) {
      add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"15\" "
          "fill=\"{}\"/>",
          box.left - 4, box.top - 4, node.width + 8, node.height + 8, colours.line);
    }
    add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"12\" fill=\"{}\" "
        "stroke=\"{}\" stroke-width=\"{}\"/>",
        box.left, box.top, node.width, node.height, colours.fill,
        node.start ? kBackground : colours.line, node.start ? 1.5 : 1.2);
    add("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" text-anchor=\"middle\" "
        "fill=\"#1d232b\"{}>{}</text></g>\n",
        node.place.x, node.place.y + 4.2, kNodeFontSize, node.start ? " font-weight=\"bold\"" : "",
        xml_text(node.caption));
  }

  void write_edge_text(const PictureEdge& edge) {
    if (!edge.text_place.has_value()) return;
    const PictureBox box = edge_text_box(edge, *edge.text_place);
    add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
        "fill-opacity=\"0.88\"/>",
        box.left, box.top, box.right - box.left, box.bottom - box.top, kBackground);
    add("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" text-anchor=\"middle\" "
        "fill=\"{}\">{}</text>\n",
        edge.text_place->x, edge.text_place->y + 3.3, kEdgeFontSize, edge_colour(edge.type),
        xml_text(edge.text));
  }

  void write_legend() {
    add("<g font-size=\"{}\" fill=\"#333a44\">\n", kLegendFontSize);
    double y = kTitleHeight + kMargin + 6;
    for (size_t i = 0; i < picture_.labels.size(); ++i, y += kLegendRow) {
      add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"24\" height=\"13\" rx=\"6\" fill=\"{}\" "
          "stroke=\"{}\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
          legend_left_, y - 6.5, node_colours(i).fill, node_colours(i).line, legend_left_ + 32,
          y + 4, xml_text(legend_text(picture_.labels[i], "no label")));
    }
    for (size_t i = 0; i < picture_.types.size(); ++i, y += kLegendRow) {
      add("<path d=\"M{0:.1f} {1:.1f}h18\" stroke=\"{2}\" stroke-width=\"1.6\"/><path d=\"M{3:.1f} "
          "{1:.1f}l-8 -3.4v6.8z\" fill=\"{2}\"/>"
          "<text x=\"{4:.1f}\" y=\"{5:.1f}\">{6}</text>\n",
          legend_left_, y, edge_colour(i), legend_left_ + 24, legend_left_ + 32, y + 4,
          xml_text(legend_text(picture_.types[i], "")));
    }
    text_ += "</g>\n";
  }

  const Picture& picture_;
  PictureBox drawn_ = {1e300, 1e300, -1e300, -1e300};
  double legend_left_ = 0;
  std::string text_;
};

}  // namespace

std::string svg_text(const Picture& picture) { return SvgWriter(picture).write(); }

}  // namespace braid::cli
