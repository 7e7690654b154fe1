#include "engine/directory.h"

#include "engine/copy_mark.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace braid {

namespace {

constexpr size_t kFormatBytesMax = 4096;

std::string format_text(const Format& format) {
  return fmt::format("braid {}\nuuid {}\nepoch {}\nstate {}\n", format.version, format.uuid, format.epoch,
                     format.ready ? "ready" : "creating");
}

/// The rest of the line of `text` that starts with `key` and a blank, or nothing.
std::string_view line_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') return line.substr(key.size() + 1);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return {};
}

template <typename T>
bool parse_number(std::string_view text, T& value) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size();
}

Result<Format> parse_format(const std::string& path, std::string_view text) {
  const Status damaged(StatusCode::kCorrupt, fmt::format("{}: is not the FORMAT file of a Braid database", path));
  Format format;
  if (!parse_number(line_value(text, "braid"), format.version)) return damaged;
  if (format.version != kFormatVersion)
    return Status(StatusCode::kVersion, fmt::format("{}: the database has format {}, this library reads format {}; use "
                                                    "the release that wrote it",
                                                    path, format.version, kFormatVersion));
  format.uuid = line_value(text, "uuid");
  const std::string_view state = line_value(text, "state");
  if (format.uuid.size() != 36 || !parse_number(line_value(text, "epoch"), format.epoch)) return damaged;
  if (state != "ready" && state != "creating") return damaged;
  format.ready = state == "ready";
  return format;
}

Status in_use(const std::string& path, std::string_view owner) {
  const std::string_view process = owner.substr(0, owner.find('\n'));
  return Status(StatusCode::kBusy, process.empty() ? fmt::format("{}: in use by a process that reads it", path)
                                                   : fmt::format("{}: in use by process {}", path, process));
}

}  // namespace

std::string make_uuid(const Env& env) {
  uint64_t high = env.random();
  uint64_t low = env.random();
  high = (high & ~uint64_t{0xf000}) | 0x4000;
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                     low & 0xffffffffffff);
}

Result<Format> read_format(Env& env, const std::string& path, CopyState accepted) {
  const std::string file = path + "/FORMAT";
  if (accepted == CopyState::kFinished && is_unfinished(env, path))
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: holds a backup, restore or repair that was not finished; make it again, or remove "
                                                            "the directory",
                                                            path));
  if (!env.exists(file)) return Status(StatusCode::kNotFound, fmt::format("{}: there is no Braid database", path));
  BRAID_ASSIGN(const std::string text, env.read_file(file, kFormatBytesMax));
  return parse_format(file, text);
}

Status write_format(Env& env, const std::string& path, const Format& format) {
  return env.replace_file(path + "/FORMAT", format_text(format));
}

Result<std::unique_ptr<LockFile>> lock_directory(Env& env, const std::string& path) {
  auto lock = env.lock(path + "/LOCK");
  if (lock.status().code() == StatusCode::kBusy) return in_use(path, lock.status().message());
  return lock;
}

Result<std::unique_ptr<Directory>> Directory::open(Env& env, const std::string& path, CopyState accepted) {
  std::unique_ptr<Directory> directory(new Directory(env, path, accepted));
  if (!env.read_only()) BRAID_TRY(env.create_directory(path));
  struct stat status;
  if (::stat(path.c_str(), &status) < 0) return errno_status(errno, path, "open");
  if (!S_ISDIR(status.st_mode))
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: is a file; a database is a directory", path));
  BRAID_TRY(directory->refuse_links());
  if (accepted == CopyState::kFinished && is_unfinished(env, path)) return read_format(env, path).status();
  BRAID_TRY(env.read_only() ? directory->take_shared_lock() : directory->take_lock());
  BRAID_TRY(directory->read_or_create_format());
  BRAID_TRY(directory->note_open());
  return directory;
}

Status Directory::take_lock() {
  const std::string path = path_ + "/LOCK";
  if (!env_.exists(path)) {
    // A directory that is not ours stays as it is: LOCK is created only where FORMAT is, or nothing.
    BRAID_ASSIGN(const auto names, env_.list(path_));
    static const std::set<std::string> kOurs = {"FORMAT", "FORMAT.new", "LOCK"};
    for (const std::string& name : names)
      if (!kOurs.contains(name) && !env_.exists(path_ + "/FORMAT"))
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("{}: is not a Braid database: it has no FORMAT, and '{}' is in it; give a directory that "
                                  "is absent or empty to create one",
                                  path_, name));
  }
  BRAID_ASSIGN(lock_, lock_directory(env_, path_));
  return refuse_copy();
}

/// What a directory from elsewhere names must not lead out of it: LOCK is written, and tables that nothing refers to are removed. The
/// archive may stand on another disk.
Status Directory::refuse_links() const {
  for (const char* const name : {"LOCK", "FORMAT", "COPYING", "BACKUP", "rows.db", "rows.db-wal", "rows.db-shm", "rows.db-journal", "graph", "chunks"}) {
    struct stat status;
    if (::lstat((path_ + "/" + name).c_str(), &status) < 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) continue;
    return Status(StatusCode::kCorrupt, fmt::format("{}/{}: is a {}; the files of a database are files and directories of its own", path_, name,
                                                    S_ISLNK(status.st_mode) ? "symbolic link" : "special file"));
  }
  return {};
}

bool has_lost_wal(const Env& env, const std::string& path, const LockFile& lock) {
  return !lock.content().empty() && env.exists(path + "/rows.db") && !env.exists(path + "/rows.db-wal") && !env.exists(path + "/BACKUP");
}

Status Directory::note_open() {
  if (lock_ == nullptr) return {};
  if (format_.ready && env_.exists(rows()) && !env_.exists(wal())) {
    if (has_lost_wal(env_, path_, *lock_))
      return Status(StatusCode::kCorrupt, fmt::format("{0}: rows.db-wal is missing, and the database was not closed: the commits in it are lost; put it back, or "
                                                      "save what is left with braid repair {0} NEWDIR",
                                                      path_));
    if (!env_.read_only()) {
      BRAID_TRY(env_.create(wal()).status());
      BRAID_TRY(env_.sync_directory(path_));
    }
  }
  if (!env_.read_only()) lock_->put(fmt::format("{}\nfile {}\n", ::getpid(), lock_->number()));
  return {};
}

Status Directory::take_shared_lock() {
  const std::string path = path_ + "/LOCK";
  if (!env_.exists(path)) {
    // Where nobody can write, nobody needs to be kept from it.
    struct statvfs status;
    if (::statvfs(path_.c_str(), &status) == 0 && (status.f_flag & ST_RDONLY) != 0) return {};
    return Status(StatusCode::kNotFound, fmt::format("{}: LOCK is missing, so that a writer could not be kept from it while it is read; create an empty "
                                                     "file of this name, or open the database once for writing",
                                                     path_));
  }
  auto lock = env_.lock_shared(path);
  if (lock.status().code() == StatusCode::kBusy) return in_use(path_, lock.status().message());
  BRAID_ASSIGN(lock_, std::move(lock));
  return refuse_copy();
}

/// LOCK tells which file it is for as long as the database is open, and a copy is another file. Of a copy whose files are of different moments
/// recovery could make a database that never was.
Status refuse_open_copy(const LockFile& lock, const std::string& path) {
  uint64_t number = 0;
  if (!parse_number(line_value(lock.content(), "file"), number) || number == lock.number()) return {};
  return Status(StatusCode::kCorrupt, fmt::format("{0}: is a copy that was made while the database was open, or before it recovered, so that its files may "
                                                  "be of different moments; copy it when it is closed, or take a backup. After a copy that was made at one "
                                                  "moment, such as a snapshot of the file system, remove {0}/LOCK",
                                                  path));
}

Status Directory::refuse_copy() const { return refuse_open_copy(*lock_, path_); }

Status Directory::read_or_create_format() {
  if (env_.exists(path_ + "/FORMAT")) {
    BRAID_ASSIGN(format_, read_format(env_, path_, accepted_));
    BRAID_ASSIGN(const auto backup, read_backup_mark(env_, path_));
    // Two openings of copies of one backup are two histories: the time tells them apart.
    if (backup.has_value()) format_.epoch = std::max(format_.epoch + 1, static_cast<uint64_t>(std::max<int64_t>(0, env_.now().value())));
    return {};
  }
  if (env_.read_only()) return Status(StatusCode::kNotFound, fmt::format("{}: there is no Braid database, and read_only=1 creates none", path_));
  // Creation begins with FORMAT, so that what lies here without one was a database: making a new one would remove it.
  static const std::set<std::string> kOurs = {"FORMAT.new", "LOCK"};
  BRAID_ASSIGN(const auto names, env_.list(path_));
  for (const std::string& name : names)
    if (!kOurs.contains(name))
      return Status(StatusCode::kCorrupt, fmt::format("{}: FORMAT is missing, and '{}' is there: put FORMAT back, or give a directory that is absent "
                                                      "or empty to create a database",
                                                      path_, name));
  format_.uuid = make_uuid(env_);
  return write_format();
}

Status Directory::write_format() { return braid::write_format(env_, path_, format_); }

Status Directory::prepare_creation() {
  for (const char* name : {"rows.db", "rows.db-journal", "rows.db-wal", "rows.db-shm"})
    if (env_.exists(path_ + "/" + name)) BRAID_TRY(env_.remove(path_ + "/" + name));
  for (const std::string& folder : {graph(), chunks(), archive()}) {
    BRAID_TRY(env_.remove_tree(folder));
    BRAID_TRY(env_.create_directory(folder));
  }
  BRAID_TRY(env_.sync_directory(path_));
  return env_.sync_parent(path_);
}

Status Directory::finish_creation() {
  format_.ready = true;
  return write_format();
}

}  // namespace braid
