#include "timeseries/field_filter.h"

#include <bit>
#include <cmath>

#include "timeseries/wide_integer.h"

namespace braid {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

bool is_greater(FilterOperator op) { return op == FilterOperator::kGreater || op == FilterOperator::kGreaterOrEqual; }
bool is_less(FilterOperator op) { return op == FilterOperator::kLess || op == FilterOperator::kLessOrEqual; }

template <typename Value>
bool holds(FilterOperator op, Value value, Value bound) {
  switch (op) {
    case FilterOperator::kLess: return value < bound;
    case FilterOperator::kLessOrEqual: return value <= bound;
    case FilterOperator::kEqual: return value == bound;
    case FilterOperator::kNotEqual: return value != bound;
    case FilterOperator::kGreaterOrEqual: return value >= bound;
    case FilterOperator::kGreater: return value > bound;
    case FilterOperator::kIsNull:
    case FilterOperator::kIsNotNull: break;
  }
  return false;
}

bool has_value(int64_t) { return true; }
bool has_value(double value) { return value == value; }

}  // namespace

FieldCondition::FieldCondition(const FieldFilter& filter, FieldType type) : field_(filter.field), type_(type), op_(filter.op) {
  if (op_ == FilterOperator::kIsNull) {
    kind_ = Kind::kIsNull;
    return;
  }
  if (op_ == FilterOperator::kIsNotNull) {
    kind_ = Kind::kHasValue;
    return;
  }
  const auto* whole = std::get_if<int64_t>(&filter.value);
  const double real = whole != nullptr ? 0 : std::get<double>(filter.value);
  if (type_ == FieldType::kDouble) {
    real_ = real;
    if (whole != nullptr) compare_reals_with(*whole);
  } else {
    if (whole != nullptr) integer_ = *whole;
    else compare_integers_with(real);
  }
  if (whole == nullptr && std::isnan(real)) kind_ = Kind::kNever;
}

/// No double lies between an integer and the double next to it, so an integer that is no double is compared by way of that.
void FieldCondition::compare_reals_with(int64_t value) {
  real_ = static_cast<double>(value);
  const auto distance = static_cast<WideInteger>(real_) - value;
  if (distance == 0) return;
  if (op_ == FilterOperator::kEqual) kind_ = Kind::kNever;
  if (op_ == FilterOperator::kNotEqual) kind_ = Kind::kHasValue;
  const bool above = distance > 0;
  if (is_less(op_)) op_ = above ? FilterOperator::kLess : FilterOperator::kLessOrEqual;
  if (is_greater(op_)) op_ = above ? FilterOperator::kGreaterOrEqual : FilterOperator::kGreater;
}

void FieldCondition::compare_integers_with(double value) {
  if (std::isnan(value)) return;
  const bool too_great = value >= kTwoTo63;
  if (too_great || value < -kTwoTo63) {
    const bool all = op_ == FilterOperator::kNotEqual || (too_great ? is_less(op_) : is_greater(op_));
    kind_ = all ? Kind::kHasValue : Kind::kNever;
    return;
  }
  const double below = std::floor(value);
  integer_ = static_cast<int64_t>(below);
  if (below == value) return;
  // The bound lies between two integers, of which `integer_` is the lower one.
  if (op_ == FilterOperator::kEqual) kind_ = Kind::kNever;
  if (op_ == FilterOperator::kNotEqual) kind_ = Kind::kHasValue;
  if (is_less(op_)) op_ = FilterOperator::kLessOrEqual;
  if (is_greater(op_)) op_ = FilterOperator::kGreater;
}

template <typename Value>
FieldCondition::Verdict FieldCondition::judge_range(Value least, Value greatest, Value bound) const {
  const bool first = holds(op_, least, bound);
  const bool last = holds(op_, greatest, bound);
  switch (op_) {
    case FilterOperator::kEqual:
      if (first && last) return Verdict::kAllRows;
      return bound < least || bound > greatest ? Verdict::kNoRow : Verdict::kSomeRows;
    case FilterOperator::kNotEqual:
      if (!first && !last) return Verdict::kNoRow;
      return bound < least || bound > greatest ? Verdict::kAllRows : Verdict::kSomeRows;
    default:
      if (first && last) return Verdict::kAllRows;
      return first || last ? Verdict::kSomeRows : Verdict::kNoRow;
  }
}

FieldCondition::Verdict FieldCondition::judge(const ColumnStatistics& statistics, uint32_t rows) const {
  const uint32_t values = statistics.value_count;
  if (kind_ == Kind::kNever) return Verdict::kNoRow;
  if (kind_ == Kind::kIsNull) return values == rows ? Verdict::kNoRow : values == 0 ? Verdict::kAllRows : Verdict::kSomeRows;
  if (values == 0) return Verdict::kNoRow;
  Verdict verdict = Verdict::kAllRows;
  if (kind_ == Kind::kCompare) {
    verdict = type_ == FieldType::kDouble
                  ? judge_range(std::bit_cast<double>(statistics.min), std::bit_cast<double>(statistics.max), real_)
                  : judge_range(static_cast<int64_t>(statistics.min), static_cast<int64_t>(statistics.max), integer_);
  }
  return verdict == Verdict::kAllRows && values < rows ? Verdict::kSomeRows : verdict;
}

template <typename Value>
void FieldCondition::select(const Value* values, const uint8_t* nulls, Value bound, std::span<uint8_t> selected) const {
  const auto each = [&](auto passes) {
    if (nulls != nullptr) {
      for (size_t i = 0; i < selected.size(); ++i) selected[i] &= static_cast<uint8_t>(passes(values[i], nulls[i] != 0));
    } else {
      for (size_t i = 0; i < selected.size(); ++i) selected[i] &= static_cast<uint8_t>(passes(values[i], false));
    }
  };
  // One loop for each operator, so that it can be kept in vector registers.
  const auto compare = [&](auto matches) { each([&](Value value, bool null) { return !null && matches(value); }); };
  if (kind_ == Kind::kNever) return each([](Value, bool) { return false; });
  if (kind_ == Kind::kIsNull) return each([](Value value, bool null) { return null || !has_value(value); });
  if (kind_ == Kind::kHasValue) return each([](Value value, bool null) { return !null && has_value(value); });
  switch (op_) {
    case FilterOperator::kLess: return compare([bound](Value value) { return value < bound; });
    case FilterOperator::kLessOrEqual: return compare([bound](Value value) { return value <= bound; });
    case FilterOperator::kEqual: return compare([bound](Value value) { return value == bound; });
    case FilterOperator::kNotEqual: return compare([bound](Value value) { return has_value(value) && value != bound; });
    case FilterOperator::kGreaterOrEqual: return compare([bound](Value value) { return value >= bound; });
    case FilterOperator::kGreater: return compare([bound](Value value) { return value > bound; });
    case FilterOperator::kIsNull:
    case FilterOperator::kIsNotNull: return;
  }
}

void FieldCondition::apply(const PointColumn& column, size_t start, std::span<uint8_t> selected) const {
  const uint8_t* nulls = column.nulls.empty() ? nullptr : column.nulls.data() + start;
  if (type_ == FieldType::kDouble) select(column.reals.data() + start, nulls, real_, selected);
  else select(column.integers.data() + start, nulls, integer_, selected);
}

}  // namespace braid
