// What a node is called in a picture.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/graph_selection.h"
#include "cli/session.h"

namespace braid::cli {

/// A property's value as a person reads it: text as it is, other values as JSON.
std::string value_text(const nlohmann::json& value);

/// The labels of a node.
std::vector<std::string> label_names(const GraphNode& node);

/// Used within one transaction.
class NodeCaptions {
 public:
  /// `property` names nodes, where they have it; "" to choose.
  NodeCaptions(const Session& session, std::string property)
      : session_(session), property_(std::move(property)) {}

  /// The chosen property, else name, title, an indexed one, id or key; else the label and the
  /// number that Braid gave.
  Outcome<std::string> caption(int64_t id, const std::vector<std::string>& labels,
                               const nlohmann::json& properties);

 private:
  Outcome<bool> is_key(const std::string& label, const std::string& property);

  const Session& session_;
  const std::string property_;
  std::map<std::pair<std::string, std::string>, bool>
      keys_;  ///< label and property: whether there is an index
};

}  // namespace braid::cli
