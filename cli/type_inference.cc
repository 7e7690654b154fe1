#include "cli/type_inference.h"

#include "cli/value_reader.h"

namespace braid::cli {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// An optional minus and digits without a leading zero: the form in which integers are written back.
bool is_canonical_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return false;
  for (char c : text) {
    if (!is_digit(c)) return false;
  }
  return true;
}

bool is_integer(std::string_view text) {
  return text != "-0" && is_canonical_integer(text) && read_integer(text).has_value();
}

// A number with a point or an exponent, and nothing unusual before it.
bool is_decimal(std::string_view text) {
  const size_t whole = text.find_first_of(".eE");
  if (whole == std::string_view::npos || !is_canonical_integer(text.substr(0, whole))) return false;
  return is_digit(text.back()) && read_double(text).has_value();
}

}  // namespace

void TypeInference::add(std::string_view value) {
  any_ = true;
  if (number_) {
    const bool integer = is_integer(value);
    integer_ = integer_ && integer;
    number_ = integer || is_decimal(value) || value == "-0";
  }
  if (boolean_) {
    // "1" and "t" are read as booleans when asked for, but say too little to be taken for one.
    boolean_ = value.size() > 1 && read_boolean(value).has_value();
  }
}

ColumnType TypeInference::type() const {
  if (!any_) return ColumnType::kText;
  if (boolean_) return ColumnType::kBoolean;
  if (!number_) return ColumnType::kText;
  return integer_ ? ColumnType::kInteger : ColumnType::kDouble;
}

}  // namespace braid::cli
