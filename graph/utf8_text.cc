#include "graph/utf8_text.h"

#include <boost/locale/utf.hpp>

namespace braid {

std::optional<size_t> find_no_utf8(std::string_view text) {
  using Utf8 = boost::locale::utf::utf_traits<char>;
  for (auto next = text.begin(); next != text.end();) {
    const auto place = static_cast<size_t>(next - text.begin());
    const auto character = Utf8::decode(next, text.end());
    if (character == boost::locale::utf::illegal || character == boost::locale::utf::incomplete) return place;
  }
  return std::nullopt;
}

}  // namespace braid
