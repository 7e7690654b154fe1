// Looking at a database as a whole: its tables, their SQL, figures, and what is wrong with it.
#pragma once

#include <string>

#include "cli/console.h"
#include "cli/outcome.h"

namespace braid::cli {

/// Writes the names and kinds of the user's tables, views and hypertables.
Done show_tables(Console* console);

/// Writes the SQL that made a table with its indexes and triggers, or all of them when `table` is
/// "".
Done show_schema(Console* console, const std::string& table);

/// Writes the figures of the database as a result.
Done show_stats(const Session& session, ResultWriter* writer);

/// Writes them in the format that Prometheus reads.
Done show_metrics(const Session& session, std::FILE* out);

/// Lists the problems that a check finds; a failure when there are any.
Done check_database(const Session& session, std::FILE* out);

}  // namespace braid::cli
