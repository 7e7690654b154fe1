// Booleans as bit maps. docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"

namespace braid {

/// Values are frozen: they are stored.
enum class BooleanCodec : uint8_t { kBitmap = 0, kAllFalse = 1, kAllTrue = 2 };

/// Appends one bit per value, least significant first; unused bits of the last byte are zero.
template <typename Value>
void append_bitmap(std::string& out, std::span<const Value> values) {
  for (size_t start = 0; start < values.size(); start += 8) {
    uint8_t byte = 0;
    for (size_t i = start; i < values.size() && i < start + 8; ++i) {
      if (values[i] != 0) byte = static_cast<uint8_t>(byte | (1u << (i - start)));
    }
    out.push_back(static_cast<char>(byte));
  }
}

/// Reads out.size() bits as 0 or 1; false on damage.
template <typename Value>
bool read_bitmap(ByteReader& in, std::span<Value> out) {
  std::string_view bytes;
  if (!in.bytes((out.size() + 7) / 8, bytes)) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<Value>((static_cast<uint8_t>(bytes[i / 8]) >> (i % 8)) & 1);
  }
  return true;
}

void encode_booleans(std::span<const int64_t> values, std::string& out);
/// Reads out.size() values of 0 or 1; false on damage.
bool decode_booleans(ByteReader& in, std::span<int64_t> out);

}  // namespace braid
