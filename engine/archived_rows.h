// The rows.db of a backup, brought forward by an archive: first its pages, then the rows of the log that the graph of the backup still needs.
#pragma once

#include <string>
#include <vector>

#include "engine/archive_plan.h"
#include "engine/copy_pace.h"
#include "engine/env.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// The newest commit of a rows.db that nobody writes. kInvalidArgument when there are commits in its WAL.
Result<Lsn> newest_commit(Env& env, const std::string& rows);

/// Brings `rows`, a copy of the backup's `source`, forward, durably.
Status bring_forward(Env& env, const std::string& source, const std::string& rows, const ArchivePlan& plan, CopyPace& pace);

/// Of the chunks that it names.
Result<std::vector<ChunkId>> chunks_of(Env& env, const std::string& rows);

}  // namespace braid
