// The speed of the disk beside which durable rates are read, and turns that run while it is calm.
//
// Virtual disks answer a sync within a tenth of a millisecond until their allowance is used up, and
// then take many times as long until it has grown again. A turn that meets such a phase says
// nothing about the store.
#pragma once

#include <functional>
#include <string>

namespace bench {

/// What the disk was like around a turn.
struct DiskState {
  double sync_us;  // calibration before the turn
  bool calm;       // before and after it
};

class Disk {
 public:
  /// `directory` is on the disk that the stores use.
  explicit Disk(std::string directory);

  /// Runs the turn on a calm disk: waits before it, and runs it again when the disk is no longer
  /// calm after it. Both have bounds, past which the turn stays as it is and the answer says that
  /// it was not calm.
  DiskState run_calm(const std::function<void()>& turn);

 private:
  /// Median time in microseconds of overwriting 4 KB of a file and fdatasync: what one durable
  /// commit costs at least.
  double calibrate();
  bool is_calm(double sync_us) const;
  double wait_until_calm();

  const std::string directory_;
  double best_us_;             // the fastest calibration so far
  double waited_seconds_ = 0;  // in the whole run
};

}  // namespace bench
