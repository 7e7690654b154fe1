#include "graph/timestamp_text.h"

#include <doctest/doctest.h>

#include <random>

using namespace braid;

TEST_CASE("timestamps are written with trailing zeros of the fraction cut") {
  CHECK(timestamp_to_text(Timestamp(0)) == "1970-01-01 00:00:00");
  CHECK(timestamp_to_text(Timestamp(-1)) == "1969-12-31 23:59:59.999999");
  CHECK(timestamp_to_text(Timestamp(1'500'000)) == "1970-01-01 00:00:01.5");
  CHECK_FALSE(timestamp_to_text(Timestamp(INT64_MAX)).has_value());
  CHECK_FALSE(timestamp_to_text(Timestamp(INT64_MIN)).has_value());
}

TEST_CASE("the first and the last microsecond of four-digit years are written and read") {
  const auto first = timestamp_from_text("0000-01-01 00:00:00");
  const auto last = timestamp_from_text("9999-12-31 23:59:59.999999");
  REQUIRE(first);
  REQUIRE(last);
  CHECK(timestamp_to_text(*first) == "0000-01-01 00:00:00");
  CHECK(timestamp_to_text(*last) == "9999-12-31 23:59:59.999999");
  CHECK_FALSE(timestamp_to_text(Timestamp(first->value() - 1)).has_value());
  CHECK_FALSE(timestamp_to_text(Timestamp(last->value() + 1)).has_value());
}

TEST_CASE("other forms are read") {
  CHECK(timestamp_from_text("1970-01-01T00:00:01Z") == Timestamp(1'000'000));
  CHECK(timestamp_from_text("1970-01-02") == Timestamp(86'400'000'000));
  for (const char* wrong :
       {"", "1970", "1970-13-01", "1970-01-01 24:00:00", "1970-01-01 0:00", "1970-01-01 00:00:00.",
        "1970-01-01 00:00:00x", "1970-01-01 00:00:00.1234567"}) {
    CHECK_FALSE(timestamp_from_text(wrong).has_value());
  }
}

TEST_CASE("random timestamps are the same after writing and reading") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 10000; ++round) {
    const Timestamp time(static_cast<int64_t>(random() % 250'000'000'000'000'000) -
                         60'000'000'000'000'000);
    const auto text = timestamp_to_text(time);
    REQUIRE(text);
    CHECK(timestamp_from_text(*text) == time);
  }
}
