// Which segments of an archive bring a backup forward to a commit or a time, and how far they reach.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/directory.h"
#include "engine/env.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

/// Without a commit and a time: all that the archive has.
struct ArchiveTarget {
  std::string directory;          ///< of the archive; "": where it was when the backup was made
  std::optional<Lsn> lsn{};       ///< the last commit
  std::optional<Timestamp> time{};  ///< everything before the first commit after it
};

/// What is to be brought forward.
struct BackupPoint {
  std::string path;
  Format format;
  Lsn lsn;
  Timestamp taken;  ///< when it was made
};

struct ArchivePlan {
  std::string directory;
  std::vector<std::string> segments;  ///< paths, in order
  uint64_t bytes = 0;                 ///< of them
  Lsn from, to;
};

/// Reads all that is needed. kNotFound when the archive does not reach from the backup to the target; kCorrupt when it is damaged before it; both name the
/// last commit that can be reached. kInvalidArgument for a target before the backup or within a group.
Result<ArchivePlan> plan_restore(Env& env, const ArchiveTarget& target, const BackupPoint& backup);

}  // namespace braid
