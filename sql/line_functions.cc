// What points in the order of their times tell: counter_rate, counter_increase, counter_resets, time_weighted_average, lttb.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/sqlite_handle.h"
#include "sql/aggregate_function.h"
#include "sql/number_argument.h"
#include "sql/sql_tokens.h"
#include "sql/table_function.h"
#include "sql/time_text.h"
#include "sql/time_value.h"
#include "timeseries/line_totals.h"

namespace braid {

namespace {

/// Nothing where time or value is NULL.
Result<std::optional<TimedValue>> point_of(sqlite3_value* time, sqlite3_value* value) {
  BRAID_ASSIGN(const auto number, number_of(value, "value"));
  if (!number || sqlite3_value_type(time) == SQLITE_NULL) return std::optional<TimedValue>();
  BRAID_ASSIGN(const Timestamp at, time_of(time, "time"));
  return std::optional(TimedValue{at.value(), *number});
}

Status too_many() {
  return Status(StatusCode::kLimit, fmt::format("more than {} points in one group, and not in the order of their times", PointSeries::kPointsMax));
}

/// Points that come in the order of their times are added up at once; else they are kept and sorted when the result is asked. `Line` has
/// add(point) and a copy of it may start anew.
template <typename Line>
class Ordered : public Aggregate {
 public:
  Status remove(Values values) override {
    BRAID_ASSIGN(const auto point, point_of(values[1], values[0]));
    if (!point) return {};
    if (full_) return too_many();
    points_.remove_first();
    streams_ = points_.size() == 0;
    if (streams_) line_ = Line();
    return {};
  }

 protected:
  Status add_point(const std::optional<TimedValue>& point) {
    if (!point) return {};
    if (streams_ && (any_ && point->time < last_time_) && points_.size() > 0) streams_ = false;
    full_ = full_ || !points_.add(*point);
    if (full_ && !streams_) return too_many();
    if (streams_) line_.add(*point);
    last_time_ = point->time;
    any_ = true;
    return {};
  }
  Line line() const {
    if (streams_) return line_;
    Line sorted = fresh();
    for (const TimedValue& point : points_.sorted()) sorted.add(point);
    return sorted;
  }
  virtual Line fresh() const { return Line(); }

  Line line_;

 private:
  PointSeries points_;
  bool streams_ = true;  // line_ holds all points
  bool full_ = false;
  bool any_ = false;
  int64_t last_time_ = 0;
};

enum class CounterResult : uint8_t { kRate, kIncrease, kResets };

template <CounterResult kResult>
class Counter final : public Ordered<CounterTotals> {
 public:
  Status add(Values values) override {
    BRAID_ASSIGN(const auto point, point_of(values[1], values[0]));
    return add_point(point);
  }
  Status result(sqlite3_context* context) override {
    const CounterTotals totals = line();
    if (kResult == CounterResult::kResets) {
      if (const auto resets = totals.resets()) sqlite3_result_int64(context, *resets);
      return {};
    }
    if (const auto number = kResult == CounterResult::kRate ? totals.rate() : totals.increase()) sqlite3_result_double(context, *number);
    return {};
  }
};

struct WeightedLine {
  TimeWeightedMean mean;
  TimeWeightedMean::Method method = TimeWeightedMean::Method::kLinear;
  void add(TimedValue point) { mean.add(point, method); }
};

class TimeWeightedAverage final : public Ordered<WeightedLine> {
 public:
  Status add(Values values) override {
    if (values.size() > 2) BRAID_TRY(read_method(text_of(values[2])));
    BRAID_ASSIGN(const auto point, point_of(values[1], values[0]));
    return add_point(point);
  }
  Status remove(Values values) override {
    BRAID_TRY(Ordered::remove(values));
    line_.method = method_;
    return {};
  }
  Status result(sqlite3_context* context) override {
    if (const auto mean = line().mean.mean()) sqlite3_result_double(context, *mean);
    return {};
  }

 private:
  WeightedLine fresh() const override { return {{}, method_}; }
  Status read_method(std::string_view name) {
    using Method = TimeWeightedMean::Method;
    const auto same = [&](std::string_view known) { return same_sql_name(known, name); };
    if (!same("linear") && !same("locf"))
      return Status(StatusCode::kInvalidArgument, fmt::format("method '{}': expected 'linear' or 'locf'", name));
    const Method method = same("linear") ? Method::kLinear : Method::kStep;
    if (any_method_ && method != method_) return Status(StatusCode::kInvalidArgument, "the method must not change between rows");
    any_method_ = true;
    method_ = line_.method = method;
    return {};
  }

  TimeWeightedMean::Method method_ = TimeWeightedMean::Method::kLinear;
  bool any_method_ = false;
};

/// lttb(time, value, points): a JSON array of [time, value], with the times in the form in which they came.
class Downsampling final : public Aggregate {
 public:
  static constexpr int64_t kAskedMax = 1'000'000;

  Status add(Values values) override {
    BRAID_ASSIGN(asked_, whole_number_of(values[2], "points", 1, kAskedMax));
    BRAID_ASSIGN(const auto point, point_of(values[0], values[1]));
    if (!point) return {};
    as_integers_ = sqlite3_value_type(values[0]) == SQLITE_INTEGER;
    if (!points_.add(*point))
      return Status(StatusCode::kLimit, fmt::format("more than {} points in one group; reduce them first, for example by time_bucket", PointSeries::kPointsMax));
    return {};
  }
  Status remove(Values values) override {
    BRAID_ASSIGN(const auto point, point_of(values[0], values[1]));
    if (point) points_.remove_first();
    return {};
  }
  Status result(sqlite3_context* context) override {
    if (points_.size() == 0) return {};
    nlohmann::json out = nlohmann::json::array();
    for (const TimedValue& point : largest_triangles(points_.sorted(), static_cast<size_t>(asked_))) {
      if (as_integers_)
        out.push_back({point.time, point.value});
      else
        out.push_back({format_time(Timestamp(point.time)), point.value});
    }
    result_text(context, out.dump());
    sqlite3_result_subtype(context, 'J');
    return {};
  }

 private:
  PointSeries points_;
  int64_t asked_ = 0;
  bool as_integers_ = false;
};

/// lttb_points(json): the rows of what lttb() answered.
Result<std::unique_ptr<FunctionResult>> run_points(Connection&, std::span<sqlite3_value* const> parameters) {
  if (sqlite3_value_type(parameters[0]) == SQLITE_NULL) return make_rows({});
  const auto wrong = [] { return Status(StatusCode::kInvalidArgument, "lttb_points: expected what lttb() answers, a JSON array of [time, value]"); };
  const auto parsed = nlohmann::json::parse(text_of(parameters[0]), nullptr, false);
  if (!parsed.is_array()) return wrong();
  std::vector<Row> rows;
  for (const auto& point : parsed) {
    if (!point.is_array() || point.size() != 2 || !(point[0].is_string() || point[0].is_number_integer()) || !point[1].is_number()) return wrong();
    rows.push_back({point[0].is_string() ? Cell(point[0].get<std::string>()) : Cell(point[0].get<int64_t>()), point[1].get<double>()});
  }
  return make_rows(std::move(rows));
}

}  // namespace

Status register_line_functions(Connection& connection) {
  static const AggregateFunction kAggregates[] = {
      {"counter_rate", 2, make_aggregate<Counter<CounterResult::kRate>>},
      {"counter_increase", 2, make_aggregate<Counter<CounterResult::kIncrease>>},
      {"counter_resets", 2, make_aggregate<Counter<CounterResult::kResets>>},
      {"time_weighted_average", 2, make_aggregate<TimeWeightedAverage>},
      {"time_weighted_average", 3, make_aggregate<TimeWeightedAverage>},
      {"lttb", 3, make_aggregate<Downsampling>},
  };
  for (const AggregateFunction& function : kAggregates) BRAID_TRY(register_aggregate(connection, function));
  static const TableFunction kPoints{"lttb_points", "time, value REAL", 2, {{"points", true}}, run_points};
  return register_table_function(connection, kPoints);
}

}  // namespace braid
