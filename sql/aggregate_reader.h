// Reading a continuous aggregate: buckets that are kept and still true come from its table, all others are made from the points, or from the
// aggregate below. So what is read is never stale; how much is kept changes only what reading costs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/aggregate_state.h"
#include "sql/connection.h"
#include "timeseries/aggregate_buckets.h"

namespace braid {

/// States in the order of their buckets. Reads from the reader that made it.
class StateSource {
 public:
  virtual ~StateSource() = default;
  /// False at the end.
  virtual Result<bool> next() = 0;
  const AggregateState& state() const { return state_; }

 protected:
  AggregateState state_;
};

/// Groups of which this tag has this value.
struct TagCondition {
  size_t tag = 0;  ///< in AggregateLayout::tags
  std::optional<std::string> value;
};

/// One thread at a time; the connection is pinned or writing while it lives. The catalog may change beside it.
class AggregateReader {
 public:
  static Result<std::unique_ptr<AggregateReader>> open(Connection& connection, const AggregateDefinition& definition,
                                                       std::vector<TagCondition> conditions = {});

  const AggregateDefinition& definition() const { return definition_; }
  const HypertableDefinition& table() const { return table_; }
  const AggregateLayout& layout() const { return layout_; }
  const AggregateBuckets& buckets() const { return *buckets_; }

  /// The buckets that start in the range, as they are now.
  Result<std::unique_ptr<StateSource>> current(TimeRange starts);
  /// The same, none of them taken from what is kept of this aggregate, but for what dropped points have left.
  Result<std::unique_ptr<StateSource>> computed(TimeRange starts);
  /// The groups of one bucket, of points before `limit`, and of those that were dropped.
  Result<std::unique_ptr<StateSource>> of_bucket(Timestamp start, Timestamp limit);
  /// Which buckets below the watermark are not what is kept of them: ranges of starts, in order and apart.
  Result<std::vector<TimeRange>> stale(TimeRange starts);
  /// The bucket that dropped points and present ones share.
  std::optional<TimeRange> shared_bucket() const;
  /// Status of a statement that was interrupted or ran too long.
  Status check() const;

 private:
  class KeptStates;
  class PointStates;
  class ParentStates;
  class SharedBucketStates;
  class PartStates;

  struct Groups {
    std::optional<std::vector<SeriesId>> series;
    std::vector<uint32_t> of_series;
    std::vector<std::vector<std::optional<std::string>>> tags;
  };
  struct Part {
    enum class Kind : uint8_t { kKept, kPoints, kParent, kShared };
    Kind kind;
    TimeRange starts;
  };

  AggregateReader(Connection& connection, const AggregateDefinition& definition, const HypertableDefinition& table)
      : connection_(connection), definition_(definition), table_(table), layout_(definition) {}
  Status open_groups();
  Status open_parent();
  TimeRange aligned(TimeRange starts) const;
  void add_computed(TimeRange starts, std::vector<Part>& parts) const;
  /// Buckets of the points in a range, which may cut buckets.
  Result<std::unique_ptr<StateSource>> of_points(TimeRange points);
  Result<std::unique_ptr<StateSource>> open_part(const Part& part);
  Result<std::unique_ptr<StateSource>> kept(StatePart part, TimeRange starts);

  Connection& connection_;
  const AggregateDefinition definition_;
  const HypertableDefinition table_;
  const AggregateLayout layout_;
  std::shared_ptr<const AggregateBuckets> buckets_;  // shared with rollups
  std::vector<TagCondition> conditions_;
  Groups groups_;                            // without a parent
  std::vector<RollupColumn> columns_;        // likewise
  std::unique_ptr<AggregateReader> parent_;
  std::vector<size_t> parent_tags_;    // of each of our tags, the parent's
  std::vector<size_t> parent_fields_;  // likewise
};

}  // namespace braid
