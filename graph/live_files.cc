#include "graph/live_files.h"

#include <rocksdb/env.h>

#include "graph/rocksdb_status.h"

namespace braid {

Result<std::unique_ptr<HeldFiles>> LiveFiles::hold(std::shared_ptr<RocksdbHandle> handle) {
  std::unique_ptr<LiveFiles> held(new LiveFiles(std::move(handle)));
  BRAID_TRY(rocksdb_status(held->handle_->db().DisableFileDeletions(), "hold files"));
  held->holds_ = true;
  BRAID_TRY(held->list());
  return std::unique_ptr<HeldFiles>(std::move(held));
}

LiveFiles::~LiveFiles() {
  // It is counted: others may hold files too.
  if (holds_) handle_->db().EnableFileDeletions(/*force=*/false).PermitUncheckedError();
}

Status LiveFiles::list() {
  std::vector<std::string> names;
  uint64_t manifest_bytes = 0;
  BRAID_TRY(rocksdb_status(handle_->db().GetLiveFiles(names, &manifest_bytes, /*flush_memtable=*/false), "list files"));
  std::string manifest;
  for (const std::string& name : names) {  // each with a slash in front
    const std::string path = handle_->directory() + name;
    if (name.starts_with("/MANIFEST-")) {
      manifest = name.substr(1);
      files_.push_back({.path = path, .size_bytes = manifest_bytes});
    } else if (name.ends_with(".sst")) {
      StoreFile file{.path = path, .immutable = true};
      BRAID_TRY(rocksdb_status(handle_->db().GetEnv()->GetFileSize(path, &file.size_bytes), "size of " + path));
      files_.push_back(std::move(file));
    }
  }
  // RocksDB may begin another MANIFEST and name it in CURRENT before that is copied.
  const std::string current = manifest + "\n";
  files_.push_back({.path = handle_->directory() + "/CURRENT", .size_bytes = current.size(), .content = current});
  return {};
}

}  // namespace braid
