#include "cli/hypertable_schema.h"

#include <algorithm>
#include <cctype>

#include "cli/import_column.h"

namespace braid::cli {

namespace {

enum class TokenKind : uint8_t { kWord, kQuoted, kSymbol };

struct SqlToken {
  TokenKind kind = TokenKind::kSymbol;
  std::string text;  ///< without its quotes
};

bool is_name_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
}

// Moves past a quoted token that begins at `*at`, doubled quotes inside it being one.
SqlToken take_quoted(std::string_view sql, size_t* at) {
  const char close = sql[*at] == '[' ? ']' : sql[*at];
  SqlToken token{.kind = TokenKind::kQuoted};
  for (++*at; *at < sql.size(); ++*at) {
    if (sql[*at] == close) {
      if (close == ']' || *at + 1 >= sql.size() || sql[*at + 1] != close) break;
      ++*at;
    }
    token.text += sql[*at];
  }
  ++*at;
  return token;
}

std::vector<SqlToken> tokens_of(std::string_view sql) {
  std::vector<SqlToken> tokens;
  size_t at = 0;
  while (at < sql.size()) {
    const char c = sql[at];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
    } else if (sql.substr(at, 2) == "--") {
      at = std::min(sql.size(), sql.find('\n', at));
    } else if (sql.substr(at, 2) == "/*") {
      const size_t close = sql.find("*/", at + 2);
      at = close == std::string_view::npos ? sql.size() : close + 2;
    } else if (std::string_view("'\"`[").find(c) != std::string_view::npos) {
      tokens.push_back(take_quoted(sql, &at));
    } else if (is_name_byte(c)) {
      const size_t start = at;
      while (at < sql.size() && is_name_byte(sql[at])) ++at;
      tokens.push_back({TokenKind::kWord, std::string(sql.substr(start, at - start))});
    } else {
      tokens.push_back({TokenKind::kSymbol, std::string(1, c)});
      ++at;
    }
  }
  return tokens;
}

bool is_symbol(const SqlToken& token, char symbol) {
  return token.kind == TokenKind::kSymbol && token.text[0] == symbol;
}

bool is_word(const SqlToken& token, std::string_view word) {
  return token.kind == TokenKind::kWord && same_name(token.text, word);
}

// One argument of hypertable(...). True unless it is a column that is not understood.
bool read_argument(const std::vector<SqlToken>& argument, std::vector<HypertableColumn>* columns) {
  if (argument.size() < 2) return false;
  if (is_symbol(argument[1], '=')) return true;  // an option
  const std::optional<ColumnType> type = column_type_named(argument[1].text);
  if (!type.has_value()) return false;
  HypertableColumn column{.name = argument[0].text, .type = *type};
  if (is_word(argument.back(), "TAG")) column.role = HypertableColumn::Role::kTag;
  if (*type == ColumnType::kTimestamp) column.role = HypertableColumn::Role::kTime;
  columns->push_back(column);
  return true;
}

}  // namespace

std::optional<std::vector<HypertableColumn>> read_hypertable_schema(std::string_view sql) {
  const std::vector<SqlToken> tokens = tokens_of(sql);
  size_t at = 0;
  while (at + 1 < tokens.size() &&
         !(is_word(tokens[at], "hypertable") && is_symbol(tokens[at + 1], '('))) {
    ++at;
  }
  std::vector<HypertableColumn> columns;
  std::vector<SqlToken> argument;
  int depth = 0;
  for (at += 1; at < tokens.size(); ++at) {
    const SqlToken& token = tokens[at];
    if (is_symbol(token, '(') && depth++ == 0) continue;
    if (is_symbol(token, ')')) --depth;
    if (depth == 0 || (depth == 1 && is_symbol(token, ','))) {
      if (!read_argument(argument, &columns)) return std::nullopt;
      if (depth == 0) return columns;
      argument.clear();
    } else {
      argument.push_back(token);
    }
  }
  return std::nullopt;
}

}  // namespace braid::cli
