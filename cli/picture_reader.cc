#include "cli/picture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "cli/node_caption.h"

namespace braid::cli {

namespace {

using nlohmann::json;

constexpr int kCaptionColumnsMax = 26;
constexpr int kEdgeTextColumnsMax = 22;
constexpr int kDetailColumnsMax = 80;
constexpr size_t kDetailLinesMax = 16;
/// A type that more edges have is told by its colour only.
constexpr size_t kTypedEdgesMax = 30;

void add_properties(const json& properties, std::string* details) {
  size_t lines = 0;
  for (const auto& item : properties.items()) {
    if (++lines > kDetailLinesMax) {
      *details += "\n…";
      return;
    }
    *details += '\n' + shortened(item.key() + ": " + value_text(item.value()), kDetailColumnsMax);
  }
}

/// Index of a name in a list that counts, added if it is new.
size_t counted(const std::string& name, std::vector<std::pair<std::string, size_t>>* names) {
  auto found = std::find_if(names->begin(), names->end(),
                            [&](const auto& item) { return item.first == name; });
  if (found == names->end()) found = names->insert(names->end(), {name, 0});
  ++found->second;
  return static_cast<size_t>(found - names->begin());
}

class Reader {
 public:
  Reader(const Session& session, const GraphArguments& arguments, const GraphSelection& selection)
      : session_(session),
        arguments_(arguments),
        selection_(selection),
        captions_(session, arguments.caption) {}

  Done read() {
    CLI_TRY(selection_.visit_nodes([this](const GraphNode& node) { return add(node); }));
    if (picture().nodes.empty()) return Failure{"there is nothing to draw: no node was chosen"};
    CLI_TRY(selection_.visit_edges([this](const GraphEdge& edge) { return add(edge); }));
    choose_edge_texts();
    CLI_TRY(read_places());
    name_picture();
    return std::nullopt;
  }
  PictureReading take() { return std::move(reading_); }

 private:
  Picture& picture() { return reading_.picture; }

  Done add(const GraphNode& row) {
    const std::vector<std::string> labels = label_names(row);
    const json properties = json::parse(row.properties, nullptr, false);
    Outcome<std::string> caption = captions_.caption(row.id, labels, properties);
    if (!caption.ok()) return caption.failure();
    PictureNode node;
    node.id = row.id;
    node.caption = shortened(*caption, kCaptionColumnsMax);
    node.details = fmt::format("{} ({})", shortened(*caption, kDetailColumnsMax), row.id);
    for (const std::string& label : labels) node.details += " :" + label;
    add_properties(properties, &node.details);
    node.label = counted(labels.empty() ? "" : labels.front(), &picture().labels);
    node.start = std::binary_search(selection_.starts().begin(), selection_.starts().end(), row.id);
    node.width =
        std::max(kNodeHeight, text_width(node.caption, kNodeFontSize) * (node.start ? 1.1 : 1.0) +
                                  2 * kNodePadding);
    node.height = kNodeHeight;
    place_of_[row.id] = picture().nodes.size();
    picture().nodes.push_back(std::move(node));
    return std::nullopt;
  }

  Done add(const GraphEdge& row) {
    if (picture().edges.size() >= kPictureEdgesMax) {
      return Failure{fmt::format(
          "there are more than {} edges, too many for a picture: choose fewer nodes or a --type",
          kPictureEdgesMax)};
    }
    const json properties = json::parse(row.properties, nullptr, false);
    PictureEdge edge;
    edge.id = row.id;
    edge.source = place_of_.at(row.source);
    edge.target = place_of_.at(row.target);
    edge.type = counted(std::string(row.type), &picture().types);
    if (!arguments_.weight.empty()) {
      const auto weight = properties.find(arguments_.weight);
      if (weight != properties.end())
        edge.text = shortened(value_text(*weight), kEdgeTextColumnsMax);
    }
    edge.details =
        fmt::format("{} ({}): {} → {}", row.type, row.id, picture().nodes[edge.source].caption,
                    picture().nodes[edge.target].caption);
    add_properties(properties, &edge.details);
    if (edge.source == edge.target) ++picture().nodes[edge.source].loops;
    picture().edges.push_back(std::move(edge));
    return std::nullopt;
  }

  void choose_edge_texts() {
    for (PictureEdge& edge : picture().edges) {
      const auto& [name, count] = picture().types[edge.type];
      if (count > kTypedEdgesMax) continue;
      // A type that all edges have is said once, in the legend, when there is a weight to say.
      if (picture().types.size() == 1 && !edge.text.empty()) continue;
      const std::string type = shortened(name, kEdgeTextColumnsMax);
      edge.text = edge.text.empty() ? type : type + " " + edge.text;
    }
  }

  Done read_places() {
    const std::string nodes = ids_of(picture().nodes), edges = ids_of(picture().edges),
                      seed = fmt::format("{}", arguments_.seed);
    const std::array<std::string_view, 4> texts = {nodes, edges, arguments_.method, seed};
    size_t layered = 0;
    CLI_TRY(session_.query(
        "SELECT node, x, y, layer FROM graph_layout_of(?1, ?2, ?3) WHERE seed = CAST(?4 AS "
        "INTEGER)",
        texts, [&](braid_statement* row) {
          PictureNode& node = picture().nodes[place_of_.at(braid_column_int64(row, 0))];
          node.place = {braid_column_double(row, 1), braid_column_double(row, 2)};
          layered += braid_column_type(row, 3) == BRAID_TYPE_NULL ? 0 : 1;
        }));
    reading_.layered = layered == picture().nodes.size();
    return std::nullopt;
  }

  template <typename Item>
  static std::string ids_of(const std::vector<Item>& items) {
    std::string json = "[";
    for (const Item& item : items) json += fmt::format("{}{}", json.size() > 1 ? "," : "", item.id);
    return json + ']';
  }

  void name_picture() {
    std::string starts;
    for (const PictureNode& node : picture().nodes) {
      if (node.start) starts += (starts.empty() ? "" : ", ") + node.caption;
    }
    std::string title =
        starts.empty()
            ? ""
            : fmt::format("{} and what is within {} hop{} — ", shortened(starts, kDetailColumnsMax),
                          arguments_.hops, arguments_.hops == 1 ? "" : "s");
    const auto plural = [](size_t count, const char* what) {
      return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
    };
    picture().title = title + plural(picture().nodes.size(), "node") + ", " +
                      plural(picture().edges.size(), "edge");
  }

  const Session& session_;
  const GraphArguments& arguments_;
  const GraphSelection& selection_;
  NodeCaptions captions_;
  PictureReading reading_;
  std::unordered_map<int64_t, size_t> place_of_;  ///< index in nodes, by id
};

}  // namespace

Outcome<PictureReading> read_picture(const Session& session, const GraphArguments& arguments,
                                     const GraphSelection& selection) {
  Reader reader(session, arguments, selection);
  Done done = reader.read();
  if (done.has_value()) return *done;
  return reader.take();
}

}  // namespace braid::cli
