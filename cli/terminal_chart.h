// A chart for the terminal: lines of Braille dots, or of stars where that is all there is.
#pragma once

#include <string>

#include "cli/chart.h"

namespace braid::cli {

struct TerminalChartSize {
  int columns = 80;  ///< of the whole, at least 30
  int rows = 20;     ///< of the field of lines, at least 4
  bool colour = false;
};

std::string terminal_chart(const Chart& chart, const TerminalChartSize& size);

}  // namespace braid::cli
