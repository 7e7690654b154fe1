// The speed of the disk beside which durable rates are read, and turns that run while it is calm.
//
// Virtual disks answer a sync within a tenth of a millisecond until their allowance is used up, and
// then take many times as long until it has grown again. A turn that meets such a phase says
// nothing about the store.
#pragma once

#include <functional>
#include <string>

namespace bench {

/// What the disk was like around a turn; zeros for a turn that does not depend on it.
struct DiskState {
  double sync_us = 0;     // calibration before the turn
  double slowest_us = 0;  // the slowest calibration before, in and after it

  /// Whether the turn may be compared with others of a run in which a sync took `best_us` at best.
  bool is_calm(double best_us) const;
};

class Disk {
 public:
  /// `directory` is on the disk that the stores use.
  explicit Disk(std::string directory);

  /// Runs the turn on a calm disk: waits before it, and runs it again when the disk was not calm in
  /// it or after it. Both have bounds, past which the turn stays as it is.
  DiskState run_calm(const std::function<void()>& turn);

 private:
  /// Median time in microseconds of overwriting 4 KB of a file and fdatasync: what one durable
  /// commit costs at least.
  double calibrate();
  /// Waits; returns the last calibration.
  double wait_until_calm();

  const std::string directory_;
  double best_us_;             // the fastest calibration so far
  double waited_seconds_ = 0;  // in the whole run
};

}  // namespace bench
