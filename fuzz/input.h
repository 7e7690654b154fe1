// What a fuzzer's bytes are taken for: numbers and texts, until there are no more; then zeros and empty texts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace braid {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool empty() const { return size_ == 0; }
  uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  bool flag() { return (byte() & 1) != 0; }
  uint64_t below(uint64_t limit) { return byte() % limit; }
  /// Small ones mostly, and those at the edges of the type.
  int64_t number() {
    constexpr int64_t kEdges[] = {0, -1, INT64_MIN, INT64_MAX, INT32_MAX, int64_t{UINT32_MAX} + 1, 253402300799999999, -62167219200000000};
    const uint8_t kind = byte();
    if (kind < 16) return kEdges[kind % 8];
    if (kind < 192) return kind % 32;
    int64_t value = 0;
    for (int i = 0; i < 8; ++i) value = static_cast<int64_t>(static_cast<uint64_t>(value) << 8 | byte());
    return value;
  }
  double real() {
    const int64_t bits = number();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return flag() ? static_cast<double>(bits) : value;
  }
  std::string text() { return std::string(view(byte())); }
  std::string_view view(size_t size) {
    const size_t taken = std::min(size, size_);
    // Safety: any object may be read as bytes.
    const std::string_view out(reinterpret_cast<const char*>(data_), taken);
    data_ += taken;
    size_ -= taken;
    return out;
  }
  std::string_view rest() { return view(size_); }

 private:
  const uint8_t* data_;
  size_t size_;
};

/// Ends the program when what must hold does not: the fuzzer keeps the input.
inline void must(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace braid
