// Which chunk interval a time belongs to. The intervals of a table's chunks are equal or apart, whatever the table's width was when
// they were made: so chunks that may hold the same point are those of one interval.
#pragma once

#include <map>
#include <optional>

#include "engine/catalog.h"

namespace braid {

/// The intervals of one hypertable, those of its chunks first.
class ChunkIntervals {
 public:
  ChunkIntervals(const HypertableDefinition& table, const std::map<ChunkId, ChunkDefinition>& chunks);

  /// The interval that holds `time`: that of a chunk, else a multiple of the table's width counted from the epoch, cut
  /// where it meets the interval of a chunk or an end of time.
  TimeRange of(int64_t time) const;

 private:
  const int64_t width_;
  std::map<int64_t, int64_t> known_;  // limits of the chunks' intervals by their starts
};

/// How many points a table gets in how much time.
struct PointRate {
  uint64_t rows = 0;
  uint64_t size_bytes = 0;  ///< in chunk files
  int64_t span_us = 0;
};

/// A width with which an interval gets some millions of rows in some 100 MB: a usual one, from an hour to a year.
int64_t width_for(const PointRate& rate);
/// What the newest intervals of the table got; none when they tell too little.
std::optional<PointRate> newest_rate(HypertableId table, const std::map<ChunkId, ChunkDefinition>& chunks);

}  // namespace braid
