#include "sql/sql_tokens.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "engine/sqlite_handle.h"

namespace braid {

namespace {

constexpr uint32_t kVariablesMax = 32766;  // SQLite's SQLITE_MAX_VARIABLE_NUMBER

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// `=>` and `:=` are none of SQLite's: they give an argument of time_bucket_gapfill its name.
constexpr std::string_view kOperators[] = {"->>", "->", "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "=>", ":=", "(", ")", ",",
                                           ".",   ";",  "+",  "-",  "*",  "/",  "%",  "<",  ">",  "=",  "|",  "&", "~"};

/// Reads tokens from left to right. Sizes of 0 mean "none here".
class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  /// Past blanks and comments.
  size_t after_blanks(size_t at) const {
    for (;;) {
      while (at < sql_.size() && is_space(sql_[at])) ++at;
      const bool line = starts(at, "--");
      if (!line && !starts(at, "/*")) return at;
      const std::string_view end = line ? "\n" : "*/";
      const size_t found = sql_.find(end, at + 2);
      at = found == std::string_view::npos ? sql_.size() : found + end.size();
    }
  }

  size_t size(size_t at, TokenKind& kind) const {
    const char c = sql_[at];
    if ((c == 'x' || c == 'X') && at + 1 < sql_.size() && sql_[at + 1] == '\'') {
      kind = TokenKind::kBlob;
      const size_t quoted = quoted_size(at + 1, '\'');
      return quoted == 0 ? 0 : quoted + 1;
    }
    if (is_digit(c) || (c == '.' && at + 1 < sql_.size() && is_digit(sql_[at + 1]))) {
      kind = TokenKind::kNumber;
      return number_size(at);
    }
    if (is_name_part(c) && c != '$') {
      kind = TokenKind::kWord;
      return name_size(at);
    }
    if (c == '"' || c == '`' || c == '[') {
      kind = TokenKind::kQuoted;
      return quoted_size(at, c == '[' ? ']' : c);
    }
    if (c == '\'') {
      kind = TokenKind::kString;
      return quoted_size(at, c);
    }
    if (c == '?' || (c == ':' && !starts(at, ":=")) || c == '@' || c == '$') {
      kind = TokenKind::kVariable;
      return variable_size(at);
    }
    kind = TokenKind::kOperator;
    const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators), [&](auto text) { return starts(at, text); });
    return found == std::end(kOperators) ? 0 : found->size();
  }

 private:
  bool starts(size_t at, std::string_view text) const { return sql_.substr(std::min(at, sql_.size()), text.size()) == text; }

  size_t name_size(size_t at) const {
    size_t end = at;
    while (end < sql_.size() && is_name_part(sql_[end])) ++end;
    return end - at;
  }

  size_t quoted_size(size_t at, char close) const {
    for (size_t end = at + 1; end < sql_.size(); ++end) {
      if (sql_[end] != close) continue;
      if (close != ']' && end + 1 < sql_.size() && sql_[end + 1] == close) {
        ++end;
        continue;
      }
      return end + 1 - at;
    }
    return 0;
  }

  size_t number_size(size_t at) const {
    size_t end = at;
    const auto digits = [&] {
      while (end < sql_.size() && is_digit(sql_[end])) ++end;
    };
    if (starts(at, "0x") || starts(at, "0X")) {
      end += 2;
      while (end < sql_.size() && std::isxdigit(static_cast<unsigned char>(sql_[end])) != 0) ++end;
    } else {
      digits();
      if (end < sql_.size() && sql_[end] == '.') {
        ++end;
        digits();
      }
      if (end < sql_.size() && (sql_[end] == 'e' || sql_[end] == 'E')) {
        const size_t sign = end + 1 < sql_.size() && (sql_[end + 1] == '+' || sql_[end + 1] == '-') ? 1 : 0;
        if (end + 1 + sign < sql_.size() && is_digit(sql_[end + 1 + sign])) {
          end += 1 + sign;
          digits();
        }
      }
    }
    return end < sql_.size() && is_name_part(sql_[end]) ? 0 : end - at;
  }

  size_t variable_size(size_t at) const {
    size_t end = at + 1;
    if (sql_[at] == '?') {
      while (end < sql_.size() && is_digit(sql_[end])) ++end;
      return end - at;
    }
    const size_t name = end < sql_.size() ? name_size(end) : 0;
    // Tcl's forms $a::b and $a(b) are legal and rare.
    const size_t after = end + name;
    if (name == 0 || (sql_[at] == '$' && (starts(after, "::") || starts(after, "(")))) return 0;
    return after - at;
  }

  const std::string_view sql_;
};

}  // namespace

bool statement_has_word(std::string_view sql, std::string_view word) {
  const Lexer lexer(sql);
  bool is_empty = true;
  for (size_t at = lexer.after_blanks(0); at < sql.size(); at = lexer.after_blanks(at)) {
    TokenKind kind;
    const size_t size = lexer.size(at, kind);
    if (size == 0) return false;
    const std::string_view text = sql.substr(at, size);
    if (kind == TokenKind::kWord && same_sql_name(text, word)) return true;
    if (text == ";" && !is_empty) return false;
    is_empty = is_empty && text == ";";
    at += size;
  }
  return false;
}

bool statement_begins_with(std::string_view sql, std::string_view word) {
  const Lexer lexer(sql);
  for (size_t at = lexer.after_blanks(0); at < sql.size(); at = lexer.after_blanks(at)) {
    TokenKind kind;
    const size_t size = lexer.size(at, kind);
    if (sql.substr(at, size) != ";") return kind == TokenKind::kWord && same_sql_name(sql.substr(at, size), word);
    at += size;
  }
  return false;
}

std::optional<SqlTokens> SqlTokens::of(std::string_view sql) {
  SqlTokens tokens(sql);
  if (sql.size() >= UINT32_MAX || sql.find('\0') != std::string_view::npos || !tokens.read() || !tokens.number_variables()) return std::nullopt;
  return tokens;
}

bool SqlTokens::read() {
  const Lexer lexer(sql_);
  std::vector<uint32_t> open;
  tokens_.reserve(sql_.size() / 5 + 8);
  for (size_t at = lexer.after_blanks(0); at < sql_.size(); at = lexer.after_blanks(at)) {
    SqlToken token;
    const size_t size = lexer.size(at, token.kind);
    if (size == 0) return false;
    token.start = static_cast<uint32_t>(at);
    token.size = static_cast<uint32_t>(size);
    at += size;
    const char first = token.kind == TokenKind::kOperator ? sql_[token.start] : '\0';
    if (first == ';') {
      // Semicolons before the statement belong to it.
      if (tokens_.empty()) continue;
      used_ = at;
      return open.empty();
    }
    const auto index = static_cast<uint32_t>(tokens_.size());
    if (first == '(') open.push_back(index);
    if (first == ')') {
      if (open.empty()) return false;
      token.partner = open.back();
      tokens_[open.back()].partner = index;
      open.pop_back();
    }
    tokens_.push_back(token);
  }
  used_ = sql_.size();
  return open.empty();
}

/// `?` takes the number after the greatest so far, and so does a name when it is met first.
bool SqlTokens::number_variables() {
  std::map<std::string_view, uint32_t> names;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    SqlToken& token = tokens_[i];
    if (token.kind != TokenKind::kVariable) continue;
    const std::string_view name = text(i);
    if (name == "?") {
      token.variable = variable_count_ + 1;
    } else if (name.front() == '?') {
      const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), token.variable);
      if (error != std::errc() || token.variable == 0) return false;
    } else {
      token.variable = names.try_emplace(name, variable_count_ + 1).first->second;
    }
    if (token.variable > kVariablesMax) return false;
    variable_count_ = std::max(variable_count_, token.variable);
  }
  return true;
}

std::string_view SqlTokens::span(size_t first, size_t limit) const {
  const size_t start = tokens_[first].start;
  size_t end = limit < size() ? tokens_[limit].start : used_;
  if (limit >= size() && end > start && sql_[end - 1] == ';') --end;
  while (end > start && is_space(sql_[end - 1])) --end;
  return sql_.substr(start, end - start);
}

std::string_view SqlTokens::gap_before(size_t index) const {
  const size_t start = tokens_[index - 1].start + tokens_[index - 1].size;
  return sql_.substr(start, tokens_[index].start - start);
}

bool SqlTokens::is_operator(size_t index, std::string_view text) const {
  return index < size() && tokens_[index].kind == TokenKind::kOperator && this->text(index) == text;
}

bool SqlTokens::is_word(size_t index, std::string_view word) const {
  return index < size() && tokens_[index].kind == TokenKind::kWord && same_sql_name(text(index), word);
}

std::string SqlTokens::name(size_t index) const {
  const std::string_view whole = text(index);
  const TokenKind kind = tokens_[index].kind;
  if (kind != TokenKind::kQuoted && kind != TokenKind::kString) return std::string(whole);
  std::string inner(whole.substr(1, whole.size() - 2));
  const char close = whole.back();
  if (close == ']') return inner;
  size_t kept = 0;
  for (size_t i = 0; i < inner.size(); ++i) {
    inner[kept++] = inner[i];
    if (inner[i] == close) ++i;  // doubled
  }
  inner.resize(kept);
  return inner;
}

bool SqlTokens::names(size_t index, std::string_view name) const {
  if (!is_name(index)) return false;
  if (tokens_[index].kind == TokenKind::kWord) return same_sql_name(text(index), name);
  return same_sql_name(this->name(index), name);
}

}  // namespace braid
