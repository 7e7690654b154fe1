// Files, clock and randomness behind one object, and the seam for faults.
//
// Every file operation of the engine, of SQLite (engine/page_vfs) and of RocksDB (graph/rocksdb_env) first asks
// `Env::before`. A test installs a FileHook to count operations or to make one fail; without a hook the question is a null
// check. Threads: all members may be called from any thread; a hook must synchronise itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/mutex.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

enum class FileOperation { kOpen, kRead, kWrite, kSync, kSyncDirectory, kTruncate, kRename, kRemove };

class FileHook {
 public:
  virtual ~FileHook() = default;
  /// Returns 0 to let the operation go on, or the errno with which it fails instead of being done.
  virtual int before(FileOperation operation, std::string_view path, size_t bytes) noexcept = 0;
};

/// A file written once from start to end. Not copied; closes its descriptor.
class WritableFile {
 public:
  WritableFile(class Env& env, std::string path, int descriptor)
      : env_(env), path_(std::move(path)), descriptor_(descriptor) {}
  ~WritableFile();
  WritableFile(const WritableFile&) = delete;
  WritableFile& operator=(const WritableFile&) = delete;

  Status append(std::string_view bytes);
  Status sync();

 private:
  Env& env_;
  const std::string path_;
  const int descriptor_;
};

/// A file read at any offset, from any thread. Not copied; closes its descriptor.
class ReadableFile {
 public:
  ReadableFile(class Env& env, std::string path, int descriptor, uint64_t size_bytes)
      : env_(env), path_(std::move(path)), descriptor_(descriptor), size_bytes_(size_bytes) {}
  ~ReadableFile();
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;

  uint64_t size_bytes() const { return size_bytes_; }
  const std::string& path() const { return path_; }
  /// Reads exactly `count` bytes at `offset`; fewer is kCorrupt and names the file.
  Status read(uint64_t offset, size_t count, std::string& out) const;

 private:
  Env& env_;
  const std::string path_;
  const int descriptor_;
  const uint64_t size_bytes_;
};

class Env {
 public:
  explicit Env(FileHook* hook = nullptr) : hook_(hook) {}
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  int before(FileOperation operation, std::string_view path, size_t bytes = 0) const {
    return hook_ == nullptr ? 0 : hook_->before(operation, path, bytes);
  }

  /// Creates `path`, which must not exist.
  Result<std::unique_ptr<WritableFile>> create(const std::string& path);
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path);
  /// Writes a whole small file so that after a crash either the old or the new content is there.
  Status replace_file(const std::string& path, std::string_view content);
  Result<std::string> read_file(const std::string& path, size_t size_bytes_max);
  Status create_directory(const std::string& path);
  Status sync_directory(const std::string& path);
  Status rename(const std::string& from, const std::string& to);
  Status remove(const std::string& path);
  bool exists(const std::string& path) const;
  /// Bytes that the file system of `path` has left for this process.
  Result<uint64_t> free_bytes(const std::string& path) const;
  Result<std::vector<std::string>> list(const std::string& path);

  /// Poison: after an I/O error at COMMIT nothing more is written until the database is opened again (invariant 8).
  void poison(Status why);
  bool poisoned() const { return poisoned_.load(std::memory_order_acquire); }
  /// kReadOnly with the first reason, or ok.
  Status check_writable() const;

  Timestamp now() const;
  uint64_t random() const;

 private:
  FileHook* const hook_;               // constant after construction
  std::atomic<bool> poisoned_{false};  // synchronises itself
  mutable Mutex mutex_;
  Status poison_reason_ BRAID_GUARDED_BY(mutex_);
};

/// kIo, or kFull for ENOSPC and EDQUOT: "PATH: DOING: strerror".
Status errno_status(int error, std::string_view path, std::string_view doing);

}  // namespace braid
