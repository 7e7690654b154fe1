#include "timeseries/live_ranges.h"

#include <algorithm>

#include "timeseries/series_overlay.h"

namespace braid {
namespace {

/// Takes `hole` out of ranges that ascend and are apart.
void cut(std::vector<TimeRange>& ranges, const TimeRange& hole) {
  std::vector<TimeRange> left;
  for (const TimeRange& range : ranges) {
    if (hole.limit <= range.start || hole.start >= range.limit) {
      left.push_back(range);
      continue;
    }
    if (range.start < hole.start) left.push_back({range.start, hole.start});
    if (hole.limit < range.limit) left.push_back({hole.limit, range.limit});
  }
  ranges = std::move(left);
}

}  // namespace

LiveRanges::LiveRanges(const CatalogState& state, const SeriesOverlay* overlay, uint64_t position,
                       HypertableId table) {
  for (const auto& [id, deletion] : state.deletions) {
    if (deletion->hypertable == table) deletions_.push_back(deletion);
  }
  if (overlay == nullptr) return;
  for (const SeriesOverlay::Deletion& deletion : overlay->deletions()) {
    if (deletion.position < position && deletion.range->hypertable == table)
      staged_.push_back(deletion.range);
  }
}

std::vector<TimeRange> LiveRanges::of_tail(SeriesId series, TimeRange range) const {
  std::vector<TimeRange> ranges = {range};
  for (const auto& deletion : staged_) {
    if (deletion->covers(series)) cut(ranges, deletion->range);
  }
  return ranges;
}

std::vector<TimeRange> LiveRanges::of_chunk(SeriesId series, Lsn applied, TimeRange range) const {
  std::vector<TimeRange> ranges = of_tail(series, range);
  for (const auto& deletion : deletions_) {
    if (applied < deletion->lsn && deletion->covers(series)) cut(ranges, deletion->range);
  }
  return ranges;
}

}  // namespace braid
