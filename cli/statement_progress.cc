#include "cli/statement_progress.h"

namespace braid::cli {

StatementProgress::StatementProgress(braid_connection* connection) : connection_(connection) {
  if (progress_.enabled()) braid_on_progress(connection_, show, this);
}

StatementProgress::~StatementProgress() {
  if (progress_.enabled()) braid_on_progress(connection_, nullptr, nullptr);
}

int32_t StatementProgress::show(void* self, double fraction) noexcept {
  constexpr double kParts = 1000;
  static_cast<StatementProgress*>(self)->progress_.show(
      {.what = "running", .position_bytes = static_cast<int64_t>(fraction * kParts), .size_bytes = static_cast<int64_t>(kParts), .counts_nothing = true});
  return 0;
}

}  // namespace braid::cli
