#include "timeseries/block_statistics.h"

#include <bit>
#include <cmath>

#include "timeseries/wide_integer.h"

namespace braid {
namespace {

struct IntegerSum {
  WideInteger total = 0;
  void add(int64_t value) { total += value; }
  void store(ColumnStatistics& out) const {
    out.sum_low = low_half(total);
    out.sum_high = high_half(total);
  }
};

struct RealSum {
  double total = 0;
  void add(double value) { total += value; }
  void store(ColumnStatistics& out) const { out.sum_low = std::bit_cast<uint64_t>(total); }
};

bool counts(int64_t) { return true; }
bool counts(double value) { return !std::isnan(value); }

template <typename Sum, typename Value>
void fold(const std::vector<Value>& values, const PointColumn& column, size_t start, size_t count,
          ColumnStatistics& out) {
  Sum sum;
  Value low{};
  Value high{};
  Value first{};
  Value last{};
  for (size_t row = start; row < start + count; ++row) {
    const Value value = values[row];
    if (column.is_null(row) || !counts(value)) continue;
    if (out.value_count == 0) first = low = high = value;
    if (value < low) low = value;
    if (value > high) high = value;
    last = value;
    sum.add(value);
    ++out.value_count;
  }
  if (out.value_count == 0) return;
  out.min = std::bit_cast<uint64_t>(low);
  out.max = std::bit_cast<uint64_t>(high);
  out.first = std::bit_cast<uint64_t>(first);
  out.last = std::bit_cast<uint64_t>(last);
  sum.store(out);
}

}  // namespace

ColumnStatistics statistics_of(const PointColumn& column, size_t start, size_t count,
                               std::span<const uint8_t> deleted) {
  ColumnStatistics out;
  for (size_t row = start; row < start + count; ++row) {
    if (column.is_null(row) && (deleted.empty() || deleted[row] == 0)) ++out.null_count;
  }
  switch (column.type) {
    case FieldType::kDouble:
      fold<RealSum>(column.reals, column, start, count, out);
      break;
    case FieldType::kInt64:
    case FieldType::kBool:
      fold<IntegerSum>(column.integers, column, start, count, out);
      break;
    case FieldType::kText:
    case FieldType::kJson:
      break;
  }
  return out;
}

}  // namespace braid
