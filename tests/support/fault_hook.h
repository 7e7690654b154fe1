// A FileHook that counts operations by kind of operation and kind of file, and makes chosen ones
// fail.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/env.h"

namespace braid {

enum class FileKind : uint8_t { kRows, kWal, kGraph, kChunk, kOther };

inline FileKind file_kind(std::string_view path) {
  if (path.ends_with("/rows.db")) return FileKind::kRows;
  if (path.ends_with("/rows.db-wal")) return FileKind::kWal;
  if (path.find("/graph") != std::string_view::npos) return FileKind::kGraph;
  if (path.find("/chunks") != std::string_view::npos) return FileKind::kChunk;
  return FileKind::kOther;
}

/// Threads: all members may be called from any thread.
class FaultHook final : public FileHook {
 public:
  struct Fault {
    std::vector<FileOperation> operations;
    std::optional<FileKind> file{};  ///< any file when absent
    int error = 0;
    bool cut_short = false;  ///< a write that fails leaves the first half of its bytes
    bool forget = false;     ///< instead of failing it is not done and said to be
    uint64_t nth = 1;             ///< the first operation that fails, from 1
    uint64_t times = UINT64_MAX;  ///< how many fail from there on
  };

  FileAnswer before(const FileRequest& request) noexcept override {
    const std::lock_guard lock(mutex_);
    const FileKind kind = file_kind(request.path);
    ++counts_[static_cast<size_t>(request.operation)][static_cast<size_t>(kind)];
    if (!fault_ || (fault_->file && *fault_->file != kind)) return {};
    bool chosen = false;
    for (const FileOperation one : fault_->operations) chosen |= one == request.operation;
    if (!chosen) return {};
    ++matched_;
    if (matched_ < fault_->nth || matched_ - fault_->nth >= fault_->times) return {};
    ++failed_;
    if (fault_->forget) return {.forget = true};
    return {.error = fault_->error, .bytes_before = fault_->cut_short ? request.bytes.size() / 2 : 0};
  }

  void arm(Fault fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
    matched_ = failed_ = 0;
  }
  void disarm() {
    const std::lock_guard lock(mutex_);
    fault_.reset();
  }

  /// Operations that the fault armed last chose from, and how many of them failed.
  uint64_t matched() const {
    const std::lock_guard lock(mutex_);
    return matched_;
  }
  uint64_t failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
  }
  uint64_t count(FileOperation operation, FileKind kind) const {
    const std::lock_guard lock(mutex_);
    return counts_[static_cast<size_t>(operation)][static_cast<size_t>(kind)];
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Fault> fault_;
  uint64_t matched_ = 0;
  uint64_t failed_ = 0;
  uint64_t counts_[kFileOperationCount][5] = {};
};

}  // namespace braid
