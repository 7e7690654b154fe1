// Unsigned integers packed with a fixed number of bits each, least significant bit first.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"

namespace braid {

inline constexpr unsigned kPackedWidthMax = 64;

constexpr size_t packed_bytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

/// Every value must fit in `width` bits.
void append_packed(std::string& out, std::span<const uint64_t> values, unsigned width);

/// Reads out.size() values, at most kBlockRowsMax; false on damage.
bool read_packed(ByteReader& in, unsigned width, std::span<uint64_t> out);

}  // namespace braid
