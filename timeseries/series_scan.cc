#include "timeseries/series_scan.h"

#include <utility>

namespace braid {

SeriesScan::SeriesScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
                       SeriesScanOptions options, const std::vector<FieldFilter>& filters)
    : scan_(std::move(base), std::move(overlay), table, std::move(options), filters) {}

Result<bool> SeriesScan::next() {
  BRAID_TRY(scan_.check());
  if (!rows_.empty() && ++row_ < rows_.size()) return true;
  BRAID_ASSIGN(const bool more, scan_.next());
  rows_ = more ? scan_.rows() : std::span<const uint32_t>();
  row_ = 0;
  return more;
}

}  // namespace braid
