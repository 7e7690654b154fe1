// Window functions that look along the rows: locf, interpolate, session_id, state_id.
#include <deque>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sql/aggregate_function.h"
#include "sql/bucket_arguments.h"
#include "sql/number_argument.h"
#include "sql/time_value.h"
#include "sql/virtual_table.h"

namespace braid {

namespace {

constexpr size_t kFrameRowsMax = size_t{1} << 22;

SqliteValue copy_of(sqlite3_value* value) { return SqliteValue(sqlite3_value_dup(value)); }

/// locf(value[, present[, before]]): the last value that is not NULL. With `present`, the value of the last row where that is true, NULL or
/// not; `before` where there is none.
class LastObservation final : public Aggregate {
 public:
  Status add(Values values) override {
    ++added_;
    const bool counts = values.size() > 1 ? sqlite3_value_int(values[1]) != 0 : sqlite3_value_type(values[0]) != SQLITE_NULL;
    if (counts) {
      value_ = copy_of(values[0]);
      place_ = added_;
    }
    if (values.size() > 2) before_ = copy_of(values[2]);
    return {};
  }
  Status remove(Values) override {
    ++removed_;
    return {};
  }
  Status result(sqlite3_context* context) override {
    const SqliteValue& value = place_ > removed_ ? value_ : before_;
    if (value != nullptr) sqlite3_result_value(context, value.get());
    return {};
  }

 private:
  SqliteValue value_;
  SqliteValue before_;
  uint64_t place_ = 0;  // of the row of value_, from 1
  uint64_t added_ = 0;
  uint64_t removed_ = 0;
};

/// A value on the line, exact where it is whole.
struct LinePoint {
  int64_t time = 0;
  bool whole = false;
  int64_t integer = 0;
  double real = 0;
};

__extension__ using Wide = __int128;

/// Whole numbers give a whole number, rounded towards zero.
void result_between(sqlite3_context* context, const LinePoint& a, const LinePoint& b, int64_t time) {
  if (a.whole && b.whole) {
    const Wide y0 = a.integer, y1 = b.integer, x0 = a.time, x1 = b.time, x = time;
    // The product fits: 2 * 2^63 * 2^63 is below 2^127 because a weight is at most x1 - x0 and the weights add up to that.
    sqlite3_result_int64(context, static_cast<int64_t>((y0 * (x1 - x) + y1 * (x - x0)) / (x1 - x0)));
    return;
  }
  const double y0 = a.whole ? static_cast<double>(a.integer) : a.real;
  const double y1 = b.whole ? static_cast<double>(b.integer) : b.real;
  if (y0 == y1) return sqlite3_result_double(context, y0);
  const double length = static_cast<double>(b.time) - static_cast<double>(a.time);
  const double passed = static_cast<double>(time) - static_cast<double>(a.time);
  sqlite3_result_double(context, (y0 * (length - passed) + y1 * passed) / length);
}

/// interpolate(value, time[, before[, after]]) over ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING: where the value is NULL, the point of the
/// straight line between the nearest rows that have one. `before` and `after` are JSON arrays [time, value] for the ends.
class Interpolation final : public Aggregate {
 public:
  Status add(Values values) override {
    if (rows_.size() >= kFrameRowsMax) return Status(StatusCode::kLimit, fmt::format("more than {} rows in one partition", kFrameRowsMax));
    Row row;
    if (sqlite3_value_type(values[1]) != SQLITE_NULL) {
      BRAID_ASSIGN(const Timestamp time, time_of(values[1], "time"));
      row.point.time = time.value();
      row.timed = true;
      BRAID_ASSIGN(const auto number, number_of(values[0], "value"));
      row.known = number.has_value();
      row.point.real = number.value_or(0);
      row.point.whole = sqlite3_value_numeric_type(values[0]) == SQLITE_INTEGER;
      if (row.point.whole) row.point.integer = sqlite3_value_int64(values[0]);
    }
    if (values.size() > 2) BRAID_TRY(read_end(values[2], first_));
    if (values.size() > 3) BRAID_TRY(read_end(values[3], last_));
    if (row.known) known_.push_back(added_);
    ++added_;
    rows_.push_back(row);
    return {};
  }
  Status remove(Values) override {
    ++removed_;
    if (rows_.empty()) return {};
    if (rows_.front().known) {
      before_ = rows_.front().point;
      known_.pop_front();
    }
    rows_.pop_front();
    return {};
  }
  Status result(sqlite3_context* context) override {
    if (results_++ > removed_)
      return Status(StatusCode::kInvalidArgument, "it needs the frame ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING");
    if (rows_.empty() || !rows_.front().timed) return {};
    const Row& row = rows_.front();
    if (row.known) {
      if (row.point.whole) sqlite3_result_int64(context, row.point.integer);
      else sqlite3_result_double(context, row.point.real);
      return {};
    }
    const LinePoint* before = before_ ? &*before_ : first_ ? &*first_ : nullptr;
    const LinePoint* after = !known_.empty() ? &rows_[known_.front() - removed_].point : last_ ? &*last_ : nullptr;
    if (before == nullptr || after == nullptr || before->time >= after->time || row.point.time < before->time || row.point.time > after->time) return {};
    result_between(context, *before, *after, row.point.time);
    return {};
  }

 private:
  struct Row {
    LinePoint point;
    bool timed = false;
    bool known = false;
  };

  Status read_end(sqlite3_value* value, std::optional<LinePoint>& end) {
    if (end || sqlite3_value_type(value) == SQLITE_NULL) return {};
    const auto parsed = nlohmann::json::parse(text_of(value), nullptr, false);
    const auto wrong = [&] { return Status(StatusCode::kInvalidArgument, fmt::format("'{}': expected a JSON array [time, value]", text_of(value))); };
    if (!parsed.is_array() || parsed.size() != 2) return wrong();
    if (parsed[0].is_null() || parsed[1].is_null()) return {};
    LinePoint point;
    if (parsed[0].is_number_integer()) {
      point.time = parsed[0].get<int64_t>();
    } else {
      const auto time = parsed[0].is_string() ? parse_time(parsed[0].get_ref<const std::string&>()) : std::nullopt;
      if (!time) return wrong();
      point.time = time->value();
    }
    if (!parsed[1].is_number()) return wrong();
    point.whole = parsed[1].is_number_integer();
    point.real = parsed[1].get<double>();
    if (point.whole) point.integer = parsed[1].get<int64_t>();
    end = point;
    return {};
  }

  std::deque<Row> rows_;
  std::deque<uint64_t> known_;  // numbers of the rows in the frame that have a value
  std::optional<LinePoint> before_;
  std::optional<LinePoint> first_;
  std::optional<LinePoint> last_;
  uint64_t added_ = 0;
  uint64_t removed_ = 0;
  uint64_t results_ = 0;
};

/// session_id(time, gap): 1, and one more after each pause longer than `gap`.
class SessionNumber final : public Aggregate {
 public:
  Status add(Values values) override {
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) return {};
    BRAID_ASSIGN(const Timestamp time, time_of(values[0], "time"));
    BRAID_ASSIGN(const Interval gap, interval_of(values[1], "gap"));
    if (gap.months != 0 || gap.microseconds < 0)
      return Status(StatusCode::kInvalidArgument, "gap: expected a fixed length of time, for example '5 minutes'");
    if (number_ > 0 && time < last_) return Status(StatusCode::kInvalidArgument, "the rows must come by time: write OVER (ORDER BY time)");
    int64_t limit = 0;
    const bool endless = __builtin_add_overflow(last_.value(), gap.microseconds, &limit);
    if (number_ == 0 || (!endless && time.value() > limit)) ++number_;
    last_ = time;
    return {};
  }
  /// Numbers go on from the start of the partition, whatever the frame.
  Status remove(Values) override { return {}; }
  Status result(sqlite3_context* context) override {
    if (number_ > 0) sqlite3_result_int64(context, number_);
    return {};
  }

 private:
  int64_t number_ = 0;
  Timestamp last_;
};

/// state_id(value): 1, and one more whenever the value differs from that of the row before. NULL is a value like others.
class StateRun final : public Aggregate {
 public:
  Status add(Values values) override {
    if (number_ == 0 || !same(values[0])) ++number_;
    if (number_ != copied_) {
      value_ = copy_of(values[0]);
      copied_ = number_;
    }
    return {};
  }
  Status remove(Values) override { return {}; }
  Status result(sqlite3_context* context) override {
    if (number_ > 0) sqlite3_result_int64(context, number_);
    return {};
  }

 private:
  bool same(sqlite3_value* value) const {
    const int type = sqlite3_value_type(value);
    const int old_type = sqlite3_value_type(value_.get());
    const auto numeric = [](int kind) { return kind == SQLITE_INTEGER || kind == SQLITE_FLOAT; };
    if (type == SQLITE_INTEGER && old_type == type) return sqlite3_value_int64(value) == sqlite3_value_int64(value_.get());
    if (numeric(type) && numeric(old_type)) return sqlite3_value_double(value) == sqlite3_value_double(value_.get());
    return type == old_type && (type == SQLITE_NULL || text_of(value) == text_of(value_.get()));
  }

  SqliteValue value_;
  int64_t number_ = 0;
  int64_t copied_ = 0;
};

}  // namespace

Status register_row_window_functions(Connection& connection) {
  static const AggregateFunction kFunctions[] = {
      {"locf", 1, make_aggregate<LastObservation>},      {"locf", 2, make_aggregate<LastObservation>},
      {"locf", 3, make_aggregate<LastObservation>},      {"interpolate", 2, make_aggregate<Interpolation>},
      {"interpolate", 3, make_aggregate<Interpolation>}, {"interpolate", 4, make_aggregate<Interpolation>},
      {"session_id", 2, make_aggregate<SessionNumber>},  {"state_id", 1, make_aggregate<StateRun>},
  };
  for (const AggregateFunction& function : kFunctions) BRAID_TRY(register_aggregate(connection, function));
  return {};
}

}  // namespace braid
