#include "engine/cancel_token.h"

namespace braid {

void CancelToken::cancel() {
  // Before those that run are told: what starts meanwhile sees one or the other.
  set_.store(true);
  const MutexLock lock(mutex_);
  for (const auto& [owner, stop] : stops_) stop();
}

void CancelToken::attach(const void* owner, std::function<void()> stop) {
  const MutexLock lock(mutex_);
  stops_[owner] = std::move(stop);
}

void CancelToken::detach(const void* owner) {
  const MutexLock lock(mutex_);
  stops_.erase(owner);
}

}  // namespace braid
