#include "cli/statement_words.h"

#include <cctype>
#include <vector>

namespace braid::cli {

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
}

namespace {

std::string lower(std::string_view text) {
  std::string low;
  for (char c : text) low += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return low;
}

/// Words, quoted things with their quotes, and single characters. A quote within quotes is doubled.
std::vector<std::string_view> lexemes(std::string_view sql) {
  std::vector<std::string_view> found;
  for (size_t at = 0; at < sql.size();) {
    const char c = sql[at];
    size_t end = at + 1;
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
      const char close = c == '[' ? ']' : c;
      while (end < sql.size()) {
        if (sql[end++] != close) continue;
        if (end >= sql.size() || sql[end] != close || c == '[') break;
        ++end;
      }
    } else if (is_word_byte(c)) {
      while (end < sql.size() && is_word_byte(sql[end])) ++end;
    }
    if (std::isspace(static_cast<unsigned char>(c)) == 0) found.push_back(sql.substr(at, end - at));
    at = end;
  }
  return found;
}

}  // namespace

std::string module_of_virtual_table(std::string_view sql) {
  const std::vector<std::string_view> words = lexemes(sql);
  if (words.size() < 2 || lower(words[0]) != "create" || lower(words[1]) != "virtual") return "";
  for (size_t i = 2; i + 1 < words.size(); ++i) {
    if (lower(words[i]) == "using") return lower(words[i + 1]);
  }
  return "";
}

std::string setting_of_virtual_table(std::string_view sql, std::string_view name) {
  const std::vector<std::string_view> words = lexemes(sql);
  for (size_t i = 0; i + 2 < words.size(); ++i) {
    const bool named = lower(words[i]) == name && words[i + 1] == "=";
    if (named && words[i + 2].size() >= 2 && words[i + 2].front() == '\'') return std::string(words[i + 2].substr(1, words[i + 2].size() - 2));
  }
  return "";
}

}  // namespace braid::cli
