// The graph of an export as CSV: a file for the nodes of each label, and one for the edges of each
// type, or of each pair of labels that edges of the type lie between.
#pragma once

#include "cli/export_script.h"
#include "cli/session.h"

namespace braid::cli {

/// Nodes are told apart by a property under a unique index, else by the property kExportKey, which an
/// import takes away again. With `rows` those of bound tables come with their rows.
Done export_graph(const Session& session, bool rows, ExportScript* script);

inline constexpr const char* kExportKey = "export_id";

}  // namespace braid::cli
