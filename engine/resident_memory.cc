#include "engine/resident_memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace braid {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
uint64_t anonymous_bytes() { return 0; }  // most of it is what the sanitizer keeps
#else
uint64_t anonymous_bytes() {
  const int descriptor = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  char text[128];
  const ssize_t size = ::read(descriptor, text, sizeof text);
  ::close(descriptor);
  if (size <= 0) return 0;
  // Pages: of the address space, of those the resident ones, of those the ones that are a file's or shared.
  uint64_t pages[3] = {};
  const char* at = text;
  for (uint64_t& value : pages) {
    const auto [rest, error] = std::from_chars(at, text + size, value);
    if (error != std::errc() || rest == text + size) return 0;
    at = rest + 1;
  }
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  return pages[1] > pages[2] && page_bytes > 0 ? (pages[1] - pages[2]) * static_cast<uint64_t>(page_bytes) : 0;
}
#endif

void give_back_to_host() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

void keep_little_free() {
#ifdef __GLIBC__
  static const bool once = [] {
    const char* const tunables = std::getenv("GLIBC_TUNABLES");
    const bool are_set = std::getenv("MALLOC_TRIM_THRESHOLD_") != nullptr || std::getenv("MALLOC_MMAP_THRESHOLD_") != nullptr ||
                         (tunables != nullptr && std::strstr(tunables, "glibc.malloc.") != nullptr);
    constexpr int kKept = 1 << 20;
    return are_set || (::mallopt(M_TRIM_THRESHOLD, kKept) != 0 && ::mallopt(M_MMAP_THRESHOLD, kKept) != 0);
  }();
  static_cast<void>(once);
#endif
}

}  // namespace braid
