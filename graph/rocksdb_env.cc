#include "graph/rocksdb_env.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "graph/manifest_end.h"
#include "graph/table_properties.h"

namespace braid {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus io_error(int error, const std::string& path) {
  if (error == ENOSPC || error == EDQUOT) return IOStatus::NoSpace(path, std::strerror(error));
  return IOStatus::IOError(path, std::strerror(error));
}

/// What every file asks before it acts.
class Gate {
 public:
  explicit Gate(const Env& env) : env_(env) {}

  bool reads_only() const { return env_.read_only(); }

  /// Asks, and calls `act` unless the answer is that it is not to be done.
  template <typename Act>
  IOStatus pass(const FileRequest& request, Act act) const {
    const FileAnswer answer = env_.ask(request);
    if (answer.error != 0) return io_error(answer.error, std::string(request.path));
    return answer.forget ? IOStatus::OK() : act();
  }
  /// The same for what changes the disk.
  template <typename Act>
  IOStatus change(const FileRequest& request, Act act) const {
    if (env_.poisoned()) return poisoned(std::string(request.path));
    return pass(request, act);
  }
  /// `write` takes the bytes to write: all, or as many as the answer lets through before it fails.
  template <typename Write>
  IOStatus write(const std::string& path, uint64_t offset, const Slice& data, Write write) const {
    if (env_.poisoned()) return poisoned(path);
    const FileAnswer answer = env_.ask({.operation = FileOperation::kWrite,
                                        .path = path,
                                        .offset = offset,
                                        .bytes = {data.data(), data.size()}});
    if (answer.forget) return IOStatus::OK();
    if (answer.error == 0) return write(data);
    const size_t part = std::min(answer.bytes_before, data.size());
    if (part > 0) write(Slice(data.data(), part)).PermitUncheckedError();
    return io_error(answer.error, path);
  }

  /// Makes durable what the graph may hold.
  IOStatus sync_commits(const std::string& path) const {
    const Status synced = env_.sync_commits();
    return synced.ok() ? IOStatus::OK() : IOStatus::IOError(path, synced.message());
  }

 private:
  static IOStatus poisoned(const std::string& path) {
    return IOStatus::IOError(path, "the database is poisoned: writes are refused until reopen");
  }

  const Env& env_;
};

bool is_manifest(const std::string& path) { return path.find("/MANIFEST-") != std::string::npos; }
bool is_current(const std::string& path) { return path.ends_with("/CURRENT"); }
bool is_table(const std::string& path) { return path.ends_with(".sst"); }

#define BRAID_PASS(question)         \
  do {                               \
    IOStatus answer = (question);    \
    if (!answer.ok()) return answer; \
  } while (false)

class GatedWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  GatedWritableFile(Gate gate, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file,
                    uint64_t size_bytes)
      : FSWritableFileOwnerWrapper(std::move(file)),
        gate_(gate),
        path_(std::move(path)),
        is_manifest_(is_manifest(path_)),
        size_bytes_(size_bytes) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    return append(data, [&](const Slice& part) { return target()->Append(part, options, context); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* context) override {
    return Append(data, options, context);  // POSIX files do not verify what they are handed
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t offset, const IOOptions& options,
                            IODebugContext* context) override {
    size_bytes_ = std::max(size_bytes_, offset + data.size());
    return write(offset, data, [&](const Slice& part) {
      return target()->PositionedAppend(part, offset, options, context);
    });
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t offset, const IOOptions& options,
                            const rocksdb::DataVerificationInfo&,
                            IODebugContext* context) override {
    return PositionedAppend(data, offset, options, context);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* context) override {
    size_bytes_ = size;
    return gate_.change({.operation = FileOperation::kTruncate, .path = path_, .size = size},
                        [&] { return target()->Truncate(size, options, context); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kSync, .path = path_},
                        [&] { return target()->Sync(options, context); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kSync, .path = path_},
                        [&] { return target()->Fsync(options, context); });
  }
  IOStatus RangeSync(uint64_t offset, uint64_t count, const IOOptions& options,
                     IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kWriteBack, .path = path_},
                        [&] { return target()->RangeSync(offset, count, options, context); });
  }
  IOStatus Close(const IOOptions& options, IODebugContext* context) override {
    // The descriptor is given back whatever the answer is.
    const IOStatus closed = target()->Close(options, context);
    const IOStatus answer = gate_.pass({.operation = FileOperation::kClose, .path = path_},
                                       [] { return IOStatus::OK(); });
    return answer.ok() ? closed : answer;
  }

 private:
  template <typename Write>
  IOStatus append(const Slice& data, Write write) {
    const uint64_t offset = size_bytes_;
    size_bytes_ += data.size();
    return this->write(offset, data, write);
  }
  /// A file of the graph counts once the MANIFEST names it, and its bytes may reach the disk before any sync of theirs: the commits in it must be
  /// durable first (invariant 4). A flush in the background comes here too.
  template <typename Write>
  IOStatus write(uint64_t offset, const Slice& data, Write write) {
    if (is_manifest_) BRAID_PASS(gate_.sync_commits(path_));
    return gate_.write(path_, offset, data, write);
  }

  const Gate gate_;
  const std::string path_;
  const bool is_manifest_;
  uint64_t size_bytes_;  // of one thread at a time, as RocksDB's files are
};

class GatedSequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  GatedSequentialFile(Gate gate, std::string path, std::unique_ptr<rocksdb::FSSequentialFile> file)
      : FSSequentialFileOwnerWrapper(std::move(file)), gate_(gate), path_(std::move(path)) {}

  /// What lies past `end` is not read.
  void end_at(uint64_t end) { left_ = end; }

  IOStatus Read(size_t count, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) override {
    count = std::min<uint64_t>(count, left_);
    IOStatus status =
        gate_.pass({.operation = FileOperation::kRead, .path = path_, .size = count},
                   [&] { return target()->Read(count, options, result, scratch, context); });
    if (status.ok()) left_ -= result->size();
    return status;
  }
  IOStatus Skip(uint64_t count) override {
    left_ -= std::min(count, left_);
    return target()->Skip(count);
  }

 private:
  const Gate gate_;
  const std::string path_;
  uint64_t left_ = UINT64_MAX;
};

class GatedRandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  GatedRandomAccessFile(Gate gate, std::string path,
                        std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), gate_(gate), path_(std::move(path)) {}

  IOStatus Read(uint64_t offset, size_t count, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* context) const override {
    return gate_.pass(
        {.operation = FileOperation::kRead, .path = path_, .offset = offset, .size = count},
        [&] { return target()->Read(offset, count, options, result, scratch, context); });
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count, const IOOptions& options,
                     IODebugContext* context) override {
    return gate_.pass({.operation = FileOperation::kRead, .path = path_},
                      [&] { return target()->MultiRead(requests, count, options, context); });
  }

 private:
  const Gate gate_;
  const std::string path_;
};

class GatedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  GatedDirectory(Gate gate, std::string path, std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(directory.get()),
        gate_(gate),
        path_(std::move(path)),
        directory_(std::move(directory)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kSyncDirectory, .path = path_},
                        [&] { return directory_->Fsync(options, context); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* context,
                               const rocksdb::DirFsyncOptions& reason) override {
    return gate_.change({.operation = FileOperation::kSyncDirectory, .path = path_}, [&] {
      return directory_->FsyncWithDirOptions(options, context, reason);
    });
  }

 private:
  const Gate gate_;
  const std::string path_;
  const std::unique_ptr<rocksdb::FSDirectory> directory_;
};

class GatedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit GatedFileSystem(const Env& env)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), gate_(env) {}

  const char* Name() const override { return "BraidFileSystem"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext* context) override {
    std::unique_ptr<GatedSequentialFile> file;
    BRAID_PASS(open_sequential(path, options, file, context));
    if (is_manifest(path)) {
      uint64_t end = 0;
      BRAID_PASS(find_end(*file, options, end, context));
      BRAID_PASS(open_sequential(path, options, file, context));
      file->end_at(end);
    }
    *result = std::move(file);
    return IOStatus::OK();
  }
  IOStatus check_table(const std::string& path, rocksdb::FSRandomAccessFile& file,
                       const IOOptions& options, IODebugContext* context) {
    uint64_t file_bytes = 0;
    BRAID_PASS(target()->GetFileSize(path, options, &file_bytes, context));
    IOStatus failed;
    const Status checked = check_table_properties(
        file_bytes, [&](uint64_t offset, size_t size) -> Result<std::string> {
          std::string bytes(size, 0);
          Slice got;
          failed = file.Read(offset, size, options, &got, bytes.data(), context);
          if (failed.ok() && got.size() < size) failed = IOStatus::Corruption(path, "it was cut");
          if (!failed.ok()) return Status(StatusCode::kIo, path);
          return std::string(got.data(), got.size());
        });
    if (checked.ok() || !failed.ok()) return failed;
    return IOStatus::Corruption(path, checked.message());
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* context) override {
    if (!probe_.ok()) return std::exchange(probe_, IOStatus::OK());
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    IOStatus opened = gate_.pass({.operation = FileOperation::kOpen, .path = path}, [&] {
      IOStatus status = target()->NewRandomAccessFile(path, options, &file, context);
      if (status.ok()) file = std::make_unique<GatedRandomAccessFile>(gate_, path, std::move(file));
      return status;
    });
    if (is_current(path)) probe_ = opened;
    BRAID_PASS(std::move(opened));
    if (is_table(path)) BRAID_PASS(check_table(path, *file, options.io_options, context));
    *result = std::move(file);
    return IOStatus::OK();
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* context) override {
    return open_to_write(
        {.operation = FileOperation::kOpen, .path = path, .creates = true, .empties = true}, 0,
        result, [&] { return target()->NewWritableFile(path, options, result, context); });
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* context) override {
    uint64_t size = 0;
    if (!target()->GetFileSize(path, options.io_options, &size, context).ok()) size = 0;
    return open_to_write(
        {.operation = FileOperation::kOpen, .path = path, .creates = true}, size, result,
        [&] { return target()->ReopenWritableFile(path, options, result, context); });
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* context) override {
    return gate_.pass({.operation = FileOperation::kOpen, .path = path}, [&] {
      IOStatus status = target()->NewDirectory(path, options, result, context);
      if (status.ok()) *result = std::make_unique<GatedDirectory>(gate_, path, std::move(*result));
      return status;
    });
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& options,
                     IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kMakeDirectory, .path = path},
                        [&] { return target()->CreateDir(path, options, context); });
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options,
                              IODebugContext* context) override {
    // RocksDB makes sure of its directories even where it only reads.
    if (gate_.reads_only()) return target()->FileExists(path, options, context);
    return gate_.change({.operation = FileOperation::kMakeDirectory, .path = path},
                        [&] { return target()->CreateDirIfMissing(path, options, context); });
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kRemove, .path = path},
                        [&] { return target()->DeleteFile(path, options, context); });
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions& options,
                     IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kRemoveDirectory, .path = path},
                        [&] { return target()->DeleteDir(path, options, context); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* context) override {
    // RocksDB names a new MANIFEST in CURRENT and syncs the directory after: the name of the one
    // must not be durable without that of the other.
    if (is_current(to)) BRAID_PASS(sync_directory_of(to, options, context));
    return gate_.change({.operation = FileOperation::kRename, .path = from, .to = to},
                        [&] { return target()->RenameFile(from, to, options, context); });
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kLink, .path = from, .to = to},
                        [&] { return target()->LinkFile(from, to, options, context); });
  }
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions& options,
                    IODebugContext* context) override {
    return gate_.change({.operation = FileOperation::kTruncate, .path = path, .size = size},
                        [&] { return target()->Truncate(path, size, options, context); });
  }
  IOStatus LockFile(const std::string& path, const IOOptions& options, rocksdb::FileLock** lock,
                    IODebugContext* context) override {
    return gate_.pass({.operation = FileOperation::kOpen, .path = path, .creates = true},
                      [&] { return target()->LockFile(path, options, lock, context); });
  }

  // Files that would go round the seam. Nothing that is used of RocksDB asks for one.
  IOStatus ReuseWritableFile(const std::string& path, const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported(path, "a log that is used again");
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>*, IODebugContext*) override {
    return IOStatus::NotSupported(path, "a file that is changed in place");
  }
  IOStatus NewMemoryMappedFileBuffer(
      const std::string& path, std::unique_ptr<rocksdb::MemoryMappedFileBuffer>*) override {
    return IOStatus::NotSupported(path, "a mapped file");
  }
  IOStatus NewLogger(const std::string& path, const IOOptions&, std::shared_ptr<rocksdb::Logger>*,
                     IODebugContext*) override {
    return IOStatus::NotSupported(path, "a log of messages");
  }

 private:
  IOStatus sync_directory_of(const std::string& path, const IOOptions& options,
                             IODebugContext* context) {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    BRAID_PASS(NewDirectory(path.substr(0, path.find_last_of('/')), options, &directory, context));
    return directory->Fsync(options, context);
  }
  IOStatus open_sequential(const std::string& path, const FileOptions& options,
                           std::unique_ptr<GatedSequentialFile>& file, IODebugContext* context) {
    return gate_.pass({.operation = FileOperation::kOpen, .path = path}, [&] {
      std::unique_ptr<rocksdb::FSSequentialFile> opened;
      IOStatus status = target()->NewSequentialFile(path, options, &opened, context);
      if (status.ok())
        file = std::make_unique<GatedSequentialFile>(gate_, path, std::move(opened));
      return status;
    });
  }
  /// Reads a MANIFEST as far as its records are whole.
  static IOStatus find_end(GatedSequentialFile& file, const FileOptions& options, uint64_t& end,
                           IODebugContext* context) {
    std::string block;
    IOStatus failure;
    const auto found = manifest_end([&](size_t size) -> Result<std::string_view> {
      block.resize(size);
      size_t filled = 0;
      Slice part;
      do {
        failure = file.Read(size - filled, options.io_options, &part, block.data() + filled, context);
        if (!failure.ok()) return Status(StatusCode::kIo, failure.ToString());
        if (part.data() != block.data() + filled)
          std::memmove(block.data() + filled, part.data(), part.size());
        filled += part.size();
      } while (filled < size && part.size() > 0);
      return std::string_view(block.data(), filled);
    });
    if (found.ok()) end = *found;
    return failure;
  }

  template <typename Open>
  IOStatus open_to_write(const FileRequest& request, uint64_t size_bytes,
                         std::unique_ptr<rocksdb::FSWritableFile>* result, Open open) {
    return gate_.change(request, [&] {
      IOStatus status = open();
      if (status.ok())
        *result = std::make_unique<GatedWritableFile>(gate_, std::string(request.path),
                                                      std::move(*result), size_bytes);
      return status;
    });
  }

  const Gate gate_;
  /// Why CURRENT could not be opened. RocksDB opens it at random while it is opened itself, on one thread, and only to see whether direct I/O, which
  /// is not used here, is supported. It tries again, and where that succeeds tells the failure as unsupported: so the second try fails as the first.
  IOStatus probe_;
};

#undef BRAID_PASS

}  // namespace

std::unique_ptr<rocksdb::Env> make_rocksdb_env(const Env& env) {
  return rocksdb::NewCompositeEnv(std::make_shared<GatedFileSystem>(env));
}

}  // namespace braid
