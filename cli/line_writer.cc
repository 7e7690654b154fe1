#include "cli/line_writer.h"

#include <algorithm>

#include "cli/colour.h"
#include "cli/terminal.h"

namespace braid::cli {

void LineWriter::begin(std::span<const std::string> columns) {
  int width = 0;
  names_.clear();
  for (const std::string& column : columns) {
    names_.push_back(printable(column, false));
    width = std::max(width, display_width(names_.back()));
  }
  for (std::string& name : names_) name.insert(0, width - display_width(name), ' ');
}

void LineWriter::row(std::span<const Cell> cells) {
  std::string lines = first_ ? "" : "\n";
  first_ = false;
  for (size_t i = 0; i < cells.size(); ++i) {
    lines += coloured(names_[i], kBold, colour_);
    lines += " = ";
    lines += cells[i].type == BRAID_TYPE_NULL ? coloured("NULL", kDim, colour_)
                                              : printable(cell_text(cells[i]), false);
    lines += '\n';
  }
  std::fwrite(lines.data(), 1, lines.size(), stream_);
}

}  // namespace braid::cli
