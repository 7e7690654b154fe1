#include "sql/rollup_plan.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "engine/sqlite_handle.h"
#include "sql/sql_tokens.h"

namespace braid {

namespace {

struct OperatorRow {
  ConditionOperator op;
  std::string_view text;
};
constexpr OperatorRow kConditionOperators[] = {
    {ConditionOperator::kLess, "<"},         {ConditionOperator::kLessOrEqual, "<="},   {ConditionOperator::kEqual, "="},
    {ConditionOperator::kNotEqual, "<>"},    {ConditionOperator::kGreaterOrEqual, ">="}, {ConditionOperator::kGreater, ">"},
    {ConditionOperator::kIs, "is"},          {ConditionOperator::kIn, "in"},             {ConditionOperator::kNull, "null"},
    {ConditionOperator::kNotNull, "notnull"},
};

struct RollupFunctionRow {
  RollupFunction function;
  std::string_view name;
};
constexpr RollupFunctionRow kRollupFunctions[] = {
    {RollupFunction::kCount, "count"}, {RollupFunction::kSum, "sum"},     {RollupFunction::kAverage, "avg"}, {RollupFunction::kMin, "min"},
    {RollupFunction::kMax, "max"},     {RollupFunction::kFirst, "first"}, {RollupFunction::kLast, "last"},
};

std::string field_text(size_t field) { return field == kAllRows ? "*" : field == kTimeField ? "t" : std::to_string(field); }

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// Reads one word after the other; the first that is wrong ends it.
class PlanReader {
 public:
  PlanReader(size_t parameter_count, const HypertableDefinition& table) : parameter_count_(parameter_count), table_(table) {}

  bool read(std::string_view word) {
    parts_ = parts_of(word, ':');
    const std::string_view kind = parts_.empty() ? std::string_view() : parts_[0];
    if (kind == "bucket") return read_bucket();
    if (kind == "tag") return read_tag();
    if (kind == "time") return has(3) && read_condition(ConditionTarget::kTime, 1);
    if (kind == "field") return read_condition_on(ConditionTarget::kField, table_.fields.size());
    if (kind == "series") return read_condition_on(ConditionTarget::kSeries, table_.tags.size());
    if (kind == "if") return read_constant();
    if (kind == "order") return read_order();
    if (kind == "limit") return read_limit();
    return read_column();
  }
  RollupPlan take() { return std::move(plan_); }

 private:
  bool has(size_t count) const { return parts_.size() == count; }

  static std::optional<size_t> number(std::string_view text, size_t limit) {
    size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value >= limit) return std::nullopt;
    return value;
  }
  std::optional<size_t> parameter(size_t part) const { return number(parts_[part], parameter_count_); }

  bool read_bucket() {
    if (parts_.size() < 2 || parts_.size() > 2 + kBucketOptionsMax || plan_.bucket) return false;
    RollupPlan::Bucket bucket{0, {}};
    for (size_t part = 1; part < parts_.size(); ++part) {
      const auto given = parameter(part);
      if (!given) return false;
      if (part == 1) bucket.width = *given;
      else bucket.options.push_back(*given);
    }
    plan_.bucket = std::move(bucket);
    return true;
  }

  bool read_tag() {
    const auto tag = has(2) ? number(parts_[1], table_.tags.size()) : std::nullopt;
    if (!tag || plan_.tags.size() == kRollupTagsMax) return false;
    plan_.tags.push_back(*tag);
    return true;
  }

  bool read_column() {
    const auto function = parts_.empty() ? std::nullopt : find_rollup_function(parts_[0]);
    if (!function || !has(2) || plan_.columns.size() == kRollupColumnsMax) return false;
    RollupColumn column{*function, kAllRows};
    if (parts_[1] == "t") {
      column.field = kTimeField;
      if (*function != RollupFunction::kMin && *function != RollupFunction::kMax && *function != RollupFunction::kCount) return false;
    } else if (parts_[1] != "*") {
      const auto field = number(parts_[1], table_.fields.size());
      if (!field) return false;
      column.field = *field;
      const FieldType type = table_.fields[*field].type;
      if (*function != RollupFunction::kCount && (type == FieldType::kText || type == FieldType::kJson)) return false;
    } else if (*function != RollupFunction::kCount) {
      return false;
    }
    plan_.columns.push_back(column);
    return true;
  }

  bool read_condition_on(ConditionTarget target, size_t limit) {
    const auto index = parts_.size() > 2 ? number(parts_[1], limit) : std::nullopt;
    if (!index) return false;
    return read_condition(target, 2, *index);
  }

  bool read_condition(ConditionTarget target, size_t part, size_t index = 0) {
    const auto* row = std::find_if(std::begin(kConditionOperators), std::end(kConditionOperators), [&](const auto& known) { return known.text == parts_[part]; });
    if (row == std::end(kConditionOperators)) return false;
    RollupCondition condition{target, row->op, index, std::nullopt};
    const bool unary = row->op == ConditionOperator::kNull || row->op == ConditionOperator::kNotNull;
    if (parts_.size() != part + (unary ? 1 : 2)) return false;
    if (!unary) condition.parameter = parameter(part + 1);
    if (!unary && !condition.parameter) return false;
    if (!allowed(condition)) return false;
    plan_.conditions.push_back(condition);
    return true;
  }

  bool allowed(const RollupCondition& condition) const {
    using Op = ConditionOperator;
    const bool ordered = condition.op == Op::kLess || condition.op == Op::kLessOrEqual || condition.op == Op::kGreater || condition.op == Op::kGreaterOrEqual;
    switch (condition.target) {
      case ConditionTarget::kTime: return ordered || condition.op == Op::kEqual;
      case ConditionTarget::kSeries: return !ordered && condition.op != Op::kNotEqual;
      case ConditionTarget::kField: {
        const FieldType type = table_.fields[condition.index].type;
        return condition.op != Op::kIs && condition.op != Op::kIn && type != FieldType::kText && type != FieldType::kJson;
      }
      case ConditionTarget::kConstant: return true;
    }
    return false;
  }

  bool read_constant() {
    const auto given = has(2) ? parameter(1) : std::nullopt;
    if (given) plan_.conditions.push_back({ConditionTarget::kConstant, ConditionOperator::kEqual, 0, given});
    return given.has_value();
  }

  bool read_order() {
    if (!has(2) || parts_[1].size() < 2) return false;
    const char direction = parts_[1].back();
    const std::string_view key = parts_[1].substr(0, parts_[1].size() - 1);
    if (direction != '+' && direction != '-') return false;
    RollupOrder order{std::nullopt, direction == '-'};
    if (key != "b") {
      order.tag = number(key, plan_.tags.size());
      if (!order.tag) return false;
    }
    plan_.order.push_back(order);
    return plan_.order.size() <= kRollupTagsMax + 1;
  }

  bool read_limit() {
    if ((!has(3) && !has(4)) || (parts_.back() != "+" && parts_.back() != "-") || !plan_.bucket || !plan_.tags.empty()) return false;
    const auto count = parameter(1);
    const auto offset = has(4) ? parameter(2) : std::nullopt;
    if (!count || (has(4) && !offset)) return false;
    plan_.limit = {*count, offset, parts_.back() == "-"};
    return true;
  }

  const size_t parameter_count_;
  const HypertableDefinition& table_;
  std::vector<std::string_view> parts_;
  RollupPlan plan_;
};

std::string condition_word(const RollupCondition& condition) {
  const std::string parameter = condition.parameter ? fmt::format(":{}", *condition.parameter) : "";
  switch (condition.target) {
    case ConditionTarget::kTime: return fmt::format("time:{}{}", operator_text(condition.op), parameter);
    case ConditionTarget::kField: return fmt::format("field:{}:{}{}", condition.index, operator_text(condition.op), parameter);
    case ConditionTarget::kSeries: return fmt::format("series:{}:{}{}", condition.index, operator_text(condition.op), parameter);
    case ConditionTarget::kConstant: return "if" + parameter;
  }
  return "";
}

std::string condition_in_words(const RollupCondition& condition, const HypertableDefinition& table) {
  const bool spelled = condition.op == ConditionOperator::kIs || condition.op == ConditionOperator::kIn;
  std::string op(operator_text(condition.op));
  if (condition.op == ConditionOperator::kNull) op = " IS NULL";
  if (condition.op == ConditionOperator::kNotNull) op = " IS NOT NULL";
  if (spelled) op = condition.op == ConditionOperator::kIs ? " IS" : " IN";
  switch (condition.target) {
    case ConditionTarget::kTime: return table.time_column + op;
    case ConditionTarget::kField: return table.fields[condition.index].name + op;
    case ConditionTarget::kSeries: return table.tags[condition.index] + op;
    case ConditionTarget::kConstant: return "CONDITION";
  }
  return "";
}

}  // namespace

std::string_view operator_text(ConditionOperator op) { return kConditionOperators[static_cast<size_t>(op)].text; }
std::string_view function_name(RollupFunction function) { return kRollupFunctions[static_cast<size_t>(function)].name; }

std::optional<RollupFunction> find_rollup_function(std::string_view name) {
  for (const RollupFunctionRow& row : kRollupFunctions)
    if (same_sql_name(row.name, name)) return row.function;
  return std::nullopt;
}

std::string encode_plan(const RollupPlan& plan) {
  std::string text;
  const auto add = [&text](const std::string& word) {
    if (!text.empty()) text += ' ';
    text += word;
  };
  if (plan.bucket) {
    std::string word = fmt::format("bucket:{}", plan.bucket->width);
    for (const size_t option : plan.bucket->options) word += fmt::format(":{}", option);
    add(word);
  }
  for (const size_t tag : plan.tags) add(fmt::format("tag:{}", tag));
  for (const RollupColumn& column : plan.columns) add(fmt::format("{}:{}", function_name(column.function), field_text(column.field)));
  for (const RollupCondition& condition : plan.conditions) add(condition_word(condition));
  for (const RollupOrder& order : plan.order)
    add(fmt::format("order:{}{}", order.tag ? std::to_string(*order.tag) : "b", order.descending ? '-' : '+'));
  if (plan.limit)
    add(fmt::format("limit:{}{}:{}", plan.limit->count, plan.limit->offset ? fmt::format(":{}", *plan.limit->offset) : "",
                    plan.limit->newest_first ? '-' : '+'));
  return text;
}

Result<RollupPlan> decode_plan(std::string_view text, size_t parameter_count, const HypertableDefinition& table) {
  PlanReader reader(parameter_count, table);
  for (const std::string_view word : parts_of(text, ' '))
    if (!reader.read(word))
      return Status(StatusCode::kInvalidArgument, fmt::format("{}: '{}' is no part of a plan for '{}'", kRollupTable, word, table.name));
  return reader.take();
}

std::string describe_plan(const RollupPlan& plan, const HypertableDefinition& table) {
  std::string text = "ROLLUP " + table.name;
  for (const RollupCondition& condition : plan.conditions) text += " " + condition_in_words(condition, table);
  std::string keys = plan.bucket ? "time_bucket" : "";
  for (const size_t tag : plan.tags) keys += (keys.empty() ? "" : ", ") + table.tags[tag];
  if (!keys.empty()) text += " BY " + keys;
  std::string columns;
  for (const RollupColumn& column : plan.columns) {
    const std::string& field = column.field < table.fields.size() ? table.fields[column.field].name : table.time_column;
    columns += fmt::format("{}{}({})", columns.empty() ? ": " : ", ", function_name(column.function), column.field == kAllRows ? "*" : field);
  }
  text += columns;
  if (plan.limit) text += plan.limit->newest_first ? " NEWEST BUCKETS" : " FIRST BUCKETS";
  return text;
}

}  // namespace braid
