// The points of a hypertable summed up by the nodes that its series belong to.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/rollup.h"
#include "sql/connection.h"

namespace braid {

/// A series belongs to the node of `label` whose key is the value of the series' tag; a key that is a whole number is found by its digits.
struct SeriesQuestion {
  std::string_view hypertable;
  std::string_view field;
  std::optional<std::string_view> tag;    ///< none: the only one
  std::optional<std::string_view> label;  ///< none: the only one that has a key
  TimeRange range;
};

/// Totals of the field's points in the range at each place of the part. Series that belong to no node of it are left out. One statement
/// sums up the points by tag. kNotFound and kInvalidArgument name what could have been asked.
Result<std::vector<Totals>> read_series_numbers(Connection& connection, const Projection& projection, const HierarchyPart& part,
                                                const SeriesQuestion& question, const AlgorithmContext& context);

}  // namespace braid
