// Whether text is UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace braid {

/// The place of the first byte that begins no character of UTF-8; nothing when the text is UTF-8.
std::optional<size_t> find_no_utf8(std::string_view text);

}  // namespace braid
