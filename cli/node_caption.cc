#include "cli/node_caption.h"

#include <fmt/format.h>

#include <array>

#include "cli/node_target.h"

namespace braid::cli {

namespace {

using nlohmann::json;

/// The value as a caption; "" when it is none.
std::string caption_of(const json& properties, const std::string& name) {
  const auto found = properties.find(name);
  if (found == properties.end() || found->is_structured() || found->is_null()) return "";
  return value_text(*found);
}

}  // namespace

std::string value_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string> label_names(const GraphNode& node) {
  std::vector<std::string> names;
  for (const json& label : json::parse(node.labels, nullptr, false)) {
    if (label.is_string()) names.push_back(label.get<std::string>());
  }
  return names;
}

Outcome<bool> NodeCaptions::is_key(const std::string& label, const std::string& property) {
  const auto known = keys_.find({label, property});
  if (known != keys_.end()) return known->second;
  Outcome<bool> has = has_node_index(session_, label, property);
  if (has.ok()) keys_.emplace(std::pair(label, property), *has);
  return has;
}

Outcome<std::string> NodeCaptions::caption(int64_t id, const std::vector<std::string>& labels,
                                           const json& properties) {
  const std::array<std::string, 3> first = {property_, "name", "title"};
  for (const std::string& name : first) {
    if (std::string text = caption_of(properties, name); !text.empty()) return text;
  }
  for (const std::string& label : labels) {
    for (const auto& item : properties.items()) {
      Outcome<bool> key = is_key(label, item.key());
      if (!key.ok()) return key.failure();
      if (!*key) continue;
      if (std::string text = caption_of(properties, item.key()); !text.empty()) return text;
    }
  }
  for (const char* name : {"id", "key"}) {
    if (std::string text = caption_of(properties, name); !text.empty()) return text;
  }
  return labels.empty() ? fmt::format("node {}", id) : fmt::format("{} {}", labels.front(), id);
}

}  // namespace braid::cli
