// Any bytes as a block of adjacency and as a block of edges. A block that can be read and is changed must be the one that encoding gives.
#include <algorithm>
#include <vector>

#include "fuzz/input.h"
#include "graph/adjacency_block.h"
#include "graph/edge_block.h"

using namespace braid;

namespace {

void check_adjacency(Input& input) {
  const uint8_t remove_at = input.byte();
  const std::string block(input.rest());
  std::vector<AdjacencyEntry> entries;
  AdjacencyHeader header;
  (void)read_head_header(block, header);
  size_t visited = 0;
  (void)visit_adjacency_block(block, [&](EdgeId, NodeId) { return ++visited < 100'000; });
  if (!decode_adjacency_block(block, entries)) return;
  must(entries.size() <= std::max<size_t>(kAdjacencyEntriesMax, block.size()));
  if (entries.empty() || is_short_block(block)) return;
  if (!read_adjacency_header(block, header)) return;
  must(header.count == entries.size() && header.first == entries.front().edge && header.last == entries.back().edge);
  std::string changed = block;
  const EdgeId gone = entries[remove_at % entries.size()].edge;
  if (!remove_adjacency_entries(changed, std::span(&gone, 1))) return;
  std::vector<AdjacencyEntry> left;
  must(decode_adjacency_block(changed, left));
  std::erase_if(entries, [&](const AdjacencyEntry& one) { return one.edge == gone; });
  must(left == entries);
}

void check_edges(Input& input) {
  const unsigned slot = static_cast<unsigned>(input.below(kEdgesPerBlock));
  std::string block(input.rest());
  EdgeRow row;
  bool found = false;
  const bool sound = visit_edge_block(block, [](unsigned, const EdgeRow&, std::string_view) { return true; });
  if (!find_edge_row(block, slot, row, found) || !sound) return;
  const EdgeRow wanted{NodeId(7), NodeId(9), TypeId(1), "properties"};
  must(put_edge_row(block, slot, wanted));
  must(find_edge_row(block, slot, row, found) && found && row.properties == wanted.properties);
  must(remove_edge_rows(block, static_cast<uint16_t>(1U << slot)));
  must(find_edge_row(block, slot, row, found) && !found);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  if (input.flag()) check_adjacency(input);
  else check_edges(input);
  return 0;
}
