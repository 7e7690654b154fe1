// Unsealed points of one series brought into the order of time: from the tail's segments, then from
// a transaction's overlay.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/types.h"
#include "timeseries/point_block.h"
#include "timeseries/series_overlay.h"
#include "timeseries/tail.h"

namespace braid {

/// Where a row is: in a block of the tail, or, without one, in the staged run.
struct PointRow {
  int64_t time;
  const TailBlock* block;
  uint32_t row;
};

/// Adds the rows in `range` that a view at `newest` sees and `table`'s deletions do not hide, in the
/// order of writing.
void add_tail_rows(const TailTable& table, SeriesId series, Lsn newest, TimeRange range,
                   std::vector<PointRow>& rows);
/// Adds the first `count` rows of the run that are in `range` and in no range deleted before `position`.
void add_staged_rows(const StagedRun& run, size_t count, uint64_t position, TimeRange range,
                     std::vector<PointRow>& rows);
/// Sorts by time; of rows with one time the last stays.
void sort_last_wins(std::vector<PointRow>& rows);
/// Copies rows, deleted ones too, into columns of `fields`; those not asked for (empty means all) stay unloaded. Texts of the tail
/// are borrowed from it.
void gather_rows(std::span<const PointRow> rows, const StagedRun* run,
                 std::span<const FieldDefinition> fields, const std::vector<bool>& wanted,
                 PointBlock& out);

}  // namespace braid
