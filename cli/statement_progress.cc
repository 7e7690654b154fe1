#include "cli/statement_progress.h"

namespace braid::cli {

namespace {

/// The clock is not read for every row.
constexpr int64_t kRowsPerLook = 256;

}  // namespace

StatementProgress::StatementProgress(braid_connection* connection) : connection_(connection) {
  if (progress_.enabled()) braid_on_progress(connection_, show, this);
}

StatementProgress::~StatementProgress() {
  if (progress_.enabled()) braid_on_progress(connection_, nullptr, nullptr);
}

void StatementProgress::row() {
  ++rows_;
  if (rows_ % kRowsPerLook == 0) draw(0);
}

void StatementProgress::draw(double fraction) {
  if (fraction > 0) progress_.show(fraction_state("running", fraction));
  else progress_.show({.what = "running", .rows = rows_, .has_no_end = true});
}

int32_t StatementProgress::show(void* self, double fraction) noexcept {
  static_cast<StatementProgress*>(self)->draw(fraction);
  return 0;
}

}  // namespace braid::cli
