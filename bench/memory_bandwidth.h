// How fast this machine reads memory, beside which the speed of scans is read.
#pragma once

namespace bench {

/// GB/s of so many threads that each add up an array larger than any cache; the best of a few passes.
double memory_read_gb_per_second(int threads);

}  // namespace bench
