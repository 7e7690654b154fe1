// How a statement would be run, as a tree.
#pragma once

#include <cstdio>
#include <string_view>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// Writes the plan of one statement; nothing for one that has none, such as BEGIN.
Done show_plan(const Session& session, std::string_view sql, std::FILE* out);

}  // namespace braid::cli
