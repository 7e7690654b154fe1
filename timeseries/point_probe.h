// Is there a point at this series and time already? Answers for the base of a write transaction:
// its tail and its chunks.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "timeseries/series_view.h"

namespace braid {

/// Keeps what it read last, so that late points of one series near one another cost one block.
/// Threads: the transaction's; the base is the newest view and the writer slot is held.
class PointProbe {
 public:
  explicit PointProbe(const SeriesView& base) : base_(base) {}

  /// `drop_limit`: points of the base before it are dropped by the transaction.
  Result<bool> exists(const HypertableDefinition& table, SeriesId series, int64_t time,
                      std::optional<Timestamp> drop_limit);

 private:
  struct CachedBlock {
    ChunkId chunk;
    const BlockEntry* entry = nullptr;
    std::vector<int64_t> times;
  };
  bool in_tail(const TailTable& table, SeriesId series, int64_t time) const;
  Result<bool> in_chunk(const ChunkHandle& chunk, SeriesId series, int64_t time);

  const SeriesView& base_;
  std::shared_ptr<const ChunkReader> reader_;  // keeps `block_.entry` alive
  CachedBlock block_;
};

}  // namespace braid
