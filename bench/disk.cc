#include "bench/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include "bench/harness.h"
#include "bench/sync_count.h"

namespace bench {

static constexpr double kCalibrationSeconds = 0.1;
static constexpr double kCalmFactor = 2;  // times the fastest
// A store's syncs carry more than one block and wait for each other.
static constexpr double kLoadFactor = 6;
static constexpr double kPauseSeconds = 1;
static constexpr double kWaitSecondsMax = 120;
static constexpr int kAttemptsMax = 3;

static double sync_seconds(int descriptor) {
  static constexpr std::array<char, 4096> kBlock{};
  const double start = now_seconds();
  if (::pwrite(descriptor, kBlock.data(), kBlock.size(), 0) != ssize_t{kBlock.size()} ||
      ::fdatasync(descriptor) != 0) {
    fail("the disk cannot be calibrated");
  }
  return now_seconds() - start;
}

Disk::Disk(std::string directory)
    : directory_(std::move(directory)), best_us_(std::numeric_limits<double>::infinity()) {
  // The first look may fall into a slow phase, and every later one is compared with the best.
  constexpr int kFirstLooks = 3;
  for (int look = 0; look < kFirstLooks; ++look) calibrate();
}

double Disk::calibrate() {
  const std::string path = directory_ + "/calibration";
  const int descriptor = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(path + ": cannot be created");
  // The first write makes the file grow, which costs more than an overwrite.
  sync_seconds(descriptor);
  std::vector<double> samples;
  const double limit = now_seconds() + kCalibrationSeconds;
  while (samples.empty() || now_seconds() < limit) {
    samples.push_back(sync_seconds(descriptor) * 1e6);
  }
  ::close(descriptor);
  ::unlink(path.c_str());
  const double sync_us = median(std::move(samples));
  best_us_ = std::min(best_us_, sync_us);
  return sync_us;
}

bool DiskState::is_calm(double best_us) const { return slowest_us <= kCalmFactor * best_us; }

double Disk::wait_until_calm() {
  double sync_us = calibrate();
  while (sync_us > kCalmFactor * best_us_ && waited_seconds_ < kWaitSecondsMax) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kPauseSeconds));
    waited_seconds_ += kPauseSeconds;
    sync_us = calibrate();
  }
  return sync_us;
}

/// Runs the turn; returns what the mean time of its syncs says of a calibration, or 0 when it had
/// none.
static double run_watched(const std::function<void()>& turn) {
  const SyncTotals before = sync_totals();
  turn();
  const SyncTotals after = sync_totals();
  if (after.count == before.count) return 0;
  const double mean_us =
      (after.seconds - before.seconds) * 1e6 / static_cast<double>(after.count - before.count);
  return mean_us / kLoadFactor;
}

DiskState Disk::run_calm(const std::function<void()>& turn) {
  for (int attempt = 1;; ++attempt) {
    DiskState state{.sync_us = wait_until_calm()};
    const double within_us = run_watched(turn);
    state.slowest_us = std::max({state.sync_us, within_us, calibrate()});
    if (state.is_calm(best_us_) || attempt == kAttemptsMax || waited_seconds_ >= kWaitSecondsMax) {
      return state;
    }
  }
}

}  // namespace bench
