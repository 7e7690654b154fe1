#include "sql/statement_tokens.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace braid {

namespace {

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; }
bool is_name_part(char c) { return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '$'; }

size_t end_of_name(std::string_view sql, size_t at) {
  while (at < sql.size() && is_name_part(sql[at])) ++at;
  return at;
}

/// After the closing quote; a doubled quote is one within.
size_t end_of_quoted(std::string_view sql, size_t at) {
  const char close = sql[at] == '[' ? ']' : sql[at];
  for (++at; at < sql.size(); ++at) {
    if (sql[at] != close) continue;
    if (close == ']' || at + 1 >= sql.size() || sql[at + 1] != close) return at + 1;
    ++at;
  }
  return sql.size();
}

/// Digits, hexadecimal digits, a point, an exponent.
size_t end_of_number(std::string_view sql, size_t at) {
  while (at < sql.size() && (is_name_part(sql[at]) || sql[at] == '.' ||
                             ((sql[at] == '+' || sql[at] == '-') && (sql[at - 1] == 'e' || sql[at - 1] == 'E'))))
    ++at;
  return at;
}

size_t end_of_blank(std::string_view sql, size_t at) {
  for (;;) {
    at = std::min(sql.find_first_not_of(" \t\r\n\f", at), sql.size());
    const std::string_view rest = sql.substr(at);
    const std::string_view end = rest.starts_with("--") ? "\n" : rest.starts_with("/*") ? "*/" : "";
    if (end.empty()) return at;
    const size_t found = sql.find(end, at + 2);
    at = found == std::string_view::npos ? sql.size() : found + end.size();
  }
}

size_t end_of_sign(std::string_view sql, size_t at) {
  static constexpr std::string_view kLong[] = {"->>", "->", "||", "<=", ">=", "<>", "<<", ">>", "==", "!=", "=>", ":="};
  for (const std::string_view sign : kLong)
    if (sql.substr(at).starts_with(sign)) return at + sign.size();
  return at + 1;
}

std::pair<StatementTokenKind, size_t> next_token(std::string_view sql, size_t at) {
  const char c = sql[at];
  const char following = at + 1 < sql.size() ? sql[at + 1] : '\0';
  if ((c == 'x' || c == 'X') && following == '\'') return {StatementTokenKind::kText, end_of_quoted(sql, at + 1)};
  if (is_name_start(c)) return {StatementTokenKind::kWord, end_of_name(sql, at)};
  if (std::isdigit(static_cast<unsigned char>(c)) != 0 || (c == '.' && std::isdigit(static_cast<unsigned char>(following)) != 0))
    return {StatementTokenKind::kNumber, end_of_number(sql, at)};
  switch (c) {
    case '\'': return {StatementTokenKind::kText, end_of_quoted(sql, at)};
    case '"':
    case '`':
    case '[': return {StatementTokenKind::kName, end_of_quoted(sql, at)};
    case '(': return {StatementTokenKind::kOpen, at + 1};
    case ')': return {StatementTokenKind::kClose, at + 1};
    case '?': return {StatementTokenKind::kParameter, end_of_name(sql, at + 1)};
    case ':':
    case '@':
    case '$':
      if (is_name_part(following)) return {StatementTokenKind::kParameter, end_of_name(sql, at + 1)};
      break;
    default: break;
  }
  return {StatementTokenKind::kSign, end_of_sign(sql, at)};
}

}  // namespace

bool StatementToken::is(std::string_view word) const {
  return kind == StatementTokenKind::kWord && text.size() == word.size() && strncasecmp(text.data(), word.data(), word.size()) == 0;
}

std::vector<StatementToken> tokens_of_statement(std::string_view sql, size_t& used) {
  std::vector<StatementToken> tokens;
  int depth = 0;
  size_t at = end_of_blank(sql, 0);
  while (at < sql.size()) {
    const auto [kind, end] = next_token(sql, at);
    if (kind == StatementTokenKind::kClose) --depth;
    if (kind == StatementTokenKind::kSign && sql[at] == ';') {
      at = end;
      if (!tokens.empty()) break;  // an empty statement before it is passed over
    } else {
      tokens.push_back({kind, std::string(sql.substr(at, end - at)), depth});
      at = end;
    }
    if (kind == StatementTokenKind::kOpen) ++depth;
    at = end_of_blank(sql, at);
  }
  used = at;
  return tokens;
}

bool statement_has_word(std::string_view sql, std::string_view word) {
  bool any = false;
  for (size_t at = end_of_blank(sql, 0); at < sql.size(); at = end_of_blank(sql, at)) {
    const auto [kind, end] = next_token(sql, at);
    const bool ends = kind == StatementTokenKind::kSign && sql[at] == ';';
    if (ends && any) return false;
    if (kind == StatementTokenKind::kWord && end - at == word.size() && strncasecmp(sql.data() + at, word.data(), word.size()) == 0) return true;
    any = any || !ends;
    at = end;
  }
  return false;
}

void number_parameters(std::vector<StatementToken>& tokens) {
  int64_t greatest = 0;
  std::vector<std::string> names;
  for (StatementToken& token : tokens) {
    if (token.kind != StatementTokenKind::kParameter) continue;
    if (token.text == "?") {
      token.text += std::to_string(++greatest);
    } else if (token.text.front() == '?') {
      int64_t number = 0;
      std::from_chars(token.text.data() + 1, token.text.data() + token.text.size(), number);
      greatest = std::max(greatest, number);
    } else if (std::find(names.begin(), names.end(), token.text) == names.end()) {
      names.push_back(token.text);
      ++greatest;
    }
  }
}

}  // namespace braid
