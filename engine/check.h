// BRAID_ASSERT is for what only our own bug can break; it stops a debug build and is absent from a release build.
// Bytes from disk and arguments of callers are never asserted: they are checked and answered with a Status.
#pragma once

#include <cstdio>
#include <cstdlib>

#ifdef NDEBUG
#define BRAID_ASSERT(condition) \
  do {                          \
    (void)sizeof(condition);    \
  } while (false)
#else
#define BRAID_ASSERT(condition)                                                              \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
#endif
