#include "cli/call_progress.h"

#include "cli/interrupt.h"

namespace braid::cli {

braid_watch CallProgress::watch() { return {sizeof(braid_watch), interrupt_token(), 0, show, this}; }

void CallProgress::show_bytes(uint64_t done, uint64_t all) {
  copies_ = done < all;
  progress_.show({.what = what_, .position_bytes = static_cast<int64_t>(done), .size_bytes = static_cast<int64_t>(all), .counts_bytes = true});
}

// A C function that calls back must not be thrown through: drawing allocates.
int32_t CallProgress::show(void* self, double fraction) noexcept {
  auto& shown = *static_cast<CallProgress*>(self);
  if (!shown.copies_) shown.progress_.show(fraction_state(shown.what_, fraction));
  return 0;
}

}  // namespace braid::cli
