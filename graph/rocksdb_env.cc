#include "graph/rocksdb_env.h"

#include <rocksdb/file_system.h>

#include <cerrno>
#include <cstring>
#include <string>

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

  IOStatus read(const std::string& path, size_t bytes) const {
    return ask(FileOperation::kRead, path, bytes);
  }
  IOStatus change(FileOperation operation, const std::string& path, size_t bytes = 0) const {
    if (env_.poisoned()) {
      return IOStatus::IOError(path, "the database is poisoned: writes are refused until reopen");
    }
    return ask(operation, path, bytes);
  }
  IOStatus open(const std::string& path) const { return ask(FileOperation::kOpen, path, 0); }

 private:
  IOStatus ask(FileOperation operation, const std::string& path, size_t bytes) const {
    const int error = env_.before(operation, path, bytes);
    return error == 0 ? IOStatus::OK() : io_error(error, path);
  }

  const Env& env_;
};

#define BRAID_PASS(question)         \
  do {                               \
    IOStatus answer = (question);    \
    if (!answer.ok()) return answer; \
  } while (false)

class GatedWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  GatedWritableFile(Gate gate, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), gate_(gate), path_(std::move(path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kWrite, path_, data.size()));
    return target()->Append(data, options, context);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& info, IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kWrite, path_, data.size()));
    return target()->Append(data, options, info, context);
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t offset, const IOOptions& options,
                            IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kWrite, path_, data.size()));
    return target()->PositionedAppend(data, offset, options, context);
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t offset, const IOOptions& options,
                            const rocksdb::DataVerificationInfo& info,
                            IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kWrite, path_, data.size()));
    return target()->PositionedAppend(data, offset, options, info, context);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kTruncate, path_));
    return target()->Truncate(size, options, context);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kSync, path_));
    return target()->Sync(options, context);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kSync, path_));
    return target()->Fsync(options, context);
  }

 private:
  const Gate gate_;
  const std::string path_;
};

class GatedSequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  GatedSequentialFile(Gate gate, std::string path, std::unique_ptr<rocksdb::FSSequentialFile> file)
      : FSSequentialFileOwnerWrapper(std::move(file)), gate_(gate), path_(std::move(path)) {}

  IOStatus Read(size_t count, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) override {
    BRAID_PASS(gate_.read(path_, count));
    return target()->Read(count, options, result, scratch, context);
  }

 private:
  const Gate gate_;
  const std::string path_;
};

class GatedRandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  GatedRandomAccessFile(Gate gate, std::string path,
                        std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), gate_(gate), path_(std::move(path)) {}

  IOStatus Read(uint64_t offset, size_t count, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* context) const override {
    BRAID_PASS(gate_.read(path_, count));
    return target()->Read(offset, count, options, result, scratch, context);
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count, const IOOptions& options,
                     IODebugContext* context) override {
    BRAID_PASS(gate_.read(path_, 0));
    return target()->MultiRead(requests, count, options, context);
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
    BRAID_PASS(gate_.change(FileOperation::kSyncDirectory, path_));
    return directory_->Fsync(options, context);
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* context,
                               const rocksdb::DirFsyncOptions& reason) override {
    BRAID_PASS(gate_.change(FileOperation::kSyncDirectory, path_));
    return directory_->FsyncWithDirOptions(options, context, reason);
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
    BRAID_PASS(gate_.open(path));
    BRAID_PASS(target()->NewSequentialFile(path, options, result, context));
    *result = std::make_unique<GatedSequentialFile>(gate_, path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* context) override {
    BRAID_PASS(gate_.open(path));
    BRAID_PASS(target()->NewRandomAccessFile(path, options, result, context));
    *result = std::make_unique<GatedRandomAccessFile>(gate_, path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kOpen, path));
    BRAID_PASS(target()->NewWritableFile(path, options, result, context));
    *result = std::make_unique<GatedWritableFile>(gate_, path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kOpen, path));
    BRAID_PASS(target()->ReopenWritableFile(path, options, result, context));
    *result = std::make_unique<GatedWritableFile>(gate_, path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                             const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kRename, old_path));
    BRAID_PASS(target()->ReuseWritableFile(path, old_path, options, result, context));
    *result = std::make_unique<GatedWritableFile>(gate_, path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* context) override {
    BRAID_PASS(gate_.open(path));
    BRAID_PASS(target()->NewDirectory(path, options, result, context));
    *result = std::make_unique<GatedDirectory>(gate_, path, std::move(*result));
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kRemove, path));
    return target()->DeleteFile(path, options, context);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions& options,
                     IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kRemove, path));
    return target()->DeleteDir(path, options, context);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kRename, from));
    return target()->RenameFile(from, to, options, context);
  }
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions& options,
                    IODebugContext* context) override {
    BRAID_PASS(gate_.change(FileOperation::kTruncate, path));
    return target()->Truncate(path, size, options, context);
  }

 private:
  const Gate gate_;
};

#undef BRAID_PASS

}  // namespace

std::unique_ptr<rocksdb::Env> make_rocksdb_env(const Env& env) {
  return rocksdb::NewCompositeEnv(std::make_shared<GatedFileSystem>(env));
}

}  // namespace braid
