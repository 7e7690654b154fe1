// The promise: a writer process is killed in mid-write, and rows, edges and points agree to the
// last commit.
#pragma once

#include <string>

#include "cli/demo_page.h"
#include "cli/outcome.h"

namespace braid::cli::demo {

// The points that each of the writer's transactions appends, beside the row that it changes and the
// edge that it adds.
inline constexpr int kPromisePoints = 10;

// Creates what the writer writes to. `session` is the only one open on its database.
Done create_promise(const Session& session);

// Kills writers and prints what was found. The database must be closed: each writer opens it for
// itself.
Done show_promise(const std::string& directory, Page* page);

}  // namespace braid::cli::demo
