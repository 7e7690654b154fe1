// The record of one transaction: what its graph and time-series changes were, as row `record` of `_braid_log`.
//
// Invariant 3: a record suffices for each column family alone. Values are absolute, ids are assigned, old index keys and edge
// ends are in it, so that replay reads nothing but the family it writes, and replaying twice changes nothing.
// Encoded as Cap'n Proto (commit_record.capnp); `docs/log_format.md`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// Values are frozen: they are stored.
enum class ChangeKind : uint16_t { kPut = 0, kRemove = 1, kIndexOnly = 2, kRun = 3, kRemovalRun = 4 };

/// A node put (created or replaced), removed, or touched by an index only.
struct NodeChange {
  ChangeKind kind = ChangeKind::kPut;
  NodeId id;
  std::string value;                       ///< kPut: the whole value in family `node`
  std::vector<LabelId> labels_added;       ///< entries to put in family `label`
  std::vector<LabelId> labels_removed;     ///< entries to remove from family `label`
  std::vector<std::string> index_put;      ///< whole keys of family `index`
  std::vector<std::string> index_removed;  ///< whole keys of family `index`
};

/// An edge put (created if `created`, else its properties replaced), removed, or touched by an index only; or a run of edges of one type
/// created together, the first of which is `id`; or a run of edges of one type at one node removed together.
struct EdgeChange {
  ChangeKind kind = ChangeKind::kPut;
  bool created = false;
  EdgeId id;
  NodeId source;
  NodeId target;
  TypeId type;
  std::string properties;       ///< kPut: encoded properties; kRun, kRemovalRun: the edges (graph/edge_run.h, removal_run.h)
  std::vector<std::string> index_put;
  std::vector<std::string> index_removed;
};

struct GraphChanges {
  std::vector<NodeChange> nodes;  ///< in the order in which they were made
  std::vector<EdgeChange> edges;  ///< in the order in which they were made
  NodeId next_node{1};            ///< the counters after the transaction
  EdgeId next_edge{1};
  bool empty() const { return nodes.empty() && edges.empty(); }
};

/// All points of `hypertable` in `range` written before this record are gone.
struct SeriesDeletion {
  HypertableId hypertable;
  TimeRange range;
  std::vector<SeriesId> series;  ///< ascending; empty: all
};

struct SeriesChanges {
  std::vector<SeriesDeletion> deletions;  ///< apply before the runs
  std::string runs;                       ///< points by series (timeseries/run_codec.h)
  bool appends = false;                   ///< some of the runs do not only take points away; not stored
  /// The runs repeat points that the tail already has, so that older log rows can be trimmed.
  bool relogged = false;
  bool empty() const { return runs.empty() && deletions.empty(); }
};

struct CommitRecord {
  GraphChanges graph;
  SeriesChanges series;
  bool empty() const { return graph.empty() && series.empty(); }
};

/// The bytes of a record; an empty record is an empty string.
std::string encode_commit_record(const CommitRecord& record);
/// kCorrupt for bytes that are no record.
Result<CommitRecord> decode_commit_record(std::string_view bytes);

}  // namespace braid
