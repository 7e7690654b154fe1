#include "engine/long_call.h"

namespace braid {

thread_local LongCall* LongCall::innermost_ = nullptr;
thread_local LongCall::Span LongCall::span_;

Status LongCall::check(double fraction) {
  if (innermost_ == nullptr) return {};
  double told = fraction == kCancelledOnly ? fraction : span_.start + span_.share * fraction;
  for (LongCall* call = innermost_; call != nullptr; call = call->outer_) {
    BRAID_TRY(call->ask(told));
    // How far an inner call is says nothing of the outer one.
    if (fraction != kCancelledOnly) told = call->outer_span_.start;
  }
  return {};
}

}  // namespace braid
