// A chunk with those blocks of a damaged one that can be read.
#pragma once

#include <optional>
#include <string>

#include "engine/catalog.h"
#include "engine/env.h"
#include "engine/result.h"

namespace braid {

struct SalvagedChunk {
  bool whole = false;                         ///< nothing is damaged, and nothing was written
  std::optional<ChunkDefinition> definition;  ///< of what can be read; none: nothing can
  std::string loss;                           ///< what is lost, as a sentence
};

/// Reads the chunk in the file `source`. If a part of it is damaged, the rest is written to `target`. `uuid` is the database's.
Result<SalvagedChunk> salvage_chunk(Env& env, const ChunkDefinition& chunk, const std::string& uuid, const std::string& source, const std::string& target);

}  // namespace braid
