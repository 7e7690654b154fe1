#include "cli/json_text.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "cli/terminal.h"

namespace braid::cli {

namespace {

void append_json_character(std::string* json, char c) {
  switch (c) {
    case '"':
      *json += "\\\"";
      return;
    case '\\':
      *json += "\\\\";
      return;
    case '\n':
      *json += "\\n";
      return;
    case '\r':
      *json += "\\r";
      return;
    case '\t':
      *json += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    *json += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
  } else {
    *json += c;
  }
}

}  // namespace

void append_json_string(std::string* json, std::string_view text) {
  *json += '"';
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    if (!character.valid) {
      *json += "\xef\xbf\xbd";
    } else if (character.size_bytes == 1) {
      append_json_character(json, text[0]);
    } else {
      json->append(text.substr(0, character.size_bytes));
    }
    text.remove_prefix(character.size_bytes);
  }
  *json += '"';
}

std::string double_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void append_json_double(std::string* json, double value) {
  *json += std::isfinite(value) ? double_text(value) : "null";
}

namespace {

// A recursive reader that keeps nothing. `depth` bounds the recursion, since the text is a user's.
class JsonChecker {
 public:
  explicit JsonChecker(std::string_view text) : text_(text) {}

  bool check() {
    skip_space();
    if (!value(kDepthMax)) return false;
    skip_space();
    return text_.empty();
  }

 private:
  static constexpr int kDepthMax = 500;

  void skip_space() {
    while (!text_.empty() && std::string_view(" \t\r\n").find(text_[0]) != std::string_view::npos) {
      text_.remove_prefix(1);
    }
  }

  bool take(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  bool value(int depth) {
    if (depth == 0 || text_.empty()) return false;
    switch (text_[0]) {
      case '{':
        return members(depth, '}', true);
      case '[':
        return members(depth, ']', false);
      case '"':
        return string();
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'n':
        return take("null");
      default:
        return number();
    }
  }

  bool members(int depth, char close, bool named) {
    text_.remove_prefix(1);
    skip_space();
    if (take({&close, 1})) return true;
    do {
      skip_space();
      if (named && !name()) return false;
      if (!value(depth - 1)) return false;
      skip_space();
    } while (take(","));
    return take({&close, 1});
  }

  bool name() {
    if (!text_.starts_with('"') || !string()) return false;
    skip_space();
    if (!take(":")) return false;
    skip_space();
    return true;
  }

  bool string() {
    text_.remove_prefix(1);
    while (!text_.empty()) {
      const char c = text_[0];
      if (static_cast<unsigned char>(c) < 0x20) return false;
      text_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    if (text_.empty()) return false;
    const char c = text_[0];
    text_.remove_prefix(1);
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    if (text_.size() < 4) return false;
    for (int i = 0; i < 4; ++i) {
      if (std::isxdigit(static_cast<unsigned char>(text_[i])) == 0) return false;
    }
    text_.remove_prefix(4);
    return true;
  }

  bool digits() {
    size_t count = 0;
    while (count < text_.size() && text_[count] >= '0' && text_[count] <= '9') ++count;
    text_.remove_prefix(count);
    return count > 0;
  }

  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;
    if (take(".") && !digits()) return false;
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      return digits();
    }
    return true;
  }

  std::string_view text_;
};

}  // namespace

bool is_json(std::string_view text) { return JsonChecker(text).check(); }

}  // namespace braid::cli
