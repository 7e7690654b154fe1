// What a GraphWriter holds beside the overlay: the changes for the record, the counters, and where
// marks stand in both.
#pragma once

#include <memory>
#include <vector>

#include "engine/commit_record.h"
#include "graph/edge_run.h"
#include "graph/family_reader.h"
#include "graph/graph_overlay.h"
#include "graph/graph_writer.h"
#include "graph/projection_patch.h"
#include "graph/removal_run.h"

namespace braid {

struct GraphWriter::Staged {
  Staged(std::shared_ptr<GraphOverlay> overlay, CatalogWriter& catalog);

  /// Positions in everything that is staged. Counts include the changes that were taken.
  struct Position {
    uint64_t undo = 0;
    uint64_t nodes = 0;
    uint64_t edges = 0;
    GraphCounters counters;
  };
  Position position() const;
  /// Drops the changes and counters made since; the overlay's part is the caller's.
  void truncate(const Position& position);

  FamilyReader reader() const { return {overlay->base(), overlay.get()}; }
  const std::string& name(NameKind kind, uint32_t id) const { return catalog.name(kind, id); }

  /// Folds a change into the overlay and keeps it for the record. Inside a StagedOperation.
  Status stage(NodeChange change);
  Status stage(EdgeChange change);
  /// The ends exist, and no index is on the type.
  Status stage(const EdgeRun& run);
  /// The edges are listed at the node, and no index is on the type.
  Status stage(const RemovalRun& run);
  /// How many edges a list has, from its head, which is then staged. Inside a StagedOperation. `known` as in GraphOverlay::edit.
  Result<uint64_t> list_total(Family family, NodeId node, TypeId type, const StagedBytes* known = nullptr);
  /// Stages the removal of an edge. Inside a StagedOperation.
  Status stage_removal(const Edge& edge);
  /// kConstraint when a unique index has the value of one of `entries` for another id.
  Status check_unique(const std::vector<struct IndexEntry>& entries, uint64_t id) const;
  /// Stages keys of an index, many to a change.
  Status stage_index_keys(bool on_edges, std::vector<std::string> put,
                          std::vector<std::string> removed);

  /// Keeps a change that is folded for the record.
  void keep(EdgeChange change);

  const std::shared_ptr<GraphOverlay> overlay;  // shared with the writer and the views
  CatalogWriter& catalog;
  GraphCounters counters;
  GraphChanges changes;      // not taken yet
  uint64_t nodes_taken = 0;  // changes that take_changes has moved out
  uint64_t edges_taken = 0;
  uint64_t change_bytes = 0;  // held by the changes' own strings and vectors
  std::vector<ShapeChange> shape;  // of the changes that were taken
  std::vector<Position> marks;
  bool published = false;
};

/// One operation of the writer: kept as a whole, or without a trace.
class StagedOperation {
 public:
  explicit StagedOperation(GraphWriter::Staged& staged)
      : staged_(staged), start_(staged.position()), operation_(*staged.overlay) {}
  ~StagedOperation() {
    if (!kept_) staged_.truncate(start_);
  }
  StagedOperation(const StagedOperation&) = delete;
  StagedOperation& operator=(const StagedOperation&) = delete;
  void keep() {
    kept_ = true;
    operation_.keep();
  }

 private:
  GraphWriter::Staged& staged_;
  const GraphWriter::Staged::Position start_;
  OverlayOperation operation_;
  bool kept_ = false;
};

/// Sorted by key, without nulls. kInvalidArgument for a key given twice, kLimit for too many bytes.
Status normalize_properties(Properties& properties);

}  // namespace braid
