#include "sql/hierarchy_access.h"

#include <fmt/format.h>

#include "sql/algorithm_access.h"
#include "sql/table_function.h"

namespace braid {

Result<HierarchyDefinition> hierarchy_parameter(Connection& connection, std::span<sqlite3_value* const> parameters, size_t index,
                                                std::string_view function) {
  const std::string_view name = text_parameter(parameters, index).value_or("");
  const CatalogState& state = connection.catalog_state();
  const auto type = connection.find_name(NameKind::kEdgeType, name);
  if (const HierarchyDefinition* found = type ? state.hierarchy(TypeId(*type)) : nullptr) return *found;
  std::string names;
  for (const auto& [id, hierarchy] : state.hierarchies)
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", connection.name(NameKind::kEdgeType, id.value()));
  return Status(StatusCode::kNotFound, fmt::format("{}: there is no hierarchy '{}'; {}{}; graph_hierarchy(type) makes an edge type one", function,
                                                   name, names.empty() ? "none is declared" : "declared are ", names));
}

Result<std::shared_ptr<const Projection>> project(Connection& connection, const HierarchyDefinition& hierarchy) {
  return build_projection(connection, ProjectionSpec{.labels = {},
                                            .types = {hierarchy.type},
                                            .weight = std::nullopt,
                                            .orientation = Orientation::kNatural});
}

}  // namespace braid
