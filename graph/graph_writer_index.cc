// Building and dropping an index inside a write transaction.
#include <fmt/format.h>

#include <algorithm>

#include "engine/long_call.h"
#include "graph/graph_read.h"
#include "graph/graph_writer.h"
#include "graph/index_entries.h"
#include "graph/staged_changes.h"

namespace braid {
namespace {

constexpr size_t kScanBatch = 256;

/// Collects the keys of a new index.
class IndexBuild {
 public:
  IndexBuild(const CatalogWriter& names, const IndexDefinition& index)
      : names_(names), index_(index) {}

  Status add(uint64_t id, const Properties& properties) {
    std::vector<IndexEntry> entries;
    BRAID_TRY(append_index_entry(names_, index_, id, properties, entries));
    for (IndexEntry& entry : entries) keys_.push_back(std::move(entry.key));
    return {};
  }
  /// kConstraint when the index is unique and two keys have the same value.
  Result<std::vector<std::string>> finish() {
    std::sort(keys_.begin(), keys_.end());
    for (size_t i = 1; index_.unique && i < keys_.size(); ++i) {
      IndexKey first, second;
      if (!parse_index_key(keys_[i - 1], first) || !parse_index_key(keys_[i], second)) continue;
      if (first.value == second.value) return duplicate(first.id, second.id);
    }
    return std::move(keys_);
  }

 private:
  Status duplicate(uint64_t first, uint64_t second) const {
    return Status(
        StatusCode::kConstraint,
        fmt::format("{}s {} and {} of {} have the same value of property \"{}\"",
                    index_.on_edges ? "edge" : "node", first, second, scope_text(names_, index_),
                    names_.name(NameKind::kPropertyKey, index_.key.value())));
  }

  const CatalogWriter& names_;
  const IndexDefinition& index_;
  std::vector<std::string> keys_;
};

Status index_nodes(const FamilyReader& reader, LabelId label, IndexBuild& build) {
  std::vector<NodeId> ids;
  NodeId after;
  for (;;) {
    BRAID_TRY(LongCall::check());
    ids.clear();
    BRAID_TRY(scan_label(reader, label, after, kScanBatch, ids));
    if (ids.empty()) return {};
    for (const NodeId id : ids) {
      BRAID_ASSIGN(const auto node, read_node(reader, id));
      if (!node) {
        return Status(StatusCode::kCorrupt,
                      fmt::format("graph: label {} lists node {}, which does not exist",
                                  label.value(), id.value()));
      }
      BRAID_TRY(build.add(id.value(), node->properties));
    }
    after = ids.back();
  }
}

Status index_edges(const FamilyReader& reader, TypeId type, IndexBuild& build) {
  std::vector<Edge> edges;
  EdgeId after;
  for (;;) {
    BRAID_TRY(LongCall::check());
    edges.clear();
    BRAID_TRY(scan_edges(reader, after, kScanBatch, edges));
    if (edges.empty()) return {};
    for (const Edge& edge : edges) {
      if (edge.type == type) BRAID_TRY(build.add(edge.id.value(), edge.properties));
    }
    after = edges.back().id;
  }
}

}  // namespace

Result<IndexId> GraphWriter::create_index(bool on_edges, uint32_t scope, KeyId key, bool unique) {
  if (const IndexDefinition* old = catalog_.state().index(on_edges, scope, key)) {
    if (old->unique == unique) return old->id;
    return Status(
        StatusCode::kConstraint,
        fmt::format("{}, property \"{}\" has an index that is {}unique", scope_text(catalog_, *old),
                    catalog_.name(NameKind::kPropertyKey, key.value()), old->unique ? "" : "not "));
  }
  const uint64_t catalog_mark = catalog_.mark();
  IndexDefinition index{IndexId(), on_edges, scope, key, unique};
  index.id = catalog_.add_index(index);
  const Status status = fill_index(index);
  if (!status.ok()) {
    catalog_.rollback_to(catalog_mark);
    return status;
  }
  return index.id;
}

Status GraphWriter::fill_index(const IndexDefinition& index) {
  IndexBuild build(catalog_, index);
  BRAID_TRY(index.on_edges ? index_edges(staged_->reader(), TypeId(index.scope), build)
                           : index_nodes(staged_->reader(), LabelId(index.scope), build));
  BRAID_ASSIGN(auto keys, build.finish());
  StagedOperation operation(*staged_);
  BRAID_TRY(staged_->stage_index_keys(index.on_edges, std::move(keys), {}));
  operation.keep();
  return {};
}

Status GraphWriter::drop_index(IndexId id) {
  const auto& indexes = catalog_.state().indexes;
  const auto found = indexes.find(id);
  if (found == indexes.end()) {
    return Status(StatusCode::kNotFound, fmt::format("there is no index {}", id.value()));
  }
  std::vector<std::string> keys;
  {
    const std::string prefix = index_prefix(id, "");
    FamilyCursor cursor(staged_->reader(), Family::kIndex, prefix);
    for (cursor.seek(prefix); cursor.valid(); cursor.next()) keys.emplace_back(cursor.key());
    BRAID_TRY(cursor.status());
  }
  StagedOperation operation(*staged_);
  BRAID_TRY(staged_->stage_index_keys(found->second.on_edges, {}, std::move(keys)));
  operation.keep();
  catalog_.remove_index(id);
  return {};
}

}  // namespace braid
