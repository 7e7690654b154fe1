// A new database of all that can be read of a damaged one.
//
// rows.db is copied where every page of it is sound, else made anew of the rows that can be read; chunks are copied, or written anew without their
// damaged blocks; the graph is copied, or made anew of the nodes and edges that can be read. Ids stay. docs/backup.md.
#pragma once

#include <memory>
#include <string>

#include "api/database.h"
#include "engine/rows_salvage.h"

namespace braid {

/// Answers the new database, open and checked. `lost` is told what is lost, a sentence each; `source` is not changed, and nobody may have it open.
/// kInvalidArgument (destination), kBusy, kFull, kIo; kCorrupt when the new database does not pass its check, and cannot be opened then.
Result<std::shared_ptr<Database>> repair(const std::string& source, const std::string& destination, const LossReport& lost, FileHook* hook = nullptr);

}  // namespace braid
