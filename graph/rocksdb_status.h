// RocksDB's errors as ours, by one table.
#pragma once

#include <rocksdb/status.h>

#include <string_view>

#include "engine/status.h"

namespace braid {

/// "graph: DOING: what RocksDB says"; ok stays ok.
Status rocksdb_status(const rocksdb::Status& status, std::string_view doing);

}  // namespace braid
