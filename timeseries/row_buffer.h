// Rows of one series copied from blocks that go, until they are enough for a block of their own.
#pragma once

#include <vector>

#include "timeseries/point_block.h"

namespace braid {

class RowBuffer {
 public:
  size_t rows() const { return block_.times.size(); }
  size_t text_bytes() const { return text_bytes_; }
  /// Copies rows [start, start + count), all of whose columns are loaded or null.
  void append(const PointBlock& from, size_t start, size_t count);
  /// The rows as a block; valid until the next `append` or `clear`.
  const PointBlock& block();
  void clear();

 private:
  PointBlock block_;
  size_t text_bytes_ = 0;
  std::vector<std::vector<size_t>> text_ends_;  // in text_bytes, of each column
};

}  // namespace braid
