#include "engine/wake_up.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace braid {

void WakeUp::post() {
  if (state_.exchange(kPosted, std::memory_order_acq_rel) != kSleeping) return;
  // The sleeper may have seen the flag by itself and be gone: then its address wakes nobody, or someone who looks again.
  ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void WakeUp::wait() { sleep(nullptr); }

bool WakeUp::wait_until(std::chrono::steady_clock::time_point deadline) { return sleep(&deadline); }

bool WakeUp::sleep(const std::chrono::steady_clock::time_point* deadline) {
  uint32_t seen = kNone;
  if (!state_.compare_exchange_strong(seen, kSleeping, std::memory_order_acq_rel) && seen == kPosted) return true;
  timespec limit{};
  if (deadline != nullptr) {
    const auto since = deadline->time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    limit.tv_sec = seconds.count();
    limit.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count();
  }
  while (state_.load(std::memory_order_acquire) != kPosted) {
    // steady_clock is CLOCK_MONOTONIC, against which the kernel reads an absolute limit.
    const long code = ::syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET_PRIVATE, kSleeping, deadline == nullptr ? nullptr : &limit, nullptr,
                                FUTEX_BITSET_MATCH_ANY);
    if (code == -1 && errno == ETIMEDOUT) return state_.load(std::memory_order_acquire) == kPosted;
  }
  return true;
}

}  // namespace braid
