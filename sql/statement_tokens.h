// The words of one SQL statement, for what is recognised in its text before SQLite sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

enum class StatementTokenKind : uint8_t {
  kWord,        // a keyword or a name
  kName,        // a quoted name
  kText,        // 'text' or x'blob'
  kNumber,
  kParameter,   // ?, ?1, :name, @name, $name
  kOpen,        // (
  kClose,       // )
  kSign,        // all else, an operator as SQLite reads it
};

struct StatementToken {
  StatementTokenKind kind;
  std::string text;
  int depth = 0;  // of parentheses around it; a parenthesis has the depth of what stands outside

  /// The keyword, whatever its case.
  bool is(std::string_view word) const;
  bool is_sign(std::string_view sign) const { return kind == StatementTokenKind::kSign && text == sign; }
};

/// The statement that `sql` begins with, without comments and the semicolon at its end. `used` receives the bytes up to and with that. Text
/// that is no SQL gives tokens too; SQLite then says what is wrong.
std::vector<StatementToken> tokens_of_statement(std::string_view sql, size_t& used);

/// Whether the keyword or name stands in that statement; cheap, and looks no further.
bool statement_has_word(std::string_view sql, std::string_view word);

/// Gives each `?` the number that SQLite gives it, so that parts of the statement may be moved and repeated.
void number_parameters(std::vector<StatementToken>& tokens);

}  // namespace braid
