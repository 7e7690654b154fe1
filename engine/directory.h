// The directory of a database: FORMAT says what it is, LOCK says who has it. docs/directory.md.
#pragma once

#include <memory>
#include <string>

#include "engine/env.h"
#include "engine/result.h"

namespace braid {

inline constexpr int kFormatVersion = 9;

/// What FORMAT says.
struct Format {
  int version = kFormatVersion;
  std::string uuid;     ///< 36 characters
  uint64_t epoch = 1;   ///< raised by a restore, so that files of two histories are told apart
  bool ready = false;   ///< false while the database is being created
};

/// A random UUID, version 4.
std::string make_uuid(const Env& env);

/// Whether the WAL of a database that was not closed is gone: it is there while LOCK says that the database is open, but a backup has none until it is opened.
bool has_lost_wal(const Env& env, const std::string& path, const LockFile& lock);

/// What may be opened: nothing that is marked as an unfinished copy (engine/copy_mark.h), or that too, to check it.
enum class CopyState : uint8_t { kFinished, kUnchecked };

/// A directory held with its lock until destroyed.
class Directory {
 public:
  /// Creates the directory if it is absent, takes LOCK and reads or creates FORMAT.
  /// kBusy "in use by process N"; kVersion for a format of another version; kInvalidArgument for a directory with something else in it; kCorrupt
  /// for a copy that was made while the database was open, and when the WAL of one that was not closed is gone. With a read-only `env` nothing is
  /// created: what is missing is kNotFound.
  static Result<std::unique_ptr<Directory>> open(Env& env, const std::string& path, CopyState accepted = CopyState::kFinished);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const Format& format() const { return format_; }
  const std::string& path() const { return path_; }
  std::string rows() const { return path_ + "/rows.db"; }
  std::string wal() const { return rows() + "-wal"; }
  std::string graph() const { return path_ + "/graph"; }
  std::string chunks() const { return path_ + "/chunks"; }
  std::string archive() const { return path_ + "/archive"; }

  /// Removes what an interrupted creation left, and makes the folders.
  Status prepare_creation();
  /// All is on the disk: a copy made from now on is whole.
  void note_closed() { lock_->put(""); }
  /// Marks the database as created.
  Status finish_creation();

 private:
  Directory(Env& env, std::string path, CopyState accepted) : env_(env), path_(std::move(path)), accepted_(accepted) {}
  Status take_lock();
  Status take_shared_lock();
  Status refuse_links() const;
  Status refuse_copy() const;
  Status read_or_create_format();
  Status note_open();
  Status write_format();

  Env& env_;
  const std::string path_;
  const CopyState accepted_;
  Format format_;
  std::unique_ptr<LockFile> lock_;
};

}  // namespace braid
