// Turns frozen segments of one hypertable into chunk files, one per chunk interval, or into runs to
// be logged again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "engine/catalog.h"
#include "engine/commit_record.h"
#include "timeseries/chunk_set.h"
#include "timeseries/run_codec.h"
#include "timeseries/tail.h"

namespace braid {

/// The unsealed rows of one hypertable up to an LSN, latest writes only. A deleted point counts only where one of `chunks`, the
/// catalogue's, may hold it.
struct UnsealedRows {
  const HypertableDefinition& table;
  const TailTable& tail;
  const std::map<ChunkId, ChunkDefinition>& chunks;
  Lsn newest;
};

/// Writes and syncs the chunk files of the rows; the caller syncs the directory.
/// `next_id` gives each file its id. Chunks whose file was begun are added to `out` even on
/// failure, so that the caller can remove them.
Status seal_table(ChunkFiles& files, const UnsealedRows& unsealed,
                  const std::function<ChunkId()>& next_id, std::vector<ChunkDefinition>& out);

/// Adds the rows, one run per series.
void add_runs(const UnsealedRows& unsealed, RunEncoder& runs);

}  // namespace braid
