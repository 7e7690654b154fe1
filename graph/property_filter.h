// Conditions on properties, as walks ask them of nodes and edges.
//
// Text: a JSON object whose members must all hold. {"status": "open"} asks for equality; {"km": {">": 5, "<=": 9}} compares; the operators are
// = != < <= > >= in (a list), prefix (of text) and exists (true or false). A property that is missing, or of another kind than what it is
// compared with, holds only for != and {"exists": false}. An integer equals the double of its value.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "graph/property.h"

namespace braid {

class PropertyFilter {
 public:
  /// kInvalidArgument saying what is wrong with the text.
  static Result<PropertyFilter> parse(std::string_view json);

  /// Whether there is a condition on a property.
  bool asks_for(std::string_view name) const;
  /// `find` answers the value of a property, or null.
  bool holds(const std::function<const PropertyValue*(std::string_view name)>& find) const;
  /// The same where the property `many` has each of `values`: != holds when it holds for all of them, another condition when it does for one.
  bool holds(const std::function<const PropertyValue*(std::string_view name)>& find, std::string_view many, std::span<const PropertyValue> values) const;

 private:
  enum class Operator : uint8_t { kEqual, kUnequal, kLess, kAtMost, kMore, kAtLeast, kIn, kPrefix, kExists };
  struct Condition {
    std::string name;
    Operator op;
    std::vector<std::string> values;  ///< encoded so that they compare as bytes; of kPrefix the text
  };
  static const std::pair<std::string_view, Operator> kOperators[];

  static Result<Condition> parse_condition(const std::string& name, std::string_view op, const PropertyValue& value);
  static bool holds(const Condition& condition, const PropertyValue* value);
  static bool holds(const Condition& condition, std::span<const PropertyValue> values);

  std::vector<Condition> conditions_;
};

}  // namespace braid
