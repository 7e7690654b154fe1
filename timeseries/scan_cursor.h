// One source of a scan for one series: the blocks of one chunk, or the unsealed rows. A cursor
// knows the first key of what it has not loaded yet, so that a block is read only when the scan
// arrives there.
#pragma once

#include <memory>
#include <span>

#include "timeseries/chunk_reader.h"
#include "timeseries/series_scan.h"

namespace braid {

/// What all cursors of a scan share.
struct ScanShape {
  TimeRange range;
  bool descending = false;
  std::vector<bool> fields;  // empty means all
  std::vector<FieldType> types;

  /// Times in the order of the scan ascend as keys. The complement turns the order around without
  /// overflow.
  int64_t key(int64_t time) const { return descending ? ~time : time; }
};

class ScanCursor {
 public:
  /// Over the rows in `range` of `blocks` of a chunk, which all touch it.
  ScanCursor(const ScanShape& shape, uint64_t rank, std::shared_ptr<const ChunkReader> reader,
             std::span<const BlockEntry> blocks, TimeRange range);
  /// Over rows in memory that are in range already.
  ScanCursor(const ScanShape& shape, uint64_t rank, PointBlock rows);

  /// At one key the greatest rank wins.
  uint64_t rank() const { return rank_; }
  bool at_end() const { return !loaded_ && blocks_.empty(); }
  /// Of the current row; before `load`, a lower bound of the next row's.
  int64_t key() const { return key_; }
  bool loaded() const { return loaded_; }
  /// Reads the next block; afterwards the cursor is loaded, or stands before a further block, or is
  /// at the end.
  Status load(SeriesScanCounts& counts);
  /// To the next row.
  void advance();

  int64_t time() const { return block_.times[row_]; }
  /// Does the row take the point away?
  bool deleted() const { return block_.is_deleted(row_); }
  FieldValue field(size_t index) const { return block_.columns[index].value(row_); }

 private:
  void enter_block();
  void expect_block();

  const ScanShape* shape_;
  TimeRange range_;
  uint64_t rank_;
  std::shared_ptr<const ChunkReader> reader_;
  std::span<const BlockEntry> blocks_;  // not loaded yet
  PointBlock block_;
  bool loaded_ = false;
  size_t row_ = 0;
  size_t rows_left_ = 0;  // of the block, the current one not counted
  int64_t key_ = 0;
};

}  // namespace braid
