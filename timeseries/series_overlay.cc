#include "timeseries/series_overlay.h"

#include <algorithm>
#include <utility>

#include "engine/check.h"
#include "timeseries/append_part.h"
#include "timeseries/run_codec.h"

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

/// Appends rows [start, limit) of `from`.
void append_rows(ColumnData& to, const ColumnData& from, size_t start, size_t limit) {
  const size_t before = to.size(), count = limit - start;
  append_part(to.integers, from.integers, start, count);
  append_part(to.reals, from.reals, start, count);
  append_part(to.texts, from.texts, start, count);
  append_marks(to.nulls, from.nulls, before, start, count);
}

}  // namespace

StagedRun::StagedRun(HypertableId table, SeriesId series, std::span<const FieldDefinition> fields)
    : table_(table), series_(series) {
  take_fields(fields);
}

void StagedRun::take_fields(std::span<const FieldDefinition> fields) {
  fields_ = StoredFields::of(fields);
  columns_.assign(fields.size(), {});
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].type = fields_.types[i];
}

/// Single points come one after the other; columns bring their own size.
void StagedRun::reserve_first_rows() {
  times_.reserve(kFirstRows);
  for (ColumnData& column : columns_) {
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

bool StagedRun::in_deleted_range(size_t row, uint64_t position) const {
  const Timestamp time(times_[row]);
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const RangeMark& mark) {
    return mark.position < position && row < mark.rows && time >= mark.range.start && time < mark.range.limit;
  });
}

int64_t StagedRun::time_max() const {
  if (!late_max_.empty()) return late_max_.back();
  return ascending_ == 0 ? INT64_MIN : times_[ascending_ - 1];
}

std::optional<size_t> StagedRun::find(int64_t time) const {
  if (times_.empty() || time > time_max()) return std::nullopt;
  size_t row = kNoRow;
  if (const auto late = late_times_.find(time); late != late_times_.end()) {
    row = late->second;
  } else {
    const auto limit = times_.begin() + static_cast<ptrdiff_t>(ascending_);
    const auto found = std::lower_bound(times_.begin(), limit, time);
    if (found == limit || *found != time) return std::nullopt;
    row = static_cast<size_t>(found - times_.begin());
  }
  // A range that covers it covers all earlier rows of its time.
  if (in_deleted_range(row)) return std::nullopt;
  return row;
}

void StagedRun::note_times(size_t start) {
  for (size_t row = start; row < times_.size(); ++row) {
    const int64_t time = times_[row];
    if (late_max_.empty() && (row == 0 || time > times_[row - 1])) {
      ascending_ = row + 1;
      continue;
    }
    late_max_.push_back(std::max(time_max(), time));
    const auto [last, added] = late_times_.try_emplace(time, row);
    late_before_.push_back(added ? kNoRow : last->second);
    last->second = row;
  }
}

void StagedRun::truncate(size_t rows) {
  for (size_t row = times_.size(); row > rows && row > ascending_; --row) {
    const auto last = late_times_.find(times_[row - 1]);
    if (late_before_.back() == kNoRow)
      late_times_.erase(last);
    else
      last->second = late_before_.back();
    late_max_.pop_back();
    late_before_.pop_back();
  }
  ascending_ = std::min(ascending_, rows);
  times_.resize(rows);
  if (deleted_.size() > rows) deleted_.resize(rows);
  for (ColumnData& column : columns_) column.truncate(rows);
  taken_rows_ = std::min(taken_rows_, rows);
}

StagedRun& SeriesOverlay::run(HypertableId table, SeriesId series,
                              std::span<const FieldDefinition> fields) {
  if (recent_run_ < runs_.size()) {
    StagedRun& recent = *runs_[recent_run_];
    if (recent.series() == series && recent.table() == table && recent.rows() > 0) return recent;
  }
  const auto [entry, added] =
      index_.try_emplace({table.value(), series.value()}, static_cast<uint32_t>(runs_.size()));
  recent_run_ = entry->second;
  if (added) {
    runs_.push_back(std::make_unique<StagedRun>(table, series, fields));
  } else if (runs_[recent_run_]->rows() == 0 && !runs_[recent_run_]->fields().are(fields)) {
    runs_[recent_run_]->take_fields(fields);
  }
  return *runs_[recent_run_];
}

const StagedRun* SeriesOverlay::find(HypertableId table, SeriesId series) const {
  const auto found = index_.find({table.value(), series.value()});
  return found == index_.end() ? nullptr : runs_[found->second].get();
}

bool SeriesOverlay::deletes(HypertableId table, SeriesId series, int64_t time) const {
  return std::any_of(deletions_.begin(), deletions_.end(), [&](const Deletion& deletion) {
    const RangeDeletion& range = *deletion.range;
    return range.hypertable == table && range.range.start.value() <= time && time < range.range.limit.value() && range.covers(series);
  });
}

void SeriesOverlay::log_rows(const StagedRun& run, uint64_t count) {
  BRAID_ASSERT(runs_[recent_run_].get() == &run);
  if (entries_.empty() || entries_.back().run != recent_run_)
    entries_.push_back({recent_run_, position_});
  position_ += count;
  bytes_ += count * (8 + 8 * run.columns_.size());
}

void SeriesOverlay::append(StagedRun& run, int64_t time, std::span<const FieldValue> fields) {
  const size_t before = run.rows();
  if (before == 0) run.reserve_first_rows();
  run.times_.push_back(time);
  for (size_t i = 0; i < fields.size(); ++i) {
    run.columns_[i].push(fields[i]);
    if (!fields[i].is_null)
      bytes_ += run.columns_[i].texts.empty() ? 0 : fields[i].text.size() + 24;
    else if (!run.columns_[i].texts.empty())
      bytes_ += 24;
  }
  if (!run.deleted_.empty()) run.deleted_.push_back(0);
  run.note_times(before);
  log_rows(run, 1);
}

void SeriesOverlay::append_deleted(StagedRun& run, int64_t time) {
  const std::vector<FieldValue> fields(run.columns_.size());
  append(run, time, fields);
  run.deleted_.resize(run.rows(), 0);
  run.deleted_.back() = 1;
}

void SeriesOverlay::append_columns(StagedRun& run, std::span<const int64_t> times,
                                   std::span<const ColumnData> columns, size_t start) {
  if (times.empty()) return;
  const size_t before = run.rows();
  run.times_.insert(run.times_.end(), times.begin(), times.end());
  for (size_t i = 0; i < columns.size(); ++i)
    append_rows(run.columns_[i], columns[i], start, start + times.size());
  if (!run.deleted_.empty()) run.deleted_.resize(run.rows(), 0);
  bytes_ += text_bytes(run.columns_, before);
  run.note_times(before);
  log_rows(run, times.size());
}

void SeriesOverlay::delete_range(RangeDeletion deletion) {
  for (const auto& run : runs_) {
    if (run->table() == deletion.hypertable && deletion.covers(run->series()))
      run->ranges_.push_back({run->rows(), deletion.range, position_});
  }
  bytes_ += deletion.series.size() * sizeof(SeriesId);
  deletions_.push_back({std::make_shared<const RangeDeletion>(std::move(deletion)), position_});
  entries_.push_back({kDeletionEntry, position_});
  ++position_;
}

void SeriesOverlay::undo(const Entry& entry, uint64_t count) {
  if (entry.run == kDeletionEntry) {
    const Deletion deletion = std::move(deletions_.back());
    deletions_.pop_back();
    deletions_taken_ = std::min(deletions_taken_, deletions_.size());
    bytes_ -= deletion.range->series.size() * sizeof(SeriesId);
    for (const auto& run : runs_) {
      auto& marks = run->ranges_;
      if (!marks.empty() && marks.back().position == deletion.position) marks.pop_back();
    }
    return;
  }
  StagedRun& run = *runs_[entry.run];
  const size_t rows = run.rows() - count;
  bytes_ -= count * (8 + 8 * run.columns_.size()) + text_bytes(run.columns_, rows);
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

void SeriesOverlay::take_changes(SeriesChanges& changes, std::vector<TakenRows>& taken) {
  for (; deletions_taken_ < deletions_.size(); ++deletions_taken_) {
    const RangeDeletion& range = *deletions_[deletions_taken_].range;
    changes.deletions.push_back({range.hypertable, range.range, range.series});
  }
  RunEncoder encoder(changes.runs);
  for (const auto& staged : runs_) {
    const size_t start = std::exchange(staged->taken_rows_, staged->rows());
    const size_t limit = staged->rows();
    if (start == limit) continue;
    taken.push_back({staged.get(), start, limit});
    const RunOwner owner{staged->table(), staged->series(), staged->fields()};
    const auto& deleted = staged->deleted();
    changes.appends |= deleted.empty() || std::find(deleted.begin() + static_cast<ptrdiff_t>(start), deleted.end(), 0) != deleted.end();
    // Deletions of the record apply before its runs, so rows that one of them covers are left out here.
    for (size_t row = start; row < limit;) {
      const size_t end = staged->has_deleted_ranges() ? row + 1 : limit;
      if (!staged->in_deleted_range(row)) encoder.add(owner, staged->times(), staged->columns(), deleted, row, end);
      row = end;
    }
  }
  encoder.flush();
}

}  // namespace braid
