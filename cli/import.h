// Reads a CSV file into a table, a hypertable, nodes or edges, or a GraphML file into the graph: in
// one transaction, so that a bad line leaves nothing behind; or, with a name to resume by, in many
// that each keep how far the file is in.
#pragma once

#include <string>

#include "cli/import_arguments.h"
#include "cli/input_file.h"
#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// Imports `file`, which is the one that the arguments name, and says what was done on standard
/// error if somebody is there to read it. Inside an open transaction the import becomes part of it,
/// and a failure undoes the import only.
Done import_file(const Session& session, const ImportArguments& arguments, InputFile* file);

}  // namespace braid::cli
