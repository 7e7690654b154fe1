// How far a copy has come, how fast it may go, and whether it goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "engine/result.h"

namespace braid {

/// Told the bytes that are done and those in all; a status that is not ok ends the copy.
using CopyProgress = std::function<Status(uint64_t done_bytes, uint64_t all_bytes)>;

/// One thread.
class CopyPace {
 public:
  /// 0 bytes per second: as fast as it goes. `progress` may be empty.
  CopyPace(uint64_t bytes_per_second, CopyProgress progress)
      : bytes_per_second_(bytes_per_second), progress_(std::move(progress)), start_(std::chrono::steady_clock::now()) {}

  void expect(uint64_t bytes) { all_bytes_ += bytes; }
  /// Tells, and then waits until what was written is not more than the rate allows, unless there is a `hurry`: later bytes wait for it.
  Status written(uint64_t bytes, bool hurry = false);
  /// The same for bytes that a second name stands for.
  Status linked(uint64_t bytes);

  uint64_t written_bytes() const { return written_bytes_; }
  uint64_t linked_bytes() const { return linked_bytes_; }

 private:
  Status tell() const;

  const uint64_t bytes_per_second_;
  const CopyProgress progress_;
  const std::chrono::steady_clock::time_point start_;
  uint64_t all_bytes_ = 0;
  uint64_t written_bytes_ = 0;
  uint64_t linked_bytes_ = 0;
};

}  // namespace braid
