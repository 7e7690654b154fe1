// Where the demo's database goes, without ever removing what the demo did not make.
#pragma once

#include <optional>
#include <string>

#include "cli/outcome.h"

namespace braid::cli::demo {

// A place that is ready for braid_open, and a sentence about how it came to be so, or none.
struct Place {
  std::string directory;
  std::string note;
};

// The directory asked for, or ./braid-demo, or another name beside it when that one is somebody
// else's. An earlier demo's database is removed; anything else that is there is refused, with its
// reason.
Outcome<Place> prepare_place(const std::optional<std::string>& asked);

// The statement that marks a database as the demo's.
inline constexpr const char* kMarkAsDemo = "CREATE TABLE demo_about (made_by TEXT)";

}  // namespace braid::cli::demo
