#include "timeseries/tail.h"

#include <doctest/doctest.h>

#include <thread>

#include "timeseries/point_rows.h"

namespace braid {
namespace {

std::vector<ColumnData> columns(std::span<const int64_t> times) {
  std::vector<ColumnData> out(3);
  out[0].type = FieldType::kDouble;
  out[1].type = FieldType::kInt64;
  out[2].type = FieldType::kText;
  for (const int64_t time : times) {
    out[0].push({.is_null = false, .real = static_cast<double>(time) * 2});
    out[1].push(time % 3 == 0 ? FieldValue{} : FieldValue{.is_null = false, .integer = time});
    const std::string text = std::to_string(time);
    out[2].push({.is_null = false, .text = text});
  }
  return out;
}

const std::vector<FieldDefinition> kFields = {
    {"value", FieldType::kDouble, FieldId(1)}, {"count", FieldType::kInt64, FieldId(2)}, {"note", FieldType::kText, FieldId(3)}};

void append(TailSegment& segment, uint64_t series, const std::vector<int64_t>& times,
            uint64_t lsn) {
  segment.append(SeriesId(series), {times, columns(times), {}}, 0, times.size(), Lsn(lsn));
}

PointBlock read(const TailTable& table, uint64_t series, uint64_t lsn, TimeRange range = {}) {
  std::vector<PointRow> rows;
  add_tail_rows(table, SeriesId(series), Lsn(lsn), range, rows);
  sort_last_wins(rows);
  PointBlock out;
  gather_rows(rows, nullptr, kFields, {}, out);
  return out;
}

TailTable table_of(std::shared_ptr<TailSegment> segment) {
  TailTable table;
  table.segments.push_back(std::move(segment));
  return table;
}

TEST_CASE("a reader sees the rows up to its LSN, each time once with its latest write") {
  const auto table = table_of(std::make_shared<TailSegment>(StoredFields::of(kFields)));
  append(*table.segments[0], 1, {5, 3, 5}, 1);
  append(*table.segments[0], 1, {4}, 2);
  append(*table.segments[0], 1, {3}, 3);
  CHECK(read(table, 1, 0).times.empty());
  CHECK(read(table, 1, 1).times == std::vector<int64_t>{3, 5});
  CHECK(read(table, 1, 2).times == std::vector<int64_t>{3, 4, 5});
  CHECK(read(table, 2, 9).times.empty());
  const PointBlock all = read(table, 1, 9, {Timestamp(3), Timestamp(5)});
  CHECK(all.times == std::vector<int64_t>{3, 4});
  CHECK(all.columns[0].value(1).real == 8);
  CHECK(all.columns[1].value(0).is_null);
  CHECK(all.columns[2].value(1).text == "4");
}

TEST_CASE("a deleted range hides earlier writes only, of its series") {
  auto table = table_of(std::make_shared<TailSegment>(StoredFields::of(kFields)));
  append(*table.segments[0], 1, {1, 2, 3}, 1);
  append(*table.segments[0], 1, {1}, 5);
  append(*table.segments[0], 2, {1, 2, 3}, 1);
  const auto up_to = [](int64_t limit, uint64_t lsn, std::vector<SeriesId> series) {
    return RangeDeletion{.range = {TimeRange{}.start, Timestamp(limit)}, .series = std::move(series), .lsn = Lsn(lsn)};
  };
  table.add_deletion(up_to(2, 4, {}));
  table.add_deletion(up_to(3, 5, {SeriesId(1)}));
  CHECK(table.deletions.size() == 2);
  CHECK(read(table, 1, 9).times == std::vector<int64_t>{1, 3});
  CHECK(read(table, 2, 9).times == std::vector<int64_t>{2, 3});
  table.add_deletion(up_to(3, 5, {}));
  CHECK(table.deletions.size() == 1);
  CHECK(read(table, 2, 9).times == std::vector<int64_t>{3});
}

TEST_CASE("the writer is told whether a time is there, in order or late") {
  TailSegment segment(StoredFields::of(kFields));
  append(segment, 1, {10, 20, 30}, 1);
  const SeriesTail* tail = segment.find(SeriesId(1));
  REQUIRE(tail != nullptr);
  CHECK_FALSE(tail->find(40));
  CHECK(tail->find(30));
  CHECK_FALSE(tail->find(15));
  append(segment, 1, {15, 40}, 2);
  CHECK(tail->find(15)->row == 3);
  CHECK(tail->find(40)->row == 4);
  CHECK_FALSE(tail->find(12));
  append(segment, 1, {15}, 3);
  CHECK(tail->find(15)->row == 5);
}

TEST_CASE("memory is counted") {
  TailSegment segment(StoredFields::of(kFields));
  CHECK(segment.bytes() == 0);
  append(segment, 1, {1}, 1);
  const uint64_t first = segment.bytes();
  CHECK(first > 16 * 16);
  std::vector<int64_t> times;
  for (int64_t time = 2; time < 2002; ++time) times.push_back(time);
  append(segment, 1, times, 2);
  CHECK(segment.rows() == 2001);
  CHECK(segment.bytes() > first + 2000 * 40);
  CHECK(segment.bytes() < first + 4000 * 60);
}

TEST_CASE("readers see whole commits while a writer appends") {
  constexpr uint64_t kCommits = 3000;
  const auto table = table_of(std::make_shared<TailSegment>(StoredFields::of(kFields)));
  std::atomic<uint64_t> published{0};
  std::atomic<uint64_t> wrong{0};
  const auto reads = [&] {
    uint64_t lsn = 0;
    while (lsn < kCommits) {
      lsn = published.load(std::memory_order_acquire);
      for (uint64_t series = 1; series <= 2; ++series) {
        const PointBlock block = read(table, series, lsn);
        if (block.times.size() != lsn) ++wrong;
        for (size_t row = 0; row < block.times.size(); ++row) {
          const int64_t time = block.times[row];
          if (block.columns[0].reals[row] != static_cast<double>(time) * 2) ++wrong;
          if (block.columns[1].is_null(row) != (time % 3 == 0)) ++wrong;
          if (block.columns[2].texts[row] != std::to_string(time)) ++wrong;
        }
      }
      std::vector<SeriesId> ids;
      table.segments[0]->add_series_ids(ids);
      if (lsn > 0 && ids.size() < 2) ++wrong;
    }
  };
  std::thread first(reads);
  std::thread second(reads);
  for (uint64_t lsn = 1; lsn <= kCommits; ++lsn) {
    append(*table.segments[0], 1, {static_cast<int64_t>(lsn)}, lsn);
    append(*table.segments[0], 2, {static_cast<int64_t>(lsn * 7 % 100003)}, lsn);
    append(*table.segments[0], 10 + lsn, {0}, lsn);
    published.store(lsn, std::memory_order_release);
  }
  first.join();
  second.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace braid
