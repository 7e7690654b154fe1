#include "sql/latest_conditions.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/hypertable_columns.h"

namespace braid {

namespace {

struct NamedTable {
  const HypertableDefinition* definition = nullptr;  // null: it is no hypertable with the hidden column
  std::string qualifier;
};

/// Words that may follow a table in FROM and are not its alias.
bool ends_table(const SqlTokens& tokens, size_t at) {
  for (const std::string_view word : {"JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "OUTER", "ON", "USING", "INDEXED", "NOT"})
    if (tokens.is_word(at, word)) return true;
  return false;
}

/// The tables of FROM: a name at its start, and after each comma and JOIN that stands in no parentheses.
std::vector<NamedTable> tables_of(const SqlTokens& tokens, TokenRange from, const SchemaLookup& schema, const std::vector<std::string>& hidden) {
  std::vector<NamedTable> tables;
  bool expected = true;
  for (size_t at = from.start; at < from.limit; ++at) {
    const bool starts = std::exchange(expected, tokens.is_operator(at, ",") || tokens.is_word(at, "JOIN"));
    if (tokens.is_operator(at, "(")) {
      if (starts) tables.emplace_back();
      at = tokens[at].partner;
      continue;
    }
    if (!starts) continue;
    NamedTable& table = tables.emplace_back();
    if (tokens.is_operator(at + 1, ".")) {
      if (!tokens.names(at, "main")) continue;
      at += 2;
    }
    if (at >= from.limit || !tokens.is_name(at)) continue;
    const std::string name = tokens.name(at);
    size_t alias = at + 1;
    if (tokens.is_word(alias, "AS")) ++alias;
    const bool named = alias < from.limit && tokens.is_name(alias) && !ends_table(tokens, alias);
    table.qualifier = named ? tokens.name(alias) : name;
    const HypertableDefinition* definition = schema.hypertable(name);
    const bool is_hidden = std::any_of(hidden.begin(), hidden.end(), [&](const std::string& other) { return same_sql_name(name, other); });
    if (definition != nullptr && !is_hidden && has_latest_column(*definition)) table.definition = definition;
  }
  return tables;
}

}  // namespace

std::vector<LatestCondition> find_latest_conditions(const SqlTokens& tokens, const SelectCore& core, const SchemaLookup& schema,
                                                    const std::vector<std::string>& hidden) {
  std::vector<LatestCondition> conditions;
  if (core.where.empty() || core.from.empty()) return conditions;
  const auto terms = split_conjunction(tokens, core.where);
  if (!terms) return conditions;
  const auto tables = tables_of(tokens, core.from, schema, hidden);
  for (const TokenRange& whole : *terms) {
    const TokenRange term = without_parentheses(tokens, whole);
    const bool qualified = term.size() >= 3 && tokens.is_name(term.start) && tokens.is_operator(term.start + 1, ".");
    const size_t column = term.start + (qualified ? 2 : 0);
    if (column >= term.limit || !tokens.names(column, kLatestColumn)) continue;
    const size_t after = column + 1;
    const bool bare = after == term.limit || (after + 2 == term.limit && tokens.is_word(after, "IS") && tokens.is_word(after + 1, "TRUE"));
    if (!bare) continue;
    const HypertableDefinition* table = nullptr;
    if (!qualified) table = tables.size() == 1 ? tables.front().definition : nullptr;
    for (const NamedTable& one : tables)
      if (qualified && tokens.names(term.start, one.qualifier)) table = one.definition;
    if (table != nullptr) conditions.push_back({after, term.limit, table});
  }
  return conditions;
}

std::string unwritable_latest(std::string_view table) {
  return fmt::format("column '{}' of '{}' tells which point of its series is the last; it cannot be written", kLatestColumn, table);
}

}  // namespace braid
