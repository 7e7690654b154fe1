// Makes the chunks of one interval one again: late points, replaced and deleted ones have left files that lie over one another.
//
// The newest chunks of the interval are merged block by block into a file that takes their place, so that what wins over what does not change.
// Points that deleted ranges hide are left out; deleted points too, unless older chunks of the interval stay.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "engine/store.h"
#include "timeseries/block_scan.h"
#include "timeseries/chunk_set.h"
#include "timeseries/series_index.h"
#include "timeseries/chunk_writer.h"
#include "timeseries/row_buffer.h"

namespace braid {

/// What to merge: chunks of one interval, the newest ones, by id.
struct CompactionPlan {
  HypertableId table;
  std::vector<ChunkId> inputs;
  bool keeps_deleted = false;  ///< older chunks of the interval stay
  bool compress = false;
};

/// With a hypertable, its next interval that is not one chunk without anything deleted, and compressed if that is wished. Else what is worth it: chunks of like
/// size, or much that is deleted. None when nothing is to do.
std::optional<CompactionPlan> choose_compaction(const CatalogState& state, const RewriteWish& wish);

/// What a compaction stands on; all of it is of the moment when it was begun.
struct CompactionBase {
  std::shared_ptr<ChunkFiles> files;          ///< shared with chunk handles
  std::shared_ptr<const CatalogState> state;  ///< shared with views of that version
  std::shared_ptr<const ChunkSet> chunks;     ///< the same
  std::shared_ptr<SeriesIndex> index;         ///< shared with views
  Lsn newest;
  ChunkId output;
};

class Compaction final : public StoreRewrite {
 public:
  /// `count` is raised when it is installed.
  Compaction(CompactionBase base, CompactionPlan plan, std::atomic<uint64_t>& count);

  Result<bool> write_some() override;
  bool install(CatalogWriter& catalog) override;
  void end(bool committed) override;

 private:
  Status open();
  Status add(const PointRun& run);
  Status flush();
  Status finish();

  const CompactionBase base_;
  const CompactionPlan plan_;
  const HypertableDefinition table_;
  std::atomic<uint64_t>& count_;
  ChunkDefinition output_;
  std::unique_ptr<BlockScan> scan_;  // null before the first step
  std::unique_ptr<ChunkWriter> writer_;
  SeriesId series_;  // of the rows that wait
  RowBuffer waiting_;
};

}  // namespace braid
