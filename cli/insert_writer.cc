#include "cli/insert_writer.h"

#include "cli/session.h"
#include "cli/sql_text.h"

namespace braid::cli {

void InsertWriter::begin(std::span<const std::string> columns) {
  head_ = "INSERT INTO " + quote_identifier(table_) + "(";
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) head_ += ", ";
    head_ += quote_identifier(columns[i]);
  }
  head_ += ") VALUES(";
}

void InsertWriter::row(std::span<const Cell> cells) {
  line_ = head_;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line_ += ", ";
    append_sql_value(&line_, cells[i]);
  }
  line_ += ");\n";
  std::fwrite(line_.data(), 1, line_.size(), stream_);
}

}  // namespace braid::cli
