#include "cli/key_form.h"

#include <fmt/format.h>

#include "cli/json_text.h"
#include "cli/value_reader.h"

namespace braid::cli {

std::optional<std::string> key_json(std::string_view text, KeyForm form) {
  std::string json;
  switch (form) {
    case KeyForm::kText:
      append_json_string(&json, text);
      return json;
    case KeyForm::kInteger:
      if (const auto integer = read_integer(text)) return fmt::format("{}", *integer);
      return std::nullopt;
    case KeyForm::kDouble:
      if (const auto number = read_double(text)) {
        append_json_double(&json, *number);
        return json;
      }
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace braid::cli
