// Writes one SELECT core over a hypertable as a query of hypertable_rollup.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sql/constant_expression.h"
#include "sql/rollup_plan.h"
#include "sql/select_core.h"

namespace braid {

/// Writes a range of tokens, with the cores in it recognised.
using TextWriter = std::function<std::string(TokenRange)>;

/// An item of a SELECT's list. `range` is what stands between two commas; the expression is empty when it is.
struct ResultItem {
  TokenRange expression;
  std::optional<size_t> alias;  ///< the token that names it, with AS or without
};
ResultItem read_result_item(const SqlTokens& tokens, TokenRange range);

/// A core that gives columns of its table and leaves nothing for SQLite to do with a row.
struct ColumnsCore {
  std::vector<size_t> columns;  ///< numbers of the hypertable's columns: time, tags, fields
  size_t constraints = 0;       ///< conditions that its cursor is given
  std::optional<uint64_t> limit;
};

/// Used once, for one of its two questions.
class RollupCore {
 public:
  /// `nested`: the core stands in parentheses. `table` has no aliases yet.
  RollupCore(const SqlTokens& tokens, const SelectCore& core, CoreTable table, bool nested, const SchemaLookup& schema,
             const std::vector<std::string>& hidden, TextWriter write);

  /// The text, or nothing when the core is not recognised.
  std::optional<std::string> rewrite();
  /// SELECT columns FROM … [WHERE …] [LIMIT number].
  std::optional<ColumnsCore> read_columns();

 private:
  /// The bucket, or the tag key of this number.
  struct Key {
    bool bucket = false;
    size_t tag = 0;
  };
  enum class ColumnKind : uint8_t { kTime, kTag, kField, kNone };
  struct Reference {
    ColumnKind kind = ColumnKind::kNone;
    size_t index = 0;
    size_t size = 0;  ///< tokens; 0: there is no reference
  };

  // The table's columns.
  Reference reference_at(size_t at, size_t limit) const;
  Reference whole_reference(TokenRange range) const;
  std::string normalized(TokenRange range) const;

  // Clauses in the order in which they are read.
  bool read_items();
  bool read_group();
  bool read_group_key(TokenRange term);
  bool read_bucket(TokenRange call);
  bool read_where(TokenRange range);
  bool read_condition(TokenRange range);
  bool read_comparison(const Reference& column, TokenRange range);
  bool read_reversed(TokenRange range);
  bool read_in(const Reference& column, size_t open, size_t limit);
  bool add_condition(const Reference& column, ConditionOperator op, std::optional<std::string> value);
  bool read_limit(const std::vector<TokenRange>& order);

  // Expressions over keys and aggregates.
  bool write_expression(TokenRange range, std::string& out);
  std::optional<size_t> write_call(size_t at, std::string& out);
  std::optional<std::string> write_aggregate(size_t at);
  std::optional<size_t> column_number(RollupColumn column);
  std::optional<RollupColumn> aggregate_column(std::string_view function, TokenRange arguments) const;
  bool write_name(size_t& at, size_t limit, std::string& out);
  bool write_item(const ResultItem& item, std::string& out);
  bool write_order(const std::vector<TokenRange>& terms, std::string& out);
  std::optional<std::string> order_key(TokenRange expression);

  std::optional<Key> key_of(TokenRange range) const;
  std::string key_column(const Key& key) const;
  const ResultItem* item_named(size_t name) const;
  const ResultItem* item_numbered(TokenRange range) const;
  std::optional<size_t> add_parameter(std::string text);
  std::string from_clause() const;

  const SqlTokens& tokens_;
  const SelectCore& core_;
  CoreTable table_;
  const bool nested_;
  const ConstantExpressions constants_;
  const TextWriter write_;

  std::vector<ResultItem> items_;
  std::vector<Key> keys_;  // in the order of GROUP BY
  std::string bucket_call_;
  RollupPlan plan_;
  bool has_calls_ = false;  // in a condition that speaks of no column
  std::vector<std::string> parameters_;
};

}  // namespace braid
