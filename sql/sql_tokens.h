// The tokens of one SQL statement, as SQLite divides text into them. Text that SQLite would refuse has no tokens here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

enum class TokenKind : uint8_t {
  kWord,      // a name or a keyword, without quotes
  kQuoted,    // "name", `name` or [name]
  kString,    // 'text'
  kNumber,
  kBlob,      // x'00'
  kVariable,  // ?, ?1, :name, @name, $name
  kOperator,  // parentheses and commas too
};

struct SqlToken {
  TokenKind kind = TokenKind::kOperator;
  uint32_t start = 0;
  uint32_t size = 0;
  /// Of a parenthesis, the index of its other one.
  uint32_t partner = 0;
  /// Of a variable, the number by which values are bound to it.
  uint32_t variable = 0;
};

/// A value: the text is borrowed.
class SqlTokens {
 public:
  /// The first statement of `sql`. Nothing for text with an illegal token, or parentheses that do not pair.
  static std::optional<SqlTokens> of(std::string_view sql);

  size_t size() const { return tokens_.size(); }
  const SqlToken& operator[](size_t index) const { return tokens_[index]; }
  std::string_view text(size_t index) const { return sql_.substr(tokens_[index].start, tokens_[index].size); }
  /// The text from the token `first` up to where the token `limit` starts, without blanks at its end; comments stay.
  std::string_view span(size_t first, size_t limit) const;
  /// Blanks and comments between a token, which is not the first, and the one before.
  std::string_view gap_before(size_t index) const;
  /// Bytes that the statement takes of the text, its semicolon included.
  size_t used() const { return used_; }
  /// Variables take the numbers 1 to this.
  uint32_t variable_count() const { return variable_count_; }

  bool is_operator(size_t index, std::string_view text) const;
  /// Is it this keyword, or an unquoted name, in any case of letters?
  bool is_word(size_t index, std::string_view word) const;
  bool is_name(size_t index) const { return index < size() && (tokens_[index].kind == TokenKind::kWord || tokens_[index].kind == TokenKind::kQuoted); }
  /// The name that a word or a quoted name stands for; of a string, its text.
  std::string name(size_t index) const;
  /// Is it a word or a quoted name that stands for `name`?
  bool names(size_t index, std::string_view name) const;

 private:
  explicit SqlTokens(std::string_view sql) : sql_(sql) {}
  bool read();
  bool number_variables();

  std::string_view sql_;
  std::vector<SqlToken> tokens_;
  size_t used_ = 0;
  uint32_t variable_count_ = 0;
};

/// Whether the keyword or name stands in the first statement of `sql`; cheap, and looks no further.
bool statement_has_word(std::string_view sql, std::string_view word);

/// Whether it is the first word of the first statement of `sql`.
bool statement_begins_with(std::string_view sql, std::string_view word);

}  // namespace braid
