#include "cli/xml_text.h"

#include "cli/terminal.h"

namespace braid::cli {

namespace {

bool is_xml(const Utf8Character& character) {
  const uint32_t code = character.code_point;
  if (!character.valid) return false;
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code != 0xfffe && code != 0xffff;
}

/// What stands for a character that markup or the reading of lines and attributes would change; ""
/// for itself.
std::string_view escape_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return "";
  }
}

}  // namespace

bool fits_xml(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    if (!is_xml(character)) return false;
    text.remove_prefix(static_cast<size_t>(character.size_bytes));
  }
  return true;
}

void append_xml(std::string* xml, std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    const std::string_view bytes = text.substr(0, static_cast<size_t>(character.size_bytes));
    text.remove_prefix(bytes.size());
    const std::string_view escape = escape_of(bytes[0]);
    *xml += !is_xml(character) ? std::string_view("\xef\xbf\xbd") : escape.empty() ? bytes : escape;
  }
}

std::string xml_text(std::string_view text) {
  std::string xml;
  append_xml(&xml, text);
  return xml;
}

}  // namespace braid::cli
