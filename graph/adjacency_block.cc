#include "graph/adjacency_block.h"

#include "engine/check.h"

namespace braid {
namespace {

void store_header(std::string& block, const AdjacencyHeader& header) {
  std::string bytes;
  append_fixed(bytes, header.total);
  append_fixed(bytes, header.count);
  append_fixed(bytes, header.first.value());
  append_fixed(bytes, header.last.value());
  append_fixed(bytes, header.last_neighbor.value());
  BRAID_ASSERT(bytes.size() == kAdjacencyHeaderBytes);
  block.replace(0, kAdjacencyHeaderBytes, bytes);
}

void append_entry(std::string& block, AdjacencyHeader& header, const AdjacencyEntry& entry) {
  if (header.count == 0) {
    header.first = header.last = entry.edge;
    header.last_neighbor = NodeId(0);
  }
  append_varint(block, entry.edge.value() - header.last.value());
  append_varint(
      block, zigzag(static_cast<int64_t>(entry.neighbor.value() - header.last_neighbor.value())));
  header.last = entry.edge;
  header.last_neighbor = entry.neighbor;
  ++header.count;
}

/// Appends the entries as a short block has them. `last` is the entry before, or zeros.
void append_short(std::string& block, AdjacencyEntry last, std::span<const AdjacencyEntry> entries) {
  for (const AdjacencyEntry& entry : entries) {
    append_varint(block, entry.edge.value() - last.edge.value());
    append_varint(block, zigzag(static_cast<int64_t>(entry.neighbor.value() - last.neighbor.value())));
    last = entry;
  }
}

bool read_short_header(std::string_view block, AdjacencyHeader& out) {
  out = AdjacencyHeader();
  const bool sound = visit_short_block(block, [&out](EdgeId edge, NodeId neighbor) {
    if (out.count++ == 0) out.first = edge;
    out.last = edge;
    out.last_neighbor = neighbor;
    return true;
  });
  out.total = out.count;
  return sound;
}

/// Writes what is in the block anew, with that total. False for damage.
bool encode_anew(std::string& block, uint64_t total) {
  std::vector<AdjacencyEntry> entries;
  if (!decode_adjacency_block(block, entries)) return false;
  block = encode_adjacency_block(entries, total);
  return true;
}

bool append_to_short(std::string& block, const AdjacencyHeader& header, std::span<const AdjacencyEntry> entries) {
  const size_t size = block.size();
  append_short(block, {header.last, header.last_neighbor}, entries);
  if (is_short_block(block)) return true;
  block.resize(size);
  std::vector<AdjacencyEntry> all;
  if (!decode_adjacency_block(block, all)) return false;
  all.insert(all.end(), entries.begin(), entries.end());
  block = encode_adjacency_block(all, all.size());
  return true;
}

bool remove_from_short(std::string& block, std::span<const EdgeId> edges) {
  std::vector<AdjacencyEntry> entries;
  if (!decode_adjacency_block(block, entries)) return false;
  const size_t count = entries.size();
  std::erase_if(entries, [&edges](const AdjacencyEntry& entry) {
    if (edges.empty() || entry.edge != edges.front()) return false;
    edges = edges.subspan(1);
    return true;
  });
  if (!edges.empty()) return false;
  if (entries.size() < count) block = encode_adjacency_block(entries, entries.size());
  return true;
}

}  // namespace

bool read_adjacency_header(std::string_view block, AdjacencyHeader& out) {
  if (is_short_block(block)) return read_short_header(block, out);
  const char* bytes = block.data();
  out.total = load_fixed<uint64_t>(bytes);
  out.count = load_fixed<uint16_t>(bytes + 8);
  out.first = EdgeId(load_fixed<uint64_t>(bytes + 10));
  out.last = EdgeId(load_fixed<uint64_t>(bytes + 18));
  out.last_neighbor = NodeId(load_fixed<uint64_t>(bytes + 26));
  if (out.count > kAdjacencyEntriesMax || out.first > out.last) return false;
  const size_t entry_bytes = block.size() - kAdjacencyHeaderBytes;
  if (out.count == 0) return entry_bytes == 0 && out.last.value() == 0;
  return entry_bytes >= 2u * out.count && entry_bytes <= 2u * kVarintBytesMax * out.count;
}

std::string encode_adjacency_block(std::span<const AdjacencyEntry> entries, uint64_t total) {
  BRAID_ASSERT(entries.size() <= kAdjacencyEntriesMax);
  std::string block;
  if (total == entries.size() && total > 0 && total < kAdjacencyHeaderBytes / 2) {
    append_short(block, {}, entries);
    if (is_short_block(block)) return block;
  }
  block.assign(kAdjacencyHeaderBytes, '\0');
  AdjacencyHeader header;
  header.total = total;
  for (const AdjacencyEntry& entry : entries) append_entry(block, header, entry);
  store_header(block, header);
  return block;
}

bool append_adjacency_entries(std::string& block, std::span<const AdjacencyEntry> entries) {
  AdjacencyHeader header;
  if (!read_adjacency_header(block, header)) return false;
  if (entries.size() > kAdjacencyEntriesMax - header.count) return false;
  EdgeId last = header.last;
  for (const AdjacencyEntry& entry : entries) {
    if (entry.edge <= last) return false;
    last = entry.edge;
  }
  if (is_short_block(block)) return append_to_short(block, header, entries);
  for (const AdjacencyEntry& entry : entries) append_entry(block, header, entry);
  if (header.total > 0) header.total += entries.size();
  store_header(block, header);
  return true;
}

bool remove_adjacency_entries(std::string& block, std::span<const EdgeId> edges) {
  AdjacencyHeader header;
  if (!read_adjacency_header(block, header) || edges.size() > header.count) return false;
  if (edges.empty()) return true;
  if (is_short_block(block)) return remove_from_short(block, edges);
  const size_t removed = edges.size();
  AdjacencyHeader kept;  // of the entries that stay
  kept.total = header.total - std::min<uint64_t>(header.total, removed);
  std::string out(kAdjacencyHeaderBytes, '\0');
  out.reserve(block.size());
  // Entries stay as they are but for the first behind removed ones, whose deltas are to another entry.
  size_t copied = kAdjacencyHeaderBytes;
  bool behind_removed = false;
  AdjacencyEntryReader entries(block, header);
  while ((!edges.empty() || behind_removed) && !entries.at_end()) {
    const size_t start = block.size() - entries.remaining_bytes();
    if (!entries.next()) return false;
    const AdjacencyEntry& entry = entries.entry();
    if (!edges.empty() && entry.edge == edges.front()) {
      if (!behind_removed) out.append(block, copied, start - copied);
      behind_removed = true;
      edges = edges.subspan(1);
    } else if (behind_removed) {
      append_entry(out, kept, entry);
      copied = block.size() - entries.remaining_bytes();
      behind_removed = false;
    } else {
      if (kept.count++ == 0) kept.first = entry.edge;
      kept.last = entry.edge;
      kept.last_neighbor = entry.neighbor;
    }
  }
  if (!edges.empty() || (entries.at_end() && !entries.sound_end())) return false;
  if (!behind_removed) {
    out.append(block, copied);
    kept.count = static_cast<uint16_t>(header.count - removed);
    kept.last = header.last;
    kept.last_neighbor = header.last_neighbor;
  }
  store_header(out, kept);
  // A damaged header may tell of a last entry that is none.
  if (!read_adjacency_header(out, kept)) return false;
  block = std::move(out);
  set_list_total(block, kept.total);
  return true;
}

bool read_head_header(std::string_view block, AdjacencyHeader& out) {
  return read_adjacency_header(block, out) && out.total > 0 && out.total >= out.count;
}

void set_list_total(std::string& block, uint64_t total) {
  // Only what changes its form, or may, is written anew.
  AdjacencyHeader header;
  const bool is_read = read_adjacency_header(block, header);
  BRAID_ASSERT(is_read);
  if (!is_read) return;
  const bool is_short = is_short_block(block);
  if (is_short && total == header.count) return;
  const bool may_be_short = total == header.count && block.size() < 2 * kAdjacencyHeaderBytes;
  if ((is_short || may_be_short) && encode_anew(block, total)) return;
  std::string bytes;
  append_fixed(bytes, total);
  block.replace(0, bytes.size(), bytes);
}

bool decode_adjacency_block(std::string_view block, std::vector<AdjacencyEntry>& out) {
  return visit_adjacency_block(block, [&out](EdgeId edge, NodeId neighbor) {
    out.push_back({edge, neighbor});
    return true;
  });
}

}  // namespace braid
