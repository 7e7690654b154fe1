// The time series as a Store: tails in memory, sealed into immutable chunk files.
// docs/chunk_format.md.
#pragma once

#include <memory>
#include <string>

#include "engine/env.h"
#include "engine/memory_budget.h"
#include "engine/result.h"
#include "engine/store.h"

namespace braid {

struct SeriesStoreOptions {
  uint64_t tail_bytes_max =
      64 << 20;  ///< tail memory at which `tail_is_full` asks for a checkpoint
  uint64_t tail_bytes_limit =
      1 << 30;  ///< tail memory at which `admit` refuses commits until a checkpoint sealed it
  uint64_t relog_rows_max =
      2048;  ///< a tail of at most so many rows is logged again instead of sealed
  ChunkId next_chunk{1};  ///< the first id that no chunk ever had
  std::shared_ptr<MemoryBudget> memory{};  ///< shared with what holds memory; may be null
};

/// What marks the files as this database's: stray files of another one are kept aside, never
/// deleted.
struct DatabaseIdentity {
  std::string uuid;  ///< 36 characters
  uint64_t epoch = 0;
};

/// Opens `directory` (chunk files). `state` is the committed catalog: chunk files without a row in
/// it are deleted when their uuid and epoch match, else moved to `directory`/quarantine; a row
/// whose file is missing or damaged is kCorrupt on use, and is named by `check`. `catalog` and
/// `env` outlive the store.
Result<std::unique_ptr<Store>> open_series_store(Env& env, const Catalog& catalog,
                                                 const CatalogState& state,
                                                 const std::string& directory,
                                                 const DatabaseIdentity& identity,
                                                 const SeriesStoreOptions& options);

/// Memory held by unsealed points of a store made by `open_series_store`.
uint64_t tail_bytes(const Store& series_store);
/// Has the tail reached `tail_bytes_max`, so that a checkpoint is due?
bool tail_is_full(const Store& series_store);

}  // namespace braid
