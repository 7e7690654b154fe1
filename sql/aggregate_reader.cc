#include "sql/aggregate_reader.h"

#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/sql_tokens.h"
#include "sql/series_selection.h"
#include "timeseries/series_overlay.h"
#include "timeseries/tag_codec.h"

namespace braid {

namespace {

/// States that one rollup makes at a time.
constexpr size_t kStatesAhead = 1 << 16;
/// Beyond so many, ranges that are stale are taken together with what lies between them: that costs time, not truth.
constexpr size_t kStaleRangesMax = 100'000;

using Tags = std::vector<std::optional<std::string>>;

}  // namespace

// ---- Sources -------------------------------------------------------------------------------------------------------------

/// Rows of the table of states.
class AggregateReader::KeptStates final : public StateSource {
 public:
  KeptStates(AggregateReader& reader, SqliteStatement rows) : reader_(reader), rows_(std::move(rows)) {}

  Result<bool> next() override {
    const Session::Internal internal(reader_.connection_.session());
    BRAID_TRY(reader_.check());
    BRAID_ASSIGN(const bool more, rows_.step());
    if (more) state_ = read_state(rows_, reader_.layout_.tags.size(), reader_.layout_.fields.size());
    return more;
  }

 private:
  AggregateReader& reader_;
  SqliteStatement rows_;
};

/// Rollups of the points, so many buckets at a time.
class AggregateReader::PointStates final : public StateSource {
 public:
  PointStates(AggregateReader& reader, TimeRange points) : reader_(reader) {
    const Groups& groups = reader.groups_;
    question_.range = points;
    question_.series = groups.series;
    question_.groups = groups.of_series;
    question_.buckets = reader.buckets_;
    question_.columns = reader.columns_;
    question_.buckets_max = std::max<size_t>(1, kStatesAhead / std::max<size_t>(1, groups.tags.size()));
    question_.bytes_max = static_cast<uint64_t>(reader.connection_.engine().options()[OptionId::kRollupBytesMax]);
    question_.memory = reader.connection_.engine().memory();
    question_.check = [&reader] { return reader.check(); };
    done_ = points.start >= points.limit || (groups.series && groups.series->empty());
  }

  Result<bool> next() override {
    if (row_ >= rows()) BRAID_TRY(read_ahead());
    if (row_ >= rows()) return false;
    state_ = state_of(*answer_, row_, reader_.layout_.fields.size());
    const auto& tags = reader_.groups_.tags;
    if (!tags.empty()) state_.tags = tags[answer_->group(row_)];
    ++row_;
    return true;
  }

 private:
  size_t rows() const { return answer_ ? answer_->size() : 0; }

  Status read_ahead() {
    if (done_) return {};
    row_ = 0;
    BRAID_ASSIGN(answer_, roll_up(reader_.connection_.series_view(), reader_.connection_.series_overlay(), reader_.table_, question_));
    size_t buckets = 0;
    for (size_t row = 0; row < answer_->size(); ++row) buckets += row == 0 || answer_->bucket(row) != answer_->bucket(row - 1) ? 1 : 0;
    done_ = buckets < question_.buckets_max;
    if (!done_) question_.range.start = Timestamp(reader_.buckets_->next(answer_->bucket(answer_->size() - 1)));
    done_ |= question_.range.start >= question_.range.limit;
    return {};
  }

  AggregateReader& reader_;
  RollupQuestion question_;
  std::optional<RollupAnswer> answer_;
  size_t row_ = 0;
  bool done_ = false;
};

/// Wider buckets and groups put together from those of the aggregate below.
class AggregateReader::ParentStates final : public StateSource {
 public:
  ParentStates(AggregateReader& reader, std::unique_ptr<StateSource> below) : reader_(reader), below_(std::move(below)) {}

  Result<bool> next() override {
    if (ready_.empty()) BRAID_TRY(gather());
    if (ready_.empty()) return false;
    state_ = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

 private:
  /// All groups of the next bucket.
  Status gather() {
    std::map<Tags, AggregateState> groups;
    std::optional<int64_t> bucket;
    for (; !at_end_; has_row_ = false) {
      if (!has_row_) {
        BRAID_ASSIGN(const bool more, below_->next());
        at_end_ = !more;
        has_row_ = more;
        if (!more) break;
      }
      const int64_t start = reader_.buckets_->start_of(below_->state().bucket);
      if (bucket && start != *bucket) break;
      bucket = start;
      add(start, groups);
    }
    for (auto& [tags, state] : groups) ready_.push_back(std::move(state));
    return {};
  }

  void add(int64_t bucket, std::map<Tags, AggregateState>& groups) {
    const AggregateState& from = below_->state();
    AggregateState state;
    state.bucket = bucket;
    for (const size_t tag : reader_.parent_tags_) state.tags.push_back(from.tags[tag]);
    for (const size_t field : reader_.parent_fields_) state.fields.push_back(from.fields[field]);
    state.rows = from.rows;
    state.time_min = from.time_min;
    state.time_max = from.time_max;
    const auto [known, added] = groups.try_emplace(state.tags, state);
    if (!added) known->second.merge(state);
  }

  AggregateReader& reader_;
  std::unique_ptr<StateSource> below_;
  std::deque<AggregateState> ready_;
  bool has_row_ = false;
  bool at_end_ = false;
};

/// One bucket of which some points were dropped: what they have left, and the others.
class AggregateReader::SharedBucketStates final : public StateSource {
 public:
  Status add(StateSource& source) {
    for (;;) {
      BRAID_ASSIGN(const bool more, source.next());
      if (!more) return {};
      const auto [known, added] = groups_.try_emplace(source.state().tags, source.state());
      if (!added) known->second.merge(source.state());
    }
  }

  Result<bool> next() override {
    if (groups_.empty()) return false;
    state_ = std::move(groups_.begin()->second);
    groups_.erase(groups_.begin());
    return true;
  }

 private:
  std::map<Tags, AggregateState> groups_;
};

/// One part after the other.
class AggregateReader::PartStates final : public StateSource {
 public:
  PartStates(AggregateReader& reader, std::vector<Part> parts) : reader_(reader), parts_(std::move(parts)) {}

  Result<bool> next() override {
    for (;;) {
      if (current_ == nullptr) {
        if (next_ >= parts_.size()) return false;
        BRAID_ASSIGN(current_, reader_.open_part(parts_[next_++]));
      }
      BRAID_ASSIGN(const bool more, current_->next());
      if (more) {
        state_ = current_->state();
        return true;
      }
      current_ = nullptr;
    }
  }

 private:
  AggregateReader& reader_;
  const std::vector<Part> parts_;
  size_t next_ = 0;
  std::unique_ptr<StateSource> current_;
};

// ---- The reader ----------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<AggregateReader>> AggregateReader::open(Connection& connection, const AggregateDefinition& definition,
                                                               std::vector<TagCondition> conditions) {
  const auto& tables = connection.catalog_state().hypertables;
  const auto table = tables.find(definition.hypertable);
  if (table == tables.end())
    return Status(StatusCode::kCorrupt, fmt::format("rows.db: the hypertable of continuous aggregate '{}' is missing", definition.name));
  std::unique_ptr<AggregateReader> reader(new AggregateReader(connection, definition, table->second));
  reader->conditions_ = std::move(conditions);
  BRAID_ASSIGN(reader->buckets_, AggregateBuckets::make(definition));
  if (definition.parent != AggregateId()) {
    BRAID_TRY(reader->open_parent());
  } else {
    BRAID_ASSIGN(reader->columns_, state_columns(reader->table_, reader->layout_.fields));
    BRAID_TRY(reader->open_groups());
  }
  return reader;
}

Status AggregateReader::check() const {
  if (connection_.interrupted()) return Status(StatusCode::kInterrupted, "interrupted");
  if (std::chrono::steady_clock::now() < connection_.statement_deadline()) return {};
  return Status(StatusCode::kInterrupted, "the statement ran longer than statement_time_max_ms, or the connection's time limit, allows");
}

Status AggregateReader::open_parent() {
  const auto& aggregates = connection_.catalog_state().aggregates;
  const auto found = aggregates.find(definition_.parent);
  if (found == aggregates.end())
    return Status(StatusCode::kCorrupt, fmt::format("rows.db: the aggregate below continuous aggregate '{}' is missing", definition_.name));
  const AggregateLayout below(*found->second);
  const auto places = [&](const std::vector<std::string>& names, const std::vector<std::string>& in, std::vector<size_t>& out) -> Status {
    for (const std::string& name : names) {
      const auto at = std::find_if(in.begin(), in.end(), [&](const std::string& one) { return same_sql_name(one, name); });
      if (at == in.end())
        return Status(StatusCode::kCorrupt, fmt::format("rows.db: continuous aggregate '{}' has no '{}' to be made from", definition_.name, name));
      out.push_back(static_cast<size_t>(at - in.begin()));
    }
    return {};
  };
  BRAID_TRY(places(layout_.tags, below.tags, parent_tags_));
  BRAID_TRY(places(layout_.fields, below.fields, parent_fields_));
  std::vector<TagCondition> conditions = conditions_;
  for (TagCondition& condition : conditions) condition.tag = parent_tags_[condition.tag];
  BRAID_ASSIGN(parent_, open(connection_, *found->second, std::move(conditions)));
  return {};
}

/// Which series belong to which group.
Status AggregateReader::open_groups() {
  if (layout_.tags.empty()) return {};
  std::vector<size_t> places;
  for (const std::string& name : layout_.tags) {
    const auto tag = std::find_if(table_.tags.begin(), table_.tags.end(), [&](const std::string& one) { return same_sql_name(one, name); });
    if (tag == table_.tags.end()) return Status(StatusCode::kNotFound, fmt::format("hypertable '{}' has no tag '{}' any more", table_.name, name));
    places.push_back(static_cast<size_t>(tag - table_.tags.begin()));
  }
  TagValuesAllowed allowed(table_.tags.size());
  for (const TagCondition& condition : conditions_) allowed[places[condition.tag]] = {{condition.value}};
  BRAID_ASSIGN(auto chosen, select_series(connection_, table_, allowed));
  if (!chosen) {
    chosen.emplace();
    const auto visit = [&](SeriesId series, const std::string&) { chosen->push_back(series); };
    if (connection_.writing())
      connection_.session().catalog_writer().for_each_series(table_.id, visit);
    else
      connection_.engine().catalog().for_each_series(table_.id, visit);
    std::sort(chosen->begin(), chosen->end());
  }
  std::map<Tags, uint32_t> numbers;
  for (const SeriesId series : *chosen) {
    const auto tags = decode_tags(series_tags(connection_, series));
    if (!tags.ok() || tags->size() != table_.tags.size())
      return Status(StatusCode::kCorrupt, fmt::format("the tags of series {} cannot be read", series.value()));
    Tags group;
    for (const size_t place : places) group.push_back((*tags)[place]);
    const auto [known, added] = numbers.try_emplace(group, static_cast<uint32_t>(groups_.tags.size()));
    if (added) groups_.tags.push_back(std::move(group));
    groups_.of_series.push_back(known->second);
  }
  groups_.series = std::move(chosen);
  return {};
}

TimeRange AggregateReader::aligned(TimeRange starts) const {
  const auto align = [&](Timestamp time) {
    const bool end = time == TimeRange{}.start || time == TimeRange{}.limit;
    return end ? time : Timestamp(buckets_->start_from(time.value()));
  };
  return {align(starts.start), align(starts.limit)};
}

std::optional<TimeRange> AggregateReader::shared_bucket() const {
  if (definition_.frozen == TimeRange{}.start) return std::nullopt;
  const int64_t start = buckets_->start_of(definition_.frozen.value());
  if (start == definition_.frozen.value()) return std::nullopt;
  return TimeRange{Timestamp(start), Timestamp(buckets_->next(start))};
}

Result<std::vector<TimeRange>> AggregateReader::stale(TimeRange starts) {
  starts.limit = std::min(starts.limit, definition_.watermark);
  std::vector<TimeRange> ranges;
  if (starts.start >= starts.limit) return ranges;
  const Session::Internal internal(connection_.session());
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection_.db(), "SELECT start, stop FROM main._braid_dirty WHERE aggregate = ?1 AND start < ?3 AND stop > ?2 ORDER BY start"));
  rows.bind(1, definition_.id.value()).bind(2, starts.start.value()).bind(3, starts.limit.value());
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) break;
    const TimeRange range{Timestamp(rows.integer(0)), Timestamp(rows.integer(1))};
    if (!ranges.empty() && (range.start <= ranges.back().limit || ranges.size() >= kStaleRangesMax))
      ranges.back().limit = std::max(ranges.back().limit, range.limit);
    else
      ranges.push_back(range);
  }
  // What this transaction has staged is marked when it commits.
  if (const auto overlay = connection_.series_overlay()) {
    TouchedBuckets touched(definition_, *buckets_);
    for (const auto& run : overlay->runs())
      if (run->table() == table_.id) touched.add(run->times());
    for (const auto& deletion : overlay->deletions())
      if (deletion.range->hypertable == table_.id) touched.add(deletion.range->range);
    for (const TimeRange& range : touched.take()) ranges.push_back(range);
    ranges = joined_ranges(std::move(ranges));
  }
  std::vector<TimeRange> cut;
  for (const TimeRange& range : ranges) {
    const TimeRange inside{std::max(range.start, starts.start), std::min(range.limit, starts.limit)};
    if (inside.start < inside.limit) cut.push_back(inside);
  }
  return cut;
}

void AggregateReader::add_computed(TimeRange starts, std::vector<Part>& parts) const {
  if (starts.start >= starts.limit) return;
  if (parent_ != nullptr) {
    parts.push_back({Part::Kind::kParent, starts});
    return;
  }
  const auto shared = shared_bucket();
  if (!shared || shared->start < starts.start || shared->start >= starts.limit) {
    parts.push_back({Part::Kind::kPoints, starts});
    return;
  }
  // Before it lie only points that are gone.
  parts.push_back({Part::Kind::kShared, *shared});
  if (shared->limit < starts.limit) parts.push_back({Part::Kind::kPoints, {shared->limit, starts.limit}});
}

Result<std::unique_ptr<StateSource>> AggregateReader::computed(TimeRange starts) {
  std::vector<Part> parts;
  add_computed(aligned(starts), parts);
  return std::unique_ptr<StateSource>(std::make_unique<PartStates>(*this, std::move(parts)));
}

Result<std::unique_ptr<StateSource>> AggregateReader::current(TimeRange starts) {
  starts = aligned(starts);
  std::vector<Part> parts;
  Timestamp from = starts.start;
  BRAID_ASSIGN(const auto stale_ranges, stale(starts));
  for (const TimeRange& range : stale_ranges) {
    if (from < range.start) parts.push_back({Part::Kind::kKept, {from, range.start}});
    add_computed(range, parts);
    from = range.limit;
  }
  const Timestamp kept_limit = std::min(starts.limit, definition_.watermark);
  if (from < kept_limit) parts.push_back({Part::Kind::kKept, {from, kept_limit}});
  add_computed({std::max(from, definition_.watermark), starts.limit}, parts);
  return std::unique_ptr<StateSource>(std::make_unique<PartStates>(*this, std::move(parts)));
}

Result<std::unique_ptr<StateSource>> AggregateReader::of_points(TimeRange points) {
  return std::unique_ptr<StateSource>(std::make_unique<PointStates>(*this, points));
}

Result<std::unique_ptr<StateSource>> AggregateReader::of_bucket(Timestamp start, Timestamp limit) {
  auto states = std::make_unique<SharedBucketStates>();
  BRAID_ASSIGN(const auto dropped, kept(StatePart::kDropped, {start, start.next()}));
  BRAID_TRY(states->add(*dropped));
  BRAID_ASSIGN(const auto present, of_points({std::max(start, definition_.frozen), limit}));
  BRAID_TRY(states->add(*present));
  return std::unique_ptr<StateSource>(std::move(states));
}

Result<std::unique_ptr<StateSource>> AggregateReader::open_part(const Part& part) {
  switch (part.kind) {
    case Part::Kind::kKept: return kept(StatePart::kKept, part.starts);
    case Part::Kind::kPoints: return of_points({std::max(part.starts.start, definition_.frozen), part.starts.limit});
    case Part::Kind::kShared: return of_bucket(part.starts.start, part.starts.limit);
    case Part::Kind::kParent: break;
  }
  BRAID_ASSIGN(auto below, parent_->current(part.starts));
  return std::unique_ptr<StateSource>(std::make_unique<ParentStates>(*this, std::move(below)));
}

Result<std::unique_ptr<StateSource>> AggregateReader::kept(StatePart part, TimeRange starts) {
  const Session::Internal internal(connection_.session());
  std::string sql = fmt::format("SELECT {} FROM {} WHERE part = ?1 AND bucket >= ?2 AND bucket < ?3", state_column_list(definition_), state_table(definition_.id));
  for (size_t i = 0; i < conditions_.size(); ++i) sql += fmt::format(" AND tag{} IS ?{}", conditions_[i].tag, i + 4);
  BRAID_ASSIGN(auto rows, sqlite_prepare(connection_.db(), sql + " ORDER BY bucket"));
  rows.bind(1, static_cast<int64_t>(part)).bind(2, starts.start.value()).bind(3, starts.limit.value());
  for (size_t i = 0; i < conditions_.size(); ++i)
    if (conditions_[i].value) rows.bind_text(static_cast<int>(i) + 4, *conditions_[i].value);
  return std::unique_ptr<StateSource>(std::make_unique<KeptStates>(*this, std::move(rows)));
}

}  // namespace braid
