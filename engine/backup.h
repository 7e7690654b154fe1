// Copies of a database: a backup of an open one while others write, and a restore of a closed one. docs/backup.md.
//
// A backup is rows.db at one LSN n, with the graph's durable files and the chunks of n. The graph may be behind n: every log row that it still
// needs is in rows.db, since rows are trimmed only once it is past them. Opening a backup replays them, as after a crash.
#pragma once

#include <optional>
#include <string>

#include "engine/archive_plan.h"
#include "engine/copy_pace.h"
#include "engine/engine.h"
#include "engine/result.h"

namespace braid {

struct BackupOptions {
  uint64_t bytes_per_second = 0;  ///< 0: as fast as it goes
  std::string base;               ///< an earlier backup, whose files are used again; "": none
  bool prunes_archive = false;    ///< what only earlier backups need goes, once this one is made
  bool links = true;              ///< immutable files may be second names of the database's, on the same file system
};

struct BackupReport {
  Lsn lsn;
  uint64_t written_bytes = 0;
  uint64_t linked_bytes = 0;
  std::chrono::microseconds writers_held{0};  ///< how long no writer could begin
};

/// Makes a backup in `destination`. Any number of them at a time, from any thread. On error what was made is removed.
/// kInvalidArgument (destination, base), kInterrupted by `progress`, kFull, kIo, kCorrupt (a page that is read is damaged), kBusy.
Result<BackupReport> back_up(Engine& engine, const std::string& destination, const BackupOptions& options, const CopyProgress& progress);

struct RestoreOptions {
  uint64_t bytes_per_second = 0;
  bool links = false;  ///< immutable files may be second names of the source's
  std::optional<ArchiveTarget> target{};  ///< none: as the source is
};

/// Copies the backup, or closed database, in `source` to `destination`, which is then a backup whose opening gives it an epoch of its own; with a target it is
/// brought forward to it.
Status copy_closed(Env& env, const std::string& source, const std::string& destination, const RestoreOptions& options, const CopyProgress& progress);

}  // namespace braid
