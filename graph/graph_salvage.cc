#include "graph/graph_salvage.h"

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "engine/long_call.h"
#include "graph/edge_block.h"
#include "graph/graph_store.h"
#include "graph/graph_view.h"
#include "graph/index_entries.h"
#include "graph/node_format.h"
#include "graph/rocksdb_env.h"
#include "graph/rocksdb_handle.h"
#include "graph/rocksdb_status.h"

namespace braid {
namespace {

constexpr size_t kChangesPerRecord = 4096;
constexpr size_t kLossesToldMax = 100;
/// Without a marker that tells the last id, so many further ones are looked for.
constexpr uint64_t kIdsBeyondDamage = 1 << 20;

rocksdb::ReadOptions once() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return options;
}

void add_text(std::string& text, std::string_view more) {
  if (!text.empty()) text += "; ";
  text += more;
}

/// The tables that RocksDB could not read at all, which it lays aside.
void tell_lost_tables(Env& env, const std::string& directory, std::string& damage) {
  const auto names = env.list(directory + "/lost");
  if (!names.ok()) return;
  for (const std::string& name : *names)
    if (name.ends_with(".sst")) add_text(damage, fmt::format("graph: table {} cannot be read: all nodes, edges and further entries in it are lost, and what it had deleted may be there "
                                   "again", name));
}

/// The old graph. Where its MANIFEST is damaged or a table is gone, RocksDB makes a new one of the tables that there are.
Result<std::shared_ptr<RocksdbHandle>> open_damaged(Env& env, const std::string& directory, Lsn log_begin, std::string& damage) {
  const RocksdbOptions limits{.block_cache_bytes = 8 << 20, .write_buffer_bytes = 4 << 20, .log_begin = log_begin};
  std::vector<Family> created;
  // Without CURRENT RocksDB would begin an empty database there.
  if (env.exists(directory + "/CURRENT")) {
    auto handle = RocksdbHandle::open(env, directory, limits, created);
    if (handle.ok()) {
      if (!created.empty()) damage = fmt::format("graph: column family {} is missing", family_name(created.front()));
      return handle;
    }
    damage = handle.status().message();
  } else {
    damage = "graph: CURRENT is missing";
  }
  const auto rocksdb_env = make_rocksdb_env(env);
  rocksdb::Options options;
  options.env = rocksdb_env.get();
  options.create_if_missing = true;
  try {
    BRAID_TRY(rocksdb_status(rocksdb::RepairDB(directory, options), "make a new MANIFEST"));
  } catch (const std::exception& error) {
    return Status(StatusCode::kCorrupt, fmt::format("graph: {}", error.what()));
  }
  tell_lost_tables(env, directory, damage);
  created.clear();
  return RocksdbHandle::open(env, directory, limits, created);
}

std::optional<FamilyMarker> marker_of(const RocksdbHandle& handle, Family family) {
  std::string bytes;
  FamilyMarker marker;
  if (!handle.db().Get(once(), handle.family(family), kMarkerKey, &bytes).ok() || !decode_marker(bytes, marker)) return std::nullopt;
  return marker;
}

/// Never written, as far as can be told; a marker is an entry too.
bool is_empty(const RocksdbHandle& handle, Family family) {
  const std::unique_ptr<rocksdb::Iterator> cursor(handle.db().NewIterator(once(), handle.family(family)));
  cursor->SeekToFirst();
  return !cursor->Valid() && cursor->status().ok();
}

/// Reads a family whose keys are numbers, past what is damaged.
class DamagedFamily {
 public:
  /// Numbers are below `limit`, if that is not 0.
  DamagedFamily(const RocksdbHandle& handle, Family family, uint64_t limit) : handle_(handle), family_(family), limit_(limit) {}

  /// Answers how many stretches could not be read.
  template <typename Visit>
  Result<uint64_t> visit(Visit visit) {
    uint64_t gaps = 0;
    for (uint64_t next = 0;;) {
      std::unique_ptr<rocksdb::Iterator> cursor(handle_.db().NewIterator(once(), handle_.family(family_)));
      for (cursor->Seek(key(next)); cursor->Valid(); cursor->Next()) {
        if (cursor->key().size() != 8) continue;
        BRAID_TRY(LongCall::check());
        const auto number = load_big_endian<uint64_t>(cursor->key().data());
        BRAID_TRY(visit(number, cursor->value().ToStringView()));
        next = number + 1;
      }
      if (cursor->status().ok()) return gaps;
      ++gaps;
      // What is found alone is visited at once: a cursor may fail there again, on the way to the next.
      std::string value;
      const auto found = after_damage(next, value);
      BRAID_TRY(LongCall::check());
      if (!found.has_value()) return gaps;
      BRAID_TRY(visit(*found, value));
      next = *found + 1;
    }
  }

 private:
  static std::string key(uint64_t number) {
    std::string out;
    append_big_endian(out, number);
    return out;
  }
  /// The first number from `next` on whose value can be read alone. That the number is not there says nothing of its neighbours.
  std::optional<uint64_t> after_damage(uint64_t next, std::string& value) const {
    uint64_t limit = limit_;
    if (limit == 0) {
      std::unique_ptr<rocksdb::Iterator> last(handle_.db().NewIterator(once(), handle_.family(family_)));
      last->SeekToLast();
      limit = last->Valid() && last->key().size() == 8 ? load_big_endian<uint64_t>(last->key().data()) + 1 : next + kIdsBeyondDamage;
    }
    for (; next < limit && LongCall::check().ok(); ++next)
      if (handle_.db().Get(once(), handle_.family(family_), key(next), &value).ok()) return next;
    return std::nullopt;
  }

  const RocksdbHandle& handle_;
  const Family family_;
  const uint64_t limit_;
};

class GraphBuilder {
 public:
  GraphBuilder(const GraphSalvage& salvage, Store& store)
      : salvage_(salvage), store_(store), names_(salvage.catalog, salvage.state, salvage.counters) {}

  Status read(const RocksdbHandle& old) {
    const auto nodes = marker_of(old, Family::kNode);
    const auto edges = marker_of(old, Family::kEdge);
    node_lsn_ = nodes.has_value() ? nodes->lsn : lsn_without_marker(old, Family::kNode);
    edge_lsn_ = edges.has_value() ? edges->lsn : lsn_without_marker(old, Family::kEdge);
    if (nodes.has_value()) next_node_ = NodeId(nodes->next_id);
    if (edges.has_value()) next_edge_ = EdgeId(edges->next_id);
    if (nodes.has_value()) least_removed_ = nodes->least_removed;
    BRAID_TRY(read_nodes(old, nodes.has_value() ? nodes->next_id : 0));
    return read_edges(old, edges.has_value() ? edges->next_id / kEdgesPerBlock + 1 : 0);
  }

  Status apply_log() {
    BRAID_TRY(flush());
    return salvage_.records([&](Lsn lsn, const CommitRecord& record) -> Status {
      BRAID_TRY(LongCall::check());
      CommitRecord part;
      part.graph = record.graph;
      if (lsn <= node_lsn_) part.graph.nodes.clear();
      if (lsn <= edge_lsn_) part.graph.edges.clear();
      if (part.graph.empty()) return {};
      next_node_ = std::max(next_node_, part.graph.next_node);
      next_edge_ = std::max(next_edge_, part.graph.next_edge);
      const Status applied = replay(std::move(part));
      if (applied.code() != StatusCode::kCorrupt) return applied;
      tell(fmt::format("graph: the changes of commit {} cannot be applied ({})", lsn.value(), applied.message()));
      return {};
    });
  }

  /// Edges that lead from or to a node that is not there.
  Status remove_dangling() {
    BRAID_ASSIGN(const auto store_view, store_.view(salvage_.state));
    const GraphView view(store_view, nullptr);
    std::vector<Edge> edges;
    for (EdgeId after(0);; after = edges.back().id) {
      edges.clear();
      BRAID_TRY(view.scan_edges(after, kChangesPerRecord, edges));
      if (edges.empty()) break;
      for (const Edge& edge : edges) BRAID_TRY(remove_if_dangling(view, edge));
      BRAID_TRY(LongCall::check());
    }
    BRAID_TRY(flush());
    return note_least_missing(view);
  }

  Status finish(Lsn at_least) {
    BRAID_TRY(flush());
    lsn_ = std::max(lsn_, at_least);
    BRAID_TRY(store_.checkpoint_begin(lsn_));
    return store_.checkpoint_write();
  }
  SalvagedGraph made() const { return {lsn_, greatest_ids_}; }

 private:
  void tell(const std::string& what) {
    if (++told_ < kLossesToldMax) salvage_.lost(what);
    if (told_ == kLossesToldMax) salvage_.lost("graph: further losses are not listed");
  }
  /// A family that holds nothing has nothing of the log; another is where the others are at least.
  static Lsn lsn_without_marker(const RocksdbHandle& old, Family family) {
    if (is_empty(old, family)) return Lsn(0);
    Lsn lowest(UINT64_MAX);
    for (const Family other : kFamilies)
      if (const auto marker = marker_of(old, other)) lowest = std::min(lowest, marker->lsn);
    return lowest == Lsn(UINT64_MAX) ? Lsn(0) : lowest;
  }

  void note(NameKind kind, uint32_t id) { greatest_ids_[kind] = std::max(greatest_ids_[kind], id); }
  void note(const Properties& properties) {
    for (const auto& [key, value] : properties) note(NameKind::kPropertyKey, key.value());
  }
  void note(const Node& node) {
    for (const LabelId label : node.labels) note(NameKind::kLabel, label.value());
    note(node.properties);
  }

  Status read_nodes(const RocksdbHandle& old, uint64_t limit) {
    BRAID_ASSIGN(const uint64_t gaps, DamagedFamily(old, Family::kNode, limit).visit([&](uint64_t id, std::string_view bytes) -> Status {
      Node node;
      if (const Status sound = decode_node(bytes, node); id == 0 || !sound.ok()) {
        tell(fmt::format("graph: node {}: {}", id, sound.message()));
        return {};
      }
      if (id == least_removed_) return {};  // removed, as the marker tells, by what is lost
      node.id = NodeId(id);
      note(node);
      NodeChange change;
      change.id = node.id;
      change.value = bytes;
      change.labels_added = node.labels;
      BRAID_ASSIGN(const auto entries, node_index_entries(names_, node));
      for (const IndexEntry& entry : entries) change.index_put.push_back(entry.key);
      next_node_ = std::max(next_node_, NodeId(id + 1));
      record_.graph.nodes.push_back(std::move(change));
      return flush_if_full();
    }));
    if (gaps > 0) tell(fmt::format("graph: nodes are lost in {} damaged blocks", gaps));
    return {};
  }

  Status read_edges(const RocksdbHandle& old, uint64_t limit) {
    BRAID_ASSIGN(const uint64_t gaps, DamagedFamily(old, Family::kEdge, limit).visit([&](uint64_t block, std::string_view bytes) -> Status {
      Status status;
      const bool sound = visit_edge_block(bytes, [&](unsigned slot, const EdgeRow& row, std::string_view) {
        status = add_edge(EdgeId(block * kEdgesPerBlock + slot), row);
        return status.ok();
      });
      if (!sound) tell(fmt::format("graph: the edges from {} on, up to {} of them: their block is damaged", block * kEdgesPerBlock, kEdgesPerBlock));
      BRAID_TRY(status);
      return flush_if_full();
    }));
    if (gaps > 0) tell(fmt::format("graph: edges are lost in {} damaged blocks", gaps));
    return {};
  }

  Status add_edge(EdgeId id, const EdgeRow& row) {
    const auto properties = decode_properties(row.properties);
    if (!properties.ok()) {
      tell(fmt::format("graph: edge {}: {}", id.value(), properties.status().message()));
      return {};
    }
    const Edge edge{.id = id, .source = row.source, .type = row.type, .target = row.target, .properties = *properties};
    note(NameKind::kEdgeType, edge.type.value());
    note(edge.properties);
    BRAID_ASSIGN(EdgeChange change, change_of(edge));
    change.created = true;
    change.properties = row.properties;
    std::swap(change.index_put, change.index_removed);
    next_edge_ = std::max(next_edge_, EdgeId(id.value() + 1));
    record_.graph.edges.push_back(std::move(change));
    return {};
  }

  Result<EdgeChange> change_of(const Edge& edge) {
    EdgeChange change;
    change.id = edge.id;
    change.source = edge.source;
    change.target = edge.target;
    change.type = edge.type;
    BRAID_ASSIGN(const auto entries, edge_index_entries(names_, edge));
    for (const IndexEntry& entry : entries) change.index_removed.push_back(entry.key);
    return change;
  }

  Status remove_if_dangling(const GraphView& view, const Edge& edge) {
    for (const NodeId end : {edge.source, edge.target}) {
      BRAID_ASSIGN(const auto node, view.node(end));
      if (node.has_value()) continue;
      tell(fmt::format("graph: edge {} from node {} to node {}: node {} is lost", edge.id.value(), edge.source.value(), edge.target.value(), end.value()));
      BRAID_ASSIGN(EdgeChange change, change_of(edge));
      change.kind = ChangeKind::kRemove;
      record_.graph.edges.push_back(std::move(change));
      return {};
    }
    return {};
  }

  /// Below the least id that was removed every id is taken for a node's: one that is missing counts as removed.
  Status note_least_missing(const GraphView& view) {
    NodeId expected(1);
    std::vector<Node> nodes;
    for (bool gap = false; !gap;) {
      nodes.clear();
      BRAID_TRY(view.scan_nodes(NodeId(expected.value() - 1), kChangesPerRecord, nodes));
      if (nodes.empty()) break;
      BRAID_TRY(LongCall::check());
      for (const Node& node : nodes) {
        gap = node.id != expected;
        if (gap) break;
        expected = expected.next();
      }
    }
    if (expected >= next_node_) return {};
    NodeChange gone;
    gone.kind = ChangeKind::kRemove;
    gone.id = expected;
    record_.graph.nodes.push_back(std::move(gone));
    return {};
  }

  Status flush_if_full() { return record_.graph.nodes.size() + record_.graph.edges.size() < kChangesPerRecord ? Status() : flush(); }
  Status flush() { return record_.graph.empty() ? Status() : replay(std::exchange(record_, {})); }
  Status replay(CommitRecord record) {
    record.graph.next_node = next_node_;
    record.graph.next_edge = next_edge_;
    return store_.replay(record, lsn_ = lsn_.next());
  }

  const GraphSalvage& salvage_;
  Store& store_;
  const CatalogWriter names_;
  CommitRecord record_;
  Lsn lsn_;
  std::map<NameKind, uint32_t> greatest_ids_;
  Lsn node_lsn_, edge_lsn_;  // the log up to here is in what is read
  NodeId next_node_{1};
  EdgeId next_edge_{1};
  uint64_t least_removed_ = UINT64_MAX;
  size_t told_ = 0;
};

}  // namespace

GraphState graph_state(Env& env, const std::string& directory, Lsn log_begin) {
  GraphState state;
  const auto handle = open_damaged(env, directory, log_begin, state.damage);
  if (!handle.ok()) {
    state.damage = handle.status().message();
    return state;
  }
  state.lowest = Lsn(UINT64_MAX);
  for (const Family family : kFamilies) {
    const auto marker = marker_of(**handle, family);
    state.lowest = std::min(state.lowest, marker.has_value() ? marker->lsn : Lsn(0));
    if (marker.has_value()) state.highest = std::max(state.highest, marker->lsn);
    if (!marker.has_value())
      add_text(is_empty(**handle, family) ? state.unwritten : state.damage, fmt::format("graph: the marker of {} is lost", family_name(family)));
    std::unique_ptr<rocksdb::Iterator> cursor((*handle)->db().NewIterator(once(), (*handle)->family(family)));
    for (cursor->SeekToFirst(); cursor->Valid() && LongCall::check().ok();) cursor->Next();
    if (!cursor->status().ok()) add_text(state.damage, rocksdb_status(cursor->status(), family_name(family)).message());
  }
  return state;
}

Result<SalvagedGraph> salvage_graph(const GraphSalvage& salvage, const std::string& directory, const std::string& target, Lsn at_least) {
  BRAID_ASSIGN(const auto store, open_graph_store(salvage.env, salvage.catalog, target, {}));
  GraphBuilder builder(salvage, *store);
  std::string damage;
  const auto old = open_damaged(salvage.env, directory, salvage.log_begin, damage);
  if (!damage.empty()) salvage.lost(damage);
  if (old.ok()) {
    BRAID_TRY(builder.read(**old));
  } else {
    salvage.lost(old.status().message());
  }
  BRAID_TRY(builder.apply_log());
  BRAID_TRY(builder.remove_dangling());
  BRAID_TRY(builder.finish(at_least));
  return builder.made();
}

}  // namespace braid
