// A chart as SVG, which needs nothing but itself to be shown.
#pragma once

#include <string>

#include "cli/chart.h"

namespace braid::cli {

struct SvgChartSize {
  int width = 960;
  int height = 480;
};

std::string svg_chart(const Chart& chart, const SvgChartSize& size);

}  // namespace braid::cli
