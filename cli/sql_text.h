// Values as SQL text that gives them back.
#pragma once

#include <string>
#include <string_view>

#include "cli/output.h"

namespace braid::cli {

/// The text as a literal in single quotes. SQL text ends at a NUL and is UTF-8, and many a program
/// changes the ends of lines: what has a NUL or a carriage return, or is no UTF-8, becomes
/// CAST(x'...' AS TEXT).
std::string sql_string(std::string_view text);

/// "1.0", "1e+100", 9e999 for infinity; NULL for NaN, which SQL knows as that.
std::string sql_real(double value);

/// Appends the value as an expression.
void append_sql_value(std::string* sql, const Cell& cell);

}  // namespace braid::cli
