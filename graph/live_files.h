// The files of the RocksDB database at one moment, kept from deletion for a backup.
#pragma once

#include <memory>
#include <vector>

#include "engine/backed_up_store.h"
#include "graph/rocksdb_handle.h"

namespace braid {

class LiveFiles final : public HeldFiles {
 public:
  /// With writers held off: GetLiveFiles may not run beside them (DESIGN section 3).
  static Result<std::unique_ptr<HeldFiles>> hold(std::shared_ptr<RocksdbHandle> handle);
  ~LiveFiles() override;
  LiveFiles(const LiveFiles&) = delete;
  LiveFiles& operator=(const LiveFiles&) = delete;

  const std::vector<StoreFile>& files() const override { return files_; }

 private:
  explicit LiveFiles(std::shared_ptr<RocksdbHandle> handle) : handle_(std::move(handle)) {}
  Status list();

  const std::shared_ptr<RocksdbHandle> handle_;  // shared with the store
  bool holds_ = false;
  std::vector<StoreFile> files_;
};

}  // namespace braid
