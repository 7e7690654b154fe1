// Which parts of a statement's text mean the same wherever they stand: those that do not speak of the rows of a hypertable.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/select_core.h"
#include "sql/sql_tokens.h"

namespace braid {

/// What the recogniser asks about the schema.
struct SchemaLookup {
  std::function<const HypertableDefinition*(std::string_view name)> hypertable;
  /// Has this table (not a view) such a column?
  std::function<bool(std::string_view table, std::string_view column)> has_column;
  /// Does the name of a hypertable occur in the text at all?
  std::function<bool(std::string_view sql)> names_hypertable;
};

/// A hypertable as a SELECT core names it.
struct CoreTable {
  const HypertableDefinition* definition = nullptr;
  std::string qualifier;             ///< alias, or the table's name
  size_t name_limit = 0;             ///< past the token of its name in FROM
  std::vector<std::string> aliases;  ///< of the core's result columns
};

/// Words that are operators or values within expressions, not names. Those of which a recognised expression may consist.
bool is_expression_word(const SqlTokens& tokens, size_t index);
/// Functions whose result depends on their arguments, the clock or nothing, and which may be called once instead of once per row.
bool is_plain_function(const SqlTokens& tokens, size_t index);
/// Does an operator stand here, outside parentheses and CASE, that compares, or binds weaker than comparisons do?
bool has_comparison(const SqlTokens& tokens, TokenRange range);
/// Values, variables and operators alone, without calls and queries: SQLite looks at such a condition once, before it opens a cursor.
bool is_call_free(const SqlTokens& tokens, TokenRange range);
/// The position of the first AND outside parentheses and CASE, or the range's limit.
size_t find_and(const SqlTokens& tokens, TokenRange range);
/// The parts between ANDs outside parentheses and CASE, but for that of BETWEEN; nothing when there is an OR.
std::optional<std::vector<TokenRange>> split_conjunction(const SqlTokens& tokens, TokenRange range);

class ConstantExpressions {
 public:
  /// `hidden` are names of CTEs, which hide tables.
  ConstantExpressions(const SqlTokens& tokens, const SchemaLookup& schema, const CoreTable& table, const std::vector<std::string>& hidden)
      : tokens_(tokens), schema_(schema), table_(table), hidden_(hidden) {}

  struct Answer {
    bool constant = false;
    bool names_others = false;  ///< columns of queries around the core, or what may be one
  };
  Answer look_at(TokenRange range) const;
  bool is_constant(TokenRange range) const { return !range.empty() && look_at(range).constant; }
  /// A value to compare with: constant, and nothing in it compares outside parentheses.
  bool is_operand(TokenRange range) const { return is_constant(range) && !has_comparison(tokens_, range); }

 private:
  bool belongs_to_table(std::string_view name) const;
  bool query_is_apart(TokenRange range) const;

  const SqlTokens& tokens_;
  const SchemaLookup& schema_;
  const CoreTable& table_;
  const std::vector<std::string>& hidden_;
};

}  // namespace braid
