// One source of a scan for one series: the blocks of one chunk, or the unsealed rows. A cursor knows the first key of what it has not loaded yet,
// so that a block is read only when the scan arrives there.
#pragma once

#include <memory>
#include <span>

#include "timeseries/chunk_reader.h"
#include "timeseries/field_mapping.h"
#include "timeseries/scan_options.h"

namespace braid {

/// What all cursors of a scan share.
struct ScanShape {
  TimeRange range;
  bool descending = false;
  std::vector<bool> fields;  // empty means all
  std::vector<FieldType> types;

  /// Times in the order of the scan ascend as keys. The complement turns the order around without overflow.
  int64_t key(int64_t time) const { return descending ? ~time : time; }
};

class BlockCursor {
 public:
  /// Over the rows in `range` of `blocks` of a chunk, which all touch it.
  BlockCursor(const ScanShape& shape, uint64_t rank, std::shared_ptr<const ChunkReader> reader, std::span<const BlockEntry> blocks, TimeRange range,
              FieldMapping mapping);
  /// Over rows in memory that are in range already.
  BlockCursor(const ScanShape& shape, uint64_t rank, PointBlock rows);

  /// At one key the greatest rank wins.
  uint64_t rank() const { return rank_; }
  bool at_end() const { return !loaded_ && blocks_.empty(); }
  bool loaded() const { return loaded_; }
  /// Of the current row; before `load`, a lower bound of the next row's.
  int64_t key() const { return key_; }

  // Before `load`, unless at the end:
  const BlockEntry& expected() const { return shape_->descending ? blocks_.back() : blocks_.front(); }
  /// The key of the last row of the expected block.
  int64_t expected_last_key() const;
  const ChunkReader& reader() const { return *reader_; }
  /// Are all rows of the expected block in the range?
  bool expects_whole() const { return expected().time_min >= range_.start.value() && expected().time_max < range_.limit.value(); }
  /// Are the chunk's columns the table's fields, as they are?
  bool is_as_stored() const { return mapping_.is_identity(); }
  /// Passes over the expected block.
  void skip();
  /// Reads the next block; afterwards the cursor is loaded, or stands before a further block, or is at the end.
  Status load(SeriesScanCounts& counts);

  // When loaded:
  const PointBlock& block() const { return block_; }
  /// Rows of the block from the current one on whose key is below `bound`; at least one if the current row's is.
  size_t rows_before(int64_t bound) const;
  size_t rows_left() const { return rows_left_; }
  /// Of the next `count` rows, how many in a row are deleted as the current one is, or are not as it is not.
  size_t rows_alike(size_t count) const;
  bool is_deleted() const { return block_.is_deleted(row_); }
  /// The place in the block of the current row.
  size_t row() const { return row_; }
  /// Past `count` rows of the block, at most rows_left().
  void advance(size_t count);

 private:
  void enter_block();
  void expect_block();

  const ScanShape* shape_;
  TimeRange range_;
  uint64_t rank_;
  std::shared_ptr<const ChunkReader> reader_;  // shared with the cache of open chunks
  FieldMapping mapping_;
  std::span<const BlockEntry> blocks_;         // not loaded yet
  PointBlock block_;
  bool loaded_ = false;
  size_t row_ = 0;
  size_t rows_left_ = 0;  // of the block, the current one counted
  int64_t key_ = 0;
};

}  // namespace braid
