// int64 values, times, booleans and the bits of doubles included: the smallest of several codecs is chosen for each block.
// docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/coding.h"
#include "timeseries/codecs/frame.h"

namespace braid {

/// Values are frozen: they are stored.
enum class IntegerCodec : uint8_t {
  kRaw = 0,
  kConstant = 1,
  kSequence = 2,  ///< start and step
  kFrame = 3,
  kDelta = 4,
  kDeltaOfDelta = 5,
  kRunLength = 6,
  kDictionary = 7,
};
inline constexpr IntegerCodec kIntegerCodecs[] = {IntegerCodec::kRaw,       IntegerCodec::kConstant,     IntegerCodec::kSequence,
                                                  IntegerCodec::kFrame,     IntegerCodec::kDelta,        IntegerCodec::kDeltaOfDelta,
                                                  IntegerCodec::kRunLength, IntegerCodec::kDictionary};

struct IntegerPlan {
  IntegerCodec codec = IntegerCodec::kRaw;
  size_t bytes = 0;  ///< about so many are appended; never fewer than are
  Frame frame;       ///< of the codecs that have one
};

/// The smallest plan found for at most kBlockRowsMax values.
IntegerPlan plan_integers(std::span<const int64_t> values);
/// Appends the codec's byte and the values.
void append_integers(std::string& out, const IntegerPlan& plan, std::span<const int64_t> values);

inline void encode_integers(std::span<const int64_t> values, std::string& out) {
  append_integers(out, plan_integers(values), values);
}

/// As encode_integers, by the codec named; false, and nothing is appended, when it cannot hold the values.
bool encode_integers_as(IntegerCodec codec, std::span<const int64_t> values, std::string& out);

/// Reads out.size() values; false on damage.
bool decode_integers(ByteReader& in, std::span<int64_t> out);

}  // namespace braid
