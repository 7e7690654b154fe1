// Reading points of one hypertable in runs of rows: the base of scans by row, rollups and batches.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/catalog.h"
#include "engine/result.h"
#include "engine/store.h"
#include "timeseries/chunk_format.h"
#include "timeseries/point_block.h"
#include "timeseries/scan_options.h"

namespace braid {

class SeriesOverlay;

/// Consecutive rows of one series, none of them overwritten, or deleted unless the scan shows such rows. With `reversed` the order of the scan goes from the last row to the first.
struct PointRun {
  SeriesId series;
  const PointBlock* block = nullptr;  ///< valid until the next call
  size_t start = 0;
  size_t count = 0;
  bool reversed = false;
};

/// A block of a chunk file that no other source of its series overlaps, offered before it is read.
struct LoneBlock {
  const ChunkFooter& footer;
  const BlockEntry& entry;
  bool whole;  ///< all its rows are in the range
};

/// What became of a block that was offered.
enum class BlockUse : uint8_t {
  kRead,        ///< its rows are to be read
  kDone,        ///< they are not
  kSeriesDone,  ///< nor is what follows of its series; a run follows that may have no rows
};

/// Runs come in the order (series, time), a scan of very many chunk files gives them so for one part of the time after the other; each
/// (series, time) once with its latest write. Those of one series come by time.
/// Opens no file before the first `next`. One thread at a time; holds what it reads from. With an overlay it sees points staged before its
/// construction, and answers kInterrupted after their rollback.
class BlockScan {
 public:
  using Offer = std::function<BlockUse(const LoneBlock&)>;

  BlockScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
            SeriesScanOptions options, Offer offer = nullptr);
  ~BlockScan();
  BlockScan(BlockScan&&) noexcept;

  /// Moves to the next run; false at the end.
  Result<bool> next();
  const PointRun& run() const;
  /// Passes over what follows of the current series; the run is gone then.
  void skip_series();
  /// kInterrupted when what it reads was rolled back.
  Status check();
  SeriesScanCounts counts() const;

  /// The series that a scan with these options would visit, ascending.
  static Result<std::vector<SeriesId>> series_of(const std::shared_ptr<const StoreView>& base, const std::shared_ptr<const SeriesOverlay>& overlay,
                                                 const HypertableDefinition& table, const SeriesScanOptions& options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid
