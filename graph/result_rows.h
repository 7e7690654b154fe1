// Filling an AlgorithmResult row by row, within its bound.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <variant>

#include "graph/algorithm.h"

namespace braid {

class ResultRows {
 public:
  ResultRows(AlgorithmResult& out, size_t columns, const AlgorithmContext& context) : out_(out), context_(context) {
    out.columns.resize(columns);
    base_bytes_ = context.memory == nullptr ? 0 : context.memory->reserved();
  }
  /// Room for so many rows of whole numbers, where their number is known. kLimit past rows_max.
  Status reserve_integers(size_t count) {
    if (count > context_.rows_max) return too_many();
    BRAID_TRY(context_.take(base_bytes_ + count * row_bytes()));
    for (ResultColumn& column : out_.columns) column.integers.reserve(count);
    return {};
  }
  /// One of those rows.
  template <typename... Integers>
  void add_integers(Integers... values) {
    size_t column = 0;
    (out_.columns[column++].integers.push_back(static_cast<int64_t>(values)), ...);
    ++out_.row_count;
  }
  /// A value for each column: kReal ones a double. kLimit past rows_max.
  Status add(std::initializer_list<std::variant<int64_t, double>> values) {
    if (out_.row_count >= context_.rows_max) {
      return too_many();
    }
    // Growing copies: both are there for a moment.
    if (out_.row_count % kRowsPerQuestion == 0) BRAID_TRY(context_.take(base_bytes_ + 3 * (out_.row_count + kRowsPerQuestion) * row_bytes()));
    ++out_.row_count;
    size_t column = 0;
    for (const auto& value : values) {
      if (const auto* integer = std::get_if<int64_t>(&value)) out_.columns[column].integers.push_back(*integer);
      if (const auto* real = std::get_if<double>(&value)) out_.columns[column].reals.push_back(*real);
      ++column;
    }
    return {};
  }

 private:
  static constexpr size_t kRowsPerQuestion = 4096;
  uint64_t row_bytes() const { return out_.columns.size() * sizeof(int64_t); }
  Status too_many() const {
    return Status(StatusCode::kLimit, fmt::format("the result has more than {} rows, as traversal_nodes_max allows", context_.rows_max));
  }

  AlgorithmResult& out_;
  const AlgorithmContext& context_;
  uint64_t base_bytes_ = 0;  // reserved before, for what is worked on
};

}  // namespace braid
