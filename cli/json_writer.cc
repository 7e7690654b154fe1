#include "cli/json_writer.h"

#include <fmt/format.h>

#include "cli/json_text.h"

namespace braid::cli {

void JsonWriter::begin(std::span<const std::string> columns) {
  names_.clear();
  for (const std::string& column : columns) {
    append_json_string(&names_.emplace_back(), column);
    names_.back() += ':';
  }
  first_ = true;
  if (layout_ == JsonLayout::kArray) std::fputc('[', stream_);
}

namespace {

void append_cell(std::string* json, const Cell& cell) {
  switch (cell.type) {
    case BRAID_TYPE_INT64:
      fmt::format_to(std::back_inserter(*json), "{}", cell.integer);
      return;
    case BRAID_TYPE_DOUBLE:
      append_json_double(json, cell.real);
      return;
    case BRAID_TYPE_TEXT:
      append_json_string(json, cell.text);
      return;
    case BRAID_TYPE_BLOB:
      append_json_string(json, hex_text(cell.text));
      return;
    default:
      *json += "null";
      return;
  }
}

}  // namespace

void JsonWriter::row(std::span<const Cell> cells) {
  line_ = first_ || layout_ == JsonLayout::kLines ? "{" : ",\n{";
  first_ = false;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line_ += ',';
    line_ += names_[i];
    append_cell(&line_, cells[i]);
  }
  line_ += layout_ == JsonLayout::kLines ? "}\n" : "}";
  std::fwrite(line_.data(), 1, line_.size(), stream_);
}

void JsonWriter::end() {
  if (layout_ == JsonLayout::kArray) std::fputs("]\n", stream_);
}

}  // namespace braid::cli
