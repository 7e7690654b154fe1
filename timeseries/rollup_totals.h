// What one thread of a rollup has gathered: a row for each (bucket, group) that it met, with a cell for each field that is asked.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/memory_budget.h"
#include "timeseries/aggregate_run.h"
#include "timeseries/block_scan.h"
#include "timeseries/rollup.h"

namespace braid {

/// The fields that a question's columns are about, each once.
struct RollupCells {
  RollupCells(const HypertableDefinition& table, const std::vector<RollupColumn>& columns);

  std::vector<size_t> fields;     ///< of the table, or kTimeField, or kAllRows
  std::vector<FieldType> types;   ///< of the cells' values
  std::vector<bool> needs_ends;   ///< first or last is asked
  std::vector<size_t> of_column;  ///< the cell of each column
};

class RollupTotals {
 public:
  using Cell = RollupAnswer::Cell;

  RollupTotals(const RollupCells& cells, const TimeBuckets* buckets, int64_t only_bucket)
      : cells_(cells), buckets_(buckets), only_bucket_(only_bucket) {}

  RollupCounts counts;
  MemoryShare memory;

  /// Rows [start, start + count) of the block, which ascend or, `reversed`, descend.
  void add_rows(uint32_t group, const PointBlock& block, size_t start, size_t count);
  /// A whole block from its statistics; false when they do not suffice.
  bool add_summary(uint32_t group, const LoneBlock& block);
  /// Adds what another thread has gathered from later series.
  void merge(const RollupTotals& later);
  /// A row without points, if there is none.
  void add_empty_row() { row_of(only_bucket_, 0); }

  /// Keeps the rows of the first or last `count` buckets only; false when there are fewer. Nothing is added afterwards.
  bool keep_buckets(size_t count, bool newest);

  uint64_t bytes() const { return rows_.size() * sizeof(RollupAnswer::Row) + totals_.size() * sizeof(Cell) + slots_.size() * sizeof(uint32_t); }
  RollupAnswer answer(const std::vector<RollupColumn>& columns) &&;

 private:
  std::span<Cell> row_of(int64_t bucket, uint32_t group);
  uint32_t& slot_of(int64_t bucket, uint32_t group);
  void grow();
  void add_segment(std::span<Cell> row, const PointBlock& block, size_t start, size_t count);
  bool summarise(Cell& cell, size_t index, const LoneBlock& block) const;
  bool can_summarise(size_t index, const LoneBlock& block) const;

  const RollupCells& cells_;
  const TimeBuckets* const buckets_;
  const int64_t only_bucket_;
  std::vector<RollupAnswer::Row> rows_;
  std::vector<Cell> totals_;
  std::vector<uint32_t> slots_;  // open addressing: 1 + the place in rows_, or 0
  size_t recent_ = 0;            // the row that was found last
};

}  // namespace braid
