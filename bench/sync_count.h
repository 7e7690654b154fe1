// Counts the syncs that this process asks the operating system for, whoever asks.
//
// The program that links this file defines fsync and fdatasync itself, so that "one sync per group"
// is observed from outside of the store that claims it.
#pragma once

#include <cstdint>

namespace bench {

struct SyncTotals {
  uint64_t count;
  double seconds;  // summed over the calls
};

/// Calls of fsync and fdatasync that returned since the process started. Threads: any.
SyncTotals sync_totals();

}  // namespace bench
