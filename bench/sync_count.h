// Counts the syncs that this process asks the operating system for, whoever asks.
//
// The program that links this file defines fsync and fdatasync itself, so that "one sync per group"
// is observed from outside of the store that claims it.
#pragma once

#include <cstdint>

namespace bench {

/// Calls of fsync and fdatasync since the process started. Threads: any.
uint64_t sync_count();

}  // namespace bench
