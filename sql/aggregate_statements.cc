#include "sql/aggregate_statements.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/sql_tokens.h"

namespace braid {

namespace {

/// Moves past the words if all of them stand there.
bool take_words(const SqlTokens& tokens, size_t& at, std::initializer_list<std::string_view> words) {
  size_t next = at;
  for (const std::string_view word : words)
    if (!tokens.is_word(next++, word)) return false;
  at = next;
  return true;
}

/// WITH (timescaledb.continuous …)
bool take_continuous(const SqlTokens& tokens, size_t& at) {
  if (!tokens.is_word(at, "WITH") || !tokens.is_operator(at + 1, "(")) return false;
  const size_t open = at + 1;
  at = tokens[open].partner + 1;
  return tokens.names(open + 1, "timescaledb") && tokens.is_operator(open + 2, ".") && tokens.names(open + 3, "continuous");
}

std::optional<std::string> create_view(const SqlTokens& tokens) {
  size_t at = 0;
  if (!take_words(tokens, at, {"CREATE", "MATERIALIZED", "VIEW"})) return std::nullopt;
  const bool if_absent = take_words(tokens, at, {"IF", "NOT", "EXISTS"});
  if (!tokens.is_name(at)) return std::nullopt;
  const std::string name = tokens.name(at++);
  if (!take_continuous(tokens, at) || !take_words(tokens, at, {"AS"})) return std::nullopt;
  size_t limit = tokens.size();
  bool with_data = true;
  const auto ends_with = [&](std::initializer_list<std::string_view> words) {
    size_t from = limit - std::min(limit, words.size());
    if (from <= at || !take_words(tokens, from, words)) return false;
    limit -= words.size();
    return true;
  };
  if (ends_with({"WITH", "NO", "DATA"})) with_data = false;
  else ends_with({"WITH", "DATA"});
  return fmt::format("SELECT create_continuous_aggregate({}, {}, {}, {})", quote_text(name), quote_text(tokens.span(at, limit)), with_data ? 1 : 0, if_absent ? 1 : 0);
}

std::optional<std::string> drop_view(const SqlTokens& tokens) {
  size_t at = 0;
  if (!take_words(tokens, at, {"DROP", "MATERIALIZED", "VIEW"})) return std::nullopt;
  const bool if_present = take_words(tokens, at, {"IF", "EXISTS"});
  if (!tokens.is_name(at) || at + 1 != tokens.size()) return std::nullopt;
  return fmt::format("SELECT drop_continuous_aggregate({}, {})", quote_text(tokens.name(at)), if_present ? 1 : 0);
}

std::optional<std::string> call(const SqlTokens& tokens) {
  if (!tokens.is_word(0, "CALL") || !tokens.is_name(1) || !tokens.is_operator(2, "(") || tokens[2].partner + 1 != tokens.size()) return std::nullopt;
  return fmt::format("SELECT {}", tokens.span(1, tokens.size()));
}

}  // namespace

Result<std::optional<TranslatedStatement>> translate_statement(std::string_view sql) {
  // Every statement comes here: most are told by their first letters.
  const size_t first = sql.find_first_not_of(" \t\r\n\f;");
  std::optional<TranslatedStatement> translated;
  if (first == std::string_view::npos || std::string_view("cCdD-/").find(sql[first]) == std::string_view::npos) return translated;
  const auto tokens = SqlTokens::of(sql);
  if (!tokens || tokens->size() < 4) return translated;
  for (const auto translate : {create_view, drop_view, call}) {
    auto text = translate(*tokens);
    if (text) return std::optional(TranslatedStatement{std::move(*text), tokens->used()});
  }
  size_t at = 0;
  if (!take_words(*tokens, at, {"CREATE", "MATERIALIZED", "VIEW"})) return translated;
  return Status(StatusCode::kSql,
                "CREATE MATERIALIZED VIEW makes continuous aggregates only, in the form CREATE MATERIALIZED VIEW [IF NOT EXISTS] name WITH (timescaledb.continuous) AS "
                "SELECT time_bucket(…), … GROUP BY … [WITH [NO] DATA]; of other queries CREATE VIEW makes a view and CREATE TABLE … AS a table");
}

}  // namespace braid
