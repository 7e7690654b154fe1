#include "sql/time_text.h"

#include <strings.h>

#include <charconv>

#include <fmt/format.h>

namespace braid {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kBucketOrigin = 946'857'600 * kSecond;  // Monday 2000-01-03
constexpr int64_t kYearMax = 294276;

struct Date {
  int64_t year;
  int64_t month;
  int64_t day;
};

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

// Days since 1970-01-01 in the proleptic Gregorian calendar, by eras of 400 years.
// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
int64_t days_from_date(Date date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = floor_divide(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

Date date_from_days(int64_t days) {
  days += 719468;
  const int64_t era = floor_divide(days, 146097);
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_index = (5 * day_of_year + 2) / 153;
  const int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * month_index + 2) / 5 + 1};
}

int64_t days_in_month(int64_t year, int64_t month) {
  constexpr int64_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

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

bool scan_date(Scanner& in, Date& date) {
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
  microseconds = hour * kHour + minute * kMinute + second * kSecond + fraction;
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
  offset = (hours * kHour + minutes * kMinute) * (west ? -1 : 1);
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
    {"microsecond", 0, 1}, {"us", 0, 1},           {"millisecond", 0, 1000}, {"ms", 0, 1000},     {"second", 0, kSecond},
    {"sec", 0, kSecond},   {"s", 0, kSecond},      {"minute", 0, kMinute},   {"min", 0, kMinute}, {"m", 0, kMinute},
    {"hour", 0, kHour},    {"h", 0, kHour},        {"hr", 0, kHour},         {"day", 0, kDay},    {"d", 0, kDay},
    {"week", 0, 7 * kDay}, {"w", 0, 7 * kDay},     {"month", 1, 0},          {"mon", 1, 0},       {"quarter", 3, 0},
    {"year", 12, 0},       {"y", 12, 0},
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
  const int64_t days = floor_divide(time.value(), kDay);
  const int64_t rest = time.value() - days * kDay;
  const Date date = date_from_days(days);
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date.year, date.month, date.day, rest / kHour,
                                 rest % kHour / kMinute, rest % kMinute / kSecond);
  const int64_t fraction = rest % kSecond;
  if (fraction == 0) return text;
  text += fmt::format(".{:06}", fraction);
  while (text.back() == '0') text.pop_back();
  return text;
}

std::optional<Timestamp> parse_time(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  Scanner in(text);
  in.skip_blanks();
  Date date;
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
  if (!times(days_from_date(date), kDay, result) || !plus(result, clock - offset, result)) return std::nullopt;
  return Timestamp(result);
}

Result<Interval> parse_interval(std::string_view text) {
  const Status bad(StatusCode::kInvalidArgument,
                   fmt::format("'{}' is not an interval; expected for example '1 hour', '15 minutes', '1 day', '1 month'", text));
  Interval interval;
  Scanner in(text);
  bool any = false;
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
    if (unit == nullptr || (fraction != 0 && unit->months != 0)) return bad;
    if (negative) count = -count;
    int64_t months = 0;
    if (!times(count, unit->months, months) || !times(count, unit->microseconds, part)) return bad;
    const auto partial = static_cast<int64_t>(static_cast<double>(fraction) / 1e6 * static_cast<double>(unit->microseconds));
    if (!plus(part, negative ? -partial : partial, part)) return bad;
    if (!plus(interval.months, months, interval.months)) return bad;
    if (!plus(interval.microseconds, part, interval.microseconds)) return bad;
    any = true;
  }
  if (!any) return bad;
  return interval;
}

Result<Timestamp> time_bucket(const Interval& width, Timestamp time, std::optional<Timestamp> origin) {
  const Status range(StatusCode::kInvalidArgument, "time_bucket: the bucket starts before the first time that can be told");
  if (width.months != 0 && width.microseconds != 0)
    return Status(StatusCode::kInvalidArgument, "time_bucket: a width in months cannot have days or hours as well");
  if (width.months < 0 || width.microseconds < 0 || (width.months == 0 && width.microseconds == 0))
    return Status(StatusCode::kInvalidArgument, "time_bucket: the width must be greater than zero");
  if (width.months == 0) {
    int64_t distance = 0;
    int64_t start = 0;
    // Only where the origin lies within one width of it does the bucket's phase matter, so it is reduced first.
    const int64_t phase = origin.value_or(Timestamp(kBucketOrigin)).value() % width.microseconds;
    if (!plus(time.value(), -phase, distance)) return range;
    if (!times(floor_divide(distance, width.microseconds), width.microseconds, start) || !plus(start, phase, start)) return range;
    return Timestamp(start);
  }
  const auto months_of = [](Timestamp at) {
    const Date date = date_from_days(floor_divide(at.value(), kDay));
    return date.year * 12 + date.month - 1;
  };
  const int64_t phase = origin.has_value() ? months_of(*origin) : 2000 * 12;
  const int64_t month = floor_divide(months_of(time) - phase, width.months) * width.months + phase;
  int64_t start = 0;
  if (!times(days_from_date({floor_divide(month, 12), month - floor_divide(month, 12) * 12 + 1, 1}), kDay, start)) return range;
  return Timestamp(start);
}

}  // namespace braid
