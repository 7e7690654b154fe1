// Decodes any bytes as stripes: the first byte chooses the type and whether there is a dictionary, the next two the row count.
// fuzz/README.md.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "timeseries/codecs/column_codec.h"

namespace {

using namespace braid;

constexpr FieldType kTypes[] = {FieldType::kDouble, FieldType::kInt64, FieldType::kBool, FieldType::kText};

std::shared_ptr<const TextDictionary> dictionary_of(std::string_view stripe) {
  auto dictionary = std::make_shared<TextDictionary>();  // shared: columns point into it
  if (!dictionary->decode(stripe)) return nullptr;
  return dictionary;
}

/// Every text is read, so that one outside of its memory is found.
size_t text_bytes(const PointColumn& column) {
  size_t sum = 0;
  for (const std::string_view text : column.texts) {
    for (const char c : text) sum += static_cast<uint8_t>(c);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  // Safety: any object may be read as bytes.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const size_t rows = (data[1] | size_t{data[2]} << 8) % (kBlockRowsMax + 2);
  PointColumn column(kTypes[data[0] % 4]);
  const std::string_view half = bytes.substr(0, bytes.size() / 2);
  const bool shared = (data[0] & 4) != 0;
  if (decode_column(shared ? bytes.substr(half.size()) : bytes, rows, column, shared ? dictionary_of(half) : nullptr))
    return text_bytes(column) == SIZE_MAX ? 1 : 0;
  std::vector<int64_t> times;
  if (decode_times(bytes, rows, times) && times.size() != rows) __builtin_trap();
  return 0;
}
