#include "cli/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "cli/interrupt.h"
#include "cli/value_reader.h"

namespace braid::cli {

namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

class ChartReader {
 public:
  explicit ChartReader(braid_statement* statement) : statement_(statement) {
    for (int32_t i = 0; i < braid_column_count(statement); ++i) names_.emplace_back(braid_column_name(statement, i));
  }

  Done add_row() {
    if (++rows_ > kChartPointsMax)
      return Failure{fmt::format("the query has more than {} rows; let it group by time_bucket, or use lttb", kChartPointsMax)};
    Outcome<double> x = read_x();
    if (!x.ok()) return x.failure();
    std::string name;
    for (int32_t i = 1; i < count(); ++i) {
      if (braid_column_type(statement_, i) != BRAID_TYPE_TEXT) continue;
      name += (name.empty() ? "" : ", ") + std::string(column_text(statement_, i));
      is_text_.insert_or_assign(i, true);
    }
    for (int32_t i = 1; i < count(); ++i) {
      if (is_text_.contains(i)) continue;
      CLI_TRY(add_point(name, i, *x));
    }
    return std::nullopt;
  }

  Outcome<Chart> finish() {
    chart_.x_name = names_.front();
    chart_.x_is_time = x_is_time_.value_or(false);
    for (auto& [key, line] : lines_) {
      const bool none = std::all_of(line.y.begin(), line.y.end(), [](double y) { return std::isnan(y); });
      if (!none && !is_text_.contains(key.second)) chart_.lines.push_back(std::move(line));
    }
    if (chart_.lines.empty())
      return Failure{rows_ == 0 ? "the query has no rows: there is nothing to plot"
                                : "the query has no numbers beside its first column: there is nothing to plot"};
    name_lines();
    for (ChartLine& line : chart_.lines) sort_by_x(&line);
    measure();
    return std::move(chart_);
  }

 private:
  int32_t count() const { return static_cast<int32_t>(names_.size()); }

  Outcome<double> read_x() {
    const int32_t type = braid_column_type(statement_, 0);
    const bool number = type == BRAID_TYPE_INT64 || type == BRAID_TYPE_DOUBLE;
    const auto time = type == BRAID_TYPE_TEXT ? read_calendar_time(column_text(statement_, 0)) : std::nullopt;
    if (!number && !time.has_value())
      return Failure{fmt::format("row {}: the first column, {}, is the x axis: expected a time or a number, not {}", rows_, names_.front(),
                                 type == BRAID_TYPE_NULL ? "NULL" : fmt::format("'{}'", column_text(statement_, 0)))};
    if (x_is_time_.has_value() && *x_is_time_ != time.has_value())
      return Failure{fmt::format("row {}: the first column, {}, has times and numbers; expected one or the other", rows_, names_.front())};
    x_is_time_ = time.has_value();
    return time.has_value() ? static_cast<double>(*time) : braid_column_double(statement_, 0);
  }

  Done add_point(const std::string& name, int32_t column, double x) {
    const auto [place, created] = lines_.try_emplace({name, column});
    if (created && lines_.size() > kChartLinesMax * static_cast<size_t>(count()))
      return Failure{fmt::format("the query has more than {} lines; narrow it, or let it take an average over them", kChartLinesMax)};
    const int32_t type = braid_column_type(statement_, column);
    if (type == BRAID_TYPE_BLOB) return Failure{fmt::format("row {}: {} is a blob; expected a number", rows_, names_[static_cast<size_t>(column)])};
    const double y = type == BRAID_TYPE_NULL ? kNoValue : braid_column_double(statement_, column);
    place->second.name = name;
    place->second.x.push_back(x);
    place->second.y.push_back(std::isfinite(y) ? y : kNoValue);
    return std::nullopt;
  }

  /// A line is named by its texts, by its column, or by both where one does not tell it apart.
  void name_lines() {
    std::map<std::string, int> by_text;
    std::map<int32_t, int> by_column;
    std::vector<std::pair<std::string, int32_t>> keys;
    for (const auto& [key, line] : lines_) {
      if (line.x.empty()) keys.push_back(key);  // moved into the chart
    }
    for (const auto& [text, column] : keys) {
      ++by_text[text];
      ++by_column[column];
    }
    for (size_t i = 0; i < chart_.lines.size() && i < keys.size(); ++i) {
      const auto& [text, column] = keys[i];
      const std::string& field = names_[static_cast<size_t>(column)];
      chart_.lines[i].name = text.empty() ? field : by_column.size() == 1 ? text : text + " " + field;
    }
  }

  static void sort_by_x(ChartLine* line) {
    if (std::is_sorted(line->x.begin(), line->x.end())) return;
    std::vector<size_t> order(line->x.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return line->x[a] < line->x[b]; });
    ChartLine sorted{.name = line->name, .x = {}, .y = {}};
    for (const size_t i : order) {
      sorted.x.push_back(line->x[i]);
      sorted.y.push_back(line->y[i]);
    }
    *line = std::move(sorted);
  }

  void measure() {
    chart_.x_min = chart_.y_min = std::numeric_limits<double>::infinity();
    chart_.x_max = chart_.y_max = -std::numeric_limits<double>::infinity();
    for (const ChartLine& line : chart_.lines) {
      chart_.x_min = std::min(chart_.x_min, line.x.front());
      chart_.x_max = std::max(chart_.x_max, line.x.back());
      for (const double y : line.y) {
        if (std::isnan(y)) continue;
        chart_.y_min = std::min(chart_.y_min, y);
        chart_.y_max = std::max(chart_.y_max, y);
      }
    }
    // One value alone still needs a height and a width to stand in.
    if (chart_.x_min == chart_.x_max) widen(&chart_.x_min, &chart_.x_max, chart_.x_is_time ? 1e6 : 1);
    if (chart_.y_min == chart_.y_max) widen(&chart_.y_min, &chart_.y_max, 1);
  }

  static void widen(double* low, double* high, double least) {
    const double by = std::max(least, std::abs(*low) / 10);
    *low -= by;
    *high += by;
  }

  braid_statement* statement_;
  std::vector<std::string> names_;
  std::optional<bool> x_is_time_;
  std::map<int32_t, bool> is_text_;
  std::map<std::pair<std::string, int32_t>, ChartLine> lines_;
  int64_t rows_ = 0;
  Chart chart_;
};

constexpr double kSecond = 1e6, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

/// How far apart marks of time may be, and the part of the time's text that changes.
struct TimeStep {
  double step;
  size_t text_start;
  size_t text_size;
};
constexpr size_t kToEnd = std::string::npos;
// Of "2024-05-01 12:00:00.000000".
constexpr TimeStep kTimeSteps[] = {
    {1e3, 11, kToEnd},       {1e4, 11, kToEnd},       {1e5, 11, kToEnd},        {kSecond, 11, 8},       {5 * kSecond, 11, 8},
    {15 * kSecond, 11, 8},   {30 * kSecond, 11, 8},   {kMinute, 11, 5},         {5 * kMinute, 11, 5},   {15 * kMinute, 11, 5},
    {30 * kMinute, 11, 5},   {kHour, 11, 5},          {3 * kHour, 11, 5},       {6 * kHour, 5, 11},     {12 * kHour, 5, 11},
    {kDay, 5, 5},            {2 * kDay, 5, 5},        {7 * kDay, 5, 5},         {14 * kDay, 0, 10},     {30 * kDay, 0, 10},
    {91 * kDay, 0, 10},      {182 * kDay, 0, 10},     {365.25 * kDay, 0, 10},   {3652.5 * kDay, 0, 10}, {36525 * kDay, 0, 10},
};

const TimeStep& time_step(double low, double high, int count) {
  for (const TimeStep& step : kTimeSteps) {
    if ((high - low) / step.step <= count) return step;
  }
  return *std::rbegin(kTimeSteps);
}

}  // namespace

Outcome<Chart> read_chart(const Session& session, const std::string& sql) {
  Outcome<PreparedStatement> prepared = session.prepare(sql);
  if (!prepared.ok()) return prepared.failure();
  braid_statement* statement = prepared->handle.get();
  if (statement == nullptr) return Failure{"there is no statement; give a SELECT"};
  if (braid_statement_writes(statement) != 0) return Failure{"a plot reads only; give a SELECT"};
  Outcome<PreparedStatement> further = session.prepare(std::string_view(sql).substr(prepared->tail));
  if (!further.ok() || further->handle != nullptr) return Failure{"there is a second statement; a plot shows the result of one SELECT"};
  if (braid_column_count(statement) < 2) return Failure{"the SELECT needs two columns or more: the first is the x axis, the others are values"};
  ChartReader reader(statement);
  while (true) {
    const int32_t code = braid_statement_step(statement);
    if (code == BRAID_DONE) break;
    if (code != BRAID_ROW) return session.failure(code);
    if (Done done = reader.add_row(); done.has_value()) return *done;
  }
  return reader.finish();
}

std::vector<AxisMark> number_marks(double low, double high, int count) {
  const double rough = (high - low) / std::max(count, 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double part = rough / power;
  const double step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
  std::vector<AxisMark> marks;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) {
    const double at = std::abs(k) < 1e-9 ? 0 : k * step;
    marks.push_back({at, fmt::format("{:.10g}", at)});
    if (marks.size() > 100) break;
  }
  return marks;
}

std::vector<AxisMark> time_marks(double low, double high, int count) {
  const TimeStep& step = time_step(low, high, std::max(count, 1));
  std::vector<AxisMark> marks;
  for (double k = std::ceil(low / step.step); k * step.step <= high; ++k) {
    std::string text = time_text(static_cast<int64_t>(k * step.step));
    if (text.size() < step.text_start) continue;
    marks.push_back({k * step.step, text.substr(step.text_start, step.text_size)});
    if (marks.size() > 100) break;
  }
  return marks;
}

std::string time_span_text(double low, double high) {
  const std::string from = time_text(static_cast<int64_t>(low)), to = time_text(static_cast<int64_t>(high));
  return from.substr(0, 10) == to.substr(0, 10) ? from.substr(0, 10) + " UTC" : from.substr(0, 19) + " to " + to.substr(0, 19) + " UTC";
}

}  // namespace braid::cli
