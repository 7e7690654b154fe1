// The packages that dpkg has installed, read from its own files: no program is started.
#pragma once

#include <optional>
#include <string>

#include "cli/demo_inventory.h"

namespace braid::cli::demo {

// Nothing when `status_path` cannot be read or lists no installed package. The logs may be absent.
std::optional<Inventory> read_dpkg(const std::string& status_path,
                                   const std::vector<std::string>& log_paths);

}  // namespace braid::cli::demo
