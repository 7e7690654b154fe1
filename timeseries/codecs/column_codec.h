// A stripe: one column of one block, nulls first, then the values that are not null by the codec of
// the type.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "timeseries/point_block.h"

namespace braid {

/// How a stripe begins. Values are frozen: they are stored.
enum class NullMap : uint8_t { kNone = 0, kBitmap = 1, kAll = 2 };

/// Appends the stripe of rows [start, start + count) of a column; at most kBlockRowsMax.
void encode_column(const PointColumn& column, size_t start, size_t count, std::string& out);

/// Fills `out` (whose type is set) with `count` rows; false on damage. Memory is bounded by the row
/// count, the stripe's size and kInflatedBytesMax.
bool decode_column(std::string_view stripe, size_t count, PointColumn& out);

}  // namespace braid
