// A bar for statements that tell how far they are: algorithms on the graph.
#pragma once

#include "api/braid.h"
#include "cli/progress.h"

namespace braid::cli {

/// While it lives, what runs on the connection shows how far it is, on a terminal.
class StatementProgress {
 public:
  explicit StatementProgress(braid_connection* connection);
  ~StatementProgress();
  StatementProgress(const StatementProgress&) = delete;
  StatementProgress& operator=(const StatementProgress&) = delete;

 private:
  static int32_t show(void* self, double fraction) noexcept;

  braid_connection* const connection_;
  Progress progress_;
};

}  // namespace braid::cli
