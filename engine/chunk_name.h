// How the file of a chunk is called, for those who copy chunks without reading them.
#pragma once

#include <string>

#include "engine/types.h"

namespace braid {

/// "000000000000002a.chunk"
std::string chunk_file_name(ChunkId chunk);

}  // namespace braid
