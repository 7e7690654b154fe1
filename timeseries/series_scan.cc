#include "timeseries/series_scan.h"

#include <utility>

namespace braid {

SeriesScan::SeriesScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
                       SeriesScanOptions options)
    : scan_(std::move(base), std::move(overlay), table, std::move(options)) {}

Result<bool> SeriesScan::next() {
  BRAID_TRY(scan_.check());
  if (next_ == run_.count) {
    BRAID_ASSIGN(const bool more, scan_.next());
    if (!more) return false;
    run_ = scan_.run();
    next_ = 0;
  }
  row_ = run_.reversed ? run_.start + run_.count - 1 - next_ : run_.start + next_;
  ++next_;
  return true;
}

}  // namespace braid
