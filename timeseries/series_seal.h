// Turns frozen segments of one hypertable into chunk files, one per chunk interval, or into runs to
// be logged again.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/catalog.h"
#include "engine/commit_record.h"
#include "timeseries/chunk_set.h"
#include "timeseries/tail.h"

namespace braid {

/// Writes and syncs the chunk files of the rows up to `newest`; the caller syncs the directory.
/// `next_id` gives each file its id. Chunks whose file was begun are added to `out` even on
/// failure, so that the caller can remove them.
Status seal_table(ChunkFiles& files, const HypertableDefinition& table, const TailTable& tail,
                  Lsn newest, const std::function<ChunkId()>& next_id,
                  std::vector<ChunkDefinition>& out);

/// Adds the rows up to `newest`, latest writes only, one run per series.
void add_runs(const HypertableDefinition& table, const TailTable& tail, Lsn newest,
              std::vector<SeriesRun>& runs);

}  // namespace braid
