#include "cli/csv_writer.h"

namespace braid::cli {

namespace {

void append_field(std::string* line, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos &&
                     text.front() != ' ' && text.back() != ' ';
  if (plain) {
    *line += text;
    return;
  }
  *line += '"';
  for (char c : text) {
    if (c == '"') *line += '"';
    *line += c;
  }
  *line += '"';
}

}  // namespace

void CsvWriter::begin(std::span<const std::string> columns) {
  line_.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line_ += ',';
    append_field(&line_, columns[i]);
  }
  line_ += '\n';
  std::fwrite(line_.data(), 1, line_.size(), stream_);
}

void CsvWriter::row(std::span<const Cell> cells) {
  line_.clear();
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line_ += ',';
    if (cells[i].type == BRAID_TYPE_TEXT) {
      append_field(&line_, cells[i].text);
    } else {
      line_ += cell_text(cells[i]);
    }
  }
  line_ += '\n';
  std::fwrite(line_.data(), 1, line_.size(), stream_);
}

}  // namespace braid::cli
