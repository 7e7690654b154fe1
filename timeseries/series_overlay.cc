#include "timeseries/series_overlay.h"

#include <algorithm>

#include "engine/check.h"

namespace braid {
namespace {

constexpr size_t kFirstRows = 16;

uint64_t text_bytes(const std::vector<ColumnData>& columns, size_t start) {
  uint64_t bytes = 0;
  for (const ColumnData& column : columns) {
    for (size_t row = start; row < column.texts.size(); ++row)
      bytes += column.texts[row].size() + 24;
  }
  return bytes;
}

template <typename T>
void append_part(std::vector<T>& to, const std::vector<T>& from, size_t start, size_t limit) {
  to.insert(to.end(), from.begin() + static_cast<ptrdiff_t>(start),
            from.begin() + static_cast<ptrdiff_t>(limit));
}

/// Appends rows [start, limit) of `from`.
void append_rows(ColumnData& to, const ColumnData& from, size_t start, size_t limit) {
  const size_t before = to.size();
  append_part(to.integers, from.integers, from.integers.empty() ? 0 : start,
              from.integers.empty() ? 0 : limit);
  append_part(to.reals, from.reals, from.reals.empty() ? 0 : start, from.reals.empty() ? 0 : limit);
  append_part(to.texts, from.texts, from.texts.empty() ? 0 : start, from.texts.empty() ? 0 : limit);
  if (to.nulls.empty() && from.nulls.empty()) return;
  to.nulls.resize(before, 0);
  if (from.nulls.empty()) {
    to.nulls.resize(before + limit - start, 0);
  } else {
    append_part(to.nulls, from.nulls, start, limit);
  }
}

}  // namespace

StagedRun::StagedRun(HypertableId table, SeriesId series, std::vector<FieldType> types)
    : table_(table), series_(series), types_(std::move(types)), columns_(types_.size()) {
  times_.reserve(kFirstRows);
  for (size_t i = 0; i < types_.size(); ++i) {
    ColumnData& column = columns_[i];
    column.type = types_[i];
    switch (column.type) {
      case FieldType::kDouble:
        column.reals.reserve(kFirstRows);
        break;
      case FieldType::kInt64:
      case FieldType::kBool:
        column.integers.reserve(kFirstRows);
        break;
      case FieldType::kText:
      case FieldType::kJson:
        column.texts.reserve(kFirstRows);
        break;
    }
  }
}

bool StagedRun::dropped(size_t row, uint64_t position) const {
  return std::any_of(drops_.begin(), drops_.end(), [&](const DropMark& drop) {
    return drop.position < position && row < drop.rows && times_[row] < drop.limit;
  });
}

int64_t StagedRun::time_max() const {
  if (!late_max_.empty()) return late_max_.back();
  return ascending_ == 0 ? INT64_MIN : times_[ascending_ - 1];
}

bool StagedRun::contains(int64_t time) const {
  if (times_.empty() || time > time_max()) return false;
  if (!drops_.empty()) {
    for (size_t row = times_.size(); row-- > 0;) {
      if (times_[row] == time && !dropped(row)) return true;
    }
    return false;
  }
  const auto limit = times_.begin() + static_cast<ptrdiff_t>(ascending_);
  return std::binary_search(times_.begin(), limit, time) || late_times_.contains(time);
}

void StagedRun::note_times(size_t start) {
  for (size_t row = start; row < times_.size(); ++row) {
    const int64_t time = times_[row];
    if (late_max_.empty() && (row == 0 || time > times_[row - 1])) {
      ascending_ = row + 1;
      continue;
    }
    late_max_.push_back(std::max(time_max(), time));
    ++late_times_[time];
  }
}

void StagedRun::truncate(size_t rows) {
  for (size_t row = times_.size(); row > rows && row > ascending_; --row) {
    late_max_.pop_back();
    const auto count = late_times_.find(times_[row - 1]);
    if (--count->second == 0) late_times_.erase(count);
  }
  ascending_ = std::min(ascending_, rows);
  times_.resize(rows);
  for (ColumnData& column : columns_) column.truncate(rows);
  taken_rows_ = std::min(taken_rows_, rows);
}

StagedRun& SeriesOverlay::run(HypertableId table, SeriesId series,
                              std::span<const FieldDefinition> fields) {
  if (recent_run_ < runs_.size()) {
    StagedRun& recent = *runs_[recent_run_];
    if (recent.series() == series && recent.table() == table) return recent;
  }
  const auto [entry, added] =
      index_.try_emplace({table.value(), series.value()}, static_cast<uint32_t>(runs_.size()));
  recent_run_ = entry->second;
  if (added) {
    std::vector<FieldType> types;
    types.reserve(fields.size());
    for (const FieldDefinition& field : fields) types.push_back(field.type);
    runs_.push_back(std::make_unique<StagedRun>(table, series, std::move(types)));
  }
  return *runs_[recent_run_];
}

const StagedRun* SeriesOverlay::find(HypertableId table, SeriesId series) const {
  const auto found = index_.find({table.value(), series.value()});
  return found == index_.end() ? nullptr : runs_[found->second].get();
}

std::optional<Timestamp> SeriesOverlay::drop_limit(HypertableId table) const {
  std::optional<Timestamp> limit;
  for (const Drop& drop : drops_) {
    if (drop.table == table && (!limit.has_value() || *limit < drop.limit)) limit = drop.limit;
  }
  return limit;
}

void SeriesOverlay::log_rows(const StagedRun& run, uint64_t count) {
  BRAID_ASSERT(runs_[recent_run_].get() == &run);
  if (entries_.empty() || entries_.back().run != recent_run_)
    entries_.push_back({recent_run_, position_});
  position_ += count;
  bytes_ += count * (8 + 8 * run.types_.size());
}

void SeriesOverlay::append(StagedRun& run, int64_t time, std::span<const FieldValue> fields) {
  const size_t before = run.rows();
  run.times_.push_back(time);
  for (size_t i = 0; i < fields.size(); ++i) {
    run.columns_[i].push(fields[i]);
    if (!fields[i].is_null)
      bytes_ += run.columns_[i].texts.empty() ? 0 : fields[i].text.size() + 24;
    else if (!run.columns_[i].texts.empty())
      bytes_ += 24;
  }
  run.note_times(before);
  log_rows(run, 1);
}

void SeriesOverlay::append_columns(StagedRun& run, std::span<const int64_t> times,
                                   std::span<const ColumnData> columns) {
  if (times.empty()) return;
  const size_t before = run.rows();
  run.times_.insert(run.times_.end(), times.begin(), times.end());
  for (size_t i = 0; i < columns.size(); ++i)
    append_rows(run.columns_[i], columns[i], 0, times.size());
  bytes_ += text_bytes(run.columns_, before);
  run.note_times(before);
  log_rows(run, times.size());
}

void SeriesOverlay::drop(HypertableId table, Timestamp limit) {
  for (const auto& run : runs_) {
    if (run->table() == table) run->drops_.push_back({run->rows(), limit.value(), position_});
  }
  drops_.push_back({table, limit, position_});
  entries_.push_back({kDropEntry, position_});
  ++position_;
}

void SeriesOverlay::undo(const Entry& entry, uint64_t count) {
  if (entry.run == kDropEntry) {
    const Drop drop = drops_.back();
    drops_.pop_back();
    drops_taken_ = std::min(drops_taken_, drops_.size());
    for (const auto& run : runs_) {
      auto& marks = run->drops_;
      if (!marks.empty() && marks.back().position == drop.position) marks.pop_back();
    }
    return;
  }
  StagedRun& run = *runs_[entry.run];
  const size_t rows = run.rows() - count;
  bytes_ -= count * (8 + 8 * run.types_.size()) + text_bytes(run.columns_, rows);
  run.truncate(rows);
}

void SeriesOverlay::rollback_to(uint64_t mark) {
  if (mark >= position_) return;
  while (position_ > mark) {
    const Entry entry = entries_.back();
    const uint64_t start = std::max(entry.start, mark);
    undo(entry, position_ - start);
    position_ = start;
    if (entry.start >= mark) entries_.pop_back();
  }
  rollbacks_.push_back(mark);
}

bool SeriesOverlay::undone_since(size_t epoch, uint64_t position) const {
  return std::any_of(rollbacks_.begin() + static_cast<ptrdiff_t>(epoch), rollbacks_.end(),
                     [&](uint64_t mark) { return mark < position; });
}

void SeriesOverlay::take_changes(SeriesChanges& changes) {
  for (; drops_taken_ < drops_.size(); ++drops_taken_) {
    changes.drops.push_back({drops_[drops_taken_].table, drops_[drops_taken_].limit});
  }
  for (const auto& staged : runs_) {
    const size_t start = staged->taken_rows_;
    const size_t limit = staged->rows();
    staged->taken_rows_ = limit;
    if (start == limit) continue;
    SeriesRun out;
    out.hypertable = staged->table();
    out.series = staged->series();
    out.columns.resize(staged->types().size());
    for (size_t i = 0; i < out.columns.size(); ++i) out.columns[i].type = staged->types()[i];
    // Drops of the record apply before its runs, so rows that one of them covers are left out here.
    for (size_t row = start; row < limit;) {
      size_t end = staged->has_drops() ? row + 1 : limit;
      if (!staged->dropped(row)) {
        append_part(out.times, staged->times(), row, end);
        for (size_t i = 0; i < out.columns.size(); ++i)
          append_rows(out.columns[i], staged->columns()[i], row, end);
      }
      row = end;
    }
    if (!out.times.empty()) changes.runs.push_back(std::move(out));
  }
}

}  // namespace braid
