#include "graph/property_filter.h"

#include <fmt/format.h>

#include <algorithm>

namespace braid {

const std::pair<std::string_view, PropertyFilter::Operator> PropertyFilter::kOperators[] = {
    {"=", Operator::kEqual},    {"!=", Operator::kUnequal}, {"<", Operator::kLess},      {"<=", Operator::kAtMost},   {">", Operator::kMore},
    {">=", Operator::kAtLeast}, {"in", Operator::kIn},      {"prefix", Operator::kPrefix}, {"exists", Operator::kExists}};

Result<PropertyFilter> PropertyFilter::parse(std::string_view json) {
  auto parsed = value_from_json(json);
  if (!parsed.ok()) return parsed.status().within("filter");
  const auto* members = std::get_if<PropertyMap>(&parsed->value);
  if (members == nullptr)
    return Status(StatusCode::kInvalidArgument, R"(filter: expected a JSON object, such as {"status": "open", "km": {">": 5}})");
  PropertyFilter filter;
  for (const auto& [name, value] : *members) {
    const auto* operators = std::get_if<PropertyMap>(&value.value);
    if (operators == nullptr) {
      BRAID_ASSIGN(Condition condition, parse_condition(name, "=", value));
      filter.conditions_.push_back(std::move(condition));
      continue;
    }
    for (const auto& [op, operand] : *operators) {
      BRAID_ASSIGN(Condition condition, parse_condition(name, op, operand));
      filter.conditions_.push_back(std::move(condition));
    }
  }
  return filter;
}

Result<PropertyFilter::Condition> PropertyFilter::parse_condition(const std::string& name, std::string_view op, const PropertyValue& value) {
  const auto wrong = [&](std::string_view expected) {
    return Status(StatusCode::kInvalidArgument, fmt::format("filter: '{}' {}: expected {}", name, op, expected));
  };
  const auto* row = std::find_if(std::begin(kOperators), std::end(kOperators), [op](const auto& known) { return known.first == op; });
  if (row == std::end(kOperators)) return wrong("one of = != < <= > >= in prefix exists");
  Condition condition{name, row->second, {}};
  if (condition.op == Operator::kPrefix) {
    const auto* text = std::get_if<std::string>(&value.value);
    if (text == nullptr) return wrong("text");
    condition.values.push_back(*text);
    return condition;
  }
  if (condition.op == Operator::kExists) {
    const auto* wanted = std::get_if<bool>(&value.value);
    if (wanted == nullptr) return wrong("true or false");
    condition.values.resize(*wanted ? 1 : 0);
    return condition;
  }
  const auto* list = std::get_if<PropertyList>(&value.value);
  if (condition.op == Operator::kIn && list == nullptr) return wrong("a list of values");
  for (const PropertyValue& one : condition.op == Operator::kIn ? *list : PropertyList{value}) {
    auto encoded = encode_index_value(one);
    if (!encoded.ok() || one.is_null()) return wrong("a value that is no list, map or null");
    condition.values.push_back(encoded.take());
  }
  return condition;
}

bool PropertyFilter::asks_for(std::string_view name) const {
  return std::any_of(conditions_.begin(), conditions_.end(), [name](const Condition& condition) { return condition.name == name; });
}

bool PropertyFilter::holds(const std::function<const PropertyValue*(std::string_view name)>& find) const {
  return std::all_of(conditions_.begin(), conditions_.end(),
                     [&find](const Condition& condition) { return holds(condition, find(condition.name)); });
}

bool PropertyFilter::holds(const std::function<const PropertyValue*(std::string_view name)>& find, std::string_view many,
                           std::span<const PropertyValue> values) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    return condition.name == many ? holds(condition, values) : holds(condition, find(condition.name));
  });
}

bool PropertyFilter::holds(const Condition& condition, std::span<const PropertyValue> values) {
  if (values.empty()) return holds(condition, nullptr);
  const auto passes = [&condition](const PropertyValue& value) { return holds(condition, &value); };
  return condition.op == Operator::kUnequal ? std::all_of(values.begin(), values.end(), passes) : std::any_of(values.begin(), values.end(), passes);
}

bool PropertyFilter::holds(const Condition& condition, const PropertyValue* value) {
  const bool exists = value != nullptr && !value->is_null();
  if (condition.op == Operator::kExists) return exists == !condition.values.empty();
  if (!exists) return condition.op == Operator::kUnequal;
  if (condition.op == Operator::kPrefix) {
    const auto* text = std::get_if<std::string>(&value->value);
    return text != nullptr && text->starts_with(condition.values.front());
  }
  const auto encoded = encode_index_value(*value);
  if (!encoded.ok()) return condition.op == Operator::kUnequal;  // a list or a map
  // The first byte is the kind.
  const auto kind_matches = [&](const std::string& wanted) { return wanted.front() == encoded->front(); };
  const std::string& wanted = condition.values.empty() ? *encoded : condition.values.front();
  switch (condition.op) {
    case Operator::kEqual:
      return *encoded == wanted;
    case Operator::kUnequal:
      return *encoded != wanted;
    case Operator::kLess:
      return kind_matches(wanted) && *encoded < wanted;
    case Operator::kAtMost:
      return kind_matches(wanted) && *encoded <= wanted;
    case Operator::kMore:
      return kind_matches(wanted) && *encoded > wanted;
    case Operator::kAtLeast:
      return kind_matches(wanted) && *encoded >= wanted;
    case Operator::kIn:
      return std::find(condition.values.begin(), condition.values.end(), *encoded) != condition.values.end();
    case Operator::kPrefix:
    case Operator::kExists:
      break;
  }
  return false;
}

}  // namespace braid
