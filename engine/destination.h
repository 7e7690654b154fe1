// The directory that a backup, a restore or a repair makes.
//
// 1. It is marked as unfinished before anything else is in it, and has its FORMAT only after everything else is durable: what a crash left
//    is never opened, and is made again from nothing.
// 2. Only a directory that is absent, empty, or was left so is written; no file of anyone is lost.
#pragma once

#include <memory>
#include <string>

#include "engine/copy_mark.h"
#include "engine/env.h"
#include "engine/result.h"

namespace braid {

/// The path without links and dots, with a slash at its end; of a path whose last part is absent too. "" when there is no such place.
std::string resolved_path(std::string path);

class Destination {
 public:
  /// Locks and empties the directory, creating it if it is absent. `source` is the directory that is copied: kInvalidArgument when one
  /// of them lies in the other, and for a directory with something else in it.
  static Result<std::unique_ptr<Destination>> open(Env& env, const std::string& path, const std::string& source);
  /// Removes what was made, unless it was finished.
  ~Destination();
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  const std::string& path() const { return path_; }
  /// Makes the names durable, and then a backup of it.
  Status finish(const Format& format, const BackupMark& mark);
  /// The same, and it stays marked as unfinished until it was checked.
  Status finish_unchecked(const Format& format, const BackupMark& mark);

 private:
  Destination(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  Status take();
  Status check_free() const;
  Status empty();

  Env& env_;
  const std::string path_;
  bool created_ = false;  // by us
  bool marked_ = false;   // what is in it is ours to remove
  bool finished_ = false;
  std::unique_ptr<LockFile> lock_;
};

}  // namespace braid
