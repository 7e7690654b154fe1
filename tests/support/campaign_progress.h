// How far a campaign has come.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>

namespace braid {

/// Tells once a minute, so that a campaign that was stopped can go on from there.
class CampaignProgress {
 public:
  /// All before `number` are done.
  void reached(uint64_t number) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < std::chrono::minutes(1)) return;
    told_ = now;
    fmt::print("{} done after {:.0f} s; --from {} goes on\n", number, seconds(), number);
    std::fflush(stdout);
  }
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point told_ = start_;
};

}  // namespace braid
