#include "sql/json_output.h"

#include <fmt/format.h>

#include <cmath>

#include "graph/utf8_text.h"

namespace braid {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void append_character(std::string& json, char c) {
  switch (c) {
    case '"':
      json += "\\\"";
      return;
    case '\\':
      json += "\\\\";
      return;
    case '\n':
      json += "\\n";
      return;
    case '\r':
      json += "\\r";
      return;
    case '\t':
      json += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
    fmt::format_to(std::back_inserter(json), "\\u{:04x}", static_cast<unsigned char>(c));
  else
    json += c;
}

}  // namespace

void append_json_text(std::string& json, std::string_view text) {
  json += '"';
  while (!text.empty()) {
    const size_t good = find_no_utf8(text).value_or(text.size());
    for (const char c : text.substr(0, good)) append_character(json, c);
    text.remove_prefix(good);
    if (text.empty()) break;
    json += "\xef\xbf\xbd";
    text.remove_prefix(1);
  }
  json += '"';
}

void append_json_real(std::string& json, double value) {
  if (!std::isfinite(value)) {
    json += "null";
    return;
  }
  const size_t start = json.size();
  fmt::format_to(std::back_inserter(json), "{}", value);
  if (json.find_first_of(".e", start) == std::string::npos) json += ".0";
}

void append_json_blob(std::string& json, std::string_view bytes) {
  json += '"';
  for (const char c : bytes) {
    json += kHexDigits[static_cast<unsigned char>(c) >> 4];
    json += kHexDigits[static_cast<unsigned char>(c) & 15];
  }
  json += '"';
}

}  // namespace braid
