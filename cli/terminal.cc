#include "cli/terminal.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <cstring>

#include "cli/character_width.h"

namespace braid::cli {

void choose_utf8_locale() {
  if (std::setlocale(LC_CTYPE, "") != nullptr && std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0) {
    return;
  }
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "C");
}

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

bool may_colour(int descriptor) {
  const char* refused = std::getenv("NO_COLOR");
  if (refused != nullptr && *refused != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::strcmp(terminal, "dumb") == 0) return false;
  return is_terminal(descriptor);
}

int terminal_columns(int descriptor) {
  winsize size = {};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

int terminal_rows(int descriptor) {
  winsize size = {};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 24;
  return size.ws_row;
}

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Bytes of the character that begins with `lead`, by the table of RFC 3629; 0 for a byte that
// begins none.
int utf8_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// Too long a form, a surrogate, or past the last code point.
bool is_forbidden(uint32_t code_point, int size) {
  if (size == 3 && code_point < 0x800) return true;
  if (size == 4 && (code_point < 0x10000 || code_point > 0x10ffff)) return true;
  return code_point >= 0xd800 && code_point <= 0xdfff;
}

}  // namespace

Utf8Character read_utf8(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const int size = utf8_size(lead);
  if (size == 0 || static_cast<size_t>(size) > text.size()) return {};
  if (size == 1) return {lead, 1, true};
  uint32_t code_point = lead & (0x7f >> size);
  for (int i = 1; i < size; ++i) {
    if (!is_continuation(text[i])) return {};
    code_point = code_point << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  }
  if (is_forbidden(code_point, size)) return {};
  return {code_point, size, true};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    // Most bytes are ASCII and need no closer look.
    size_t ascii = 0;
    while (ascii < text.size() && static_cast<unsigned char>(text[ascii]) < 0x80) ++ascii;
    text.remove_prefix(ascii);
    if (text.empty()) return true;
    const Utf8Character character = read_utf8(text);
    if (!character.valid) return false;
    text.remove_prefix(character.size_bytes);
  }
  return true;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    width += character_width(character.code_point);
    text.remove_prefix(character.size_bytes);
  }
  return width;
}

namespace {

bool is_control(uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

std::string escaped_control(uint32_t code_point) {
  switch (code_point) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return fmt::format("\\x{:02x}", code_point);
  }
}

}  // namespace

std::string printable(std::string_view text, bool keep_newlines) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    if (!character.valid) {
      shown += "\xef\xbf\xbd";
    } else if (is_control(character.code_point) &&
               !(keep_newlines && character.code_point == '\n')) {
      shown += escaped_control(character.code_point);
    } else {
      shown.append(text.substr(0, character.size_bytes));
    }
    text.remove_prefix(character.size_bytes);
  }
  return shown;
}

}  // namespace braid::cli
