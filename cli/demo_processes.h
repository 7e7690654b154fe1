// The running processes and the libraries they map: what the demo loads where there is no dpkg.
#pragma once

#include <string>

#include "cli/demo_inventory.h"

namespace braid::cli::demo {

// Reads a directory in the format of /proc. Processes that this user may not look into appear
// without libraries.
Inventory read_processes(const std::string& proc);

}  // namespace braid::cli::demo
