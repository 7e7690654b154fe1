#include "timeseries/scan_cursor.h"

#include <algorithm>

namespace braid {

ScanCursor::ScanCursor(const ScanShape& shape, uint64_t rank,
                       std::shared_ptr<const ChunkReader> reader,
                       std::span<const BlockEntry> blocks, TimeRange range)
    : shape_(&shape), range_(range), rank_(rank), reader_(std::move(reader)), blocks_(blocks) {
  expect_block();
}

ScanCursor::ScanCursor(const ScanShape& shape, uint64_t rank, PointBlock rows)
    : shape_(&shape), range_(shape.range), rank_(rank), block_(std::move(rows)) {
  enter_block();
}

void ScanCursor::expect_block() {
  if (blocks_.empty()) return;
  const int64_t last = range_.limit.value() - 1;
  key_ = shape_->descending ? ~std::min(blocks_.back().time_max, last)
                            : std::max(blocks_.front().time_min, range_.start.value());
}

/// Stands on the first row of the block that is in range, in the order of the scan.
void ScanCursor::enter_block() {
  const auto& times = block_.times;
  const auto start = std::lower_bound(times.begin(), times.end(), range_.start.value());
  const auto limit = std::lower_bound(start, times.end(), range_.limit.value());
  loaded_ = start != limit;
  if (!loaded_) return;
  rows_left_ = static_cast<size_t>(limit - start) - 1;
  row_ = static_cast<size_t>((shape_->descending ? limit - 1 : start) - times.begin());
  key_ = shape_->key(times[row_]);
}

Status ScanCursor::load(SeriesScanCounts& counts) {
  const BlockEntry& next = shape_->descending ? blocks_.back() : blocks_.front();
  blocks_ = shape_->descending ? blocks_.first(blocks_.size() - 1) : blocks_.subspan(1);
  ++counts.blocks_read;
  BRAID_TRY(reader_->read_block(next, shape_->fields, block_));
  enter_block();
  if (!loaded_) expect_block();
  return Status();
}

void ScanCursor::advance() {
  if (rows_left_ == 0) {
    loaded_ = false;
    expect_block();
    return;
  }
  --rows_left_;
  row_ = shape_->descending ? row_ - 1 : row_ + 1;
  key_ = shape_->key(block_.times[row_]);
}

}  // namespace braid
