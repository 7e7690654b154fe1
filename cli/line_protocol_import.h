// Points of a file in InfluxDB's line protocol into hypertables, one for each measurement.
#pragma once

#include "cli/import_arguments.h"
#include "cli/import_transaction.h"
#include "cli/input_file.h"

namespace braid::cli {

/// Imports in one transaction and says what was done on standard error if somebody is there to read it. Hypertables that are absent are created from
/// all lines of their measurement, and merge: a line adds its fields to a point that is there. Those that exist need the columns.
ImportEnd import_line_protocol(const Session& session, const ImportArguments& arguments, InputFile* file);

}  // namespace braid::cli
