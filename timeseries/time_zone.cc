#include "timeseries/time_zone.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "timeseries/civil_time.h"

namespace braid {

namespace {

constexpr size_t kHeaderSize = 44;
constexpr size_t kTransitionsMax = 10'000;
constexpr int64_t kOffsetMax = 26 * 3600;  // RFC 8536: between -25 and 26 hours
constexpr int64_t kDaySeconds = 86'400;

// Sums of instants and offsets that are out of range end at the first or the last instant.
int64_t add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}
int64_t microseconds(int64_t seconds) {
  int64_t product = 0;
  if (__builtin_mul_overflow(seconds, kSecondUs, &product)) return seconds < 0 ? INT64_MIN : INT64_MAX;
  return product;
}

uint64_t big_endian(std::string_view bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

int64_t signed_big_endian(std::string_view bytes, size_t at, size_t size) {
  const uint64_t value = big_endian(bytes, at, size);
  return size == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value);
}

struct Counts {
  size_t utc, standard, leaps, times, types, characters;
  size_t body_size(size_t time_size) const {
    return times * (time_size + 1) + types * 6 + characters + leaps * (time_size + 4) + standard + utc;
  }
};
Counts counts_of(std::string_view header) {
  const auto count = [&](size_t at) { return static_cast<size_t>(big_endian(header, at, 4)); };
  return {count(20), count(24), count(28), count(32), count(36), count(40)};
}

}  // namespace

/// "EST5EDT,M3.2.0,M11.1.0"
class TimeZone::RuleParser {
 public:
  explicit RuleParser(std::string_view text) : rest_(text) {}

  bool parse(Rule& rule) {
    int64_t west = 0;
    if (!name() || !clock(west)) return false;
    rule.standard = -west;
    if (rest_.empty()) return true;
    if (!name()) return false;
    rule.daylight = rule.standard + 3600;
    if (!rest_.empty() && rest_.front() != ',') {
      if (!clock(west)) return false;
      rule.daylight = -west;
    }
    return take(',') && day(rule.start) && take(',') && day(rule.end) && rest_.empty();
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool name() {
    const bool quoted = take('<');
    size_t size = 0;
    while (size < rest_.size() && (quoted ? rest_[size] != '>' : std::isalpha(static_cast<unsigned char>(rest_[size])) != 0)) ++size;
    rest_.remove_prefix(size);
    return size > 0 && (!quoted || take('>'));
  }
  bool number(int limit, int& value) {
    size_t size = 0;
    value = 0;
    while (size < rest_.size() && size < 3 && rest_[size] >= '0' && rest_[size] <= '9') value = value * 10 + (rest_[size++] - '0');
    rest_.remove_prefix(size);
    return size > 0 && value <= limit;
  }
  bool clock(int64_t& seconds) {
    const bool negative = take('-');
    if (!negative) take('+');
    int hour = 0, minute = 0, second = 0;
    if (!number(167, hour)) return false;
    if (take(':') && (!number(59, minute) || (take(':') && !number(59, second)))) return false;
    seconds = (hour * 60 + minute) * 60 + second;
    if (negative) seconds = -seconds;
    return true;
  }
  bool day(RuleDay& day) {
    if (take('M')) {
      day.kind = RuleDay::Kind::kMonthWeekDay;
      if (!number(12, day.month) || day.month < 1 || !take('.') || !number(5, day.week) || day.week < 1 || !take('.') || !number(6, day.day))
        return false;
    } else {
      day.kind = take('J') ? RuleDay::Kind::kJulian : RuleDay::Kind::kDayOfYear;
      if (!number(365, day.day)) return false;
    }
    return !take('/') || clock(day.second);
  }

  std::string_view rest_;
};

Result<std::shared_ptr<const TimeZone>> TimeZone::parse(std::string_view name, std::string_view bytes) {
  const auto damaged = [&](std::string_view what) {
    return Status(StatusCode::kCorrupt, fmt::format("time zone '{}': {}", name, what));
  };
  if (bytes.size() < kHeaderSize || !bytes.starts_with("TZif")) return damaged("the file is no TZif file");
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = name;
  std::string_view header = bytes.substr(0, kHeaderSize);
  size_t time_size = 4;
  std::string_view body = bytes.substr(kHeaderSize);
  if (bytes[4] >= '2') {
    // The first part is for old readers; the second has the same with times of 64 bits.
    const size_t skipped = counts_of(header).body_size(4);
    if (body.size() < skipped || body.size() - skipped < kHeaderSize) return damaged("the file is too short");
    header = body.substr(skipped, kHeaderSize);
    if (!header.starts_with("TZif")) return damaged("its second header is missing");
    body = body.substr(skipped + kHeaderSize);
    time_size = 8;
  }
  const Status parsed = zone->parse_body(body, header, time_size);
  if (!parsed.ok()) return damaged(parsed.message());
  return std::shared_ptr<const TimeZone>(std::move(zone));
}

Status TimeZone::parse_body(std::string_view body, std::string_view header, size_t time_size) {
  const auto wrong = [](std::string_view what) { return Status(StatusCode::kCorrupt, std::string(what)); };
  const Counts counts = counts_of(header);
  if (counts.times > kTransitionsMax || counts.types == 0 || counts.types > 256) return wrong("it has too many transitions, or no type");
  if (body.size() < counts.body_size(time_size)) return wrong("the file is too short");
  const size_t indexes_at = counts.times * time_size;
  const size_t types_at = indexes_at + counts.times;
  std::vector<int64_t> offsets;
  for (size_t i = 0; i < counts.types; ++i) {
    const int64_t offset = signed_big_endian(body, types_at + i * 6, 4);
    if (offset < -kOffsetMax || offset > kOffsetMax) return wrong("an offset is out of range");
    offsets.push_back(offset);
  }
  before_ = offsets.front();
  for (size_t i = 0; i < counts.times; ++i) {
    const auto type = static_cast<uint8_t>(body[indexes_at + i]);
    if (type >= offsets.size()) return wrong("a transition names a type that is not there");
    const int64_t at = signed_big_endian(body, i * time_size, time_size);
    if (!transitions_.empty() && at <= transitions_.back().at) return wrong("its transitions are not in order");
    transitions_.push_back({at, offsets[type]});
  }
  std::string_view footer = body.substr(counts.body_size(time_size));
  if (time_size == 4 || !footer.starts_with('\n')) return {};
  footer.remove_prefix(1);
  footer = footer.substr(0, footer.find('\n'));
  if (footer.empty()) return {};
  Rule rule;
  if (!RuleParser(footer).parse(rule)) return wrong("its rule cannot be read");
  rule_ = rule;
  return {};
}

/// Seconds of local time from 1970 at which the rule's day of `year` begins its change.
int64_t TimeZone::rule_second(const RuleDay& day, int64_t year) {
  const int64_t new_year = days_from_date({year, 1, 1});
  int64_t days = 0;
  switch (day.kind) {
    case RuleDay::Kind::kMonthWeekDay: {
      const int64_t first = days_from_date({year, day.month, 1});
      const int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
      days = first + (day.day - weekday + 7) % 7 + (day.week - 1) * 7;
      if (days >= first + days_in_month(year, day.month)) days -= 7;
      break;
    }
    case RuleDay::Kind::kJulian:  // from 1, 29 February is not counted
      days = new_year + day.day - 1 + (day.day > 59 && days_in_month(year, 2) == 29 ? 1 : 0);
      break;
    case RuleDay::Kind::kDayOfYear: days = new_year + day.day; break;
  }
  return days * kDaySeconds + day.second;
}

std::vector<TimeZone::Transition>::const_iterator TimeZone::upper_bound(int64_t second) const {
  return std::upper_bound(transitions_.begin(), transitions_.end(), second,
                          [](int64_t at, const Transition& transition) { return at < transition.at; });
}

std::optional<int64_t> TimeZone::next_by_rule(int64_t second) const {
  if (!rule_ || !rule_->daylight) return std::nullopt;
  const int64_t year = date_from_days(floor_divide(second, kDaySeconds)).year;
  std::optional<int64_t> next;
  for (int64_t y = year - 1; y <= year + 1; ++y) {
    for (const int64_t at : {rule_second(rule_->start, y) - rule_->standard, rule_second(rule_->end, y) - *rule_->daylight})
      if (at > second && (!next || at < *next)) next = at;
  }
  return next;
}

/// Of three years, so that one with daylight is always found; nothing when clocks are never changed.
std::optional<TimeZone::RuleChange> TimeZone::last_by_rule(int64_t second) const {
  if (!rule_ || !rule_->daylight) return std::nullopt;
  const int64_t year = date_from_days(floor_divide(second, kDaySeconds)).year;
  RuleChange latest{INT64_MIN, rule_->standard};
  for (int64_t y = year - 2; y <= year + 1; ++y) {
    const RuleChange start{rule_second(rule_->start, y) - rule_->standard, *rule_->daylight};
    const RuleChange end{rule_second(rule_->end, y) - *rule_->daylight, rule_->standard};
    for (const RuleChange& change : {start, end})
      if (change.at <= second && change.at > latest.at) latest = change;
  }
  return latest;
}

int64_t TimeZone::offset_at(int64_t second) const {
  const auto after = upper_bound(second);
  if (after != transitions_.end() || !rule_)
    return after == transitions_.begin() ? before_ : std::prev(after)->offset;
  if (!rule_->daylight) return rule_->standard;
  return last_by_rule(second)->offset;
}

int64_t TimeZone::offset_us(int64_t instant_us) const { return offset_at(floor_divide(instant_us, kSecondUs)) * kSecondUs; }

int64_t TimeZone::local(int64_t instant_us) const { return add(instant_us, offset_us(instant_us)); }

std::optional<int64_t> TimeZone::next_transition(int64_t instant_us) const {
  const int64_t second = floor_divide(instant_us, kSecondUs);
  const auto after = upper_bound(second);
  if (after != transitions_.end()) return microseconds(after->at);
  const auto next = next_by_rule(second);
  return next ? std::optional(microseconds(*next)) : std::nullopt;
}

std::optional<int64_t> TimeZone::last_transition(int64_t instant_us) const {
  const int64_t second = floor_divide(instant_us, kSecondUs);
  const auto after = upper_bound(second);
  if (after == transitions_.end()) {
    const auto change = last_by_rule(second);
    if (change && (transitions_.empty() || change->at > transitions_.back().at)) return microseconds(change->at);
  }
  return after == transitions_.begin() ? std::nullopt : std::optional(microseconds(std::prev(after)->at));
}

}  // namespace braid
