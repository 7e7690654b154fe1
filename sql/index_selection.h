// Which values of a property index an SQL condition can hold for.
//
// A selection is never too small: SQLite tests every row again, so it may be larger than the condition. SQL orders values as
// number < text < blob. In SQL a boolean is the number 0 or 1 and a timestamp is its text, while the index keeps values of each
// kind together: so a selection speaks of SQL's classes, and `index_ranges` says where in the index their values are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph_view.h"
#include "graph/property.h"

namespace braid {

/// From `lower` to below `limit`; to the end when there is none.
struct ValueInterval {
  std::string lower;
  std::optional<std::string> limit;
};
using ValueIntervals = std::vector<ValueInterval>;  ///< ascending, none touches another

struct IndexSelection {
  ValueIntervals numbers;  ///< of encode_index_value's bytes
  ValueIntervals texts;
  ValueIntervals blobs;
};

enum class IndexOperator : uint8_t { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kGlob, kLike };

IndexSelection select_all();
/// The values for which `value OPERATOR operand` can be true: none for a NULL operand.
IndexSelection select_values(IndexOperator op, const PropertyValue& operand);
void intersect(IndexSelection& selection, const IndexSelection& other);
/// Adds all of `others`.
void unite(IndexSelection& selection, const std::vector<IndexSelection>& others);

/// The ranges of the index in which the selected values of one kind are, ascending, none touches another.
std::vector<IndexRange> index_ranges(const IndexSelection& selection, IndexValueKind kind);

}  // namespace braid
