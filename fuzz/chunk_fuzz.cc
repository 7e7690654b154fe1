// Any bytes as a chunk file, whose blocks are read. Checksums would keep most of what a fuzzer makes from the decoders behind them: stripe_fuzz calls
// those alone.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "fuzz/input.h"
#include "timeseries/chunk_reader.h"
#include "timeseries/point_block.h"

using namespace braid;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Env env;
  static const int file = memfd_create("chunk", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  must(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  const auto reader = ChunkReader::open(env, path);
  if (!reader.ok()) return 0;
  size_t read = 0;
  for (const BlockEntry& block : (*reader)->footer().blocks) {
    PointBlock points;
    (void)(*reader)->read_block(block, {}, points);
    if (++read == 100) break;
  }
  return 0;
}
