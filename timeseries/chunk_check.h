// Proves the invariants of chunk_format.h for one chunk of the catalogue.
#pragma once

#include <string>
#include <vector>

#include "timeseries/chunk_set.h"

namespace braid {

/// Adds one line per damage found.
void check_chunk(const ChunkHandle& chunk, const HypertableDefinition* table,
                 std::vector<std::string>& problems);

}  // namespace braid
