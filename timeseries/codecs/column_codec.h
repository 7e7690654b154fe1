// Stripes: one column of one block. That of the times is integers; that of a field begins with its nulls, then come the values
// that are not null by the codec of the type. Either may be compressed as a whole.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "timeseries/codecs/text_dictionary.h"
#include "timeseries/point_block.h"

namespace braid {

/// How a field's stripe begins. Values are frozen: they are stored.
enum class NullMap : uint8_t { kNone = 0, kBitmap = 1, kAll = 2 };

struct StripeOptions {
  bool compress = false;                        ///< by zstd, whatever the type, if that saves a tenth
  TextDictionaryBuilder* dictionary = nullptr;  ///< of the chunk and field; of texts only
};

/// Appends the stripe of rows [start, start + count) of a column; at most kBlockRowsMax.
void encode_column(const PointColumn& column, size_t start, size_t count, std::string& out, const StripeOptions& options = {});

/// Fills `out` (whose type is set) with `count` rows; false on damage, also when texts need a dictionary that is not given.
/// Memory is bounded by the row count, the stripe's size and kInflatedBytesMax.
bool decode_column(std::string_view stripe, size_t count, PointColumn& out,
                   const std::shared_ptr<const TextDictionary>& dictionary = nullptr);

void encode_times(std::span<const int64_t> times, std::string& out, const StripeOptions& options = {});
/// Fills `out` with `count` times that ascend strictly; false on damage.
bool decode_times(std::string_view stripe, size_t count, std::vector<int64_t>& out);

}  // namespace braid
