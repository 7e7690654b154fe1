#include "sql/aggregate_refresh.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/aggregate_reader.h"

namespace braid {

namespace {

constexpr uint64_t kStatesBetweenChecks = 1024;

/// Replaces what is kept. One aggregate, inside a write transaction.
class Refresh {
 public:
  Refresh(Connection& connection, AggregateReader& reader) : connection_(connection), reader_(reader), internal_(connection.session()) {}

  /// Buckets that start in the range, whose starts are aligned. Answers the start of the first that was not done.
  Result<Timestamp> keep(TimeRange starts, const std::optional<std::chrono::steady_clock::time_point>& stop_at) {
    BRAID_TRY(remove(StatePart::kKept, starts));
    BRAID_ASSIGN(const auto source, reader_.computed(starts));
    BRAID_ASSIGN(auto insert, sqlite_prepare(connection_.db(), insert_state(reader_.definition())));
    std::optional<int64_t> bucket;
    int64_t sequence = 0;
    for (uint64_t count = 1;; ++count) {
      BRAID_ASSIGN(const bool more, source->next());
      if (!more) return starts.limit;
      const AggregateState& state = source->state();
      if (bucket != state.bucket) {
        if (bucket && stop_at && std::chrono::steady_clock::now() >= *stop_at) return Timestamp(state.bucket);
        bucket = state.bucket;
        sequence = 0;
      }
      bind_state(insert, StatePart::kKept, sequence++, state);
      BRAID_TRY(insert.run());
      if (count % kStatesBetweenChecks == 0) BRAID_TRY(check());
    }
  }

  /// What the points of a bucket before `limit`, which are about to go, add to it, with what earlier ones have left.
  Status keep_dropped(Timestamp bucket, Timestamp limit) {
    std::vector<AggregateState> states;
    BRAID_ASSIGN(const auto source, reader_.of_bucket(bucket, limit));
    for (;;) {
      BRAID_ASSIGN(const bool more, source->next());
      if (!more) break;
      states.push_back(source->state());
    }
    BRAID_TRY(remove(StatePart::kDropped, TimeRange{}));
    BRAID_ASSIGN(auto insert, sqlite_prepare(connection_.db(), insert_state(reader_.definition())));
    for (size_t i = 0; i < states.size(); ++i) {
      bind_state(insert, StatePart::kDropped, static_cast<int64_t>(i), states[i]);
      BRAID_TRY(insert.run());
    }
    return {};
  }

  Status remove(StatePart part, TimeRange starts) {
    BRAID_ASSIGN(auto rows, sqlite_prepare(connection_.db(), fmt::format("DELETE FROM {} WHERE part = ?1 AND bucket >= ?2 AND bucket < ?3",
                                                                         state_table(reader_.definition().id))));
    rows.bind(1, static_cast<int64_t>(part)).bind(2, starts.start.value()).bind(3, starts.limit.value());
    return rows.run();
  }

  /// The buckets that start in the range are what is kept of them.
  Status mark_clean(TimeRange starts) {
    // What a range has beyond the end, what it has before the start, and what lies between.
    static constexpr const char* kSteps[] = {
        ("INSERT INTO main._braid_dirty SELECT aggregate, ?3, max(stop) FROM main._braid_dirty WHERE aggregate = ?1 AND start < ?3 AND stop > ?3 "
         "AND ?2 < ?3 GROUP BY aggregate ON CONFLICT DO UPDATE SET stop = max(stop, excluded.stop)"),
        "UPDATE main._braid_dirty SET stop = ?2 WHERE aggregate = ?1 AND start < ?2 AND stop > ?2 AND ?2 < ?3",
        "DELETE FROM main._braid_dirty WHERE aggregate = ?1 AND start >= ?2 AND start < ?3",
    };
    for (const char* sql : kSteps) {
      BRAID_ASSIGN(auto step, sqlite_prepare(connection_.db(), sql));
      step.bind(1, reader_.definition().id.value()).bind(2, starts.start.value()).bind(3, starts.limit.value());
      BRAID_TRY(step.run());
    }
    return {};
  }

  /// The range was never kept, though it lies below the watermark from now on.
  Status mark_missing(TimeRange starts) {
    BRAID_ASSIGN(auto insert, sqlite_prepare(connection_.db(), "INSERT INTO main._braid_dirty VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET stop = max(stop, excluded.stop)"));
    insert.bind(1, reader_.definition().id.value()).bind(2, starts.start.value()).bind(3, starts.limit.value());
    return insert.run();
  }

 private:
  Status check() const {
    BRAID_TRY(reader_.check());
    return connection_.session().check_limits();
  }

  Connection& connection_;
  AggregateReader& reader_;
  const Session::Internal internal_;
};

/// The part of the window that can be kept: whole buckets, and none beyond the newest point.
Result<TimeRange> starts_of(Connection& connection, const AggregateReader& reader, TimeRange window) {
  const AggregateBuckets& buckets = reader.buckets();
  BRAID_ASSIGN(const auto points, range_of_points(connection, reader.table()));
  TimeRange starts;
  if (window.start != starts.start) starts.start = Timestamp(buckets.start_from(window.start.value()));
  const bool open = window.limit == starts.limit;
  starts.limit = reader.definition().watermark;
  if (points) {
    const int64_t newest = buckets.start_of(points->limit.value() - 1);
    starts.limit = std::max(starts.limit, Timestamp(open ? newest : buckets.next(newest)));
  }
  if (!open) starts.limit = std::min(starts.limit, Timestamp(buckets.start_of(window.limit.value())));
  return starts;
}

}  // namespace

Result<std::optional<TimeRange>> range_of_points(Connection& connection, const HypertableDefinition& table) {
  RollupQuestion question;
  question.columns = {{RollupFunction::kMin, kTimeField}, {RollupFunction::kMax, kTimeField}};
  BRAID_ASSIGN(const RollupAnswer answer, roll_up(connection.series_view(), connection.series_overlay(), table, question));
  const RollupValue first = answer.value(0, 0);
  const RollupValue last = answer.value(0, 1);
  if (first.kind == RollupValue::Kind::kNull) return std::optional<TimeRange>();
  return std::optional(TimeRange{Timestamp(first.integer), Timestamp(last.integer).next()});
}

Result<bool> refresh_aggregate(Connection& connection, AggregateId id, const RefreshWindow& window) {
  AggregateDefinition definition = *connection.catalog_state().aggregates.at(id);
  BRAID_ASSIGN(const auto reader, AggregateReader::open(connection, definition));
  BRAID_ASSIGN(const TimeRange starts, starts_of(connection, *reader, window.points));
  if (starts.start >= starts.limit) return true;
  Refresh refresh(connection, *reader);
  BRAID_ASSIGN(const auto stale, reader->stale(starts));
  for (const TimeRange& range : stale) {
    BRAID_ASSIGN(const Timestamp done, refresh.keep(range, window.stop_at));
    BRAID_TRY(refresh.mark_clean({range.start, done}));
    if (done < range.limit) return false;
  }
  if (starts.limit <= definition.watermark) return true;
  const Timestamp from = std::max(starts.start, definition.watermark);
  if (from > definition.watermark) BRAID_TRY(refresh.mark_missing({definition.watermark, from}));
  BRAID_ASSIGN(definition.watermark, refresh.keep({from, starts.limit}, window.stop_at));
  const bool whole = definition.watermark == starts.limit;
  connection.session().catalog_writer().put_aggregate(std::move(definition));
  return whole;
}

Status freeze_aggregates(Connection& connection, const HypertableDefinition& table, Timestamp limit) {
  if (limit == TimeRange{}.start) return {};
  std::vector<AggregateId> chosen;
  for (const auto& [id, aggregate] : connection.catalog_state().aggregates)
    // An aggregate over another one is made from what that keeps.
    if (aggregate->hypertable == table.id && aggregate->parent == AggregateId() && aggregate->frozen < limit) chosen.push_back(id);
  for (const AggregateId id : chosen) {
    AggregateDefinition definition = *connection.catalog_state().aggregates.at(id);
    BRAID_ASSIGN(const auto buckets, AggregateBuckets::make(definition));
    const Timestamp shared(buckets->start_of(limit.value()));
    BRAID_TRY(refresh_aggregate(connection, id, {.points = {TimeRange{}.start, shared}, .stop_at = {}}).status());
    definition = *connection.catalog_state().aggregates.at(id);
    BRAID_ASSIGN(const auto reader, AggregateReader::open(connection, definition));
    BRAID_TRY(Refresh(connection, *reader).keep_dropped(shared, limit));
    definition.frozen = limit;
    connection.session().catalog_writer().put_aggregate(std::move(definition));
  }
  return {};
}

}  // namespace braid
