#include "cli/graphml_reader.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/graphml_format.h"
#include "cli/json_text.h"
#include "cli/value_reader.h"

namespace braid::cli {

namespace {

using nlohmann::json;

constexpr size_t kDepthMax = 200;
constexpr size_t kTextBytesMax = 64 * 1024 * 1024;
constexpr size_t kBlockBytesMax = 1024 * 1024 * 1024;

/// The text as JSON; none when it is not of the type.
std::optional<json> value_of(std::string_view text, GraphmlType type) {
  std::string_view trimmed = text;
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!trimmed.empty() && is_space(trimmed.front())) trimmed.remove_prefix(1);
  while (!trimmed.empty() && is_space(trimmed.back())) trimmed.remove_suffix(1);
  switch (type) {
    case GraphmlType::kString:
      return json(text);
    case GraphmlType::kBoolean:
      if (const auto value = read_boolean(trimmed)) return json(*value);
      return std::nullopt;
    case GraphmlType::kLong:
      if (const auto value = read_integer(trimmed)) return json(*value);
      return std::nullopt;
    case GraphmlType::kDouble:
      // JSON, and so a property, has no infinite number and no NaN.
      if (const auto value = read_double(trimmed); value && std::isfinite(*value)) return json(*value);
      return std::nullopt;
    case GraphmlType::kJson: {
      // The depth is checked before it is built.
      if (!is_json(text)) return std::nullopt;
      json value = json::parse(text, nullptr, false);
      return value.is_discarded() ? std::nullopt : std::optional(std::move(value));
    }
  }
  return std::nullopt;
}

/// ":A:B" as labels; a backslash keeps a colon from dividing.
std::vector<std::string> labels_of(std::string_view text) {
  std::vector<std::string> labels;
  std::string label;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':') {
      if (!label.empty()) labels.push_back(std::move(label));
      label.clear();
      continue;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    label += text[i];
  }
  if (!label.empty()) labels.push_back(std::move(label));
  return labels;
}

}  // namespace

/// Expat's events as items. Names come with their namespace as "namespace|name".
class GraphmlReader::Parser {
 public:
  Parser() : expat_(XML_ParserCreateNS(nullptr, '|')) {
    if (expat_ == nullptr) return;
    // Safety: the parser lives in this object, which is not copied or moved.
    XML_SetUserData(expat_, this);
    XML_SetElementHandler(expat_, on_start, on_end);
    XML_SetCharacterDataHandler(expat_, on_text);
    XML_SetEntityDeclHandler(expat_, on_entity);
  }
  ~Parser() { XML_ParserFree(expat_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  Done feed(std::string_view bytes, bool last) {
    if (expat_ == nullptr) return Failure{"out of memory"};
    if (bytes.size() > kBlockBytesMax) return Failure{"the block is too large"};
    if (XML_Parse(expat_, bytes.data(), static_cast<int>(bytes.size()), last ? 1 : 0) ==
        XML_STATUS_OK)
      return std::nullopt;
    if (failure_.has_value()) return *failure_;
    return at_line(line(),
                   {fmt::format("this is not XML: {}", XML_ErrorString(XML_GetErrorCode(expat_)))});
  }
  bool found_graph() const { return found_graph_; }

  const std::function<Done(const GraphmlItem&)>* visit = nullptr;

 private:
  /// A <key>: what data of it means.
  struct Key {
    std::string name;
    std::string domain;  ///< node, edge, graph, all, ...
    GraphmlType type = GraphmlType::kString;
    bool drawing = false;  ///< yEd's: its text is in a NodeLabel or an EdgeLabel
    std::optional<std::string> fallback;

    bool is_for(bool edge) const {
      return domain == "all" || domain.empty() || domain == (edge ? "edge" : "node");
    }
  };

  using Attributes = const XML_Char**;

  /// An element that is open: a node or an edge with the data read so far.
  struct Open {
    GraphmlItem item;
    json properties = json::object();
    bool labels_given = false;
    std::vector<std::string> keys_seen;
  };

  static void XMLCALL on_start(void* parser, const XML_Char* name, Attributes attributes) {
    static_cast<Parser*>(parser)->start(name, attributes);
  }
  static void XMLCALL on_end(void* parser, const XML_Char* name) {
    static_cast<Parser*>(parser)->end(name);
  }
  static void XMLCALL on_text(void* parser, const XML_Char* text, int size) {
    static_cast<Parser*>(parser)->text({text, static_cast<size_t>(size)});
  }
  static void XMLCALL on_entity(void* parser, const XML_Char*, int, const XML_Char*, int,
                                const XML_Char*, const XML_Char*, const XML_Char*,
                                const XML_Char*) {
    static_cast<Parser*>(parser)->fail({"entities are not read: the file declares one"});
  }

  int64_t line() const { return static_cast<int64_t>(XML_GetCurrentLineNumber(expat_)); }

  void fail(const Failure& failure) { fail_at(line(), failure); }
  void fail_at(int64_t line, const Failure& failure) {
    if (failure_.has_value()) return;
    // An interrupt has no place in the file.
    failure_ = failure.interrupted ? failure : at_line(line, failure);
    XML_StopParser(expat_, XML_FALSE);
  }

  static std::string_view local_name(std::string_view name) {
    return name.substr(name.rfind('|') + 1);
  }

  /// The value of an attribute without a namespace, or with Braid's; "" when it is not there.
  static std::string attribute(Attributes attributes, std::string_view name) {
    for (; *attributes != nullptr; attributes += 2) {
      if (name == attributes[0]) return attributes[1];
    }
    return "";
  }
  static std::string braid_type(Attributes attributes) {
    return attribute(attributes, fmt::format("{}|type", kBraidNamespace));
  }

  void start(std::string_view full_name, Attributes attributes) {
    const std::string_view name = local_name(full_name);
    if (++depth_ > kDepthMax)
      return fail({fmt::format("elements are nested deeper than {} levels", kDepthMax)});
    if (depth_ == 1 && name != "graphml")
      return fail({fmt::format("this is not GraphML: it begins with <{}>", name)});
    if (name == "graph") found_graph_ = true;
    if (name == "key") start_key(attributes);
    if (name == "node" || name == "edge") start_item(name == "edge", attributes);
    if (name == "hyperedge") fail({"hyperedges are not read: an edge has two ends"});
    if (name == "data") start_data(attributes);
    if (name == "default" && key_ != nullptr) {
      text_.clear();
      take_text_ = true;
    }
    // What yEd draws on a node or an edge.
    if (data_.has_value() && data_key_ != nullptr && data_key_->drawing &&
        (name == "NodeLabel" || name == "EdgeLabel"))
      take_text_ = text_.empty();
  }

  void start_key(Attributes attributes) {
    Key key{.name = attribute(attributes, "attr.name"),
            .domain = attribute(attributes, "for"),
            .type = GraphmlType::kString,
            .drawing = false,
            .fallback = std::nullopt};
    const std::string id = attribute(attributes, "id");
    if (id.empty()) return fail({"a key has no id"});
    if (const auto type = graphml_type_named(attribute(attributes, "attr.type"))) key.type = *type;
    const std::string drawing = attribute(attributes, "yfiles.type");
    key.drawing = drawing == "nodegraphics" || drawing == "edgegraphics";
    if (key.name.empty()) key.name = key.drawing ? "label" : drawing.empty() ? id : "";
    key_ = &(keys_[id] = std::move(key));
  }

  void start_item(bool edge, Attributes attributes) {
    Open open;
    open.item.edge = edge;
    open.item.line = line();
    open.item.id = attribute(attributes, "id");
    if (edge) {
      open.item.source = attribute(attributes, "source");
      open.item.target = attribute(attributes, "target");
      open.item.type = attribute(attributes, "label");
      if (open.item.source.empty() || open.item.target.empty())
        return fail({"an edge has no source or no target"});
    } else {
      if (open.item.id.empty()) return fail({"a node has no id"});
      const std::string labels = attribute(attributes, "labels");
      open.labels_given = !labels.empty();
      open.item.labels = labels_of(labels);
    }
    open_.push_back(std::move(open));
  }

  void start_data(Attributes attributes) {
    text_.clear();
    data_ = attribute(attributes, "key");
    data_type_ = braid_type(attributes);
    data_line_ = line();
    const auto key = keys_.find(*data_);
    data_key_ = key == keys_.end() ? nullptr : &key->second;
    take_text_ = data_key_ == nullptr || !data_key_->drawing;
  }

  void text(std::string_view text) {
    if (!take_text_) return;
    if (text_.size() + text.size() > kTextBytesMax)
      return fail({fmt::format("a value is longer than {} bytes", kTextBytesMax)});
    text_ += text;
  }

  void end(std::string_view full_name) {
    const std::string_view name = local_name(full_name);
    --depth_;
    if (failure_.has_value()) return;
    if (name == "data") end_data();
    if (name == "node" || name == "edge") end_item();
    if (name == "default" && key_ != nullptr) key_->fallback = text_;
    if (name == "key") key_ = nullptr;
    if (name == "default" || name == "NodeLabel" || name == "EdgeLabel") take_text_ = false;
  }

  void end_data() {
    take_text_ = false;
    const std::string id = std::move(*data_);
    data_.reset();
    if (open_.empty()) return;  // of the graph itself
    Open& open = open_.back();
    // What the attributes say already, for readers that know only data.
    if (!open.item.edge && id == kLabelsKey && (open.labels_given || text_.starts_with(':'))) {
      if (!open.labels_given) open.item.labels = labels_of(text_);
      return;
    }
    if (open.item.edge && id == kTypeKey && (open.item.type.empty() || open.item.type == text_)) {
      open.item.type = text_;
      return;
    }
    if (data_key_ == nullptr)
      return fail_at(data_line_,
                     {fmt::format("data has the key '{}', which is not declared before", id)});
    if (data_key_->name.empty() || (data_key_->drawing && text_.empty())) return;
    open.keys_seen.push_back(id);
    GraphmlType type = data_key_->type;
    if (!data_type_.empty()) {
      const auto own = graphml_type_named(data_type_);
      if (!own.has_value())
        return fail_at(data_line_, {fmt::format("'{}' is no type of a value", data_type_)});
      type = *own;
    }
    add_value(&open, *data_key_, type, text_, data_line_);
  }

  void add_value(Open* open, const Key& key, GraphmlType type, const std::string& text,
                 int64_t line) {
    auto value = value_of(text, type);
    if (!value.has_value()) {
      return fail_at(line, {fmt::format("{}: '{}' is not of the type {}", key.name,
                                        text.substr(0, 100), graphml_type_name(type))});
    }
    // What NetworkX makes of Braid's files and of Neo4j's: the data is left, under another id.
    const bool labels_lost =
        !open->labels_given && open->item.labels.empty() && keys_.find(kLabelsKey) == keys_.end();
    if (!open->item.edge && key.name == kLabelsKey && labels_lost && text.starts_with(':')) {
      open->item.labels = labels_of(text);
    } else if (open->item.edge && key.name == kTypeKey && open->item.type.empty() && !key.drawing &&
               value->is_string()) {
      open->item.type = text;
    } else {
      open->properties[key.name] = std::move(*value);
    }
  }

  void end_item() {
    if (open_.empty()) return;
    Open open = std::move(open_.back());
    open_.pop_back();
    for (const auto& [id, key] : keys_) {
      if (!key.fallback.has_value() || key.name.empty() || !key.is_for(open.item.edge)) continue;
      if (std::find(open.keys_seen.begin(), open.keys_seen.end(), id) == open.keys_seen.end()) {
        add_value(&open, key, key.type, *key.fallback, open.item.line);
      }
    }
    if (failure_.has_value()) return;
    open.item.properties = open.properties.dump(-1, ' ', false, json::error_handler_t::replace);
    Done done = (*visit)(open.item);
    if (done.has_value()) fail_at(open.item.line, *done);
  }

  XML_Parser expat_;
  std::optional<Failure> failure_;
  size_t depth_ = 0;
  bool found_graph_ = false;
  std::map<std::string, Key, std::less<>> keys_;
  Key* key_ = nullptr;  ///< the <key> that is open
  std::vector<Open> open_;
  std::optional<std::string> data_;  ///< key of the <data> that is open
  std::string data_type_;
  int64_t data_line_ = 0;
  const Key* data_key_ = nullptr;
  bool take_text_ = false;
  std::string text_;
};

GraphmlReader::GraphmlReader(ByteSource& source)
    : parser_(std::make_unique<Parser>()), source_(source) {}

GraphmlReader::~GraphmlReader() = default;

Done GraphmlReader::read(const std::function<Done(const GraphmlItem&)>& visit) {
  parser_->visit = &visit;
  for (;;) {
    Outcome<std::string_view> bytes = source_.read();
    if (!bytes.ok()) return bytes.failure();
    CLI_TRY(parser_->feed(*bytes, bytes->empty()));
    if (bytes->empty()) break;
  }
  if (parser_->found_graph()) return std::nullopt;
  return Failure{"the file has no graph"};
}

}  // namespace braid::cli
