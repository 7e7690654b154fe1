// The few colours that the command uses. Whether it may is decided once, by `may_colour`.
#pragma once

#include <string>
#include <string_view>

namespace braid::cli {

inline constexpr std::string_view kBold = "\x1b[1m";
inline constexpr std::string_view kDim = "\x1b[2m";
inline constexpr std::string_view kRed = "\x1b[1;31m";
inline constexpr std::string_view kPlain = "\x1b[0m";

inline std::string coloured(std::string_view text, std::string_view colour, bool allowed) {
  if (!allowed) return std::string(text);
  return std::string(colour).append(text).append(kPlain);
}

}  // namespace braid::cli
