// The directory of a database: FORMAT says what it is, LOCK says who has it. docs/directory.md.
#pragma once

#include <memory>
#include <string>

#include "engine/env.h"
#include "engine/result.h"

namespace braid {

inline constexpr int kFormatVersion = 8;

/// What a directory holds. As words of FORMAT: frozen.
//
//   kCreating ──finish_creation──▶ kReady ◀──finish_creation (with a new epoch)── kBackup ◀──Destination::finish── kCopying
enum class DirectoryState : uint8_t {
  kCreating,  ///< a database whose creation has begun
  kReady,     ///< a database
  kBackup,    ///< a whole copy of a database; opened, it becomes a database of its own history
  kCopying,   ///< what a backup or a restore has not finished
};

/// What FORMAT says.
struct Format {
  int version = kFormatVersion;
  std::string uuid;     ///< 36 characters
  uint64_t epoch = 1;   ///< raised when a backup is opened, so that files of two histories are told apart
  DirectoryState state = DirectoryState::kCreating;
  Lsn lsn;              ///< of a backup: its commit
  Timestamp taken;      ///< of a backup: when it was begun

  bool ready() const { return state == DirectoryState::kReady; }
};

/// A random UUID, version 4.
std::string make_uuid(const Env& env);

/// What the FORMAT in the directory `path` says. kNotFound when there is none.
Result<Format> read_format(Env& env, const std::string& path);
/// Replaces FORMAT, durably.
Status write_format(Env& env, const std::string& path, const Format& format);
/// Takes LOCK in the directory `path` for this process. kBusy "PATH: in use by process N".
Result<std::unique_ptr<LockFile>> lock_directory(Env& env, const std::string& path);

/// A directory held with its lock until destroyed.
class Directory {
 public:
  /// Creates the directory if it is absent, takes LOCK and reads or creates FORMAT.
  /// kBusy "in use by process N"; kVersion for a format of another version; kInvalidArgument for a directory with something else in it, or
  /// with an unfinished backup. A backup is answered with a new epoch, which `finish_creation` makes durable.
  static Result<std::unique_ptr<Directory>> open(Env& env, const std::string& path);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const Format& format() const { return format_; }
  const std::string& path() const { return path_; }
  std::string rows() const { return path_ + "/rows.db"; }
  std::string graph() const { return path_ + "/graph"; }
  std::string chunks() const { return path_ + "/chunks"; }
  std::string archive() const { return path_ + "/archive"; }

  /// Removes what an interrupted creation left, and makes the folders.
  Status prepare_creation();
  /// Marks the database as created, or a backup as a database of its own.
  Status finish_creation();

 private:
  Directory(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  Status take_lock();
  Status read_or_create_format();

  Env& env_;
  const std::string path_;
  Format format_;
  std::unique_ptr<LockFile> lock_;
};

}  // namespace braid
