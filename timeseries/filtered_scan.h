// Points of one hypertable whose fields meet conditions, in runs: blocks are left out by their statistics, rows by their values.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "timeseries/block_scan.h"
#include "timeseries/field_filter.h"

namespace braid {

/// One thread at a time; lives as long as a BlockScan may.
class FilteredScan {
 public:
  /// All `filters` must hold.
  FilteredScan(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
               SeriesScanOptions options, const std::vector<FieldFilter>& filters);

  /// Moves to the next run with a row that passes; false at the end.
  Result<bool> next();
  SeriesId series() const { return scan_.run().series; }
  const PointBlock& block() const { return *scan_.run().block; }
  /// Rows of the block that pass, in the order of the scan. Valid until the next call of `next`.
  std::span<const uint32_t> rows() const { return rows_; }
  /// kInterrupted when what it reads was rolled back.
  Status check() { return scan_.check(); }
  SeriesScanCounts counts() const;

 private:
  /// What the scan's callback uses: it stays where it is when the FilteredScan is moved.
  struct Conditions {
    std::vector<FieldCondition> all;
    uint64_t blocks_pruned = 0;
    bool rule_out(const LoneBlock& block) const;
  };
  static SeriesScanOptions with_fields(SeriesScanOptions options, const HypertableDefinition& table, const std::vector<FieldFilter>& filters);
  void select();

  std::unique_ptr<Conditions> conditions_;
  BlockScan scan_;
  std::vector<uint8_t> passes_;
  std::vector<uint32_t> rows_;
};

}  // namespace braid
