#include "sql/bucket_arguments.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "engine/engine.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

constexpr std::string_view kZoneDirectory = "/usr/share/zoneinfo/";
constexpr size_t kZoneBytesMax = 1 << 20;
constexpr size_t kZoneNameMax = 64;
constexpr size_t kZonesMax = 64;

/// Words joined by '/', so that no name leads out of the directory.
bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > kZoneNameMax || std::isalpha(static_cast<unsigned char>(name.front())) == 0) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+'; });
}

void append_key(std::string& key, sqlite3_value* value) {
  key.push_back(static_cast<char>(sqlite3_value_type(value)));
  key += text_of(value);
  key.push_back('\0');
}

}  // namespace

Result<Interval> interval_of(sqlite3_value* value, std::string_view what) {
  Interval interval;
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: interval.microseconds = sqlite3_value_int64(value); return interval;
    case SQLITE_NULL: return Status(StatusCode::kConstraint, fmt::format("{} is NULL; an interval is expected", what));
    default: return parse_interval(text_of(value));
  }
}

Result<std::shared_ptr<const TimeZone>> load_time_zone(Env& env, std::string_view name) {
  const auto unknown = [&](std::string_view why) {
    return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is neither a time, an interval nor a time zone like 'Europe/Berlin'{}", name, why));
  };
  if (!is_zone_name(name)) return unknown("");
  const std::string path = std::string(kZoneDirectory) + std::string(name);
  if (!env.exists(std::string(kZoneDirectory))) return unknown(fmt::format("; this host has no time zones in {}", kZoneDirectory));
  if (!env.exists(path)) return unknown("");
  auto bytes = env.read_file(path, kZoneBytesMax);
  if (!bytes.ok()) return unknown(fmt::format(": {}", bytes.status().message()));
  return TimeZone::parse(name, *bytes);
}

Result<const TimeBucket*> BucketArguments::read(Env& env, sqlite3_value* width, std::span<sqlite3_value* const> options, bool integers) {
  std::string key(1, integers ? 'i' : 't');
  append_key(key, width);
  for (sqlite3_value* option : options) append_key(key, option);
  if (!bucket_ || key != key_) {
    bucket_.reset();
    BRAID_ASSIGN(bucket_, make(env, width, options, integers));
    key_ = std::move(key);
  }
  return &*bucket_;
}

Result<TimeBucket> BucketArguments::make(Env& env, sqlite3_value* width, std::span<sqlite3_value* const> options, bool integers) {
  if (integers) {
    if (options.size() > 1 || (options.size() == 1 && sqlite3_value_type(options[0]) != SQLITE_INTEGER))
      return Status(StatusCode::kInvalidArgument, "buckets of integers take one option, an integer offset");
    return TimeBucket::of_integers(sqlite3_value_int64(width), options.empty() ? 0 : sqlite3_value_int64(options[0]));
  }
  BRAID_ASSIGN(const Interval length, interval_of(width, "width"));
  TimeBucketOptions chosen;
  bool any_offset = false;
  for (sqlite3_value* option : options) BRAID_TRY(read_option(env, option, chosen, any_offset));
  return TimeBucket::make(length, chosen);
}

Status BucketArguments::read_option(Env& env, sqlite3_value* value, TimeBucketOptions& options, bool& any_offset) {
  const auto twice = [](std::string_view what) { return Status(StatusCode::kInvalidArgument, fmt::format("{} is given twice", what)); };
  const std::string_view text = text_of(value);
  const auto time = sqlite3_value_type(value) == SQLITE_TEXT ? parse_time(text) : std::nullopt;
  if (time || sqlite3_value_type(value) != SQLITE_TEXT) {
    if (options.origin_us) return twice("the origin");
    BRAID_ASSIGN(const Timestamp origin, time_of(value, "origin"));
    options.origin_us = origin.value();
    return {};
  }
  if (auto interval = parse_interval(text); interval.ok()) {
    if (any_offset) return twice("the offset");
    any_offset = true;
    options.offset = *interval;
    return {};
  }
  if (options.zone != nullptr) return twice("the time zone");
  if (const auto known = zones_.find(text); known != zones_.end()) {
    options.zone = known->second;
    return {};
  }
  BRAID_ASSIGN(options.zone, load_time_zone(env, text));
  if (zones_.size() >= kZonesMax) zones_.clear();
  zones_.emplace(text, options.zone);
  return {};
}

}  // namespace braid
