// A packed block of adjacency: at most 256 (edge, neighbour) entries in ascending order of edge id.
//
// Layout (docs/graph_format.md): a header of fixed width, then per entry the varint delta of the
// edge id and the zigzag varint delta of the neighbour. The header keeps the last entry, so that
// appending decodes nothing.
// 1. Edge ids in a block ascend; the header's first, last and count agree with the entries.
// 2. Only a head has a total: the entries of the whole list, its own and those of the sealed blocks
// behind it. There are
//    sealed blocks exactly when the total is above the head's count. A head whose total is 0 does
//    not exist.
// The bytes come from disk: every function answers false on damage.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/coding.h"
#include "engine/types.h"

namespace braid {

struct AdjacencyEntry {
  EdgeId edge;
  NodeId neighbor;
  bool operator==(const AdjacencyEntry&) const = default;
};

inline constexpr size_t kAdjacencyEntriesMax = 256;
inline constexpr size_t kAdjacencyHeaderBytes = 8 + 2 + 8 + 8 + 8;

struct AdjacencyHeader {
  uint64_t total = 0;  ///< of a head: entries of the list; 0 in a sealed block
  uint16_t count = 0;
  EdgeId first;  ///< 0 without entries, as the two below
  EdgeId last;
  NodeId last_neighbor;
};

bool read_adjacency_header(std::string_view block, AdjacencyHeader& out);

/// The bytes of a block; `entries` may be empty and ascend by edge id.
std::string encode_adjacency_block(std::span<const AdjacencyEntry> entries, uint64_t total);

/// Appends in place. `block` must have a sound header and room; the edge ids must ascend from above
/// the block's last.
bool append_adjacency_entries(std::string& block, std::span<const AdjacencyEntry> entries);

/// Reads the header of a head: false also when the total cannot be.
bool read_head_header(std::string_view block, AdjacencyHeader& out);

/// `block` must have a header.
void set_list_total(std::string& block, uint64_t total);

/// Calls `visit(EdgeId, NodeId)`, which answers whether to go on, for each entry in ascending
/// order.
template <typename Visit>
bool visit_adjacency_block(std::string_view block, Visit&& visit) {
  AdjacencyHeader header;
  if (!read_adjacency_header(block, header)) return false;
  ByteReader reader(block.substr(kAdjacencyHeaderBytes));
  uint64_t edge = header.first.value();
  uint64_t neighbor = 0;
  for (uint16_t i = 0; i < header.count; ++i) {
    uint64_t edge_delta, neighbor_delta;
    if (!reader.varint(edge_delta) || !reader.varint(neighbor_delta)) return false;
    // The first entry stands at the header's first id; every other one above the entry before it.
    if ((i == 0) != (edge_delta == 0) || edge_delta > UINT64_MAX - edge) return false;
    edge += edge_delta;
    neighbor += static_cast<uint64_t>(unzigzag(neighbor_delta));
    if (!visit(EdgeId(edge), NodeId(neighbor))) return true;
  }
  return reader.done() && edge == header.last.value() && neighbor == header.last_neighbor.value();
}

bool decode_adjacency_block(std::string_view block, std::vector<AdjacencyEntry>& out);

}  // namespace braid
