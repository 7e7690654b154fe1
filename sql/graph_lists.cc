#include "sql/graph_lists.h"

#include <algorithm>

#include "sql/table_function.h"

namespace braid {

namespace {

using Parameters = std::span<sqlite3_value* const>;
using Rows = Result<std::unique_ptr<FunctionResult>>;

Rows list_indexes(Connection& connection, Parameters) {
  std::vector<Row> rows;
  const CatalogState& state = connection.catalog_state();
  for (const auto& [id, index] : state.indexes) {
    const bool bound = std::any_of(state.bindings.begin(), state.bindings.end(), [&id = id](const auto& item) { return item.second.index == id; });
    rows.push_back({std::string(index.on_edges ? "edge" : "node"), connection.name(index.on_edges ? NameKind::kEdgeType : NameKind::kLabel, index.scope),
                    connection.name(NameKind::kPropertyKey, index.key.value()), int64_t{index.unique ? 1 : 0}, int64_t{bound ? 1 : 0}});
  }
  return make_rows(std::move(rows));
}

Rows list_bindings(Connection& connection, Parameters) {
  std::vector<Row> rows;
  for (const auto& [label, binding] : connection.catalog_state().bindings)
    rows.push_back({connection.name(NameKind::kLabel, label.value()), binding.table, binding.key_column,
                    std::string(binding.on_delete == DeleteRule::kDetach ? "detach" : "restrict")});
  return make_rows(std::move(rows));
}

const TableFunction kIndexes = {"graph_indexes", "kind TEXT, name TEXT, property TEXT, is_unique INTEGER, is_bound INTEGER", 5, {}, list_indexes};
const TableFunction kBindings = {"graph_bindings", "label TEXT, table_name TEXT, key_column TEXT, on_delete TEXT", 4, {}, list_bindings};

}  // namespace

Status register_graph_lists(Connection& connection) {
  BRAID_TRY(register_table_function(connection, kIndexes));
  return register_table_function(connection, kBindings);
}

}  // namespace braid
