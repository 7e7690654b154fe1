// Timestamps as text in UTC, "YYYY-MM-DD HH:MM:SS[.ffffff]" with trailing zeros of the fraction
// cut.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/types.h"

namespace braid {

/// Nullopt for years that need more than four digits.
std::optional<std::string> timestamp_to_text(Timestamp time);

/// Reads that form, also with T between date and time, Z at the end, or the date alone.
std::optional<Timestamp> timestamp_from_text(std::string_view text);

}  // namespace braid
