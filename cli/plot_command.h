// braid plot: the lines of a query on the terminal or as SVG.
#pragma once

#include <cstdio>
#include <string>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

struct PlotArguments {
  std::string sql;
  std::string svg;    ///< file; "" for the terminal, "-" for standard output
  std::string title;  ///< "": the query
  int width = 0;      ///< columns, or pixels; 0: the terminal's, or 960
  int height = 0;     ///< rows, or pixels; 0: 20, or 480
};

/// `out`: where a plot of characters goes.
Done run_plot(const Session& session, const PlotArguments& arguments, std::FILE* out);

}  // namespace braid::cli
