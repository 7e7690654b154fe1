// Bringing a projection up to date from what was committed since, without reading the graph again.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "engine/commit_record.h"
#include "graph/projection.h"

namespace braid {

/// One change of a graph's shape, as projections see it. kMany stands for more than are kept.
struct ShapeChange {
  enum class Kind : uint8_t { kNodePut, kNodeRemoved, kEdgeAdded, kEdgeChanged, kEdgeRemoved, kMany };
  Kind kind = Kind::kNodePut;
  bool labels_changed = false;  ///< kNodePut
  uint64_t id = 0;              ///< of the node or the edge
  NodeId source;                ///< of an edge
  NodeId target;
  TypeId type;
};

/// More are not kept.
inline constexpr size_t kShapeChangesMax = 1 << 18;

/// Appends what a transaction's changes do to the shape.
void append_shape(const GraphChanges& changes, std::vector<ShapeChange>& out);

/// The shape changes of recent publishes. Threads: the caller's lock.
class ShapeJournal {
 public:
  /// `sequence` is the next one after the last.
  void add(uint64_t sequence, const std::vector<ShapeChange>& changes);
  bool reaches(uint64_t from, uint64_t to) const;
  /// Everything after `from` up to `to`; nothing when that is no longer kept.
  std::optional<std::vector<ShapeChange>> between(uint64_t from, uint64_t to) const;

 private:
  struct Publish {
    uint64_t sequence;
    std::vector<ShapeChange> changes;
  };
  std::deque<Publish> publishes_;
  size_t count_ = 0;
};

/// `old` with `changes`, of which `view` has the last. Nothing when only building it anew will do: a node went, labels or weights that matter
/// changed, or too much did. `owned` is `old` when nobody else reads it, else null: a few changes are then made in place, and what is left
/// of it is good for nothing.
Result<std::shared_ptr<const Projection>> patch_projection(const Projection& old, const std::vector<ShapeChange>& changes,
                                                           const GraphView& view, Projection* owned = nullptr);

}  // namespace braid
