#include "engine/env.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>

#include <fmt/format.h>

#include "engine/event_log.h"

namespace braid {

Status errno_status(int error, std::string_view path, std::string_view doing) {
  const bool full = error == ENOSPC || error == EDQUOT;
  char text[128];
  return Status(full ? StatusCode::kFull : StatusCode::kIo,
                fmt::format("{}: {}: {}", path, doing, strerror_r(error, text, sizeof text)));
}

namespace {

/// Calls `call` again while a signal interrupts it.
template <typename Call>
auto uninterrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

std::string parent_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = uninterrupted([&] { return ::write(descriptor, bytes.data(), bytes.size()); });
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int open_and_sync(const std::string& path, int flags, int (*sync)(int)) {
  const int descriptor = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC); });
  if (descriptor < 0) return -1;
  const int result = uninterrupted([&] { return sync(descriptor); });
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return result;
}

/// Asks before an operation and does it; 0 or the errno.
template <typename Act>
int pass(const Env& env, const FileRequest& request, Act act) {
  const FileAnswer answer = env.ask(request);
  if (answer.error != 0) return answer.error;
  return answer.forget || act() >= 0 ? 0 : errno;
}

int pass_write(const Env& env, const FileRequest& request, int descriptor) {
  const FileAnswer answer = env.ask(request);
  if (answer.forget) return 0;
  const int error = write_all(descriptor, answer.error == 0 ? request.bytes : request.bytes.substr(0, answer.bytes_before));
  return answer.error != 0 ? answer.error : error;
}

}  // namespace

std::string_view file_operation_name(FileOperation operation) {
  static constexpr std::string_view kNames[kFileOperationCount] = {
      "open", "read", "write", "sync", "sync directory", "truncate", "rename",
      "remove", "link", "create directory", "remove directory", "write back", "close"};
  return kNames[static_cast<size_t>(operation)];
}

WritableFile::~WritableFile() { ::close(descriptor_); }

Status WritableFile::append(std::string_view bytes) {
  BRAID_TRY(env_.check_writable());
  const int error = pass_write(
      env_, {.operation = FileOperation::kWrite, .path = path_, .offset = offset_, .bytes = bytes}, descriptor_);
  if (error != 0) return errno_status(error, path_, "write");
  offset_ += bytes.size();
  return {};
}

Status WritableFile::sync() {
  BRAID_TRY(env_.check_writable());
  const int error = pass(env_, {.operation = FileOperation::kSync, .path = path_},
                         [&] { return uninterrupted([&] { return ::fdatasync(descriptor_); }); });
  return error == 0 ? Status() : errno_status(error, path_, "sync");
}

LockFile::~LockFile() { ::close(descriptor_); }

std::string LockFile::content() const {
  char text[128];
  const ssize_t size = uninterrupted([&] { return ::pread(descriptor_, text, sizeof text, 0); });
  return std::string(text, size > 0 ? static_cast<size_t>(size) : 0);
}

void LockFile::put(std::string_view content) {
  if (pass(env_, {.operation = FileOperation::kTruncate, .path = path_, .size = 0},
           [&] { return uninterrupted([&] { return ::ftruncate(descriptor_, 0); }); }) != 0)
    return;
  ::lseek(descriptor_, 0, SEEK_SET);
  if (!content.empty()) pass_write(env_, {.operation = FileOperation::kWrite, .path = path_, .bytes = content}, descriptor_);
}

uint64_t LockFile::number() const {
  struct stat status;
  return ::fstat(descriptor_, &status) == 0 ? static_cast<uint64_t>(status.st_ino) : 0;
}

ReadableFile::~ReadableFile() { ::close(descriptor_); }

Status ReadableFile::read(uint64_t offset, size_t count, std::string& out) const {
  if (offset > size_bytes_ || count > size_bytes_ - offset)
    return Status(StatusCode::kCorrupt, fmt::format("{}: {} bytes at {} are past its end of {} bytes", path_, count,
                                                    offset, size_bytes_));
  const FileAnswer answer =
      env_.ask({.operation = FileOperation::kRead, .path = path_, .offset = offset, .size = count});
  if (answer.error != 0) return errno_status(answer.error, path_, "read");
  out.resize(count);
  for (size_t done = 0; done < count;) {
    const ssize_t got = uninterrupted([&] {
      return ::pread(descriptor_, out.data() + done, count - done, static_cast<off_t>(offset + done));
    });
    if (got < 0) return errno_status(errno, path_, "read");
    if (got == 0)
      return Status(StatusCode::kCorrupt, fmt::format("{}: ends at byte {}, expected {}", path_, offset + done,
                                                      offset + count));
    done += static_cast<size_t>(got);
  }
  return {};
}

Result<std::unique_ptr<WritableFile>> Env::create(const std::string& path) {
  BRAID_TRY(check_writable());
  int descriptor = -1;
  const int error = pass(*this, {.operation = FileOperation::kOpen, .path = path, .creates = true}, [&] {
    return descriptor = uninterrupted([&] { return ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644); });
  });
  if (error != 0) return errno_status(error, path, "create");
  return std::make_unique<WritableFile>(*this, path, descriptor);
}

Result<std::unique_ptr<ReadableFile>> Env::open(const std::string& path) {
  int descriptor = -1;
  const int opened = pass(*this, {.operation = FileOperation::kOpen, .path = path}, [&] {
    return descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  });
  if (opened != 0) return errno_status(opened, path, "open");
  struct stat status;
  if (::fstat(descriptor, &status) < 0) {
    const int error = errno;
    ::close(descriptor);
    return errno_status(error, path, "stat");
  }
  return std::make_unique<ReadableFile>(*this, path, descriptor, static_cast<uint64_t>(status.st_size));
}

Status Env::replace_file(const std::string& path, std::string_view content) {
  const std::string draft = path + ".new";
  if (exists(draft)) BRAID_TRY(remove(draft));
  {
    BRAID_ASSIGN(auto file, create(draft));
    BRAID_TRY(file->append(content));
    BRAID_TRY(file->sync());
  }
  BRAID_TRY(rename(draft, path));
  return sync_directory(parent_of(path));
}

Result<std::string> Env::read_file(const std::string& path, size_t size_bytes_max) {
  BRAID_ASSIGN(auto file, open(path));
  if (file->size_bytes() > size_bytes_max)
    return Status(StatusCode::kCorrupt,
                  fmt::format("{}: {} bytes, expected at most {}", path, file->size_bytes(), size_bytes_max));
  std::string content;
  BRAID_TRY(file->read(0, file->size_bytes(), content));
  return content;
}

Status Env::create_directory(const std::string& path) {
  BRAID_TRY(check_writable());
  const int error = pass(*this, {.operation = FileOperation::kMakeDirectory, .path = path},
                         [&] { return ::mkdir(path.c_str(), 0755) < 0 && errno != EEXIST ? -1 : 0; });
  return error == 0 ? Status() : errno_status(error, path, "create directory");
}

Status Env::sync_directory(const std::string& path) {
  BRAID_TRY(check_writable());
  const int error = pass(*this, {.operation = FileOperation::kSyncDirectory, .path = path}, [&] {
    return open_and_sync(path, O_RDONLY | O_DIRECTORY, ::fsync);
  });
  return error == 0 ? Status() : errno_status(error, path, "sync directory");
}

Status Env::sync_file(const std::string& path) {
  BRAID_TRY(check_writable());
  const int error = pass(*this, {.operation = FileOperation::kSync, .path = path}, [&] { return open_and_sync(path, O_RDWR, ::fdatasync); });
  return error == 0 ? Status() : errno_status(error, path, "sync");
}

Status Env::sync_parent(const std::string& path) {
  const std::string parent = parent_of(path);
  // Who may make a name in a directory need not be allowed to read it, and only who reads it can sync it.
  return ::access(parent.c_str(), R_OK) == 0 ? sync_directory(parent) : Status();
}

Status Env::rename(const std::string& from, const std::string& to) {
  BRAID_TRY(check_writable());
  const int error = pass(*this, {.operation = FileOperation::kRename, .path = from, .to = to},
                         [&] { return ::rename(from.c_str(), to.c_str()); });
  return error == 0 ? Status() : errno_status(error, from, "rename");
}

Status Env::remove(const std::string& path) {
  BRAID_TRY(check_writable());
  const int error =
      pass(*this, {.operation = FileOperation::kRemove, .path = path}, [&] { return ::unlink(path.c_str()); });
  return error == 0 ? Status() : errno_status(error, path, "remove");
}

Status Env::remove_tree(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) < 0) return errno == ENOENT ? Status() : errno_status(errno, path, "remove");
  if (!S_ISDIR(status.st_mode)) return remove(path);
  BRAID_ASSIGN(const std::vector<std::string> names, list(path));
  for (const std::string& name : names) BRAID_TRY(remove_tree(path + "/" + name));
  BRAID_TRY(check_writable());
  const int error = pass(*this, {.operation = FileOperation::kRemoveDirectory, .path = path},
                         [&] { return ::rmdir(path.c_str()); });
  return error == 0 ? Status() : errno_status(error, path, "remove directory");
}

Result<std::unique_ptr<LockFile>> Env::lock(const std::string& path) {
  int descriptor = -1;
  const int error = pass(*this, {.operation = FileOperation::kOpen, .path = path, .creates = true}, [&] {
    return descriptor = uninterrupted([&] { return ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644); });
  });
  if (error != 0) return errno_status(error, path, "open");
  auto file = std::make_unique<LockFile>(*this, path, descriptor);
  if (uninterrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) == 0) return file;
  if (errno != EWOULDBLOCK) return errno_status(errno, path, "lock");
  // Those who read have not written what is in the file.
  const bool only_read = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
  return Status(StatusCode::kBusy, only_read ? std::string() : file->content());
}

Result<std::unique_ptr<LockFile>> Env::lock_shared(const std::string& path) {
  int descriptor = -1;
  const int error = pass(*this, {.operation = FileOperation::kOpen, .path = path},
                         [&] { return descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }); });
  if (error != 0) return errno_status(error, path, "open");
  auto file = std::make_unique<LockFile>(*this, path, descriptor);
  if (uninterrupted([&] { return ::flock(descriptor, LOCK_SH | LOCK_NB); }) == 0) return file;
  if (errno != EWOULDBLOCK) return errno_status(errno, path, "lock");
  return Status(StatusCode::kBusy, file->content());
}

Result<uint64_t> Env::free_bytes(const std::string& path) const {
  struct statvfs status;
  if (::statvfs(path.c_str(), &status) != 0) return errno_status(errno, path, "ask for free space");
  return uint64_t{status.f_bavail} * status.f_frsize;
}

bool Env::exists(const std::string& path) const { return ::access(path.c_str(), F_OK) == 0; }

Result<std::vector<std::string>> Env::list(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return errno_status(errno, path, "list");
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  return names;
}

void Env::poison(Status why) {
  const std::string message = "writes are refused until the database is reopened, because " + why.message();
  {
    MutexLock lock(mutex_);
    if (poisoned_.load(std::memory_order_relaxed)) return;
    poison_reason_ = std::move(why);
    poisoned_.store(true, std::memory_order_release);
  }
  note_event(EventLevel::kError, "commit", message);
}

Status Env::check_writable() const {
  if (read_only_) return Status(StatusCode::kReadOnly, "the database is open for reading only (read_only=1)");
  if (!poisoned()) return {};
  MutexLock lock(mutex_);
  return Status(StatusCode::kReadOnly, "writes are refused until the database is reopened, because " +
                                           poison_reason_.message());
}

Timestamp Env::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp(std::chrono::duration_cast<std::chrono::microseconds>(since).count() + (hook_ == nullptr ? 0 : hook_->clock_step_us()));
}

uint64_t Env::random() const {
  uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) {
    std::random_device device;
    bits = (static_cast<uint64_t>(device()) << 32) | device();
  }
  return bits;
}

}  // namespace braid
