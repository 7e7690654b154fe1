// The latest write of one point in the base of a write transaction: its tail and its chunks.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "timeseries/series_view.h"

namespace braid {

/// Keeps the blocks that it read last, so that points of one series near one another cost one block.
/// Threads: the transaction's; the base is the newest view and the writer slot is held.
class PointProbe {
 public:
  explicit PointProbe(const SeriesView& base) : base_(base) {}

  Result<bool> exists(HypertableId table, SeriesId series, int64_t time);
  /// The point's fields, valid until the next call; none if there is no such point.
  Result<std::optional<std::vector<FieldValue>>> find(const HypertableDefinition& table, SeriesId series, int64_t time);

 private:
  struct CachedBlock {
    ChunkId chunk;
    const BlockEntry* entry = nullptr;
    std::shared_ptr<const ChunkReader> reader;  // keeps `entry` alive; shared with the open chunks
    PointBlock rows;
    StoredFields columns_of;  // the fields that `rows` has columns of
  };
  /// Where a point is: in the tail, or in a block of a chunk.
  struct Place {
    std::optional<TailPlace> tail;
    CachedBlock* block = nullptr;
    size_t row = 0;
  };
  Result<std::optional<Place>> place(HypertableId table, SeriesId series, int64_t time);
  std::optional<TailPlace> in_tail(const TailTable& table, SeriesId series, int64_t time) const;
  Result<std::optional<Place>> in_chunk(const ChunkHandle& chunk, SeriesId series, int64_t time);
  Status load_columns(CachedBlock& block, const HypertableDefinition& table);
  Result<CachedBlock*> load(ChunkId chunk, std::shared_ptr<const ChunkReader> reader, const BlockEntry& entry);
  bool is_hidden(HypertableId table, SeriesId series, int64_t time, Lsn applied) const;

  const SeriesView& base_;
  std::list<CachedBlock> blocks_;  // most recent first
  PointBlock unsealed_;            // the row of the tail that was found last
};

}  // namespace braid
