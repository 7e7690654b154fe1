#include "timeseries/codecs/boolean_codec.h"

#include <algorithm>

namespace braid {

void encode_booleans(std::span<const int64_t> values, std::string& out) {
  const auto trues = std::count_if(values.begin(), values.end(), [](int64_t v) { return v != 0; });
  if (trues == 0) {
    out.push_back(static_cast<char>(BooleanCodec::kAllFalse));
    return;
  }
  if (static_cast<size_t>(trues) == values.size()) {
    out.push_back(static_cast<char>(BooleanCodec::kAllTrue));
    return;
  }
  out.push_back(static_cast<char>(BooleanCodec::kBitmap));
  append_bitmap(out, values);
}

bool decode_booleans(ByteReader& in, std::span<int64_t> out) {
  uint8_t codec;
  if (!in.fixed(codec)) return false;
  switch (static_cast<BooleanCodec>(codec)) {
    case BooleanCodec::kBitmap:
      return read_bitmap(in, out);
    case BooleanCodec::kAllFalse:
      std::fill(out.begin(), out.end(), 0);
      return true;
    case BooleanCodec::kAllTrue:
      std::fill(out.begin(), out.end(), 1);
      return true;
  }
  return false;
}

}  // namespace braid
