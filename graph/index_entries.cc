#include "graph/index_entries.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/key_format.h"

namespace braid {

std::string scope_text(const CatalogWriter& names, const IndexDefinition& index) {
  return index.on_edges ? fmt::format("type \"{}\"", names.name(NameKind::kEdgeType, index.scope))
                        : fmt::format("label \"{}\"", names.name(NameKind::kLabel, index.scope));
}

Status append_index_entry(const CatalogWriter& names, const IndexDefinition& index, uint64_t id,
                          const Properties& properties, std::vector<IndexEntry>& out) {
  const PropertyValue* value = find_property(properties, index.key);
  if (value == nullptr || value->is_null()) return {};
  auto refuse = [&](std::string_view why) {
    return Status(StatusCode::kConstraint,
                  fmt::format("property \"{}\" of {} is indexed: {}",
                              names.name(NameKind::kPropertyKey, index.key.value()),
                              scope_text(names, index), why));
  };
  const Result<std::string> encoded = encode_index_value(*value);
  if (!encoded.ok()) return refuse(encoded.status().message());
  if (encoded->size() > kIndexValueBytesMax) {
    return refuse(fmt::format("the value is longer than {} bytes", kIndexValueBytesMax));
  }
  out.push_back({&index, index_prefix(index.id, *encoded), index_key(index.id, *encoded, id)});
  return {};
}

Result<std::vector<IndexEntry>> node_index_entries(const CatalogWriter& names, const Node& node) {
  std::vector<IndexEntry> entries;
  for (const auto& [id, index] : names.state().indexes) {
    if (index.on_edges) continue;
    if (!std::binary_search(node.labels.begin(), node.labels.end(), LabelId(index.scope))) continue;
    BRAID_TRY(append_index_entry(names, index, node.id.value(), node.properties, entries));
  }
  return entries;
}

Result<std::vector<IndexEntry>> edge_index_entries(const CatalogWriter& names, const Edge& edge) {
  std::vector<IndexEntry> entries;
  for (const auto& [id, index] : names.state().indexes) {
    if (!index.on_edges || index.scope != edge.type.value()) continue;
    BRAID_TRY(append_index_entry(names, index, edge.id.value(), edge.properties, entries));
  }
  return entries;
}

}  // namespace braid
