// A block of edges: the up to 16 edges whose ids share `id / 16`, in ascending order of id.
//
// Layout (docs/graph_format.md): two bytes of presence bits, then per edge source, target, type as
// varints and the encoded properties with their length. A new edge has the highest id, so adding
// one appends. The bytes come from disk: every function answers false on damage. An empty string is
// a block without edges.
#pragma once

#include <string>
#include <string_view>

#include "engine/coding.h"
#include "engine/types.h"
#include "graph/key_format.h"

namespace braid {

/// One edge of a block; the properties are borrowed.
struct EdgeRow {
  NodeId source;
  NodeId target;
  TypeId type;
  std::string_view properties;
};

bool read_edge_row(ByteReader& reader, EdgeRow& out);

/// Calls `visit(slot, row, row_bytes)` for each edge; `visit` answers whether to go on.
template <typename Visit>
bool visit_edge_block(std::string_view block, Visit&& visit) {
  if (block.empty()) return true;
  ByteReader reader(block);
  uint16_t present;
  if (!reader.fixed(present) || present == 0) return false;
  for (unsigned slot = 0; slot < kEdgesPerBlock; ++slot) {
    if ((present >> slot & 1) == 0) continue;
    EdgeRow row;
    const size_t start = block.size() - reader.remaining();
    if (!read_edge_row(reader, row)) return false;
    if (!visit(slot, row, block.substr(start, block.size() - reader.remaining() - start))) {
      return true;
    }
  }
  return reader.done();
}

/// Sets `found`; `out` borrows from `block`.
bool find_edge_row(std::string_view block, unsigned slot, EdgeRow& out, bool& found);
/// Adds or replaces an edge.
bool put_edge_row(std::string& block, unsigned slot, const EdgeRow& row);
/// Removes the edges whose bits (bit n is slot n) are in `slots` and that are there; a block without edges
/// becomes an empty string.
bool remove_edge_rows(std::string& block, uint16_t slots);

}  // namespace braid
