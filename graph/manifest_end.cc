#include "graph/manifest_end.h"

#include <array>

#include "engine/coding.h"

namespace braid {

namespace {

// https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format: checksum of what follows the length, length, type, bytes.
constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;
constexpr uint8_t kTypeMax = 4;  // whole, first, middle, last
constexpr uint32_t kMaskDelta = 0xa282ead8;

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78 : 0);
    table[i] = value;
  }
  return table;
}

uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = make_table();
  uint32_t value = ~uint32_t{0};
  for (const char byte : bytes) value = (value >> 8) ^ kTable[(value ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~value;
}

/// Bytes of the whole record that `rest` of a block begins with, or 0.
size_t record_bytes(std::string_view rest) {
  const size_t size = static_cast<uint8_t>(rest[4]) | static_cast<size_t>(static_cast<uint8_t>(rest[5])) << 8;
  const auto type = static_cast<uint8_t>(rest[6]);
  if (type == 0 || type > kTypeMax || kHeaderBytes + size > rest.size()) return 0;
  const uint32_t sum = crc32c(rest.substr(6, 1 + size));
  const uint32_t masked = ((sum >> 15) | (sum << 17)) + kMaskDelta;
  return load_fixed<uint32_t>(rest.data()) == masked ? kHeaderBytes + size : 0;
}

}  // namespace

Result<uint64_t> manifest_end(const std::function<Result<std::string_view>(size_t)>& read) {
  for (uint64_t start = 0;; start += kBlockBytes) {
    BRAID_ASSIGN(const std::string_view block, read(kBlockBytes));
    size_t at = 0;
    while (block.size() - at >= kHeaderBytes) {
      const size_t size = record_bytes(block.substr(at));
      if (size == 0) return start + at;
      at += size;
    }
    // What remains of a whole block is too short for a record.
    if (block.size() < kBlockBytes) return start + at;
  }
}

}  // namespace braid
