#include "bench/sync_count.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace bench {

static std::atomic<uint64_t> count{0};

uint64_t sync_count() { return count.load(); }

static int counted(long system_call, int descriptor) {
  count.fetch_add(1);
  return static_cast<int>(::syscall(system_call, descriptor));
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
