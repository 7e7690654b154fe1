#include "timeseries/chunk_interval.h"

#include <algorithm>

namespace braid {
namespace {

TimeRange multiple_of(int64_t width, int64_t time) {
  if (width <= 0) return TimeRange{};
  int64_t rest = time % width;
  if (rest < 0) rest += width;
  TimeRange out;
  int64_t start;
  int64_t limit;
  if (!__builtin_sub_overflow(time, rest, &start)) out.start = Timestamp(start);
  if (!__builtin_add_overflow(time, width - rest, &limit)) out.limit = Timestamp(limit);
  return out;
}

}  // namespace

ChunkIntervals::ChunkIntervals(const HypertableDefinition& table,
                               const std::map<ChunkId, ChunkDefinition>& chunks)
    : width_(table.chunk_interval_us) {
  for (const auto& [id, chunk] : chunks) {
    if (chunk.hypertable == table.id)
      known_[chunk.interval.start.value()] = chunk.interval.limit.value();
  }
}

TimeRange ChunkIntervals::of(int64_t time) const {
  TimeRange out = multiple_of(width_, time);
  const auto after = known_.upper_bound(time);
  if (after != known_.end()) out.limit = std::min(out.limit, Timestamp(after->first));
  if (after == known_.begin()) return out;
  const auto& [start, limit] = *std::prev(after);
  if (time < limit) return {Timestamp(start), Timestamp(limit)};
  out.start = std::max(out.start, Timestamp(limit));
  return out;
}

}  // namespace braid
