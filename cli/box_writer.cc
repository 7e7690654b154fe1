#include "cli/box_writer.h"

#include <algorithm>

#include "cli/colour.h"
#include "cli/terminal.h"

namespace braid::cli {

BoxWriter::BoxCell BoxWriter::make_cell(Kind kind, std::string_view text) {
  BoxCell cell{.kind = kind};
  const std::string shown = printable(text, true);
  size_t start = 0;
  for (;;) {
    const size_t newline = shown.find('\n', start);
    cell.lines.push_back(shown.substr(start, newline - start));
    if (newline == std::string::npos) return cell;
    start = newline + 1;
  }
}

void BoxWriter::begin(std::span<const std::string> columns) {
  header_.clear();
  rows_.clear();
  written_ = false;
  for (const std::string& column : columns) header_.push_back(make_cell(Kind::kHeader, column));
}

void BoxWriter::row(std::span<const Cell> cells) {
  BoxRow& row = rows_.emplace_back();
  for (const Cell& cell : cells) {
    const bool number = cell.type == BRAID_TYPE_INT64 || cell.type == BRAID_TYPE_DOUBLE;
    if (cell.type == BRAID_TYPE_NULL) {
      row.push_back(make_cell(Kind::kNull, "NULL"));
    } else {
      row.push_back(make_cell(number ? Kind::kNumber : Kind::kText, cell_text(cell)));
    }
  }
  if (rows_.size() >= kBatchRows) write_box();
}

void BoxWriter::end() {
  if (!rows_.empty() || !written_) write_box();
}

std::vector<int> BoxWriter::widths() const {
  std::vector<int> widths(header_.size(), 0);
  auto widen = [&widths](const BoxRow& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      for (const std::string& line : row[i].lines) {
        widths[i] = std::max(widths[i], display_width(line));
      }
    }
  };
  widen(header_);
  for (const BoxRow& row : rows_) widen(row);
  return widths;
}

namespace {

struct Rule {
  std::string_view left;
  std::string_view cross;
  std::string_view right;
};

constexpr Rule kTop = {"┌", "┬", "┐"};
constexpr Rule kMiddle = {"├", "┼", "┤"};
constexpr Rule kBottom = {"└", "┴", "┘"};

void append_rule(std::string* box, const Rule& rule, const std::vector<int>& widths) {
  *box += rule.left;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) *box += rule.cross;
    for (int j = 0; j < widths[i] + 2; ++j) *box += "─";
  }
  *box += rule.right;
  *box += '\n';
}

}  // namespace

void BoxWriter::append_row(std::string* box, const BoxRow& row, const std::vector<int>& widths,
                           bool colour) {
  size_t height = 1;
  for (const BoxCell& cell : row) height = std::max(height, cell.lines.size());
  for (size_t line = 0; line < height; ++line) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string text = line < row[i].lines.size() ? row[i].lines[line] : "";
      const std::string padding(widths[i] - display_width(text), ' ');
      const Kind kind = row[i].kind;
      *box += "│ ";
      if (kind == Kind::kNumber) *box += padding;
      *box += coloured(text, kind == Kind::kHeader ? kBold : kDim,
                       colour && (kind == Kind::kHeader || kind == Kind::kNull));
      if (kind != Kind::kNumber) *box += padding;
      *box += ' ';
    }
    *box += "│\n";
  }
}

void BoxWriter::write_box() {
  const std::vector<int> columns = widths();
  std::string box;
  append_rule(&box, kTop, columns);
  append_row(&box, header_, columns, colour_);
  append_rule(&box, kMiddle, columns);
  for (const BoxRow& row : rows_) append_row(&box, row, columns, colour_);
  append_rule(&box, kBottom, columns);
  std::fwrite(box.data(), 1, box.size(), stream_);
  rows_.clear();
  written_ = true;
}

}  // namespace braid::cli
