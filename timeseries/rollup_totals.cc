#include "timeseries/rollup_totals.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace braid {
namespace {

using Cell = RollupTotals::Cell;

void add_reals(Cell& cell, const RealRun& run) {
  if (run.count == 0) return;
  const bool none = cell.count == 0;
  cell.sum_low = std::bit_cast<uint64_t>((none ? 0.0 : std::bit_cast<double>(cell.sum_low)) + run.sum);
  if (none || run.min < std::bit_cast<double>(cell.min)) cell.min = std::bit_cast<uint64_t>(run.min);
  if (none || run.max > std::bit_cast<double>(cell.max)) cell.max = std::bit_cast<uint64_t>(run.max);
  cell.count += run.count;
}

void add_integers(Cell& cell, const IntegerRun& run) {
  if (run.count == 0) return;
  const bool none = cell.count == 0;
  const WideInteger sum = wide_integer(cell.sum_low, cell.sum_high) + run.sum;
  cell.sum_low = low_half(sum);
  cell.sum_high = high_half(sum);
  if (none || run.min < static_cast<int64_t>(cell.min)) cell.min = static_cast<uint64_t>(run.min);
  if (none || run.max > static_cast<int64_t>(cell.max)) cell.max = static_cast<uint64_t>(run.max);
  cell.count += run.count;
}

/// The value at one end of a run. Of several series' points at one time the first series' stays.
struct End {
  int64_t time;
  uint64_t bits;
  bool is_null;
};

bool has_end(const Cell& cell) { return cell.last_time >= cell.first_time; }

void add_ends(Cell& cell, const End& first, const End& last) {
  const bool none = !has_end(cell);
  if (none || first.time < cell.first_time) {
    cell.first_time = first.time;
    cell.first = first.bits;
    cell.first_is_null = first.is_null;
  }
  if (none || last.time > cell.last_time) {
    cell.last_time = last.time;
    cell.last = last.bits;
    cell.last_is_null = last.is_null;
  }
}

End end_of(const PointBlock& block, const PointColumn& column, size_t row) {
  if (column.is_null(row)) return {block.times[row], 0, true};
  if (column.type != FieldType::kDouble) return {block.times[row], static_cast<uint64_t>(column.integers[row]), false};
  const double value = column.reals[row];
  return {block.times[row], std::bit_cast<uint64_t>(value), value != value};
}

/// Before this many rows a search costs more than looking at each.
constexpr size_t kShortSearch = 16;

/// The first of rows [start, limit) at or after `time`.
size_t row_at(const std::vector<int64_t>& times, size_t start, size_t limit, int64_t time) {
  const size_t near = std::min(limit, start + kShortSearch);
  for (size_t row = start; row < near; ++row) {
    if (times[row] >= time) return row;
  }
  const auto from = times.begin() + static_cast<ptrdiff_t>(near);
  return static_cast<size_t>(std::lower_bound(from, times.begin() + static_cast<ptrdiff_t>(limit), time) - times.begin());
}

}  // namespace

RollupCells::RollupCells(const HypertableDefinition& table, const std::vector<RollupColumn>& columns) {
  for (const RollupColumn& column : columns) {
    const auto known = std::find(fields.begin(), fields.end(), column.field);
    const auto cell = static_cast<size_t>(known - fields.begin());
    if (known == fields.end()) {
      fields.push_back(column.field);
      types.push_back(column.field < table.fields.size() ? table.fields[column.field].type : FieldType::kInt64);
      needs_ends.push_back(false);
    }
    if (column.function == RollupFunction::kFirst || column.function == RollupFunction::kLast) needs_ends[cell] = true;
    of_column.push_back(cell);
  }
}

uint32_t& RollupTotals::slot_of(int64_t bucket, uint32_t group) {
  const size_t mask = slots_.size() - 1;
  uint64_t hash = (static_cast<uint64_t>(bucket) ^ (uint64_t{group} << 40)) * 0x9e3779b97f4a7c15u;
  for (size_t at = (hash ^ (hash >> 32)) & mask;; at = (at + 1) & mask) {
    const uint32_t slot = slots_[at];
    if (slot == 0 || (rows_[slot - 1].bucket == bucket && rows_[slot - 1].group == group)) return slots_[at];
  }
}

void RollupTotals::grow() {
  slots_.assign(std::max<size_t>(slots_.size() * 2, 64), 0);
  for (size_t row = 0; row < rows_.size(); ++row) slot_of(rows_[row].bucket, rows_[row].group) = static_cast<uint32_t>(row + 1);
}

std::span<Cell> RollupTotals::row_of(int64_t bucket, uint32_t group) {
  const size_t width = cells_.fields.size();
  const auto is = [&](size_t row) { return row < rows_.size() && rows_[row].bucket == bucket && rows_[row].group == group; };
  if (!is(recent_) && is(recent_ + 1)) ++recent_;
  if (!is(recent_)) {
    if (rows_.size() * 2 >= slots_.size()) grow();
    uint32_t& slot = slot_of(bucket, group);
    if (slot == 0) {
      rows_.push_back({bucket, group, totals_.size()});
      totals_.resize(totals_.size() + width, Cell{.last_time = INT64_MIN});
      slot = static_cast<uint32_t>(rows_.size());
    }
    recent_ = slot - 1;
  }
  return {totals_.data() + rows_[recent_].cells, width};
}

void RollupTotals::add_segment(std::span<Cell> row, const PointBlock& block, size_t start, size_t count) {
  for (size_t i = 0; i < row.size(); ++i) {
    Cell& cell = row[i];
    const size_t field = cells_.fields[i];
    if (field == kAllRows) {
      cell.count += count;
      continue;
    }
    if (field == kTimeField) {
      const auto [low, high] = std::minmax(block.times[start], block.times[start + count - 1]);
      add_integers(cell, IntegerRun{.count = count, .min = low, .max = high});
      continue;
    }
    const PointColumn& column = block.columns[field];
    const uint8_t* nulls = column.nulls.empty() ? nullptr : column.nulls.data() + start;
    switch (column.type) {
      case FieldType::kDouble: add_reals(cell, aggregate_run(std::span(column.reals).subspan(start, count), nulls)); break;
      case FieldType::kInt64:
      case FieldType::kBool: add_integers(cell, aggregate_run(std::span(column.integers).subspan(start, count), nulls)); break;
      case FieldType::kText:
      case FieldType::kJson:
        cell.count += nulls == nullptr ? count : static_cast<uint64_t>(std::count(nulls, nulls + count, uint8_t{0}));
        continue;
    }
    if (cells_.needs_ends[i]) add_ends(cell, end_of(block, column, start), end_of(block, column, start + count - 1));
  }
}

void RollupTotals::add_rows(uint32_t group, const PointBlock& block, size_t start, size_t count) {
  counts.rows += count;
  if (buckets_ == nullptr) return add_segment(row_of(only_bucket_, group), block, start, count);
  const size_t limit = start + count;
  while (start < limit) {
    const int64_t bucket = buckets_->start_of(block.times[start]);
    const size_t end = row_at(block.times, start + 1, limit, buckets_->next(bucket));
    add_segment(row_of(bucket, group), block, start, end - start);
    start = end;
  }
}

bool RollupTotals::can_summarise(size_t index, const LoneBlock& block) const {
  const size_t field = cells_.fields[index];
  if (field == kAllRows || field == kTimeField) return true;
  if (!block.entry.has_statistics()) return false;
  const ColumnStatistics& statistics = block.footer.statistics[block.entry.statistics_start + field];
  return !cells_.needs_ends[index] || statistics.value_count == block.entry.rows;
}

bool RollupTotals::add_summary(uint32_t group, const LoneBlock& block) {
  const BlockEntry& entry = block.entry;
  const int64_t bucket = buckets_ == nullptr ? only_bucket_ : buckets_->start_of(entry.time_min);
  if (buckets_ != nullptr && entry.time_max >= buckets_->next(bucket)) return false;
  for (size_t i = 0; i < cells_.fields.size(); ++i) {
    if (!can_summarise(i, block)) return false;
  }
  const std::span<Cell> row = row_of(bucket, group);
  for (size_t i = 0; i < row.size(); ++i) {
    const size_t field = cells_.fields[i];
    if (field == kAllRows) {
      row[i].count += entry.rows;
      continue;
    }
    if (field == kTimeField) {
      add_integers(row[i], IntegerRun{.count = entry.rows, .min = entry.time_min, .max = entry.time_max});
      continue;
    }
    const ColumnStatistics& from = block.footer.statistics[entry.statistics_start + field];
    if (cells_.types[i] == FieldType::kDouble) {
      add_reals(row[i], RealRun{.count = from.value_count,
                                .sum = std::bit_cast<double>(from.sum_low),
                                .min = std::bit_cast<double>(from.min),
                                .max = std::bit_cast<double>(from.max)});
    } else if (cells_.types[i] == FieldType::kInt64 || cells_.types[i] == FieldType::kBool) {
      add_integers(row[i], IntegerRun{.count = from.value_count,
                                      .sum = wide_integer(from.sum_low, from.sum_high),
                                      .min = static_cast<int64_t>(from.min),
                                      .max = static_cast<int64_t>(from.max)});
    } else {
      row[i].count += entry.rows - from.null_count;
      continue;
    }
    if (cells_.needs_ends[i]) add_ends(row[i], {entry.time_min, from.first, false}, {entry.time_max, from.last, false});
  }
  ++counts.blocks_summarised;
  return true;
}

void RollupTotals::merge(const RollupTotals& later) {
  counts.blocks_pruned += later.counts.blocks_pruned;
  counts.blocks_read += later.counts.blocks_read;
  counts.blocks_summarised += later.counts.blocks_summarised;
  counts.rows += later.counts.rows;
  for (const RollupAnswer::Row& from : later.rows_) {
    const std::span<Cell> row = row_of(from.bucket, from.group);
    for (size_t i = 0; i < row.size(); ++i) {
      const Cell& cell = later.totals_[from.cells + i];
      if (cells_.types[i] == FieldType::kDouble) {
        add_reals(row[i], RealRun{.count = cell.count,
                                  .sum = std::bit_cast<double>(cell.sum_low),
                                  .min = std::bit_cast<double>(cell.min),
                                  .max = std::bit_cast<double>(cell.max)});
      } else {
        add_integers(row[i], IntegerRun{.count = cell.count,
                                        .sum = wide_integer(cell.sum_low, cell.sum_high),
                                        .min = static_cast<int64_t>(cell.min),
                                        .max = static_cast<int64_t>(cell.max)});
      }
      if (has_end(cell))
        add_ends(row[i], {cell.first_time, cell.first, cell.first_is_null}, {cell.last_time, cell.last, cell.last_is_null});
    }
  }
}

bool RollupTotals::keep_buckets(size_t count, bool newest) {
  std::vector<int64_t> starts;
  for (const RollupAnswer::Row& row : rows_) starts.push_back(row.bucket);
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  if (starts.size() < count) return false;
  const int64_t border = newest ? starts[starts.size() - count] : starts[count - 1];
  std::erase_if(rows_, [&](const RollupAnswer::Row& row) { return newest ? row.bucket < border : row.bucket > border; });
  return true;
}

RollupAnswer RollupTotals::answer(const std::vector<RollupColumn>& columns) && {
  RollupAnswer out;
  std::sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return std::tie(a.bucket, a.group) < std::tie(b.bucket, b.group); });
  out.rows_ = std::move(rows_);
  out.cells_ = std::move(totals_);
  out.columns_ = columns;
  out.cell_of_column_ = cells_.of_column;
  out.types_ = cells_.types;
  out.counts_ = counts;
  return out;
}

}  // namespace braid
