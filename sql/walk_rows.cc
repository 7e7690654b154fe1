#include "sql/walk_rows.h"

#include <fmt/format.h>

namespace braid {

Result<std::unique_ptr<FunctionResult>> walk_rows(Connection& connection, NodeId start, sqlite3_value* hops, TraversalOptions options,
                                                  std::string_view function) {
  const int64_t depth_limit = options.depth_max;
  if (hops != nullptr && sqlite3_value_type(hops) != SQLITE_NULL) {
    const int64_t depth = sqlite3_value_int64(hops);
    if (sqlite3_value_numeric_type(hops) != SQLITE_INTEGER || depth < 0)
      return Status(StatusCode::kInvalidArgument, fmt::format("{}: '{}' hops: expected a whole number from 0", function, text_of(hops)));
    if (depth > depth_limit)
      return Status(StatusCode::kLimit, fmt::format("{}: {} hops, traversal_depth_max allows {}", function, depth, depth_limit));
    options.depth_max = static_cast<uint32_t>(depth);
  } else if (depth_limit < UINT32_MAX) {
    ++options.depth_max;  // one more shows whether the limit cuts the walk
  }
  BRAID_ASSIGN(const auto reached, k_hops(connection.graph(), start, options));
  if (!reached.empty() && reached.back().depth > depth_limit)
    return Status(StatusCode::kLimit,
                  fmt::format("{}: the walk goes on after {} hops, traversal_depth_max allows no more", function, depth_limit));
  std::vector<Row> rows;
  for (const Reached& item : reached)
    rows.push_back({static_cast<int64_t>(item.node.value()), int64_t{item.depth}, cell_or_null(item.via), cell_or_null(item.previous)});
  return make_rows(std::move(rows));
}

}  // namespace braid
