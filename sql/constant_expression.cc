#include "sql/constant_expression.h"

#include <algorithm>

#include "engine/sqlite_handle.h"
#include "sql/hypertable_columns.h"

namespace braid {

namespace {

constexpr std::string_view kExpressionWords[] = {
    "AND",  "OR",   "NOT", "IS",   "IN",    "BETWEEN", "LIKE", "GLOB",         "ESCAPE",       "CASE",             "WHEN", "THEN",
    "ELSE", "END",  "CAST", "AS",  "ISNULL", "NOTNULL", "NULL", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP", "TRUE", "FALSE",
    "DISTINCT", "FROM", "EXISTS",
};
constexpr std::string_view kPlainFunctions[] = {
    "abs",       "round",    "coalesce", "ifnull", "nullif", "iif",    "printf", "format",  "date",  "time",  "datetime", "strftime", "julianday",
    "unixepoch", "lower",    "upper",    "length", "substr", "substring", "trim", "ltrim",  "rtrim", "hex",   "instr",    "replace",  "typeof",
    "quote",     "sign",     "ceil",     "ceiling", "floor", "sqrt",   "pow",    "power",   "exp",   "ln",    "log",      "log10",    "log2",
    "mod",       "trunc",    "pi",       "min",    "max",    "now",    "time_bucket",        "char",  "unicode", "json_array",
};
constexpr std::string_view kComparisonWords[] = {"AND", "OR", "NOT", "IS", "IN", "BETWEEN", "LIKE", "GLOB", "ISNULL", "NOTNULL", "ESCAPE"};
/// LIKE, GLOB and CURRENT_TIME are calls.
constexpr std::string_view kCallFreeWords[] = {"AND", "OR", "NOT", "IS", "IN", "BETWEEN", "ISNULL", "NOTNULL", "NULL", "TRUE", "FALSE"};
constexpr std::string_view kComparisonOperators[] = {"<", "<=", "=", "==", "<>", "!=", ">=", ">"};
/// Of what follows these an expression's value may depend in ways that are not looked into.
constexpr std::string_view kForeignWords[] = {"COLLATE", "OVER", "FILTER", "RAISE", "MATCH", "REGEXP", "SELECT"};
constexpr std::string_view kRowNumbers[] = {"rowid", "oid", "_rowid_"};

template <size_t N>
bool is_one_of(const SqlTokens& tokens, size_t index, const std::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words), [&](auto word) { return tokens.is_word(index, word); });
}

/// Calls `visit` with each index outside parentheses and CASE … END, until it answers true.
template <typename Visit>
size_t find_outside(const SqlTokens& tokens, TokenRange range, Visit visit) {
  int cases = 0;
  for (size_t at = range.start; at < range.limit; ++at) {
    if (tokens.is_operator(at, "(")) {
      at = tokens[at].partner;
    } else if (tokens.is_word(at, "CASE")) {
      ++cases;
    } else if (cases > 0) {
      if (tokens.is_word(at, "END")) --cases;
    } else if (visit(at)) {
      return at;
    }
  }
  return range.limit;
}

}  // namespace

bool is_expression_word(const SqlTokens& tokens, size_t index) {
  return tokens[index].kind == TokenKind::kWord && is_one_of(tokens, index, kExpressionWords);
}

bool is_plain_function(const SqlTokens& tokens, size_t index) {
  return tokens[index].kind == TokenKind::kWord && tokens.is_operator(index + 1, "(") && is_one_of(tokens, index, kPlainFunctions);
}

bool has_comparison(const SqlTokens& tokens, TokenRange range) {
  return find_outside(tokens, range, [&](size_t at) {
           if (tokens[at].kind == TokenKind::kWord) return is_one_of(tokens, at, kComparisonWords);
           return std::any_of(std::begin(kComparisonOperators), std::end(kComparisonOperators), [&](auto text) { return tokens.is_operator(at, text); });
         }) != range.limit;
}

bool is_call_free(const SqlTokens& tokens, TokenRange range) {
  for (size_t at = range.start; at < range.limit; ++at)
    if (opens_query(tokens, at) || (tokens.is_name(at) && !is_one_of(tokens, at, kCallFreeWords))) return false;
  return true;
}

size_t find_and(const SqlTokens& tokens, TokenRange range) {
  return find_outside(tokens, range, [&](size_t at) { return tokens.is_word(at, "AND"); });
}

std::optional<std::vector<TokenRange>> split_conjunction(const SqlTokens& tokens, TokenRange range) {
  std::vector<TokenRange> parts;
  size_t start = range.start;
  size_t betweens = 0;  // whose AND is still to come
  const size_t end = find_outside(tokens, range, [&](size_t at) {
    if (tokens.is_word(at, "BETWEEN")) ++betweens;
    if (!tokens.is_word(at, "AND")) return tokens.is_word(at, "OR");
    if (betweens > 0) {
      --betweens;
      return false;
    }
    parts.push_back({start, at});
    start = at + 1;
    return false;
  });
  if (end != range.limit) return std::nullopt;
  parts.push_back({start, range.limit});
  return parts;
}

bool ConstantExpressions::belongs_to_table(std::string_view name) const {
  const HypertableDefinition& table = *table_.definition;
  const auto same = [&](std::string_view other) { return same_sql_name(name, other); };
  return same(table.time_column) || same(kPointColumn) || same(kLatestColumn) || std::any_of(table.tags.begin(), table.tags.end(), same) ||
         std::any_of(table.fields.begin(), table.fields.end(), [&](const auto& field) { return same(field.name); }) ||
         std::any_of(table_.aliases.begin(), table_.aliases.end(), same) || std::any_of(std::begin(kRowNumbers), std::end(kRowNumbers), same);
}

ConstantExpressions::Answer ConstantExpressions::look_at(TokenRange range) const {
  Answer answer;
  for (size_t at = range.start; at < range.limit; ++at) {
    const SqlToken& token = tokens_[at];
    if (opens_query(tokens_, at)) {
      if (!query_is_apart({at + 1, token.partner})) return {};
      at = token.partner;
      continue;
    }
    if (!tokens_.is_name(at)) continue;
    if (tokens_.is_word(at, "AS")) {
      // The type in CAST(… AS type).
      while (at + 1 < range.limit && tokens_.is_name(at + 1)) ++at;
      continue;
    }
    if (is_expression_word(tokens_, at) || is_plain_function(tokens_, at)) continue;
    if (tokens_.is_operator(at + 1, "(") || is_one_of(tokens_, at, kForeignWords)) return {};
    answer.names_others = true;
    if (!tokens_.is_operator(at + 1, ".")) {
      if (belongs_to_table(tokens_.name(at))) return {};
      continue;
    }
    // Of table.column and schema.table.column the last name but one is the table's.
    while (tokens_.is_operator(at + 1, ".") && tokens_.is_name(at + 2)) {
      if (tokens_.names(at, table_.qualifier)) return {};
      at += 2;
    }
  }
  answer.constant = true;
  return answer;
}

/// Does a query in parentheses not speak of the core's table? Names are found in the query's own tables first; only of one plain table is it
/// known here what it has.
bool ConstantExpressions::query_is_apart(TokenRange range) const {
  size_t selects = 0, select = range.limit;
  for (size_t at = range.start; at < range.limit; ++at) {
    if (!tokens_.is_word(at, "SELECT")) continue;
    if (selects++ == 0) select = at;
  }
  std::string inner, inner_qualifier;
  if (selects == 1) {
    const auto core = find_select_core(tokens_, select);
    if (core && core->from.size() >= 1 && core->from.size() <= 3 && tokens_.is_name(core->from.start)) {
      inner = tokens_.name(core->from.start);
      inner_qualifier = tokens_.name(core->from.limit - 1);
      if (core->from.size() == 3 && !tokens_.is_word(core->from.start + 1, "AS")) inner.clear();
      if (core->from.size() == 2 && !tokens_.is_name(core->from.start + 1)) inner.clear();
      if (std::any_of(hidden_.begin(), hidden_.end(), [&](const auto& name) { return same_sql_name(name, inner); })) inner.clear();
    }
  }
  for (size_t at = range.start; at < range.limit; ++at) {
    if (!tokens_.is_name(at) || tokens_.is_operator(at + 1, "(")) continue;
    if (tokens_.is_operator(at + 1, ".") && tokens_.is_name(at + 2)) {
      if (tokens_.names(at, table_.qualifier) && (inner.empty() || !same_sql_name(inner_qualifier, table_.qualifier))) return false;
      at += 2;
      continue;
    }
    const std::string name = tokens_.name(at);
    if (belongs_to_table(name) && (inner.empty() || !schema_.has_column(inner, name))) return false;
  }
  return true;
}

}  // namespace braid
