// A database as an SQL script that, run into an empty one, makes an equal one.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// The models that a script rebuilds.
struct DumpParts {
  bool rows = true;
  bool graph = true;
  bool series = true;
  bool rows_are_there = false;  ///< another script brings them: nodes of bound tables are those rows

  bool all() const { return rows && graph && series; }
};

/// A script may be cut in three where something else brings the data in: what holds it, the data, and
/// what must come behind it.
struct DumpStages {
  bool makes = true;
  bool fills = true;
  bool finishes = true;
};

/// Writes the script, all of it at one snapshot: that of the open transaction, or of one made for it.
/// Nodes and edges get ids of the new database. `warnings` gains a sentence for each thing that the
/// script cannot rebuild; they are comments in it too.
Done write_dump(const Session& session, const DumpParts& parts, const DumpStages& stages,
                std::FILE* stream, std::vector<std::string>* warnings);

}  // namespace braid::cli
