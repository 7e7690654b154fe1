#include "graph/graph_fold.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/adjacency_block.h"
#include "graph/edge_block.h"

namespace braid {
namespace {

/// One list of adjacency: the edges of `type` that leave (family out) or reach (family in) `node`.
struct AdjacencyList {
  Family family;
  NodeId node;
  TypeId type;
};

Status append_to_list(const AdjacencyList& list, const AdjacencyEntry& entry, GraphOverlay& state) {
  const std::string key = head_key(list.node, list.type);
  BRAID_ASSIGN(StagedBytes * head, state.edit(list.family, key));
  if (!*head) {
    *head = encode_adjacency_block(std::span(&entry, 1), 1);
    return {};
  }
  AdjacencyHeader header;
  if (!read_head_header(**head, header)) {
    return damaged(list.family, key, "the adjacency block is damaged");
  }
  if (header.count > 0 && entry.edge <= header.last) {
    return damaged(
        list.family, key,
        fmt::format("edge {} is not above edge {}", entry.edge.value(), header.last.value()));
  }
  if (header.count < kAdjacencyEntriesMax) {
    append_adjacency_entries(**head, std::span(&entry, 1));
    return {};
  }
  std::string sealed = std::move(**head);
  set_list_total(sealed, 0);
  *head = encode_adjacency_block(std::span(&entry, 1), header.total + 1);
  state.put(list.family, sealed_key(list.node, list.type, header.first), std::move(sealed));
  return {};
}

Status missing_edge(const AdjacencyList& list, std::string_view key, EdgeId edge) {
  return damaged(list.family, key, fmt::format("edge {} is missing, or the block is damaged", edge.value()));
}

/// Removes edges, in ascending order, from the sealed blocks that have them, and a block with its last edge.
Status remove_from_sealed(const AdjacencyList& list, std::span<const EdgeId> edges, GraphOverlay& state) {
  const std::string head = head_key(list.node, list.type);
  while (!edges.empty()) {
    const std::string wanted = sealed_key(list.node, list.type, edges.front());
    BRAID_ASSIGN(const auto found, state.edit_last_at_or_below(list.family, head, wanted));
    AdjacencyHeader header;
    if (!found || found->key.size() != kSealedKeyBytes || !read_adjacency_header(**found->bytes, header)) {
      return missing_edge(list, head, edges.front());
    }
    const auto limit = std::upper_bound(edges.begin(), edges.end(), header.last);
    const auto part = edges.first(static_cast<size_t>(limit - edges.begin()));
    if (part.empty() || !remove_adjacency_entries(**found->bytes, part)) {
      return missing_edge(list, found->key, edges.front());
    }
    if (part.size() == header.count) found->bytes->reset();
    edges = edges.subspan(part.size());
  }
  return {};
}

/// Removes edges, in ascending order, from a list. `head` is what `state` has staged under the list's head.
Status remove_from_list(const AdjacencyList& list, std::span<const EdgeId> edges, StagedBytes& head,
                        GraphOverlay& state) {
  const std::string key = head_key(list.node, list.type);
  AdjacencyHeader header;
  if (!head || !read_head_header(*head, header) || header.total < edges.size()) {
    return damaged(list.family, key, "the adjacency block is missing or damaged");
  }
  const auto newer = header.count == 0 ? edges.end() : std::lower_bound(edges.begin(), edges.end(), header.first);
  const auto sealed = edges.first(static_cast<size_t>(newer - edges.begin()));
  const auto own = edges.subspan(sealed.size());
  const uint64_t total = header.total - edges.size();
  if (!remove_adjacency_entries(*head, own)) return missing_edge(list, key, own.front());
  if (total == 0) {
    head.reset();
  } else {
    set_list_total(*head, total);
  }
  return remove_from_sealed(list, sealed, state);
}

Status fold_list(const AdjacencyList& list, NodeId neighbor, const EdgeChange& change,
                 GraphOverlay& state) {
  if (change.kind == ChangeKind::kPut && change.created) {
    return append_to_list(list, {change.id, neighbor}, state);
  }
  if (change.kind != ChangeKind::kRemove) return {};
  BRAID_ASSIGN(StagedBytes * head, state.edit(list.family, head_key(list.node, list.type)));
  return remove_from_list(list, std::span(&change.id, 1), *head, state);
}

Status fold_edge(const EdgeChange& change, GraphOverlay& state) {
  if (change.kind == ChangeKind::kIndexOnly) return {};
  const std::string key = edge_block_key(change.id);
  BRAID_ASSIGN(StagedBytes * block, state.edit(Family::kEdge, key));
  if (!*block) block->emplace();
  const EdgeRow row{change.source, change.target, change.type, change.properties};
  const bool sound = change.kind == ChangeKind::kPut
                         ? put_edge_row(**block, edge_slot(change.id), row)
                         : remove_edge_rows(**block, edge_slot_bit(edge_slot(change.id)));
  if (!sound) return damaged(Family::kEdge, key, "the edge block is damaged");
  if ((*block)->empty()) block->reset();
  return {};
}

/// `block` may be empty: then it begins with these entries, and with that total.
Status append_part(const AdjacencyList& list, std::string_view key, std::span<const AdjacencyEntry> part, uint64_t total, std::string& block) {
  if (block.empty()) {
    block = encode_adjacency_block(part, total);
  } else if (!append_adjacency_entries(block, part)) {
    return damaged(list.family, key, "its edges are not below those to be added");
  }
  return {};
}

/// Appends many, block after block: all but the last are full.
Status append_to_list(const AdjacencyList& list, std::span<const AdjacencyEntry> entries,
                      GraphOverlay::SortedEdits& edits) {
  const std::string key = head_key(list.node, list.type);
  BRAID_ASSIGN(StagedBytes * head, edits.edit(key));
  AdjacencyHeader header;
  if (*head && !read_head_header(**head, header)) return damaged(list.family, key, "the adjacency block is damaged");
  const uint64_t total = header.total + entries.size();
  std::string block = *head ? std::move(**head) : std::string();
  while (entries.size() > kAdjacencyEntriesMax - header.count) {
    const auto part = entries.first(kAdjacencyEntriesMax - header.count);
    const EdgeId first = header.count > 0 ? header.first : part.front().edge;
    BRAID_TRY(append_part(list, key, part, 0, block));
    set_list_total(block, 0);
    edits.put(sealed_key(list.node, list.type, first), std::move(block));
    entries = entries.subspan(part.size());
    block.clear();
    header = AdjacencyHeader();
  }
  BRAID_TRY(append_part(list, key, entries, total, block));
  head->emplace(std::move(block));
  return {};
}

Status fold_run_lists(Family family, const EdgeRun& run, GraphOverlay& state) {
  const auto [nodes, neighbors] = family == Family::kOut ? std::pair(run.sources, run.targets) : std::pair(run.targets, run.sources);
  constexpr size_t kAhead = 16;  // the places are anywhere
  const std::vector<uint32_t> order = order_by_node(nodes);
  GraphOverlay::SortedEdits edits(state, family);
  std::vector<AdjacencyEntry> entries;
  for (size_t start = 0; start < order.size();) {
    const NodeId node = nodes[order[start]];
    entries.clear();
    for (; start < order.size() && nodes[order[start]] == node; ++start) {
      entries.push_back({run.id(order[start]), neighbors[order[start]]});
      if (start + kAhead >= order.size()) continue;
      __builtin_prefetch(&nodes[order[start + kAhead]]);
      __builtin_prefetch(&neighbors[order[start + kAhead]]);
    }
    BRAID_TRY(append_to_list({family, node, run.type}, entries, edits));
  }
  return {};
}

Status fold_run_edges(const EdgeRun& run, GraphOverlay& state) {
  GraphOverlay::SortedEdits edits(state, Family::kEdge);
  for (size_t start = 0; start < run.size();) {
    const std::string key = edge_block_key(run.id(start));
    BRAID_ASSIGN(StagedBytes * block, edits.edit(key));
    if (!*block) block->emplace();
    do {
      const EdgeRow row{run.sources[start], run.targets[start], run.type, run.properties_of(start)};
      if (!put_edge_row(**block, edge_slot(run.id(start)), row)) return damaged(Family::kEdge, key, "the edge block is damaged");
    } while (++start < run.size() && edge_slot(run.id(start)) != 0);
  }
  return {};
}

/// Removes from the lists of the other ends, each of which is edited once.
Status remove_from_neighbors(Family family, const RemovalRun& run, GraphOverlay& state) {
  const std::vector<uint32_t> order = order_by_node(run.neighbors);
  GraphOverlay::SortedEdits edits(state, family);
  std::vector<EdgeId> edges;
  for (size_t start = 0; start < order.size();) {
    const NodeId node = run.neighbors[order[start]];
    edges.clear();
    for (; start < order.size() && run.neighbors[order[start]] == node; ++start) edges.push_back(run.edges[order[start]]);
    BRAID_ASSIGN(StagedBytes * head, edits.edit(head_key(node, run.type)));
    BRAID_TRY(remove_from_list({family, node, run.type}, edges, *head, state));
  }
  return {};
}

Status fold_run_lists(Family family, const RemovalRun& run, GraphOverlay& state) {
  if (run.edges.empty()) return {};
  if ((family == Family::kOut) != run.outgoing) return remove_from_neighbors(family, run, state);
  BRAID_ASSIGN(StagedBytes * head, state.edit(family, head_key(run.node, run.type)));
  return remove_from_list({family, run.node, run.type}, run.edges, *head, state);
}

Status fold_run_edges(const RemovalRun& run, GraphOverlay& state) {
  constexpr uint16_t kAllSlots = (1u << kEdgesPerBlock) - 1;
  GraphOverlay::SortedEdits edits(state, Family::kEdge);
  for (size_t start = 0; start < run.size();) {
    const std::string key = edge_block_key(run.edges[start]);
    const uint64_t block_number = run.edges[start].value() / kEdgesPerBlock;
    uint16_t slots = 0;
    for (; start < run.size() && run.edges[start].value() / kEdgesPerBlock == block_number; ++start) {
      slots = static_cast<uint16_t>(slots | edge_slot_bit(edge_slot(run.edges[start])));
    }
    // Nothing stays, whatever is there.
    if (slots == kAllSlots) {
      edits.remove(key);
      continue;
    }
    BRAID_ASSIGN(StagedBytes * block, edits.edit(key));
    if (!*block) continue;
    if (!remove_edge_rows(**block, slots)) return damaged(Family::kEdge, key, "the edge block is damaged");
    if ((*block)->empty()) block->reset();
  }
  return {};
}

template <typename Run>
Status fold_run_of_edges(Family family, const Run& run, GraphOverlay& state) {
  switch (family) {
    case Family::kOut:
    case Family::kIn:
      return fold_run_lists(family, run, state);
    case Family::kEdge:
      return fold_run_edges(run, state);
    case Family::kNode:
    case Family::kLabel:
    case Family::kIndex:
      break;
  }
  return {};
}

bool has_edges(Family family) { return family == Family::kOut || family == Family::kIn || family == Family::kEdge; }

Status fold_encoded_run(Family family, const EdgeChange& change, GraphOverlay& state) {
  if (!has_edges(family)) return {};
  if (change.kind == ChangeKind::kRemovalRun) {
    BRAID_ASSIGN(const DecodedRemovalRun decoded, DecodedRemovalRun::decode(change.type, change.properties));
    return fold_run(family, decoded.run(), state);
  }
  BRAID_ASSIGN(const DecodedEdgeRun decoded, DecodedEdgeRun::decode(change.type, change.id, change.properties));
  return fold_run(family, decoded.run(), state);
}

template <typename Change>
void fold_index(const Change& change, GraphOverlay& state) {
  for (const std::string& key : change.index_removed) state.remove(Family::kIndex, key);
  for (const std::string& key : change.index_put) state.put(Family::kIndex, key, std::string());
}

void fold_node(const NodeChange& change, GraphOverlay& state) {
  if (change.kind == ChangeKind::kPut) {
    state.put(Family::kNode, node_key(change.id), change.value);
  } else if (change.kind == ChangeKind::kRemove) {
    state.remove(Family::kNode, node_key(change.id));
  }
}

void fold_labels(const NodeChange& change, GraphOverlay& state) {
  for (const LabelId label : change.labels_removed) {
    state.remove(Family::kLabel, label_key(label, change.id));
  }
  for (const LabelId label : change.labels_added) {
    state.put(Family::kLabel, label_key(label, change.id), std::string());
  }
}

}  // namespace

Status fold_change(Family family, const NodeChange& change, GraphOverlay& state) {
  switch (family) {
    case Family::kNode:
      fold_node(change, state);
      break;
    case Family::kLabel:
      fold_labels(change, state);
      break;
    case Family::kIndex:
      fold_index(change, state);
      break;
    case Family::kOut:
    case Family::kIn:
    case Family::kEdge:
      break;
  }
  return {};
}

Status fold_change(Family family, const EdgeChange& change, GraphOverlay& state) {
  if (change.kind == ChangeKind::kRun || change.kind == ChangeKind::kRemovalRun) return fold_encoded_run(family, change, state);
  switch (family) {
    case Family::kOut:
      return fold_list({family, change.source, change.type}, change.target, change, state);
    case Family::kIn:
      return fold_list({family, change.target, change.type}, change.source, change, state);
    case Family::kEdge:
      return fold_edge(change, state);
    case Family::kIndex:
      fold_index(change, state);
      break;
    case Family::kNode:
    case Family::kLabel:
      break;
  }
  return {};
}

Status fold_run(Family family, const EdgeRun& run, GraphOverlay& state) { return fold_run_of_edges(family, run, state); }

Status fold_run(Family family, const RemovalRun& run, GraphOverlay& state) { return fold_run_of_edges(family, run, state); }

}  // namespace braid
