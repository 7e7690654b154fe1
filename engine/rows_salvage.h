// A new rows.db of all that can be read of a damaged one: table by table, by its own reader of pages (engine/row_reader).
//
// Tables are made by their own SQL and get every row that is there. Indexes are left to be made later, by a connection that knows the functions
// that they may use; views, triggers and virtual tables are put into the schema as they were.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/env.h"
#include "engine/page_source.h"
#include "engine/result.h"

namespace braid {

/// Told what is lost, a sentence each.
using LossReport = std::function<void(const std::string&)>;

/// Makes `path`, durable but for its name; it has the tables of a database even when none could be read. `indexes` receives the SQL of those to be made.
/// Rows of tables that the schema does not name go to tables lost_N.
Status salvage_rows(Env& env, const PageSource& pages, const std::string& path, const LossReport& lost, std::vector<std::string>& indexes);

/// Whether every page can be read.
Result<bool> is_whole(const PageSource& pages);

}  // namespace braid
