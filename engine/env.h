// Files, clock and randomness behind one object, and the seam for faults.
//
// Every file operation of the engine, of SQLite (engine/page_vfs) and of RocksDB (graph/rocksdb_env) first asks
// `Env::ask`. A test installs a FileHook to record operations, to fail, cut short, delay or forget them; without a hook the
// question is a null check. Only two go round it: SQLite's `-shm`, which is mapped memory and rebuilt by whoever opens first, and the socket.
// Threads: all members may be called from any thread; a hook must synchronise itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/mutex.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

enum class FileOperation : uint8_t {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kSyncDirectory,
  kTruncate,  ///< of a file that is there, also to a larger size
  kRename,
  kRemove,
  kLink,
  kMakeDirectory,    ///< no error when it is there
  kRemoveDirectory,
  kWriteBack,        ///< bytes are sent to the disk before a sync would; promises nothing
  kClose,            ///< of RocksDB's written files, where closing may fail
};
inline constexpr size_t kFileOperationCount = 13;

/// As errors tell what was done.
std::string_view file_operation_name(FileOperation operation);

/// One operation that is about to happen.
struct FileRequest {
  FileOperation operation;
  std::string_view path;
  std::string_view to = {};     ///< kRename, kLink: the new name
  uint64_t offset = 0;          ///< kRead, kWrite
  std::string_view bytes = {};  ///< kWrite
  uint64_t size = 0;            ///< kRead: how many bytes; kTruncate: the size that it gets
  bool creates = false;         ///< kOpen: makes a file that is not there
  bool empties = false;         ///< kOpen: drops what is in the file
};

/// What becomes of it. A hook that delays an operation waits before it answers.
struct FileAnswer {
  int error = 0;            ///< the errno with which it fails instead of being done
  size_t bytes_before = 0;  ///< kWrite with an error: how many bytes are written all the same
  bool forget = false;      ///< it is not done, and the caller told that it was; not for kOpen and kRead
};

class FileHook {
 public:
  virtual ~FileHook() = default;
  virtual FileAnswer before(const FileRequest& request) noexcept = 0;
  /// How far the host's clock is off, in microseconds.
  virtual int64_t clock_step_us() noexcept { return 0; }
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
  uint64_t offset_ = 0;
};

/// A file locked until this is destroyed.
class LockFile {
 public:
  LockFile(class Env& env, std::string path, int descriptor) : env_(env), path_(std::move(path)), descriptor_(descriptor) {}
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  /// What is in it, up to some bytes. A lock is the kernel's, so that what cannot be read or written in the file harms nothing.
  std::string content() const;
  void put(std::string_view content);
  /// Tells the file from a copy of it.
  uint64_t number() const;

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
  /// `read_only`: nothing is ever written.
  explicit Env(FileHook* hook = nullptr, bool read_only = false) : hook_(hook), read_only_(read_only) {}
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  FileAnswer ask(const FileRequest& request) const {
    return hook_ == nullptr ? FileAnswer{} : hook_->before(request);
  }

  /// Creates `path`, which must not exist.
  Result<std::unique_ptr<WritableFile>> create(const std::string& path);
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path);
  /// Writes a whole small file so that after a crash either the old or the new content is there.
  Status replace_file(const std::string& path, std::string_view content);
  Result<std::string> read_file(const std::string& path, size_t size_bytes_max);
  Status create_directory(const std::string& path);
  Status sync_directory(const std::string& path);
  /// Makes what any process wrote to `path` durable.
  Status sync_file(const std::string& path);
  /// Makes every commit durable that was made until now. Called before anything derived from commits reaches a disk, or anything that the commits
  /// before them need is taken away (invariant 4).
  Status sync_commits() const { return sync_commits_ ? sync_commits_() : Status(); }
  /// What it calls. Set before a store is opened, and then constant.
  void set_sync_commits(std::function<Status()> sync) { sync_commits_ = std::move(sync); }
  /// Makes the name of `path` itself durable.
  Status sync_parent(const std::string& path);
  Status rename(const std::string& from, const std::string& to);
  Status remove(const std::string& path);
  /// Removes a directory and what is in it; nothing when it is not there.
  Status remove_tree(const std::string& path);
  /// Creates `path` if it is absent, and locks it against other processes. kBusy with what the one who has it wrote; "" for one who reads.
  Result<std::unique_ptr<LockFile>> lock(const std::string& path);
  /// Locks `path`, which is there, against those who `lock` it, beside others who read. kBusy as `lock`.
  Result<std::unique_ptr<LockFile>> lock_shared(const std::string& path);
  bool exists(const std::string& path) const;
  /// Bytes that the file system of `path` has left for this process.
  Result<uint64_t> free_bytes(const std::string& path) const;
  Result<std::vector<std::string>> list(const std::string& path);

  /// Poison: after an I/O error at COMMIT nothing more is written until the database is opened again (invariant 8).
  void poison(Status why);
  bool poisoned() const { return read_only_ || poisoned_.load(std::memory_order_acquire); }
  /// kReadOnly with the first reason, or ok.
  Status check_writable() const;
  bool read_only() const { return read_only_; }

  /// The host's clock, which may step back and forth: for what people read. What is measured takes std::chrono::steady_clock.
  Timestamp now() const;
  uint64_t random() const;

 private:
  FileHook* const hook_;               // constant after construction
  const bool read_only_;
  std::function<Status()> sync_commits_;
  std::atomic<bool> poisoned_{false};  // synchronises itself
  mutable Mutex mutex_;
  Status poison_reason_ BRAID_GUARDED_BY(mutex_);
};

/// kIo, or kFull for ENOSPC and EDQUOT: "PATH: DOING: strerror".
Status errno_status(int error, std::string_view path, std::string_view doing);

}  // namespace braid
