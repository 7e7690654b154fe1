// What the command knows about the terminal, and how wide text is on it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace braid::cli {

/// Chooses a locale in which characters are UTF-8, so that widths and line editing are right.
/// Called once, first.
void choose_utf8_locale();

bool is_terminal(int descriptor);

/// Colours are for terminals only, and never with NO_COLOR or on a dumb terminal.
bool may_colour(int descriptor);

/// Columns of the terminal behind a descriptor, 80 when it does not say.
int terminal_columns(int descriptor);
/// Rows likewise, 24 when it does not say.
int terminal_rows(int descriptor);

/// One character of UTF-8 text. `size_bytes` is at least 1; `valid` is false for bytes that are no
/// UTF-8, one at a time.
struct Utf8Character {
  uint32_t code_point = 0xfffd;
  int size_bytes = 1;
  bool valid = false;
};

/// Reads the first character of a text that is not empty.
Utf8Character read_utf8(std::string_view text);

bool is_utf8(std::string_view text);

/// Columns that the text takes: wide characters two, combining ones none.
int display_width(std::string_view text);

/// The text without anything that a terminal would obey: control characters as \n, \t, \x1b; bytes
/// that are no UTF-8 as the replacement character. With `keep_newlines` a newline stays one.
std::string printable(std::string_view text, bool keep_newlines);

}  // namespace braid::cli
