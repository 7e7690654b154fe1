#include "sql/name_argument.h"

#include <fmt/format.h>

#include <boost/locale/utf.hpp>

namespace braid {

Status check_utf8(std::string_view what, std::string_view name) {
  using Utf8 = boost::locale::utf::utf_traits<char>;
  for (auto next = name.begin(); next != name.end();) {
    const size_t place = static_cast<size_t>(next - name.begin());
    const auto character = Utf8::decode(next, name.end());
    if (character == boost::locale::utf::illegal || character == boost::locale::utf::incomplete) {
      return Status(StatusCode::kInvalidArgument, fmt::format("the name of {} is no UTF-8 at byte {}", what, place));
    }
  }
  return {};
}

Result<TypeId> type_for_writing(GraphWriter& writer, std::string_view name) {
  if (name.empty()) return Status(StatusCode::kInvalidArgument, "an edge needs a type, for example 'FEEDS'");
  BRAID_TRY(check_utf8("the edge type", name));
  return TypeId(writer.catalog().intern(NameKind::kEdgeType, name));
}

}  // namespace braid
