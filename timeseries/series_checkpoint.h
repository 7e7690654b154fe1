// One checkpoint of the time series, from the freezing of segments to their replacement by chunk
// files.
//
//   idle --begin--> begun --write--> begun --install--> begun --end--> idle      (end also from
//   begun at any point)
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/catalog.h"
#include "engine/commit_record.h"
#include "timeseries/chunk_set.h"
#include "timeseries/tail.h"

namespace braid {

/// How large the tail of a hypertable may be to be logged again instead of sealed; the bytes are those of all such tails together.
struct RelogBounds {
  uint64_t rows_max = 0;
  uint64_t bytes_max = 0;
};

/// Threads: one call at a time; `write` beside writers, the others holding the writer slot.
class SeriesCheckpoint {
 public:
  /// Freezes the segments of tables that are past the bounds. `tail` is the newest set.
  SeriesCheckpoint(Lsn newest, std::shared_ptr<const CatalogState> state,
                   std::shared_ptr<const TailSet> tail, const RelogBounds& relog);

  Lsn newest() const { return newest_; }
  /// Writes and syncs the chunk files.
  Status write(ChunkFiles& files, const std::function<ChunkId()>& next_id);
  /// Adds the chunks' rows, the points to log again and the watermark. `tail` is the newest set:
  /// what was deleted since the begin stays deleted.
  void install(const TailSet& tail, CatalogWriter& catalog, CommitRecord& record);
  /// The set without what is in chunks now.
  std::shared_ptr<const TailSet> without_sealed(const TailSet& tail) const;
  /// Rows that lie in the chunks that were installed.
  uint64_t rows_sealed() const;
  /// Removes files that no row of the catalogue names.
  void remove_files(ChunkFiles& files, bool installed) const;

 private:
  struct File {
    ChunkDefinition chunk;
    bool installed = false;
  };
  const Lsn newest_;
  const std::shared_ptr<const CatalogState> state_;  // shared: with views of that version
  std::map<HypertableId, HypertableDefinition> tables_;  // of sealing_
  TailSet sealing_;                                  // frozen segments and the deletions at the begin
  std::vector<HypertableId> relogging_;
  std::vector<File> files_;
};

}  // namespace braid
