#include "sql/aggregate_query.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/select_core.h"
#include "sql/sql_tokens.h"
#include "sql/time_text.h"
#include "timeseries/aggregate_buckets.h"

namespace braid {

namespace {

constexpr size_t kColumnsMax = 256;
/// Buckets that are compared with those of the aggregate below: months differ in length, which so many show.
constexpr int kBucketsCompared = 64;

struct AggregateFunctionRow {
  std::string_view name;
  AggregateRole role;
  size_t arguments;
};
constexpr AggregateFunctionRow kAggregateFunctions[] = {
    {"count", AggregateRole::kCount, 1}, {"sum", AggregateRole::kSum, 1}, {"avg", AggregateRole::kAverage, 1}, {"min", AggregateRole::kMin, 1},
    {"max", AggregateRole::kMax, 1},     {"first", AggregateRole::kFirst, 2}, {"last", AggregateRole::kLast, 2},
};

bool is_number(const FieldDefinition& field) { return field.type != FieldType::kText && field.type != FieldType::kJson; }

class QueryReader {
 public:
  QueryReader(const CatalogState& state, const SqlTokens& tokens, AggregateDefinition& out) : state_(state), tokens_(tokens), out_(out) {}

  Status read() {
    if (!tokens_.is_word(0, "SELECT")) return refuse("it begins with SELECT");
    const auto core = find_select_core(tokens_, 0);
    if (!core || core->in_compound || core->whole.limit != tokens_.size()) return refuse("it is one SELECT … FROM … GROUP BY …");
    if (core->distinct || !core->where.empty() || !core->having.empty() || !core->order.empty() || !core->count.empty())
      return refuse("DISTINCT, WHERE, HAVING, ORDER BY and LIMIT belong into the queries that read it");
    if (tokens_.variable_count() > 0) return refuse("it has no parameters");
    BRAID_TRY(read_source(core->from));
    for (const TokenRange item : split_at_commas(tokens_, core->items)) BRAID_TRY(read_item(item));
    if (!has_bucket_) return refuse(fmt::format("one of its columns is time_bucket(width, {})", time_name()));
    if (out_.columns.size() > kColumnsMax) return refuse(fmt::format("it has at most {} columns", kColumnsMax));
    BRAID_TRY(check_names());
    BRAID_TRY(read_groups(core->group));
    return check_buckets();
  }

 private:
  Status refuse(std::string_view rule) const {
    return Status(StatusCode::kInvalidArgument, fmt::format("the query of continuous aggregate '{}' cannot be kept up to date: {}", out_.name, rule));
  }
  std::string text(TokenRange range) const { return range.empty() ? std::string() : std::string(tokens_.span(range.start, range.limit)); }

  std::string time_name() const {
    if (parent_ == nullptr) return table_->time_column;
    const auto bucket = std::find_if(parent_->columns.begin(), parent_->columns.end(), [](const AggregateColumn& one) { return one.role == AggregateRole::kBucket; });
    return bucket->name;
  }

  /// FROM [main.]name [[AS] alias]
  Status read_source(TokenRange from) {
    size_t at = from.start;
    if (from.size() > 2 && tokens_.names(at, "main") && tokens_.is_operator(at + 1, ".")) at += 2;
    if (at >= from.limit || !tokens_.is_name(at)) return refuse("it reads FROM one hypertable or continuous aggregate");
    const std::string name = tokens_.name(at++);
    qualifier_ = name;
    if (at < from.limit && tokens_.is_word(at, "AS")) ++at;
    if (at < from.limit && tokens_.is_name(at)) qualifier_ = tokens_.name(at++);
    if (at != from.limit) return refuse("it reads FROM one hypertable or continuous aggregate");
    table_ = state_.hypertable(name);
    parent_ = table_ == nullptr ? state_.aggregate(name) : nullptr;
    if (parent_ != nullptr) table_ = &state_.hypertables.at(parent_->hypertable);
    if (table_ == nullptr)
      return Status(StatusCode::kNotFound, fmt::format("continuous aggregate '{}': there is no hypertable or continuous aggregate '{}'", out_.name, name));
    out_.hypertable = table_->id;
    if (parent_ != nullptr) out_.parent = parent_->id;
    return {};
  }

  Status read_item(TokenRange item) {
    AggregateColumn column;
    const TokenRange expression = without_parentheses(tokens_, take_alias(item, column.name));
    if (expression.empty()) return refuse("a column is missing between commas");
    if (const auto name = column_reference(expression)) {
      column.role = AggregateRole::kTag;
      const auto tag = find_tag(*name);
      if (!tag) return refuse(fmt::format("'{}' is no tag{}", *name, parent_ != nullptr ? " of the aggregate below" : fmt::format(" of '{}'", table_->name)));
      column.source = *tag;
      if (column.name.empty()) column.name = *name;
      out_.columns.push_back(std::move(column));
      return {};
    }
    if (expression.size() < 3 || !tokens_.is_name(expression.start) || !tokens_.is_operator(expression.start + 1, "(") ||
        tokens_[expression.start + 1].partner != expression.limit - 1)
      return refuse(fmt::format("'{}' is neither time_bucket(…), a tag nor one of count, sum, avg, min, max, first, last of a field; compute with "
                                "them in the queries that read it", text(expression)));
    const std::string function = tokens_.name(expression.start);
    const TokenRange inside{expression.start + 2, expression.limit - 1};
    if (column.name.empty()) column.name = function;
    if (same_sql_name(function, "time_bucket")) {
      if (has_bucket_) return refuse("it has one time_bucket");
      has_bucket_ = true;
      bucket_text_ = normalized(expression);
      column.role = AggregateRole::kBucket;
      BRAID_TRY(read_bucket(split_at_commas(tokens_, inside)));
    } else {
      BRAID_TRY(read_function(function, inside, column));
    }
    out_.columns.push_back(std::move(column));
    return {};
  }

  /// The expression before `AS name` or a name that follows it at once.
  TokenRange take_alias(TokenRange item, std::string& name) const {
    if (item.size() < 2 || !(tokens_.is_name(item.limit - 1) || tokens_[item.limit - 1].kind == TokenKind::kString)) return item;
    const bool as = tokens_.is_word(item.limit - 2, "AS");
    if (!as && !tokens_.is_operator(item.limit - 2, ")") && !(item.size() == 2 && tokens_.is_name(item.start))) return item;
    name = tokens_.name(item.limit - 1);
    return {item.start, item.limit - (as ? 2 : 1)};
  }

  /// column or table.column
  std::optional<std::string> column_reference(TokenRange range) const {
    if (range.size() == 1 && tokens_.is_name(range.start)) return tokens_.name(range.start);
    if (range.size() == 3 && tokens_.names(range.start, qualifier_) && tokens_.is_operator(range.start + 1, ".") && tokens_.is_name(range.start + 2))
      return tokens_.name(range.start + 2);
    return std::nullopt;
  }

  const AggregateColumn* parent_column(std::string_view name) const {
    const auto found = std::find_if(parent_->columns.begin(), parent_->columns.end(), [&](const AggregateColumn& one) { return same_sql_name(one.name, name); });
    return found == parent_->columns.end() ? nullptr : &*found;
  }

  std::optional<std::string> find_tag(std::string_view name) const {
    if (parent_ != nullptr) {
      const AggregateColumn* column = parent_column(name);
      return column != nullptr && column->role == AggregateRole::kTag ? std::optional(column->source) : std::nullopt;
    }
    for (const std::string& tag : table_->tags)
      if (same_sql_name(tag, name)) return tag;
    return std::nullopt;
  }

  bool is_time(TokenRange range) const {
    const auto name = column_reference(without_parentheses(tokens_, range));
    return name && same_sql_name(*name, time_name());
  }

  // ---- time_bucket ---------------------------------------------------------------------------------------------------

  /// [INTERVAL] 'text', or a whole number of microseconds.
  std::optional<std::string> literal(TokenRange range) const {
    if (range.size() == 2 && tokens_.is_word(range.start, "INTERVAL")) ++range.start;
    if (range.size() != 1) return std::nullopt;
    const TokenKind kind = tokens_[range.start].kind;
    if (kind == TokenKind::kString) return tokens_.name(range.start);
    return kind == TokenKind::kNumber ? std::optional(std::string(tokens_.text(range.start))) : std::nullopt;
  }

  Status read_bucket(const std::vector<TokenRange>& arguments) {
    if (arguments.size() < 2 || !is_time(arguments[1])) return refuse(fmt::format("the bucket is time_bucket(width, {})", time_name()));
    const auto width = literal(arguments[0]);
    if (!width) return refuse("the width of time_bucket is a constant like '1 hour'");
    int64_t us = 0;
    const auto parsed = std::from_chars(width->data(), width->data() + width->size(), us);
    if (parsed.ec == std::errc() && parsed.ptr == width->data() + width->size()) {
      out_.width.microseconds = us;
    } else {
      BRAID_ASSIGN(const Interval interval, parse_interval(*width));
      out_.width = {interval.months, interval.microseconds};
    }
    for (size_t i = 2; i < arguments.size(); ++i) BRAID_TRY(read_bucket_option(arguments[i]));
    return AggregateBuckets::make(out_).status();
  }

  Status read_bucket_option(TokenRange argument) {
    const auto value = literal(argument);
    if (!value) return refuse(fmt::format("'{}' is no constant; after the time stand an origin or an offset", text(argument)));
    if (const auto time = parse_time(*value)) {
      out_.origin_us = time->value();
      return {};
    }
    const auto offset = parse_interval(*value);
    if (!offset.ok()) return refuse(fmt::format("'{}' is neither an origin nor an offset; buckets of a time zone are not kept", *value));
    out_.offset = {offset->months, offset->microseconds};
    return {};
  }

  /// Buckets of an aggregate over another one must not cut its buckets.
  Status check_buckets() const {
    if (parent_ == nullptr) return {};
    BRAID_ASSIGN(const auto wide, AggregateBuckets::make(out_));
    BRAID_ASSIGN(const auto narrow, AggregateBuckets::make(*parent_));
    int64_t start = wide->start_of(0);
    for (int i = 0; i < kBucketsCompared; ++i, start = wide->next(start))
      if (narrow->start_of(start) != start) return refuse(fmt::format("its buckets are no multiple of those of '{}'", parent_->name));
    return {};
  }

  // ---- Aggregates ----------------------------------------------------------------------------------------------------

  Status read_function(const std::string& name, TokenRange inside, AggregateColumn& column) {
    const auto* row = std::find_if(std::begin(kAggregateFunctions), std::end(kAggregateFunctions), [&](const AggregateFunctionRow& one) { return same_sql_name(one.name, name); });
    if (row == std::end(kAggregateFunctions)) return refuse(fmt::format("{}() is not kept; count, sum, avg, min, max, first and last are", name));
    const auto arguments = split_at_commas(tokens_, inside);
    if (arguments.size() != row->arguments || inside.empty())
      return refuse(fmt::format("{}() takes {}", name, row->arguments == 2 ? fmt::format("a field and {}", time_name()) : "one field"));
    if (row->arguments == 2 && !is_time(arguments[1])) return refuse(fmt::format("{}() orders by '{}'", name, time_name()));
    column.role = row->role;
    if (parent_ == nullptr && row->role == AggregateRole::kCount && text(arguments[0]) == "*") return {};
    const auto argument = column_reference(without_parentheses(tokens_, arguments[0]));
    if (!argument) return refuse(fmt::format("'{}' is no column; {}() takes one", text(arguments[0]), name));
    return parent_ != nullptr ? take_parent_column(*argument, name, column) : take_field(*argument, name, column);
  }

  Status take_field(const std::string& argument, const std::string& function, AggregateColumn& column) const {
    const bool extreme = column.role == AggregateRole::kMin || column.role == AggregateRole::kMax;
    if (same_sql_name(argument, table_->time_column)) {
      // Every point has a time.
      if (extreme || column.role == AggregateRole::kCount) return {};
      return refuse(fmt::format("{}() of the time is not kept", function));
    }
    for (const FieldDefinition& field : table_->fields) {
      if (!same_sql_name(field.name, argument)) continue;
      if (!is_number(field) && column.role != AggregateRole::kCount) return refuse(fmt::format("field '{}' is text; only count() of it is kept", argument));
      column.source = field.name;
      return {};
    }
    return refuse(fmt::format("'{}' is no field of '{}'", argument, table_->name));
  }

  Status take_parent_column(const std::string& argument, const std::string& function, AggregateColumn& column) const {
    const AggregateColumn* below = parent_column(argument);
    if (below == nullptr) return refuse(fmt::format("'{}' has no column '{}'", parent_->name, argument));
    const bool counts = column.role == AggregateRole::kSum && below->role == AggregateRole::kCount;
    if (below->role != column.role || column.role == AggregateRole::kCount) {
      if (!counts)
        return refuse(fmt::format("{}('{}') over '{}' says nothing of its points; avg, min, max, first and last take columns of the same function, "
                                  "sum takes sums and counts", function, argument, parent_->name));
      column.role = AggregateRole::kCount;
    }
    column.source = below->source;
    return {};
  }

  // ---- Names and groups ----------------------------------------------------------------------------------------------

  Status check_names() const {
    for (size_t i = 0; i < out_.columns.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (same_sql_name(out_.columns[i].name, out_.columns[j].name))
          return refuse(fmt::format("two columns are named '{}'; tell them apart with AS", out_.columns[i].name));
    return {};
  }

  std::string normalized(TokenRange range) const {
    std::string out;
    for (size_t at = range.start; at < range.limit; ++at) out += tokens_.is_name(at) ? tokens_.name(at) : std::string(tokens_.text(at));
    for (char& letter : out) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return out;
  }

  /// The column of the query that a term of GROUP BY means: by number, by name, or written again.
  std::optional<size_t> grouped_column(TokenRange term) const {
    term = without_parentheses(tokens_, term);
    size_t number = 0;
    const std::string_view digits = term.size() == 1 ? tokens_.text(term.start) : std::string_view();
    if (term.size() == 1 && tokens_[term.start].kind == TokenKind::kNumber) {
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
      return number >= 1 && number <= out_.columns.size() ? std::optional(number - 1) : std::nullopt;
    }
    const auto name = column_reference(term);
    const auto tag = name ? find_tag(*name) : std::nullopt;
    for (size_t i = 0; i < out_.columns.size(); ++i) {
      const AggregateColumn& column = out_.columns[i];
      // A column of the source hides a name of the result, as in SQLite.
      if (tag ? column.role == AggregateRole::kTag && column.source == *tag : name && same_sql_name(column.name, *name)) return i;
      if (!name && column.role == AggregateRole::kBucket && normalized(term) == bucket_text_) return i;
    }
    return std::nullopt;
  }

  Status read_groups(TokenRange group) const {
    std::vector<bool> grouped(out_.columns.size(), false);
    for (const TokenRange term : group.empty() ? std::vector<TokenRange>() : split_at_commas(tokens_, group)) {
      const auto column = grouped_column(term);
      if (!column || out_.columns[*column].role > AggregateRole::kTag)
        return refuse(fmt::format("GROUP BY '{}' is neither its time_bucket nor one of its tags; each key is a column of the query", text(term)));
      grouped[*column] = true;
    }
    for (size_t i = 0; i < grouped.size(); ++i)
      if (!grouped[i] && out_.columns[i].role <= AggregateRole::kTag) return refuse(fmt::format("column '{}' is missing in GROUP BY", out_.columns[i].name));
    return {};
  }

  const CatalogState& state_;
  const SqlTokens& tokens_;
  AggregateDefinition& out_;
  const HypertableDefinition* table_ = nullptr;  // whose points it is made of
  const AggregateDefinition* parent_ = nullptr;
  std::string qualifier_;
  std::string bucket_text_;
  bool has_bucket_ = false;
};

}  // namespace

Result<AggregateDefinition> parse_aggregate(const CatalogState& state, std::string name, std::string_view query) {
  AggregateDefinition definition;
  definition.name = std::move(name);
  definition.query = query;
  const auto tokens = SqlTokens::of(definition.query);
  if (!tokens) return Status(StatusCode::kInvalidArgument, fmt::format("the query of continuous aggregate '{}' cannot be read", definition.name));
  BRAID_TRY(QueryReader(state, *tokens, definition).read());
  return definition;
}

namespace {

/// The name that a tag or field has after the change; none when it goes or gets another type.
std::optional<std::string> name_after(const std::string& name, const HypertableDefinition& before, const HypertableDefinition& after) {
  for (size_t i = 0; i < before.tags.size(); ++i)
    if (same_sql_name(before.tags[i], name)) return after.tags[i];
  for (const FieldDefinition& field : before.fields) {
    if (!same_sql_name(field.name, name)) continue;
    for (const FieldDefinition& now : after.fields)
      if (now.id == field.id && now.type == field.type) return now.name;
  }
  return std::nullopt;
}

}  // namespace

Status follow_alteration(CatalogWriter& catalog, const HypertableDefinition& before, const HypertableDefinition& after) {
  std::vector<AggregateDefinition> changed;
  for (const auto& [id, aggregate] : catalog.state().aggregates) {
    if (aggregate->hypertable != before.id) continue;
    AggregateDefinition followed = *aggregate;
    bool renamed = false;
    for (AggregateColumn& column : followed.columns) {
      if (column.source.empty()) continue;
      const auto name = name_after(column.source, before, after);
      if (!name)
        return Status(StatusCode::kConstraint, fmt::format("the continuous aggregate '{}' is made from '{}'; drop it first", aggregate->name, column.source));
      renamed |= *name != column.source;
      column.source = *name;
    }
    if (renamed) changed.push_back(std::move(followed));
  }
  for (AggregateDefinition& aggregate : changed) catalog.put_aggregate(std::move(aggregate));
  return {};
}

}  // namespace braid
