// The tokens of one SQL statement each with a text of its own, so that parts of the statement may be moved and repeated.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/sqlite_handle.h"
#include "sql/sql_tokens.h"

namespace braid {

struct StatementToken {
  TokenKind kind = TokenKind::kOperator;
  std::string text;  // of `?`, with the number that SQLite gives it
  int depth = 0;     // of parentheses around it; a parenthesis has the depth of what stands outside

  /// The keyword or unquoted name, whatever its case.
  bool is(std::string_view word) const { return kind == TokenKind::kWord && same_sql_name(text, word); }
  bool is_operator(std::string_view sign) const { return kind == TokenKind::kOperator && text == sign; }
};

/// The statement that `sql` begins with, without comments and the semicolon at its end. `used` receives the bytes up to and with that. Text
/// that has no tokens gives none; SQLite then says what is wrong.
std::vector<StatementToken> tokens_of_statement(std::string_view sql, size_t& used);

}  // namespace braid
