// Policies: what is done to hypertables and continuous aggregates again and again (sql/maintenance.h runs them).
//
//   add_retention_policy(hypertable, drop_after [, schedule_interval])         drops chunks older than so
//   add_size_retention_policy(hypertable, bytes_max [, schedule_interval])     drops the oldest chunks beyond so many bytes
//   add_compression_policy(hypertable, compress_after [, schedule_interval])   writes older chunks again, smaller
//   add_continuous_aggregate_policy(name, start_offset, end_offset, schedule_interval)
//   remove_retention_policy, remove_compression_policy, remove_continuous_aggregate_policy
//   maintenance_policies                                                       a table of them, with how the last runs ended
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "engine/catalog.h"
#include "sql/connection.h"

namespace braid {

/// "drop after 30 days"
std::string describe_policy(const PolicyDefinition& policy);

/// Writes the chunks of a compression policy again, in transactions of its own: not inside one. `between` is asked now and then; not OK ends it.
Status run_compression(Engine& engine, const PolicyDefinition& policy, Timestamp now, const std::function<Status()>& between);

/// Does what another policy asks, or as much of it as fits before `stop_at`, inside a write transaction. False when more is to be done.
Result<bool> run_policy(Connection& connection, const PolicyDefinition& policy, Timestamp now, std::chrono::steady_clock::time_point stop_at);

}  // namespace braid
