#include "timeseries/block_cursor.h"

#include <algorithm>

namespace braid {

BlockCursor::BlockCursor(const ScanShape& shape, uint64_t rank, std::shared_ptr<const ChunkReader> reader, std::span<const BlockEntry> blocks,
                         TimeRange range, FieldMapping mapping)
    : shape_(&shape), range_(range), rank_(rank), reader_(std::move(reader)), mapping_(std::move(mapping)), blocks_(blocks) {
  expect_block();
}

BlockCursor::BlockCursor(const ScanShape& shape, uint64_t rank, PointBlock rows)
    : shape_(&shape), range_(shape.range), rank_(rank), block_(std::move(rows)) {
  enter_block();
}

void BlockCursor::expect_block() {
  if (blocks_.empty()) return;
  const int64_t last = range_.limit.value() - 1;
  key_ = shape_->descending ? ~std::min(expected().time_max, last) : std::max(expected().time_min, range_.start.value());
}

int64_t BlockCursor::expected_last_key() const {
  const int64_t last = range_.limit.value() - 1;
  return shape_->descending ? ~std::max(expected().time_min, range_.start.value()) : std::min(expected().time_max, last);
}

void BlockCursor::skip() {
  blocks_ = shape_->descending ? blocks_.first(blocks_.size() - 1) : blocks_.subspan(1);
  expect_block();
}

/// Stands on the first row of the block that is in range, in the order of the scan.
void BlockCursor::enter_block() {
  const auto& times = block_.times;
  const auto start = std::lower_bound(times.begin(), times.end(), range_.start.value());
  const auto limit = std::lower_bound(start, times.end(), range_.limit.value());
  loaded_ = start != limit;
  if (!loaded_) return;
  rows_left_ = static_cast<size_t>(limit - start);
  row_ = static_cast<size_t>((shape_->descending ? limit - 1 : start) - times.begin());
  key_ = shape_->key(times[row_]);
}

Status BlockCursor::load(SeriesScanCounts& counts) {
  const BlockEntry& next = expected();
  blocks_ = shape_->descending ? blocks_.first(blocks_.size() - 1) : blocks_.subspan(1);
  ++counts.blocks_read;
  if (is_as_stored()) {
    BRAID_TRY(reader_->read_block(next, shape_->fields, block_));
  } else {
    BRAID_TRY(reader_->read_block(next, mapping_.columns_for(shape_->fields), block_));
    mapping_.apply(block_, shape_->fields);
  }
  enter_block();
  if (!loaded_) expect_block();
  return Status();
}

size_t BlockCursor::rows_before(int64_t bound) const {
  const auto& times = block_.times;
  const auto current = times.begin() + static_cast<ptrdiff_t>(row_);
  if (shape_->descending) {
    const auto last = current + 1 - static_cast<ptrdiff_t>(rows_left_);
    // Keys are complements: below the bound are the times above its complement.
    return static_cast<size_t>(current + 1 - std::upper_bound(last, current + 1, ~bound));
  }
  return static_cast<size_t>(std::lower_bound(current, current + static_cast<ptrdiff_t>(rows_left_), bound) - current);
}

size_t BlockCursor::rows_alike(size_t count) const {
  if (block_.deleted.empty()) return count;
  const bool deleted = is_deleted();
  size_t alike = 1;
  while (alike < count && block_.is_deleted(shape_->descending ? row_ - alike : row_ + alike) == deleted) ++alike;
  return alike;
}

void BlockCursor::advance(size_t count) {
  rows_left_ -= count;
  if (rows_left_ == 0) {
    loaded_ = false;
    expect_block();
    return;
  }
  row_ = shape_->descending ? row_ - count : row_ + count;
  key_ = shape_->key(block_.times[row_]);
}

}  // namespace braid
