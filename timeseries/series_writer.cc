#include "timeseries/series_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/long_call.h"
#include "timeseries/aggregate_buckets.h"
#include "timeseries/chunk_interval.h"
#include "timeseries/point_checks.h"
#include "timeseries/point_probe.h"
#include "timeseries/series_overlay.h"
#include "timeseries/series_view.h"
#include "timeseries/tag_codec.h"
#include "timeseries/tag_value.h"

namespace braid {
namespace {

Status invalid(const HypertableDefinition& table, std::string_view what) {
  return Status(StatusCode::kInvalidArgument, fmt::format("hypertable '{}': {}", table.name, what));
}

/// In parts, so that it can be stopped between them.
Status append_in_parts(SeriesOverlay& overlay, StagedRun& run, std::span<const int64_t> times, std::span<const ColumnData> columns) {
  constexpr size_t kRowsPerQuestion = 65536;
  for (size_t at = 0; at < times.size(); at += kRowsPerQuestion) {
    BRAID_TRY(LongCall::check(static_cast<double>(at) / static_cast<double>(times.size())));
    overlay.append_columns(run, times.subspan(at, std::min(kRowsPerQuestion, times.size() - at)), columns, at);
  }
  return {};
}

/// Text in SQL begins with the year 0. The last microsecond is the limit of the unbounded range, so no point can have it.
Status check_time(const HypertableDefinition& table, int64_t time) {
  constexpr int64_t kTimeMin = -62'167'219'200'000'000;
  if (time >= kTimeMin && time < INT64_MAX) return {};
  return invalid(table, fmt::format("the time {} is out of range: microseconds since 1970-01-01 from {} (the year 0) to {}", time,
                                    kTimeMin, INT64_MAX - 1));
}

Status check_columns(const HypertableDefinition& table, std::span<const int64_t> times,
                     std::span<const ColumnData> columns) {
  if (columns.size() != table.fields.size())
    return invalid(table,
                   fmt::format("{} columns for {} fields", columns.size(), table.fields.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = table.fields[i].name;
    if (columns[i].type != table.fields[i].type)
      return invalid(table, fmt::format("column '{}' has another type", name));
    if (columns[i].size() != times.size())
      return invalid(table, fmt::format("column '{}' has {} rows for {} times", name,
                                        columns[i].size(), times.size()));
    if (!columns[i].nulls.empty() && columns[i].nulls.size() != times.size())
      return invalid(table,
                     fmt::format("column '{}' has another number of null marks than rows", name));
  }
  return check_point_times(table, times);
}

}  // namespace

Status check_point_times(const HypertableDefinition& table, std::span<const int64_t> times) {
  for (const int64_t time : times) BRAID_TRY(check_time(table, time));
  return Status();
}

Result<int64_t> whole_number_tag(const HypertableDefinition& table, size_t tag, std::string_view text) {
  const auto number = integer_of_tag(text);
  if (number) return *number;
  return Status(StatusCode::kConstraint, fmt::format("hypertable '{}': tag '{}' is INTEGER: '{}' is not", table.name, table.tags[tag], text));
}

SeriesWriter::SeriesWriter(std::shared_ptr<const StoreView> base, CatalogWriter& catalog, Lsn newest, Timestamp now)
    : base_(std::move(base)),
      catalog_(catalog),
      newest_(newest),
      now_(now),
      overlay_(std::make_shared<SeriesOverlay>()),  // shared: with cursors, which outlive the
                                                    // transaction
      probe_(std::make_unique<PointProbe>(static_cast<const SeriesView&>(*base_))) {}

SeriesWriter::~SeriesWriter() = default;

Result<SeriesId> SeriesWriter::series(const HypertableDefinition& table,
                                      const std::vector<std::optional<std::string_view>>& tags) {
  if (tags.size() != table.tags.size())
    return invalid(table, fmt::format("{} tag values for {} tags", tags.size(), table.tags.size()));
  if (std::none_of(table.tag_types.begin(), table.tag_types.end(), [](FieldType type) { return type == FieldType::kInt64; }))
    return intern(table, tags);
  std::vector<std::string> numbers(tags.size());
  std::vector<std::optional<std::string_view>> named = tags;
  for (size_t i = 0; i < tags.size(); ++i) {
    if (!tags[i] || table.tag_type(i) != FieldType::kInt64) continue;
    BRAID_ASSIGN(const int64_t number, whole_number_tag(table, i, *tags[i]));
    numbers[i] = tag_of_integer(number);
    named[i] = numbers[i];
  }
  return intern(table, named);
}

Result<SeriesId> SeriesWriter::intern(const HypertableDefinition& table, const std::vector<std::optional<std::string_view>>& tags) {
  const std::string name = encode_tags(tags);
  if (table.references.empty() || reference_check_ == nullptr) return catalog_.intern_series(table.id, name);
  const auto known = catalog_.find_series(table.id, name);
  if (known.has_value() && referring_.contains(*known)) return *known;
  BRAID_TRY(reference_check_(table, tags, known.has_value()));
  const SeriesId series = catalog_.intern_series(table.id, name);
  referring_.insert(series);
  return series;
}

Status SeriesWriter::already_exists(const HypertableDefinition& table, SeriesId series,
                                    Timestamp time) const {
  std::string tags;
  auto decoded = decode_tags(catalog_.series_tags(series));
  for (size_t i = 0; decoded.ok() && i < decoded->size() && i < table.tags.size(); ++i) {
    const auto& value = (*decoded)[i];
    tags += fmt::format(", {} {}", table.tags[i], value.has_value() ? "'" + *value + "'" : "NULL");
  }
  return Status(StatusCode::kConstraint,
                fmt::format("hypertable '{}': a point exists at {} {}{}", table.name,
                            table.time_column, time.value(), tags));
}

Result<AppendOutcome> SeriesWriter::append_to(const HypertableDefinition& table, StagedRun& run,
                                              Timestamp time, std::span<const FieldValue> fields,
                                              ConflictPolicy policy) {
  BRAID_ASSIGN(const bool late, is_late(table, time.value()));
  if (late) {
    ++late_points_;
    return AppendOutcome::kLate;
  }
  if (policy == ConflictPolicy::kMerge) {
    BRAID_ASSIGN(auto merged, find(table, run.series(), time));
    if (merged.has_value()) {
      for (size_t i = 0; i < fields.size(); ++i) {
        if (!fields[i].is_null) (*merged)[i] = fields[i];
      }
      overlay_->append(run, time.value(), *merged);
      return AppendOutcome::kMerged;
    }
    overlay_->append(run, time.value(), fields);
    return AppendOutcome::kAdded;
  }
  BRAID_ASSIGN(const bool exists, this->exists(table, run.series(), time.value()));
  if (exists && policy == ConflictPolicy::kIgnore) return AppendOutcome::kIgnored;
  if (exists && policy == ConflictPolicy::kError) return already_exists(table, run.series(), time);
  overlay_->append(run, time.value(), fields);
  return exists ? AppendOutcome::kReplaced : AppendOutcome::kAdded;
}

Result<bool> SeriesWriter::is_late(const HypertableDefinition& table, int64_t time) {
  if (table.horizon_us <= 0 || time >= now_.value() - table.horizon_us) return false;
  if (table.late == LatePolicy::kDrop) return true;
  return Status(StatusCode::kConstraint, fmt::format("hypertable '{}': the point at {} {} is older than the horizon of {} s", table.name,
                                                     table.time_column, time, table.horizon_us / 1'000'000));
}

bool SeriesWriter::has_staged(HypertableId table) const {
  const auto& runs = overlay_->runs();
  return std::any_of(runs.begin(), runs.end(), [&](const auto& run) { return run->table() == table && run->rows() > 0; });
}

Result<bool> SeriesWriter::exists(const HypertableDefinition& table, SeriesId series, int64_t time) {
  const StagedRun* run = overlay_->find(table.id, series);
  if (const auto row = run == nullptr ? std::nullopt : run->find(time)) return !run->is_deleted(*row);
  if (overlay_->deletes(table.id, series, time)) return false;
  return probe_->exists(table.id, series, time);
}

Result<std::optional<std::vector<FieldValue>>> SeriesWriter::find(const HypertableDefinition& table, SeriesId series,
                                                                  Timestamp time) {
  using Found = std::optional<std::vector<FieldValue>>;
  const StagedRun* run = overlay_->find(table.id, series);
  if (const auto row = run == nullptr ? std::nullopt : run->find(time.value())) {
    if (run->is_deleted(*row)) return Found();
    // What is staged may move when more is, so texts are copied.
    staged_texts_.clear();
    Found fields(std::in_place);
    for (const ColumnData& column : run->columns()) {
      FieldValue& value = fields->emplace_back(column.value(*row));
      if (!value.text.empty()) value.text = staged_texts_.emplace_back(value.text);
    }
    return fields;
  }
  if (overlay_->deletes(table.id, series, time.value())) return Found();
  return probe_->find(table, series, time.value());
}

Result<bool> SeriesWriter::remove(const HypertableDefinition& table, SeriesId series, Timestamp time) {
  BRAID_ASSIGN(const bool exists, this->exists(table, series, time.value()));
  if (exists) overlay_->append_deleted(overlay_->run(table.id, series, table.fields), time.value());
  return exists;
}

Status SeriesWriter::remove_range(const HypertableDefinition& table, TimeRange range, std::vector<SeriesId> series) {
  if (range.start >= range.limit) return Status();
  RangeDeletion deletion{.hypertable = table.id, .range = range, .series = std::move(series)};
  // Whatever this transaction is numbered, what is committed so far was written before this.
  deletion.lsn = newest_.next();
  catalog_.add_deletion(deletion);
  overlay_->delete_range(std::move(deletion));
  return Status();
}

Result<AppendOutcome> SeriesWriter::append(const HypertableDefinition& table, SeriesId series,
                                           Timestamp time, std::span<const FieldValue> fields,
                                           std::optional<ConflictPolicy> policy) {
  if (fields.size() != table.fields.size())
    return invalid(table,
                   fmt::format("{} values for {} fields", fields.size(), table.fields.size()));
  BRAID_TRY(check_time(table, time.value()));
  StagedRun& run = overlay_->run(table.id, series, table.fields);
  return append_to(table, run, time, fields, policy.value_or(table.on_conflict));
}

Status SeriesWriter::append_one_by_one(const HypertableDefinition& table, StagedRun& run,
                                       std::span<const int64_t> times,
                                       std::span<const ColumnData> columns,
                                       ConflictPolicy policy) {
  constexpr size_t kRowsPerQuestion = 1024;
  std::vector<FieldValue> fields(columns.size());
  for (size_t row = 0; row < times.size(); ++row) {
    if (row % kRowsPerQuestion == 0) BRAID_TRY(LongCall::check(static_cast<double>(row) / static_cast<double>(times.size())));
    for (size_t i = 0; i < columns.size(); ++i) fields[i] = columns[i].value(row);
    auto outcome = append_to(table, run, Timestamp(times[row]), fields, policy);
    if (!outcome.ok()) return outcome.status();
  }
  return Status();
}

Status SeriesWriter::append_columns(const HypertableDefinition& table, SeriesId series,
                                    std::span<const int64_t> times,
                                    std::span<const ColumnData> columns,
                                    std::optional<ConflictPolicy> policy) {
  BRAID_TRY(check_columns(table, times, columns));
  if (times.empty()) return Status();
  StagedRun& run = overlay_->run(table.id, series, table.fields);
  const ConflictPolicy chosen = policy.value_or(table.on_conflict);
  bool any_late = false;
  for (size_t row = 0; row < times.size() && table.horizon_us > 0 && !any_late; ++row) {
    BRAID_ASSIGN(any_late, is_late(table, times[row]));
  }
  const uint64_t start = overlay_->position();
  const Status status = chosen == ConflictPolicy::kReplace && !any_late ? append_in_parts(*overlay_, run, times, columns)
                                                                        : append_one_by_one(table, run, times, columns, chosen);
  if (!status.ok()) overlay_->rollback_to(start);
  return status;
}

Timestamp SeriesWriter::drop_limit(const HypertableDefinition& table, Timestamp older_than) const {
  return ChunkIntervals(table, catalog_.state().chunks).of(older_than.value()).start;
}

Result<uint64_t> SeriesWriter::drop_chunks(const HypertableDefinition& table,
                                           Timestamp older_than) {
  const Timestamp limit = drop_limit(table, older_than);
  if (limit.value() == INT64_MIN) return uint64_t{0};
  std::vector<ChunkId> dropped;
  for (const auto& [id, chunk] : catalog_.state().chunks) {
    if (chunk.hypertable == table.id && chunk.interval.limit <= limit) dropped.push_back(id);
  }
  for (const ChunkId id : dropped) catalog_.remove_chunk(id);
  BRAID_TRY(remove_range(table, {TimeRange{}.start, limit}, {}));
  return static_cast<uint64_t>(dropped.size());
}

Status SeriesWriter::drop_hypertable(const HypertableDefinition& table) {
  std::vector<ChunkId> dropped;
  for (const auto& [id, chunk] : catalog_.state().chunks) {
    if (chunk.hypertable == table.id) dropped.push_back(id);
  }
  for (const ChunkId id : dropped) catalog_.remove_chunk(id);
  return remove_range(table, TimeRange{}, {});
}

uint64_t SeriesWriter::mark() { return overlay_->position(); }
void SeriesWriter::rollback_to(uint64_t mark) {
  overlay_->rollback_to(mark);
  referring_.clear();
}
uint64_t SeriesWriter::staged_bytes() const { return overlay_->bytes(); }
void SeriesWriter::take_changes(CommitRecord& record) {
  const size_t deletions = record.series.deletions.size();
  std::vector<TakenRows> taken;
  overlay_->take_changes(record.series, taken);
  std::vector<TouchedTimes> touched;
  for (const TakenRows& rows : taken)
    touched.push_back({rows.run->table(), std::span(rows.run->times()).subspan(rows.start, rows.limit - rows.start)});
  mark_touched(catalog_, touched, std::span(record.series.deletions).subspan(deletions));
}

}  // namespace braid
