// Fixed-width little-endian integers, big-endian keys and varints: the only way bytes of a disk format are made and read.
// Readers take a `ByteReader`, never trust a length, and answer false on damage.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace braid {

template <typename T>
inline T byte_swapped(T value) {
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  return value;
}

template <typename T>
inline T to_little_endian(T value) {
  if constexpr (std::endian::native == std::endian::big) return byte_swapped(value);
  return value;
}

/// Writes an integer of fixed width, little-endian; `bytes` must have room for sizeof(T).
template <typename T>
inline void store_fixed(char* bytes, T value) {
  value = to_little_endian(value);
  std::memcpy(bytes, &value, sizeof(T));
}

/// Appends an integer of fixed width, little-endian.
template <typename T>
inline void append_fixed(std::string& out, T value) {
  char bytes[sizeof(T)];
  store_fixed(bytes, value);
  out.append(bytes, sizeof(T));
}

/// Reads an integer of fixed width, little-endian; `bytes` must hold sizeof(T).
template <typename T>
inline T load_fixed(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return to_little_endian(value);
}

/// Appends an unsigned integer big-endian, so that keys sort as numbers.
template <typename T>
inline void append_big_endian(std::string& out, T value) {
  append_fixed(out, byte_swapped(value));
}
template <typename T>
inline T load_big_endian(const char* bytes) {
  return byte_swapped(load_fixed<T>(bytes));
}

inline void append_double(std::string& out, double value) {
  append_fixed(out, std::bit_cast<uint64_t>(value));
}

inline constexpr size_t kVarintBytesMax = 10;

inline void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

/// Maps small magnitudes of either sign to small unsigned numbers.
inline constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline constexpr int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

inline void append_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out.append(text);
}

/// Reads a sequence of values from bytes that may be damaged; after a failed read it stays failed.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : next_(bytes.data()), limit_(next_ + bytes.size()) {}

  bool ok() const { return ok_; }
  bool done() const { return next_ == limit_; }
  size_t remaining() const { return static_cast<size_t>(limit_ - next_); }

  template <typename T>
  bool fixed(T& value) {
    if (!ok_ || remaining() < sizeof(T)) return fail();
    value = load_fixed<T>(next_);
    next_ += sizeof(T);
    return true;
  }
  template <typename T>
  bool big_endian(T& value) {
    if (!fixed(value)) return false;
    value = byte_swapped(value);
    return true;
  }
  bool real(double& value) {
    uint64_t bits;
    if (!fixed(bits)) return false;
    value = std::bit_cast<double>(bits);
    return true;
  }
  bool varint(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (!ok_ || next_ == limit_) return fail();
      const auto byte = static_cast<uint8_t>(*next_++);
      if (shift == 63 && byte > 1) return fail();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return fail();
  }
  bool bytes(size_t size, std::string_view& value) {
    if (!ok_ || remaining() < size) return fail();
    value = std::string_view(next_, size);
    next_ += size;
    return true;
  }
  bool text(std::string_view& value) {
    uint64_t size;
    return varint(size) && bytes(size, value);
  }

 private:
  bool fail() {
    ok_ = false;
    return false;
  }

  const char* next_;
  const char* limit_;
  bool ok_ = true;
};

}  // namespace braid
