// The SELECT of a continuous aggregate:
//
//   SELECT time_bucket(width, time [, origin or offset …]) [AS name], tag [AS name], function(field) [AS name], …
//   FROM hypertable or continuous aggregate GROUP BY …
//
// Functions are count, sum, avg, min, max, first(field, time) and last(field, time). Over another aggregate they take its columns of the same
// function (sum takes a count, too) and its bucket, and mean the points behind them: avg of a column of averages is the average of the points.
#pragma once

#include <string>
#include <string_view>

#include "engine/catalog.h"
#include "engine/result.h"

namespace braid {

/// The definition, without an id. kInvalidArgument tells what cannot be kept up to date, and what could be written instead.
Result<AggregateDefinition> parse_aggregate(const CatalogState& state, std::string name, std::string_view query);

/// A hypertable is about to change its columns: aggregates over it follow a new name. kConstraint when one of them is made from a field that
/// goes or gets another type.
Status follow_alteration(CatalogWriter& catalog, const HypertableDefinition& before, const HypertableDefinition& after);

}  // namespace braid
