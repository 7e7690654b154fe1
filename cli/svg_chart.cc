#include "cli/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/picture_layout.h"
#include "cli/xml_text.h"

namespace braid::cli {

namespace {

constexpr const char* kGround = "#fcfcfa";
constexpr const char* kGrid = "#e3e5e8";
constexpr const char* kAxis = "#8a919c";
constexpr const char* kText = "#333a44";
constexpr double kFontSize = 11.5;
constexpr double kTop = 44, kRight = 20, kBottom = 58, kLegendLine = 18;
constexpr int kMarkSpace = 90;  // between marks of time

constexpr std::array<const char*, kChartLinesMax> kLineColours = {"#2f6fb0", "#c2571a", "#2f8f5b", "#a4408f", "#b58a00", "#5b57b8",
                                                              "#1f8f96", "#b23a48", "#6b7a1f", "#7a5a3a", "#5f6875", "#d0508a"};

class SvgChart {
 public:
  SvgChart(const Chart& chart, const SvgChartSize& size) : chart_(chart), width_(size.width), height_(size.height) {
    y_marks_ = number_marks(chart.y_min, chart.y_max, std::max(2, size.height / 70));
    for (const AxisMark& mark : y_marks_) left_ = std::max(left_, text_width(mark.text, kFontSize) + 22);
    const int marks = std::max(2, static_cast<int>(field_width()) / kMarkSpace);
    x_marks_ = chart.x_is_time ? time_marks(chart.x_min, chart.x_max, marks) : number_marks(chart.x_min, chart.x_max, marks);
    place_legend();
  }

  std::string write() {
    begin();
    write_grid();
    for (size_t i = 0; i < chart_.lines.size(); ++i) write_line(i);
    write_legend();
    text_ += "</svg>\n";
    return std::move(text_);
  }

 private:
  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  double field_width() const { return width_ - left_ - kRight; }
  double field_top() const { return kTop + kLegendLine * legend_rows_; }
  double field_height() const { return std::max(height_ - field_top() - kBottom, 40.0); }
  double at_x(double x) const { return left_ + (x - chart_.x_min) / (chart_.x_max - chart_.x_min) * field_width(); }
  double at_y(double y) const { return field_top() + (chart_.y_max - y) / (chart_.y_max - chart_.y_min) * field_height(); }

  void begin() {
    add("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"{2}\" fill=\"{3}\">\n",
        width_, height_, kFontSize, kText);
    add("<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n", xml_text(chart_.title), kGround);
    add("<text x=\"{:.0f}\" y=\"24\" font-size=\"14\">{}</text>\n", left_, xml_text(shortened(chart_.title, 110)));
  }

  void write_grid() {
    const double bottom = field_top() + field_height();
    for (const AxisMark& mark : y_marks_) {
      const double y = at_y(mark.at);
      add("<path d=\"M{:.1f} {:.1f}H{:.1f}\" stroke=\"{}\"/>", left_, y, width_ - kRight, kGrid);
      add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left_ - 8, y + 4, xml_text(mark.text));
    }
    for (const AxisMark& mark : x_marks_) {
      const double x = at_x(mark.at);
      add("<path d=\"M{:.1f} {:.1f}V{:.1f}\" stroke=\"{}\"/>", x, field_top(), bottom + 5, kGrid);
      add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", x, bottom + 19, xml_text(mark.text));
    }
    add("<path d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}\" fill=\"none\" stroke=\"{}\"/>\n", left_, field_top(), bottom, width_ - kRight, kAxis);
    const std::string span = chart_.x_is_time ? time_span_text(chart_.x_min, chart_.x_max) : "";
    add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n", left_ + field_width() / 2, bottom + 42, kAxis,
        xml_text(span.empty() ? chart_.x_name : chart_.x_name + ", " + span));
  }

  /// Points of one pixel column are drawn as the line from their least to their greatest: no more can be seen.
  void write_line(size_t index) {
    const ChartLine& line = chart_.lines[index];
    const char* colour = kLineColours[index % kLineColours.size()];
    std::string path;
    bool joined = false;
    size_t i = 0;
    while (i < line.x.size()) {
      if (std::isnan(line.y[i])) {
        joined = false;
        ++i;
        continue;
      }
      size_t end = i + 1, least = i, greatest = i;
      while (end < line.x.size() && !std::isnan(line.y[end]) && at_x(line.x[end]) - at_x(line.x[i]) < 0.5) {
        if (line.y[end] < line.y[least]) least = end;
        if (line.y[end] > line.y[greatest]) greatest = end;
        ++end;
      }
      const bool alone = !joined && (end == line.x.size() || std::isnan(line.y[end]));
      for (const size_t at : {i, std::min(least, greatest), std::max(least, greatest), end - 1}) {
        fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", joined ? "L" : "M", at_x(line.x[at]), at_y(line.y[at]));
        joined = true;
        if (end == i + 1) break;
      }
      if (alone) add("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\" fill=\"{}\"/>", at_x(line.x[i]), at_y(line.y[i]), colour);
      i = end;
    }
    add("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" stroke-linejoin=\"round\"><title>{}</title></path>\n", path, colour,
        xml_text(line.name));
  }

  static std::string legend_text(const ChartLine& line) { return shortened(line.name, 48); }

  void place_legend() {
    double x = left_;
    legend_rows_ = 0;
    for (const ChartLine& line : chart_.lines) {
      const double width = text_width(legend_text(line), kFontSize) + 44;
      if (x > left_ && x + width > width_ - kRight) {
        x = left_;
        ++legend_rows_;
      }
      legend_.push_back({x, legend_rows_ * kLegendLine + 36});
      x += width;
    }
  }

  void write_legend() {
    for (size_t i = 0; i < chart_.lines.size(); ++i) {
      add("<path d=\"M{0:.1f} {1:.1f}h18\" stroke=\"{2}\" stroke-width=\"2.5\"/><text x=\"{3:.1f}\" y=\"{4:.1f}\">{5}</text>\n", legend_[i].first,
          legend_[i].second, kLineColours[i % kLineColours.size()], legend_[i].first + 24, legend_[i].second + 4, xml_text(legend_text(chart_.lines[i])));
    }
  }

  const Chart& chart_;
  const int width_;
  const int height_;
  double left_ = 40;
  int legend_rows_ = 0;
  std::vector<AxisMark> x_marks_;
  std::vector<AxisMark> y_marks_;
  std::vector<std::pair<double, double>> legend_;
  std::string text_;
};

}  // namespace

std::string svg_chart(const Chart& chart, const SvgChartSize& size) { return SvgChart(chart, size).write(); }

}  // namespace braid::cli
