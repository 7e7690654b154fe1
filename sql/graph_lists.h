// graph_indexes(kind, name, property, is_unique, is_bound) and graph_bindings(label, table_name, key_column, on_delete): what the graph's catalog
// holds, as tables.
#pragma once

#include "sql/connection.h"

namespace braid {

Status register_graph_lists(Connection& connection);

}  // namespace braid
