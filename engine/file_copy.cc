#include "engine/file_copy.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "engine/copy_mark.h"

namespace braid {

namespace {

constexpr uint64_t kPieceBytes = 1 << 20;
/// The end of a table of RocksDB with its properties, and that of a chunk with its footer or a part of it.
constexpr uint64_t kEndBytes = 64 << 10;
constexpr uint64_t kStartBytes = 4096;

}  // namespace

Result<std::unique_ptr<LockFile>> hold_closed(Env& env, const std::string& path) {
  // A database that is open has one; the directory stays as it is.
  if (!env.exists(path + "/LOCK")) return std::unique_ptr<LockFile>();
  auto lock = lock_directory(env, path);
  if (lock.ok() || lock.status().code() == StatusCode::kBusy) return lock;
  return std::unique_ptr<LockFile>();
}

Result<std::unique_ptr<CopyBase>> CopyBase::open(Env& env, const std::string& path, const std::string& uuid) {
  BRAID_ASSIGN(const Format format, read_format(env, path));
  if (format.uuid != uuid) return Status(StatusCode::kInvalidArgument, fmt::format("{}: is of another database; give an earlier backup of this one", path));
  std::unique_ptr<CopyBase> base(new CopyBase(path));
  BRAID_ASSIGN(base->lock_, hold_closed(env, path));
  return base;
}

bool is_same_file(Env& env, const std::string& a, const std::string& b) {
  const auto first = env.open(a);
  const auto second = env.open(b);
  if (!first.ok() || !second.ok() || (*first)->size_bytes() != (*second)->size_bytes()) return false;
  const uint64_t size = (*first)->size_bytes();
  const auto same = [&](uint64_t offset, uint64_t bytes) {
    std::string ours, theirs;
    return (*first)->read(offset, bytes, ours).ok() && (*second)->read(offset, bytes, theirs).ok() && ours == theirs;
  };
  const uint64_t end_bytes = std::min(size, kEndBytes);
  return same(0, std::min(size, kStartBytes)) && same(size - end_bytes, end_bytes);
}

Result<bool> link_file(const Env& env, const std::string& from, const std::string& to) {
  const FileAnswer answer = env.ask({.operation = FileOperation::kLink, .path = from, .to = to});
  if (answer.forget) return true;
  const int error = answer.error != 0 ? answer.error : ::link(from.c_str(), to.c_str()) < 0 ? errno : 0;
  for (const int cannot : {EXDEV, EPERM, EMLINK, ENOTSUP})
    if (error == cannot) return false;
  if (error != 0) return errno_status(error, from, "link");
  return true;
}

Status FileCopy::copy(const StoreFile& file, const std::string& to, const std::string& name) {
  const std::string path = to + "/" + name;
  if (file.immutable) {
    BRAID_ASSIGN(const bool linked, link(file, path, name));
    if (linked) return pace_.linked(file.size_bytes);
  }
  return write(file, path);
}

Result<bool> FileCopy::link(const StoreFile& file, const std::string& to, const std::string& name) {
  if (options_.links) {
    BRAID_ASSIGN(const bool linked, link_file(env_, file.path, to));
    if (linked) return true;
  }
  if (options_.base == nullptr) return false;
  const std::string earlier = options_.base->path() + "/" + name;
  return env_.exists(earlier) && is_same_file(env_, file.path, earlier) ? link_file(env_, earlier, to) : Result<bool>(false);
}

Status FileCopy::write(const StoreFile& file, const std::string& to) {
  BRAID_ASSIGN(const auto out, env_.create(to));
  if (file.content.has_value()) {
    BRAID_TRY(out->append(*file.content));
    BRAID_TRY(out->sync());
    return pace_.written(file.content->size());
  }
  BRAID_ASSIGN(const auto in, env_.open(file.path));
  std::string piece;
  for (uint64_t at = 0; at < file.size_bytes; at += piece.size()) {
    BRAID_TRY(in->read(at, std::min(kPieceBytes, file.size_bytes - at), piece));
    BRAID_TRY(out->append(piece));
    BRAID_TRY(pace_.written(piece.size()));
  }
  return out->sync();
}

}  // namespace braid
