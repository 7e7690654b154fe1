// The arguments that time_bucket and its kin share: width, origin, offset and time zone.
#pragma once

#include <sqlite3.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/result.h"
#include "sql/connection.h"
#include "sql/time_text.h"
#include "timeseries/time_bucket.h"

namespace braid {

/// Text like '5 minutes', or integer microseconds. kConstraint for NULL.
Result<Interval> interval_of(sqlite3_value* value, std::string_view what);

/// The zone of an IANA name, from the host's files; kNotFound when there is none.
Result<std::shared_ptr<const TimeZone>> load_time_zone(Env& env, std::string_view name);

/// Makes buckets from arguments and keeps the last, since the calls of a statement repeat them. One connection each.
class BucketArguments {
 public:
  /// `options` are origin, offset and time zone in any order, each told by its form: a time, an interval, a name. With `integers` the
  /// width and the only option, an offset, are plain integers. Valid until the next call.
  Result<const TimeBucket*> read(Env& env, sqlite3_value* width, std::span<sqlite3_value* const> options, bool integers);

 private:
  Result<TimeBucket> make(Env& env, sqlite3_value* width, std::span<sqlite3_value* const> options, bool integers);
  Status read_option(Env& env, sqlite3_value* value, TimeBucketOptions& options, bool& any_offset);

  std::string key_;  // of the arguments that bucket_ was made from
  std::optional<TimeBucket> bucket_;
  std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> zones_;  // shared with buckets
};

}  // namespace braid
