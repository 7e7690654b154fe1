// Reads a plan with the values of its parameters as a question for the time-series engine.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sql/bucket_arguments.h"
#include "sql/connection.h"
#include "sql/rollup_plan.h"
#include "sql/series_conditions.h"
#include "timeseries/rollup.h"

namespace braid {


/// A tag's value: NULL, a whole number or a text. They sort as in SQLite: NULL first, texts by their bytes.
using TagKey = std::variant<std::monostate, int64_t, std::string>;
/// The tags of one group, in the order of the plan's keys, by which groups are numbered.
using GroupTags = std::vector<TagKey>;

struct AskedRollup {
  RollupQuestion question;
  std::vector<GroupTags> groups;
  bool no_rows = false;      ///< keys, and nothing that could be in a group
  bool null_bucket = false;  ///< time_bucket of NULL: one bucket, which is NULL
};

/// Buckets of time_bucket(width, time, options …); null when one of the values is NULL.
Result<std::shared_ptr<const TimeBuckets>> make_buckets(Connection& connection, sqlite3_value* width, std::span<sqlite3_value* const> options,
                                                        BucketArguments& arguments);

/// `parameters` by place. Valid while the connection is pinned.
Result<AskedRollup> ask_rollup(Connection& connection, const HypertableDefinition& table, const RollupPlan& plan,
                               std::span<sqlite3_value* const> parameters, BucketArguments& bucket_arguments);

/// Asks the engine; a bound on the buckets is given up where the texts of their times sort otherwise than the times.
Result<RollupAnswer> answer_rollup(Connection& connection, const HypertableDefinition& table, AskedRollup& asked);

}  // namespace braid
