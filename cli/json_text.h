// Values as JSON text.
#pragma once

#include <string>
#include <string_view>

namespace braid::cli {

/// Appends a JSON string. Bytes that are no UTF-8 become the replacement character, so that the
/// output is always JSON.
void append_json_string(std::string* json, std::string_view text);

/// Appends a number that reads back as the same double and looks like one ("1.0"); null for NaN and
/// the infinities.
void append_json_double(std::string* json, double value);

/// The shortest text that reads back as the same double; "1.0" rather than "1"; "NaN", "Infinity",
/// "-Infinity".
std::string double_text(double value);

/// True for one complete JSON value (RFC 8259), white space around it allowed, at most 500 levels
/// deep.
bool is_json(std::string_view text);

}  // namespace braid::cli
