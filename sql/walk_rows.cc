#include "sql/walk_rows.h"

#include <fmt/format.h>

namespace braid {

namespace {

/// Columns are made when they are read: a walk may reach millions.
class ReachedRows final : public FunctionResult {
 public:
  explicit ReachedRows(std::vector<Reached> reached) : reached_(std::move(reached)) {}
  size_t size() const override { return reached_.size(); }
  void column(sqlite3_context* context, size_t row, int column) const override {
    const Reached& item = reached_[row];
    const uint64_t values[] = {item.node.value(), item.depth, item.via.value(), item.previous.value()};
    const uint64_t value = values[column];
    // 0 stands for "none": the start of a walk has no edge before it. Its depth is 0.
    if (value != 0 || column == 1) sqlite3_result_int64(context, static_cast<int64_t>(value));
  }

 private:
  const std::vector<Reached> reached_;
};

}  // namespace

Result<std::optional<uint32_t>> hops_parameter(sqlite3_value* value, std::string_view function, uint32_t depth_max) {
  if (value == nullptr || sqlite3_value_type(value) == SQLITE_NULL) return std::optional<uint32_t>();
  const int64_t hops = sqlite3_value_int64(value);
  if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER || hops < 0)
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: '{}' hops: expected a whole number from 0", function, text_of(value)));
  if (hops > int64_t{depth_max})
    return Status(StatusCode::kLimit, fmt::format("{}: {} hops, traversal_depth_max allows {}", function, hops, depth_max));
  return std::optional(static_cast<uint32_t>(hops));
}

Result<std::unique_ptr<FunctionResult>> walk_rows(Connection& connection, NodeId start, sqlite3_value* hops, TraversalOptions options,
                                                  std::string_view function) {
  const uint32_t depth_limit = options.depth_max;
  BRAID_ASSIGN(const auto depth, hops_parameter(hops, function, depth_limit));
  if (depth) {
    options.depth_max = *depth;
  } else if (depth_limit < UINT32_MAX) {
    ++options.depth_max;  // one more shows whether the limit cuts the walk
  }
  WalkReport report;
  auto walked = k_hops(connection.graph(), start, options, &report);
  connection.note_walk(function, std::move(report));
  BRAID_ASSIGN(auto reached, std::move(walked));
  if (!reached.empty() && reached.back().depth > depth_limit)
    return Status(StatusCode::kLimit,
                  fmt::format("{}: the walk goes on after {} hops, traversal_depth_max allows no more", function, depth_limit));
  return std::unique_ptr<FunctionResult>(std::make_unique<ReachedRows>(std::move(reached)));
}

}  // namespace braid
