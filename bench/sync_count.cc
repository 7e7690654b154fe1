#include "bench/sync_count.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

namespace bench {

static std::atomic<uint64_t> count{0};
static std::atomic<uint64_t> nanoseconds{0};

SyncTotals sync_totals() { return {count.load(), static_cast<double>(nanoseconds.load()) * 1e-9}; }

static int counted(long system_call, int descriptor) {
  const auto start = std::chrono::steady_clock::now();
  const long result = ::syscall(system_call, descriptor);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
  count.fetch_add(1);
  nanoseconds.fetch_add(static_cast<uint64_t>(took.count()));
  return static_cast<int>(result);
}

}  // namespace bench

// Safety: both have the types, results and errno of the functions of the C library that they stand
// before.
extern "C" {
__attribute__((visibility("default"))) int fsync(int descriptor) {
  return bench::counted(SYS_fsync, descriptor);
}
__attribute__((visibility("default"))) int fdatasync(int descriptor) {
  return bench::counted(SYS_fdatasync, descriptor);
}
}
