// Reading the graph: at a pinned version, or inside a write transaction with that transaction's own
// changes on top.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/result.h"
#include "engine/store.h"
#include "engine/types.h"
#include "graph/property.h"

namespace braid {

enum class Direction : uint8_t { kOut = 1, kIn = 2, kBoth = 3 };

struct Node {
  NodeId id;
  std::vector<LabelId> labels;  ///< ascending
  Properties properties;
};

struct Edge {
  EdgeId id;
  NodeId source;
  TypeId type;
  NodeId target;
  Properties properties;
};

/// One step from a node: over `edge` of `type` to `node`. `direction` is kOut or kIn as seen from
/// the start.
struct Neighbor {
  EdgeId edge;
  TypeId type;
  NodeId node;
  Direction direction = Direction::kOut;
};

/// One entry of an index: a node or an edge under its encoded value.
struct IndexHit {
  std::string value;  ///< for decode_index_value
  uint64_t id = 0;
  bool operator==(const IndexHit&) const = default;
};

/// Encoded values (encode_index_value) from `lower` to below `upper`.
struct IndexRange {
  std::string lower;
  std::string upper;
  bool descending = false;
};

class FamilyReader;    // reads the families (graph/family_reader.h)
class GraphOverlay;    // a write transaction's staged bytes (graph/graph_overlay.h)
class GraphStoreView;  // the store's StoreView (graph/graph_store_view.h)

/// A value that shares what it reads from; cheap to copy. Threads: one view at a time; copies are
/// independent. With an overlay, reads see what is staged at the time of each call, and answer
/// kInterrupted ("transaction was rolled back") once the overlay's transaction or savepoint in
/// which a scan started is gone.
class GraphView {
 public:
  /// `overlay` may be null. `base` must be a GraphStoreView.
  GraphView(std::shared_ptr<const StoreView> base, std::shared_ptr<const GraphOverlay> overlay);

  Result<std::optional<Node>> node(NodeId id) const;
  Result<std::optional<Edge>> edge(EdgeId id) const;
  Result<bool> node_exists(NodeId id) const;

  /// Appends at most `count_max` neighbours to `out`, ordered by (direction, type, edge id). A self
  /// loop appears once per direction asked. No `type` means all.
  Status neighbors(NodeId id, Direction direction, std::optional<TypeId> type, size_t count_max,
                   std::vector<Neighbor>& out) const;
  /// Number of edges, from the counters.
  Result<uint64_t> degree(NodeId id, Direction direction, std::optional<TypeId> type) const;

  /// Appends the ids of the nodes (or edges) with this value under an index, ascending.
  Status find_nodes(IndexId index, const PropertyValue& value, std::vector<NodeId>& out) const;
  Status find_edges(IndexId index, const PropertyValue& value, std::vector<EdgeId>& out) const;

  /// Appends up to `count_max` entries of an index within `range`, ordered by (value, id), both
  /// descending if the range is, that come after `after`; from the start when it is null. An empty
  /// answer is the end.
  Status scan_index(IndexId index, const IndexRange& range, const IndexHit* after, size_t count_max,
                    std::vector<IndexHit>& out) const;

  /// Scans in id order: appends up to `count_max` items with an id greater than `after`. An empty
  /// answer is the end.
  Status scan_nodes(NodeId after, size_t count_max, std::vector<Node>& out) const;
  Status scan_label(LabelId label, NodeId after, size_t count_max, std::vector<NodeId>& out) const;
  Status scan_edges(EdgeId after, size_t count_max, std::vector<Edge>& out) const;

  /// For what reads the families itself. It borrows from this view.
  Result<FamilyReader> reader() const;
  const GraphStoreView& base() const;
  /// Whether a write transaction's own changes are seen too.
  bool has_changes() const;

 private:
  Status check_alive() const;

  std::shared_ptr<const StoreView> base_;        // shared with copies and the transaction
  std::shared_ptr<const GraphOverlay> overlay_;  // shared with copies and the transaction
  uint64_t overlay_position_ = 0;                // where the overlay stood when the view was made
  uint32_t overlay_mark_ = 0;
};

}  // namespace braid
