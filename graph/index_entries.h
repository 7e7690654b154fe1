// Which keys of family `index` a node or an edge has, by the indexes of the catalog.
#pragma once

#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/result.h"
#include "graph/graph_view.h"

namespace braid {

struct IndexEntry {
  const IndexDefinition* index;
  std::string prefix;  ///< index id and value
  std::string key;     ///< prefix and the node's or edge's id
};

/// The entry of one index for `properties`: none when the property is missing. kConstraint, naming
/// the property, for a value that is not indexed (a list, a map, one that is too long).
Status append_index_entry(const CatalogWriter& names, const IndexDefinition& index, uint64_t id,
                          const Properties& properties, std::vector<IndexEntry>& out);

/// Of all indexes that cover the node (or edge). `state` outlives the result.
Result<std::vector<IndexEntry>> node_index_entries(const CatalogWriter& names, const Node& node);
Result<std::vector<IndexEntry>> edge_index_entries(const CatalogWriter& names, const Edge& edge);

/// "label \"person\"" or "type \"knows\"".
std::string scope_text(const CatalogWriter& names, const IndexDefinition& index);

}  // namespace braid
