// Lines over a time or number axis, read from a query's result; what the terminal and the SVG draw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

/// Points that are joined; a gap stands where a value is absent.
struct ChartLine {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  ///< NaN for a gap
};

struct Chart {
  std::string title;
  std::string x_name;
  bool x_is_time = false;  ///< x counts microseconds since 1970 in UTC
  std::vector<ChartLine> lines;
  double x_min = 0;
  double x_max = 0;
  double y_min = 0;
  double y_max = 0;
};

/// More lines than this cannot be told apart.
inline constexpr size_t kChartLinesMax = 12;
inline constexpr int64_t kChartPointsMax = 5'000'000;

/// Runs the SELECT. The first column is x: times, or numbers. Each further column of numbers is a line, and columns of text tell lines apart.
/// Rows of a line come in the order of x, or they are brought into it.
Outcome<Chart> read_chart(const Session& session, const std::string& sql);

/// Where an axis has its marks, and what stands at them.
struct AxisMark {
  double at = 0;
  std::string text;
};
/// About `count` marks at round numbers from `low` to `high`.
std::vector<AxisMark> number_marks(double low, double high, int count);
/// The same at round times: seconds to years.
std::vector<AxisMark> time_marks(double low, double high, int count);
/// What the time marks do not say: the day, or the year. "" when they say all.
std::string time_span_text(double low, double high);

}  // namespace braid::cli
