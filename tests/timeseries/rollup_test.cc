#include "timeseries/rollup.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/timeseries/series_harness.h"
#include "timeseries/last_points.h"

namespace braid {
namespace {

constexpr size_t kValueField = 0;
constexpr size_t kCountField = 1;
constexpr size_t kNoteField = 2;

struct PlainPoint {
  uint64_t series;
  int64_t time;
  std::optional<double> value;  // none: null, or NaN
  std::optional<int64_t> count;
};

/// A table with points in chunks that overlap, in the tail and in an open transaction.
class Fixture {
 public:
  explicit Fixture(uint32_t seed) : random_(seed) { table_ = harness_.create_table(); }

  void write(SeriesHarness::Transaction& transaction, size_t points, int64_t spread, bool in_order) {
    for (size_t i = 0; i < points; ++i) {
      const auto host = "host " + std::to_string(random_() % 5);
      next_time_ += 1 + static_cast<int64_t>(random_() % 4);
      const int64_t time = in_order ? next_time_ : static_cast<int64_t>(random_() % static_cast<uint64_t>(spread)) - spread / 4;
      const double values[] = {static_cast<double>(random_() % 1000) / 8, std::numeric_limits<double>::quiet_NaN(), -0.0, -7.5};
      const size_t kind = random_() % 20;
      const std::string note = "n" + std::to_string(time % 3);
      const FieldValue fields[] = {kind == 4 ? FieldValue{} : real_value(values[kind < 4 ? kind : 0]),
                                   random_() % 9 == 0 ? FieldValue{} : integer_value(static_cast<int64_t>(random_() % 50) - 20),
                                   text_value(note)};
      const auto series = transaction.writer().series(table_, {host});
      REQUIRE(transaction.writer().append(table_, *series, Timestamp(time), fields).ok());
    }
  }
  void commit(size_t points, int64_t spread, bool in_order) {
    auto transaction = harness_.begin();
    write(*transaction, points, spread, in_order);
    harness_.commit(*transaction);
  }

  std::vector<PlainPoint> plain(const std::shared_ptr<const SeriesOverlay>& overlay) {
    SeriesScan scan(harness_.view(), overlay, table_, {});
    std::vector<PlainPoint> out;
    while (*scan.next()) {
      PlainPoint& point = out.emplace_back(PlainPoint{scan.series().value(), scan.time().value(), {}, {}});
      const FieldValue value = scan.field(kValueField);
      const FieldValue count = scan.field(kCountField);
      if (!value.is_null && value.real == value.real) point.value = value.real;
      if (!count.is_null) point.count = count.integer;
    }
    return out;
  }

  std::mt19937 random_;
  SeriesHarness harness_;
  HypertableDefinition table_;
  int64_t next_time_ = 0;
};

std::optional<double> number(const PlainPoint& point, size_t field) {
  if (field == kValueField) return point.value;
  return point.count ? std::optional(static_cast<double>(*point.count)) : std::nullopt;
}

bool passes(const PlainPoint& point, const FieldFilter& filter) {
  const auto value = number(point, filter.field);
  if (filter.op == FilterOperator::kIsNull) return !value;
  if (!value) return false;
  const double bound = std::visit([](auto number) { return static_cast<double>(number); }, filter.value);
  switch (filter.op) {
    case FilterOperator::kLess: return *value < bound;
    case FilterOperator::kLessOrEqual: return *value <= bound;
    case FilterOperator::kEqual: return *value == bound;
    case FilterOperator::kNotEqual: return *value != bound;
    case FilterOperator::kGreaterOrEqual: return *value >= bound;
    case FilterOperator::kGreater: return *value > bound;
    default: return true;
  }
}

/// What a column should be, from the points of its row in the order of time.
std::optional<double> expected(const RollupColumn& column, const std::vector<const PlainPoint*>& points) {
  if (column.field == kAllRows) return static_cast<double>(points.size());
  if (column.field == kTimeField) {
    if (column.function == RollupFunction::kCount) return static_cast<double>(points.size());
    double out = static_cast<double>(points.front()->time);
    for (const PlainPoint* point : points) {
      const auto time = static_cast<double>(point->time);
      out = column.function == RollupFunction::kMin ? std::min(out, time) : std::max(out, time);
    }
    return out;
  }
  if (column.function == RollupFunction::kFirst || column.function == RollupFunction::kLast) {
    const PlainPoint* end = points.front();
    for (const PlainPoint* point : points) {
      if (column.function == RollupFunction::kFirst ? point->time < end->time : point->time > end->time) end = point;
    }
    return number(*end, column.field);
  }
  double sum = 0;
  double count = 0;
  double least = INFINITY;
  double greatest = -INFINITY;
  for (const PlainPoint* point : points) {
    const auto value = number(*point, column.field);
    if (!value) continue;
    ++count;
    sum += *value;
    least = std::min(least, *value);
    greatest = std::max(greatest, *value);
  }
  if (column.function == RollupFunction::kCount) return count;
  if (count == 0) return std::nullopt;
  switch (column.function) {
    case RollupFunction::kSum: return sum;
    case RollupFunction::kAverage: return sum / count;
    case RollupFunction::kMin: return least;
    default: return greatest;
  }
}

std::optional<double> seen(const RollupValue& value) {
  switch (value.kind) {
    case RollupValue::Kind::kInteger: return static_cast<double>(value.integer);
    case RollupValue::Kind::kReal: return value.real;
    default: return std::nullopt;
  }
}

RollupQuestion random_question(std::mt19937& random) {
  RollupQuestion question;
  if (random() % 2 == 0) {
    const int64_t start = static_cast<int64_t>(random() % 6000) - 1500;
    question.range = {Timestamp(start), Timestamp(start + static_cast<int64_t>(random() % 4000))};
  }
  if (random() % 3 != 0) {
    question.series.emplace();
    for (uint64_t id = 1; id <= 6; ++id)
      if (random() % 3 != 0) question.series->push_back(SeriesId(id));
    if (random() % 2 == 0) {
      for (size_t i = 0; i < question.series->size(); ++i) question.groups.push_back(static_cast<uint32_t>(random() % 3));
    }
  }
  if (random() % 4 != 0)
    question.buckets = std::make_shared<FixedBuckets>(1 + static_cast<int64_t>(random() % (random() % 2 == 0 ? 30 : 3000)), static_cast<int64_t>(random() % 10));
  const size_t filters = random() % 3;
  for (size_t i = 0; i < filters; ++i) {
    FieldFilter filter{random() % 2, static_cast<FilterOperator>(random() % 8), int64_t{0}};
    if (random() % 2 == 0) filter.value = static_cast<int64_t>(random() % 60) - 10;
    else filter.value = static_cast<double>(random() % 300) / 4 - 10;
    question.filters.push_back(filter);
  }
  question.columns.push_back({RollupFunction::kCount, kAllRows});
  const size_t columns = random() % 6;
  for (size_t i = 0; i < columns; ++i) {
    const auto function = static_cast<RollupFunction>(random() % 7);
    const bool time = random() % 8 == 0;
    const bool of_time = function == RollupFunction::kCount || function == RollupFunction::kMin || function == RollupFunction::kMax;
    question.columns.push_back({function, time && of_time ? kTimeField : random() % 2});
  }
  if (question.buckets != nullptr && random() % 3 == 0) {
    question.buckets_max = 1 + random() % 5;
    question.newest_first = random() % 2 == 0;
  }
  return question;
}

using RowKey = std::pair<int64_t, uint32_t>;

std::map<RowKey, std::vector<const PlainPoint*>> rows_of(const RollupQuestion& question, const std::vector<PlainPoint>& points) {
  std::map<RowKey, std::vector<const PlainPoint*>> rows;
  for (const PlainPoint& point : points) {
    if (point.time < question.range.start.value() || point.time >= question.range.limit.value()) continue;
    uint32_t group = 0;
    if (question.series) {
      const auto found = std::find(question.series->begin(), question.series->end(), SeriesId(point.series));
      if (found == question.series->end()) continue;
      if (!question.groups.empty()) group = question.groups[static_cast<size_t>(found - question.series->begin())];
    }
    if (!std::all_of(question.filters.begin(), question.filters.end(), [&](const FieldFilter& filter) { return passes(point, filter); })) continue;
    const int64_t bucket = question.buckets ? question.buckets->start_of(point.time) : question.range.start.value();
    rows[{bucket, group}].push_back(&point);
  }
  if (question.buckets_max == 0) return rows;
  std::vector<int64_t> buckets;
  for (const auto& [key, of_row] : rows)
    if (buckets.empty() || buckets.back() != key.first) buckets.push_back(key.first);
  if (buckets.size() <= question.buckets_max) return rows;
  const int64_t border = question.newest_first ? buckets[buckets.size() - question.buckets_max] : buckets[question.buckets_max - 1];
  std::erase_if(rows, [&](const auto& row) { return question.newest_first ? row.first.first < border : row.first.first > border; });
  return rows;
}

void check_question(Fixture& fixture, const std::shared_ptr<const SeriesOverlay>& overlay, const std::vector<PlainPoint>& points,
                    const RollupQuestion& question) {
  auto answer = roll_up(fixture.harness_.view(), overlay, fixture.table_, question);
  REQUIRE_MESSAGE(answer.ok(), answer.status().message());
  const auto rows = rows_of(question, points);
  if (rows.empty() && question.buckets == nullptr && question.groups.empty()) {
    REQUIRE(answer->size() == 1);
    CHECK(answer->value(0, 0).integer == 0);
    return;
  }
  REQUIRE(answer->size() == rows.size());
  size_t at = 0;
  for (const auto& [key, of_row] : rows) {
    REQUIRE(answer->bucket(at) == key.first);
    REQUIRE(answer->group(at) == key.second);
    for (size_t column = 0; column < question.columns.size(); ++column) {
      const auto wanted = expected(question.columns[column], of_row);
      const auto got = seen(answer->value(at, column));
      REQUIRE(wanted.has_value() == got.has_value());
      if (wanted) REQUIRE(*got == doctest::Approx(*wanted).epsilon(1e-12));
    }
    ++at;
  }
}

void check_last_points(Fixture& fixture, const std::shared_ptr<const SeriesOverlay>& overlay, const std::vector<PlainPoint>& points, int64_t before) {
  std::map<uint64_t, const PlainPoint*> last;
  for (const PlainPoint& point : points)
    if (point.time < before) last[point.series] = &point;
  LastPoints seen_points(fixture.harness_.view(), overlay, fixture.table_, std::nullopt, {}, Timestamp(before));
  for (const auto& [series, point] : last) {
    REQUIRE(*seen_points.next());
    REQUIRE(seen_points.series().value() == series);
    REQUIRE(seen_points.time().value() == point->time);
    const FieldValue value = seen_points.field(kValueField);
    REQUIRE((!value.is_null && value.real == value.real) == point->value.has_value());
    if (point->value) REQUIRE(value.real == *point->value);
    REQUIRE(seen_points.field(kCountField).is_null != point->count.has_value());
    REQUIRE(seen_points.field(kNoteField).text == "n" + std::to_string(point->time % 3));
  }
  REQUIRE(!*seen_points.next());
}

TEST_CASE("rollups and last points are what the points say, sealed or not, ordered or late") {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Fixture fixture(seed);
    const size_t rounds = 1 + seed % 4;
    for (size_t round = 0; round < rounds; ++round) {
      fixture.commit(seed % 3 == 0 ? 6000 : 800, 5000, round % 2 == 0);
      if (fixture.random_() % 3 != 0) REQUIRE(fixture.harness_.checkpoint());
    }
    auto transaction = fixture.harness_.begin();
    if (seed % 2 == 0) fixture.write(*transaction, 100, 5000, false);
    const auto overlay = transaction->writer().overlay();
    const auto points = fixture.plain(overlay);
    for (size_t i = 0; i < 150; ++i) check_question(fixture, overlay, points, random_question(fixture.random_));
    check_last_points(fixture, overlay, points, INT64_MAX);
    check_last_points(fixture, overlay, points, 1200);
  }
}

TEST_CASE("a block inside one bucket is answered from its statistics, and a filter that no value of it passes skips it") {
  Fixture fixture(1);
  fixture.table_.chunk_interval_us = 1 << 30;
  {
    auto transaction = fixture.harness_.begin();
    for (int64_t time = 0; time < 4096; ++time) {
      const FieldValue fields[] = {real_value(static_cast<double>(time)), integer_value(time), text_value("")};
      const auto series = transaction->writer().series(fixture.table_, {"a"});
      REQUIRE(transaction->writer().append(fixture.table_, *series, Timestamp(time), fields).ok());
    }
    fixture.harness_.commit(*transaction);
  }
  REQUIRE(fixture.harness_.checkpoint());
  RollupQuestion question{.range = {}, .columns = {{RollupFunction::kSum, kCountField}, {RollupFunction::kLast, kValueField}}};
  const auto whole = roll_up(fixture.harness_.view(), nullptr, fixture.table_, question);
  REQUIRE(whole.ok());
  CHECK(whole->value(0, 0).integer == 4096 * 4095 / 2);
  CHECK(whole->value(0, 1).real == 4095);
  CHECK(whole->counts().blocks_read == 0);
  CHECK(whole->counts().blocks_summarised >= 4);
  question.filters = {{kValueField, FilterOperator::kGreater, 4000.5}};
  const auto filtered = roll_up(fixture.harness_.view(), nullptr, fixture.table_, question);
  CHECK(filtered->value(0, 0).integer == (4001 + 4095) * 95 / 2);
  CHECK(filtered->counts().blocks_read == 1);
}

TEST_CASE("a sum of integers beyond int64 is an overflow, and its average is not") {
  Fixture fixture(1);
  {
    auto transaction = fixture.harness_.begin();
    for (int64_t time = 0; time < 40; ++time) {
      const FieldValue fields[] = {real_value(1), integer_value(INT64_MAX - time), text_value("")};
      const auto series = transaction->writer().series(fixture.table_, {"a"});
      REQUIRE(transaction->writer().append(fixture.table_, *series, Timestamp(time), fields).ok());
    }
    fixture.harness_.commit(*transaction);
  }
  for (const bool sealed : {false, true}) {
    if (sealed) REQUIRE(fixture.harness_.checkpoint());
    const RollupQuestion question{.range = {}, .columns = {{RollupFunction::kSum, kCountField}, {RollupFunction::kAverage, kCountField}}};
    const auto answer = roll_up(fixture.harness_.view(), nullptr, fixture.table_, question);
    CHECK(answer->value(0, 0).kind == RollupValue::Kind::kOverflow);
    CHECK(answer->value(0, 1).real == doctest::Approx(9.223372036854775e18));
  }
}

TEST_CASE("an answer is bounded, and a rollup can be ended") {
  Fixture fixture(2);
  fixture.commit(3000, 5000, true);
  RollupQuestion question{.range = {}, .buckets = std::make_shared<FixedBuckets>(1, 0), .columns = {{RollupFunction::kCount, kAllRows}}};
  question.bytes_max = 1000;
  CHECK(roll_up(fixture.harness_.view(), nullptr, fixture.table_, question).status().code() == StatusCode::kLimit);
  question.bytes_max = 0;
  question.check = [] { return Status(StatusCode::kInterrupted, "enough"); };
  CHECK(roll_up(fixture.harness_.view(), nullptr, fixture.table_, question).status().code() == StatusCode::kInterrupted);
}

TEST_CASE("integers and doubles are compared exactly") {
  constexpr int64_t kBig = (int64_t{1} << 53) + 1;  // no double
  PointColumn reals(FieldType::kDouble);
  reals.reals = {9007199254740992.0, 9007199254740994.0};
  PointColumn integers(FieldType::kInt64);
  integers.integers = {kBig - 1, kBig, INT64_MAX};
  struct Case {
    FilterOperator op;
    std::variant<int64_t, double> value;
    std::vector<uint8_t> of_reals;
    std::vector<uint8_t> of_integers;
  };
  const Case cases[] = {
      {FilterOperator::kLess, kBig, {1, 0}, {1, 0, 0}},
      {FilterOperator::kLessOrEqual, kBig, {1, 0}, {1, 1, 0}},
      {FilterOperator::kEqual, kBig, {0, 0}, {0, 1, 0}},
      {FilterOperator::kNotEqual, kBig, {1, 1}, {1, 0, 1}},
      {FilterOperator::kGreater, kBig, {0, 1}, {0, 0, 1}},
      {FilterOperator::kGreaterOrEqual, kBig, {0, 1}, {0, 1, 1}},
      {FilterOperator::kLess, 9223372036854775808.0, {1, 1}, {1, 1, 1}},
      {FilterOperator::kEqual, 9223372036854775808.0, {0, 0}, {0, 0, 0}},
      {FilterOperator::kGreater, 0.5, {1, 1}, {1, 1, 1}},
      {FilterOperator::kNotEqual, 0.5, {1, 1}, {1, 1, 1}},
      {FilterOperator::kEqual, std::numeric_limits<double>::quiet_NaN(), {0, 0}, {0, 0, 0}},
  };
  for (const Case& one : cases) {
    std::vector<uint8_t> selected(2, 1);
    FieldCondition({0, one.op, one.value}, FieldType::kDouble).apply(reals, 0, selected);
    CHECK(selected == one.of_reals);
    selected.assign(3, 1);
    FieldCondition({0, one.op, one.value}, FieldType::kInt64).apply(integers, 0, selected);
    CHECK(selected == one.of_integers);
  }
}

}  // namespace
}  // namespace braid
