#include "cli/sql_text.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/json_text.h"
#include "cli/terminal.h"

namespace braid::cli {

std::string sql_string(std::string_view text) {
  constexpr std::string_view kNotWritten("\0\r", 2);
  if (text.find_first_of(kNotWritten) != std::string_view::npos || !is_utf8(text)) {
    return fmt::format("CAST(x'{}' AS TEXT)", hex_text(text));
  }
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + '\'';
}

std::string sql_real(double value) {
  if (std::isnan(value)) return "NULL";
  if (std::isinf(value)) return value > 0 ? "9e999" : "-9e999";
  return double_text(value);
}

void append_sql_value(std::string* sql, const Cell& cell) {
  switch (cell.type) {
    case BRAID_TYPE_INT64:
      fmt::format_to(std::back_inserter(*sql), "{}", cell.integer);
      return;
    case BRAID_TYPE_DOUBLE:
      *sql += sql_real(cell.real);
      return;
    case BRAID_TYPE_TEXT:
      *sql += sql_string(cell.text);
      return;
    case BRAID_TYPE_BLOB:
      *sql += fmt::format("x'{}'", hex_text(cell.text));
      return;
    default:
      *sql += "NULL";
      return;
  }
}

}  // namespace braid::cli
