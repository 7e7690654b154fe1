// Names that users give: of edge types, scenarios, projections.
#pragma once

#include <string_view>

#include "engine/result.h"
#include "graph/graph_writer.h"

namespace braid {

/// kInvalidArgument, naming `what` it is, for a name that is no UTF-8.
Status check_utf8(std::string_view what, std::string_view name);

/// The type with this name, new or not. kInvalidArgument for an empty one and as above.
Result<TypeId> type_for_writing(GraphWriter& writer, std::string_view name);

}  // namespace braid
