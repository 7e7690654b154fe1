// A FileHook that records every operation that changes what is below one directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/env.h"

namespace braid {

/// Paths begin with the name of the recorded directory; "" is the directory that it is in.
struct RecordedOperation {
  FileOperation operation;
  std::string path;
  std::string to{};
  uint64_t offset = 0;
  uint64_t size = 0;
  std::string bytes{};
  bool creates = false;
  bool empties = false;
};

/// Threads: `before` and `position` may be called from any thread, the others when nothing is
/// recorded any more. What fails or is forgotten by `next` is recorded as far as it was done.
class FileRecord final : public FileHook {
 public:
  explicit FileRecord(const std::string& directory, FileHook* next = nullptr)
      : parent_(std::filesystem::path(directory).parent_path().string()), next_(next) {}

  FileAnswer before(const FileRequest& request) noexcept override {
    const FileAnswer answer = next_ == nullptr ? FileAnswer{} : next_->before(request);
    if (!changes(request) || answer.forget) return answer;
    if (answer.error != 0 && answer.bytes_before == 0) return answer;
    RecordedOperation one{request.operation, relative(request.path),
                          request.to.empty() ? "" : relative(request.to)};
    one.offset = request.offset;
    one.size = request.size;
    one.bytes = answer.error == 0 ? request.bytes : request.bytes.substr(0, answer.bytes_before);
    one.creates = request.creates;
    one.empties = request.empties;
    const std::lock_guard lock(mutex_);
    operations_.push_back(std::move(one));
    return answer;
  }

  /// How many operations there are until now.
  size_t position() const {
    const std::lock_guard lock(mutex_);
    return operations_.size();
  }
  const std::vector<RecordedOperation>& operations() const { return operations_; }

 private:
  static bool changes(const FileRequest& request) {
    if (request.path.ends_with("-shm")) return false;
    switch (request.operation) {
      case FileOperation::kRead:
      case FileOperation::kWriteBack:
      case FileOperation::kClose: return false;
      case FileOperation::kOpen: return request.creates || request.empties;
      case FileOperation::kWrite:
      case FileOperation::kSync:
      case FileOperation::kSyncDirectory:
      case FileOperation::kTruncate:
      case FileOperation::kRename:
      case FileOperation::kRemove:
      case FileOperation::kLink:
      case FileOperation::kMakeDirectory:
      case FileOperation::kRemoveDirectory: return true;
    }
    return true;
  }
  /// A path elsewhere stays whole, and begins with a slash.
  std::string relative(std::string_view path) const {
    std::string plain = std::filesystem::path(path).lexically_normal().string();
    if (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    if (plain == parent_) return "";
    if (plain.starts_with(parent_ + "/")) return plain.substr(parent_.size() + 1);
    return plain;
  }

  const std::string parent_;
  FileHook* const next_;
  mutable std::mutex mutex_;
  std::vector<RecordedOperation> operations_;
};

}  // namespace braid
