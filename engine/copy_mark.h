// What tells a database from a backup, and both from a copy that was not finished. docs/directory.md.
//
//   absent or empty ──Destination::open──▶ COPYING, no FORMAT ──Destination::finish──▶ BACKUP and FORMAT ──settle_backup──▶ FORMAT
//                                                │                                                                          ▲
//                                                └──finish_unchecked──▶ COPYING, BACKUP and FORMAT ──open_checked───────────┘
// What has COPYING, or no FORMAT, is opened by nobody but open_checked, which takes FORMAT away (mark_unfinished) if it is not whole. The first opening
// of a backup gives it a new epoch, in memory; `settle_backup` makes that durable.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/directory.h"
#include "engine/env.h"
#include "engine/result.h"

namespace braid {

/// What the FORMAT in the directory `path` says. kNotFound when there is none; kInvalidArgument for an unfinished copy, unless those are `accepted`.
Result<Format> read_format(Env& env, const std::string& path, CopyState accepted = CopyState::kFinished);
Status write_format(Env& env, const std::string& path, const Format& format);
/// Takes LOCK in the directory `path` for this process. kBusy "PATH: in use by process N".
Result<std::unique_ptr<LockFile>> lock_directory(Env& env, const std::string& path);

/// kCorrupt for a directory that is a copy of one that was open.
Status refuse_open_copy(const LockFile& lock, const std::string& path);

/// What a backup knows of itself.
struct BackupMark {
  Lsn lsn;          ///< its commit; 0 when it was copied from a closed database
  Timestamp taken;  ///< when it was begun
  std::string archive{};  ///< where the database keeps its archive
};
/// None for a database.
Result<std::optional<BackupMark>> read_backup_mark(Env& env, const std::string& path);
Status write_backup_mark(Env& env, const std::string& path, const BackupMark& mark);
/// Makes a database of a backup, whose epoch `format` has: durably, at once or not at all.
Status settle_backup(Env& env, const std::string& path, const Format& format);

/// Begins a copy: from now on the directory is unfinished.
Status mark_unfinished(Env& env, const std::string& path);
bool is_unfinished(const Env& env, const std::string& path);
/// After FORMAT was written, and what is to be checked was checked.
Status remove_unfinished_mark(Env& env, const std::string& path);

}  // namespace braid
