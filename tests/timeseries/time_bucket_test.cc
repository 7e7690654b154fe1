#include "timeseries/time_bucket.h"

#include <doctest/doctest.h>

#include <random>

#include "engine/env.h"
#include "timeseries/civil_time.h"

using namespace braid;

namespace {

int64_t at(int64_t year, int64_t month, int64_t day, int64_t us = 0) {
  return days_from_date({year, month, day}) * kDayUs + us;
}

/// Nothing where the host has no zone files.
std::shared_ptr<const TimeZone> zone(const std::string& name) {
  Env env;
  auto bytes = env.read_file("/usr/share/zoneinfo/" + name, 1 << 20);
  if (!bytes.ok()) return nullptr;
  auto parsed = TimeZone::parse(name, *bytes);
  REQUIRE(parsed.ok());
  return *parsed;
}

TimeBucket bucket(const Interval& width, const TimeBucketOptions& options = {}) {
  auto made = TimeBucket::make(width, options);
  REQUIRE(made.ok());
  return *made;
}

/// What the header promises, over random times.
void check_layout(const TimeBucket& buckets, uint64_t seed, const TimeZone* zone = nullptr) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> times(at(1890, 1, 1), at(2110, 1, 1));
  std::uniform_int_distribution<int64_t> near(-90 * kMinuteUs, 90 * kMinuteUs);
  for (int i = 0; i < 3000; ++i) {
    int64_t time = times(random);
    // Most of what can go wrong does so at a change of the clock.
    if (zone != nullptr && i % 3 > 0) time = zone->next_transition(time).value_or(time) + (i % 3 == 1 ? near(random) : 0);
    const int64_t start = buckets.floor(time);
    const int64_t next = buckets.next(time);
    CAPTURE(time);
    REQUIRE(start <= time);
    REQUIRE(next > time);
    REQUIRE(buckets.floor(start) == start);
    REQUIRE(buckets.floor(next) == next);
    REQUIRE(buckets.floor(next - 1) == start);
    REQUIRE(buckets.next(start) == next);
  }
}

}  // namespace

TEST_CASE("weeks start on Monday, months on their first day") {
  CHECK(bucket({.microseconds = 7 * kDayUs}).floor(at(2024, 3, 1)) == at(2024, 2, 26));
  CHECK(bucket({.months = 1}).floor(at(2024, 3, 31, kDayUs - 1)) == at(2024, 3, 1));
  CHECK(bucket({.months = 3}).floor(at(1999, 12, 31)) == at(1999, 10, 1));
  CHECK(bucket({.months = 3}).next(at(1999, 12, 31)) == at(2000, 1, 1));
}

TEST_CASE("integers round towards minus infinity from the offset") {
  const auto tens = TimeBucket::of_integers(10);
  REQUIRE(tens.ok());
  CHECK(tens->floor(-11) == -20);
  CHECK(tens->floor(-10) == -10);
  CHECK(tens->floor(109) == 100);
  CHECK(tens->floor(INT64_MAX) == INT64_MAX - 7);
  CHECK(tens->next(INT64_MAX) == INT64_MAX);
  CHECK(!tens->checked_floor(INT64_MIN));
  CHECK(tens->floor(INT64_MIN) == INT64_MIN);
  CHECK(tens->next(INT64_MIN) == INT64_MIN + 8);
  CHECK(TimeBucket::of_integers(10, -2)->floor(-3) == -12);
  CHECK(TimeBucket::of_integers(INT64_MAX, INT64_MIN)->floor(0) == -1);
}

TEST_CASE("a width that is none is refused") {
  for (const Interval& width : {Interval{}, Interval{.microseconds = -1}, Interval{.months = -1}, Interval{.months = 1, .microseconds = 1},
                                Interval{.months = INT64_MAX}})
    CHECK(TimeBucket::make(width).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("buckets lie end to end") {
  uint64_t seed = 1;
  for (const Interval& width : {Interval{.microseconds = 333}, Interval{.microseconds = 5 * kMinuteUs}, Interval{.microseconds = 10 * kDayUs},
                                Interval{.months = 1}, Interval{.months = 5}, Interval{.months = 24}})
    for (const Interval& offset : {Interval{}, Interval{.microseconds = -15 * kSecondUs}, Interval{.microseconds = 2 * kHourUs}})
      for (const int64_t origin : {int64_t{0}, at(1970, 3, 5, 77)}) {
        TimeBucketOptions options{.offset = offset};
        if (origin != 0) options.origin_us = origin;
        check_layout(bucket(width, options), seed++);
      }
}

TEST_CASE("buckets of local time lie end to end across changes of the clock") {
  uint64_t seed = 100;
  for (const char* name : {"Europe/Berlin", "America/New_York", "Asia/Amman", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata",
                           "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll", "UTC"}) {
    const auto found = zone(name);
    if (found == nullptr) {
      MESSAGE("no zone files on this host");
      return;
    }
    CAPTURE(name);
    for (const Interval& width : {Interval{.microseconds = 11 * kSecondUs}, Interval{.microseconds = 333 * kMinuteUs}, Interval{.microseconds = 333 * kHourUs},
                                  Interval{.months = 1200}, Interval{.microseconds = 30 * kMinuteUs}, Interval{.microseconds = kHourUs}, Interval{.microseconds = 5 * kHourUs},
                                  Interval{.microseconds = kDayUs}, Interval{.microseconds = 7 * kDayUs}, Interval{.months = 1}, Interval{.months = 12}})
      for (const int64_t offset : {int64_t{0}, 15 * kMinuteUs, -15 * kSecondUs})
        check_layout(bucket(width, {.offset = {.microseconds = offset}, .zone = found}), seed++, found.get());
  }
}

TEST_CASE("a day that the clock changes has 23 or 25 hours") {
  const auto berlin = zone("Europe/Berlin");
  if (berlin == nullptr) return;
  const TimeBucket days = bucket({.microseconds = kDayUs}, {.zone = berlin});
  const int64_t march = days.floor(at(2024, 3, 31, 12 * kHourUs));
  CHECK(march == at(2024, 3, 30, 23 * kHourUs));
  CHECK(days.next(march) - march == 23 * kHourUs);
  const int64_t october = days.floor(at(2025, 10, 26, 12 * kHourUs));
  CHECK(days.next(october) - october == 25 * kHourUs);
  // Far in the future the rule at the end of the file holds.
  CHECK(days.floor(at(2300, 7, 1, kHourUs)) == at(2300, 6, 30, 22 * kHourUs));
  CHECK(days.floor(at(2300, 1, 1, kHourUs)) == at(2299, 12, 31, 23 * kHourUs));
}

TEST_CASE("an offset across a change of the clock never starts a bucket after its time") {
  const auto amman = zone("Asia/Amman");
  const auto berlin = zone("Europe/Berlin");
  if (amman == nullptr || berlin == nullptr) return;
  const auto start = [](const auto& in, int64_t width, int64_t offset, int64_t time) {
    return bucket({.microseconds = width}, {.offset = {.microseconds = offset}, .zone = in}).floor(time);
  };
  CHECK(start(amman, kDayUs, 15 * kMinuteUs, at(2021, 3, 25, 22 * kHourUs)) == at(2021, 3, 24, 22 * kHourUs + 15 * kMinuteUs));
  CHECK(start(berlin, 30 * kSecondUs, -15 * kSecondUs, at(2025, 10, 26)) == at(2025, 10, 25, kDayUs - 15 * kSecondUs));
  CHECK(start(amman, kHourUs, -15 * kMinuteUs, at(2021, 3, 25, 22 * kHourUs + 30 * kMinuteUs)) == at(2021, 3, 25, 21 * kHourUs + 45 * kMinuteUs));
  CHECK(start(berlin, kHourUs, 15 * kMinuteUs, at(2025, 10, 26, 90 * kMinuteUs)) == at(2025, 10, 26, 75 * kMinuteUs));
}

TEST_CASE("damaged zone files are refused or read, never worse") {
  Env env;
  auto bytes = env.read_file("/usr/share/zoneinfo/Europe/Berlin", 1 << 20);
  if (!bytes.ok()) return;
  for (size_t size = 0; size < bytes->size(); ++size) {
    const auto cut = TimeZone::parse("cut", std::string_view(*bytes).substr(0, size));
    if (!cut.ok()) CHECK(cut.status().code() == StatusCode::kCorrupt);
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = *bytes;
    for (int n = 0; n < 3; ++n) damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto parsed = TimeZone::parse("damaged", damaged);
    if (!parsed.ok()) continue;
    const int64_t time = static_cast<int64_t>(random());
    (void)(*parsed)->local(time);
    (void)(*parsed)->last_transition(time);
    (void)(*parsed)->next_transition(time);
    const TimeBucket days = bucket({.microseconds = kDayUs}, {.zone = *parsed});
    (void)days.floor(time);
    (void)days.next(at(2000, 1, 1) + time % at(2100, 1, 1));
  }
}
