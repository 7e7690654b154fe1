#include "engine/destination.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "engine/caught.h"

namespace braid {

std::string resolved_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::string rest;
  for (;;) {
    if (char* const found = ::realpath(path.c_str(), nullptr)) {
      const std::string out = found + rest + "/";
      ::free(found);
      return out;
    }
    if (!rest.empty()) return "";
    const size_t slash = path.find_last_of('/');
    rest = "/" + path.substr(slash == std::string::npos ? 0 : slash + 1);
    path = slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
  }
}

namespace {

constexpr const char* kFolders[] = {"graph", "chunks", "archive"};

Status check_apart(const std::string& path, const std::string& source) {
  const std::string ours = resolved_path(path);
  const std::string theirs = resolved_path(source);
  if (ours.empty() || theirs.empty() || (!ours.starts_with(theirs) && !theirs.starts_with(ours))) return {};
  return Status(StatusCode::kInvalidArgument, fmt::format("{}: is, contains or lies in {}, which is to be copied; give a directory elsewhere", path, source));
}

}  // namespace

Result<std::unique_ptr<Destination>> Destination::open(Env& env, const std::string& path, const std::string& source) {
  BRAID_TRY(check_apart(path, source));
  std::unique_ptr<Destination> destination(new Destination(env, path));
  BRAID_TRY(destination->take());
  destination->marked_ = true;
  BRAID_TRY(mark_unfinished(env, path));
  BRAID_TRY(destination->empty());
  for (const char* const folder : kFolders) BRAID_TRY(env.create_directory(path + "/" + folder));
  BRAID_TRY(env.sync_directory(path));
  BRAID_TRY(env.sync_parent(path));
  return destination;
}

Status Destination::take() {
  created_ = !env_.exists(path_);
  BRAID_TRY(env_.create_directory(path_));
  struct stat status;
  if (::stat(path_.c_str(), &status) < 0) return errno_status(errno, path_, "open");
  if (!S_ISDIR(status.st_mode)) return Status(StatusCode::kInvalidArgument, fmt::format("{}: is a file; give a directory", path_));
  BRAID_TRY(check_free());
  BRAID_ASSIGN(lock_, lock_directory(env_, path_));
  lock_->put(fmt::format("{}\n", ::getpid()));
  // Somebody may have finished a copy while the lock was waited for.
  return check_free();
}

Status Destination::check_free() const {
  if (is_unfinished(env_, path_)) return {};
  static const std::set<std::string> kOurs = {"COPYING.new", "LOCK"};
  BRAID_ASSIGN(const auto names, env_.list(path_));
  for (const std::string& name : names)
    if (!kOurs.contains(name))
      return Status(StatusCode::kInvalidArgument, fmt::format("{}: '{}' is in it; give a directory that is absent or empty", path_, name));
  return {};
}

/// All but LOCK and the mark.
Status Destination::empty() {
  BRAID_ASSIGN(const auto names, env_.list(path_));
  for (const std::string& name : names)
    if (name != "LOCK" && name != "COPYING") BRAID_TRY(env_.remove_tree(path_ + "/" + name));
  return {};
}

Status Destination::finish(const Format& format, const BackupMark& mark) {
  BRAID_TRY(finish_unchecked(format, mark));
  return remove_unfinished_mark(env_, path_);
}

Status Destination::finish_unchecked(const Format& format, const BackupMark& mark) {
  for (const char* const folder : kFolders) BRAID_TRY(env_.sync_directory(path_ + "/" + folder));
  BRAID_TRY(env_.sync_directory(path_));
  BRAID_TRY(write_backup_mark(env_, path_, mark));
  // Of a directory with FORMAT, LOCK tells that it is open.
  lock_->put("");
  BRAID_TRY(env_.sync_file(path_ + "/LOCK"));
  BRAID_TRY(write_format(env_, path_, format));
  finished_ = true;
  return {};
}

Destination::~Destination() {
  if (finished_ || lock_ == nullptr || !marked_) return;
  // The mark goes last: what is interrupted here is known for what it is.
  caught([&]() -> Status {
    BRAID_TRY(empty());
    BRAID_TRY(env_.remove_tree(path_ + "/COPYING"));
    BRAID_TRY(env_.remove_tree(path_ + "/LOCK"));
    return created_ ? env_.remove_tree(path_) : Status();
  }).ignore();
}

}  // namespace braid
