// What is done at open with files in the chunk directory that the catalogue does not name.
#pragma once

#include <map>

#include "engine/catalog.h"
#include "timeseries/chunk_set.h"

namespace braid {

/// Deletes files that are ours by uuid and epoch (a seal that was not committed, a dropped chunk)
/// and moves all others to `quarantine`. Returns the greatest chunk id seen among file names.
Result<ChunkId> clean_chunk_directory(const ChunkFiles& files,
                                      const std::map<ChunkId, ChunkDefinition>& chunks);

}  // namespace braid
