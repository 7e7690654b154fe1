#include <fmt/format.h>

#include <map>

#include "cli/graph_writer.h"
#include "cli/graphml_format.h"
#include "cli/node_caption.h"
#include "cli/xml_text.h"

namespace braid::cli {

namespace {

using nlohmann::json;

/// What a value is by itself. Text that XML cannot write is written as JSON, which has escapes for
/// it.
GraphmlType type_of(const json& value) {
  switch (value.type()) {
    case json::value_t::boolean:
      return GraphmlType::kBoolean;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return GraphmlType::kLong;
    case json::value_t::number_float:
      return GraphmlType::kDouble;
    case json::value_t::string:
      return fits_xml(value.get_ref<const std::string&>()) ? GraphmlType::kString
                                                           : GraphmlType::kJson;
    default:
      return GraphmlType::kJson;
  }
}

/// JSON text in ASCII when its characters would not fit.
std::string text_of(const json& value, GraphmlType type) {
  if (type == GraphmlType::kString) return value.get<std::string>();
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return fits_xml(text) ? text : value.dump(-1, ' ', true, json::error_handler_t::replace);
}

/// The keys of nodes or of edges: ids by the order of names, types that hold all values where there
/// is one.
class Keys {
 public:
  Keys(const char* domain, char prefix) : domain_(domain), prefix_(prefix) {}

  Done survey(std::string_view properties) {
    const json parsed = json::parse(properties, nullptr, false);
    for (const auto& item : parsed.items()) {
      const GraphmlType type = declared(type_of(item.value()));
      const auto [found, added] = types_.try_emplace(item.key(), type);
      if (added && !fits_xml(item.key())) {
        return Failure{
            fmt::format("the name of the property {} has a character that XML cannot write",
                        json(item.key()).dump(-1, ' ', true))};
      }
      if (found->second != type) found->second = common(found->second, type);
    }
    return std::nullopt;
  }

  std::string declarations() {
    std::string xml;
    for (const auto& [name, type] : types_) {
      ids_[name] = fmt::format("{}{}", prefix_, ids_.size());
      xml += fmt::format("<key id=\"{}\" for=\"{}\" attr.name=\"{}\" attr.type=\"{}\"/>\n",
                         ids_[name], domain_, xml_text(name), graphml_type_name(type));
    }
    return xml;
  }

  void append_data(std::string_view properties, std::string* xml) const {
    const json parsed = json::parse(properties, nullptr, false);
    for (const auto& item : parsed.items()) {
      const GraphmlType type = type_of(item.value());
      *xml += fmt::format("<data key=\"{}\"", ids_.at(item.key()));
      if (type != types_.at(item.key()))
        *xml += fmt::format(" braid:type=\"{}\"", graphml_type_name(type));
      *xml += '>';
      append_xml(xml, text_of(item.value(), type));
      *xml += "</data>";
    }
  }

 private:
  /// GraphML has no type for what is JSON.
  static GraphmlType declared(GraphmlType type) {
    return type == GraphmlType::kJson ? GraphmlType::kString : type;
  }
  static GraphmlType common(GraphmlType a, GraphmlType b) {
    const auto number = [](GraphmlType type) {
      return type == GraphmlType::kLong || type == GraphmlType::kDouble;
    };
    return number(a) && number(b) ? GraphmlType::kDouble : GraphmlType::kString;
  }

  const char* domain_;
  const char prefix_;
  std::map<std::string, GraphmlType, std::less<>> types_;
  std::map<std::string, std::string, std::less<>> ids_;
};

class GraphmlWriter final : public GraphWriter {
 public:
  explicit GraphmlWriter(OutputFile* file) : file_(*file) {}

  bool wants_survey() const override { return true; }
  Done survey(const GraphNode& node) override { return nodes_.survey(node.properties); }
  Done survey(const GraphEdge& edge) override { return edges_.survey(edge.properties); }

  Done begin() override {
    file_.write(
        fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" xmlns:braid=\"{}\">\n"
                    "<key id=\"{}\" for=\"node\" attr.name=\"labels\" attr.type=\"string\"/>\n"
                    "<key id=\"{}\" for=\"edge\" attr.name=\"label\" attr.type=\"string\"/>\n",
                    kBraidNamespace, kLabelsKey, kTypeKey));
    file_.write(nodes_.declarations());
    file_.write(edges_.declarations());
    file_.write("<graph id=\"G\" edgedefault=\"directed\">\n");
    return std::nullopt;
  }

  Done write(const GraphNode& node) override {
    std::string labels;
    for (const std::string& label : label_names(node)) labels += ":" + escaped(label);
    if (!fits_xml(labels))
      return Failure{
          fmt::format("node {} has a label with a character that XML cannot write", node.id)};
    xml_ = fmt::format("<node id=\"n{}\"", node.id);
    if (!labels.empty())
      xml_ +=
          fmt::format(" labels=\"{0}\"><data key=\"{1}\">{0}</data>", xml_text(labels), kLabelsKey);
    if (labels.empty()) xml_ += '>';
    nodes_.append_data(node.properties, &xml_);
    xml_ += "</node>\n";
    file_.write(xml_);
    return std::nullopt;
  }

  Done write(const GraphEdge& edge) override {
    if (!fits_xml(edge.type))
      return Failure{
          fmt::format("edge {} has a type with a character that XML cannot write", edge.id)};
    xml_ = fmt::format(
        "<edge id=\"e{0}\" source=\"n{1}\" target=\"n{2}\" label=\"{3}\"><data "
        "key=\"{4}\">{3}</data>",
        edge.id, edge.source, edge.target, xml_text(edge.type), kTypeKey);
    edges_.append_data(edge.properties, &xml_);
    xml_ += "</edge>\n";
    file_.write(xml_);
    return std::nullopt;
  }

  void end() override { file_.write("</graph>\n</graphml>\n"); }

 private:
  /// Labels are separated by colons.
  static std::string escaped(const std::string& label) {
    std::string text;
    for (const char c : label) {
      if (c == ':' || c == '\\') text += '\\';
      text += c;
    }
    return text;
  }

  OutputFile& file_;
  Keys nodes_{"node", 'n'};
  Keys edges_{"edge", 'e'};
  std::string xml_;
};

}  // namespace

std::unique_ptr<GraphWriter> make_graphml_writer(OutputFile* file) {
  return std::make_unique<GraphmlWriter>(file);
}

}  // namespace braid::cli
