// {"nodes":[{"id","labels","properties"}],"edges":[{"id","source","target","type","properties"}]},
// one a line. Labels and properties come from the database as JSON and are passed on as they are.
#include <fmt/format.h>

#include "cli/graph_writer.h"
#include "cli/json_text.h"

namespace braid::cli {

namespace {

class GraphJsonWriter final : public GraphWriter {
 public:
  explicit GraphJsonWriter(OutputFile* file) : file_(*file) {}

  Done begin() override {
    file_.write("{\"nodes\":[");
    return std::nullopt;
  }
  Done write(const GraphNode& node) override {
    file_.write(fmt::format("{}\n{{\"id\":{},\"labels\":{},\"properties\":{}}}", first_ ? "" : ",",
                            node.id, node.labels, node.properties));
    first_ = false;
    return std::nullopt;
  }
  Done write(const GraphEdge& edge) override {
    begin_edges();
    std::string type;
    append_json_string(&type, edge.type);
    file_.write(
        fmt::format("{}\n{{\"id\":{},\"source\":{},\"target\":{},\"type\":{},\"properties\":{}}}",
                    first_ ? "" : ",", edge.id, edge.source, edge.target, type, edge.properties));
    first_ = false;
    return std::nullopt;
  }
  void end() override {
    begin_edges();
    file_.write("\n]}\n");
  }

 private:
  void begin_edges() {
    if (edges_begun_) return;
    edges_begun_ = first_ = true;
    file_.write("\n],\"edges\":[");
  }

  OutputFile& file_;
  bool first_ = true;
  bool edges_begun_ = false;
};

}  // namespace

std::unique_ptr<GraphWriter> make_graph_json_writer(OutputFile* file) {
  return std::make_unique<GraphJsonWriter>(file);
}

}  // namespace braid::cli
