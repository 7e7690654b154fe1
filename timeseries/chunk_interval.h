// Which chunk interval a time belongs to: multiples of the hypertable's interval, counted from the
// epoch.
#pragma once

#include "engine/catalog.h"

namespace braid {

/// The interval that holds `time`. Intervals next to the ends of time are cut there; without an
/// interval there is one.
inline TimeRange chunk_interval_of(const HypertableDefinition& table, int64_t time) {
  const int64_t width = table.chunk_interval_us;
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

}  // namespace braid
