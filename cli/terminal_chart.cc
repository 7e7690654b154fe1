#include "cli/terminal_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/terminal.h"

namespace braid::cli {

namespace {

// A character of Braille has two columns and four rows of dots.
constexpr int kDotColumns = 2;
constexpr int kDotRows = 4;
constexpr std::array<std::array<uint8_t, kDotColumns>, kDotRows> kDotBits = {{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
constexpr uint32_t kBraille = 0x2800;

// Colours of terminals that are told apart on light and dark grounds.
constexpr std::array<int, 6> kTerminalColours = {36, 33, 35, 32, 31, 34};

std::string utf8(uint32_t code_point) {
  std::string out;
  out += static_cast<char>(0xe0 | (code_point >> 12));
  out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3f));
  out += static_cast<char>(0x80 | (code_point & 0x3f));
  return out;
}

class Canvas {
 public:
  Canvas(int columns, int rows) : columns_(columns), rows_(rows), cells_(static_cast<size_t>(columns) * static_cast<size_t>(rows)) {}

  int dot_columns() const { return columns_ * kDotColumns; }
  int dot_rows() const { return rows_ * kDotRows; }

  void set(int x, int y, size_t line) {
    if (x < 0 || y < 0 || x >= dot_columns() || y >= dot_rows()) return;
    Cell& cell = cells_[static_cast<size_t>(y / kDotRows) * static_cast<size_t>(columns_) + static_cast<size_t>(x / kDotColumns)];
    cell.dots = static_cast<uint8_t>(cell.dots | kDotBits[static_cast<size_t>(y % kDotRows)][static_cast<size_t>(x % kDotColumns)]);
    cell.line = line;
  }

  void draw(int x0, int y0, int x1, int y1, size_t line) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) {
      const double part = static_cast<double>(i) / steps;
      set(static_cast<int>(std::lround(x0 + part * (x1 - x0))), static_cast<int>(std::lround(y0 + part * (y1 - y0))), line);
    }
  }

  std::string row(int row, bool colour) const {
    std::string out;
    int now = 0;
    for (int column = 0; column < columns_; ++column) {
      const Cell& cell = cells_[static_cast<size_t>(row) * static_cast<size_t>(columns_) + static_cast<size_t>(column)];
      const int wanted = colour && cell.dots != 0 ? kTerminalColours[cell.line % kTerminalColours.size()] : 0;
      if (wanted != now) out += fmt::format("\x1b[{}m", wanted);
      now = wanted;
      out += cell.dots == 0 ? " " : utf8(kBraille + cell.dots);
    }
    if (now != 0) out += "\x1b[0m";
    return out;
  }

 private:
  struct Cell {
    uint8_t dots = 0;
    size_t line = 0;
  };
  const int columns_;
  const int rows_;
  std::vector<Cell> cells_;
};

int place(double value, double low, double high, int count) {
  return static_cast<int>(std::lround((value - low) / (high - low) * (count - 1)));
}

void draw_line(const Chart& chart, size_t index, Canvas* canvas) {
  const ChartLine& line = chart.lines[index];
  int last_x = 0, last_y = 0;
  bool joined = false;
  for (size_t i = 0; i < line.x.size(); ++i) {
    if (std::isnan(line.y[i])) {
      joined = false;
      continue;
    }
    const int x = place(line.x[i], chart.x_min, chart.x_max, canvas->dot_columns());
    const int y = canvas->dot_rows() - 1 - place(line.y[i], chart.y_min, chart.y_max, canvas->dot_rows());
    if (joined) canvas->draw(last_x, last_y, x, y, index);
    else canvas->set(x, y, index);
    last_x = x;
    last_y = y;
    joined = true;
  }
}

/// Marks written under the axis, as many as do not touch.
std::string x_axis_text(const Chart& chart, int columns) {
  const auto marks = chart.x_is_time ? time_marks(chart.x_min, chart.x_max, columns / 14) : number_marks(chart.x_min, chart.x_max, columns / 10);
  std::string out(static_cast<size_t>(columns), ' ');
  size_t free_from = 0;
  for (const AxisMark& mark : marks) {
    const size_t size = mark.text.size();
    const auto middle = static_cast<size_t>(std::max(place(mark.at, chart.x_min, chart.x_max, columns), 0));
    size_t start = middle > size / 2 ? middle - size / 2 : 0;
    if (size >= out.size()) continue;
    start = std::min(start, out.size() - size);
    if (start < free_from) continue;
    out.replace(start, size, mark.text);
    free_from = start + size + 2;
  }
  return out;
}

std::string legend(const Chart& chart, bool colour) {
  std::string out;
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const std::string name = printable(chart.lines[i].name, false);
    if (!out.empty()) out += "   ";
    out += colour ? fmt::format("\x1b[{}m\u2501\u2501\x1b[0m {}", kTerminalColours[i % kTerminalColours.size()], name) : name;
  }
  return out;
}

}  // namespace

std::string terminal_chart(const Chart& chart, const TerminalChartSize& size) {
  const int rows = std::max(size.rows, 4);
  const auto marks = number_marks(chart.y_min, chart.y_max, rows / 4);
  size_t margin = 0;
  for (const AxisMark& mark : marks) margin = std::max(margin, mark.text.size());
  const int columns = std::max(size.columns - static_cast<int>(margin) - 3, 16);
  Canvas canvas(columns, rows);
  for (size_t i = 0; i < chart.lines.size(); ++i) draw_line(chart, i, &canvas);
  std::string out;
  if (!chart.title.empty()) out += printable(chart.title, false) + "\n";
  out += legend(chart, size.colour) + "\n";
  for (int row = 0; row < rows; ++row) {
    std::string text;
    for (const AxisMark& mark : marks) {
      if (rows - 1 - place(mark.at, chart.y_min, chart.y_max, rows) == row) text = mark.text;
    }
    out += fmt::format("{:>{}} {}{}\n", text, margin, text.empty() ? "\u2502" : "\u2524", canvas.row(row, size.colour));
  }
  std::string line;
  for (int i = 0; i < columns; ++i) line += "\u2500";
  out += fmt::format("{:>{}} \u2514{}\n", "", margin, line);
  out += fmt::format("{:>{}}  {}\n", "", margin, x_axis_text(chart, columns));
  const std::string span = chart.x_is_time ? time_span_text(chart.x_min, chart.x_max) : "";
  out += fmt::format("{:>{}}  {}{}{}\n", "", margin, printable(chart.x_name, false), span.empty() ? "" : ", ", span);
  return out;
}

}  // namespace braid::cli
