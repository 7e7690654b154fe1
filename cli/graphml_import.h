// Nodes and edges of a GraphML file into the graph.
#pragma once

#include "cli/import_arguments.h"
#include "cli/import_transaction.h"
#include "cli/input_file.h"

namespace braid::cli {

/// Imports in one transaction and says what was done on standard error if somebody is there to read
/// it.
ImportEnd import_graphml(const Session& session, const ImportArguments& arguments, InputFile* file);

}  // namespace braid::cli
