// Copying the files of a database: with a second name where that is as good as a copy.
#pragma once

#include <memory>
#include <string>

#include "engine/backed_up_store.h"
#include "engine/copy_pace.h"
#include "engine/env.h"
#include "engine/result.h"

namespace braid {

/// An earlier backup, or any closed database of the same history, whose files may be used again. Locked until destroyed.
class CopyBase {
 public:
  /// kInvalidArgument when it is of another database; kBusy while it is open.
  static Result<std::unique_ptr<CopyBase>> open(Env& env, const std::string& path, const std::string& uuid);

  const std::string& path() const { return path_; }

 private:
  explicit CopyBase(std::string path) : path_(std::move(path)) {}
  const std::string path_;
  std::unique_ptr<LockFile> lock_;
};

/// Keeps a closed database from being opened, as far as it has a LOCK and that needs no right to write there. kBusy "PATH: in use by process N".
Result<std::unique_ptr<LockFile>> hold_closed(Env& env, const std::string& path);

/// Whether two immutable files are the same one, told by their sizes, first and last bytes: a chunk begins with uuid, epoch and number and ends
/// with the checksum of its checksums; RocksDB's tables end with the id of the session that wrote them and their number in it.
bool is_same_file(Env& env, const std::string& a, const std::string& b);

/// Gives the file `from` a second name. False where the file system cannot: across two of them, or at its bound of names.
Result<bool> link_file(const Env& env, const std::string& from, const std::string& to);

struct CopyOptions {
  bool links = true;               ///< immutable files may be second names of the source's
  const CopyBase* base = nullptr;  ///< whose immutable files may be, too
};

/// Copies files of one database into another directory. One thread.
class FileCopy {
 public:
  FileCopy(Env& env, CopyOptions options, CopyPace& pace) : env_(env), options_(options), pace_(pace) {}

  /// Makes the file `name` in the directory `to`, durable but for its name.
  Status copy(const StoreFile& file, const std::string& to, const std::string& name);

 private:
  Result<bool> link(const StoreFile& file, const std::string& to, const std::string& name);
  Status write(const StoreFile& file, const std::string& to);

  Env& env_;  // of the destination
  const CopyOptions options_;
  CopyPace& pace_;
};

}  // namespace braid
