// Column families of the graph and their keys. docs/graph_format.md is the page of this format.
//
// Integers in keys are big-endian, so that keys sort as numbers. Every data key starts with an id
// of at least four bytes; the marker key is one zero byte, so it equals no data key and sorts
// before all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/coding.h"
#include "engine/types.h"

namespace braid {

/// Index into kFamilyNames. The names are stored, the numbers are not.
enum class Family : uint8_t { kNode, kOut, kIn, kEdge, kLabel, kIndex };
inline constexpr size_t kFamilyCount = 6;
inline constexpr std::array<const char*, kFamilyCount> kFamilyNames = {
    "node", "out", "in", "edge", "label", "index"};
inline constexpr std::array<Family, kFamilyCount> kFamilies = {
    Family::kNode, Family::kOut, Family::kIn, Family::kEdge, Family::kLabel, Family::kIndex};

inline constexpr const char* family_name(Family family) {
  return kFamilyNames[static_cast<size_t>(family)];
}

inline constexpr std::string_view kMarkerKey("\0", 1);

/// What a family's marker key holds: it is the fold of the log up to `lsn` (invariant 2).
struct FamilyMarker {
  Lsn lsn;
  uint64_t next_id = 0;                   ///< families node and edge: the next id to assign; 0 elsewhere
  uint64_t least_removed = UINT64_MAX;    ///< family node: the least id of a node that was removed; else none
};
inline constexpr size_t kFamilyMarkerBytes = 24;

inline std::string encode_marker(const FamilyMarker& marker) {
  std::string bytes;
  append_fixed(bytes, marker.lsn.value());
  append_fixed(bytes, marker.next_id);
  append_fixed(bytes, marker.least_removed);
  return bytes;
}
inline bool decode_marker(std::string_view bytes, FamilyMarker& marker) {
  if (bytes.size() != kFamilyMarkerBytes) return false;
  marker.lsn = Lsn(load_fixed<uint64_t>(bytes.data()));
  marker.next_id = load_fixed<uint64_t>(bytes.data() + 8);
  marker.least_removed = load_fixed<uint64_t>(bytes.data() + 16);
  return true;
}

/// Values under which an index finds a node or an edge are at most this long when encoded.
inline constexpr size_t kIndexValueBytesMax = 8192;

/// Edges are kept in blocks of this many ids.
inline constexpr uint64_t kEdgesPerBlock = 16;
static_assert(kEdgesPerBlock == 16, "a block's presence bits are a uint16_t");

inline std::string node_key(NodeId id) {
  std::string key;
  append_big_endian(key, id.value());
  return key;
}
inline bool parse_node_key(std::string_view key, NodeId& id) {
  if (key.size() != 8) return false;
  id = NodeId(load_big_endian<uint64_t>(key.data()));
  return true;
}

/// The newest entries of one (node, type).
inline std::string head_key(NodeId node, TypeId type) {
  std::string key;
  append_big_endian(key, node.value());
  append_big_endian(key, type.value());
  return key;
}
/// A full block of older entries; `first` was its first edge id when it was sealed.
inline std::string sealed_key(NodeId node, TypeId type, EdgeId first) {
  std::string key = head_key(node, type);
  append_big_endian(key, first.value());
  return key;
}
inline constexpr size_t kHeadKeyBytes = 12;
inline constexpr size_t kSealedKeyBytes = 20;
static_assert(kHeadKeyBytes <= 15, "a head's key fits a std::string without the heap");

struct AdjacencyKey {
  NodeId node;
  TypeId type;
  bool is_head = true;
  EdgeId first;  ///< of a sealed block
};
inline bool parse_adjacency_key(std::string_view key, AdjacencyKey& out) {
  if (key.size() != kHeadKeyBytes && key.size() != kSealedKeyBytes) return false;
  out.node = NodeId(load_big_endian<uint64_t>(key.data()));
  out.type = TypeId(load_big_endian<uint32_t>(key.data() + 8));
  out.is_head = key.size() == kHeadKeyBytes;
  out.first = EdgeId(out.is_head ? 0 : load_big_endian<uint64_t>(key.data() + kHeadKeyBytes));
  return true;
}

inline std::string edge_block_key(EdgeId id) {
  std::string key;
  append_big_endian(key, id.value() / kEdgesPerBlock);
  return key;
}
inline constexpr unsigned edge_slot(EdgeId id) {
  return static_cast<unsigned>(id.value() % kEdgesPerBlock);
}
inline constexpr uint16_t edge_slot_bit(unsigned slot) { return static_cast<uint16_t>(1u << slot); }
inline bool parse_edge_block_key(std::string_view key, EdgeId& first) {
  if (key.size() != 8) return false;
  const auto block = load_big_endian<uint64_t>(key.data());
  if (block > UINT64_MAX / kEdgesPerBlock) return false;
  first = EdgeId(block * kEdgesPerBlock);
  return true;
}

inline std::string label_prefix(LabelId label) {
  std::string key;
  append_big_endian(key, label.value());
  return key;
}
inline std::string label_key(LabelId label, NodeId node) {
  std::string key = label_prefix(label);
  append_big_endian(key, node.value());
  return key;
}
inline bool parse_label_key(std::string_view key, LabelId& label, NodeId& node) {
  if (key.size() != 12) return false;
  label = LabelId(load_big_endian<uint32_t>(key.data()));
  node = NodeId(load_big_endian<uint64_t>(key.data() + 4));
  return true;
}

/// `value` is what encode_index_value gave: no such value is a prefix of another, so the id may
/// follow it.
inline std::string index_prefix(IndexId index, std::string_view value) {
  std::string key;
  key.reserve(12 + value.size());
  append_big_endian(key, index.value());
  key.append(value);
  return key;
}
inline std::string index_key(IndexId index, std::string_view value, uint64_t id) {
  std::string key = index_prefix(index, value);
  append_big_endian(key, id);
  return key;
}
struct IndexKey {
  IndexId index;
  std::string_view value;
  uint64_t id = 0;
};
inline bool parse_index_key(std::string_view key, IndexKey& out) {
  if (key.size() < 13) return false;
  out.index = IndexId(load_big_endian<uint32_t>(key.data()));
  out.value = key.substr(4, key.size() - 12);
  out.id = load_big_endian<uint64_t>(key.data() + key.size() - 8);
  return true;
}

/// The least key greater than every key that starts with `prefix`; "" when there is none.
inline std::string prefix_limit(std::string_view prefix) {
  std::string limit(prefix);
  while (!limit.empty() && static_cast<uint8_t>(limit.back()) == 0xff) limit.pop_back();
  if (!limit.empty()) limit.back() = static_cast<char>(static_cast<uint8_t>(limit.back()) + 1);
  return limit;
}

}  // namespace braid
