// A node as a person names it.
#pragma once

#include <string>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// The node that LABEL.KEY=VALUE names, or that has the number as its id. Without an index on the
/// key all nodes with the label are looked at. Of several nodes the one with the smallest id.
Outcome<int64_t> find_named_node(const Session& session, const std::string& name);

}  // namespace braid::cli
