// Which series of a hypertable have given tags.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "sql/connection.h"
#include "sql/series_choice.h"
#include "timeseries/tag_codec.h"

namespace braid {

/// For each tag of a table the values that are allowed; none: any. A value that is absent is NULL.
using TagValuesAllowed = std::vector<std::optional<std::vector<std::optional<std::string>>>>;

/// Ascending ids of the series whose tags are all allowed; none when any value of any tag is, which means all series.
Result<std::optional<std::vector<SeriesId>>> select_series(Connection& connection, const HypertableDefinition& table,
                                                           const TagValuesAllowed& allowed);

/// {"host": "a", "rack": ["1", "2", null]}; kInvalidArgument names what is wrong.
Result<TagValuesAllowed> allowed_tags(const HypertableDefinition& table, std::string_view json);

/// Encoded tags of a series as the connection's transaction sees them.
const std::string& series_tags(Connection& connection, SeriesId series);

}  // namespace braid
