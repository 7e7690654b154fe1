// braid tail: the commits of a database as they come, one line of JSON each.
#pragma once

#include <cstdint>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

struct TailArguments {
  uint32_t models = 0;            ///< BRAID_FEED_*; 0: all
  int64_t commits_max = INT64_MAX;
  int64_t idle_ms_max = INT64_MAX;  ///< it ends when no line came for so long
};

/// Writes to the descriptor `out` until Ctrl-C, which is no failure, or a bound. Ends without a word when nobody reads what it
/// writes any more.
Done run_tail(const Session& session, const TailArguments& arguments, int out);

}  // namespace braid::cli
