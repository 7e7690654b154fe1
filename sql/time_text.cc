#include "sql/time_text.h"

#include <strings.h>

#include <charconv>

#include <fmt/format.h>

#include "timeseries/civil_time.h"

namespace braid {

namespace {

constexpr int64_t kYearMax = 294276;

/// Reads the parts of a time from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_blanks() {
    while (take(' ')) {
    }
  }
  /// Digits, between `least` and `most` of them.
  bool number(size_t least, size_t most, int64_t& value) {
    size_t size = 0;
    value = 0;
    while (size < rest_.size() && size < most && rest_[size] >= '0' && rest_[size] <= '9')
      value = value * 10 + (rest_[size++] - '0');
    rest_.remove_prefix(size);
    return size >= least;
  }
  /// The digits after a decimal point as microseconds; further digits are rounded.
  bool fraction(int64_t& microseconds) {
    int64_t scale = 100'000;
    size_t size = 0;
    microseconds = 0;
    for (; size < rest_.size() && rest_[size] >= '0' && rest_[size] <= '9'; ++size) {
      if (size < 6) microseconds += (rest_[size] - '0') * scale;
      if (size == 6 && rest_[size] >= '5') ++microseconds;
      scale /= 10;
    }
    rest_.remove_prefix(size);
    return size > 0;
  }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view word() {
    size_t size = 0;
    while (size < rest_.size() && std::isalpha(static_cast<unsigned char>(rest_[size])) != 0) ++size;
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }

 private:
  std::string_view rest_;
};

bool scan_date(Scanner& in, CivilDate& date) {
  if (!in.number(4, 6, date.year) || !in.take('-') || !in.number(1, 2, date.month) || !in.take('-') ||
      !in.number(1, 2, date.day))
    return false;
  return date.year <= kYearMax && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
         date.day <= days_in_month(date.year, date.month);
}

bool scan_clock(Scanner& in, int64_t& microseconds) {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t fraction = 0;
  if (!in.number(1, 2, hour) || !in.take(':') || !in.number(2, 2, minute)) return false;
  if (in.take(':')) {
    if (!in.number(2, 2, second)) return false;
    if ((in.take('.') || in.take(',')) && !in.fraction(fraction)) return false;
  }
  if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute > 0 || second > 0 || fraction > 0))) return false;
  microseconds = hour * kHourUs + minute * kMinuteUs + second * kSecondUs + fraction;
  return true;
}

bool scan_zone(Scanner& in, int64_t& offset) {
  offset = 0;
  in.skip_blanks();
  if (in.done() || in.take('Z') || in.take('z')) return true;
  if (in.peek() == 'U' || in.peek() == 'u') {
    const std::string_view word = in.word();
    return word == "UTC" || word == "utc";
  }
  const bool west = in.peek() == '-';
  if (!in.take('+') && !in.take('-')) return false;
  int64_t hours = 0;
  int64_t minutes = 0;
  if (!in.number(2, 2, hours)) return false;
  if (in.take(':')) {
    if (!in.number(2, 2, minutes)) return false;
  } else if (!in.done() && !in.number(2, 2, minutes)) {
    return false;
  }
  if (hours > 15 || minutes > 59) return false;
  offset = (hours * kHourUs + minutes * kMinuteUs) * (west ? -1 : 1);
  return true;
}

bool times(int64_t a, int64_t b, int64_t& out) { return !__builtin_mul_overflow(a, b, &out); }
bool plus(int64_t a, int64_t b, int64_t& out) { return !__builtin_add_overflow(a, b, &out); }

struct Unit {
  std::string_view name;
  int64_t months;
  int64_t microseconds;
};
constexpr Unit kUnits[] = {
    {"microsecond", 0, 1}, {"us", 0, 1},           {"millisecond", 0, 1000}, {"ms", 0, 1000},     {"second", 0, kSecondUs},
    {"sec", 0, kSecondUs},   {"s", 0, kSecondUs},      {"minute", 0, kMinuteUs},   {"min", 0, kMinuteUs}, {"m", 0, kMinuteUs},
    {"hour", 0, kHourUs},    {"h", 0, kHourUs},        {"hr", 0, kHourUs},         {"day", 0, kDayUs},    {"d", 0, kDayUs},
    {"week", 0, 7 * kDayUs}, {"w", 0, 7 * kDayUs},     {"month", 1, 0},          {"mon", 1, 0},       {"quarter", 3, 0},
    {"year", 12, 0},       {"y", 12, 0},          {"yr", 12, 0},           {"decade", 120, 0},    {"century", 1200, 0},
};

const Unit* find_unit(std::string_view word) {
  for (const Unit& unit : kUnits) {
    const bool plural = word.size() == unit.name.size() + 1 && (word.back() == 's' || word.back() == 'S');
    if ((word.size() == unit.name.size() || plural) && strncasecmp(word.data(), unit.name.data(), unit.name.size()) == 0)
      return &unit;
  }
  return nullptr;
}

}  // namespace

std::string format_time(Timestamp time) {
  const int64_t days = floor_divide(time.value(), kDayUs);
  const int64_t rest = time.value() - days * kDayUs;
  const CivilDate date = date_from_days(days);
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date.year, date.month, date.day, rest / kHourUs,
                                 rest % kHourUs / kMinuteUs, rest % kMinuteUs / kSecondUs);
  const int64_t fraction = rest % kSecondUs;
  if (fraction == 0) return text;
  text += fmt::format(".{:06}", fraction);
  while (text.back() == '0') text.pop_back();
  return text;
}

std::optional<Timestamp> parse_time(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  Scanner in(text);
  in.skip_blanks();
  CivilDate date;
  int64_t clock = 0;
  int64_t offset = 0;
  if (!scan_date(in, date)) return std::nullopt;
  if (in.take('T') || in.take('t') || in.peek() == ' ') {
    in.skip_blanks();
    if (!scan_clock(in, clock) || !scan_zone(in, offset)) return std::nullopt;
  } else if (in.take('Z')) {
    offset = 0;
  }
  if (!in.done()) return std::nullopt;
  int64_t result = 0;
  if (!times(days_from_date(date), kDayUs, result) || !plus(result, clock - offset, result)) return std::nullopt;
  return Timestamp(result);
}

/// Adds `count` and its fraction (in millionths) of a unit; false when out of range, or for a part of a month.
static bool add_units(Interval& interval, int64_t count, int64_t fraction, bool negative, const Unit& unit) {
  int64_t months = 0;
  int64_t part = 0;
  if (fraction != 0 && unit.months != 0) return false;
  if (!times(count, unit.months, months) || !times(count, unit.microseconds, part)) return false;
  if (!plus(part, static_cast<int64_t>(static_cast<double>(fraction) / 1e6 * static_cast<double>(unit.microseconds)), part)) return false;
  return plus(interval.months, negative ? -months : months, interval.months) &&
         plus(interval.microseconds, negative ? -part : part, interval.microseconds);
}

/// ISO 8601 after the P: "1DT2H30M"
static bool scan_iso_interval(Scanner& in, Interval& interval) {
  struct Letter {
    char letter;
    bool of_clock;
    Unit unit;
  };
  static constexpr Letter kLetters[] = {{'Y', false, {"", 12, 0}},      {'M', false, {"", 1, 0}},        {'W', false, {"", 0, 7 * kDayUs}},
                                        {'D', false, {"", 0, kDayUs}},  {'H', true, {"", 0, kHourUs}},   {'M', true, {"", 0, kMinuteUs}},
                                        {'S', true, {"", 0, kSecondUs}}};
  bool of_clock = false;
  bool any = false;
  while (!in.done()) {
    if (!of_clock && in.take('T')) of_clock = true;
    const bool negative = in.take('-');
    int64_t count = 0;
    int64_t fraction = 0;
    if (!in.number(1, 18, count) || (in.take('.') && !in.fraction(fraction))) return false;
    const Letter* found = nullptr;
    for (const Letter& letter : kLetters)
      if (letter.of_clock == of_clock && in.peek() == letter.letter) found = &letter;
    if (found == nullptr || !in.take(found->letter) || !add_units(interval, count, fraction, negative, found->unit)) return false;
    any = true;
  }
  return any;
}

Result<Interval> parse_interval(std::string_view text) {
  const Status bad(StatusCode::kInvalidArgument,
                   fmt::format("'{}' is not an interval; expected for example '1 hour', '15 minutes', '1 day', '1 month'", text));
  Interval interval;
  Scanner in(text);
  bool any = false;
  in.skip_blanks();
  if (in.take('P')) {
    if (!scan_iso_interval(in, interval)) return bad;
    return interval;
  }
  in.take('@');
  for (in.skip_blanks(); !in.done(); in.skip_blanks()) {
    const bool negative = in.take('-');
    int64_t count = 0;
    int64_t part = 0;
    Scanner clock = in;
    if (scan_clock(clock, part)) {
      in = clock;
      if (!plus(interval.microseconds, negative ? -part : part, interval.microseconds)) return bad;
      any = true;
      continue;
    }
    int64_t fraction = 0;
    if (!in.number(1, 18, count)) return bad;
    if (in.take('.') && !in.fraction(fraction)) return bad;
    in.skip_blanks();
    const Unit* unit = find_unit(in.word());
    if (unit == nullptr || !add_units(interval, count, fraction, negative, *unit)) return bad;
    any = true;
  }
  if (!any) return bad;
  return interval;
}

}  // namespace braid
