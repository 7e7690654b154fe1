// The bounds of the times whose texts sort as the times do, and can be read back.
#pragma once

#include <cstdint>

#include "engine/status.h"

namespace braid {

inline constexpr int64_t kYearZero = -62'167'219'200'000'000;         // 0000-01-01
inline constexpr int64_t kYearTenThousand = 253'402'300'800'000'000;  // 10000-01-01

/// For a bucket that starts before the year 0.
inline Status bucket_without_text() {
  return Status(StatusCode::kInvalidArgument, "time_bucket: a bucket starts before the year 0, out of the range of times");
}

}  // namespace braid
