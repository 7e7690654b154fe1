// A time zone of the IANA database: what a compiled file (TZif) says, and the rule that holds after its last transition.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace braid {

/// Constant after construction; times are microseconds.
class TimeZone {
 public:
  /// Reads the bytes of a TZif file. kCorrupt names the zone and what is wrong.
  /// Source: RFC 8536; POSIX.1-2017 section 8.3 for the rule at the file's end.
  static Result<std::shared_ptr<const TimeZone>> parse(std::string_view name,
                                                       std::string_view bytes);

  const std::string& name() const { return name_; }
  /// What local clocks are ahead of UTC at the instant.
  int64_t offset_us(int64_t instant_us) const;
  int64_t local(int64_t instant_us) const;
  /// The first instant after this one at which the offset changes; none when it stays for ever.
  std::optional<int64_t> next_transition(int64_t instant_us) const;
  /// The latest change at or before the instant.
  std::optional<int64_t> last_transition(int64_t instant_us) const;

 private:
  struct Transition {
    int64_t at;      // seconds
    int64_t offset;  // seconds, from there on
  };
  /// "M3.2.0/2": a day of the year by month, week and weekday, by number, and a second of it.
  struct RuleDay {
    enum class Kind : uint8_t { kMonthWeekDay, kJulian, kDayOfYear } kind = Kind::kMonthWeekDay;
    int month = 0;
    int week = 0;
    int day = 0;
    int64_t second = 7200;
  };
  /// The rule after the last transition.
  struct Rule {
    int64_t standard = 0;  // offsets in seconds
    std::optional<int64_t> daylight;
    RuleDay start;
    RuleDay end;
  };

  class RuleParser;
  static int64_t rule_second(const RuleDay& day, int64_t year);
  Status parse_body(std::string_view body, std::string_view header, size_t time_size);
  int64_t offset_at(int64_t second) const;
  /// The first of the table's transitions after the second.
  std::vector<Transition>::const_iterator upper_bound(int64_t second) const;
  /// A change by the rule, after its table: the first after the second, or the last at or before it.
  std::optional<int64_t> next_by_rule(int64_t second) const;
  struct RuleChange {
    int64_t at;
    int64_t offset;  // from there on
  };
  std::optional<RuleChange> last_by_rule(int64_t second) const;

  std::string name_;
  int64_t before_ = 0;  // offset before the first transition
  std::vector<Transition> transitions_;
  std::optional<Rule> rule_;
};

}  // namespace braid
