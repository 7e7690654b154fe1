#include "engine/long_call.h"

namespace braid {

thread_local LongCall* LongCall::innermost_ = nullptr;

Status LongCall::check(double fraction) {
  for (LongCall* call = innermost_; call != nullptr; call = call->outer_) BRAID_TRY(call->ask(fraction));
  return {};
}

}  // namespace braid
