// A bar for calls that tell the part that is done, and Ctrl-C for them: opening, checking, restoring, repairing.
#pragma once

#include "api/braid.h"
#include "cli/progress.h"

namespace braid::cli {

/// While it lives, the call that is given its watch shows how far it is, on a terminal.
class CallProgress {
 public:
  explicit CallProgress(const char* what) : what_(what) {}
  CallProgress(const CallProgress&) = delete;
  CallProgress& operator=(const CallProgress&) = delete;

  /// For a call that makes a database. It must not outlive this.
  braid_watch watch();
  /// For the calls on a database, until this ends.
  class OnDatabase;

  /// What was copied, which says more than the part that is done while it lasts.
  void show_bytes(uint64_t done, uint64_t all);
  void clear() { progress_.clear(); }

  static int32_t show(void* self, double fraction) noexcept;

 private:
  Progress progress_;
  const char* const what_;
  bool copies_ = false;
};

class CallProgress::OnDatabase {
 public:
  OnDatabase(braid_database* database, CallProgress& progress) : database_(database) { braid_database_on_progress(database_, CallProgress::show, &progress); }
  ~OnDatabase() { braid_database_on_progress(database_, nullptr, nullptr); }
  OnDatabase(const OnDatabase&) = delete;
  OnDatabase& operator=(const OnDatabase&) = delete;

 private:
  braid_database* const database_;
};

}  // namespace braid::cli
