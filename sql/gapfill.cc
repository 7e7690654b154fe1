#include "sql/gapfill.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/statement_tokens.h"
#include "sql/time_text.h"

namespace braid {

namespace {

constexpr std::string_view kFunction = "time_bucket_gapfill";
constexpr int kSelectsMax = 16;  // of one statement
constexpr int kDepthMax = 1000;  // of parentheses; SQLite reads no deeper expressions

using Tokens = std::vector<StatementToken>;
/// Tokens first .. limit - 1 of the statement.
struct Range {
  size_t first = 0;
  size_t limit = 0;
  bool empty() const { return first >= limit; }
};

Status wrong(std::string_view why) { return Status(StatusCode::kInvalidArgument, fmt::format("{}: {}", kFunction, why)); }

/// A name without its quotes.
std::string plain_name(const StatementToken& token) {
  if (token.kind != TokenKind::kQuoted || token.text.size() < 2) return token.text;
  std::string name;
  const char close = token.text.back();
  for (size_t i = 1; i + 1 < token.text.size(); ++i) {
    name.push_back(token.text[i]);
    if (token.text[i] == close && token.text[i + 1] == close) ++i;
  }
  return name;
}

bool is_identifier(const StatementToken& token) { return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuoted; }

bool same_token(const StatementToken& a, const StatementToken& b) {
  if (is_identifier(a) && is_identifier(b)) return same_sql_name(plain_name(a), plain_name(b));
  return a.kind == b.kind && a.text == b.text;
}

/// Keywords after which no alias can stand without AS, since they ask for more.
bool is_operator_word(const StatementToken& token) {
  static constexpr std::string_view kWords[] = {"AND", "OR", "NOT", "IS", "IN", "LIKE", "GLOB", "BETWEEN", "ESCAPE", "COLLATE",
                                                "CASE", "WHEN", "THEN", "ELSE", "DISTINCT", "REGEXP", "MATCH", "FROM"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](auto word) { return token.is(word); });
}
bool is_value_word(const StatementToken& token) {
  static constexpr std::string_view kWords[] = {"END", "NULL", "TRUE", "FALSE", "ISNULL", "NOTNULL", "CURRENT_TIMESTAMP"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](auto word) { return token.is(word); });
}

/// The clauses of one SELECT, each without its keywords; absent ones are empty.
struct Select {
  size_t keyword = 0;  // of the token SELECT
  size_t limit = 0;    // the token after it
  bool distinct = false;
  Range items, from, where, group, having, window, order, rest;
};

struct Item {
  Range expression;
  std::string name;  // of the result's column
};

/// One call: the name's token, its arguments, and the token after its closing parenthesis.
struct Call {
  size_t name = 0;
  std::vector<Range> arguments;
  size_t limit = 0;
};

class SelectRewriter {
 public:
  SelectRewriter(const Tokens& tokens, const IsAggregate& is_aggregate) : tokens_(tokens), is_aggregate_(is_aggregate) {}

  /// The statement with the SELECT around the call at `call` rewritten.
  Result<std::string> rewrite(size_t call) {
    BRAID_TRY(find_select(call));
    BRAID_TRY(read_clauses());
    BRAID_TRY(read_items());
    BRAID_TRY(read_groups());
    BRAID_TRY(read_bounds());
    BRAID_ASSIGN(const std::string filled, filled_select());
    return text({0, select_.keyword}) + (joins_with_ ? ", " : " WITH ") + filled + text({select_.limit, tokens_.size()});
  }

 private:
  // ---- Text and structure ----
  std::string text(Range range) const {
    std::string out;
    for (size_t i = range.first; i < range.limit; ++i) out += " " + tokens_[i].text;
    return out;
  }
  bool at(size_t i, std::string_view word) const { return i < tokens_.size() && tokens_[i].is(word); }
  bool opens(size_t i) const { return i < tokens_.size() && tokens_[i].is_operator("("); }
  /// The token after the parenthesis that closes the one at `open`.
  size_t after_parenthesis(size_t open) const {
    size_t i = open + 1;
    while (i < tokens_.size() && !(tokens_[i].is_operator(")") && tokens_[i].depth == tokens_[open].depth)) ++i;
    return std::min(i + 1, tokens_.size());
  }
  /// Parts between commas that stand in no deeper parenthesis.
  std::vector<Range> split(Range range) const {
    std::vector<Range> parts;
    if (range.empty()) return parts;
    const int depth = tokens_[range.first].depth;
    size_t first = range.first;
    for (size_t i = range.first; i < range.limit; ++i) {
      if (tokens_[i].depth != depth || !tokens_[i].is_operator(",")) continue;
      parts.push_back({first, i});
      first = i + 1;
    }
    parts.push_back({first, range.limit});
    return parts;
  }
  bool same(Range a, Range b) const {
    if (a.limit - a.first != b.limit - b.first) return false;
    for (size_t i = 0; i < a.limit - a.first; ++i)
      if (!same_token(tokens_[a.first + i], tokens_[b.first + i])) return false;
    return true;
  }
  bool is_column(Range range) const {
    for (size_t i = range.first; i < range.limit; ++i)
      if ((i - range.first) % 2 == 0 ? !is_identifier(tokens_[i]) : !tokens_[i].is_operator(".")) return false;
    return (range.limit - range.first) % 2 == 1;
  }
  /// The same expression; of columns `t.c` and `c` are the same.
  bool same_expression(Range a, Range b) const {
    if (same(a, b)) return true;
    return is_column(a) && is_column(b) && (a.limit - a.first == 1 || b.limit - b.first == 1) &&
           same_token(tokens_[a.limit - 1], tokens_[b.limit - 1]);
  }
  Call call_at(size_t name) const {
    Call call{.name = name, .limit = after_parenthesis(name + 1)};
    call.arguments = split({name + 2, call.limit - 1});
    return call;
  }
  bool is_call(size_t i, std::string_view name) const { return at(i, name) && opens(i + 1); }

  // ---- Reading ----

  /// The SELECT whose own list, not that of a subquery, holds the call.
  Status find_select(size_t call) {
    // The innermost parenthesis that holds a query, or the whole statement.
    size_t start = call;
    int depth = tokens_[call].depth;
    while (true) {
      while (start > 0 && !(tokens_[start - 1].is_operator("(") && tokens_[start - 1].depth == depth - 1)) --start;
      if (start == 0 || at(start, "SELECT") || at(start, "WITH")) break;
      --start;
      --depth;
    }
    const size_t limit = start == 0 ? tokens_.size() : after_parenthesis(start - 1) - 1;
    bool found = false;
    for (size_t i = start; i < limit; ++i) {
      const StatementToken& token = tokens_[i];
      if (token.depth != depth) continue;
      if (token.is("UNION") || token.is("INTERSECT") || token.is("EXCEPT"))
        return wrong("it cannot stand in a compound SELECT; put its SELECT into a subquery in FROM");
      if (token.is("TRIGGER")) return wrong("it cannot stand in a trigger");
      if (token.is("SELECT") && !found) {
        select_.keyword = i;
        found = true;
      }
    }
    if (!found || select_.keyword > call) return wrong("it can stand in a SELECT only");
    select_.limit = limit;
    joins_with_ = at(start, "WITH") && select_.keyword > 0 && tokens_[select_.keyword - 1].is_operator(")");
    return {};
  }

  Status read_clauses() {
    struct Keyword {
      std::string_view word;
      std::string_view second;
      Range Select::*clause;
    };
    static const Keyword kKeywords[] = {{"FROM", "", &Select::from},         {"WHERE", "", &Select::where},    {"GROUP", "BY", &Select::group},
                                        {"HAVING", "", &Select::having},     {"WINDOW", "", &Select::window},  {"ORDER", "BY", &Select::order},
                                        {"LIMIT", "", &Select::rest},        {"RETURNING", "", &Select::rest}};
    const int depth = tokens_[select_.keyword].depth;
    size_t i = select_.keyword + 1;
    if (at(i, "DISTINCT") || at(i, "ALL")) select_.distinct = tokens_[i++].is("DISTINCT");
    Range* clause = &select_.items;
    clause->first = clause->limit = i;
    for (; i < select_.limit; ++i) {
      const auto* keyword = std::find_if(std::begin(kKeywords), std::end(kKeywords), [&](const Keyword& known) {
        return clause != &select_.rest && tokens_[i].depth == depth && tokens_[i].is(known.word) && (known.second.empty() || at(i + 1, known.second));
      });
      const bool starts = keyword != std::end(kKeywords) && !(keyword->word == "FROM" && at(i - 1, "DISTINCT") && i > clause->first);
      if (starts) {
        clause->limit = i;
        clause = &(select_.*(keyword->clause));
        // LIMIT and what follows are taken over with their words.
        clause->first = keyword->clause == &Select::rest ? i : i + (keyword->second.empty() ? 1 : 2);
        if (clause->first > i) i = clause->first - 1;
      }
      clause->limit = i + 1;
    }
    if (select_.from.empty()) return wrong("the SELECT has no FROM");
    return {};
  }

  Status read_items() {
    for (Range range : split(select_.items)) {
      if (range.empty()) return wrong("the list of the SELECT has an empty place");
      if (range.limit - range.first <= 3 && tokens_[range.limit - 1].is_operator("*")) return wrong("SELECT * cannot be filled; name the columns");
      Item item{range, ""};
      const size_t last = range.limit - 1;
      if (range.limit - range.first > 2 && at(last - 1, "AS")) {
        item.expression.limit = last - 1;
        item.name = tokens_[last].kind == TokenKind::kString ? tokens_[last].text.substr(1, tokens_[last].text.size() - 2) : plain_name(tokens_[last]);
      } else if (range.limit - range.first > 1 && is_identifier(tokens_[last]) && !is_value_word(tokens_[last]) && !is_operator_word(tokens_[last - 1]) &&
                 (tokens_[last - 1].kind != TokenKind::kOperator || tokens_[last - 1].is_operator(")"))) {
        item.expression.limit = last;
        item.name = plain_name(tokens_[last]);
      } else {
        item.name = is_column(range) ? plain_name(tokens_[last]) : text(range).substr(1);
      }
      items_.push_back(std::move(item));
    }
    return {};
  }

  /// What a place of GROUP BY means: the number or the name of an item is that item's expression.
  Range group_expression(Range range) const {
    if (range.limit - range.first != 1) return range;
    const StatementToken& token = tokens_[range.first];
    if (token.kind == TokenKind::kNumber) {
      const auto number = static_cast<size_t>(std::strtoull(token.text.c_str(), nullptr, 10));
      return number >= 1 && number <= items_.size() ? items_[number - 1].expression : range;
    }
    for (const Item& item : items_)
      if (is_identifier(token) && same_sql_name(item.name, plain_name(token))) return item.expression;
    return range;
  }

  Status read_groups() {
    bool found = false;
    for (const Range place : split(select_.group)) {
      const Range expression = group_expression(place);
      if (expression.empty()) return wrong("GROUP BY has an empty place");
      if (is_call(expression.first, kFunction)) {
        const Call call = call_at(expression.first);
        if (call.limit == expression.limit) {
          if (found) return wrong("GROUP BY can have it once only");
          bucket_ = call;
          found = true;
          continue;
        }
      }
      groups_.push_back(expression);
    }
    if (!found) return wrong("GROUP BY must name it itself, not an expression over it");
    for (size_t i = select_.items.first; i < select_.limit; ++i)
      if (is_call(i, kFunction) && tokens_[i].depth < tokens_[select_.keyword].depth + 1 && !same({i, call_at(i).limit}, {bucket_.name, bucket_.limit}))
        return wrong("a SELECT can have it with one set of arguments only");
    return read_arguments();
  }

  /// `name => value` and `name := value` are read as PostgreSQL does; SQLite knows no such arguments.
  std::pair<std::string, Range> named(Range argument) const {
    if (argument.limit - argument.first > 2 && is_identifier(tokens_[argument.first]) &&
        (tokens_[argument.first + 1].is_operator("=>") || tokens_[argument.first + 1].is_operator(":=")))
      return {plain_name(tokens_[argument.first]), {argument.first + 2, argument.limit}};
    return {"", argument};
  }

  bool is_null(Range range) const { return range.empty() || (range.limit - range.first == 1 && tokens_[range.first].is("NULL")); }

  /// (width, time), then the zone when the third is a name of one, then start and finish.
  Status read_arguments() {
    std::vector<Range> places;
    std::map<std::string, Range> by_name;
    for (const Range argument : bucket_.arguments) {
      auto [name, value] = named(argument);
      if (name.empty())
        places.push_back(value);
      else
        by_name[name] = value;
    }
    if (places.size() < 2 || places.size() > 5) return wrong("expected (width, time[, time zone][, start, finish])");
    width_ = places[0];
    time_ = places[1];
    size_t next = 2;
    if (places.size() > 2 && (places.size() == 5 || is_zone(places[2]))) zone_ = places[next++];
    if (next < places.size()) start_ = places[next++];
    if (next < places.size()) finish_ = places[next++];
    for (const auto& [name, value] : by_name) {
      if (same_sql_name(name, "start")) start_ = value;
      else if (same_sql_name(name, "finish")) finish_ = value;
      else if (same_sql_name(name, "timezone")) zone_ = value;
      else return wrong(fmt::format("it has no argument '{}'; expected start, finish or timezone", name));
    }
    return {};
  }
  bool is_zone(Range range) const {
    if (range.empty()) return false;
    const StatementToken& token = tokens_[range.first];
    // Names of zones begin with a letter; a start that is no time is to be named as such.
    return range.limit - range.first == 1 && token.kind == TokenKind::kString && token.text.size() > 2 && std::isalpha(static_cast<unsigned char>(token.text[1])) != 0 &&
           !parse_time(std::string_view(token.text).substr(1, token.text.size() - 2));
  }

  // ---- Bounds ----

  struct Bound {
    Range value;
    bool inclusive = true;
  };

  Status read_bounds() {
    if (is_null(start_) || is_null(finish_)) {
      BRAID_TRY(infer_bounds(select_.where));
    }
    if (!is_null(start_)) low_ = Bound{start_, true};
    if (!is_null(finish_)) high_ = Bound{finish_, false};
    if (!low_) return wrong("no start: pass it, or write WHERE time >= …");
    if (!high_) return wrong("no finish: pass it, or write WHERE time < …");
    return {};
  }

  /// Reads the conditions that AND joins.
  Status infer_bounds(Range where) {
    if (where.empty()) return {};
    const int depth = tokens_[where.first].depth;
    for (size_t i = where.first; i < where.limit; ++i)
      if (tokens_[i].depth == depth && tokens_[i].is("OR")) return {};
    size_t first = where.first;
    bool between = false;
    for (size_t i = where.first; i <= where.limit; ++i) {
      const bool ends = i == where.limit || (tokens_[i].depth == depth && tokens_[i].is("AND") && !between);
      if (i < where.limit && tokens_[i].depth == depth) {
        if (tokens_[i].is("AND") && between) between = false;
        if (tokens_[i].is("BETWEEN")) between = true;
      }
      if (!ends) continue;
      BRAID_TRY(infer_from({first, i}));
      first = i + 1;
    }
    return {};
  }

  Status infer_from(Range condition) {
    if (condition.empty()) return {};
    if (opens(condition.first) && after_parenthesis(condition.first) == condition.limit && !at(condition.first + 1, "SELECT"))
      return infer_bounds({condition.first + 1, condition.limit - 1});
    const int depth = tokens_[condition.first].depth;
    for (size_t i = condition.first; i < condition.limit; ++i) {
      if (tokens_[i].depth != depth) continue;
      const Range left{condition.first, i};
      const Range right{i + 1, condition.limit};
      if (tokens_[i].is("BETWEEN") && same_expression(left, time_)) return infer_between(right, depth);
      static constexpr std::string_view kSigns[] = {"<", "<=", ">", ">=", "=", "=="};
      if (std::none_of(std::begin(kSigns), std::end(kSigns), [&](auto sign) { return tokens_[i].is_operator(sign); })) continue;
      const bool time_left = same_expression(left, time_);
      if (!time_left && !same_expression(right, time_)) return {};
      const Range value = time_left ? right : left;
      const std::string& sign = tokens_[i].text;
      const bool equal = sign.front() == '=';
      if (equal || (sign.front() == '<') != time_left) BRAID_TRY(set(low_, {value, sign.back() == '='}, "start"));
      if (equal || (sign.front() == '<') == time_left) BRAID_TRY(set(high_, {value, sign.back() == '='}, "finish"));
      return {};
    }
    return {};
  }
  Status infer_between(Range values, int depth) {
    for (size_t i = values.first; i < values.limit; ++i) {
      if (tokens_[i].depth != depth || !tokens_[i].is("AND")) continue;
      BRAID_TRY(set(low_, {{values.first, i}, true}, "start"));
      return set(high_, {{i + 1, values.limit}, true}, "finish");
    }
    return {};
  }
  Status set(std::optional<Bound>& bound, Bound found, std::string_view name) {
    if (bound && is_null(name == "start" ? start_ : finish_))
      return wrong(fmt::format("WHERE bounds the time twice; pass {} as an argument", name));
    bound = found;
    return {};
  }

  // ---- Writing ----

  std::string group_name(size_t k) const { return fmt::format("gapfill_group_{}", k + 1); }
  /// ", " and the names of the other groups, with a prefix.
  std::string group_list(std::string_view before) const {
    std::string list;
    for (size_t k = 0; k < groups_.size(); ++k) list += fmt::format("{}{}", before, group_name(k));
    return list;
  }

  /// `range` as it reads over the filled rows. Within a subquery only groups are replaced.
  Result<std::string> over_rows(Range range, bool in_subquery = false) {
    std::string out;
    for (size_t i = range.first; i < range.limit;) {
      if (const auto group = group_at(i, range.limit)) {
        out += " " + group_name(group->first);
        i = group->second;
        continue;
      }
      if (is_call(i, kFunction) && !in_subquery) {
        out += " gapfill_bucket";
        i = call_at(i).limit;
        continue;
      }
      if (opens(i) && (at(i + 1, "SELECT") || at(i + 1, "WITH"))) {
        const size_t limit = after_parenthesis(i);
        BRAID_ASSIGN(const std::string inner, over_rows({i + 1, limit - 1}, true));
        out += " (" + inner + " )";
        i = limit;
        continue;
      }
      if (!in_subquery && is_identifier(tokens_[i]) && opens(i + 1)) {
        size_t limit = 0;
        BRAID_ASSIGN(const std::string called, call_over_rows(call_at(i), limit));
        if (limit > i) {
          out += called;
          i = limit;
          continue;
        }
      }
      out += " " + tokens_[i++].text;
    }
    return out;
  }

  /// The group whose expression stands at `i`, and the token after it.
  std::optional<std::pair<size_t, size_t>> group_at(size_t i, size_t limit) const {
    if (i > 0 && tokens_[i - 1].is_operator(".")) return std::nullopt;
    size_t column = i;
    while (column + 2 < limit && is_identifier(tokens_[column]) && tokens_[column + 1].is_operator(".")) column += 2;
    for (size_t k = 0; k < groups_.size(); ++k) {
      const size_t size = groups_[k].limit - groups_[k].first;
      if (i + size <= limit && same({i, i + size}, groups_[k]) && !opens(i + size) && !(i + size < limit && tokens_[i + size].is_operator("."))) return {{k, i + size}};
      if (is_identifier(tokens_[i]) && !opens(column + 1) && same_expression({i, column + 1}, groups_[k])) return {{k, column + 1}};
    }
    return std::nullopt;
  }

  /// locf, interpolate and aggregates; `limit` stays 0 for other functions.
  Result<std::string> call_over_rows(const Call& call, size_t& limit) {
    const bool windowed = at(call.limit, "OVER");
    if (!windowed && is_call(call.name, "locf")) {
      limit = call.limit;
      return locf(call);
    }
    if (!windowed && is_call(call.name, "interpolate")) {
      limit = call.limit;
      return interpolate(call);
    }
    size_t end = call.limit;
    if (at(end, "FILTER") && opens(end + 1)) end = after_parenthesis(end + 1);
    const bool star = call.arguments.size() == 1 && call.arguments[0].limit - call.arguments[0].first == 1 && tokens_[call.arguments[0].first].is_operator("*");
    if (at(end, "OVER") || !is_aggregate_(plain_name(tokens_[call.name]), star ? 0 : call.arguments.size())) return std::string();
    limit = end;
    const std::string aggregate = text({call.name, end});
    auto known = std::find(aggregates_.begin(), aggregates_.end(), aggregate);
    if (known == aggregates_.end()) known = aggregates_.insert(aggregates_.end(), aggregate);
    return fmt::format(" gapfill_value_{}", known - aggregates_.begin() + 1);
  }

  Result<std::string> locf(const Call& call) {
    Range value, before;
    std::string treat = "false";
    size_t place = 0;
    for (const Range argument : call.arguments) {
      const auto [name, range] = named(argument);
      const size_t at_place = name.empty() ? place++ : same_sql_name(name, "value") ? 0 : same_sql_name(name, "prev") ? 1 : same_sql_name(name, "treat_null_as_missing") ? 2 : 3;
      if (at_place == 0) value = range;
      else if (at_place == 1) before = range;
      else if (at_place == 2) treat = range.empty() ? "" : text(range).substr(1);
      else return wrong("locf takes (value[, prev[, treat_null_as_missing]])");
    }
    if (value.empty()) return wrong("locf needs a value");
    BRAID_ASSIGN(const std::string over, over_rows(value));
    BRAID_ASSIGN(const std::string prev, before.empty() ? Result<std::string>(std::string(" NULL")) : over_rows(before));
    const bool skips_null = same_sql_name(treat, "true") || treat == "1";
    return fmt::format(" locf({}, {},{}) OVER gapfill_past", over, skips_null ? fmt::format("({}) IS NOT NULL", over) : "gapfill_present", prev);
  }

  Result<std::string> interpolate(const Call& call) {
    Range value;
    std::string ends[2] = {" NULL", " NULL"};
    size_t place = 0;
    for (const Range argument : call.arguments) {
      const auto [name, range] = named(argument);
      const size_t at_place = name.empty() ? place++ : same_sql_name(name, "value") ? 0 : same_sql_name(name, "prev") ? 1 : same_sql_name(name, "next") ? 2 : 3;
      if (at_place == 0) value = range;
      else if (at_place > 2) return wrong("interpolate takes (value[, prev[, next]])");
      if (at_place == 0) continue;
      BRAID_ASSIGN(ends[at_place - 1], pair_over_rows(range));
    }
    if (value.empty()) return wrong("interpolate needs a value");
    BRAID_ASSIGN(const std::string over, over_rows(value));
    return fmt::format(" interpolate({}, gapfill_bucket,{},{}) OVER gapfill_coming", over, ends[0], ends[1]);
  }

  /// PostgreSQL's record (time, value), also as what a subquery selects, as a JSON array.
  Result<std::string> pair_over_rows(Range range) {
    if (range.empty()) return std::string(" NULL");
    const size_t last = range.limit - 1;
    if (opens(range.first) && after_parenthesis(range.first) == range.limit) {
      if (at(range.first + 1, "SELECT") && opens(range.first + 2)) {
        const size_t pair = after_parenthesis(range.first + 2);
        if (split({range.first + 3, pair - 1}).size() == 2) {
          BRAID_ASSIGN(const std::string columns, over_rows({range.first + 3, pair - 1}, true));
          BRAID_ASSIGN(const std::string rest, over_rows({pair, last}, true));
          return fmt::format(" (SELECT json_array({}){})", columns, rest);
        }
      }
      if (split({range.first + 1, last}).size() == 2) {
        BRAID_ASSIGN(const std::string columns, over_rows({range.first + 1, last}));
        return fmt::format(" json_array({})", columns);
      }
    }
    return over_rows(range);
  }

  /// ORDER BY: names and numbers of items stay what they are.
  Result<std::string> ordering() {
    std::string out;
    for (const Range term : split(select_.order)) {
      if (term.empty()) return wrong("ORDER BY has an empty place");
      const bool names_item = std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
        return is_identifier(tokens_[term.first]) && same_sql_name(item.name, plain_name(tokens_[term.first]));
      });
      const bool single = term.limit - term.first == 1 || at(term.first + 1, "DESC") || at(term.first + 1, "ASC") || at(term.first + 1, "NULLS");
      std::string text_of_term = text(term);
      if (!(single && names_item)) {
        BRAID_ASSIGN(text_of_term, over_rows(term));
      }
      out += (out.empty() ? " ORDER BY" : ",") + text_of_term;
    }
    return out;
  }

  /// HAVING sees the groups that there are; names of items mean their expressions.
  std::string having() const {
    std::string out;
    for (size_t i = select_.having.first; i < select_.having.limit; ++i) {
      const StatementToken& token = tokens_[i];
      const auto item = std::find_if(items_.begin(), items_.end(), [&](const Item& known) {
        return is_identifier(token) && !opens(i + 1) && same_sql_name(known.name, plain_name(token)) && !is_column(known.expression);
      });
      out += item == items_.end() ? " " + token.text : " (" + text(item->expression) + " )";
    }
    return out.empty() ? out : " HAVING" + out;
  }

  std::string bucket_call() const { return fmt::format("time_bucket({},{}{})", text(width_), text(time_), zone_.empty() ? "" : "," + text(zone_)); }

  Result<std::string> filled_select() {
    std::string items;
    for (const Item& item : items_) {
      BRAID_ASSIGN(const std::string expression, over_rows(item.expression));
      items += fmt::format("{}{} AS {}", items.empty() ? "" : ",", expression, quote_identifier(item.name));
    }
    BRAID_ASSIGN(const std::string order, ordering());
    BRAID_ASSIGN(const std::string window, over_rows(select_.window));
    // The groups that there are.
    std::string rows = fmt::format("gapfill_rows AS MATERIALIZED (SELECT {} AS gapfill_bucket, 1 AS gapfill_present", bucket_call());
    for (size_t k = 0; k < groups_.size(); ++k) rows += fmt::format(",{} AS {}", text(groups_[k]), group_name(k));
    for (size_t j = 0; j < aggregates_.size(); ++j) rows += fmt::format(",{} AS gapfill_value_{}", aggregates_[j], j + 1);
    rows += fmt::format(" FROM{}", text(select_.from));
    if (!select_.where.empty()) rows += " WHERE" + text(select_.where);
    rows += " GROUP BY 1";
    for (size_t k = 0; k < groups_.size(); ++k) rows += fmt::format(", {}", k + 3);
    rows += replaced_buckets(having()) + ")";
    // Those beside all buckets of each group; of two rows of one bucket that with values stays.
    std::string kept, none;
    for (size_t j = 0; j < aggregates_.size(); ++j) {
      kept += fmt::format(", max(gapfill_value_{0}) AS gapfill_value_{0}", j + 1);
      none += ", NULL";
    }
    const std::string groups = groups_.empty() ? "" : fmt::format(", (SELECT DISTINCT {} FROM gapfill_rows)", group_list(", ").substr(2));
    const std::string filled = fmt::format(
        ", gapfill_filled AS (SELECT gapfill_bucket, max(gapfill_present) AS gapfill_present{0}{1} FROM (SELECT * FROM gapfill_rows UNION ALL "
        "SELECT bucket, NULL{0}{2} FROM time_buckets({3},{4},{5},{6}, NULL, NULL, '{7}{8}'){9}) GROUP BY gapfill_bucket{0})",
        group_list(", "), kept, none, text(width_), text(low_->value), text(high_->value), zone_.empty() ? " NULL" : text(zone_),
        low_->inclusive ? '[' : '(', high_->inclusive ? ']' : ')', groups);
    const std::string partition = groups_.empty() ? "" : "PARTITION BY " + group_list(", ").substr(2) + " ";
    const std::string windows = fmt::format(
        " WINDOW gapfill_past AS ({0}ORDER BY gapfill_bucket), "
        "gapfill_coming AS ({0}ORDER BY gapfill_bucket ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
        partition);
    return fmt::format("{}{} SELECT {}{} FROM gapfill_filled{}{}{}{}", rows, filled, select_.distinct ? "DISTINCT" : "", items, windows,
                       window.empty() ? "" : "," + window, order, text(select_.rest));
  }

  /// In HAVING the call means the bucket of the groups that there are.
  static std::string replaced_buckets(std::string having) {
    for (size_t i = having.find(kFunction); i != std::string::npos; i = having.find(kFunction, i)) having.replace(i, kFunction.size(), "time_bucket");
    return having;
  }

  const Tokens& tokens_;
  const IsAggregate& is_aggregate_;
  Select select_;
  bool joins_with_ = false;  // the SELECT has a WITH before it already
  std::vector<Item> items_;
  Call bucket_;
  std::vector<Range> groups_;  // expressions of GROUP BY but for the bucket
  std::vector<std::string> aggregates_;
  Range width_, time_, zone_, start_, finish_;
  std::optional<Bound> low_, high_;
};

}  // namespace

Result<std::optional<GapfillRewrite>> rewrite_gapfill(std::string_view sql, const IsAggregate& is_aggregate) {
  std::optional<GapfillRewrite> rewritten;
  if (!statement_has_word(sql, kFunction)) return rewritten;
  size_t used = 0;
  Tokens tokens = tokens_of_statement(sql, used);
  for (const StatementToken& token : tokens)
    if (token.depth > kDepthMax) return wrong(fmt::format("more than {} parentheses stand within each other", kDepthMax));
  const auto call_in = [](const Tokens& list) {
    size_t i = 0;
    while (i + 1 < list.size() && !(list[i].is(kFunction) && list[i + 1].is_operator("("))) ++i;
    return i + 1 < list.size() ? std::optional(i) : std::nullopt;
  };
  for (int selects = 0;; ++selects) {
    const auto call = call_in(tokens);
    if (!call) return rewritten;
    if (selects == kSelectsMax) return wrong(fmt::format("a statement can have it in {} SELECTs only", kSelectsMax));
    auto text = SelectRewriter(tokens, is_aggregate).rewrite(*call);
    if (!text.ok()) return text.status();
    rewritten = GapfillRewrite{text.take(), used};
    size_t all = 0;
    tokens = tokens_of_statement(rewritten->sql, all);
  }
}

}  // namespace braid
