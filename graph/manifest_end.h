// Where the whole records of a RocksDB MANIFEST end.
//
// RocksDB syncs a MANIFEST after each change, and refuses one with a damaged record. A loss of power may leave any sectors of what was being
// appended. What ends before the first damaged record is a state that was durable, and every family carries the LSN up to which
// it is complete (invariant 2): an older state is brought up to date by replay, or found to be too old for the log.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "engine/result.h"

namespace braid {

/// `read` gives up to so many next bytes; fewer are the end. Only errors of `read` are answered as such.
Result<uint64_t> manifest_end(const std::function<Result<std::string_view>(size_t)>& read);

}  // namespace braid
