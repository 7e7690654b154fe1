// Writing points inside a write transaction.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/catalog.h"
#include "engine/column_data.h"
#include "engine/store.h"

namespace braid {

class PointProbe;     // what the base holds already (timeseries/point_probe.h)
class SeriesOverlay;  // a write transaction's staged points (timeseries/series_overlay.h)
class StagedRun;      // those of one series

/// What became of a point.
/// kLate: older than the table's horizon, and counted only.
enum class AppendOutcome : uint8_t { kAdded, kReplaced, kIgnored, kMerged, kLate };

/// The time series' StoreWriter. One thread at a time.
class SeriesWriter final : public StoreWriter {
 public:
  /// `newest` is at or above the LSN of whatever the base holds, and below that of the transaction.
  /// `now` is what horizons are counted from.
  SeriesWriter(std::shared_ptr<const StoreView> base, CatalogWriter& catalog, Lsn newest, Timestamp now);
  ~SeriesWriter() override;

  /// Whether the rows are there that the tags of a series refer to: asked before a transaction first writes to the series. `known`: the series
  /// was there before. Tags are as they stand in its name.
  using ReferenceCheck = std::function<Status(const HypertableDefinition& table, std::span<const std::optional<std::string_view>> tags, bool known)>;
  void set_reference_check(ReferenceCheck check) { reference_check_ = std::move(check); }
  bool has_reference_check() const { return reference_check_ != nullptr; }
  /// Rows that tags refer to have changed.
  void forget_references() { referring_.clear(); }

  /// Finds or adds the series with these tags. kInvalidArgument if the count is not the
  /// hypertable's; kConstraint if a tag declared INTEGER is no whole number, or refers to a row that is not there.
  Result<SeriesId> series(const HypertableDefinition& table,
                          const std::vector<std::optional<std::string_view>>& tags);
  /// Adds one point; `fields` has one value per field of the table, of the field's type.
  /// kConstraint (naming time and tags) when it exists and the table's policy is kError. `policy`
  /// overrides the table's.
  Result<AppendOutcome> append(const HypertableDefinition& table, SeriesId series, Timestamp time,
                               std::span<const FieldValue> fields,
                               std::optional<ConflictPolicy> policy = std::nullopt);
  /// Adds many points of one series; all-or-nothing. `columns` has one entry per field, each with
  /// times.size() rows.
  Status append_columns(const HypertableDefinition& table, SeriesId series,
                        std::span<const int64_t> times, std::span<const ColumnData> columns,
                        std::optional<ConflictPolicy> policy = std::nullopt);
  /// The fields of a point as the transaction sees it, valid until the next call; none if there is no such point.
  Result<std::optional<std::vector<FieldValue>>> find(const HypertableDefinition& table, SeriesId series, Timestamp time);
  /// Takes one point away. Returns whether there was one.
  Result<bool> remove(const HypertableDefinition& table, SeriesId series, Timestamp time);
  /// Takes away all points in a range of times, of some series (ascending; empty: of all). Costs the same for any number of points.
  Status remove_range(const HypertableDefinition& table, TimeRange range, std::vector<SeriesId> series);

  /// Where the last chunk interval ends that ends at or before `older_than`; INT64_MIN when none does.
  Timestamp drop_limit(const HypertableDefinition& table, Timestamp older_than) const;
  /// Drops every point in chunk intervals that end at or before `older_than`. Returns the number of
  /// chunk files dropped.
  Result<uint64_t> drop_chunks(const HypertableDefinition& table, Timestamp older_than);
  /// Drops all points; the caller removes the definition from the catalog.
  Status drop_hypertable(const HypertableDefinition& table);

  /// Has the transaction points of the table that are not committed?
  bool has_staged(HypertableId table) const;
  /// Points that were dropped because they were late.
  uint64_t late_points() const { return late_points_; }

  std::shared_ptr<const StoreView> base() const { return base_; }
  std::shared_ptr<const SeriesOverlay> overlay() const { return overlay_; }
  CatalogWriter& catalog() { return catalog_; }

  uint64_t mark() override;
  void rollback_to(uint64_t mark) override;
  uint64_t staged_bytes() const override;
  void take_changes(CommitRecord& record) override;

 private:
  Result<AppendOutcome> append_to(const HypertableDefinition& table, StagedRun& run, Timestamp time,
                                  std::span<const FieldValue> fields, ConflictPolicy policy);
  Status append_one_by_one(const HypertableDefinition& table, StagedRun& run,
                           std::span<const int64_t> times, std::span<const ColumnData> columns,
                           ConflictPolicy policy);
  Result<bool> exists(const HypertableDefinition& table, SeriesId series, int64_t time);
  /// Is the point late, and to be dropped? kConstraint when it is to be refused.
  Result<bool> is_late(const HypertableDefinition& table, int64_t time);
  Result<SeriesId> intern(const HypertableDefinition& table, const std::vector<std::optional<std::string_view>>& tags);
  Status already_exists(const HypertableDefinition& table, SeriesId series, Timestamp time) const;

  std::shared_ptr<const StoreView> base_;
  CatalogWriter& catalog_;
  const Lsn newest_;
  const Timestamp now_;
  uint64_t late_points_ = 0;
  std::shared_ptr<SeriesOverlay> overlay_;
  std::unique_ptr<PointProbe> probe_;
  ReferenceCheck reference_check_;
  std::unordered_set<SeriesId> referring_;  // whose tags were found to refer to rows
  std::deque<std::string> staged_texts_;  // of the point found last
};

}  // namespace braid
