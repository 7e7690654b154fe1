#include "cli/csv_writer.h"

namespace braid::cli {

void CsvWriter::append_field(std::string_view text) {
  constexpr std::string_view kQuoted(",\"\r\n\0", 5);
  const bool plain = !text.empty() && text.find_first_of(kQuoted) == std::string_view::npos &&
                     text.front() != ' ' && text.back() != ' ' && text != null_text_;
  if (plain) {
    line_ += text;
    return;
  }
  line_ += '"';
  for (char c : text) {
    if (c == '"') line_ += '"';
    line_ += c;
  }
  line_ += '"';
}

void CsvWriter::begin(std::span<const std::string> columns) {
  line_.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line_ += ',';
    append_field(columns[i]);
  }
  line_ += '\n';
  std::fwrite(line_.data(), 1, line_.size(), stream_);
}

void CsvWriter::row(std::span<const Cell> cells) {
  line_.clear();
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line_ += ',';
    const Cell& cell = cells[i];
    if (cell.type == BRAID_TYPE_TEXT) {
      append_field(cell.text);
    } else if (cell.type == BRAID_TYPE_BLOB) {
      append_field(cell_text(cell));
    } else {
      line_ += cell.type == BRAID_TYPE_NULL ? null_text_ : cell_text(cell);
    }
  }
  line_ += '\n';
  std::fwrite(line_.data(), 1, line_.size(), stream_);
}

}  // namespace braid::cli
