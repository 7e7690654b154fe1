// What deletions of ranges leave of a hypertable's chunks: they hide points, which compaction removes later.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/catalog.h"

namespace braid {

class SeriesOverlay;

/// The deletions that a reader of one hypertable sees. Immutable.
class LiveRanges {
 public:
  /// Those of the catalog, and those staged in `overlay` (which may be null) before `position`.
  LiveRanges(const CatalogState& state, const SeriesOverlay* overlay, uint64_t position,
             HypertableId table);

  /// Nothing is hidden from anyone.
  bool empty() const { return deletions_.empty() && staged_.empty(); }
  /// What is left of `range` for points of the series in a chunk whose `applied` is given: ascending, apart.
  std::vector<TimeRange> of_chunk(SeriesId series, Lsn applied, TimeRange range) const;
  /// The same for points in the tail, from which what was committed is hidden already.
  std::vector<TimeRange> of_tail(SeriesId series, TimeRange range) const;

 private:
  using Deletions = std::vector<std::shared_ptr<const RangeDeletion>>;  // shared with the catalog and the overlay
  Deletions deletions_;
  Deletions staged_;
};

}  // namespace braid
