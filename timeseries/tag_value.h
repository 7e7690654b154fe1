// A tag of a declared type: whatever the type, the series' name holds text (timeseries/tag_codec), a whole number its decimal digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid {

/// The whole number that is all of `text`, or none: "42", "-7", "007", not "4.0", "+4", " 4" or "".
std::optional<int64_t> integer_of_tag(std::string_view text);

/// The one text under which a whole number is a tag: equal numbers are one series.
std::string tag_of_integer(int64_t value);

}  // namespace braid
