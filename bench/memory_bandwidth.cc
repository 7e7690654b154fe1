#include "bench/memory_bandwidth.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "bench/harness.h"

namespace bench {

double memory_read_gb_per_second(int threads) {
  constexpr size_t kWords = size_t{32} << 20;  // 256 MB for each thread
  constexpr int kPasses = 5;
  std::vector<std::vector<uint64_t>> arrays(static_cast<size_t>(threads));
  for (auto& array : arrays) array.assign(kWords, 1);
  std::atomic<uint64_t> total = 0;
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    const double start = now_seconds();
    std::vector<std::thread> running;
    for (const auto& array : arrays) running.emplace_back([&] { total += std::accumulate(array.begin(), array.end(), uint64_t{0}); });
    for (std::thread& thread : running) thread.join();
    const double bytes = static_cast<double>(arrays.size() * kWords * sizeof(uint64_t));
    best = std::max(best, bytes / (now_seconds() - start) / 1e9);
  }
  if (total != arrays.size() * kWords * kPasses) fail("memory bandwidth: the sums are wrong");
  return best;
}

}  // namespace bench
