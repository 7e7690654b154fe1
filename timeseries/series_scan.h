// Reading points of one hypertable in the order (series, time), each (series, time) once with its
// latest write.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/column_data.h"
#include "engine/result.h"
#include "engine/store.h"
#include "timeseries/series_writer.h"

namespace braid {

struct SeriesScanOptions {
  TimeRange range;
  /// Ascending ids of the series to read; none means all series of the table.
  std::optional<std::vector<SeriesId>> series;
  /// Which fields are wanted: by field index; empty means all. A field not asked reads as null.
  std::vector<bool> fields;
  /// Latest first within a series (for "last n points").
  bool descending = false;
  /// Points that were taken away, and of which a source tells, come too: for rewriting chunks.
  bool shows_deleted = false;
};

/// What a scan touched, for tests and EXPLAIN-like output.
struct SeriesScanCounts {
  uint64_t chunks_pruned = 0;
  uint64_t blocks_pruned = 0;
  uint64_t blocks_read = 0;
};

/// Opens no file before the first `next`. One thread at a time; holds what it reads from.
/// With an overlay it sees points staged before its construction, and answers kInterrupted after
/// their rollback.
class SeriesScan {
 public:
  /// `base` is the time-series StoreView; `overlay` may be null.
  SeriesScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay,
             const HypertableDefinition& table, SeriesScanOptions options);
  ~SeriesScan();
  SeriesScan(SeriesScan&&) noexcept;

  /// Moves to the next point; false at the end.
  Result<bool> next();
  SeriesId series() const;
  Timestamp time() const;
  /// Only when they are shown: was the point taken away?
  bool deleted() const;
  /// Valid until the next call of `next`.
  FieldValue field(size_t index) const;
  SeriesScanCounts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid
