// The rows.db of a repaired database before it is opened: its catalog made consistent, its log begun anew.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/catalog.h"
#include "engine/commit_log.h"
#include "engine/commit_record.h"
#include "engine/directory.h"
#include "engine/env.h"
#include "engine/page_vfs.h"
#include "engine/result.h"
#include "engine/rows_salvage.h"
#include "engine/sqlite_handle.h"

namespace braid {

/// One thread. Nobody else has the file open.
class RepairedRows {
 public:
  static Result<std::unique_ptr<RepairedRows>> open(Env& env, const std::string& path);

  /// Fills what the catalog must have and lost: names up to the ids in use, counters.
  Status mend(const std::map<NameKind, uint32_t>& greatest_names, const LossReport& lost);
  /// Makes the rows those of the database that `format` names.
  Status adopt(const Format& format);
  Result<StoredCatalog> load(Catalog& catalog) { return load_catalog(db_.get(), catalog); }

  /// The log's rows that can be understood, ascending.
  Status read_records(const LossReport& lost, const std::function<Status(Lsn, const CommitRecord&)>& visit);
  struct LogState {
    Lsn newest;          ///< 0: the log is empty
    bool whole = false;  ///< from `after` on no commit is missing, and each can be understood
  };
  Result<LogState> log_state(Lsn after);
  /// The first commit that can be replayed; the last of all when there is none.
  Lsn log_begin();

  Status put_chunk(const ChunkDefinition& chunk);
  Status remove_chunk(ChunkId chunk);
  /// Makes the log one that begins after `base`, where the graph is then: with the points of commits above `watermark` that are in no chunk.
  Status rebase_log(Lsn base, Lsn watermark);

 private:
  explicit RepairedRows(Env& env) : vfs_(env) {}

  const PageVfs vfs_;
  SqliteHandle db_;
};

}  // namespace braid
