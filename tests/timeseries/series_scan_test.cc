#include "timeseries/series_scan.h"

#include <doctest/doctest.h>

#include "tests/timeseries/series_harness.h"

namespace braid {
namespace {

std::vector<int64_t> times_of(const std::vector<SeenPoint>& points) {
  std::vector<int64_t> out;
  for (const SeenPoint& point : points) out.push_back(point.time);
  return out;
}

TEST_CASE("points come by series, then time, ascending or descending") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  for (const int64_t time : {1, 1001, 2001}) harness.add(table, "a", time, 1);
  REQUIRE(harness.checkpoint());
  for (const int64_t time : {500, 3000}) harness.add(table, "a", time, 1);
  for (const int64_t time : {-1, 7}) harness.add(table, "b", time, 1);
  CHECK(times_of(harness.points(table)) == std::vector<int64_t>{1, 500, 1001, 2001, 3000, -1, 7});
  CHECK(times_of(harness.points(table, {.descending = true})) ==
        std::vector<int64_t>{3000, 2001, 1001, 500, 1, 7, -1});
}

TEST_CASE("a scan of given series skips all others") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  for (const char* host : {"a", "b", "c"}) harness.add(table, host, 1, 1);
  SeriesScanOptions options;
  options.series = std::vector{SeriesId(1), SeriesId(3), SeriesId(99)};
  const auto points = harness.points(table, options);
  REQUIRE(points.size() == 2);
  CHECK(points[1].series == 3);
}

TEST_CASE("chunks and blocks outside of the range are not read") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  {
    auto transaction = harness.begin();
    const SeriesId series = *transaction->writer().series(table, {"a"});
    for (int64_t start : {0, 1000, 2000}) {
      for (int64_t copy = 0; copy < 2; ++copy) {
        const FieldValue fields[] = {real_value(1), integer_value(1), text_value("")};
        for (int64_t i = 0; i < 500; ++i)
          REQUIRE(transaction->writer()
                      .append(table, series, Timestamp(start + copy * 500 + i), fields)
                      .ok());
      }
    }
    harness.commit(*transaction);
  }
  REQUIRE(harness.checkpoint());
  REQUIRE(harness.figure("chunk_files") == 3);
  SeriesScan scan = harness.scan(table, {.range = {Timestamp(1100), Timestamp(1200)}});
  CHECK(read_all(scan, table).size() == 100);
  CHECK(scan.counts().chunks_pruned == 2);
  CHECK(scan.counts().blocks_read == 1);
  SeriesScan empty = harness.scan(table, {.range = {Timestamp(9000), Timestamp(9100)}});
  CHECK(read_all(empty, table).empty());
  CHECK(empty.counts().chunks_pruned == 3);
  CHECK(empty.counts().blocks_read == 0);
}

TEST_CASE("the last point of a sealed series costs one block") {
  SeriesHarness harness;
  auto table = harness.create_table();
  table.chunk_interval_us = 1 << 30;
  {
    auto transaction = harness.begin();
    for (int64_t time = 0; time < 5000; ++time)
      harness.add(*transaction, table, "a", time * 100, 1);
    harness.commit(*transaction);
  }
  REQUIRE(harness.checkpoint());
  SeriesScan scan =
      harness.scan(table, {.range = {}, .series = std::nullopt, .fields = {}, .descending = true});
  REQUIRE(*scan.next());
  CHECK(scan.time() == Timestamp(499900));
  CHECK(scan.counts().blocks_read == 1);
}

TEST_CASE("a field that was not asked for reads as null") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  REQUIRE(harness.checkpoint());
  harness.add(table, "a", 2, 1);
  const auto points =
      harness.points(table, {.range = {}, .series = std::nullopt, .fields = {true, false, false}});
  REQUIRE(points.size() == 2);
  for (const SeenPoint& point : points) {
    CHECK(point.fields[0] == "1.000000");
    CHECK(point.fields[1] == "null");
    CHECK(point.fields[2] == "null");
  }
}

TEST_CASE("a scan does not see what is staged after it began") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  auto transaction = harness.begin();
  for (int64_t time = 0; time < 50; ++time) harness.add(*transaction, table, "a", time, 1);
  SeriesScan scan(transaction->writer().base(), transaction->writer().overlay(), table, {});
  size_t count = 0;
  while (*scan.next()) {
    const std::string note(scan.field(2).text);
    harness.add(*transaction, table, "a", scan.time().value() + 1000, 1);
    CHECK(scan.field(2).text == note);
    ++count;
  }
  CHECK(count == 50);
}

TEST_CASE("a scan is interrupted when points that it reads are rolled back, and only then") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  auto transaction = harness.begin();
  const uint64_t before = transaction->writer().mark();
  for (int64_t time = 0; time < 5; ++time) harness.add(*transaction, table, "a", time, 1);
  SeriesScan scan(transaction->writer().base(), transaction->writer().overlay(), table, {});
  REQUIRE(*scan.next());
  const uint64_t later = transaction->writer().mark();
  harness.add(*transaction, table, "a", 9, 1);
  transaction->writer().rollback_to(later);
  REQUIRE(*scan.next());
  transaction->writer().rollback_to(before);
  harness.add(*transaction, table, "a", 9, 1);
  CHECK(scan.next().status().code() == StatusCode::kInterrupted);
  transaction.reset();
  CHECK(scan.next().status().code() == StatusCode::kInterrupted);
}

TEST_CASE("many overlapping chunks merge with the latest on top") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  std::map<int64_t, int> expected;
  for (int round = 0; round < 8; ++round) {
    auto transaction = harness.begin();
    for (int64_t time = round; time < 900; time += 3 + round) {
      harness.add(*transaction, table, "a", time, round);
      expected[time] = round;
    }
    harness.commit(*transaction);
    if (round < 7) REQUIRE(harness.checkpoint());
  }
  const auto points = harness.points(table);
  REQUIRE(points.size() == expected.size());
  size_t i = 0;
  for (const auto& [time, round] : expected) {
    CHECK(points[i].time == time);
    CHECK(points[i++].fields[0] == std::to_string(static_cast<double>(round)));
  }
}

}  // namespace
}  // namespace braid
