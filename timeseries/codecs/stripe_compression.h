// A stripe compressed as a whole by zstd, whatever codec made it. docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// The first byte of a compressed stripe; no other stripe begins so. Frozen: it is stored.
inline constexpr uint8_t kCompressedStripe = 0x80;

/// A stripe of more bytes is never compressed, so a damaged size cannot ask for more memory.
inline constexpr size_t kInflatedBytesMax = 16 << 20;

enum class Effort { kFast, kSmall };

/// Compresses the stripe from `start` to the end of `out` in place, if that saves a tenth.
void compress_stripe(std::string& out, size_t start, Effort effort);

inline bool is_compressed(std::string_view stripe) {
  return !stripe.empty() && static_cast<uint8_t>(stripe[0]) == kCompressedStripe;
}

/// The bytes of the stripe; false on damage, also when they are a compressed stripe again, unless they may begin with any byte.
bool inflate_stripe(std::string_view stripe, std::vector<char>& out, bool any_byte_first = false);

}  // namespace braid
