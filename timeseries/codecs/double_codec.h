// Doubles, which come back bit by bit. docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"
#include "timeseries/codecs/integer_codec.h"

namespace braid {

/// Values are frozen: they are stored.
enum class DoubleCodec : uint8_t {
  kBits = 0,     ///< their bits as integers, by any codec of those
  kAlp = 1,      ///< integers scaled by a power of ten, with exceptions
  kAlpReal = 2,  ///< left bits by a dictionary, right bits as they are
};
inline constexpr DoubleCodec kDoubleCodecs[] = {DoubleCodec::kBits, DoubleCodec::kAlp, DoubleCodec::kAlpReal};

/// Appends the codec's byte and the values, at most kBlockRowsMax.
void encode_doubles(std::span<const double> values, std::string& out);

/// As encode_doubles, by the codec named; false, and nothing is appended, when it cannot hold the values.
bool encode_doubles_as(DoubleCodec codec, std::span<const double> values, std::string& out);

/// Reads out.size() values; false on damage.
bool decode_doubles(ByteReader& in, std::span<double> out);

}  // namespace braid
