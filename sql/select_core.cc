#include "sql/select_core.h"

#include <algorithm>

namespace braid {

namespace {

enum Clause : size_t { kItems, kFrom, kWhere, kGroup, kHaving, kOrder, kLimitCount, kLimitOffset };

struct ClauseRow {
  std::string_view word;
  std::string_view second;
  Clause clause;
};
constexpr ClauseRow kClauses[] = {
    {"FROM", "", kFrom},     {"WHERE", "", kWhere}, {"GROUP", "BY", kGroup},   {"HAVING", "", kHaving},
    {"ORDER", "BY", kOrder}, {"LIMIT", "", kLimitCount}, {"OFFSET", "", kLimitOffset},
};
constexpr std::string_view kCompounds[] = {"UNION", "INTERSECT", "EXCEPT"};

TokenRange SelectCore::*const kRanges[] = {&SelectCore::items, &SelectCore::from,  &SelectCore::where, &SelectCore::group,
                                           &SelectCore::having, &SelectCore::order, &SelectCore::count, &SelectCore::offset};

bool is_compound(const SqlTokens& tokens, size_t index) {
  return std::any_of(std::begin(kCompounds), std::end(kCompounds), [&](auto word) { return tokens.is_word(index, word); });
}

/// IS [NOT] DISTINCT FROM is no clause.
bool is_distinct_from(const SqlTokens& tokens, size_t from) {
  return from >= 2 && tokens.is_word(from - 1, "DISTINCT") && (tokens.is_word(from - 2, "IS") || tokens.is_word(from - 2, "NOT"));
}

const ClauseRow* clause_at(const SqlTokens& tokens, size_t index) {
  if (tokens[index].kind != TokenKind::kWord) return nullptr;
  for (const ClauseRow& row : kClauses)
    if (tokens.is_word(index, row.word) && (row.second.empty() || tokens.is_word(index + 1, row.second)) &&
        !(row.clause == kFrom && is_distinct_from(tokens, index)))
      return &row;
  return nullptr;
}

}  // namespace

std::optional<SelectCore> find_select_core(const SqlTokens& tokens, size_t select) {
  SelectCore core;
  core.in_compound = select > 0 && (is_compound(tokens, select - 1) || tokens.is_word(select - 1, "ALL"));
  size_t at = select + 1;
  if (tokens.is_word(at, "DISTINCT") || tokens.is_word(at, "ALL")) core.distinct = tokens.is_word(at++, "DISTINCT");
  Clause clause = kItems;
  size_t start = at;
  const auto close = [&](size_t limit) { core.*kRanges[clause] = {start, limit}; };
  for (; at < tokens.size() && !tokens.is_operator(at, ")") && !is_compound(tokens, at); ++at) {
    if (tokens.is_operator(at, "(")) {
      at = tokens[at].partner;
      continue;
    }
    const bool comma_in_limit = clause == kLimitCount && tokens.is_operator(at, ",");
    const ClauseRow* row = comma_in_limit ? nullptr : clause_at(tokens, at);
    if (row == nullptr && !comma_in_limit) continue;
    const Clause next = comma_in_limit ? kLimitOffset : row->clause;
    if (next <= clause) return std::nullopt;
    close(at);
    // LIMIT m, n gives the offset first.
    if (comma_in_limit) core.offset = core.count;
    clause = comma_in_limit ? kLimitCount : next;
    if (row != nullptr && !row->second.empty()) ++at;
    start = at + 1;
    if (comma_in_limit) break;
  }
  if (clause == kLimitCount && !core.offset.empty()) {
    while (at < tokens.size() && !tokens.is_operator(at, ")") && !is_compound(tokens, at)) {
      if (tokens.is_operator(at, "(")) at = tokens[at].partner;
      ++at;
    }
  }
  close(at);
  core.in_compound |= at < tokens.size() && is_compound(tokens, at);
  core.whole = {select, at};
  return core;
}

std::vector<TokenRange> split_at_commas(const SqlTokens& tokens, TokenRange range) {
  std::vector<TokenRange> parts;
  size_t start = range.start;
  for (size_t at = range.start; at < range.limit; ++at) {
    if (tokens.is_operator(at, "(")) {
      at = tokens[at].partner;
    } else if (tokens.is_operator(at, ",")) {
      parts.push_back({start, at});
      start = at + 1;
    }
  }
  parts.push_back({start, range.limit});
  return parts;
}

TokenRange without_parentheses(const SqlTokens& tokens, TokenRange range) {
  while (range.size() > 2 && tokens.is_operator(range.start, "(") && tokens[range.start].partner == range.limit - 1 && !opens_query(tokens, range.start))
    range = {range.start + 1, range.limit - 1};
  return range;
}

bool opens_query(const SqlTokens& tokens, size_t open) {
  if (!tokens.is_operator(open, "(")) return false;
  return tokens.is_word(open + 1, "SELECT") || tokens.is_word(open + 1, "WITH") || tokens.is_word(open + 1, "VALUES");
}

}  // namespace braid
