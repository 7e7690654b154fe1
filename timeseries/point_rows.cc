#include "timeseries/point_rows.h"

#include <algorithm>

namespace braid {
namespace {

bool in_range(const TimeRange& range, int64_t time) {
  return time >= range.start.value() && time < range.limit.value();
}

/// Calls visit(row, value or null) for each row.
template <typename FromTail, typename FromRun, typename Put>
void visit_rows(std::span<const PointRow> rows, FromTail from_tail, FromRun from_run, Put put) {
  for (const PointRow& at : rows)
    put(at.block != nullptr ? from_tail(*at.block, at.row) : from_run(at.row));
}

void gather_deleted(std::span<const PointRow> rows, const StagedRun* run, std::vector<uint8_t>& out) {
  out.clear();
  for (size_t i = 0; i < rows.size(); ++i) {
    const PointRow& at = rows[i];
    if (at.block != nullptr ? !at.block->is_deleted(at.row) : !run->is_deleted(at.row)) continue;
    if (out.empty()) out.assign(rows.size(), 0);
    out[i] = 1;
  }
}

void gather_nulls(std::span<const PointRow> rows, const ColumnData* staged, size_t column,
                  PointColumn& out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const PointRow& at = rows[i];
    const bool null =
        at.block != nullptr ? at.block->is_null(column, at.row) : staged->is_null(at.row);
    if (!null) continue;
    if (out.nulls.empty()) out.nulls.assign(rows.size(), 0);
    out.nulls[i] = 1;
  }
}

/// Staged texts move when more is staged, so they are copied.
void gather_texts(std::span<const PointRow> rows, const ColumnData* staged, size_t column,
                  PointColumn& out) {
  size_t staged_bytes = 0;
  for (const PointRow& at : rows) {
    if (at.block == nullptr) staged_bytes += staged->texts[at.row].size();
  }
  out.text_bytes.reserve(staged_bytes);
  for (const PointRow& at : rows) {
    if (at.block != nullptr) {
      out.texts.push_back(at.block->text(column, at.row));
      continue;
    }
    const std::string& text = staged->texts[at.row];
    const size_t start = out.text_bytes.size();
    out.text_bytes.insert(out.text_bytes.end(), text.begin(), text.end());
    out.texts.emplace_back(out.text_bytes.data() + start, text.size());
  }
}

void gather_column(std::span<const PointRow> rows, const StagedRun* run, size_t column,
                   PointColumn& out) {
  const ColumnData* staged = run != nullptr ? &run->columns()[column] : nullptr;
  out.loaded = true;
  gather_nulls(rows, staged, column, out);
  switch (out.type) {
    case FieldType::kDouble:
      out.reals.reserve(rows.size());
      visit_rows(
          rows, [&](const TailBlock& block, uint32_t row) { return block.real(column, row); },
          [&](uint32_t row) { return staged->reals[row]; },
          [&](double value) { out.reals.push_back(value); });
      break;
    case FieldType::kInt64:
    case FieldType::kBool:
      out.integers.reserve(rows.size());
      visit_rows(
          rows, [&](const TailBlock& block, uint32_t row) { return block.integer(column, row); },
          [&](uint32_t row) { return staged->integers[row]; },
          [&](int64_t value) { out.integers.push_back(value); });
      break;
    case FieldType::kText:
    case FieldType::kJson:
      out.texts.reserve(rows.size());
      gather_texts(rows, staged, column, out);
      break;
  }
}

bool all_have(std::span<const PointRow> rows, std::span<const FieldDefinition> fields) {
  const StoredFields* known = nullptr;
  for (const PointRow& at : rows) {
    if (at.block == nullptr || &at.block->fields() == known) continue;
    known = &at.block->fields();
    if (!known->are(fields)) return false;
  }
  return true;
}

/// Rows of segments that were begun before the table's fields changed, value by value.
void gather_widened(std::span<const PointRow> rows, const StagedRun* run, std::span<const FieldDefinition> fields, size_t field,
                    PointColumn& out) {
  const FieldDefinition& wanted = fields[field];
  ColumnData values;
  values.type = wanted.type;
  std::string text;
  for (const PointRow& at : rows) {
    if (at.block == nullptr) {
      values.push(run->columns()[field].value(at.row));
      continue;
    }
    const StoredFields& stored = at.block->fields();
    const auto found = std::find(stored.ids.begin(), stored.ids.end(), wanted.id);
    const auto column = static_cast<size_t>(found - stored.ids.begin());
    values.push(found == stored.ids.end() ? FieldValue()
                                          : widened(at.block->value(column, at.row), stored.types[column], FieldForm::of(wanted), text));
  }
  out.loaded = true;
  out.integers = std::move(values.integers);
  out.reals = std::move(values.reals);
  out.nulls = std::move(values.nulls);
  for (const std::string& one : values.texts) out.text_bytes.insert(out.text_bytes.end(), one.begin(), one.end());
  size_t start = 0;
  for (const std::string& one : values.texts) {
    out.texts.emplace_back(out.text_bytes.data() + start, one.size());
    start += one.size();
  }
}

}  // namespace

void add_tail_rows(const TailTable& table, SeriesId series, Lsn newest, TimeRange range,
                   std::vector<PointRow>& rows) {
  std::vector<const RangeDeletion*> deletions;
  for (const auto& deletion : table.deletions) {
    if (deletion->covers(series)) deletions.push_back(deletion.get());
  }
  const auto hidden = [&](int64_t time, Lsn lsn) {
    return std::any_of(deletions.begin(), deletions.end(), [&](const RangeDeletion* deletion) {
      return lsn < deletion->lsn && in_range(deletion->range, time);
    });
  };
  for (const auto& segment : table.segments) {
    // Rows that this view sees were added before, and they alone matter.
    if (segment->time_min() >= range.limit.value() || segment->time_max() < range.start.value()) continue;
    const SeriesTail* tail = segment->find(series);
    if (tail == nullptr) continue;
    for (const TailBlock* block = tail->first(); block != nullptr; block = block->next()) {
      const uint32_t count = block->rows();
      for (uint32_t row = 0; row < count; ++row) {
        const Lsn lsn = block->lsn(row);
        if (lsn > newest) return;
        const int64_t time = block->time(row);
        if (!in_range(range, time)) continue;
        if (!deletions.empty() && hidden(time, lsn)) continue;
        rows.push_back({time, block, row});
      }
    }
  }
}

void add_staged_rows(const StagedRun& run, size_t count, uint64_t position, TimeRange range,
                     std::vector<PointRow>& rows) {
  for (size_t row = 0; row < count; ++row) {
    const int64_t time = run.times()[row];
    if (!in_range(range, time)) continue;
    if (run.has_deleted_ranges() && run.in_deleted_range(row, position)) continue;
    rows.push_back({time, nullptr, static_cast<uint32_t>(row)});
  }
}

void sort_last_wins(std::vector<PointRow>& rows) {
  const auto not_after = [](const PointRow& a, const PointRow& b) { return a.time >= b.time; };
  if (std::adjacent_find(rows.begin(), rows.end(), not_after) == rows.end()) return;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const PointRow& a, const PointRow& b) { return a.time < b.time; });
  size_t kept = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + 1 < rows.size() && rows[i + 1].time == rows[i].time) continue;
    rows[kept++] = rows[i];
  }
  rows.resize(kept);
}

void gather_rows(std::span<const PointRow> rows, const StagedRun* run,
                 std::span<const FieldDefinition> fields, const std::vector<bool>& wanted,
                 PointBlock& out) {
  out.times.clear();
  out.times.reserve(rows.size());
  for (const PointRow& row : rows) out.times.push_back(row.time);
  gather_deleted(rows, run, out.deleted);
  out.columns.resize(fields.size());
  const bool as_stored = all_have(rows, fields);
  for (size_t i = 0; i < fields.size(); ++i) {
    out.columns[i].clear();
    out.columns[i].type = fields[i].type;
    if (!wanted.empty() && (i >= wanted.size() || !wanted[i])) continue;
    if (as_stored)
      gather_column(rows, run, i, out.columns[i]);
    else
      gather_widened(rows, run, fields, i, out.columns[i]);
  }
}

}  // namespace braid
