// The tour through a loaded database: each chapter prints its statements and their answers.
#pragma once

#include "cli/demo_inventory.h"
#include "cli/demo_page.h"
#include "cli/demo_query.h"

namespace braid::cli::demo {

Done show_rows(const Inventory& inventory, Page* page, const Session& session);
Done show_graph(const Inventory& inventory, Page* page, const Session& session);
Done show_series(const Inventory& inventory, Page* page, const Session& session);
Done show_three_models(const Inventory& inventory, Page* page, const Session& session);
Done show_transactions(const Inventory& inventory, Page* page, const Session& session);

}  // namespace braid::cli::demo
