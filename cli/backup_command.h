// `braid backup`, `braid restore` and `braid repair`.
#pragma once

#include <cstdint>
#include <string>

#include "cli/outcome.h"
#include "cli/session.h"

namespace braid::cli {

struct BackupArguments {
  std::string destination;
  std::string base;  ///< "": none
  bool copies_all = false;
  bool prunes_archive = false;
  uint64_t bytes_per_second = 0;  ///< 0: as fast as it goes
};

struct RestoreArguments {
  std::string source;
  std::string destination;
  bool links = false;
  uint64_t bytes_per_second = 0;
  std::string archive;  ///< "": where it was when the backup was made
  uint64_t to_lsn = 0;  ///< 0: none is named
  std::string to_time;  ///< "": likewise
};

/// Makes a backup of the session's database and tells what it holds.
Done run_backup(const Session& session, const BackupArguments& arguments);

Done run_restore(const RestoreArguments& arguments);

bool is_backup(const std::string& directory);

/// Checks a copy of a backup, made beside it of second names and removed again: opened itself, the backup would be a database.
Done check_backup(const std::string& directory, const std::string& options);

struct RepairArguments {
  std::string source;
  std::string destination;
};

/// Lists on standard output what is lost; a failure when anything is.
Done run_repair(const RepairArguments& arguments);

}  // namespace braid::cli
