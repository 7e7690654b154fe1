#include "graph/staged_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/adjacency_block.h"
#include "graph/graph_fold.h"
#include "graph/graph_read.h"
#include "graph/index_entries.h"
#include "graph/two_threads.h"

namespace braid {
namespace {

constexpr Family kFamiliesOfNodes[] = {Family::kNode, Family::kLabel, Family::kIndex};
constexpr Family kFamiliesOfEdges[] = {Family::kEdge, Family::kOut, Family::kIn, Family::kIndex};
constexpr size_t kIndexKeysPerChange = 512;

template <typename Change>
uint64_t held_bytes(const Change& change) {
  uint64_t bytes = sizeof(Change);
  for (const std::string& key : change.index_put) bytes += sizeof(key) + key.capacity();
  for (const std::string& key : change.index_removed) bytes += sizeof(key) + key.capacity();
  return bytes;
}

template <typename Change>
void truncate_changes(std::vector<Change>& changes, uint64_t& taken, uint64_t count) {
  if (count < taken) {
    changes.clear();
    taken = count;
  } else if (count - taken < changes.size()) {
    changes.resize(count - taken);
  }
}

}  // namespace

GraphWriter::Staged::Staged(std::shared_ptr<GraphOverlay> staged_overlay,
                            CatalogWriter& catalog_writer)
    : overlay(std::move(staged_overlay)),
      catalog(catalog_writer),
      counters(overlay->base().counters()) {}

GraphWriter::Staged::Position GraphWriter::Staged::position() const {
  return {0, nodes_taken + changes.nodes.size(), edges_taken + changes.edges.size(), counters};
}

void GraphWriter::Staged::truncate(const Position& position) {
  // What is undone may be in the shape already, which no longer tells whose it is.
  if (position.nodes < nodes_taken || position.edges < edges_taken) shape.assign(1, {.kind = ShapeChange::Kind::kMany});
  truncate_changes(changes.nodes, nodes_taken, position.nodes);
  truncate_changes(changes.edges, edges_taken, position.edges);
  counters = position.counters;
  if (changes.empty()) change_bytes = 0;
}

Status GraphWriter::Staged::stage(NodeChange change) {
  for (const Family family : kFamiliesOfNodes) BRAID_TRY(fold_change(family, change, *overlay));
  change_bytes += held_bytes(change) + change.value.capacity();
  changes.nodes.push_back(std::move(change));
  return {};
}

Status GraphWriter::Staged::stage(EdgeChange change) {
  for (const Family family : kFamiliesOfEdges) BRAID_TRY(fold_change(family, change, *overlay));
  keep(std::move(change));
  return {};
}

Status GraphWriter::Staged::stage(const EdgeRun& run) {
  constexpr size_t kWorthAThread = 20'000;
  if (run.size() < kWorthAThread || !has_second_processor()) {
    for (const Family family : kFamiliesOfEdges) BRAID_TRY(fold_run(family, run, *overlay));
  } else {
    Status own, other;
    in_two_threads([&] { own = fold_run(Family::kOut, run, *overlay); }, [&] { other = fold_run(Family::kIn, run, *overlay); });
    BRAID_TRY(std::move(own));
    BRAID_TRY(std::move(other));
    BRAID_TRY(fold_run(Family::kEdge, run, *overlay));
  }
  EdgeChange change;
  change.kind = ChangeKind::kRun;
  change.created = true;
  change.id = run.first;
  change.type = run.type;
  change.properties = encode_edge_run(run);
  keep(std::move(change));
  return {};
}

Status GraphWriter::Staged::stage(const RemovalRun& run) {
  for (const Family family : kFamiliesOfEdges) BRAID_TRY(fold_run(family, run, *overlay));
  EdgeChange change;
  change.kind = ChangeKind::kRemovalRun;
  change.type = run.type;
  change.properties = encode_removal_run(run);
  keep(std::move(change));
  return {};
}

void GraphWriter::Staged::keep(EdgeChange change) {
  change_bytes += held_bytes(change) + change.properties.capacity();
  changes.edges.push_back(std::move(change));
}

Result<uint64_t> GraphWriter::Staged::list_total(Family family, NodeId node, TypeId type,
                                                 const StagedBytes* known) {
  const std::string key = head_key(node, type);
  BRAID_ASSIGN(StagedBytes * head, overlay->edit(family, key, known));
  if (!*head) return uint64_t{0};
  AdjacencyHeader header;
  if (!read_head_header(**head, header)) {
    return damaged(family, key, "the adjacency block is damaged");
  }
  return header.total;
}

Status GraphWriter::Staged::stage_removal(const Edge& edge) {
  BRAID_ASSIGN(const auto entries, edge_index_entries(catalog, edge));
  EdgeChange change;
  change.kind = ChangeKind::kRemove;
  change.id = edge.id;
  change.source = edge.source;
  change.target = edge.target;
  change.type = edge.type;
  for (const auto& [family, end] : {std::pair(Family::kOut, edge.source), std::pair(Family::kIn, edge.target)}) {
    BRAID_ASSIGN(const uint64_t listed, list_total(family, end, edge.type));
    if (listed == 0) {
      return Status(StatusCode::kCorrupt,
                    fmt::format("graph: edge {} is not listed at its ends", edge.id.value()));
    }
  }
  for (const IndexEntry& entry : entries) change.index_removed.push_back(entry.key);
  return stage(std::move(change));
}

Status GraphWriter::Staged::check_unique(const std::vector<IndexEntry>& entries,
                                         uint64_t id) const {
  for (const IndexEntry& entry : entries) {
    if (!entry.index->unique) continue;
    std::vector<uint64_t> ids;
    BRAID_TRY(read_index_ids(reader(), entry.prefix, 2, ids));
    for (const uint64_t other : ids) {
      if (other == id) continue;
      return Status(StatusCode::kConstraint,
                    fmt::format("unique index on {}, property \"{}\": {} {} has this value already",
                                scope_text(catalog, *entry.index),
                                name(NameKind::kPropertyKey, entry.index->key.value()),
                                entry.index->on_edges ? "edge" : "node", other));
    }
  }
  return {};
}

Status GraphWriter::Staged::stage_index_keys(bool on_edges, std::vector<std::string> put,
                                             std::vector<std::string> removed) {
  const size_t count = std::max(put.size(), removed.size());
  auto part = [](std::vector<std::string>& keys, size_t start) {
    const size_t limit = std::min(keys.size(), start + kIndexKeysPerChange);
    if (start >= limit) return std::vector<std::string>();
    return std::vector<std::string>(std::make_move_iterator(keys.begin() + start),
                                    std::make_move_iterator(keys.begin() + limit));
  };
  for (size_t start = 0; start < count; start += kIndexKeysPerChange) {
    if (on_edges) {
      EdgeChange change;
      change.kind = ChangeKind::kIndexOnly;
      change.index_put = part(put, start);
      change.index_removed = part(removed, start);
      BRAID_TRY(stage(std::move(change)));
    } else {
      NodeChange change;
      change.kind = ChangeKind::kIndexOnly;
      change.index_put = part(put, start);
      change.index_removed = part(removed, start);
      BRAID_TRY(stage(std::move(change)));
    }
  }
  return {};
}

Status normalize_properties(Properties& properties) {
  std::erase_if(properties, [](const auto& property) { return property.second.is_null(); });
  std::sort(properties.begin(), properties.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto twice =
      std::adjacent_find(properties.begin(), properties.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice == properties.end()) return {};
  return Status(StatusCode::kInvalidArgument,
                fmt::format("property key {} is given twice", twice->first.value()));
}

}  // namespace braid
