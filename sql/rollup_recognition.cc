#include "sql/rollup_recognition.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/sqlite_handle.h"
#include "sql/latest_conditions.h"
#include "sql/rollup_core.h"
#include "sql/rollup_plan.h"

namespace braid {

namespace {

/// Cores within constants of cores within … are looked at so deep; deeper ones are copied.
constexpr int kNestingMax = 4;

class StatementRewriter {
 public:
  StatementRewriter(const SqlTokens& tokens, const SchemaLookup& schema) : tokens_(tokens), schema_(schema) {}

  bool is_eligible() {
    for (size_t at = 0; at < tokens_.size(); ++at)
      if (tokens_.is_name(at) && same_sql_name(tokens_.name(at).substr(0, kRollupPrefix.size()), kRollupPrefix)) return false;
    collect_ctes();
    collect_latest();
    if (!reads_only()) return false;
    collect_unnamed_items();
    return true;
  }

  /// What no core holds stays as it is written, since SQLite names result columns after their text; an item within which something is rewritten
  /// is given that name. Within cores variables are moved, and get their numbers.
  std::string write(TokenRange range, int depth) {
    std::string out;
    size_t open = 0;
    bool copied = false;  // the token before
    for (size_t at = range.start; at < range.limit; ++at) {
      if (tokens_.is_operator(at, "(")) ++open;
      if (tokens_.is_operator(at, ")")) --open;
      if (tokens_.is_word(at, "SELECT") && depth < kNestingMax) {
        const bool nested = depth > 0 || open > 0;
        const auto core = find_select_core(tokens_, at);
        if (core) {
          if (const auto text = rewrite_core(*core, nested, depth)) {
            out += " " + *text;
            at = core->whole.limit - 1;
            copied = false;
            continue;
          }
        }
      }
      if (depth > 0 || !copied) out += ' ';
      else out += tokens_.gap_before(at);
      copied = true;
      out += tokens_.text(at);
      if (const auto latest = latest_.find(at + 1); latest != latest_.end()) {
        out += " = 1";
        at = latest->second.limit - 1;
        tables_.push_back(*latest->second.table);
        rewritten_.insert(at);
      } else if (tokens_.text(at) == "?") {
        if (depth > 0) out += std::to_string(tokens_[at].variable);
        else kept_variables_.push_back(tokens_[at].variable);
      }
      out += written_name(at + 1);
    }
    return out;
  }

  std::optional<RecognizedScan> recognize_columns() const {
    const auto core = tokens_.is_word(0, "SELECT") ? find_select_core(tokens_, 0) : std::nullopt;
    auto table = core && core->whole.limit == tokens_.size() ? table_of(*core) : std::nullopt;
    if (!table || !queries_read_rows_only()) return std::nullopt;
    const HypertableDefinition* definition = table->definition;
    RollupCore reading(tokens_, *core, std::move(*table), false, schema_, hidden_, [](TokenRange) { return std::string(); });
    const auto columns = reading.read_columns();
    if (!columns) return std::nullopt;
    return RecognizedScan{*definition, columns->columns, columns->constraints, columns->limit};
  }

  /// Does the text give each variable the number that it has in the original? Text that is moved may meet names in another order.
  bool keeps_numbers(const std::string& sql) const {
    if (tokens_.variable_count() == 0) return true;
    const auto rewritten = SqlTokens::of(sql);
    if (!rewritten || rewritten->variable_count() != tokens_.variable_count()) return false;
    std::map<std::string_view, uint32_t> numbers;
    for (size_t at = 0; at < tokens_.size(); ++at)
      if (tokens_[at].kind == TokenKind::kVariable) numbers[tokens_.text(at)] = tokens_[at].variable;
    size_t kept = 0;
    for (size_t at = 0; at < rewritten->size(); ++at) {
      if ((*rewritten)[at].kind != TokenKind::kVariable) continue;
      const std::string_view name = rewritten->text(at);
      const uint32_t number = (*rewritten)[at].variable;
      if (name == "?" ? kept == kept_variables_.size() || kept_variables_[kept++] != number : name.front() != '?' && numbers[name] != number) return false;
    }
    return true;
  }

  std::vector<HypertableDefinition> take_tables() { return std::move(tables_); }
  bool has_rewritten() const { return !rewritten_.empty(); }

 private:
  /// Names that WITH gives to queries; they hide tables.
  void collect_ctes() {
    for (size_t at = 0; at + 2 < tokens_.size(); ++at) {
      if (!tokens_.is_name(at)) continue;
      const size_t as = tokens_.is_operator(at + 1, "(") ? tokens_[at + 1].partner + 1 : at + 1;
      if (!tokens_.is_word(as, "AS")) continue;
      if (tokens_.is_operator(as + 1, "(") || tokens_.is_word(as + 1, "NOT") || tokens_.is_word(as + 1, "MATERIALIZED"))
        hidden_.push_back(tokens_.name(at));
    }
  }

  void collect_latest() {
    for (size_t at = 0; at < tokens_.size(); ++at) {
      const auto core = tokens_.is_word(at, "SELECT") ? find_select_core(tokens_, at) : std::nullopt;
      if (!core) continue;
      for (const LatestCondition& condition : find_latest_conditions(tokens_, *core, schema_, hidden_)) latest_[condition.reference_limit] = condition;
    }
  }

  /// Items that SQLite names after their text, of every SELECT and of RETURNING.
  void collect_unnamed_items() {
    for (size_t at = 0; at < tokens_.size(); ++at) {
      TokenRange items;
      if (const auto core = tokens_.is_word(at, "SELECT") ? find_select_core(tokens_, at) : std::nullopt) items = core->items;
      else if (!target_.empty() && tokens_.is_word(at, "RETURNING")) items = {at + 1, tokens_.size()};
      for (const TokenRange& range : split_at_commas(tokens_, items)) {
        const ResultItem item = read_result_item(tokens_, range);
        if (!item.alias && !item.expression.empty()) unnamed_items_[item.expression.limit] = item.expression;
      }
    }
  }

  /// The name of the item that ends before the token `limit`, if its text is not what was written.
  std::string written_name(size_t limit) const {
    const auto item = unnamed_items_.find(limit);
    if (item == unnamed_items_.end()) return {};
    const auto inside = rewritten_.lower_bound(item->second.start);
    if (inside == rewritten_.end() || *inside >= limit) return {};
    return " AS " + quote_identifier(tokens_.span(item->second.start, limit));
  }

  /// SELECT, or a statement that writes another table with what a SELECT gives.
  bool reads_only() {
    size_t at = 0;
    if (tokens_.is_word(at, "EXPLAIN")) at += tokens_.is_word(at + 1, "QUERY") ? 3 : 1;
    if (tokens_.is_word(at, "SELECT")) return true;
    if (tokens_.is_word(at, "CREATE")) {
      at += tokens_.is_word(at + 1, "TEMP") || tokens_.is_word(at + 1, "TEMPORARY") ? 2 : 1;
      return tokens_.is_word(at, "TABLE");
    }
    if (!tokens_.is_word(at, "WITH") && !tokens_.is_word(at, "INSERT") && !tokens_.is_word(at, "REPLACE")) return false;
    for (; at < tokens_.size(); ++at) {
      if (tokens_.is_operator(at, "(")) at = tokens_[at].partner;
      if (tokens_.is_word(at, "UPDATE") || tokens_.is_word(at, "DELETE")) return false;
      if (!tokens_.is_word(at, "INTO") || !tokens_.is_name(at + 1)) continue;
      // What is written while it is read gets the order of SQLite.
      target_ = tokens_.name(tokens_.is_operator(at + 2, ".") && tokens_.is_name(at + 3) ? at + 3 : at + 1);
    }
    return true;
  }

  /// FROM [main.]hypertable [[AS] alias]
  std::optional<CoreTable> table_of(const SelectCore& core) const {
    if (core.from.empty()) return std::nullopt;
    const TokenRange from = core.from;
    size_t at = from.start;
    if (from.size() > 2 && tokens_.is_operator(at + 1, ".")) {
      if (!tokens_.names(at, "main")) return std::nullopt;
      at += 2;
    }
    if (!tokens_.is_name(at)) return std::nullopt;
    const std::string name = tokens_.name(at);
    const auto same = [&](const std::string& other) { return same_sql_name(name, other); };
    if (same(target_) || std::any_of(hidden_.begin(), hidden_.end(), same)) return std::nullopt;
    CoreTable table;
    table.definition = schema_.hypertable(name);
    if (table.definition == nullptr) return std::nullopt;
    table.name_limit = ++at;
    if (at < from.limit && tokens_.is_word(at, "AS")) ++at;
    if (at + 1 < from.limit) return std::nullopt;
    if (at < from.limit && !tokens_.is_name(at)) return std::nullopt;
    table.qualifier = at < from.limit ? tokens_.name(at) : name;
    return table;
  }

  std::optional<std::string> rewrite_core(const SelectCore& core, bool nested, int depth) {
    // The order of a compound is that of its last arm, and SQLite may merge a compound in parentheses into the query around it.
    if (core.in_compound && (nested || !core.order.empty() || !core.count.empty())) return std::nullopt;
    auto table = table_of(core);
    if (!table) return std::nullopt;
    const HypertableDefinition* definition = table->definition;
    const size_t tables_before = tables_.size();
    RollupCore rewriting(tokens_, core, std::move(*table), nested, schema_, hidden_, [this, depth](TokenRange range) { return write_part(range, depth); });
    auto text = rewriting.rewrite();
    if (!text) {
      tables_.resize(tables_before);
      rewritten_.erase(rewritten_.lower_bound(core.whole.start), rewritten_.lower_bound(core.whole.limit));
      return text;
    }
    tables_.push_back(*definition);
    rewritten_.insert(core.whole.start);
    return text;
  }

  /// Do the queries in parentheses read plain tables only, so that no cursor but the statement's own is opened on a hypertable?
  bool queries_read_rows_only() const {
    for (size_t at = 1; at < tokens_.size(); ++at) {
      if (tokens_.is_word(at, "WITH")) return false;
      if (!tokens_.is_word(at, "SELECT")) continue;
      const auto core = find_select_core(tokens_, at);
      if (!core || core->from.size() != 1 || !tokens_.is_name(core->from.start) || !schema_.has_column(tokens_.name(core->from.start), "rowid")) return false;
    }
    return true;
  }

  std::string write_part(TokenRange range, int depth) { return write(range, depth + 1); }

  const SqlTokens& tokens_;
  const SchemaLookup& schema_;
  std::vector<std::string> hidden_;
  std::string target_;
  std::vector<HypertableDefinition> tables_;
  std::map<size_t, LatestCondition> latest_;  // by the token after the column's name
  std::vector<uint32_t> kept_variables_;  // numbers of each ? that stays
  std::map<size_t, TokenRange> unnamed_items_;  // by the token after the item
  std::set<size_t> rewritten_;                  // tokens at which what is rewritten starts
};

}  // namespace

std::optional<RecognizedStatement> recognize_rollups(std::string_view sql, const SchemaLookup& schema) {
  const auto tokens = SqlTokens::of(sql);
  if (!tokens || tokens->size() == 0) return std::nullopt;
  StatementRewriter rewriter(*tokens, schema);
  if (!rewriter.is_eligible()) return std::nullopt;
  RecognizedStatement statement;
  statement.sql = rewriter.write({0, tokens->size()}, 0);
  if (!rewriter.has_rewritten() || !rewriter.keeps_numbers(statement.sql)) return std::nullopt;
  statement.used = tokens->used();
  statement.variable_count = tokens->variable_count();
  statement.tables = rewriter.take_tables();
  return statement;
}

std::optional<RecognizedScan> recognize_scan(std::string_view sql, const SchemaLookup& schema) {
  const auto tokens = SqlTokens::of(sql);
  if (!tokens || tokens->size() == 0) return std::nullopt;
  return StatementRewriter(*tokens, schema).recognize_columns();
}

}  // namespace braid
