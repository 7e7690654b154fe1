#include "timeseries/rollup.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <system_error>
#include <thread>

#include "engine/caught.h"
#include "timeseries/block_scan.h"
#include "timeseries/rollup_totals.h"
#include "timeseries/series_overlay.h"
#include "timeseries/series_view.h"

namespace braid {
namespace {

using Kind = RollupValue::Kind;

RollupValue integer_value(int64_t value) { return {Kind::kInteger, value, 0}; }
RollupValue real_value(double value) { return value == value ? RollupValue{Kind::kReal, 0, value} : RollupValue{}; }

RollupValue value_of(FieldType type, uint64_t bits) {
  return type == FieldType::kDouble ? real_value(std::bit_cast<double>(bits)) : integer_value(static_cast<int64_t>(bits));
}

/// Rows from which a second thread is worth its start.
constexpr uint64_t kRowsWorthAThread = 100'000;

/// One rollup: what its threads share. Nothing changes after construction.
class Question {
 public:
  Question(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay, const HypertableDefinition& table,
           const RollupQuestion& question)
      : base_(std::move(base)), overlay_(std::move(overlay)), table_(table), question_(question), cells_(table, question.columns) {
    fields_.assign(table.fields.size(), false);
    for (const size_t field : cells_.fields) {
      if (field < fields_.size()) fields_[field] = true;
    }
    for (const FieldFilter& filter : question.filters) {
      fields_[filter.field] = true;
      conditions_.emplace_back(filter, table.fields[filter.field].type);
    }
  }

  Result<RollupTotals> run(TimeRange range) const;
  /// Only the first or last buckets that have rows.
  Result<RollupTotals> run_some_buckets() const;
  bool has_one_row() const { return question_.buckets == nullptr && question_.groups.empty(); }

 private:
  /// A part of the series, with the group of each.
  struct Part {
    std::optional<std::vector<SeriesId>> series;
    std::span<const uint32_t> groups;
  };
  SeriesScanOptions options_of(TimeRange range, const Part& part) const { return {range, part.series, fields_, false}; }
  Status run_part(TimeRange range, const Part& part, RollupTotals& totals) const;
  Status run_in_two(TimeRange range, RollupTotals& totals) const;
  uint64_t rows_in(TimeRange range) const;
  FieldCondition::Verdict judge(const LoneBlock& block) const;
  size_t select(const PointRun& run, PointBlock& selected) const;
  std::optional<TimeRange> range_of_points(TimeRange within) const;
  Timestamp limit_of_buckets(TimeRange points, uint64_t count) const;
  Timestamp start_of_buckets(TimeRange points, uint64_t count) const;

  const std::shared_ptr<const StoreView> base_;         // shared with the threads
  const std::shared_ptr<const SeriesOverlay> overlay_;  // likewise
  const HypertableDefinition& table_;
  const RollupQuestion& question_;
  const RollupCells cells_;
  std::vector<bool> fields_;
  std::vector<FieldCondition> conditions_;
};

/// What the filters make of a block, by its statistics.
FieldCondition::Verdict Question::judge(const LoneBlock& block) const {
  if (conditions_.empty()) return FieldCondition::Verdict::kAllRows;
  if (!block.entry.has_statistics()) return FieldCondition::Verdict::kSomeRows;
  auto verdict = FieldCondition::Verdict::kAllRows;
  for (const FieldCondition& condition : conditions_) {
    const auto one = condition.judge(block.footer.statistics[block.entry.statistics_start + condition.field()], block.entry.rows);
    if (one == FieldCondition::Verdict::kNoRow) return one;
    if (one == FieldCondition::Verdict::kSomeRows) verdict = one;
  }
  return verdict;
}

template <typename Value>
void compress(const std::vector<Value>& from, size_t start, std::span<const uint16_t> rows, std::vector<Value>& to) {
  to.resize(from.empty() ? 0 : rows.size());
  if (from.empty()) return;
  const Value* values = from.data() + start;
  for (size_t i = 0; i < rows.size(); ++i) to[i] = values[rows[i]];
}

/// Copies the rows of the run that pass all filters; returns how many.
size_t Question::select(const PointRun& run, PointBlock& selected) const {
  const PointBlock& block = *run.block;
  uint8_t passes[kBlockRowsMax];
  uint16_t rows[kBlockRowsMax];
  selected.columns.resize(block.columns.size());
  selected.times.clear();
  std::fill(passes, passes + run.count, uint8_t{1});
  for (const FieldCondition& condition : conditions_) condition.apply(block.columns[condition.field()], run.start, {passes, run.count});
  size_t count = 0;
  for (size_t i = 0; i < run.count; ++i) {
    rows[count] = static_cast<uint16_t>(i);
    count += passes[i];
  }
  const std::span<const uint16_t> chosen(rows, count);
  compress(block.times, run.start, chosen, selected.times);
  for (const size_t field : cells_.fields) {
    if (field >= block.columns.size()) continue;
    PointColumn& to = selected.columns[field];
    const PointColumn& from = block.columns[field];
    to.type = from.type;
    compress(from.nulls, run.start, chosen, to.nulls);
    compress(from.integers, run.start, chosen, to.integers);
    compress(from.reals, run.start, chosen, to.reals);
  }
  return count;
}

Status Question::run_part(TimeRange range, const Part& part, RollupTotals& totals) const {
  size_t at = 0;
  const auto group_of = [&](SeriesId series) {
    if (part.groups.empty()) return uint32_t{0};
    if ((*part.series)[at] > series) at = 0;  // the next part of the time
    while ((*part.series)[at] < series) ++at;
    return part.groups[at];
  };
  const auto offer = [&](const LoneBlock& block) {
    const auto verdict = judge(block);
    if (verdict == FieldCondition::Verdict::kNoRow) {
      ++totals.counts.blocks_pruned;
      return BlockUse::kDone;
    }
    const bool whole = block.whole && verdict == FieldCondition::Verdict::kAllRows;
    return whole && totals.add_summary(group_of(block.entry.series), block) ? BlockUse::kDone : BlockUse::kRead;
  };
  BlockScan scan(base_, overlay_, table_, options_of(range, part), offer);
  totals.memory = MemoryShare(question_.memory, MemoryUse::kRollups);
  PointBlock selected;
  while (true) {
    if (question_.check) BRAID_TRY(question_.check());
    BRAID_ASSIGN(const bool more, scan.next());
    if (!more) break;
    // Runs from memory may be longer than what is selected from at once.
    PointRun run = scan.run();
    const size_t limit = run.start + run.count;
    for (; run.start < limit; run.start += run.count) {
      run.count = std::min(limit - run.start, kBlockRowsMax);
      if (conditions_.empty()) {
        totals.add_rows(group_of(run.series), *run.block, run.start, run.count);
      } else if (const size_t count = select(run, selected); count > 0) {
        totals.add_rows(group_of(run.series), selected, 0, count);
      }
      if (question_.bytes_max > 0 && totals.bytes() > question_.bytes_max)
        return Status(StatusCode::kLimit, "the answer takes more memory than the " + std::to_string(question_.bytes_max) +
                                              " bytes that rollup_bytes_max allows; ask for wider buckets, a shorter time or fewer series");
      // Growing copies, and the answer is made from it.
      BRAID_TRY(totals.memory.grow_to(2 * totals.bytes()));
    }
  }
  const SeriesScanCounts counts = scan.counts();
  totals.counts.chunks_pruned = counts.chunks_pruned;
  totals.counts.blocks_pruned += counts.blocks_pruned;
  totals.counts.blocks_read += counts.blocks_read;
  return Status();
}

/// About how many rows the range has, of all series.
uint64_t Question::rows_in(TimeRange range) const {
  const auto& view = static_cast<const SeriesView&>(*base_);
  uint64_t rows = 0;
  for (const auto& chunk : view.chunks().within(table_.id, range)) {
    const ChunkDefinition& definition = chunk->definition();
    const double start = static_cast<double>(std::max(definition.time_min, range.start).value());
    const double limit = static_cast<double>(std::min(definition.time_max.value(), range.limit.value() - 1)) + 1;
    const double length = static_cast<double>(definition.time_max.value()) - static_cast<double>(definition.time_min.value()) + 1;
    if (limit > start) rows += static_cast<uint64_t>(static_cast<double>(definition.rows) * (limit - start) / length);
  }
  if (const TailTable* tail = view.tail().find(table_.id)) rows += tail->rows();
  return rows;
}

/// Each thread takes one half of the series, so that the answer does not depend on which is faster.
Status Question::run_in_two(TimeRange range, RollupTotals& totals) const {
  Part all{question_.series, question_.groups};
  if (!all.series.has_value() && overlay_ == nullptr) {
    BRAID_ASSIGN(all.series, series_index(*base_).all(table_));
  } else if (!all.series.has_value()) {
    BRAID_ASSIGN(all.series, BlockScan::series_of(base_, overlay_, table_, options_of(range, all)));
  }
  if (all.series->size() < 2) return run_part(range, all, totals);
  const auto middle = static_cast<ptrdiff_t>(all.series->size() / 2);
  const bool grouped = !all.groups.empty();
  const Part first{std::vector(all.series->begin(), all.series->begin() + middle), grouped ? all.groups.first(static_cast<size_t>(middle)) : all.groups};
  const Part second{std::vector(all.series->begin() + middle, all.series->end()), grouped ? all.groups.subspan(static_cast<size_t>(middle)) : all.groups};
  RollupTotals others(cells_, question_.buckets.get(), range.start.value());
  Status other;
  std::optional<std::thread> thread;
  try {
    thread.emplace([&] { other = caught([&] { return run_part(range, second, others); }); });
  } catch (const std::system_error&) {
    // No thread is to be had: the work is done without.
    other = run_part(range, second, others);
  }
  const Status own = caught([&] { return run_part(range, first, totals); });
  if (thread) thread->join();
  BRAID_TRY(own);
  BRAID_TRY(other);
  totals.merge(others);
  return Status();
}

Result<RollupTotals> Question::run(TimeRange range) const {
  RollupTotals totals(cells_, question_.buckets.get(), question_.range.start.value());
  const size_t series = question_.series.has_value() ? question_.series->size() : SIZE_MAX;
  const bool two = series > 1 && rows_in(range) >= kRowsWorthAThread && std::thread::hardware_concurrency() > 1;
  if (two) BRAID_TRY(run_in_two(range, totals));
  else BRAID_TRY(run_part(range, Part{question_.series, question_.groups}, totals));
  return totals;
}

/// A range that holds all of the question's points in `within`; none when there are no points in it.
std::optional<TimeRange> Question::range_of_points(TimeRange within) const {
  const auto& view = static_cast<const SeriesView&>(*base_);
  std::optional<TimeRange> out;
  const auto widen = [&](int64_t first, int64_t last) {
    const Timestamp start = std::max(Timestamp(first), within.start);
    const Timestamp limit(std::min(last, within.limit.value() - 1) + 1);
    if (start >= limit) return;
    if (!out.has_value()) out = TimeRange{start, limit};
    out->start = std::min(out->start, start);
    out->limit = std::max(out->limit, limit);
  };
  for (const auto& chunk : view.chunks().within(table_.id, within)) widen(chunk->definition().time_min.value(), chunk->definition().time_max.value());
  if (const TailTable* tail = view.tail().find(table_.id)) {
    for (const auto& segment : tail->segments) {
      if (segment->rows() > 0) widen(segment->time_min(), segment->time_max());
    }
  }
  if (overlay_ == nullptr) return out;
  for (const auto& run : overlay_->runs()) {
    if (run->table() != table_.id || run->rows() == 0) continue;
    const auto [first, last] = std::minmax_element(run->times().begin(), run->times().end());
    widen(*first, *last);
  }
  return out;
}

/// Buckets are counted one by one up to here; further ones are taken to be as wide.
constexpr uint64_t kBucketsCounted = 1 << 16;

/// Where `count` buckets end, from the first that holds points on.
Timestamp Question::limit_of_buckets(TimeRange points, uint64_t count) const {
  const int64_t start = question_.buckets->start_of(points.start.value());
  const uint64_t counted = std::min(count, kBucketsCounted);
  int64_t limit = start;
  for (uint64_t i = 0; i < counted && limit < points.limit.value(); ++i) limit = question_.buckets->next(limit);
  if (limit >= points.limit.value()) return points.limit;
  const WideInteger far = limit + (static_cast<WideInteger>(limit) - start) * (count / counted - 1);
  return far >= points.limit.value() ? points.limit : Timestamp(question_.buckets->start_of(static_cast<int64_t>(far)));
}

/// Where `count` buckets begin, up to the last that holds points.
Timestamp Question::start_of_buckets(TimeRange points, uint64_t count) const {
  const uint64_t counted = std::min(count, kBucketsCounted);
  int64_t start = question_.buckets->start_of(points.limit.value() - 1);
  for (uint64_t i = 1; i < counted && start > points.start.value(); ++i) start = question_.buckets->start_of(start - 1);
  if (start <= points.start.value()) return points.start;
  const WideInteger far = start - (static_cast<WideInteger>(points.limit.value()) - start) * (count / counted - 1);
  return far <= points.start.value() ? points.start : Timestamp(question_.buckets->start_of(static_cast<int64_t>(far)));
}

/// Looks at as many buckets as are asked; when some of them have no rows, at twice as many more from the next points on, until all were seen.
Result<RollupTotals> Question::run_some_buckets() const {
  const auto points = range_of_points(question_.range);
  if (!points.has_value()) return RollupTotals(cells_, question_.buckets.get(), question_.range.start.value());
  TimeRange next = *points, seen = *points;
  for (uint64_t count = question_.buckets_max;; count += std::min(count, UINT64_MAX - count)) {
    (question_.newest_first ? seen.start : seen.limit) = question_.newest_first ? start_of_buckets(next, count) : limit_of_buckets(next, count);
    BRAID_ASSIGN(RollupTotals totals, run(seen));
    const auto rest = range_of_points(question_.newest_first ? TimeRange{points->start, seen.start} : TimeRange{seen.limit, points->limit});
    if (totals.keep_buckets(question_.buckets_max, question_.newest_first) || !rest.has_value()) return totals;
    next = *rest;
  }
}

}  // namespace

int64_t FixedBuckets::start_of(int64_t time) const {
  const WideInteger distance = static_cast<WideInteger>(time) - origin_;
  WideInteger rest = distance % width_;
  if (rest < 0) rest += width_;
  const WideInteger start = static_cast<WideInteger>(time) - rest;
  return start < INT64_MIN ? INT64_MIN : static_cast<int64_t>(start);
}

int64_t FixedBuckets::next(int64_t start) const {
  int64_t out;
  return __builtin_add_overflow(start, width_, &out) ? INT64_MAX : out;
}

RollupValue RollupAnswer::value(size_t row, size_t column) const {
  const size_t index = cell_of_column_[column];
  const Cell& cell = cells_[rows_[row].cells + index];
  const FieldType type = types_[index];
  const auto function = columns_[column].function;
  if (function == RollupFunction::kCount) return integer_value(static_cast<int64_t>(cell.count));
  if (function == RollupFunction::kFirst) return cell.first_is_null ? RollupValue{} : value_of(type, cell.first);
  if (function == RollupFunction::kLast) return cell.last_is_null ? RollupValue{} : value_of(type, cell.last);
  if (cell.count == 0) return {};
  if (function == RollupFunction::kMin) return value_of(type, cell.min);
  if (function == RollupFunction::kMax) return value_of(type, cell.max);
  const WideInteger whole = wide_integer(cell.sum_low, cell.sum_high);
  const double real = type == FieldType::kDouble ? std::bit_cast<double>(cell.sum_low) : static_cast<double>(whole);
  if (function == RollupFunction::kAverage) return real_value(real / static_cast<double>(cell.count));
  if (type == FieldType::kDouble) return real_value(real);
  if (whole < INT64_MIN || whole > INT64_MAX) return {Kind::kOverflow, 0, 0};
  return integer_value(static_cast<int64_t>(whole));
}

Result<RollupAnswer> roll_up(std::shared_ptr<const StoreView> base, std::shared_ptr<const SeriesOverlay> overlay,
                             const HypertableDefinition& table, const RollupQuestion& question) {
  const Question asked(std::move(base), std::move(overlay), table, question);
  auto totals = question.buckets_max > 0 && question.buckets != nullptr ? asked.run_some_buckets() : asked.run(question.range);
  if (!totals.ok()) return totals.status();
  if (asked.has_one_row()) totals->add_empty_row();
  return totals.take().answer(question.columns);
}

}  // namespace braid
