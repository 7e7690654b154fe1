// Loads an inventory and the machine's load into the three models.
#pragma once

#include "cli/demo_inventory.h"
#include "cli/demo_page.h"
#include "cli/demo_query.h"
#include "cli/demo_sampler.h"

namespace braid::cli::demo {

// Creates the tables, binds them as nodes and loads rows, edges and events, printing the statements
// used.
Done load_inventory(const Inventory& inventory, Page* page, const Session& session);

// Creates the tables of the machine's devices and loads them with what the sampler saw.
Done load_machine(const Load& load, Page* page, const Session& session);

}  // namespace braid::cli::demo
