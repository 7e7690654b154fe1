#include "timeseries/series_writer.h"

#include <doctest/doctest.h>

#include "tests/timeseries/series_harness.h"
#include "timeseries/run_codec.h"

namespace braid {
namespace {

std::vector<SeenPoint> own_points(SeriesHarness::Transaction& transaction,
                                  const HypertableDefinition& table) {
  SeriesScan scan(transaction.writer().base(), transaction.writer().overlay(), table, {});
  return read_all(scan, table);
}

std::vector<ColumnData> columns(size_t rows, double first) {
  std::vector<ColumnData> out(3);
  out[0].type = FieldType::kDouble;
  out[1].type = FieldType::kInt64;
  out[2].type = FieldType::kText;
  for (size_t row = 0; row < rows; ++row) {
    out[0].push(real_value(first + static_cast<double>(row)));
    out[1].push(FieldValue{});
    out[2].push(text_value("x"));
  }
  return out;
}

TEST_CASE("a transaction reads its own points over those committed") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  harness.add(table, "a", 2, 1);
  auto transaction = harness.begin();
  CHECK(harness.add(*transaction, table, "a", 2, 5) == AppendOutcome::kReplaced);
  CHECK(harness.add(*transaction, table, "a", 3, 6) == AppendOutcome::kAdded);
  CHECK(harness.add(*transaction, table, "a", 3, 7) == AppendOutcome::kReplaced);
  const auto points = own_points(*transaction, table);
  REQUIRE(points.size() == 3);
  CHECK(points[1].fields[0] == "5.000000");
  CHECK(points[2].fields[0] == "7.000000");
  CHECK(harness.points(table).size() == 2);
}

TEST_CASE("an integer tag names one series however it is written, and must be a whole number") {
  SeriesHarness harness;
  auto table = harness.create_table();
  table.tag_types.assign(table.tags.size(), FieldType::kInt64);
  auto transaction = harness.begin();
  const auto series = [&](std::optional<std::string_view> tag) {
    return transaction->writer().series(table, std::vector<std::optional<std::string_view>>(table.tags.size(), tag));
  };
  const auto seven = series("7");
  REQUIRE(seven.ok());
  CHECK(*series("007") == *seven);
  CHECK(*series("-7") != *seven);
  CHECK(*series(std::nullopt) != *seven);
  const auto text = series("seven");
  REQUIRE_FALSE(text.ok());
  CHECK(text.status().code() == StatusCode::kConstraint);
  CHECK(text.status().message().find("'seven'") != std::string::npos);
}

TEST_CASE("a rollback to a mark undoes points, drops and the memory counted for them") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  harness.add(table, "a", 1, 1);
  auto transaction = harness.begin();
  harness.add(*transaction, table, "a", 2, 2);
  harness.add(*transaction, table, "a", 1, 3);
  const uint64_t mark = transaction->writer().mark();
  const uint64_t bytes = transaction->writer().staged_bytes();
  const auto before = own_points(*transaction, table);
  harness.add(*transaction, table, "a", 0, 4);
  harness.add(*transaction, table, "b", 9, 4);
  REQUIRE(transaction->writer().drop_chunks(table, Timestamp(1000)).ok());
  CHECK(own_points(*transaction, table).empty());
  CHECK(harness.add(*transaction, table, "a", 1, 5) == AppendOutcome::kAdded);
  CHECK(own_points(*transaction, table).size() == 1);
  transaction->writer().rollback_to(mark);
  CHECK(own_points(*transaction, table) == before);
  CHECK(transaction->writer().staged_bytes() == bytes);
  CHECK(harness.add(*transaction, table, "a", 0, 4) == AppendOutcome::kAdded);
  harness.commit(*transaction);
  CHECK(harness.points(table).size() == 3);
}

TEST_CASE("points staged before a drop are not in the record, those after it are") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  auto transaction = harness.begin();
  harness.add(*transaction, table, "a", 1, 1);
  harness.add(*transaction, table, "a", 1500, 1);
  REQUIRE(transaction->writer().drop_chunks(table, Timestamp(1000)).ok());
  harness.add(*transaction, table, "a", 2, 2);
  harness.commit(*transaction);
  const auto points = harness.points(table);
  REQUIRE(points.size() == 2);
  CHECK(points[0].time == 2);
  CHECK(points[1].time == 1500);
  harness.reopen();
  CHECK(harness.points(table) == points);
}

TEST_CASE("each member of a group gives its own changes once") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  auto transaction = harness.begin();
  CommitRecord first;
  CommitRecord second;
  CommitRecord third;
  harness.add(*transaction, table, "a", 1, 1);
  transaction->writer().take_changes(first);
  harness.add(*transaction, table, "a", 2, 1);
  harness.add(*transaction, table, "b", 2, 1);
  transaction->writer().take_changes(second);
  transaction->writer().take_changes(third);
  using Times = std::vector<std::vector<int64_t>>;
  const auto times_of = [](const CommitRecord& record) {
    Times out;
    const auto add = [&](const SeriesRun& run) {
      out.push_back(run.times);
      return Status();
    };
    CHECK(read_runs(record.series.runs, add).ok());
    return out;
  };
  CHECK(times_of(first) == Times{{1}});
  CHECK(times_of(second) == Times{{2}, {2}});
  CHECK(third.empty());
}

TEST_CASE(
    "the policy ignore keeps the first point, whether it is staged, in the tail or in a chunk") {
  SeriesHarness harness;
  const auto table = harness.create_table(ConflictPolicy::kIgnore);
  for (int64_t time = 0; time < 20; time += 2) harness.add(table, "a", time, 1);
  REQUIRE(harness.checkpoint());
  harness.add(table, "a", 5, 1);
  auto transaction = harness.begin();
  CHECK(harness.add(*transaction, table, "a", 4, 9) == AppendOutcome::kIgnored);
  CHECK(harness.add(*transaction, table, "a", 5, 9) == AppendOutcome::kIgnored);
  CHECK(harness.add(*transaction, table, "a", 7, 9) == AppendOutcome::kAdded);
  CHECK(harness.add(*transaction, table, "a", 7, 8) == AppendOutcome::kIgnored);
  CHECK(harness.add(*transaction, table, "b", 4, 9) == AppendOutcome::kAdded);
  harness.commit(*transaction);
  CHECK(harness.points(table).size() == 13);
}

TEST_CASE("the policy error names the point, and a failed bulk append leaves nothing") {
  SeriesHarness harness;
  const auto table = harness.create_table(ConflictPolicy::kError);
  harness.add(table, "a", 3, 1);
  auto transaction = harness.begin();
  const SeriesId series = *transaction->writer().series(table, {"a"});
  const std::vector<int64_t> times = {1, 2, 3};
  const Status status = transaction->writer().append_columns(table, series, times, columns(3, 0));
  CHECK(status.code() == StatusCode::kConstraint);
  CHECK(status.message().find("time 3") != std::string::npos);
  CHECK(status.message().find("host 'a'") != std::string::npos);
  CHECK(own_points(*transaction, table).size() == 1);
  const std::vector<int64_t> good = {1, 2, 4};
  CHECK(transaction->writer().append_columns(table, series, good, columns(3, 0)).ok());
  const FieldValue fields[] = {real_value(8), FieldValue{}, FieldValue{}};
  const auto replaced =
      transaction->writer().append(table, series, Timestamp(3), fields, ConflictPolicy::kReplace);
  REQUIRE(replaced.ok());
  CHECK(*replaced == AppendOutcome::kReplaced);
}

TEST_CASE("a dropped point does not exist any more for the policy error") {
  SeriesHarness harness;
  const auto table = harness.create_table(ConflictPolicy::kError);
  harness.add(table, "a", 3, 1);
  auto transaction = harness.begin();
  REQUIRE(transaction->writer().drop_chunks(table, Timestamp(1000)).ok());
  harness.add(*transaction, table, "a", 3, 2);
  harness.commit(*transaction);
  auto next = harness.begin();
  REQUIRE(next->writer().drop_chunks(table, Timestamp(1000)).ok());
  harness.commit(*next);
  harness.add(table, "a", 3, 3);
  REQUIRE(harness.points(table).size() == 1);
  CHECK(harness.points(table)[0].fields[0] == "3.000000");
}

TEST_CASE("columns that do not fit the table are refused") {
  SeriesHarness harness;
  const auto table = harness.create_table();
  auto transaction = harness.begin();
  const SeriesId series = *transaction->writer().series(table, {"a"});
  const std::vector<int64_t> times = {1, 2};
  const auto refused = [&](std::vector<ColumnData> given) {
    return transaction->writer().append_columns(table, series, times, given).code() ==
           StatusCode::kInvalidArgument;
  };
  CHECK(refused({}));
  CHECK(refused(columns(3, 0)));
  auto other_type = columns(2, 0);
  other_type[0].type = FieldType::kInt64;
  CHECK(refused(other_type));
  auto short_nulls = columns(2, 0);
  short_nulls[1].nulls.pop_back();
  CHECK(refused(short_nulls));
  CHECK(transaction->writer().append(table, series, Timestamp(1), {}).status().code() ==
        StatusCode::kInvalidArgument);
  const FieldValue fields[3] = {};
  CHECK(transaction->writer().append(table, series, Timestamp(INT64_MAX), fields).status().code() ==
        StatusCode::kInvalidArgument);
  CHECK(transaction->writer().series(table, {"a", "b"}).status().code() ==
        StatusCode::kInvalidArgument);
  CHECK(own_points(*transaction, table).empty());
}

}  // namespace
}  // namespace braid
