#include "timeseries/percentile_sketch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <functional>
#include <random>

#include "timeseries/line_totals.h"
#include "timeseries/point_series.h"

using namespace braid;

namespace {

/// Every quantile lies within the error that the sketch tells, measured against the sorted numbers.
void check_quantiles(PercentileSketch& sketch, std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  REQUIRE(sketch.count() == numbers.size());
  const double error = sketch.error() * (1 + 1e-9);
  for (const double fraction : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
    const double exact = numbers[static_cast<size_t>(std::floor(fraction * static_cast<double>(numbers.size() - 1)))];
    CAPTURE(fraction);
    CHECK(std::abs(*sketch.quantile(fraction) - exact) <= error * std::abs(exact) + DBL_MIN);
  }
}

std::vector<double> drawn(size_t count, const std::function<double()>& next) {
  std::vector<double> numbers(count);
  std::generate(numbers.begin(), numbers.end(), next);
  return numbers;
}

}  // namespace

TEST_CASE("quantiles lie within the error told, whatever the distribution") {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(0, 50);
  std::lognormal_distribution<double> skewed(3, 4);
  std::uniform_real_distribution<double> exponent(-300, 300);
  std::uniform_int_distribution<int> whole(-20, 20);
  const std::vector<std::function<double()>> shapes = {[&] { return normal(random); }, [&] { return skewed(random); },
                                                       [&] { return std::pow(10, exponent(random)) * (random() % 2 == 0 ? 1 : -1); },
                                                       [&] { return whole(random); }, [&] { return 7.0; }};
  for (const auto& shape : shapes)
    for (const size_t count : {size_t{1}, size_t{2}, size_t{100}, size_t{30'000}}) {
      const auto numbers = drawn(count, shape);
      PercentileSketch sketch;
      for (const double number : numbers) sketch.add(number);
      check_quantiles(sketch, numbers);
    }
}

TEST_CASE("the error stays small for numbers of usual ranges") {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> exponent(0, 6);
  PercentileSketch sketch;
  for (int i = 0; i < 50'000; ++i) sketch.add(std::pow(10, exponent(random)));
  (void)sketch.quantile(0.5);
  CHECK(sketch.error() <= 0.0041);
}

TEST_CASE("merged sketches are those of all numbers, and survive their bytes") {
  std::mt19937_64 random(5);
  std::lognormal_distribution<double> skewed(0, 6);
  PercentileSketch whole, merged;
  std::vector<double> numbers;
  for (int part = 0; part < 9; ++part) {
    PercentileSketch one;
    for (int i = 0; i < 3000; ++i) {
      const double number = skewed(random) * (part % 2 == 0 ? 1 : -1);
      numbers.push_back(number);
      whole.add(number);
      one.add(number);
    }
    const auto read = PercentileSketch::decode(one.encode());
    REQUIRE(read.ok());
    merged.merge(*read);
  }
  CHECK(merged.encode() == whole.encode());
  CHECK(merged.encode().size() < 16'384);
  check_quantiles(merged, numbers);
}

TEST_CASE("ranks, infinities and nothing") {
  PercentileSketch sketch;
  CHECK(!sketch.quantile(0.5));
  CHECK(!sketch.rank(1));
  for (int i = -50; i <= 50; ++i) sketch.add(i);
  sketch.add(NAN);
  CHECK(sketch.count() == 101);
  CHECK(*sketch.rank(0) == doctest::Approx(50 / 101.0));
  CHECK(*sketch.rank(-100) == 0);
  CHECK(*sketch.rank(100) == 1);
  sketch.add(INFINITY);
  sketch.add(-INFINITY);
  CHECK(*sketch.quantile(1) == INFINITY);
  CHECK(*sketch.quantile(0) == -INFINITY);
  CHECK(*sketch.rank(INFINITY) == doctest::Approx(102 / 103.0));
  CHECK(*sketch.rank(-INFINITY) == 0);
}

TEST_CASE("infinities are told from the greatest finite numbers at every level, also when stored and merged") {
  PercentileSketch sketch;
  for (int exponent = -1000; exponent <= 1000; ++exponent) {
    sketch.add(std::ldexp(1.0, exponent));
    sketch.add(-std::ldexp(1.0, exponent));
  }
  for (int i = 0; i < 2001; ++i) sketch.add(i % 2 == 0 ? INFINITY : -INFINITY);
  sketch.add(DBL_MAX);
  auto read = PercentileSketch::decode(sketch.encode());
  REQUIRE(read.ok());
  PercentileSketch merged;
  merged.merge(read.take());
  for (PercentileSketch* one : {&sketch, &merged}) {
    CHECK(*one->quantile(0.1) == -INFINITY);
    CHECK(*one->quantile(0.9) == INFINITY);
    CHECK(std::isfinite(*one->quantile(0.5)));
    CHECK(*one->rank(INFINITY) == doctest::Approx(5003 / 6004.0));
    CHECK(*one->quantile(1) == INFINITY);
  }
}

TEST_CASE("the greatest finite number stays finite beside infinity") {
  PercentileSketch sketch;
  for (const double value : {1.0, DBL_MAX, DBL_MAX, static_cast<double>(INFINITY)}) sketch.add(value);
  CHECK(*sketch.quantile(0.5) == doctest::Approx(DBL_MAX).epsilon(0.01));
  CHECK(std::isfinite(*sketch.quantile(0.5)));
}

TEST_CASE("damaged bytes are refused or read, never worse") {
  std::mt19937_64 random(6);
  PercentileSketch sketch;
  for (int i = 0; i < 1000; ++i) sketch.add(static_cast<double>(random() % 1000) - 300);
  const std::string bytes = sketch.encode();
  for (size_t size = 0; size < bytes.size(); ++size) CHECK(!PercentileSketch::decode(bytes.substr(0, size)).ok());
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    for (int n = 0; n < 3; ++n) damaged[random() % damaged.size()] = static_cast<char>(random());
    auto read = PercentileSketch::decode(damaged);
    if (!read.ok()) continue;
    (void)read->quantile(0.3);
    (void)read->rank(5);
    PercentileSketch other = sketch;
    other.merge(*read);
    REQUIRE(PercentileSketch::decode(other.encode()).ok());
  }
}

TEST_CASE("downsampling keeps the ends, the order and what stands out") {
  std::vector<TimedValue> points;
  for (int i = 0; i < 10'000; ++i) points.push_back({i * 1000, std::sin(i / 500.0) + (i == 4321 ? 50 : 0)});
  for (const size_t count : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{77}, size_t{9'999}, size_t{10'000}, size_t{20'000}}) {
    const auto kept = largest_triangles(points, count);
    CAPTURE(count);
    CHECK(kept.size() == std::min(count, points.size()));
    CHECK(std::is_sorted(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.time < b.time; }));
    if (count >= 2) CHECK((kept.front().time == 0 && kept.back().time == 9'999'000));
    if (count >= 3) CHECK(std::any_of(kept.begin(), kept.end(), [](const auto& point) { return point.value > 40; }));
  }
}

TEST_CASE("counters and weighted means at the ends of the range of times") {
  CounterTotals counter;
  TimeWeightedMean mean;
  for (const TimedValue& point : {TimedValue{INT64_MIN, 1}, TimedValue{0, 3}, TimedValue{INT64_MAX, 2}}) {
    counter.add(point);
    mean.add(point, TimeWeightedMean::Method::kLinear);
  }
  CHECK(*counter.increase() == 4);
  CHECK(*counter.resets() == 1);
  CHECK(*counter.rate() > 0);
  CHECK(*mean.mean() == doctest::Approx(2.25));
}
