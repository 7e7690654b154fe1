// One thread waits, another wakes it: a flag on a futex. Waking takes no lock, so that a leader who wakes many is not stopped by those
// who are awake already.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace braid {

/// Used once. Threads: one waits, one posts.
class WakeUp {
 public:
  WakeUp() = default;
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  /// Whatever the caller wrote before is seen by who waits. The object may be gone when this returns.
  void post();
  void wait();
  /// False after the deadline.
  bool wait_until(std::chrono::steady_clock::time_point deadline);

 private:
  enum State : uint32_t { kNone, kSleeping, kPosted };
  bool sleep(const std::chrono::steady_clock::time_point* deadline);

  std::atomic<uint32_t> state_{kNone};  // posted with release, seen with acquire
};

}  // namespace braid
