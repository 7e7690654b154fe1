// Doubles, bit exact: NaN payloads, -0.0 and infinities come back as they were.
// docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"

namespace braid {

/// Values are frozen: they are stored.
enum class DoubleCodec : uint8_t {
  kRaw = 0,
  kConstant = 1,
  kDictionary = 2,
  kDecimal = 3,  ///< integers scaled by a power of ten, with exceptions
};

/// Appends the codec's byte and the values, at most kBlockRowsMax.
void encode_doubles(std::span<const double> values, std::string& out);

/// Reads out.size() values; false on damage.
bool decode_doubles(ByteReader& in, std::span<double> out);

}  // namespace braid
