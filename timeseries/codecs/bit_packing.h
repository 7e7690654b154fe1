// Integers packed with a fixed number of bits each, in eight lanes, so that eight are unpacked at a time.
// docs/chunk_format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"
#include "timeseries/codecs/kernels.h"

namespace braid {

inline constexpr unsigned kPackedWidthMax = 64;

constexpr size_t packed_rows(size_t count) { return (count + kLanes - 1) / kLanes; }
constexpr size_t packed_bytes(size_t count, unsigned width) {
  return kLanes * ((packed_rows(count) * width + 7) / 8);
}

/// Appends the low `width` bits of value - base, modulo 2^64, of at most kBlockRowsMax values.
void append_packed(std::string& out, std::span<const int64_t> values, unsigned width, uint64_t base = 0);

/// Reads out.size() values, at most kBlockRowsMax, and adds `base`; false on damage.
bool read_packed(ByteReader& in, unsigned width, std::span<int64_t> out, uint64_t base = 0);

/// Appends one bit per value, least significant first; unused bits of the last byte are zero.
void append_bitmap(std::string& out, std::span<const uint8_t> values);

/// Reads out.size() bits as 0 or 1; false on damage.
bool read_bitmap(ByteReader& in, std::span<uint8_t> out);

}  // namespace braid
