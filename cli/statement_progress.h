// What is shown of a statement that takes long: a bar where it tells how far it is, as algorithms on the graph do, else the time and the rows read.
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

  /// One more row was read, and is about to be written.
  void row();
  /// Something else writes to the terminal.
  void clear() { progress_.clear(); }

 private:
  static int32_t show(void* self, double fraction) noexcept;
  void draw(double fraction);

  braid_connection* const connection_;
  Progress progress_;
  int64_t rows_ = 0;
};

}  // namespace braid::cli
