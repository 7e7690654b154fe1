// Looks for damage: every family is walked once and compared with the others.
#pragma once

#include <string>
#include <vector>

#include "engine/result.h"
#include "graph/graph_store_view.h"

namespace braid {

/// Problems beyond this many are not listed; the last line then says so.
inline constexpr size_t kGraphProblemsMax = 1000;

/// Adds a sentence for each damage found. An error means that the check itself could not go on.
Status check_graph(const GraphStoreView& view, std::vector<std::string>& problems);

}  // namespace braid
