// Texts: raw, constant or dictionary, and the whole optionally compressed by zstd.
// docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/coding.h"

namespace braid {

/// Values are frozen: they are stored. kCompressed is added to one of the others.
enum class TextCodec : uint8_t { kRaw = 0, kConstant = 1, kDictionary = 2, kCompressed = 0x80 };

/// A body of more bytes is never compressed, so a damaged size cannot ask for more memory.
inline constexpr size_t kInflatedBytesMax = 16 << 20;

/// Appends the codec's byte and the values, at most kBlockRowsMax.
void encode_texts(std::span<const std::string_view> values, std::string& out);

/// Reads out.size() values, which point into `storage`; false on damage.
bool decode_texts(ByteReader& in, std::span<std::string_view> out, std::vector<char>& storage);

}  // namespace braid
