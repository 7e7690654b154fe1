// Reading points of one hypertable in the order (series, time), each (series, time) once with its
// latest write.
#pragma once

#include <memory>

#include "engine/catalog.h"
#include "engine/result.h"
#include "engine/store.h"
#include "timeseries/block_scan.h"

namespace braid {

/// Opens no file before the first `next`. One thread at a time; holds what it reads from.
/// With an overlay it sees points staged before its construction, and answers kInterrupted after
/// their rollback.
class SeriesScan {
 public:
  /// `base` is the time-series StoreView; `overlay` may be null.
  SeriesScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay,
             const HypertableDefinition& table, SeriesScanOptions options);

  /// Moves to the next point; false at the end.
  Result<bool> next();
  SeriesId series() const { return run_.series; }
  Timestamp time() const { return Timestamp(run_.block->times[row_]); }
  /// Valid until the next call of `next`.
  FieldValue field(size_t index) const { return run_.block->columns[index].value(row_); }
  SeriesScanCounts counts() const { return scan_.counts(); }

 private:
  BlockScan scan_;
  PointRun run_;
  size_t next_ = 0;  // rows of the run before the next one, in the order of the scan
  size_t row_ = 0;   // the current one, in the run's block
};

}  // namespace braid
