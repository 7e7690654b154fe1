// Dropping the oldest points of a hypertable.
#pragma once

#include "sql/connection.h"

namespace braid {

/// The hypertable of this name. kNotFound names `caller`.
Result<const HypertableDefinition*> find_hypertable(Connection& connection, std::string_view name, std::string_view caller);

/// Drops the chunk intervals that end at or before `older_than`, inside a write transaction. What continuous aggregates keep of their points
/// is brought up to date before and stays. Returns the number of chunk files dropped.
Result<uint64_t> drop_old_chunks(Connection& connection, const HypertableDefinition& table, Timestamp older_than);

/// Bytes of the hypertable's chunk files, and of its points in memory that are in none yet.
struct HypertableSize {
  uint64_t chunk_bytes = 0;
  uint64_t tail_bytes = 0;
  uint64_t chunk_rows = 0;
  uint64_t tail_rows = 0;
  uint64_t chunks = 0;
  uint64_t total_bytes() const { return chunk_bytes + tail_bytes; }
};
/// Of the connection's snapshot.
HypertableSize hypertable_size(Connection& connection, HypertableId table);

}  // namespace braid
