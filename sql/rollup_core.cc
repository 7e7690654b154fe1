#include "sql/rollup_core.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"

namespace braid {

namespace {

struct ComparisonRow {
  std::string_view text;
  ConditionOperator op;
  ConditionOperator reversed;  // of b OP a
};
constexpr ComparisonRow kComparisons[] = {
    {"<", ConditionOperator::kLess, ConditionOperator::kGreater},
    {"<=", ConditionOperator::kLessOrEqual, ConditionOperator::kGreaterOrEqual},
    {"=", ConditionOperator::kEqual, ConditionOperator::kEqual},
    {"==", ConditionOperator::kEqual, ConditionOperator::kEqual},
    {"<>", ConditionOperator::kNotEqual, ConditionOperator::kNotEqual},
    {"!=", ConditionOperator::kNotEqual, ConditionOperator::kNotEqual},
    {">=", ConditionOperator::kGreaterOrEqual, ConditionOperator::kLessOrEqual},
    {">", ConditionOperator::kGreater, ConditionOperator::kLess},
};

const ComparisonRow* comparison_at(const SqlTokens& tokens, size_t at) {
  const auto* row = std::find_if(std::begin(kComparisons), std::end(kComparisons), [&](const auto& known) { return tokens.is_operator(at, known.text); });
  return row == std::end(kComparisons) ? nullptr : row;
}

/// After these an expression may be complete, though they are words.
bool ends_operand(const SqlTokens& tokens, size_t at) {
  if (tokens.is_word(at, "COLLATE")) return false;
  for (const std::string_view word : {"END", "NULL", "ISNULL", "NOTNULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"})
    if (tokens.is_word(at, word)) return true;
  if (tokens[at].kind == TokenKind::kOperator) return tokens.is_operator(at, ")");
  return !is_expression_word(tokens, at);
}

/// The expression of a term of ORDER BY, without ASC, DESC and NULLS FIRST or LAST.
TokenRange order_expression(const SqlTokens& tokens, TokenRange term) {
  if (term.size() > 2 && tokens.is_word(term.limit - 2, "NULLS")) term.limit -= 2;
  if (term.size() > 1 && (tokens.is_word(term.limit - 1, "ASC") || tokens.is_word(term.limit - 1, "DESC"))) --term.limit;
  return term;
}

bool is_descending(const SqlTokens& tokens, TokenRange term) {
  const size_t after = order_expression(tokens, term).limit;
  return after < term.limit && tokens.is_word(after, "DESC");
}

constexpr size_t kListMax = 100;  // SQLite's functions take up to 127 arguments

}  // namespace

ResultItem read_result_item(const SqlTokens& tokens, TokenRange range) {
  ResultItem item{range, std::nullopt};
  if (range.size() < 2) return item;
  const size_t last = range.limit - 1;
  const bool may_name = tokens[last].kind == TokenKind::kString || (tokens.is_name(last) && !is_expression_word(tokens, last));
  const bool as = tokens.is_word(last - 1, "AS");
  if (!may_name || !(as || ends_operand(tokens, last - 1))) return item;
  item.alias = last;
  item.expression.limit = as ? last - 1 : last;
  return item;
}

RollupCore::RollupCore(const SqlTokens& tokens, const SelectCore& core, CoreTable table, bool nested, const SchemaLookup& schema,
                       const std::vector<std::string>& hidden, TextWriter write)
    : tokens_(tokens),
      core_(core),
      table_(std::move(table)),
      nested_(nested),
      constants_(tokens, schema, table_, hidden),
      write_(std::move(write)) {}

std::optional<std::string> RollupCore::rewrite() {
  if (!read_items() || !read_group()) return std::nullopt;
  if (!core_.where.empty() && !read_where(core_.where)) return std::nullopt;
  std::string items, having, order;
  for (const ResultItem& item : items_)
    if (!write_item(item, items)) return std::nullopt;
  if (!core_.having.empty() && !write_expression(core_.having, having)) return std::nullopt;
  std::vector<TokenRange> terms;
  if (!core_.order.empty()) terms = split_at_commas(tokens_, core_.order);
  if (!write_order(terms, order) || (plan_.columns.empty() && core_.group.empty())) return std::nullopt;
  for (size_t i = 0; i < keys_.size(); ++i) {
    // SQLite visits groups in the order of GROUP BY, with the directions of an ORDER BY of as many terms: rows that an ORDER BY does not tell
    // apart come in that order.
    const bool descending = terms.size() == keys_.size() && is_descending(tokens_, terms[i]);
    plan_.order.push_back({keys_[i].bucket ? std::nullopt : std::optional(keys_[i].tag), descending});
  }
  if (!read_limit(terms)) return std::nullopt;
  std::string text = fmt::format("SELECT {}{} FROM {}", core_.distinct ? "DISTINCT " : "", items, from_clause());
  if (!having.empty()) text += " WHERE" + having;
  if (!order.empty()) text += " ORDER BY" + order;
  if (!core_.count.empty()) {
    text += " LIMIT" + write_(core_.count);
    if (!core_.offset.empty()) text += " OFFSET" + write_(core_.offset);
  } else if (nested_) {
    // Keeps SQLite from merging the query into the one around it, which could run the rollup once per row of another table.
    text += " LIMIT -1";
  }
  return text;
}

std::optional<ColumnsCore> RollupCore::read_columns() {
  const bool plain = !core_.distinct && !core_.in_compound && core_.group.empty() && core_.having.empty() && core_.order.empty() && core_.offset.empty();
  if (!plain || !read_items()) return std::nullopt;
  ColumnsCore columns;
  const HypertableDefinition& table = *table_.definition;
  const size_t first_field = 1 + table.tags.size();
  for (const ResultItem& item : items_) {
    if (!item.alias && item.expression.size() == 1 && tokens_.is_operator(item.expression.start, "*")) {
      for (size_t i = 0; i < first_field + table.fields.size(); ++i) columns.columns.push_back(i);
      continue;
    }
    const Reference column = whole_reference(item.expression);
    if (column.size == 0) return std::nullopt;
    columns.columns.push_back(column.kind == ColumnKind::kTime ? 0 : column.kind == ColumnKind::kTag ? 1 + column.index : first_field + column.index);
  }
  if (!core_.where.empty() && !read_where(core_.where)) return std::nullopt;
  // Of another condition SQLite may make a test of each row, which the cursor is not told of.
  if (has_calls_) return std::nullopt;
  for (const RollupCondition& condition : plan_.conditions) columns.constraints += condition.target == ConditionTarget::kConstant ? 0 : 1;
  if (core_.count.empty()) return columns;
  const std::string_view text = tokens_.text(core_.count.start);
  uint64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (core_.count.size() != 1 || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  columns.limit = limit;
  return columns;
}

std::string RollupCore::from_clause() const {
  std::string text = fmt::format("{}({}, {}", kRollupTable, quote_text(table_.definition->name), quote_text(encode_plan(plan_)));
  for (const std::string& parameter : parameters_) text += "," + parameter;
  // What follows the table's name is left to SQLite to judge.
  return text + ")" + write_({table_.name_limit, core_.from.limit});
}

// ---- Columns -----------------------------------------------------------------------------------------------------------------

/// `column` or `table.column` at a token; `size` is 0 where there is none.
RollupCore::Reference RollupCore::reference_at(size_t at, size_t limit) const {
  if (at >= limit || !tokens_.is_name(at) || is_expression_word(tokens_, at)) return {};
  const bool qualified = at + 2 < limit && tokens_.is_operator(at + 1, ".") && tokens_.is_name(at + 2);
  if (qualified && !tokens_.names(at, table_.qualifier)) return {};
  const size_t size = qualified ? 3 : 1;
  if (at + size < tokens_.size() && (tokens_.is_operator(at + size, "(") || tokens_.is_operator(at + size, "."))) return {};
  const std::string name = tokens_.name(at + size - 1);
  const HypertableDefinition& table = *table_.definition;
  if (same_sql_name(name, table.time_column)) return {ColumnKind::kTime, 0, size};
  for (size_t i = 0; i < table.tags.size(); ++i)
    if (same_sql_name(name, table.tags[i])) return {ColumnKind::kTag, i, size};
  for (size_t i = 0; i < table.fields.size(); ++i)
    if (same_sql_name(name, table.fields[i].name)) return {ColumnKind::kField, i, size};
  return {};
}

RollupCore::Reference RollupCore::whole_reference(TokenRange range) const {
  range = without_parentheses(tokens_, range);
  const Reference found = reference_at(range.start, range.limit);
  return found.size == range.size() ? found : Reference{};
}

/// Texts that are equal so mean the same.
std::string RollupCore::normalized(TokenRange range) const {
  std::string text;
  for (size_t at = range.start; at < range.limit; ++at) {
    const Reference reference = reference_at(at, range.limit);
    if (reference.size > 0) {
      text += fmt::format("\x01{}.{}", static_cast<int>(reference.kind), reference.index);
      at += reference.size - 1;
    } else if (tokens_[at].kind == TokenKind::kVariable) {
      text += fmt::format("?{}", tokens_[at].variable);
    } else if (tokens_[at].kind == TokenKind::kWord) {
      for (const char letter : tokens_.text(at)) text += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } else {
      text += tokens_.text(at);
    }
    text += '\x02';
  }
  return text;
}

// ---- Items and keys ----------------------------------------------------------------------------------------------------------

bool RollupCore::read_items() {
  if (core_.items.empty()) return false;
  for (const TokenRange& range : split_at_commas(tokens_, core_.items)) {
    const ResultItem item = read_result_item(tokens_, range);
    if (item.expression.empty()) return false;
    if (item.alias) table_.aliases.push_back(tokens_.name(*item.alias));
    items_.push_back(item);
  }
  return true;
}

bool RollupCore::read_group() {
  if (core_.group.empty()) return true;
  for (const TokenRange& term : split_at_commas(tokens_, core_.group))
    if (term.empty() || !read_group_key(term)) return false;
  return true;
}

/// A name is a column before it is an alias; a number is an item.
bool RollupCore::read_group_key(TokenRange term) {
  term = without_parentheses(tokens_, term);
  Reference column = whole_reference(term);
  if (column.size == 0 && term.size() == 1) {
    const ResultItem* item = tokens_.is_name(term.start) ? item_named(term.start) : item_numbered(term);
    if (item == nullptr) return false;
    term = without_parentheses(tokens_, item->expression);
    column = whole_reference(term);
  }
  if (column.size == 0) return read_bucket(term);
  const auto& tags = plan_.tags;
  if (column.kind != ColumnKind::kTag || tags.size() == kRollupTagsMax || std::find(tags.begin(), tags.end(), column.index) != tags.end()) return false;
  keys_.push_back({false, plan_.tags.size()});
  plan_.tags.push_back(column.index);
  return true;
}

/// time_bucket(constant, time[, constant …])
bool RollupCore::read_bucket(TokenRange call) {
  if (plan_.bucket || call.size() < 6 || !tokens_.is_word(call.start, "time_bucket") || !tokens_.is_operator(call.start + 1, "(") ||
      tokens_[call.start + 1].partner != call.limit - 1)
    return false;
  const auto arguments = split_at_commas(tokens_, {call.start + 2, call.limit - 1});
  if (arguments.size() < 2 || arguments.size() > 2 + kBucketOptionsMax || whole_reference(arguments[1]).kind != ColumnKind::kTime) return false;
  RollupPlan::Bucket bucket{0, {}};
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i == 1) continue;
    if (!constants_.is_constant(arguments[i])) return false;
    const auto parameter = add_parameter(write_(arguments[i]));
    if (!parameter) return false;
    if (i == 0) bucket.width = *parameter;
    else bucket.options.push_back(*parameter);
  }
  plan_.bucket = std::move(bucket);
  bucket_call_ = normalized(call);
  keys_.push_back({true, 0});
  return true;
}

std::optional<RollupCore::Key> RollupCore::key_of(TokenRange range) const {
  range = without_parentheses(tokens_, range);
  const Reference column = whole_reference(range);
  for (const Key& key : keys_) {
    if (key.bucket ? column.size == 0 && normalized(range) == bucket_call_
                   : column.kind == ColumnKind::kTag && plan_.tags[key.tag] == column.index)
      return key;
  }
  return std::nullopt;
}

std::string RollupCore::key_column(const Key& key) const {
  return key.bucket ? fmt::format("{}bucket", kRollupPrefix) : fmt::format("{}{}{}", kRollupPrefix, table_.definition->tag_type(plan_.tags[key.tag]) == FieldType::kInt64 ? 'i' : 't', key.tag);
}

const ResultItem* RollupCore::item_named(size_t name) const {
  if (is_expression_word(tokens_, name)) return nullptr;
  const std::string wanted = tokens_.name(name);
  const auto found = std::find_if(items_.begin(), items_.end(), [&](const ResultItem& item) { return item.alias && same_sql_name(tokens_.name(*item.alias), wanted); });
  return found == items_.end() ? nullptr : &*found;
}

const ResultItem* RollupCore::item_numbered(TokenRange range) const {
  if (range.size() != 1 || tokens_[range.start].kind != TokenKind::kNumber) return nullptr;
  const std::string_view text = tokens_.text(range.start);
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > items_.size()) return nullptr;
  return &items_[number - 1];
}

// ---- WHERE -------------------------------------------------------------------------------------------------------------------

bool RollupCore::read_where(TokenRange range) {
  const auto conjunction = split_conjunction(tokens_, without_parentheses(tokens_, range));
  if (!conjunction) return false;
  for (const TokenRange& part : *conjunction) {
    if (part.empty()) return false;
    const bool again = conjunction->size() > 1 && tokens_.is_operator(part.start, "(") && without_parentheses(tokens_, part).size() != part.size();
    if (!(again ? read_where(part) : read_condition(part))) return false;
  }
  return true;
}

bool RollupCore::read_condition(TokenRange range) {
  const Reference column = reference_at(range.start, range.limit);
  if (column.size > 0) return read_comparison(column, range);
  if (constants_.is_constant(range)) {
    const auto parameter = add_parameter(fmt::format(" (({} ) IS TRUE)", write_(range)));
    if (!parameter) return false;
    has_calls_ = has_calls_ || !is_call_free(tokens_, range);
    plan_.conditions.push_back({ConditionTarget::kConstant, ConditionOperator::kEqual, 0, parameter});
    return true;
  }
  return read_reversed(range);
}

bool RollupCore::read_comparison(const Reference& column, TokenRange range) {
  const size_t at = range.start + column.size;
  const TokenRange rest{at + 1, range.limit};
  if (at >= range.limit) return false;
  if (const ComparisonRow* row = comparison_at(tokens_, at)) {
    if (!constants_.is_operand(rest)) return false;
    return add_condition(column, row->op, write_(rest));
  }
  const auto is_exactly = [&](std::initializer_list<std::string_view> words) {
    size_t next = at;
    for (const std::string_view word : words)
      if (!tokens_.is_word(next++, word)) return false;
    return next == range.limit;
  };
  if (is_exactly({"IS", "NULL"}) || is_exactly({"ISNULL"})) return add_condition(column, ConditionOperator::kNull, std::nullopt);
  if (is_exactly({"IS", "NOT", "NULL"}) || is_exactly({"NOTNULL"}) || is_exactly({"NOT", "NULL"}))
    return add_condition(column, ConditionOperator::kNotNull, std::nullopt);
  if (tokens_.is_word(at, "BETWEEN")) {
    const size_t middle = find_and(tokens_, rest);
    const TokenRange low{rest.start, middle}, high{middle + 1, rest.limit};
    if (middle == rest.limit || !constants_.is_operand(low) || !constants_.is_operand(high)) return false;
    return add_condition(column, ConditionOperator::kGreaterOrEqual, write_(low)) && add_condition(column, ConditionOperator::kLessOrEqual, write_(high));
  }
  if (column.kind != ColumnKind::kTag) return false;
  if (tokens_.is_word(at, "IN")) return read_in(column, at + 1, range.limit);
  // IS TRUE asks for a truth value, not for a text.
  if (!tokens_.is_word(at, "IS") || tokens_.is_word(at + 1, "TRUE") || tokens_.is_word(at + 1, "FALSE") || !constants_.is_operand(rest)) return false;
  return add_condition(column, ConditionOperator::kIs, write_(rest));
}

/// value OP column. A column of another query on the left would bring its collation.
bool RollupCore::read_reversed(TokenRange range) {
  for (size_t at = range.start; at < range.limit; ++at) {
    if (tokens_.is_operator(at, "(")) at = tokens_[at].partner;
    const ComparisonRow* row = comparison_at(tokens_, at);
    if (row == nullptr) continue;
    const TokenRange left{range.start, at};
    const Reference column = reference_at(at + 1, range.limit);
    if (column.size == 0 || at + 1 + column.size != range.limit || !constants_.is_operand(left) || constants_.look_at(left).names_others) return false;
    return add_condition(column, row->reversed, write_(left));
  }
  return false;
}

/// A tag IN (list) or IN (query): the values as one parameter.
bool RollupCore::read_in(const Reference& column, size_t open, size_t limit) {
  if (!tokens_.is_operator(open, "(") || tokens_[open].partner != limit - 1 || limit - open < 3) return false;
  const TokenRange inside{open + 1, limit - 1};
  if (opens_query(tokens_, open)) {
    if (!constants_.look_at({open, limit}).constant) return false;
    return add_condition(column, ConditionOperator::kIn, fmt::format("(WITH \"{0}in\"(v) AS ({1} ) SELECT tag_set(v) FROM \"{0}in\")", kRollupPrefix, write_(inside)));
  }
  std::string list;
  size_t count = 0;
  for (const TokenRange& value : split_at_commas(tokens_, inside)) {
    if (!constants_.is_constant(value)) return false;
    list += fmt::format("{}{}", list.empty() ? "" : ",", write_(value));
    if (++count > kListMax) return false;
  }
  return add_condition(column, ConditionOperator::kIn, "tag_list(" + list + ")");
}

bool RollupCore::add_condition(const Reference& column, ConditionOperator op, std::optional<std::string> value) {
  using Op = ConditionOperator;
  RollupCondition condition{ConditionTarget::kTime, op, column.index, std::nullopt};
  const bool ordered = op == Op::kLess || op == Op::kLessOrEqual || op == Op::kGreater || op == Op::kGreaterOrEqual;
  switch (column.kind) {
    case ColumnKind::kTime:
      if (!ordered && op != Op::kEqual) return false;
      break;
    case ColumnKind::kTag:
      if (ordered || op == Op::kNotEqual) return false;
      condition.target = ConditionTarget::kSeries;
      break;
    case ColumnKind::kField: {
      const FieldType type = table_.definition->fields[column.index].type;
      if (type == FieldType::kText || type == FieldType::kJson) return false;
      condition.target = ConditionTarget::kField;
      break;
    }
    case ColumnKind::kNone: return false;
  }
  if (value) {
    condition.parameter = add_parameter(std::move(*value));
    if (!condition.parameter) return false;
  }
  plan_.conditions.push_back(condition);
  return true;
}

std::optional<size_t> RollupCore::add_parameter(std::string text) {
  if (parameters_.size() == kRollupParametersMax) return std::nullopt;
  parameters_.push_back(std::move(text));
  return parameters_.size() - 1;
}

// ---- Expressions -------------------------------------------------------------------------------------------------------------

bool RollupCore::write_item(const ResultItem& item, std::string& out) {
  out += out.empty() ? "" : ", ";
  const std::optional<Key> key = key_of(item.expression);
  if (key && !key->bucket) {
    out += key_column(*key);
  } else if (!write_expression(item.expression, out)) {
    return false;
  }
  if (item.alias) {
    out += " AS ";
    out += tokens_.text(*item.alias);
    return true;
  }
  // SQLite names a result column after the table's column, or else after the text.
  const std::string name = key && !key->bucket ? table_.definition->tags[plan_.tags[key->tag]]
                                               : std::string(tokens_.span(item.expression.start, item.expression.limit));
  out += " AS " + quote_identifier(name);
  return true;
}

/// Copies an expression, with aggregates and keys replaced by their columns. Unary plus keeps a column's affinity out of comparisons: what it
/// stands for has none.
bool RollupCore::write_expression(TokenRange range, std::string& out) {
  if (range.empty()) return false;
  for (size_t at = range.start; at < range.limit; ++at) {
    const SqlToken& token = tokens_[at];
    if (opens_query(tokens_, at)) return false;
    if (token.kind == TokenKind::kOperator && tokens_.text(at) == "*" && (at == range.start || !ends_operand(tokens_, at - 1))) return false;
    if (!tokens_.is_name(at)) {
      out += write_({at, at + 1});
      continue;
    }
    if (tokens_.is_word(at, "AS")) {
      // The type in CAST(… AS type).
      const size_t start = at;
      while (at + 1 < range.limit && tokens_.is_name(at + 1)) ++at;
      out += write_({start, at + 1});
    } else if (tokens_.is_word(at, "EXISTS")) {
      return false;
    } else if (is_expression_word(tokens_, at)) {
      out += write_({at, at + 1});
    } else if (tokens_.is_operator(at + 1, "(")) {
      const auto next = write_call(at, out);
      if (!next) return false;
      at = *next - 1;
    } else if (!write_name(at, range.limit, out)) {
      return false;
    }
  }
  return true;
}

/// A call whose name stands at `at`; the answer is where copying goes on.
std::optional<size_t> RollupCore::write_call(size_t at, std::string& out) {
  const size_t close = tokens_[at + 1].partner;
  if (tokens_[at].kind != TokenKind::kWord) return std::nullopt;
  for (const std::string_view word : {"FILTER", "OVER", "WITHIN"})
    if (tokens_.is_word(close + 1, word)) return std::nullopt;
  if (!bucket_call_.empty() && normalized({at, close + 1}) == bucket_call_) {
    out += fmt::format(" (+{}bucket)", kRollupPrefix);
    return close + 1;
  }
  if (const auto aggregate = write_aggregate(at)) {
    out += *aggregate;
    return close + 1;
  }
  const size_t arguments = at + 2 == close ? 0 : split_at_commas(tokens_, {at + 2, close}).size();
  const bool lone = arguments == 1 && (tokens_.is_word(at, "min") || tokens_.is_word(at, "max"));
  if (lone || !is_plain_function(tokens_, at)) return std::nullopt;
  out += write_({at, at + 1});
  return at + 1;
}

std::optional<RollupColumn> RollupCore::aggregate_column(std::string_view function, TokenRange arguments) const {
  const bool total = same_sql_name(function, "total");
  const auto known = total ? std::optional(RollupFunction::kSum) : find_rollup_function(function);
  if (!known) return std::nullopt;
  RollupColumn column{*known, kAllRows};
  const bool counts = column.function == RollupFunction::kCount;
  const bool bookend = column.function == RollupFunction::kFirst || column.function == RollupFunction::kLast;
  if (counts && (arguments.empty() || (arguments.size() == 1 && (tokens_.is_operator(arguments.start, "*") || tokens_[arguments.start].kind == TokenKind::kNumber))))
    return column;
  if (arguments.empty()) return std::nullopt;
  const auto parts = split_at_commas(tokens_, arguments);
  if (parts.size() != (bookend ? 2 : 1) || (bookend && whole_reference(parts[1]).kind != ColumnKind::kTime)) return std::nullopt;
  const Reference of = whole_reference(parts[0]);
  if (of.kind == ColumnKind::kTime) {
    column.field = counts ? kAllRows : kTimeField;
    const bool extreme = column.function == RollupFunction::kMin || column.function == RollupFunction::kMax;
    return counts || extreme ? std::optional(column) : std::nullopt;
  }
  if (of.kind != ColumnKind::kField) return std::nullopt;
  column.field = of.index;
  const FieldType type = table_.definition->fields[of.index].type;
  const bool text = type == FieldType::kText || type == FieldType::kJson;
  // The total of integers is a double that does not overflow.
  if ((text && !counts) || (total && type != FieldType::kDouble)) return std::nullopt;
  return column;
}

std::optional<std::string> RollupCore::write_aggregate(size_t at) {
  const std::string_view function = tokens_.text(at);
  const auto column = aggregate_column(function, {at + 2, tokens_[at + 1].partner});
  if (!column) return std::nullopt;
  const auto number = column_number(*column);
  if (!number) return std::nullopt;
  if (!same_sql_name(function, "total")) return fmt::format(" (+{}a{})", kRollupPrefix, *number);
  // The total of nothing is 0.0, but that of infinities of both signs is NaN, which is NULL.
  const auto count = column_number({RollupFunction::kCount, column->field});
  if (!count) return std::nullopt;
  return fmt::format(" iif({0}a{1} = 0, 0.0, {0}a{2})", kRollupPrefix, *count, *number);
}

/// The plan's column, added if it is not there; nothing when there are too many.
std::optional<size_t> RollupCore::column_number(RollupColumn column) {
  auto& columns = plan_.columns;
  const auto same = [&](const RollupColumn& other) { return other.function == column.function && other.field == column.field; };
  const auto number = static_cast<size_t>(std::find_if(columns.begin(), columns.end(), same) - columns.begin());
  if (number == kRollupColumnsMax) return std::nullopt;
  if (number == columns.size()) columns.push_back(column);
  return number;
}

/// A key's column, or an alias, which stays what it is.
bool RollupCore::write_name(size_t& at, size_t limit, std::string& out) {
  const Reference column = reference_at(at, limit);
  if (column.size == 0) {
    if (item_named(at) == nullptr || tokens_.is_operator(at + 1, ".")) return false;
    out += write_({at, at + 1});
    return true;
  }
  const auto key = key_of({at, at + column.size});
  if (!key) return false;
  out += " " + key_column(*key);
  at += column.size - 1;
  return true;
}

// ---- ORDER BY and LIMIT ------------------------------------------------------------------------------------------------------

bool RollupCore::write_order(const std::vector<TokenRange>& terms, std::string& out) {
  for (const TokenRange& term : terms) {
    const TokenRange expression = order_expression(tokens_, term);
    if (expression.empty()) return false;
    out += out.empty() ? " " : ", ";
    if (const auto key = order_key(expression)) {
      // DISTINCT keeps the first of equal rows in the order of the groups, and what is left is sorted: unary plus keeps the table from sorting first.
      out += (core_.distinct ? "+" : "") + *key;
    } else if (item_numbered(expression) != nullptr || (expression.size() == 1 && tokens_.is_name(expression.start) && item_named(expression.start) != nullptr)) {
      out += write_(expression);
    } else if (tokens_[expression.start].kind == TokenKind::kNumber || !write_expression(expression, out)) {
      return false;
    }
    if (expression.limit < term.limit) out += write_({expression.limit, term.limit});
  }
  return true;
}

/// The column of the key that a term means. A whole term is an alias before it is a column, and a number is an item.
std::optional<std::string> RollupCore::order_key(TokenRange expression) {
  const ResultItem* item = item_numbered(expression);
  if (expression.size() == 1 && tokens_.is_name(expression.start)) item = item_named(expression.start);
  const auto key = key_of(item != nullptr ? item->expression : expression);
  return key ? std::optional(key_column(*key)) : std::nullopt;
}

/// With the bucket as the only key and order, LIMIT says how many buckets are needed.
bool RollupCore::read_limit(const std::vector<TokenRange>& order) {
  if (core_.count.empty() || core_.distinct || !core_.having.empty() || keys_.size() != 1 || !keys_[0].bucket || order.size() > 1) return true;
  const auto is_plain = [&](TokenRange range) { return constants_.is_constant(range) && !constants_.look_at(range).names_others; };
  if (!is_plain(core_.count) || (!core_.offset.empty() && !is_plain(core_.offset))) return true;
  if (!order.empty() && order_key(order_expression(tokens_, order[0])) != key_column(keys_[0])) return true;
  const bool descending = !order.empty() && plan_.order[0].descending;
  const auto count = add_parameter(write_(core_.count));
  const auto offset = core_.offset.empty() ? std::nullopt : add_parameter(write_(core_.offset));
  if (!count || (!core_.offset.empty() && !offset)) return false;
  plan_.limit = {*count, offset, descending};
  return true;
}

}  // namespace braid
