#include "cli/type_inference.h"

#include <doctest/doctest.h>

#include <initializer_list>

#include "cli/column_type.h"
#include "cli/value_reader.h"

using namespace braid::cli;

namespace {

ColumnType inferred(std::initializer_list<std::string_view> values) {
  TypeInference inference;
  for (std::string_view value : values) inference.add(value);
  return inference.type();
}

constexpr int64_t kSecond = 1'000'000;

}  // namespace

TEST_CASE("a type is inferred only when all values have it") {
  CHECK(inferred({"1", "-2", "0", "9223372036854775807"}) == ColumnType::kInteger);
  CHECK(inferred({"1", "2.5", "-1e3"}) == ColumnType::kDouble);
  CHECK(inferred({"true", "FALSE"}) == ColumnType::kBoolean);
  CHECK(inferred({"1", "2_220kV"}) == ColumnType::kText);
  CHECK(inferred({"true", "1"}) == ColumnType::kText);
  CHECK(inferred({}) == ColumnType::kText);
}

TEST_CASE("numbers that would lose what their text says stay text") {
  for (std::string_view value : {"007", "+1", "9223372036854775808", "00.5", "1.", ".5", " 1", "1 ",
                                 "0x10", "nan", "inf", "1e999", "1,5", "-", "1e"}) {
    CAPTURE(value);
    CHECK(inferred({value}) == ColumnType::kText);
  }
}

TEST_CASE("a given type reads more forms than inference takes for it") {
  CHECK(read_integer("007") == 7);
  CHECK(read_integer("+5") == 5);
  CHECK(!read_integer("+-5").has_value());
  CHECK(!read_integer("1.0").has_value());
  CHECK(read_double("1e3") == 1000);
  CHECK(read_boolean("T") == true);
  CHECK(read_boolean("0") == false);
  CHECK(!read_boolean("yes").has_value());
}

TEST_CASE("types are found by their names and aliases") {
  CHECK(column_type_named("integer") == ColumnType::kInteger);
  CHECK(column_type_named("BIGINT") == ColumnType::kInteger);
  CHECK(column_type_named("real") == ColumnType::kDouble);
  CHECK(!column_type_named("").has_value());
  CHECK(!column_type_named("money").has_value());
  CHECK(!column_type_named("INT BIGINT").has_value());
}

TEST_CASE("declared columns of tables follow SQLite's rules of affinity") {
  CHECK(column_type_of_declaration("BIGINT") == ColumnType::kInteger);
  CHECK(column_type_of_declaration("varchar(20)") == ColumnType::kText);
  CHECK(column_type_of_declaration("DOUBLE PRECISION") == ColumnType::kDouble);
  CHECK(column_type_of_declaration("NUMERIC") == ColumnType::kAny);
  CHECK(column_type_of_declaration("") == ColumnType::kAny);
}

TEST_CASE("times are read in ISO 8601 and PostgreSQL forms") {
  constexpr int64_t kNoon = 1'714'564'800 * kSecond;  // 2024-05-01T12:00:00Z
  for (std::string_view text : {"2024-05-01T12:00:00Z", "2024-05-01 12:00:00", "2024-05-01 12:00",
                                "2024-05-01T14:00:00+02:00", "2024-05-01 14:00:00+02",
                                "2024-05-01T06:30:00-0530", "2024-05-01 12:00:00.000 Z"}) {
    CAPTURE(text);
    CHECK(read_calendar_time(text) == kNoon);
  }
  CHECK(read_calendar_time("2024-05-01") == kNoon - 12 * 3600 * kSecond);
  CHECK(read_calendar_time("2024-05-01 12:00:00.25") == kNoon + kSecond / 4);
  CHECK(read_calendar_time("2024-05-01 12:00:00.123456789") == kNoon + 123'456);
  CHECK(read_calendar_time("1969-12-31T23:59:59Z") == -kSecond);
}

TEST_CASE("texts that are no times are refused") {
  for (std::string_view text :
       {"", "2024", "2024-02-30", "2023-02-29", "2024-13-01", "2024-05-01T25:00", "noon",
        "2024-05-01 12:00:00 CET", "2024-05-01T12:00:00+", "20240501", "2024-05-01T24:00:01"}) {
    CAPTURE(text);
    CHECK(!read_calendar_time(text).has_value());
  }
}

TEST_CASE("numbers since the epoch are read in their unit") {
  CHECK(read_epoch_time("1451606400", TimeUnit::kSeconds) == 1'451'606'400 * kSecond);
  CHECK(read_epoch_time("1451606400.25", TimeUnit::kSeconds) ==
        1'451'606'400 * kSecond + kSecond / 4);
  CHECK(read_epoch_time("1451606400000", TimeUnit::kMilliseconds) == 1'451'606'400 * kSecond);
  CHECK(read_epoch_time("7", TimeUnit::kMicroseconds) == 7);
  CHECK(read_epoch_time("1451606400000000999", TimeUnit::kNanoseconds) == 1'451'606'400 * kSecond);
  CHECK(read_epoch_time("-1", TimeUnit::kNanoseconds) == -1);
  CHECK(!read_epoch_time("9223372036854775807", TimeUnit::kSeconds).has_value());
  CHECK(!read_epoch_time("today", TimeUnit::kSeconds).has_value());
}

TEST_CASE("times are written in the form that Braid's SQL shows") {
  CHECK(time_text(0) == "1970-01-01 00:00:00");
  CHECK(time_text(-1) == "1969-12-31 23:59:59.999999");
  CHECK(time_text(1'714'564'800 * kSecond + 250'000) == "2024-05-01 12:00:00.25");
  for (std::string_view text : {"0000-02-29 00:00:00", "9999-12-31 23:59:59.999999", "10000-01-01 00:00:00", "33000-02-28 00:00:00.5", "294246-12-31 23:59:59"}) {
    CAPTURE(text);
    const auto time = read_calendar_time(text);
    REQUIRE(time.has_value());
    CHECK(time_text(*time) == text);
  }
  CHECK(read_calendar_time("294247-01-10 04:00:54.775807") == INT64_MAX);
  CHECK_FALSE(read_calendar_time("294247-01-10 04:00:54.775808").has_value());
  CHECK_FALSE(read_calendar_time("0001-02-29").has_value());
  CHECK_FALSE(read_calendar_time("-0001-02-28").has_value());
}
