// A frame of reference with patches: values less a base, packed with so many bits as most of them need; what is above those bits
// in the others follows as patches. docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"

namespace braid {

// Differences are taken modulo 2^64, so that no input overflows and every one is exact.
inline int64_t wrapped_difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
inline int64_t wrapped_sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

inline size_t varint_bytes(uint64_t value) { return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7; }

struct Frame {
  int64_t base = 0;
  unsigned width = 0;
  bool patched = false;
  size_t bytes = 0;  ///< at most so many are appended
};

/// The least and greatest of some values.
struct Extremes {
  int64_t low = 0;
  int64_t high = 0;
  unsigned width() const { return static_cast<unsigned>(std::bit_width(static_cast<uint64_t>(wrapped_difference(high, low)))); }
};
/// Zeros for no values.
Extremes extremes_of(std::span<const int64_t> values);

/// The smallest frame that is found for at most kBlockRowsMax values.
Frame plan_frame(std::span<const int64_t> values, const Extremes& extremes);
Frame plan_frame(std::span<const int64_t> values);
void append_frame(std::string& out, const Frame& frame, std::span<const int64_t> values);
/// Reads out.size() values; false on damage.
bool read_frame(ByteReader& in, std::span<int64_t> out);

}  // namespace braid
