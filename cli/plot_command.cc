#include "cli/plot_command.h"

#include <unistd.h>

#include "cli/chart.h"
#include "cli/output_file.h"
#include "cli/svg_chart.h"
#include "cli/terminal.h"
#include "cli/terminal_chart.h"

namespace braid::cli {

namespace {

std::string in_one_line(const std::string& sql) {
  std::string out;
  for (const char c : sql) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank) out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

}  // namespace

Done run_plot(const Session& session, const PlotArguments& arguments, std::FILE* out) {
  // The result comes before the file is opened: a mistake leaves an older file as it is.
  Outcome<Chart> chart = read_chart(session, arguments.sql);
  if (!chart.ok()) return chart.failure();
  if (arguments.svg.empty()) {
    chart->title = arguments.title;
    TerminalChartSize size;
    size.columns = arguments.width > 0 ? arguments.width : terminal_columns(STDOUT_FILENO);
    if (arguments.height > 0) size.rows = arguments.height;
    size.colour = out == stdout && may_colour(STDOUT_FILENO);
    const std::string text = terminal_chart(*chart, size);
    std::fwrite(text.data(), 1, text.size(), out);
    return std::nullopt;
  }
  chart->title = arguments.title.empty() ? in_one_line(arguments.sql) : arguments.title;
  SvgChartSize size;
  if (arguments.width > 0) size.width = arguments.width;
  if (arguments.height > 0) size.height = arguments.height;
  auto file = OutputFile::open(arguments.svg);
  if (!file.ok()) return file.failure();
  (*file)->write(svg_chart(*chart, size));
  return (*file)->finish();
}

}  // namespace braid::cli
