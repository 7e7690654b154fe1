// What a recognised SELECT asks of hypertable_rollup, as a text in the statement: the recogniser writes it, the table reads it.
//
// Words divided by blanks; p is the number of a parameter of the table, i the index of a tag or field of the hypertable:
//   bucket:p[:p…]       the key time_bucket(p, time[, p …])
//   tag:i               a key
//   max:i, count:*      an aggregate of a field, of all rows (*) or of the time column (t)
//   time:OP:p  field:i:OP[:p]  series:i:OP[:p]   conditions; OP is <, <=, =, <>, >=, >, is, in, null or notnull
//   if:p                a condition that no row changes
//   order:b+ order:0-   the order of the rows without another: by the bucket or by the tag key of that number, up or down
//   limit:p[:p]:+       only so many buckets (and so many before them), the first ones or (-) the last ones
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "sql/series_conditions.h"
#include "timeseries/rollup.h"

namespace braid {

inline constexpr const char* kRollupTable = "hypertable_rollup";
/// Columns of the table: kRollupPrefix + "bucket", "t0", …, "i0", …, "a0", …, then hidden ones. No name in a recognised statement starts like this.
inline constexpr std::string_view kRollupPrefix = "_ru_";
/// time_bucket takes so many arguments after the time.
inline constexpr size_t kBucketOptionsMax = 3;
inline constexpr size_t kRollupTagsMax = 8;
inline constexpr size_t kRollupColumnsMax = 64;
inline constexpr size_t kRollupParametersMax = 32;

enum class ConditionTarget : uint8_t { kTime, kField, kSeries, kConstant };

struct RollupCondition {
  ConditionTarget target = ConditionTarget::kTime;
  ConditionOperator op = ConditionOperator::kEqual;
  size_t index = 0;  ///< of a tag or field
  std::optional<size_t> parameter;
};

/// By the bucket (none), or by the tag key of this number.
struct RollupOrder {
  std::optional<size_t> tag;
  bool descending = false;
};

struct RollupPlan {
  struct Bucket {
    size_t width;
    std::vector<size_t> options;  ///< what follows the time
  };
  struct Limit {
    size_t count;
    std::optional<size_t> offset;
    bool newest_first;
  };
  std::optional<Bucket> bucket;
  std::vector<size_t> tags;  ///< tag indexes
  std::vector<RollupColumn> columns;
  std::vector<RollupCondition> conditions;
  std::vector<RollupOrder> order;
  std::optional<Limit> limit;
};

std::string encode_plan(const RollupPlan& plan);
/// kInvalidArgument for a text that is no plan, or speaks of more parameters than there are, or of tags or fields that `table` has not.
Result<RollupPlan> decode_plan(std::string_view text, size_t parameter_count, const HypertableDefinition& table);
/// What the plan reads, in words for EXPLAIN QUERY PLAN: "ROLLUP cpu time>= host IN BY bucket, host: max(usage)".
std::string describe_plan(const RollupPlan& plan, const HypertableDefinition& table);

std::string_view operator_text(ConditionOperator op);
std::string_view function_name(RollupFunction function);
/// By its name in SQL.
std::optional<RollupFunction> find_rollup_function(std::string_view name);

}  // namespace braid
