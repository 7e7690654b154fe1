// What the host wishes of the calls on a handle: to be cancelled, not to take too long, to tell how far they are.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/cancel_token.h"
#include "engine/long_call.h"
#include "engine/mutex.h"
#include "engine/result.h"

namespace braid {

inline constexpr std::string_view kCancelledText = "cancelled: its cancel token is set, until braid_cancel_reset";

/// False ends the call.
using CallProgress = std::function<bool(double fraction)>;

struct CallWishes {
  std::shared_ptr<CancelToken> token;       ///< shared with whoever sets it; may be null
  std::chrono::milliseconds time_limit{0};  ///< 0: none
  CallProgress progress;

  /// kInterrupted while the token is set.
  Status check_cancelled() const;
};

/// The wishes for the calls on a database, which threads share.
/// Threads: all members may be called from any thread.
class CallSettings {
 public:
  /// `change` is given the wishes, with the lock held.
  void set(const std::function<void(CallWishes&)>& change);
  CallWishes wishes() const;

 private:
  mutable Mutex mutex_;  // a leaf
  CallWishes wishes_ BRAID_GUARDED_BY(mutex_);
};

/// Asks what is wished of one call, while it lives. Its clock starts when it is first asked: what ends before that need not read it.
class WatchedCall : public LongCall {
 public:
  /// The wishes outlive it.
  explicit WatchedCall(const CallWishes& wishes) : wishes_(wishes) {}
  /// It has succeeded: whoever follows it is told that all of it is done.
  void complete();

 protected:
  Status ask(double fraction) override;
  /// What is bounded begins anew.
  void restart() {
    started_.reset();
    ended_ = {};
  }

 private:
  Status ask_host(double fraction);
  const CallWishes& wishes_;
  std::optional<std::chrono::steady_clock::time_point> started_;
  std::chrono::steady_clock::time_point next_told_;
  double fraction_ = 0;  // that was told last
  Status ended_;         // what was answered to end it, and is answered again
};

/// Runs `body`, a call of which this is wished. Its success is told as the whole.
template <typename Body>
Status followed(const CallWishes& wishes, Body body) {
  WatchedCall call(wishes);
  BRAID_TRY(body());
  call.complete();
  return {};
}

}  // namespace braid
