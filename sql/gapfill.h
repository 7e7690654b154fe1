// time_bucket_gapfill: a SELECT that groups by it is written anew, so that SQLite gives the rows of the buckets that hold no points too.
//
//   SELECT time_bucket_gapfill(width, time[, zone][, start, finish]) AS b, host, avg(x), locf(avg(x)) FROM t WHERE … GROUP BY b, host
//
// becomes: the groups that there are, from the same FROM and WHERE with time_bucket; every bucket of every other group beside them; and the
// expressions of the select list over both, with locf and interpolate as window functions. docs/time_functions.md tells the rules.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/result.h"

namespace braid {

struct GapfillRewrite {
  std::string sql;
  size_t used = 0;  ///< bytes of the statement in the text given
};

/// Whether a function of that many arguments (none for `*`) adds up rows.
using IsAggregate = std::function<bool(std::string_view name, size_t arguments)>;

/// Nothing when the first statement of `sql` does not call time_bucket_gapfill; kInvalidArgument tells what keeps it from being filled.
Result<std::optional<GapfillRewrite>> rewrite_gapfill(std::string_view sql, const IsAggregate& is_aggregate);

}  // namespace braid
