#include "graph/table_properties.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <optional>
#include <string_view>

#include "engine/coding.h"

namespace braid {

namespace {

// https://github.com/facebook/rocksdb/wiki/Rocksdb-BlockBasedTable-Format: a footer of the checksum's kind, two handles, padding, version and magic number;
// after each block a byte for its compression and a checksum.
constexpr uint64_t kFooterBytes = 53;
constexpr uint64_t kMagic = 0x88e241b785f4cff7;
constexpr uint8_t kXxh3 = 4;
constexpr size_t kTrailerBytes = 5;
constexpr uint64_t kBlockBytesMax = 1 << 20;  // ours are smaller than a thousandth
constexpr uint32_t kLastBytePrime = 0x6b9083d9;

struct Handle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

bool take(ByteReader& from, Handle& handle) { return from.varint(handle.offset) && from.varint(handle.size); }

bool is_in(const Handle& handle, uint64_t file_bytes) {
  return handle.size <= kBlockBytesMax && handle.offset <= file_bytes && handle.size + kTrailerBytes <= file_bytes - handle.offset;
}

std::optional<Handle> metaindex_of(std::string_view footer) {
  if (load_fixed<uint64_t>(footer.data() + kFooterBytes - sizeof kMagic) != kMagic || static_cast<uint8_t>(footer[0]) != kXxh3) return std::nullopt;
  ByteReader reader(footer.substr(1));
  Handle handle;
  return take(reader, handle) ? std::optional(handle) : std::nullopt;
}

/// The index of the other blocks: entries of a key that shares so many bytes with the one before, and a handle.
std::optional<Handle> properties_in(std::string_view metaindex) {
  ByteReader reader(metaindex);
  std::string key;
  for (;;) {
    uint64_t shared = 0, more = 0, value_bytes = 0;
    std::string_view rest, value;
    if (!reader.varint(shared) || !reader.varint(more) || !reader.varint(value_bytes) || shared > key.size()) return std::nullopt;
    if (!reader.bytes(more, rest) || !reader.bytes(value_bytes, value)) return std::nullopt;
    key.resize(shared);
    key += rest;
    if (key != "rocksdb.properties") continue;
    ByteReader handles(value);
    Handle handle;
    return take(handles, handle) ? std::optional(handle) : std::nullopt;
  }
}

bool has_its_checksum(std::string_view block) {
  const std::string_view summed = block.substr(0, block.size() - sizeof(uint32_t));
  const auto sum = static_cast<uint32_t>(XXH3_64bits(summed.data(), summed.size() - 1));
  return load_fixed<uint32_t>(block.data() + summed.size()) == (sum ^ static_cast<uint8_t>(summed.back()) * kLastBytePrime);
}

}  // namespace

Status check_table_properties(uint64_t file_bytes, const std::function<Result<std::string>(uint64_t, size_t)>& read) {
  if (file_bytes < kFooterBytes) return {};
  BRAID_ASSIGN(const std::string footer, read(file_bytes - kFooterBytes, kFooterBytes));
  const auto metaindex = metaindex_of(footer);
  if (!metaindex.has_value() || !is_in(*metaindex, file_bytes)) return {};
  BRAID_ASSIGN(const std::string index, read(metaindex->offset, metaindex->size));
  const auto properties = properties_in(index);
  if (!properties.has_value() || !is_in(*properties, file_bytes)) return {};
  BRAID_ASSIGN(const std::string block, read(properties->offset, properties->size + kTrailerBytes));
  return has_its_checksum(block) ? Status() : Status(StatusCode::kCorrupt, "the properties of the table are damaged");
}

}  // namespace braid
