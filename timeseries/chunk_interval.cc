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

constexpr int64_t kHour = int64_t{3600} * 1'000'000;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kWidths[] = {kHour, 2 * kHour, 4 * kHour, 12 * kHour, kDay, 2 * kDay, 7 * kDay, 14 * kDay, 28 * kDay, 91 * kDay, 182 * kDay, 365 * kDay};
constexpr double kRowsWanted = 5e6;
constexpr double kBytesWanted = 128e6;
constexpr uint64_t kRowsTelling = 10'000;
constexpr size_t kIntervalsTelling = 3;

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

int64_t width_for(const PointRate& rate) {
  const double bytes_per_row = static_cast<double>(rate.size_bytes) / static_cast<double>(std::max<uint64_t>(rate.rows, 1));
  const double rows_wanted = std::min(kRowsWanted, kBytesWanted / std::max(bytes_per_row, 1.0));
  const double wanted = static_cast<double>(rate.span_us) / static_cast<double>(std::max<uint64_t>(rate.rows, 1)) * rows_wanted;
  int64_t width = kWidths[0];
  for (const int64_t usual : kWidths) {
    if (static_cast<double>(usual) <= wanted) width = usual;
  }
  return width;
}

std::optional<PointRate> newest_rate(HypertableId table, const std::map<ChunkId, ChunkDefinition>& chunks) {
  struct Interval {
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    uint64_t rows = 0;
    uint64_t size_bytes = 0;
  };
  std::map<Timestamp, Interval> intervals;
  for (const auto& [id, chunk] : chunks) {
    if (chunk.hypertable != table) continue;
    Interval& interval = intervals[chunk.interval.start];
    interval.first = std::min(interval.first, chunk.time_min.value());
    interval.last = std::max(interval.last, chunk.time_max.value());
    interval.rows += chunk.rows;
    interval.size_bytes += chunk.size_bytes;
  }
  PointRate rate;
  size_t told = 0;
  for (auto interval = intervals.rbegin(); interval != intervals.rend() && told < kIntervalsTelling; ++interval, ++told) {
    rate.rows += interval->second.rows;
    rate.size_bytes += interval->second.size_bytes;
    rate.span_us += interval->second.last - interval->second.first;
  }
  if (rate.rows < kRowsTelling || rate.span_us <= 0) return std::nullopt;
  return rate;
}

}  // namespace braid
