// What a scan of a hypertable reads, and what it touched.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/types.h"

namespace braid {

struct SeriesScanOptions {
  TimeRange range;
  /// Ascending ids of the series to read; none means all series of the table.
  std::optional<std::vector<SeriesId>> series;
  /// Which fields are wanted: by field index; empty means all. A field not asked reads as null.
  std::vector<bool> fields;
  /// Latest first within a series (for "last n points").
  bool descending = false;
  /// All points of a series together, however many files that opens.
  bool one_part = false;
  /// Points that were taken away, and of which a source tells, come too: for rewriting chunks.
  bool shows_deleted = false;
};

/// What a scan touched, for tests and EXPLAIN-like output.
struct SeriesScanCounts {
  uint64_t chunks_pruned = 0;
  uint64_t blocks_pruned = 0;
  uint64_t blocks_read = 0;
};

}  // namespace braid
