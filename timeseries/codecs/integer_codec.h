// int64 values, timestamps included: the smallest of several codecs is chosen for each block.
// docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"

namespace braid {

/// Values are frozen: they are stored.
enum class IntegerCodec : uint8_t {
  kRaw = 0,
  kConstant = 1,
  kFrameOfReference = 2,
  kDelta = 3,
  kDeltaOfDelta = 4,
  kRunLength = 5,
};

/// Appends the codec's byte and the values, at most kBlockRowsMax.
void encode_integers(std::span<const int64_t> values, std::string& out);

/// Reads out.size() values; false on damage.
bool decode_integers(ByteReader& in, std::span<int64_t> out);

}  // namespace braid
