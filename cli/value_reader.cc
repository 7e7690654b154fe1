#include "cli/value_reader.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>

namespace braid::cli {

namespace {

template <typename Number>
std::optional<Number> read_number(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  Number number = {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<int64_t> read_integer(std::string_view text) { return read_number<int64_t>(text); }
std::optional<double> read_double(std::string_view text) { return read_number<double>(text); }

std::optional<bool> read_boolean(std::string_view text) {
  std::string lower;
  for (char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower == "true" || lower == "t" || lower == "1") return true;
  if (lower == "false" || lower == "f" || lower == "0") return false;
  return std::nullopt;
}

std::optional<TimeUnit> read_time_unit(std::string_view text) {
  if (text == "s") return TimeUnit::kSeconds;
  if (text == "ms") return TimeUnit::kMilliseconds;
  if (text == "us") return TimeUnit::kMicroseconds;
  if (text == "ns") return TimeUnit::kNanoseconds;
  return std::nullopt;
}

namespace {

constexpr int64_t kMicrosecondsPerSecond = 1'000'000;

// The calendar of the library ends before that of the data: it repeats every 400 years, and so do its weeks.
constexpr int64_t kDaysOfCycle = 146'097, kYearsOfCycle = 400;

// Takes text from its front, piece by piece; every member answers whether the piece was there.
class Taker {
 public:
  explicit Taker(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  bool one_of(std::string_view characters) {
    if (text_.empty() || characters.find(text_[0]) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// Exactly `count` digits, within bounds.
  bool digits(int count, int minimum, int maximum, int* number) {
    if (text_.size() < static_cast<size_t>(count)) return false;
    *number = 0;
    for (int i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      *number = *number * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return *number >= minimum && *number <= maximum;
  }
  /// Of four digits, or of five or six where it is far.
  bool year(int64_t* number) {
    const size_t count = std::min(text_.find_first_not_of("0123456789"), text_.size());
    int digits_read = 0;
    if (count < 4 || count > 6 || !digits(static_cast<int>(count), 0, 999'999, &digits_read)) return false;
    *number = digits_read;
    return true;
  }
  /// Digits after a point, as microseconds.
  bool fraction(int64_t* microseconds) {
    int64_t scale = kMicrosecondsPerSecond / 10;
    bool any = false;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      *microseconds += (text_[0] - '0') * scale;
      scale /= 10;
      any = true;
      text_.remove_prefix(1);
    }
    return any;
  }
  void spaces() {
    while (one_of(" ")) {
    }
  }

 private:
  std::string_view text_;
};

std::optional<int64_t> read_date(Taker* taker) {
  int64_t year = 0;
  int month = 0;
  int day = 0;
  if (!taker->year(&year) || !taker->one_of("-") ||
      !taker->digits(2, 1, 12, &month) || !taker->one_of("-") || !taker->digits(2, 1, 31, &day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year % kYearsOfCycle)), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  const std::chrono::sys_days in_cycle = date;
  const int64_t days = in_cycle.time_since_epoch().count() + year / kYearsOfCycle * kDaysOfCycle;
  int64_t microseconds = 0;
  if (__builtin_mul_overflow(days, 86'400 * kMicrosecondsPerSecond, &microseconds)) return std::nullopt;
  return microseconds;
}

// "12:00", "12:00:30", "12:00:30.25"; 24:00 is the end of the day.
std::optional<int64_t> read_clock(Taker* taker) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t fraction = 0;
  if (!taker->digits(2, 0, 24, &hour) || !taker->one_of(":") || !taker->digits(2, 0, 59, &minute)) {
    return std::nullopt;
  }
  if (taker->one_of(":")) {
    if (!taker->digits(2, 0, 60, &second)) return std::nullopt;
    if (taker->one_of(".,") && !taker->fraction(&fraction)) return std::nullopt;
  }
  if (hour == 24 && (minute > 0 || second > 0 || fraction > 0)) return std::nullopt;
  return (int64_t{hour} * 3600 + minute * 60 + second) * kMicrosecondsPerSecond + fraction;
}

// "Z", "+02", "+0200", "+02:00", or nothing, which is UTC. How much the clock is ahead of UTC.
std::optional<int64_t> read_zone(Taker* taker) {
  taker->spaces();
  if (taker->empty() || taker->one_of("Zz")) return 0;
  int64_t sign = 1;
  if (taker->one_of("-")) {
    sign = -1;
  } else if (!taker->one_of("+")) {
    return std::nullopt;
  }
  int hours = 0;
  int minutes = 0;
  if (!taker->digits(2, 0, 15, &hours)) return std::nullopt;
  taker->one_of(":");
  if (!taker->empty() && !taker->digits(2, 0, 59, &minutes)) return std::nullopt;
  return sign * (int64_t{hours} * 60 + minutes) * 60 * kMicrosecondsPerSecond;
}

}  // namespace

std::optional<int64_t> read_calendar_time(std::string_view text) {
  Taker taker(text);
  const std::optional<int64_t> date = read_date(&taker);
  if (!date.has_value()) return std::nullopt;
  if (taker.empty()) return date;
  if (!taker.one_of("Tt ")) return std::nullopt;
  const std::optional<int64_t> clock = read_clock(&taker);
  if (!clock.has_value()) return std::nullopt;
  const std::optional<int64_t> zone = read_zone(&taker);
  int64_t time = 0;
  if (!zone.has_value() || !taker.empty() || __builtin_add_overflow(*date, *clock - *zone, &time)) return std::nullopt;
  return time;
}

std::optional<int64_t> read_epoch_time(std::string_view text, TimeUnit unit) {
  static constexpr std::array<int64_t, 3> kScale = {1'000'000, 1'000, 1};
  const std::optional<int64_t> whole = read_integer(text);
  if (!whole.has_value()) {
    const std::optional<double> number = read_double(text);
    if (!number.has_value()) return std::nullopt;
    const double scaled = unit == TimeUnit::kNanoseconds
                              ? *number / 1000
                              : *number * static_cast<double>(kScale[static_cast<size_t>(unit)]);
    if (!(scaled > -9.2e18 && scaled < 9.2e18)) return std::nullopt;
    return static_cast<int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  if (unit == TimeUnit::kNanoseconds) {
    // Rounds down on both sides of the epoch, so that order is kept.
    return *whole / 1000 - (*whole % 1000 < 0 ? 1 : 0);
  }
  int64_t microseconds = 0;
  if (__builtin_mul_overflow(*whole, kScale[static_cast<size_t>(unit)], &microseconds)) {
    return std::nullopt;
  }
  return microseconds;
}

std::string time_text(int64_t microseconds) {
  constexpr int64_t kDay = 86'400 * kMicrosecondsPerSecond;
  int64_t days = microseconds / kDay;
  if (microseconds % kDay < 0) --days;
  const int64_t within = ((microseconds % kDay) + kDay) % kDay;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days % kDaysOfCycle)))};
  const int64_t seconds = within / kMicrosecondsPerSecond;
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()) + days / kDaysOfCycle * kYearsOfCycle,
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  seconds / 3600, seconds / 60 % 60, seconds % 60);
  const int64_t fraction = within % kMicrosecondsPerSecond;
  if (fraction == 0) return text;
  text += fmt::format(".{:06}", fraction);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace braid::cli
