// Conditions on fields of numbers, judged by a block's statistics and applied to its rows.
#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "engine/column_data.h"
#include "timeseries/block_statistics.h"
#include "timeseries/point_block.h"

namespace braid {

enum class FilterOperator : uint8_t { kLess, kLessOrEqual, kEqual, kNotEqual, kGreaterOrEqual, kGreater, kIsNull, kIsNotNull };

/// A condition on a field of numbers or booleans. NULL and NaN pass kIsNull only. Integers and doubles are compared exactly, as SQLite does.
struct FieldFilter {
  size_t field = 0;
  FilterOperator op = FilterOperator::kIsNotNull;
  std::variant<int64_t, double> value;
};

/// A filter in the terms of its column's type. Immutable.
class FieldCondition {
 public:
  FieldCondition(const FieldFilter& filter, FieldType type);

  size_t field() const { return field_; }

  enum class Verdict : uint8_t { kNoRow, kSomeRows, kAllRows };
  /// What the statistics of a block of `rows` rows say.
  Verdict judge(const ColumnStatistics& statistics, uint32_t rows) const;
  /// Clears `selected[i]` where row start + i does not pass.
  void apply(const PointColumn& column, size_t start, std::span<uint8_t> selected) const;

 private:
  enum class Kind : uint8_t { kNever, kIsNull, kHasValue, kCompare };
  void compare_reals_with(int64_t value);
  void compare_integers_with(double value);
  template <typename Value>
  Verdict judge_range(Value least, Value greatest, Value bound) const;
  template <typename Value>
  void select(const Value* values, const uint8_t* nulls, Value bound, std::span<uint8_t> selected) const;

  size_t field_;
  FieldType type_;
  FilterOperator op_;
  Kind kind_ = Kind::kCompare;
  int64_t integer_ = 0;
  double real_ = 0;
};

}  // namespace braid
