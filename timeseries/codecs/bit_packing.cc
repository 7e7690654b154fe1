#include "timeseries/codecs/bit_packing.h"

#include <array>
#include <cstring>

#include "timeseries/point_block.h"

namespace braid {

void append_packed(std::string& out, std::span<const uint64_t> values, unsigned width) {
  if (width == 0) return;
  uint64_t pending = 0;
  unsigned filled = 0;
  for (const uint64_t value : values) {
    pending |= value << filled;
    if (filled + width < 64) {
      filled += width;
      continue;
    }
    append_fixed(out, pending);
    const unsigned written = 64 - filled;
    pending = written < 64 ? value >> written : 0;
    filled = filled + width - 64;
  }
  for (unsigned bits = 0; bits < filled; bits += 8) {
    out.push_back(static_cast<char>(pending >> bits));
  }
}

bool read_packed(ByteReader& in, unsigned width, std::span<uint64_t> out) {
  if (width > kPackedWidthMax || out.size() > kBlockRowsMax) return false;
  if (width == 0) {
    std::fill(out.begin(), out.end(), 0);
    return true;
  }
  std::string_view bytes;
  if (!in.bytes(packed_bytes(out.size(), width), bytes)) return false;
  // The copy is padded, so that eight bytes can be loaded at every value's first byte and the byte
  // after them.
  std::array<char, kBlockRowsMax * 8 + 16> padded;
  std::memcpy(padded.data(), bytes.data(), bytes.size());
  std::memset(padded.data() + bytes.size(), 0, 16);
  const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  size_t bit = 0;
  if (width <= 57) {
    for (uint64_t& value : out) {
      value = (load_fixed<uint64_t>(padded.data() + bit / 8) >> (bit % 8)) & mask;
      bit += width;
    }
    return true;
  }
  for (uint64_t& value : out) {
    const char* at = padded.data() + bit / 8;
    const unsigned shift = bit % 8;
    uint64_t word = load_fixed<uint64_t>(at) >> shift;
    if (shift != 0) word |= static_cast<uint64_t>(static_cast<uint8_t>(at[8])) << (64 - shift);
    value = word & mask;
    bit += width;
  }
  return true;
}

}  // namespace braid
