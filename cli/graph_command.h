// `braid graph`: a picture or a file of a part of the graph.
#pragma once

#include "cli/graph_arguments.h"
#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// Draws or writes what the arguments choose, at one snapshot.
Done run_graph(const Session& session, const GraphArguments& arguments);

}  // namespace braid::cli
