#include "cli/box_writer.h"

#include <algorithm>
#include <array>

#include "cli/colour.h"
#include "cli/terminal.h"

namespace braid::cli {

namespace {

struct Rule {
  std::string_view left;
  std::string_view line;
  std::string_view cross;
  std::string_view right;
};

/// What a style draws; a rule without a line is left out.
struct Border {
  std::string_view side;
  Rule top;
  Rule middle;
  Rule bottom;
};

// In the order of BoxStyle.
constexpr std::array<Border, 3> kBorders = {{
    {"│", {"┌", "─", "┬", "┐"}, {"├", "─", "┼", "┤"}, {"└", "─", "┴", "┘"}},
    {"|", {"+", "-", "+", "+"}, {"+", "-", "+", "+"}, {"+", "-", "+", "+"}},
    {"|", {}, {"|", "-", "|", "|"}, {}},
}};

const Border& border_of(BoxStyle style) { return kBorders[static_cast<size_t>(style)]; }

// A cell of Markdown is one line, and a bar would end it.
std::string markdown_text(std::string_view text) {
  std::string shown;
  for (char c : text) {
    if (c == '|') shown += "\\|";
    else if (c == '\n') shown += "<br>";
    else shown += c;
  }
  return shown;
}

}  // namespace

BoxWriter::BoxCell BoxWriter::make_cell(Kind kind, std::string_view text) const {
  BoxCell cell{.kind = kind};
  std::string shown = printable(text, true);
  if (style_ == BoxStyle::kMarkdown) shown = markdown_text(shown);
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

void append_rule(std::string* box, const Rule& rule, const std::vector<int>& widths) {
  if (rule.line.empty()) return;
  *box += rule.left;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) *box += rule.cross;
    for (int j = 0; j < widths[i] + 2; ++j) *box += rule.line;
  }
  *box += rule.right;
  *box += '\n';
}

}  // namespace

void BoxWriter::append_row(std::string* box, const BoxRow& row,
                           const std::vector<int>& widths) const {
  const std::string_view side = border_of(style_).side;
  size_t height = 1;
  for (const BoxCell& cell : row) height = std::max(height, cell.lines.size());
  for (size_t line = 0; line < height; ++line) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string text = line < row[i].lines.size() ? row[i].lines[line] : "";
      const std::string padding(widths[i] - display_width(text), ' ');
      const Kind kind = row[i].kind;
      *box += side;
      *box += ' ';
      if (kind == Kind::kNumber) *box += padding;
      *box += coloured(text, kind == Kind::kHeader ? kBold : kDim,
                       colour_ && (kind == Kind::kHeader || kind == Kind::kNull));
      if (kind != Kind::kNumber) *box += padding;
      *box += ' ';
    }
    *box += side;
    *box += '\n';
  }
}

void BoxWriter::write_box() {
  const std::vector<int> columns = widths();
  const Border& border = border_of(style_);
  std::string box;
  // Markdown knows one heading: further rows go on with the same table.
  if (style_ != BoxStyle::kMarkdown || !written_) {
    append_rule(&box, border.top, columns);
    append_row(&box, header_, columns);
    append_rule(&box, border.middle, columns);
  }
  for (const BoxRow& row : rows_) append_row(&box, row, columns);
  append_rule(&box, border.bottom, columns);
  std::fwrite(box.data(), 1, box.size(), stream_);
  rows_.clear();
  written_ = true;
}

}  // namespace braid::cli
