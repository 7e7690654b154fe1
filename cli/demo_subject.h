// Chooses what the demo asks about, so that the answers are worth reading on any machine.
#pragma once

#include <string>
#include <utility>

#include "cli/demo_inventory.h"

namespace braid::cli::demo {

// An item that many others need, though not all of them.
std::string choose_needed(const Inventory& inventory);

// Two items that are as far apart along `wording.need` as any two are; equal ones when nothing is
// connected.
std::pair<std::string, std::string> choose_far_apart(const Inventory& inventory);

}  // namespace braid::cli::demo
