// The value of a node in family `node`: its labels in ascending order, then its properties.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/types.h"
#include "graph/graph_view.h"

namespace braid {

std::string encode_node(const std::vector<LabelId>& labels, const Properties& properties);
/// Fills labels and properties; kCorrupt for bytes that are no node.
Status decode_node(std::string_view bytes, Node& out);

}  // namespace braid
