#include "api/call_settings.h"

#include <algorithm>

namespace braid {

namespace {

using Clock = std::chrono::steady_clock;

/// What ends sooner tells no progress, and what takes longer tells it so often.
constexpr std::chrono::milliseconds kProgressTime(10);

}  // namespace

Status CallWishes::check_cancelled() const {
  if (token == nullptr || !token->is_set()) return {};
  return Status(StatusCode::kInterrupted, std::string(kCancelledText));
}

void CallSettings::set(const std::function<void(CallWishes&)>& change) {
  const MutexLock lock(mutex_);
  change(wishes_);
}

CallWishes CallSettings::wishes() const {
  const MutexLock lock(mutex_);
  return wishes_;
}

Status WatchedCall::ask(double fraction) {
  if (ended_.ok()) ended_ = ask_host(fraction);
  return ended_;
}

Status WatchedCall::ask_host(double fraction) {
  BRAID_TRY(wishes_.check_cancelled());
  if (fraction == kCancelledOnly || (wishes_.time_limit.count() == 0 && !wishes_.progress)) return {};
  const auto now = Clock::now();
  if (!started_) {
    started_ = now;
    next_told_ = now + kProgressTime;
  }
  if (wishes_.time_limit.count() > 0 && now - *started_ >= wishes_.time_limit)
    return Status(StatusCode::kInterrupted, "the call took longer than statement_time_max_ms, or its time limit, allows");
  fraction_ = std::max(fraction_, fraction);
  if (!wishes_.progress || now < next_told_) return {};
  next_told_ = now + kProgressTime;
  return wishes_.progress(fraction_) ? Status() : Status(StatusCode::kInterrupted, "stopped by the host's progress callback");
}

void WatchedCall::complete() {
  if (wishes_.progress) wishes_.progress(1);
}

}  // namespace braid
