#include "graph/timestamp_text.h"

#include <fmt/format.h>

#include <chrono>

namespace braid {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Takes exactly `count` digits from the front of `text`.
bool take_digits(std::string_view& text, size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, int64_t& micros) {
  int64_t unit = kMicrosPerSecond / 10;
  size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits == 6) return false;
    micros += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return digits > 0;
}

bool take_clock(std::string_view& text, int64_t& micros) {
  int hour, minute, second = 0;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute)) {
    return false;
  }
  micros = 0;
  if (take(text, ':')) {
    if (!take_digits(text, 2, second)) return false;
    if (take(text, '.') && !take_fraction(text, micros)) return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  micros += ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond;
  return true;
}

}  // namespace

std::optional<std::string> timestamp_to_text(Timestamp time) {
  int64_t day = time.value() / kMicrosPerDay;
  int64_t micros = time.value() % kMicrosPerDay;
  if (micros < 0) {
    micros += kMicrosPerDay;
    --day;
  }
  // Days of the years 0 to 9999, the range in which the text sorts as the time.
  constexpr int64_t kDayMin = -719'528, kDayMax = 2'932'896;
  if (day < kDayMin || day > kDayMax) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  const int64_t seconds = micros / kMicrosPerSecond;
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", int{date.year()}, unsigned{date.month()},
                  unsigned{date.day()}, seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (micros % kMicrosPerSecond != 0) {
    text += fmt::format(".{:06}", micros % kMicrosPerSecond);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

std::optional<Timestamp> timestamp_from_text(std::string_view text) {
  int year, month, day;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) ||
      !take(text, '-') || !take_digits(text, 2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  int64_t micros = 0;
  if (!text.empty()) {
    if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
    if (!take_clock(text, micros)) return std::nullopt;
    take(text, 'Z');
    if (!text.empty()) return std::nullopt;
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Timestamp(days * kMicrosPerDay + micros);
}

}  // namespace braid
