// A statement run again and again, for somebody who looks at it.
#pragma once

#include <cstdint>
#include <string_view>

#include "cli/console.h"

namespace braid::cli {

struct WatchArguments {
  double seconds = 0;                ///< between the end of a run and the next
  int64_t runs_max = INT64_MAX;
  std::string_view sql;
};

/// Runs until Ctrl-C, which is no failure, an error, or `runs_max`. A terminal is cleared before each
/// run.
Done watch_statement(Console* console, const WatchArguments& arguments);

}  // namespace braid::cli
