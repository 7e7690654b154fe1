// The graph as a Store: column families in RocksDB without a WAL of its own, brought up to date
// from the commit log. docs/graph_format.md gives keys and values.
#pragma once

#include <memory>
#include <string>

#include "engine/env.h"
#include "engine/memory_budget.h"
#include "engine/result.h"
#include "engine/store.h"

namespace braid {

struct GraphStoreOptions {
  uint64_t block_cache_bytes = 8 << 20;
  uint64_t write_buffer_bytes = 8 << 20;  ///< over all families
  uint64_t projection_bytes_max = 256 << 20;
  Lsn log_begin{};                         ///< the first commit that can be replayed
  std::shared_ptr<MemoryBudget> memory{};  ///< shared with what holds memory; may be null
};

/// Opens (or creates) the families in `directory`. `catalog` and `env` outlive the store.
Result<std::unique_ptr<Store>> open_graph_store(Env& env, const Catalog& catalog,
                                                const std::string& directory,
                                                const GraphStoreOptions& options);

}  // namespace braid
