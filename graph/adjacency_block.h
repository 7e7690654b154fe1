// A packed block of adjacency: at most 256 (edge, neighbour) entries in ascending order of edge id.
//
// Layout (docs/graph_format.md): a header of fixed width, then per entry the varint delta of the
// edge id and the zigzag varint delta of the neighbour. The header keeps the last entry, so that
// appending decodes nothing. A head whose whole list is shorter than a header is its entries alone.
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

/// Whether a block has entries and no header: it is a head, and they are the whole list.
inline bool is_short_block(std::string_view block) { return block.size() < kAdjacencyHeaderBytes; }

/// What the header says; of a short block, what it would say.
struct AdjacencyHeader {
  uint64_t total = 0;  ///< of a head: entries of the list; 0 in a sealed block
  uint16_t count = 0;
  EdgeId first;  ///< 0 without entries, as the two below
  EdgeId last;
  NodeId last_neighbor;
};

bool read_adjacency_header(std::string_view block, AdjacencyHeader& out);

/// The bytes of a block; `entries` may be empty and ascend by edge id, from 1. The functions below leave just these bytes for what is
/// then in the block.
std::string encode_adjacency_block(std::span<const AdjacencyEntry> entries, uint64_t total);

/// Appends in place; the total of a head grows with it. `block` must have a sound header and room; the edge ids must ascend from above
/// the block's last.
bool append_adjacency_entries(std::string& block, std::span<const AdjacencyEntry> entries);

/// Removes the entries of `edges`, which ascend, without decoding what is behind them; the total of a head sinks with it. False, and
/// the block is as before, also when one of them is not in it.
bool remove_adjacency_entries(std::string& block, std::span<const EdgeId> edges);

/// Reads the header of a head: false also when the total cannot be.
bool read_head_header(std::string_view block, AdjacencyHeader& out);

/// `block` must be sound.
void set_list_total(std::string& block, uint64_t total);

/// Reads the entries of a block with a sound header, one after the other.
class AdjacencyEntryReader {
 public:
  AdjacencyEntryReader(std::string_view block, const AdjacencyHeader& header)
      : header_(header),
        is_short_(is_short_block(block)),
        bytes_(is_short_ ? block : block.substr(kAdjacencyHeaderBytes)),
        at_{is_short_ ? EdgeId(0) : header.first, NodeId(0)} {}

  bool at_end() const { return index_ == header_.count; }
  bool next() {
    uint64_t edge_delta, neighbor_delta;
    if (!bytes_.varint(edge_delta) || !bytes_.varint(neighbor_delta)) return false;
    // The first entry stands at the header's first id; every other one above the entry before it, or above 0.
    const uint64_t edge = at_.edge.value();
    if ((index_ == 0 && !is_short_) != (edge_delta == 0) || edge_delta > UINT64_MAX - edge) return false;
    ++index_;
    at_ = {EdgeId(edge + edge_delta),
           NodeId(at_.neighbor.value() + static_cast<uint64_t>(unzigzag(neighbor_delta)))};
    return true;
  }
  const AdjacencyEntry& entry() const { return at_; }
  size_t remaining_bytes() const { return bytes_.remaining(); }
  /// At the end: whether the header agrees.
  bool sound_end() const {
    return bytes_.done() && at_.edge == header_.last && at_.neighbor == header_.last_neighbor;
  }

 private:
  const AdjacencyHeader header_;
  const bool is_short_;
  ByteReader bytes_;
  AdjacencyEntry at_;
  uint16_t index_ = 0;
};

/// The entries of a short block, without a header made of them first.
template <typename Visit>
bool visit_short_block(std::string_view block, Visit&& visit) {
  ByteReader bytes(block);
  uint64_t edge = 0, neighbor = 0;
  do {
    uint64_t edge_delta, neighbor_delta;
    if (!bytes.varint(edge_delta) || !bytes.varint(neighbor_delta)) return false;
    if (edge_delta == 0 || edge_delta > UINT64_MAX - edge) return false;
    edge += edge_delta;
    neighbor += static_cast<uint64_t>(unzigzag(neighbor_delta));
    if (!visit(EdgeId(edge), NodeId(neighbor))) return true;
  } while (!bytes.done());
  return true;
}

/// Calls `visit(EdgeId, NodeId)`, which answers whether to go on, for each entry in ascending
/// order.
template <typename Visit>
bool visit_adjacency_block(std::string_view block, Visit&& visit) {
  if (is_short_block(block)) return visit_short_block(block, visit);
  AdjacencyHeader header;
  if (!read_adjacency_header(block, header)) return false;
  AdjacencyEntryReader entries(block, header);
  while (!entries.at_end()) {
    if (!entries.next()) return false;
    if (!visit(entries.entry().edge, entries.entry().neighbor)) return true;
  }
  return entries.sound_end();
}

bool decode_adjacency_block(std::string_view block, std::vector<AdjacencyEntry>& out);

}  // namespace braid
