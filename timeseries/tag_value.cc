#include "timeseries/tag_value.h"

#include <charconv>

namespace braid {

std::optional<int64_t> integer_of_tag(std::string_view text) {
  int64_t value = 0;
  const char* const limit = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), limit, value);
  if (error != std::errc() || rest != limit) return std::nullopt;
  return value;
}

std::string tag_of_integer(int64_t value) { return std::to_string(value); }

}  // namespace braid
