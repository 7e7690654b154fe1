// Changing the graph inside a write transaction. Every operation is all-or-nothing and keeps
// invariant 7: an edge's ends exist.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "engine/store.h"
#include "graph/graph_view.h"
#include "graph/projection_patch.h"
#include "graph/property.h"
#include "graph/read_ahead.h"

namespace braid {

class AlgorithmContext;  // graph/algorithm.h

/// The graph's StoreWriter. One thread at a time. Errors name the node, edge, label or property by
/// the user's words.
class GraphWriter final : public StoreWriter {
 public:
  /// `changes` outlives the writer.
  GraphWriter(std::shared_ptr<const StoreView> base, CatalogWriter& catalog, const RecentChanges& changes);
  ~GraphWriter() override;

  /// Labels are put in ascending order and once. kConstraint when a unique index has the value
  /// already.
  Result<NodeId> create_node(std::vector<LabelId> labels, Properties properties);
  /// Replaces labels and properties. kNotFound without such a node; kConstraint as above.
  Status update_node(NodeId id, std::vector<LabelId> labels, Properties properties);
  /// kRestrict: kConstraint naming how many edges the node has; kDetach removes them. kNotFound
  /// without such a node.
  Status delete_node(NodeId id, DeleteRule rule);

  /// kConstraint naming the end that does not exist, the unique edge index that has the value, or the nodes of the cycle that the edge
  /// would close in a hierarchy; kLimit when too much is above it there to tell.
  /// `ahead`, which may be null, is what read_edge_ahead found for these ends; what has changed since is read again.
  Result<EdgeId> create_edge(NodeId source, TypeId type, NodeId target, Properties properties, const EdgeAhead* ahead = nullptr);
  /// Edges of one type from sources[i] to targets[i], with ids that follow each other; answers the first. `properties` are as many, or none.
  /// All or none. kConstraint as above; kInvalidArgument for other numbers of them, none, or 2^32 and more.
  Result<EdgeId> create_edges(TypeId type, std::span<const NodeId> sources, std::span<const NodeId> targets,
                              std::vector<Properties> properties);
  Status update_edge(EdgeId id, Properties properties);
  Status delete_edge(EdgeId id);

  /// Builds the index over what is there; kConstraint if `unique` and two have the same value (both
  /// ids are named); an equal index that exists is answered with its id, one that differs in
  /// uniqueness is kConstraint.
  Result<IndexId> create_index(bool on_edges, uint32_t scope, KeyId key, bool unique);
  Status drop_index(IndexId id);

  /// Makes an edge type a hierarchy. kConstraint naming the nodes of a cycle, or when it is one whose edges lead the other way.
  Status declare_hierarchy(const HierarchyDefinition& definition, const AlgorithmContext& context);

  /// What the transaction has done to the shape of the graph so far.
  std::vector<ShapeChange> shape() const;
  /// Reads with the transaction's own changes.
  GraphView view() const;
  CatalogWriter& catalog() { return catalog_; }

  uint64_t mark() override;
  void rollback_to(uint64_t mark) override;
  uint64_t staged_bytes() const override;
  void take_changes(CommitRecord& record) override;

 private:
  friend class GraphStore;  // publish reads the overlay
  std::shared_ptr<const StoreView> base_;
  CatalogWriter& catalog_;
  const RecentChanges& changes_;
  std::shared_ptr<GraphOverlay> overlay_;
  friend class StagedOperation;
  struct Staged;  // changes not yet taken, counters, undo
  /// Inside a StagedOperation, as the two below.
  Status remove_edges_of(NodeId id);
  /// `steps` are all of one type and one direction, in ascending order.
  Status remove_together(NodeId id, std::span<const Neighbor> steps);
  Status remove_singly(NodeId id, std::span<const Neighbor> steps);
  /// Inside a StagedOperation.
  Result<EdgeId> stage_edge(NodeId source, TypeId type, NodeId target, Properties properties, const EdgeAhead* ahead);
  /// kConstraint naming the first of `ends` that does not exist.
  Status check_ends_exist(std::span<const NodeId> ends, std::string_view end_name) const;
  /// kConstraint when the node does not exist. Stages the list that the edge will enter.
  Status check_end(Family list, NodeId end, TypeId type, const EdgeAhead* ahead);
  Status fill_index(const IndexDefinition& index);
  /// kConstraint when the edge would close a cycle in a hierarchy.
  Status check_hierarchy(NodeId source, TypeId type, NodeId target) const;

  std::unique_ptr<Staged> staged_;
};

}  // namespace braid
