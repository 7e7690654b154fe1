// Bringing what is kept of continuous aggregates up to date.
#pragma once

#include <chrono>
#include <optional>

#include "engine/catalog.h"
#include "sql/connection.h"

namespace braid {

/// Buckets that lie whole in `window`; at an end of time, from the first point or up to the bucket that the newest point is still filling.
struct RefreshWindow {
  TimeRange points;
  /// So much work at a time; none: all of it.
  std::optional<std::chrono::steady_clock::time_point> stop_at;
};

/// Keeps the buckets of the window that are not kept, or not true any more. Inside a write transaction. False when `stop_at` came first: what
/// was done is right, and another call goes on.
Result<bool> refresh_aggregate(Connection& connection, AggregateId id, const RefreshWindow& window);

/// Before the points of a hypertable that lie before `limit` are dropped: what they add to the aggregates over them is kept for good.
Status freeze_aggregates(Connection& connection, const HypertableDefinition& table, Timestamp limit);

/// Times of the table's oldest and newest points, the limit exclusive; none when it has no point.
Result<std::optional<TimeRange>> range_of_points(Connection& connection, const HypertableDefinition& table);

}  // namespace braid
