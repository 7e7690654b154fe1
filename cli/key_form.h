// Keys as a person writes them. A key that looks like a number can be text in the database, or the
// reverse, so each form is tried.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid::cli {

enum class KeyForm : uint8_t { kText, kInteger, kDouble };
inline constexpr size_t kKeyForms = 3;

/// The text as a JSON value of the form; none when it is not one.
std::optional<std::string> key_json(std::string_view text, KeyForm form);

}  // namespace braid::cli
