// The name of a series: the values of its tags, in the order of the hypertable's tag columns, as
// one string of bytes. A NULL tag is a value of its own, equal to itself and not to ''.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace braid {

using TagValues = std::vector<std::optional<std::string>>;

std::string encode_tags(const std::vector<std::optional<std::string_view>>& tags);
Result<TagValues> decode_tags(std::string_view bytes);

}  // namespace braid
