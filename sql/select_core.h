// Where the clauses of a SELECT core are among the tokens of a statement.
#pragma once

#include <optional>
#include <vector>

#include "sql/sql_tokens.h"

namespace braid {

struct TokenRange {
  size_t start = 0;
  size_t limit = 0;
  bool empty() const { return start >= limit; }
  size_t size() const { return empty() ? 0 : limit - start; }
};

/// One SELECT … of a statement, which may be an arm of a compound.
struct SelectCore {
  TokenRange whole;
  bool distinct = false;
  bool in_compound = false;
  TokenRange items, from, where, group, having, order, count, offset;
};

/// The core whose SELECT is the token `select`. Nothing when its clauses do not stand in their order.
std::optional<SelectCore> find_select_core(const SqlTokens& tokens, size_t select);

/// The parts of a range between commas that no parentheses enclose.
std::vector<TokenRange> split_at_commas(const SqlTokens& tokens, TokenRange range);

/// The range without parentheses around the whole of it.
TokenRange without_parentheses(const SqlTokens& tokens, TokenRange range);

/// Does the text in parentheses that opens at `open` begin a query?
bool opens_query(const SqlTokens& tokens, size_t open);

}  // namespace braid
