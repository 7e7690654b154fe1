// GraphML as Braid writes and reads it: http://graphml.graphdrawing.org/specification.html, with
// labels and types as Neo4j's exports have them, and an attribute of Braid's own where GraphML has
// no type for a value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid::cli {

/// The namespace of the attribute `type` on <data>: how the value reads when that is not what its
/// key declares.
inline constexpr std::string_view kBraidNamespace = "urn:braid:graphml";

/// How the text of a value is read.
enum class GraphmlType : uint8_t { kBoolean, kLong, kDouble, kString, kJson };

struct GraphmlTypeRow {
  std::string_view name;
  GraphmlType type;
};
/// The names that are written come first; GraphML's others are read as well.
inline constexpr std::array<GraphmlTypeRow, 7> kGraphmlTypes = {{{"boolean", GraphmlType::kBoolean},
                                                                 {"long", GraphmlType::kLong},
                                                                 {"double", GraphmlType::kDouble},
                                                                 {"string", GraphmlType::kString},
                                                                 {"json", GraphmlType::kJson},
                                                                 {"int", GraphmlType::kLong},
                                                                 {"float", GraphmlType::kDouble}}};

inline std::string_view graphml_type_name(GraphmlType type) {
  return kGraphmlTypes[static_cast<size_t>(type)].name;
}
inline std::optional<GraphmlType> graphml_type_named(std::string_view name) {
  for (const GraphmlTypeRow& row : kGraphmlTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

/// Ids of the keys that repeat a node's labels and an edge's type as data, for readers that know no
/// further attributes.
inline constexpr std::string_view kLabelsKey = "labels";
inline constexpr std::string_view kTypeKey = "label";

}  // namespace braid::cli
