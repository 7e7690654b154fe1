// variance and its kin, median, percentile_cont, histogram.
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "sql/aggregate_function.h"
#include "sql/number_argument.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

enum class Spread : uint8_t { kSample, kPopulation };

/// Source: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 1962.
template <Spread kSpread, bool kRoot>
class Variance final : public Aggregate {
 public:
  Status add(Values values) override {
    BRAID_ASSIGN(const auto x, number_of(values[0], "value"));
    if (!x) return {};
    if (!std::isfinite(*x)) {
      ++infinite_;
      return {};
    }
    ++count_;
    const double distance = *x - mean_;
    mean_ += distance / static_cast<double>(count_);
    squares_ += distance * (*x - mean_);
    return {};
  }
  Status remove(Values values) override {
    BRAID_ASSIGN(const auto x, number_of(values[0], "value"));
    if (!x) return {};
    if (!std::isfinite(*x)) {
      --infinite_;
      return {};
    }
    if (--count_ == 0) {
      mean_ = squares_ = 0;
      return {};
    }
    const double distance = *x - mean_;
    mean_ -= distance / static_cast<double>(count_);
    squares_ = std::max(squares_ - distance * (*x - mean_), 0.0);
    return {};
  }
  Status result(sqlite3_context* context) override {
    if (infinite_ > 0) return {};
    const int64_t degrees = kSpread == Spread::kSample ? count_ - 1 : count_;
    if (degrees <= 0) return {};
    // What overflows is infinite, as SQLite's sum has it.
    const double squares = std::isfinite(squares_) ? squares_ : std::numeric_limits<double>::infinity();
    const double variance = squares / static_cast<double>(degrees);
    sqlite3_result_double(context, kRoot ? std::sqrt(variance) : variance);
    return {};
  }

 private:
  int64_t count_ = 0;  // of finite values
  double mean_ = 0;
  double squares_ = 0;  // of the distances from the mean
  int64_t infinite_ = 0;  // values, among which there is no mean
};

/// Exact: all numbers are kept.
class ContinuousPercentile : public Aggregate {
 public:
  static constexpr size_t kNumbersMax = size_t{1} << 23;  // 64 MB

  Status add(Values values) override {
    if (values.size() > 1) {
      BRAID_ASSIGN(fraction_, fraction_of(values[1], "fraction"));
    }
    BRAID_ASSIGN(const auto x, number_of(values[0], "value"));
    if (!x) return {};
    if (numbers_.size() >= kNumbersMax)
      return Status(StatusCode::kLimit, fmt::format("more than {} numbers in one group; percentile(value, fraction) needs little memory for any number of them",
                                                    kNumbersMax));
    numbers_.push_back(*x);
    return {};
  }
  Status remove(Values values) override {
    if (sqlite3_value_type(values[0]) != SQLITE_NULL) numbers_.pop_front();
    return {};
  }
  Status result(sqlite3_context* context) override {
    if (numbers_.empty()) return {};
    std::vector<double> sorted(numbers_.begin(), numbers_.end());
    const double place = fraction_ * static_cast<double>(sorted.size() - 1);
    const auto lower = sorted.begin() + static_cast<ptrdiff_t>(std::floor(place));
    std::nth_element(sorted.begin(), lower, sorted.end());
    const double below = *lower;
    const double share = place - std::floor(place);
    const double above = share == 0 ? below : *std::min_element(lower + 1, sorted.end());
    sqlite3_result_double(context, below == above ? below : below * (1 - share) + above * share);
    return {};
  }

 private:
  std::deque<double> numbers_;
  double fraction_ = 0.5;
};

/// Counters: below the least, `buckets` of equal width, at or above the greatest.
class Histogram final : public Aggregate {
 public:
  static constexpr int64_t kBucketsMax = 100'000;

  Status add(Values values) override { return count(values, 1); }
  Status remove(Values values) override { return count(values, -1); }
  Status result(sqlite3_context* context) override {
    if (counters_.empty()) return {};
    std::string text = "[";
    for (const int64_t counter : counters_) text += fmt::format("{}{}", text.size() > 1 ? "," : "", counter);
    result_text(context, text + "]");
    sqlite3_result_subtype(context, 'J');
    return {};
  }

 private:
  Status count(Values values, int64_t change) {
    BRAID_ASSIGN(const auto x, number_of(values[0], "value"));
    if (!x) return {};
    BRAID_ASSIGN(const auto least, number_of(values[1], "min"));
    BRAID_ASSIGN(const auto most, number_of(values[2], "max"));
    if (!least || !most || !(*least < *most)) return Status(StatusCode::kInvalidArgument, "min must be less than max");
    BRAID_ASSIGN(const int64_t buckets, whole_number_of(values[3], "buckets", 1, kBucketsMax));
    const auto size = static_cast<size_t>(buckets) + 2;
    if (counters_.empty()) counters_.assign(size, 0);
    if (counters_.size() != size) return Status(StatusCode::kInvalidArgument, "the number of buckets must not change between rows");
    counters_[place(*x, *least, *most, buckets)] += change;
    return {};
  }
  static size_t place(double x, double least, double most, int64_t buckets) {
    if (x < least) return 0;
    if (x >= most) return static_cast<size_t>(buckets) + 1;
    // Halves, where the distance itself is no finite number.
    const double share = std::isfinite(most - least) ? (x - least) / (most - least) : (x / 2 - least / 2) / (most / 2 - least / 2);
    return static_cast<size_t>(std::min(static_cast<int64_t>(share * static_cast<double>(buckets)), buckets - 1)) + 1;
  }

  std::vector<int64_t> counters_;
};

}  // namespace

Status register_statistic_functions(Connection& connection) {
  static const AggregateFunction kFunctions[] = {
      {"variance", 1, make_aggregate<Variance<Spread::kSample, false>>},
      {"var_samp", 1, make_aggregate<Variance<Spread::kSample, false>>},
      {"var_pop", 1, make_aggregate<Variance<Spread::kPopulation, false>>},
      {"stddev", 1, make_aggregate<Variance<Spread::kSample, true>>},
      {"stddev_samp", 1, make_aggregate<Variance<Spread::kSample, true>>},
      {"stddev_pop", 1, make_aggregate<Variance<Spread::kPopulation, true>>},
      {"median", 1, make_aggregate<ContinuousPercentile>},
      {"percentile_cont", 2, make_aggregate<ContinuousPercentile>},
      {"histogram", 4, make_aggregate<Histogram>},
  };
  for (const AggregateFunction& function : kFunctions) BRAID_TRY(register_aggregate(connection, function));
  return {};
}

}  // namespace braid
