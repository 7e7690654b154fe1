// Integers of 128 bits, in which sums of int64 values are exact, and their halves as they are stored.
#pragma once

#include <cstdint>

namespace braid {

__extension__ using WideInteger = __int128;
__extension__ using WideUnsigned = unsigned __int128;

constexpr WideInteger wide_integer(uint64_t low, uint64_t high) { return static_cast<WideInteger>((static_cast<WideUnsigned>(high) << 64) | low); }
constexpr uint64_t low_half(WideInteger value) { return static_cast<uint64_t>(value); }
constexpr uint64_t high_half(WideInteger value) { return static_cast<uint64_t>(value >> 64); }

}  // namespace braid
