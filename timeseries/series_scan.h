// Reading points of one hypertable in the order (series, time), each (series, time) once with its
// latest write.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/catalog.h"
#include "engine/result.h"
#include "engine/store.h"
#include "timeseries/filtered_scan.h"

namespace braid {

/// Opens no file before the first `next`. One thread at a time; holds what it reads from.
/// With an overlay it sees points staged before its construction, and answers kInterrupted after
/// their rollback.
class SeriesScan {
 public:
  /// `base` is the time-series StoreView; `overlay` may be null. All `filters` must hold.
  SeriesScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay,
             const HypertableDefinition& table, SeriesScanOptions options, const std::vector<FieldFilter>& filters = {});

  /// Moves to the next point; false at the end.
  Result<bool> next();
  SeriesId series() const { return scan_.series(); }
  Timestamp time() const { return Timestamp(scan_.block().times[rows_[row_]]); }
  /// Valid until the next call of `next`.
  FieldValue field(size_t index) const { return scan_.block().columns[index].value(rows_[row_]); }
  SeriesScanCounts counts() const { return scan_.counts(); }

 private:
  FilteredScan scan_;
  std::span<const uint32_t> rows_;  // of the scan's run
  size_t row_ = 0;                  // in them
};

}  // namespace braid
