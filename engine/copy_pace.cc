#include "engine/copy_pace.h"

#include <algorithm>
#include <thread>

namespace braid {

namespace {

/// A copy that waits still asks so often whether it is to end.
constexpr std::chrono::milliseconds kWaitMax(50);

}  // namespace

Status CopyPace::tell() const {
  if (!progress_) return {};
  const uint64_t done_bytes = written_bytes_ + linked_bytes_;
  return progress_(done_bytes, std::max(done_bytes, all_bytes_));
}

Status CopyPace::written(uint64_t bytes, bool hurry) {
  written_bytes_ += bytes;
  BRAID_TRY(tell());
  if (bytes_per_second_ == 0 || hurry) return {};
  const std::chrono::duration<double> due(static_cast<double>(written_bytes_) / static_cast<double>(bytes_per_second_));
  for (;;) {
    const auto left = due - std::chrono::duration<double>(std::chrono::steady_clock::now() - start_);
    if (left.count() <= 0) return {};
    std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(left, kWaitMax));
    BRAID_TRY(tell());
  }
}

Status CopyPace::linked(uint64_t bytes) {
  linked_bytes_ += bytes;
  return tell();
}

}  // namespace braid
