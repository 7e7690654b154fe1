// Columns of points as values of a call, and back: the caller's structs reach the host as they are, faults included, and are judged there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/braid.h"
#include "api/served_session.h"

namespace braid {

/// Adds `times[count]` and `columns[column_count]` to the values of a call.
void add_columns(const int64_t* times, size_t count, const braid_column* columns, size_t column_count, std::vector<Value>& values);

/// What `add_columns` added from value `start` on.
class GivenColumns {
 public:
  /// False when the call does not hold what it claims.
  bool read(const CallArguments& given, size_t start);
  const int64_t* times() const { return has_times_ ? times_.data() : nullptr; }
  size_t count() const { return count_; }
  const braid_column* columns() const { return has_columns_ ? columns_.data() : nullptr; }
  size_t column_count() const { return column_count_; }

 private:
  bool read_column(const CallArguments& given, size_t& at, size_t i);

  size_t count_ = 0;
  size_t column_count_ = 0;
  bool has_times_ = false;
  bool has_columns_ = false;
  std::vector<int64_t> times_;
  std::vector<braid_column> columns_;
  std::vector<std::vector<const char*>> texts_;
  std::vector<std::vector<std::byte>> numbers_;
};

}  // namespace braid
