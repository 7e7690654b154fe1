// The series of a hypertable that have given tags.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/result.h"
#include "sql/connection.h"
#include "timeseries/tag_codec.h"

namespace braid {

/// By tag, in the table's order. A tag that is not constrained may have any value; NULL is a value.
struct TagFilter {
  explicit TagFilter(size_t tags) : wanted(tags), constrained(tags, false) {}
  std::vector<std::optional<std::string>> wanted;
  std::vector<bool> constrained;
};

/// Ids in ascending order; nothing when no tag is constrained, which means all. Works on a pinned or writing connection.
Result<std::optional<std::vector<SeriesId>>> select_series(Connection& connection, const HypertableDefinition& table, const TagFilter& filter);
/// kCorrupt when they do not fit the table.
Result<TagValues> tags_of_series(Connection& connection, const HypertableDefinition& table, SeriesId series);

}  // namespace braid
