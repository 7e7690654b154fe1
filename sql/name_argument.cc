#include "sql/name_argument.h"

#include <fmt/format.h>

#include "graph/utf8_text.h"

namespace braid {

Status check_utf8(std::string_view what, std::string_view name) {
  const auto place = find_no_utf8(name);
  if (!place) return {};
  return Status(StatusCode::kInvalidArgument, fmt::format("the name of {} is no UTF-8 at byte {}", what, *place));
}

Result<TypeId> type_for_writing(GraphWriter& writer, std::string_view name) {
  if (name.empty()) return Status(StatusCode::kInvalidArgument, "an edge needs a type, for example 'FEEDS'");
  BRAID_TRY(check_utf8("the edge type", name));
  return TypeId(writer.catalog().intern(NameKind::kEdgeType, name));
}

}  // namespace braid
