#include "graph/graph_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/check.h"
#include "engine/long_call.h"
#include "graph/graph_overlay.h"
#include "graph/graph_read.h"
#include "graph/index_entries.h"
#include "graph/node_format.h"
#include "graph/staged_changes.h"

namespace braid {
namespace {

/// RocksDB copies a value several times on its way; a block of 16 edges multiplies it.
constexpr size_t kNodeBytesMax = 16 << 20;
constexpr size_t kEdgeBytesMax = 4 << 20;

Status too_long(std::string_view what, size_t size_bytes, size_t size_bytes_max) {
  return Status(StatusCode::kLimit, fmt::format("{} has {} bytes of properties; the limit is {}",
                                                what, size_bytes, size_bytes_max));
}

Status no_node(NodeId id) {
  return Status(StatusCode::kNotFound, fmt::format("there is no node {}", id.value()));
}

Status no_edge(EdgeId id) {
  return Status(StatusCode::kNotFound, fmt::format("there is no edge {}", id.value()));
}

Status missing_end(std::string_view end_name, NodeId end) {
  return Status(StatusCode::kConstraint,
                fmt::format("the edge's {} is missing: there is no node {}", end_name, end.value()));
}

/// Of many edges created together.
Status at_place(const Status& status, size_t index, size_t count) {
  return status.within(fmt::format("edge {} of {}, at index {}", index + 1, count, index));
}

/// Edges removed together are read this many at a time, which bounds what the node of a great many takes.
constexpr size_t kRemovedTogetherMax = 1 << 18;
/// Fewer are removed one by one.
constexpr size_t kRemovedTogetherMin = 32;
/// So many are some 10 ms.
constexpr size_t kRemovedPerQuestion = 1 << 12;

bool has_index(const CatalogState& state, TypeId type) {
  return std::any_of(state.indexes.begin(), state.indexes.end(), [type](const auto& item) {
    return item.second.on_edges && item.second.scope == type.value();
  });
}

/// Whether each new edge of the type must be looked at by itself: for an index, or for the cycles of a hierarchy.
bool is_checked_singly(const CatalogState& state, TypeId type) {
  return state.hierarchies.contains(type) || has_index(state, type);
}

void sort_unique(std::vector<LabelId>& labels) {
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
}

/// What is in `a` and not in `b`; both ascend.
std::vector<LabelId> minus(const std::vector<LabelId>& a, const std::vector<LabelId>& b) {
  std::vector<LabelId> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

std::vector<std::string> keys_minus(const std::vector<IndexEntry>& a,
                                    const std::vector<IndexEntry>& b) {
  std::vector<std::string> out;
  for (const IndexEntry& entry : a) {
    const bool kept = std::any_of(
        b.begin(), b.end(), [&entry](const IndexEntry& other) { return other.key == entry.key; });
    if (!kept) out.push_back(entry.key);
  }
  return out;
}

/// Edges at a node, a self loop counted once.
Result<uint64_t> count_edges(const FamilyReader& reader, NodeId id) {
  BRAID_ASSIGN(const uint64_t out_count, read_degree(reader, id, Direction::kOut));
  BRAID_ASSIGN(const uint64_t in_count, read_degree(reader, id, Direction::kIn));
  if (out_count == 0 || in_count == 0) return out_count + in_count;
  std::vector<Neighbor> neighbors;
  BRAID_TRY(
      read_neighbors(reader, {.node = id, .direction = Direction::kOut, .type = {}}, neighbors));
  const auto loops = std::count_if(neighbors.begin(), neighbors.end(),
                                   [id](const Neighbor& step) { return step.node == id; });
  return out_count + in_count - static_cast<uint64_t>(loops);
}

}  // namespace

GraphWriter::GraphWriter(std::shared_ptr<const StoreView> base, CatalogWriter& catalog,
                         const RecentChanges& changes)
    : base_(std::move(base)),
      catalog_(catalog),
      changes_(changes),
      overlay_(
          std::make_shared<GraphOverlay>(std::static_pointer_cast<const GraphStoreView>(base_))),
      staged_(std::make_unique<Staged>(overlay_, catalog)) {}

GraphWriter::~GraphWriter() {
  overlay_->finish();
  if (!staged_->published) overlay_->abandon();
}

std::vector<ShapeChange> GraphWriter::shape() const {
  std::vector<ShapeChange> changes = staged_->shape;
  append_shape(staged_->changes, changes);
  return changes;
}

GraphView GraphWriter::view() const { return GraphView(base_, overlay_); }

Result<NodeId> GraphWriter::create_node(std::vector<LabelId> labels, Properties properties) {
  sort_unique(labels);
  BRAID_TRY(normalize_properties(properties));
  const Node node{staged_->counters.next_node, std::move(labels), std::move(properties)};
  BRAID_ASSIGN(const auto entries, node_index_entries(catalog_, node));
  BRAID_TRY(staged_->check_unique(entries, node.id.value()));
  NodeChange change;
  change.id = node.id;
  change.value = encode_node(node.labels, node.properties);
  if (change.value.size() > kNodeBytesMax) {
    return too_long("the node", change.value.size(), kNodeBytesMax);
  }
  change.labels_added = node.labels;
  for (const IndexEntry& entry : entries) change.index_put.push_back(entry.key);
  StagedOperation operation(*staged_);
  BRAID_TRY(staged_->stage(std::move(change)));
  staged_->counters.next_node = node.id.next();
  operation.keep();
  return node.id;
}

Status GraphWriter::update_node(NodeId id, std::vector<LabelId> labels, Properties properties) {
  BRAID_ASSIGN(const auto old, read_node(staged_->reader(), id));
  if (!old) return no_node(id);
  sort_unique(labels);
  BRAID_TRY(normalize_properties(properties));
  const Node node{id, std::move(labels), std::move(properties)};
  BRAID_ASSIGN(const auto old_entries, node_index_entries(catalog_, *old));
  BRAID_ASSIGN(const auto entries, node_index_entries(catalog_, node));
  BRAID_TRY(staged_->check_unique(entries, id.value()));
  NodeChange change;
  change.id = id;
  change.value = encode_node(node.labels, node.properties);
  if (change.value.size() > kNodeBytesMax) {
    return too_long(fmt::format("node {}", id.value()), change.value.size(), kNodeBytesMax);
  }
  change.labels_added = minus(node.labels, old->labels);
  change.labels_removed = minus(old->labels, node.labels);
  change.index_put = keys_minus(entries, old_entries);
  change.index_removed = keys_minus(old_entries, entries);
  StagedOperation operation(*staged_);
  BRAID_TRY(staged_->stage(std::move(change)));
  operation.keep();
  return {};
}

Status GraphWriter::delete_node(NodeId id, DeleteRule rule) {
  const FamilyReader reader = staged_->reader();
  BRAID_ASSIGN(const auto node, read_node(reader, id));
  if (!node) return no_node(id);
  if (rule == DeleteRule::kRestrict) {
    BRAID_ASSIGN(const uint64_t count, count_edges(reader, id));
    if (count > 0) {
      return Status(StatusCode::kConstraint,
                    fmt::format("node {} has {} edge{}; delete {} first, or detach: graph_delete({}, 'detach')",
                                id.value(), count, count == 1 ? "" : "s", count == 1 ? "it" : "them", id.value()));
    }
  }
  BRAID_ASSIGN(const auto entries, node_index_entries(catalog_, *node));
  StagedOperation operation(*staged_);
  if (rule == DeleteRule::kDetach) BRAID_TRY(remove_edges_of(id));
  NodeChange change;
  change.kind = ChangeKind::kRemove;
  change.id = id;
  change.labels_removed = node->labels;
  for (const IndexEntry& entry : entries) change.index_removed.push_back(entry.key);
  BRAID_TRY(staged_->stage(std::move(change)));
  staged_->counters.least_removed = std::min(staged_->counters.least_removed, id);
  operation.keep();
  return {};
}

Status GraphWriter::remove_edges_of(NodeId id) {
  // Self loops are gone from the second side after the first.
  for (const Direction side : {Direction::kOut, Direction::kIn}) {
    std::vector<Neighbor> steps;
    do {
      steps.clear();
      BRAID_TRY(read_neighbors(staged_->reader(),
                               {.node = id, .direction = side, .type = {}, .count_max = kRemovedTogetherMax}, steps));
      for (std::span<const Neighbor> rest(steps); !rest.empty();) {
        const TypeId type = rest.front().type;
        const auto next = rest.first(std::min(kRemovedPerQuestion, rest.size()));
        const auto limit = std::find_if(next.begin(), next.end(), [type](const Neighbor& step) { return step.type != type; });
        const auto part = next.first(static_cast<size_t>(limit - next.begin()));
        BRAID_TRY(LongCall::check());
        const bool together = part.size() >= kRemovedTogetherMin && !has_index(catalog_.state(), type);
        BRAID_TRY(together ? remove_together(id, part) : remove_singly(id, part));
        rest = rest.subspan(part.size());
      }
    } while (steps.size() == kRemovedTogetherMax);
  }
  return {};
}

Status GraphWriter::remove_together(NodeId id, std::span<const Neighbor> steps) {
  std::vector<EdgeId> edges;
  std::vector<NodeId> neighbors;
  edges.reserve(steps.size());
  neighbors.reserve(steps.size());
  for (const Neighbor& step : steps) {
    edges.push_back(step.edge);
    neighbors.push_back(step.node);
  }
  return staged_->stage(
      RemovalRun{steps.front().type, id, steps.front().direction == Direction::kOut, edges, neighbors});
}

Status GraphWriter::remove_singly(NodeId id, std::span<const Neighbor> steps) {
  for (const Neighbor& step : steps) {
    BRAID_ASSIGN(const auto edge, read_edge(staged_->reader(), step.edge));
    if (!edge) {
      return Status(StatusCode::kCorrupt,
                    fmt::format("graph: node {} lists edge {}, which does not exist", id.value(), step.edge.value()));
    }
    BRAID_TRY(staged_->stage_removal(*edge));
  }
  return {};
}

Status GraphWriter::check_end(Family list, NodeId end, TypeId type, const EdgeAhead* ahead) {
  const bool is_source = list == Family::kOut;
  const EndAhead* end_ahead = ahead == nullptr ? nullptr : is_source ? &ahead->source : &ahead->target;
  const auto unchanged = [&](Family family, const std::string& key) {
    return end_ahead != nullptr && changes_.unchanged_since(ahead->sequence, family, key);
  };
  const StagedBytes* known = unchanged(list, head_key(end, type)) ? &end_ahead->head : nullptr;
  BRAID_ASSIGN(const uint64_t listed, staged_->list_total(list, end, type, known));
  // A node with an edge exists (invariant 7), so that only others are looked up.
  if (listed > 0) return {};
  const std::string key = node_key(end);
  if (overlay_->find(Family::kNode, key) == nullptr && unchanged(Family::kNode, key) && end_ahead->exists) return {};
  BRAID_ASSIGN(const bool exists, braid::node_exists(staged_->reader(), end));
  if (exists) return {};
  return missing_end(is_source ? "source" : "target", end);
}

Result<EdgeId> GraphWriter::create_edge(NodeId source, TypeId type, NodeId target,
                                        Properties properties, const EdgeAhead* ahead) {
  StagedOperation operation(*staged_);
  BRAID_ASSIGN(const EdgeId id, stage_edge(source, type, target, std::move(properties), ahead));
  operation.keep();
  return id;
}

Status GraphWriter::check_ends_exist(std::span<const NodeId> ends, std::string_view end_name) const {
  const GraphCounters& counters = staged_->counters;
  if (std::all_of(ends.begin(), ends.end(), [&counters](NodeId end) { return counters.is_surely_node(end); })) return {};
  const std::vector<uint32_t> order = order_by_node(ends);
  FamilyCursor nodes(staged_->reader(), Family::kNode, "");
  NodeId checked;
  for (const uint32_t place : order) {
    const NodeId end = ends[place];
    if (end == checked) continue;
    const std::string key = node_key(end);
    // Nodes with edges lie close to each other: most are the next one.
    if (checked.value() == 0 || (nodes.valid() && nodes.key() < key)) {
      if (checked.value() != 0) nodes.next();
      if (checked.value() == 0 || (nodes.valid() && nodes.key() < key)) nodes.seek(key);
    }
    BRAID_TRY(nodes.status());
    if (!nodes.valid() || nodes.key() != key) return at_place(missing_end(end_name, end), place, ends.size());
    checked = end;
  }
  return {};
}

Result<EdgeId> GraphWriter::create_edges(TypeId type, std::span<const NodeId> sources, std::span<const NodeId> targets,
                                         std::vector<Properties> properties) {
  const size_t count = sources.size();
  if (count == 0 || count > UINT32_MAX || targets.size() != count || (!properties.empty() && properties.size() != count)) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} sources, {} targets and {} properties: expected as many of each, 1 to 4294967295", count,
                              targets.size(), properties.size()));
  }
  const EdgeId first = staged_->counters.next_edge;
  StagedOperation operation(*staged_);
  if (is_checked_singly(catalog_.state(), type)) {
    for (size_t i = 0; i < count; ++i) {
      Properties own = properties.empty() ? Properties() : std::move(properties[i]);
      const Status staged = stage_edge(sources[i], type, targets[i], std::move(own), nullptr).status();
      if (!staged.ok()) return at_place(staged, i, count);
    }
  } else {
    BRAID_TRY(check_ends_exist(sources, "source"));
    BRAID_TRY(check_ends_exist(targets, "target"));
    std::vector<std::string> encoded;
    for (Properties& own : properties) {
      BRAID_TRY(normalize_properties(own));
      encoded.push_back(encode_properties(own));
      if (encoded.back().size() > kEdgeBytesMax) return too_long("the edge", encoded.back().size(), kEdgeBytesMax);
      own.clear();
    }
    const std::vector<std::string_view> views(encoded.begin(), encoded.end());
    BRAID_TRY(staged_->stage(EdgeRun{type, first, sources, targets, views}));
    staged_->counters.next_edge = EdgeId(first.value() + count);
  }
  operation.keep();
  return first;
}

Result<EdgeId> GraphWriter::stage_edge(NodeId source, TypeId type, NodeId target,
                                       Properties properties, const EdgeAhead* ahead) {
  BRAID_TRY(normalize_properties(properties));
  EdgeChange change;
  BRAID_TRY(check_end(Family::kOut, source, type, ahead));
  BRAID_TRY(check_end(Family::kIn, target, type, ahead));
  BRAID_TRY(check_hierarchy(source, type, target));
  const Edge edge{staged_->counters.next_edge, source, type, target, std::move(properties)};
  BRAID_ASSIGN(const auto entries, edge_index_entries(catalog_, edge));
  BRAID_TRY(staged_->check_unique(entries, edge.id.value()));
  change.created = true;
  change.id = edge.id;
  change.source = source;
  change.target = target;
  change.type = type;
  change.properties = encode_properties(edge.properties);
  if (change.properties.size() > kEdgeBytesMax) {
    return too_long("the edge", change.properties.size(), kEdgeBytesMax);
  }
  for (const IndexEntry& entry : entries) change.index_put.push_back(entry.key);
  BRAID_TRY(staged_->stage(std::move(change)));
  staged_->counters.next_edge = edge.id.next();
  return edge.id;
}

Status GraphWriter::update_edge(EdgeId id, Properties properties) {
  BRAID_ASSIGN(const auto old, read_edge(staged_->reader(), id));
  if (!old) return no_edge(id);
  BRAID_TRY(normalize_properties(properties));
  const Edge edge{id, old->source, old->type, old->target, std::move(properties)};
  BRAID_ASSIGN(const auto old_entries, edge_index_entries(catalog_, *old));
  BRAID_ASSIGN(const auto entries, edge_index_entries(catalog_, edge));
  BRAID_TRY(staged_->check_unique(entries, id.value()));
  EdgeChange change;
  change.id = id;
  change.source = edge.source;
  change.target = edge.target;
  change.type = edge.type;
  change.properties = encode_properties(edge.properties);
  if (change.properties.size() > kEdgeBytesMax) {
    return too_long(fmt::format("edge {}", id.value()), change.properties.size(), kEdgeBytesMax);
  }
  change.index_put = keys_minus(entries, old_entries);
  change.index_removed = keys_minus(old_entries, entries);
  StagedOperation operation(*staged_);
  BRAID_TRY(staged_->stage(std::move(change)));
  operation.keep();
  return {};
}

Status GraphWriter::delete_edge(EdgeId id) {
  StagedOperation operation(*staged_);
  // Staged first, so that the block is read from the base once.
  BRAID_TRY(overlay_->edit(Family::kEdge, edge_block_key(id)).status());
  BRAID_ASSIGN(const auto edge, read_edge(staged_->reader(), id));
  if (!edge) return no_edge(id);
  BRAID_TRY(staged_->stage_removal(*edge));
  operation.keep();
  return {};
}

uint64_t GraphWriter::mark() {
  Staged::Position position = staged_->position();
  position.undo = overlay_->mark();
  // Marks without a change between them are one.
  if (!staged_->marks.empty()) {
    const Staged::Position& last = staged_->marks.back();
    if (last.undo == position.undo && last.nodes == position.nodes &&
        last.edges == position.edges) {
      return staged_->marks.size() - 1;
    }
  }
  staged_->marks.push_back(position);
  return staged_->marks.size() - 1;
}

void GraphWriter::rollback_to(uint64_t mark) {
  auto& marks = staged_->marks;
  BRAID_ASSERT(mark < marks.size());
  const Staged::Position start{0, 0, 0, overlay_->base().counters()};
  const Staged::Position position = mark < marks.size() ? marks[mark] : start;
  if (mark < marks.size()) marks.resize(mark + 1);
  overlay_->rollback_to(position.undo);
  staged_->truncate(position);
}

uint64_t GraphWriter::staged_bytes() const {
  return overlay_->staged_bytes() + staged_->change_bytes +
         staged_->marks.capacity() * sizeof(Staged::Position);
}

void GraphWriter::take_changes(CommitRecord& record) {
  GraphChanges& changes = staged_->changes;
  append_shape(changes, staged_->shape);
  record.graph.next_node = staged_->counters.next_node;
  record.graph.next_edge = staged_->counters.next_edge;
  staged_->nodes_taken += changes.nodes.size();
  staged_->edges_taken += changes.edges.size();
  staged_->change_bytes = 0;
  auto move_all = [](auto& from, auto& to) {
    if (to.empty()) {
      to = std::move(from);
    } else {
      std::move(from.begin(), from.end(), std::back_inserter(to));
    }
    from.clear();
  };
  move_all(changes.nodes, record.graph.nodes);
  move_all(changes.edges, record.graph.edges);
}

}  // namespace braid
