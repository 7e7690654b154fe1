#include "graph/graph_read.h"

#include "engine/long_call.h"
#include "graph/adjacency_block.h"
#include "graph/edge_block.h"
#include "graph/node_format.h"

namespace braid {
namespace {

Result<Edge> make_edge(EdgeId id, const EdgeRow& row, std::string_view key) {
  Result<Properties> properties = decode_properties(row.properties);
  if (!properties.ok()) return damaged(Family::kEdge, key, properties.status().message());
  return Edge{id, row.source, row.type, row.target, properties.take()};
}

Family adjacency_family(Direction direction) {
  return direction == Direction::kIn ? Family::kIn : Family::kOut;
}

Result<uint64_t> total_of(Family family, std::string_view key, std::string_view head) {
  AdjacencyHeader header;
  if (!read_head_header(head, header)) return damaged(family, key, "the adjacency block is damaged");
  return header.total;
}

/// Appends the entries of one block until `out` has query.count_max.
Status append_block(const NeighborQuery& query, TypeId type, std::string_view key,
                    std::string_view block, std::vector<Neighbor>& out) {
  const bool sound = visit_adjacency_block(block, [&](EdgeId edge, NodeId neighbor) {
    if (out.size() >= query.count_max) return false;
    out.push_back({edge, type, neighbor, query.direction});
    return true;
  });
  if (sound) return {};
  return damaged(adjacency_family(query.direction), key, "the adjacency block is damaged");
}

/// Appends the sealed blocks of one list, which are older than its head.
Status append_sealed(const FamilyReader& reader, const NeighborQuery& query, TypeId type,
                     const std::string& head, std::vector<Neighbor>& out) {
  FamilyCursor cursor(reader, adjacency_family(query.direction), head);
  cursor.seek(sealed_key(query.node, type, EdgeId(0)));
  for (; cursor.valid() && out.size() < query.count_max; cursor.next()) {
    if (query.stops) BRAID_TRY(LongCall::check());
    BRAID_TRY(append_block(query, type, cursor.key(), cursor.bytes(), out));
  }
  return cursor.status();
}

Status read_typed(const FamilyReader& reader, const NeighborQuery& query, TypeId type,
                  std::vector<Neighbor>& out) {
  const Family family = adjacency_family(query.direction);
  const std::string key = head_key(query.node, type);
  FoundBytes head;
  BRAID_TRY(reader.get(family, key, head));
  if (!head.found()) return {};
  AdjacencyHeader header;
  if (!read_head_header(head.bytes(), header)) {
    return damaged(family, key, "the adjacency block is damaged");
  }
  if (header.total > header.count) BRAID_TRY(append_sealed(reader, query, type, key, out));
  return append_block(query, type, key, head.bytes(), out);
}

/// Walks all blocks of a node: of each type the head comes first by key, and is appended last.
Status read_all_types(const FamilyReader& reader, const NeighborQuery& query,
                      std::vector<Neighbor>& out) {
  const Family family = adjacency_family(query.direction);
  FamilyCursor cursor(reader, family, node_key(query.node));
  cursor.seek(node_key(query.node));
  std::string head, head_bytes;
  TypeId type;
  for (; cursor.valid() && out.size() < query.count_max; cursor.next()) {
    AdjacencyKey key;
    if (!parse_adjacency_key(cursor.key(), key)) {
      return damaged(family, cursor.key(), "the key is damaged");
    }
    if (!key.is_head) {
      if (head.empty() || key.type != type) {
        return damaged(family, cursor.key(), "the block has no head");
      }
      if (query.stops) BRAID_TRY(LongCall::check());
      BRAID_TRY(append_block(query, type, cursor.key(), cursor.bytes(), out));
      continue;
    }
    if (!head.empty()) BRAID_TRY(append_block(query, type, head, head_bytes, out));
    head = cursor.key();
    head_bytes = cursor.bytes();
    type = key.type;
  }
  BRAID_TRY(cursor.status());
  return head.empty() ? Status() : append_block(query, type, head, head_bytes, out);
}

}  // namespace

Result<bool> node_exists(const FamilyReader& reader, NodeId id) {
  if (reader.overlay() != nullptr) {
    if (const StagedBytes* staged = reader.overlay()->find(Family::kNode, node_key(id))) return staged->has_value();
  }
  if (reader.base().counters().is_surely_node(id)) return true;
  FoundBytes bytes;
  BRAID_TRY(reader.get(Family::kNode, node_key(id), bytes));
  return bytes.found();
}

Result<std::optional<Node>> read_node(const FamilyReader& reader, NodeId id) {
  const std::string key = node_key(id);
  FoundBytes bytes;
  BRAID_TRY(reader.get(Family::kNode, key, bytes));
  if (!bytes.found()) return std::optional<Node>();
  Node node{id, {}, {}};
  if (const Status status = decode_node(bytes.bytes(), node); !status.ok()) {
    return damaged(Family::kNode, key, status.message());
  }
  return std::optional<Node>(std::move(node));
}

Result<std::optional<Edge>> read_edge(const FamilyReader& reader, EdgeId id) {
  const std::string key = edge_block_key(id);
  FoundBytes block;
  BRAID_TRY(reader.get(Family::kEdge, key, block));
  if (!block.found()) return std::optional<Edge>();
  EdgeRow row;
  bool found;
  if (!find_edge_row(block.bytes(), edge_slot(id), row, found)) {
    return damaged(Family::kEdge, key, "the edge block is damaged");
  }
  if (!found) return std::optional<Edge>();
  BRAID_ASSIGN(Edge edge, make_edge(id, row, key));
  return std::optional<Edge>(std::move(edge));
}

Result<uint64_t> read_degree(const FamilyReader& reader, NodeId node, Direction side, TypeId type) {
  const Family family = adjacency_family(side);
  const std::string key = head_key(node, type);
  FoundBytes head;
  BRAID_TRY(reader.get(family, key, head));
  return head.found() ? total_of(family, key, head.bytes()) : uint64_t{0};
}

Result<uint64_t> read_degree(const FamilyReader& reader, NodeId node, Direction side) {
  const Family family = adjacency_family(side);
  uint64_t total = 0;
  FamilyCursor cursor(reader, family, node_key(node));
  // From head to head: the sealed blocks between them are passed over.
  for (cursor.seek(node_key(node)); cursor.valid();) {
    AdjacencyKey key;
    if (!parse_adjacency_key(cursor.key(), key)) {
      return damaged(family, cursor.key(), "the key is damaged");
    }
    if (!key.is_head) return damaged(family, cursor.key(), "the block has no head");
    BRAID_ASSIGN(const uint64_t listed, total_of(family, cursor.key(), cursor.bytes()));
    total += listed;
    if (key.type.value() == UINT32_MAX) break;
    cursor.seek(head_key(node, TypeId(key.type.value() + 1)));
  }
  BRAID_TRY(cursor.status());
  return total;
}

Status read_neighbors(const FamilyReader& reader, const NeighborQuery& query,
                      std::vector<Neighbor>& out) {
  if (query.type) return read_typed(reader, query, *query.type, out);
  // A few lists are found faster one by one than by an iterator. A transaction may have types of its own.
  constexpr uint32_t kFewTypes = 4;
  const uint32_t next_type = reader.base().catalog().next_name(NameKind::kEdgeType);
  if (reader.overlay() != nullptr || next_type > kFewTypes + 1) return read_all_types(reader, query, out);
  for (uint32_t type = 1; type < next_type && out.size() < query.count_max; ++type) {
    BRAID_TRY(read_typed(reader, query, TypeId(type), out));
  }
  return {};
}

Status read_index_ids(const FamilyReader& reader, const std::string& prefix, size_t count_max,
                      std::vector<uint64_t>& out) {
  FamilyCursor cursor(reader, Family::kIndex, prefix);
  for (cursor.seek(prefix); cursor.valid() && count_max > 0; cursor.next(), --count_max) {
    IndexKey key;
    if (!parse_index_key(cursor.key(), key) || cursor.key().size() != prefix.size() + 8) {
      return damaged(Family::kIndex, cursor.key(), "the key is damaged");
    }
    out.push_back(key.id);
  }
  return cursor.status();
}

namespace {

Status append_hit(std::string_view bytes, std::vector<IndexHit>& out) {
  IndexKey key;
  if (!parse_index_key(bytes, key)) return damaged(Family::kIndex, bytes, "the key is damaged");
  out.push_back({std::string(key.value), key.id});
  return {};
}

}  // namespace

Status scan_index_up(const FamilyReader& reader, IndexId index, const IndexRange& range,
                     const IndexHit* after, size_t count_max, std::vector<IndexHit>& out) {
  const std::string limit = index_prefix(index, range.upper);
  FamilyCursor cursor(reader, Family::kIndex, index_prefix(index, ""));
  // The least key above that of `after` has one byte more.
  cursor.seek(after == nullptr ? index_prefix(index, range.lower)
                               : index_key(index, after->value, after->id) + '\0');
  for (; cursor.valid() && cursor.key() < limit && count_max > 0; cursor.next(), --count_max) {
    BRAID_TRY(append_hit(cursor.key(), out));
  }
  return cursor.status();
}

Status scan_index_down(const FamilyReader& reader, IndexId index, const IndexRange& range,
                       const IndexHit* after, size_t count_max, std::vector<IndexHit>& out) {
  FamilyBackCursor cursor(reader, Family::kIndex, index_prefix(index, range.lower));
  cursor.seek_below(after == nullptr ? index_prefix(index, range.upper)
                                     : index_key(index, after->value, after->id));
  for (; cursor.valid() && count_max > 0; cursor.next(), --count_max) {
    BRAID_TRY(append_hit(cursor.key(), out));
  }
  return cursor.status();
}

Status scan_nodes(const FamilyReader& reader, NodeId after, size_t count_max,
                  std::vector<Node>& out) {
  if (after.value() == UINT64_MAX) return {};
  FamilyCursor cursor(reader, Family::kNode, "");
  cursor.seek(node_key(after.next()));
  for (; cursor.valid() && count_max > 0; cursor.next(), --count_max) {
    Node node;
    if (!parse_node_key(cursor.key(), node.id)) {
      return damaged(Family::kNode, cursor.key(), "the key is damaged");
    }
    if (const Status status = decode_node(cursor.bytes(), node); !status.ok()) {
      return damaged(Family::kNode, cursor.key(), status.message());
    }
    out.push_back(std::move(node));
  }
  return cursor.status();
}

Status scan_label(const FamilyReader& reader, LabelId label, NodeId after, size_t count_max,
                  std::vector<NodeId>& out) {
  if (after.value() == UINT64_MAX) return {};
  FamilyCursor cursor(reader, Family::kLabel, label_prefix(label));
  cursor.seek(label_key(label, after.next()));
  for (; cursor.valid() && count_max > 0; cursor.next(), --count_max) {
    NodeId node;
    if (!parse_label_key(cursor.key(), label, node)) {
      return damaged(Family::kLabel, cursor.key(), "the key is damaged");
    }
    out.push_back(node);
  }
  return cursor.status();
}

Status scan_edges(const FamilyReader& reader, EdgeId after, size_t count_max,
                  std::vector<Edge>& out) {
  if (after.value() == UINT64_MAX) return {};
  FamilyCursor cursor(reader, Family::kEdge, "");
  cursor.seek(edge_block_key(after.next()));
  const size_t count_limit = count_max > SIZE_MAX - out.size() ? SIZE_MAX : out.size() + count_max;
  for (; cursor.valid() && out.size() < count_limit; cursor.next()) {
    EdgeId first;
    if (!parse_edge_block_key(cursor.key(), first)) {
      return damaged(Family::kEdge, cursor.key(), "the key is damaged");
    }
    Status status;
    const bool sound =
        visit_edge_block(cursor.bytes(), [&](unsigned slot, const EdgeRow& row, std::string_view) {
          const EdgeId id(first.value() + slot);
          if (id <= after) return true;
          if (out.size() >= count_limit) return false;
          Result<Edge> edge = make_edge(id, row, cursor.key());
          status = edge.status();
          if (edge.ok()) out.push_back(edge.take());
          return status.ok();
        });
    if (!sound) return damaged(Family::kEdge, cursor.key(), "the edge block is damaged");
    BRAID_TRY(status);
  }
  return cursor.status();
}

}  // namespace braid
