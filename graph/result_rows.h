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
  }
  /// A value for each column: kReal ones a double. kLimit past rows_max.
  Status add(std::initializer_list<std::variant<int64_t, double>> values) {
    if (out_.row_count >= context_.rows_max) {
      return Status(StatusCode::kLimit, fmt::format("the result has more than {} rows, as traversal_nodes_max allows", context_.rows_max));
    }
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
  AlgorithmResult& out_;
  const AlgorithmContext& context_;
};

}  // namespace braid
