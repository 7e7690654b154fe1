// Texts: a list, one text, or a dictionary of the block or of the chunk. docs/chunk_format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/coding.h"
#include "timeseries/codecs/text_dictionary.h"

namespace braid {

/// Values are frozen: they are stored.
enum class TextCodec : uint8_t { kRaw = 0, kConstant = 1, kBlockDictionary = 2, kChunkDictionary = 3 };

/// Appends the codec's byte and the values, at most kBlockRowsMax. `dictionary` may be null.
void encode_texts(std::span<const std::string_view> values, TextDictionaryBuilder* dictionary, std::string& out);

/// Reads out.size() values, which point into what `in` reads or into `dictionary`, which may be null; false on damage.
bool decode_texts(ByteReader& in, std::span<std::string_view> out, const TextDictionary* dictionary);

}  // namespace braid
