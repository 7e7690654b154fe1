#include "engine/chunk_name.h"

#include <fmt/format.h>

namespace braid {

std::string chunk_file_name(ChunkId chunk) { return fmt::format("{:016x}.chunk", chunk.value()); }

}  // namespace braid
