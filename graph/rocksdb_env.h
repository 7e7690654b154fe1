// RocksDB's files through the engine's seam: each operation first asks `Env::ask`, and once the
// engine is poisoned everything that would change the disk is refused (a flush listener cannot
// refuse; a file system can). The commits that a flushed file may hold are made durable before the
// MANIFEST names it.
#pragma once

#include <rocksdb/env.h>

#include <memory>

#include "engine/env.h"

namespace braid {

/// `env` outlives the result, which outlives every database opened with it.
std::unique_ptr<rocksdb::Env> make_rocksdb_env(const Env& env);

}  // namespace braid
