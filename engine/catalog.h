// What the stores keep in SQLite: names, series, indexes, hypertables, chunks, bindings, hierarchies, loads. One interface for both stores.
//
// Committed names and series are append-only and shared by all versions (`Catalog`). Definitions that change are an immutable
// `CatalogState`, of which every Version holds one. A write transaction changes both through its `CatalogWriter`, which
// undoes with savepoints and is flushed into the `_braid_*` tables in the same SQLite commit.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/column_data.h"
#include "engine/mutex.h"
#include "engine/result.h"
#include "engine/shared_map.h"
#include "engine/types.h"

namespace braid {

/// Values are frozen: they are stored.
enum class NameKind : uint8_t { kLabel = 1, kEdgeType = 2, kPropertyKey = 3 };

struct FieldDefinition {
  std::string name;
  FieldType type = FieldType::kDouble;
  FieldId id;  ///< assigned by CatalogWriter
  bool was_real = false;  ///< was a DOUBLE before it was a TEXT: integers from before that read as reals do
};

/// What happens to a point whose series and time exist already. Values are frozen.
/// kMerge: fields of the new point that are not null replace those of the old one, the others stay.
enum class ConflictPolicy : uint8_t { kReplace = 1, kIgnore = 2, kError = 3, kMerge = 4 };

/// What happens to a point older than the horizon. Values are frozen.
enum class LatePolicy : uint8_t { kRefuse = 1, kDrop = 2 };

/// What becomes of the points when the row that a tag refers to is deleted. Values are frozen.
enum class ReferenceRule : uint8_t { kRestrict = 1, kKeep = 2, kErase = 3 };

/// A tag whose values are those of a column of a table of rows, in which each value stands once.
struct TagReference {
  size_t tag = 0;
  std::string table;
  std::string column;
  ReferenceRule on_delete = ReferenceRule::kRestrict;
};

struct HypertableDefinition {
  HypertableId id;
  std::string name;
  std::string time_column;
  std::vector<std::string> tags;
  std::vector<FieldType> tag_types;  ///< kText or kInt64 for each tag; those left out are kText
  std::vector<TagReference> references;  ///< by tag, at most one of each
  std::vector<FieldDefinition> fields;
  ConflictPolicy on_conflict = ConflictPolicy::kReplace;
  int64_t chunk_interval_us = 0;
  bool adapts_interval = false;            ///< the interval follows the rate of points
  int64_t horizon_us = 0;                  ///< points older than this are late; 0: none is
  LatePolicy late = LatePolicy::kRefuse;
  FieldId next_field{1};                   ///< no field had this id or a later one

  FieldType tag_type(size_t tag) const { return tag < tag_types.size() ? tag_types[tag] : FieldType::kText; }
};

/// An index over one property of the nodes of one label, or of the edges of one type.
struct IndexDefinition {
  IndexId id;
  bool on_edges = false;
  uint32_t scope = 0;  ///< LabelId, or TypeId when on_edges
  KeyId key;
  bool unique = false;
};

/// Values are frozen.
enum class DeleteRule : uint8_t { kRestrict = 1, kDetach = 2 };

/// A table whose rows are the nodes of a label.
struct BindingDefinition {
  LabelId label;
  std::string table;
  std::string key_column;
  KeyId key;
  IndexId index;  ///< unique index on (label, key); made by the binding
  DeleteRule on_delete = DeleteRule::kRestrict;
};

/// Which way the edges of a hierarchy lead. Values are frozen.
enum class HierarchyDirection : uint8_t { kUp = 1, kDown = 2 };

/// An edge type whose edges have no cycle: a node may have several parents, but is never above itself.
struct HierarchyDefinition {
  TypeId type;
  HierarchyDirection direction = HierarchyDirection::kUp;  ///< kUp: from child to parent
};

/// A sealed chunk file. Later chunks (greater id) win over earlier ones for the same series and time.
struct ChunkDefinition {
  ChunkId id;
  HypertableId hypertable;
  TimeRange interval;   ///< the chunk interval that it belongs to
  Timestamp time_min;   ///< of its points, both inclusive
  Timestamp time_max;
  uint64_t rows = 0;          ///< deleted ones too
  uint64_t size_bytes = 0;
  uint64_t deleted_rows = 0;  ///< rows that take away points of earlier chunks
  bool compressed = false;    ///< written for being hardly read
  /// Deletions that were committed before this have been applied to its points; later ones hide them.
  Lsn applied;
};

/// Points of a hypertable, in a range of times and of some series, that are gone though chunks may still hold them.
struct RangeDeletion {
  DeletionId id;
  HypertableId hypertable;
  TimeRange range;
  std::vector<SeriesId> series;  ///< ascending; empty: all
  Lsn lsn;                       ///< what was written before it is gone

  bool covers(SeriesId one) const;
  /// Does it reach points of the chunk, if they are of its series?
  bool touches(const ChunkDefinition& chunk) const;
  /// Is all gone that `other` takes away?
  bool includes(const RangeDeletion& other) const;
};

/// A length of time; months are kept apart, since they have no fixed length.
struct CalendarLength {
  int64_t months = 0;
  int64_t microseconds = 0;
};

/// What a column of a continuous aggregate is. Values are frozen.
enum class AggregateRole : uint8_t { kBucket = 1, kTag = 2, kCount = 3, kSum = 4, kAverage = 5, kMin = 6, kMax = 7, kFirst = 8, kLast = 9 };

struct AggregateColumn {
  std::string name;
  AggregateRole role = AggregateRole::kBucket;
  std::string source;  ///< the tag or field of the hypertable; empty: all rows (kCount), the time (kMin, kMax)
};

/// Rows of a hypertable's points by bucket of time and tags, kept up to date. Of its buckets, those that start before the watermark and are not
/// marked in `_braid_dirty` are kept in the table `_braid_aggregate_ID`.
struct AggregateDefinition {
  AggregateId id;
  std::string name;
  HypertableId hypertable;
  AggregateId parent;  ///< its rows are made from those of this one; 0: from the points
  CalendarLength width;
  std::optional<int64_t> origin_us;
  CalendarLength offset;
  std::vector<AggregateColumn> columns;  ///< in the order of the query
  std::string query;
  Timestamp watermark{INT64_MIN};  ///< start of the first bucket that was never kept
  Timestamp frozen{INT64_MIN};     ///< points before this were dropped: what is kept of them stays
};

/// Values are frozen.
enum class PolicyKind : uint8_t { kRetention = 1, kSizeRetention = 2, kCompression = 3, kRefresh = 4 };

/// Something to be done again and again, and how the last run ended.
struct PolicyDefinition {
  PolicyId id;
  PolicyKind kind = PolicyKind::kRetention;
  uint32_t target = 0;  ///< HypertableId, or AggregateId of kRefresh
  std::optional<CalendarLength> start_offset;  ///< kRefresh: how far back; none: from the first point
  std::optional<CalendarLength> end_offset;    ///< age of what is dropped or compressed; kRefresh: how new
  uint64_t bytes_max = 0;                      ///< kSizeRetention
  int64_t schedule_us = 0;                     ///< from the end of a run to the next
  std::optional<Timestamp> last_run;           ///< its start
  Timestamp next_run;
  uint64_t runs = 0;
  uint64_t failures = 0;
  std::string last_error;  ///< of the last run; empty: it went well
};

/// The definitions at one LSN. A value, never changed after it is shared.
struct CatalogState {
  std::map<HypertableId, HypertableDefinition> hypertables;
  std::map<IndexId, IndexDefinition> indexes;
  std::map<LabelId, BindingDefinition> bindings;
  std::map<TypeId, HierarchyDefinition> hierarchies;
  SharedMap<ChunkId, ChunkDefinition> chunks;
  SharedMap<DeletionId, std::shared_ptr<const RangeDeletion>> deletions;  ///< shared: by all later versions that have them
  std::map<AggregateId, std::shared_ptr<const AggregateDefinition>> aggregates;  ///< shared: by all later versions
  std::map<PolicyId, std::shared_ptr<const PolicyDefinition>> policies;          ///< likewise
  std::map<std::string, int64_t, std::less<>> loads;  ///< how far each named load has come; above 0
  Lsn series_watermark;  ///< points up to here are in chunks, or were logged again later

  const HypertableDefinition* hypertable(std::string_view name) const;
  const AggregateDefinition* aggregate(std::string_view name) const;
  const IndexDefinition* index(bool on_edges, uint32_t scope, KeyId key) const;
  const BindingDefinition* binding_of_table(std::string_view table) const;  ///< compares as SQLite names do
  /// A hypertable whose tag refers to rows of the table, with that reference.
  std::optional<std::pair<const HypertableDefinition*, const TagReference*>> reference_to_table(std::string_view table) const;
  const HierarchyDefinition* hierarchy(TypeId type) const;
};

/// Committed names and series. Ids are dense from 1 and never reused.
/// Threads: all members may be called from any thread.
class Catalog {
 public:
  std::optional<uint32_t> find_name(NameKind kind, std::string_view name) const;
  /// The name, or "" for an id that is not assigned. The reference lives as long as the catalog.
  const std::string& name(NameKind kind, uint32_t id) const;
  std::optional<SeriesId> find_series(HypertableId hypertable, std::string_view tags) const;
  /// Encoded tags of a series (timeseries/tag_codec), "" if unknown. The reference lives as long as the catalog.
  const std::string& series_tags(SeriesId series) const;
  /// Calls `visit` for each series of a hypertable in ascending order of id, without holding the lock.
  void for_each_series(HypertableId hypertable,
                       const std::function<void(SeriesId, const std::string& tags)>& visit) const;
  size_t series_count(HypertableId hypertable) const;
  /// As for_each_series, without the first `start` of them.
  void for_each_series_from(HypertableId hypertable, size_t start, const std::function<void(SeriesId, const std::string& tags)>& visit) const;

  /// Called at open and by publish only.
  void add_name(NameKind kind, uint32_t id, std::string name);
  void add_series(HypertableId hypertable, SeriesId series, std::string tags);
  uint32_t next_name(NameKind kind) const;

 private:
  struct Names {
    std::deque<std::string> by_id;  // by_id[id - 1]
    std::unordered_map<std::string_view, uint32_t> ids;
  };
  struct Series {
    std::unordered_map<std::string_view, SeriesId> ids;
    std::vector<SeriesId> in_order;
  };
  mutable SharedMutex mutex_;
  Names names_[4] BRAID_GUARDED_BY(mutex_);  // by NameKind
  std::unordered_map<SeriesId, std::string> tags_ BRAID_GUARDED_BY(mutex_);
  std::unordered_map<HypertableId, Series> series_ BRAID_GUARDED_BY(mutex_);
};

/// Ids that the next transaction assigns first; kept in `_braid_meta`.
struct CatalogCounters {
  uint32_t next_object = 1;  ///< hypertables, indexes and deletions
  uint64_t next_series = 1;
  uint64_t next_chunk = 1;
};

/// One write transaction's catalog: the committed one plus what the transaction adds. One thread at a time.
class CatalogWriter {
 public:
  CatalogWriter(const Catalog& committed, std::shared_ptr<const CatalogState> state, CatalogCounters counters);

  /// What is in it is valid until the next change.
  const CatalogState& state() const { return *state_; }
  std::shared_ptr<const CatalogState> shared_state() const { return state_; }

  uint32_t intern(NameKind kind, std::string_view name);
  std::optional<uint32_t> find_name(NameKind kind, std::string_view name) const;
  const std::string& name(NameKind kind, uint32_t id) const;

  SeriesId intern_series(HypertableId hypertable, std::string_view tags);
  std::optional<SeriesId> find_series(HypertableId hypertable, std::string_view tags) const;
  const std::string& series_tags(SeriesId series) const;
  void for_each_series(HypertableId hypertable,
                       const std::function<void(SeriesId, const std::string& tags)>& visit) const;
  /// Has the transaction made series of the table?
  bool adds_series(HypertableId hypertable) const;

  /// Assigns the id.
  HypertableId add_hypertable(HypertableDefinition definition);
  void rename_hypertable(HypertableId id, std::string name);
  /// Replaces the definition of the same id; fields without an id get the next ones.
  void put_hypertable(HypertableDefinition definition);
  void remove_hypertable(HypertableId id);  ///< its chunks and deletions too
  IndexId add_index(IndexDefinition definition);
  void remove_index(IndexId id);
  void put_binding(const BindingDefinition& definition);
  void remove_binding(LabelId label);
  void put_hierarchy(const HierarchyDefinition& definition);
  void remove_hierarchy(TypeId type);
  ChunkId reserve_chunk_id();
  void add_chunk(const ChunkDefinition& definition);
  void remove_chunk(ChunkId id);
  /// Assigns the id; takes the place of those that it includes.
  void add_deletion(RangeDeletion deletion);
  void remove_deletion(DeletionId id);
  void set_series_watermark(Lsn lsn);
  AggregateId add_aggregate(AggregateDefinition definition);
  void put_aggregate(AggregateDefinition definition);
  void remove_aggregate(AggregateId id);  ///< its policies too
  /// The buckets that start in the range are no longer what is kept of them.
  void mark_dirty(AggregateId id, TimeRange buckets);
  PolicyId add_policy(PolicyDefinition definition);
  void put_policy(PolicyDefinition definition);
  void remove_policy(PolicyId id);
  void put_load(const std::string& name, int64_t position);
  void remove_load(const std::string& name);

  /// Ids given out after the mark are not given out again: what was staged under them may still be looked at.
  uint64_t mark();
  void rollback_to(uint64_t mark);
  bool empty() const { return changes_.empty(); }

  /// A row to write into or delete from a `_braid_*` table. Values are frozen: those of definitions are stored.
  enum class Kind : uint8_t { kName, kSeries, kHypertable, kIndex, kBinding, kChunk, kMeta, kHierarchy, kLoad, kDeletion, kAggregate = 10, kPolicy = 11, kDirty = 12 };
  struct Change {
    Kind kind;
    bool removed = false;
    uint32_t subkind = 0;   // NameKind
    uint64_t id = 0;        // the object's id; of a series, its hypertable is `owner`; of a load, its position
    uint64_t owner = 0;
    std::string text;       // name, encoded tags or encoded definition
    TimeRange range;        // kDirty: buckets of the aggregate
    std::shared_ptr<const CatalogState> before;  // state to return to; null when unchanged
  };
  const std::vector<Change>& changes() const { return changes_; }
  CatalogCounters counters() const { return counters_; }

 private:
  CatalogState& change_state(Change change);
  CatalogState& change_chunks(Change change);
  void remove_policies(const std::function<bool(const PolicyDefinition&)>& choose);
  void remove_deletions(const std::function<bool(const RangeDeletion&)>& choose);

  const Catalog& committed_;
  std::shared_ptr<const CatalogState> state_;
  /// `state_`, when it was made since the last mark: nobody returns to it as it is now.
  std::shared_ptr<CatalogState> own_;
  CatalogCounters counters_;
  std::vector<Change> changes_;
  std::map<std::pair<NameKind, std::string>, uint32_t> names_;
  std::map<std::pair<NameKind, uint32_t>, std::string> names_by_id_;
  std::map<std::pair<HypertableId, std::string>, SeriesId> series_;
  std::map<SeriesId, std::string> series_by_id_;
};

std::string encode_definition(const HypertableDefinition& definition);
std::string encode_definition(const IndexDefinition& definition);
std::string encode_definition(const BindingDefinition& definition);
std::string encode_definition(const HierarchyDefinition& definition);
std::string encode_definition(const ChunkDefinition& definition);
std::string encode_definition(const AggregateDefinition& definition);
std::string encode_definition(const PolicyDefinition& definition);
std::string encode_definition(const RangeDeletion& definition);
/// kCorrupt for bytes that are no definition.
Status decode_definition(std::string_view bytes, HypertableDefinition& out);
Status decode_definition(std::string_view bytes, IndexDefinition& out);
Status decode_definition(std::string_view bytes, BindingDefinition& out);
Status decode_definition(std::string_view bytes, HierarchyDefinition& out);
Status decode_definition(std::string_view bytes, ChunkDefinition& out);
Status decode_definition(std::string_view bytes, AggregateDefinition& out);
Status decode_definition(std::string_view bytes, PolicyDefinition& out);
Status decode_definition(std::string_view bytes, RangeDeletion& out);

}  // namespace braid
