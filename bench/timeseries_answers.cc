#include "bench/timeseries_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/harness.h"

namespace bench {
namespace {

std::string shown(const AnswerCell& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "NULL";
}

bool same(const AnswerCell& a, const AnswerCell& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return std::abs(*x - *y) <= 1e-9 * std::max(std::abs(*x), std::abs(*y));
}

}  // namespace

void SeriesAnswers::check(const std::string& question, bool ordered, std::string_view subject, AnswerTable answer) {
  if (!ordered) std::sort(answer.begin(), answer.end());
  const auto [known, is_new] = first_.try_emplace(question, First{std::string(subject), {}});
  auto& [other, expected] = known->second;
  if (is_new) {
    expected = std::move(answer);
    return;
  }
  if (answer.size() != expected.size())
    fail(fmt::format("{}: {} answers {} rows, and {} {}", question, other, expected.size(), subject, answer.size()));
  for (size_t row = 0; row < answer.size(); ++row) {
    if (answer[row].size() != expected[row].size())
      fail(fmt::format("{}: {} answers {} columns, and {} {}", question, other, expected[row].size(), subject, answer[row].size()));
    for (size_t i = 0; i < answer[row].size(); ++i) {
      if (same(answer[row][i], expected[row][i])) continue;
      fail(fmt::format("{}, row {}, column {}: {} answers {}, and {} {}", question, row, i, other, shown(expected[row][i]), subject,
                       shown(answer[row][i])));
    }
  }
}

}  // namespace bench
