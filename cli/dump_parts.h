// The parts that a dump is made of, in the order in which they stand in the script: rows, then what
// may refer to them.
#pragma once

#include "cli/dump.h"
#include "cli/dump_script.h"

namespace braid::cli {

/// Tables with their rows, then their indexes; full-text and spatial tables among them.
Done dump_rows(const Session& session, DumpScript* script);

/// Whether a row may refer to one that comes later.
Outcome<bool> has_foreign_keys(const Session& session);

/// Views and triggers, which must not see the rows come in.
Done dump_views_and_triggers(const Session& session, DumpScript* script);

/// Indexes, bindings, nodes, hierarchies and edges. Without `rows` the nodes of bound tables become
/// ordinary nodes.
Done dump_graph(const Session& session, bool rows, DumpScript* script);

/// Hypertables with their settings and points, continuous aggregates and policies.
Done dump_series(const Session& session, DumpScript* script);

/// Whether a name in the schema is the user's: neither Braid's nor SQLite's.
inline constexpr const char* kIsUsersName =
    "substr(lower(name), 1, 7) <> '_braid_' AND substr(lower(name), 1, 7) <> 'sqlite_'";

/// One column of text for each row of a query.
Outcome<std::vector<std::string>> texts_of(const Session& session, std::string_view sql,
                                           std::span<const std::string_view> texts = {});
/// The integer that a query answers; 0 when it has no row.
Outcome<int64_t> integer_of(const Session& session, std::string_view sql,
                            std::span<const std::string_view> texts = {});

}  // namespace braid::cli
