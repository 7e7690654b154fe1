// DOT, the language of Graphviz. Properties become attributes with "p." before their names: a
// property named "shape" or "image" must not be taken for Graphviz's own.
#include <fmt/format.h>

#include "cli/graph_writer.h"
#include "cli/node_caption.h"
#include "cli/picture.h"

namespace braid::cli {

namespace {

using nlohmann::json;

constexpr int kLabelColumnsMax = 60;

/// A quoted string whose escapes Graphviz takes back: a backslash is doubled, so that none before
/// the quote keeps it open.
std::string dot_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (c != '\r' && c != '\0') {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string attributes_of(std::string_view properties) {
  std::string text;
  const json parsed = json::parse(properties, nullptr, false);
  for (const auto& item : parsed.items()) {
    text += fmt::format(", {}={}", dot_text("p." + item.key()), dot_text(value_text(item.value())));
  }
  return text;
}

class DotWriter final : public GraphWriter {
 public:
  DotWriter(OutputFile* file, const Session& session, const std::string& caption)
      : file_(*file), captions_(session, caption) {}

  Done begin() override {
    file_.write(
        "digraph braid {\n  node [shape=box, style=\"rounded,filled\", fillcolor=\"#eef3f8\", "
        "fontname=\"Helvetica\"];\n"
        "  edge [fontname=\"Helvetica\", fontsize=10];\n");
    return std::nullopt;
  }
  Done write(const GraphNode& node) override {
    const std::vector<std::string> labels = label_names(node);
    Outcome<std::string> caption =
        captions_.caption(node.id, labels, json::parse(node.properties, nullptr, false));
    if (!caption.ok()) return caption.failure();
    std::string joined;
    for (const std::string& label : labels) joined += ":" + label;
    file_.write(fmt::format("  n{} [label={}, labels={}{}];\n", node.id,
                            dot_text(shortened(*caption, kLabelColumnsMax)), dot_text(joined),
                            attributes_of(node.properties)));
    return std::nullopt;
  }
  Done write(const GraphEdge& edge) override {
    file_.write(fmt::format("  n{} -> n{} [label={}, id=\"e{}\"{}];\n", edge.source, edge.target,
                            dot_text(shortened(edge.type, kLabelColumnsMax)), edge.id,
                            attributes_of(edge.properties)));
    return std::nullopt;
  }
  void end() override { file_.write("}\n"); }

 private:
  OutputFile& file_;
  NodeCaptions captions_;
};

}  // namespace

std::unique_ptr<GraphWriter> make_dot_writer(OutputFile* file, const Session& session,
                                             const std::string& caption) {
  return std::make_unique<DotWriter>(file, session, caption);
}

}  // namespace braid::cli
