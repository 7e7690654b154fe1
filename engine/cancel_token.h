// A request to stop that stays until it is taken back.
#pragma once

#include <atomic>
#include <functional>
#include <map>

#include "engine/mutex.h"

namespace braid {

/// Threads: all members may be called from any thread.
class CancelToken {
 public:
  void cancel();
  void reset() { set_.store(false); }
  bool is_set() const { return set_.load(); }

  /// From now on `stop` is called when the token is set, by who sets it and with the lock held: it must be short and take no lock but that
  /// of a socket that it writes to.
  void attach(const void* owner, std::function<void()> stop);
  /// Afterwards its `stop` is called no more, and none of its calls is under way.
  void detach(const void* owner);

 private:
  std::atomic<bool> set_{false};
  Mutex mutex_;  // a leaf
  std::map<const void*, std::function<void()>> stops_ BRAID_GUARDED_BY(mutex_);
};

}  // namespace braid
