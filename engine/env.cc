#include "engine/env.h"

#include <dirent.h>
#include <fcntl.h>
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

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

}  // namespace

WritableFile::~WritableFile() { ::close(descriptor_); }

Status WritableFile::append(std::string_view bytes) {
  BRAID_TRY(env_.check_writable());
  if (const int error = env_.before(FileOperation::kWrite, path_, bytes.size()))
    return errno_status(error, path_, "write");
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
    if (written < 0) return errno_status(errno, path_, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status WritableFile::sync() {
  BRAID_TRY(env_.check_writable());
  if (const int error = env_.before(FileOperation::kSync, path_)) return errno_status(error, path_, "sync");
  if (uninterrupted([&] { return ::fdatasync(descriptor_); }) < 0) return errno_status(errno, path_, "sync");
  return {};
}

ReadableFile::~ReadableFile() { ::close(descriptor_); }

Status ReadableFile::read(uint64_t offset, size_t count, std::string& out) const {
  if (offset > size_bytes_ || count > size_bytes_ - offset)
    return Status(StatusCode::kCorrupt, fmt::format("{}: {} bytes at {} are past its end of {} bytes", path_, count,
                                                    offset, size_bytes_));
  if (const int error = env_.before(FileOperation::kRead, path_, count)) return errno_status(error, path_, "read");
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
  if (const int error = before(FileOperation::kOpen, path)) return errno_status(error, path, "create");
  const int descriptor = uninterrupted([&] {
    return ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
  });
  if (descriptor < 0) return errno_status(errno, path, "create");
  return std::make_unique<WritableFile>(*this, path, descriptor);
}

Result<std::unique_ptr<ReadableFile>> Env::open(const std::string& path) {
  if (const int error = before(FileOperation::kOpen, path)) return errno_status(error, path, "open");
  const int descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (descriptor < 0) return errno_status(errno, path, "open");
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
  if (const int error = before(FileOperation::kOpen, path)) return errno_status(error, path, "create directory");
  if (::mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) return errno_status(errno, path, "create directory");
  return {};
}

Status Env::sync_directory(const std::string& path) {
  BRAID_TRY(check_writable());
  if (const int error = before(FileOperation::kSyncDirectory, path))
    return errno_status(error, path, "sync directory");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno_status(errno, path, "open directory");
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  return result < 0 ? errno_status(error, path, "sync directory") : Status();
}

Status Env::rename(const std::string& from, const std::string& to) {
  BRAID_TRY(check_writable());
  if (const int error = before(FileOperation::kRename, from)) return errno_status(error, from, "rename");
  if (::rename(from.c_str(), to.c_str()) < 0) return errno_status(errno, from, "rename");
  return {};
}

Status Env::remove(const std::string& path) {
  BRAID_TRY(check_writable());
  if (const int error = before(FileOperation::kRemove, path)) return errno_status(error, path, "remove");
  if (::unlink(path.c_str()) < 0) return errno_status(errno, path, "remove");
  return {};
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
  MutexLock lock(mutex_);
  if (!poisoned_.load(std::memory_order_relaxed)) poison_reason_ = std::move(why);
  poisoned_.store(true, std::memory_order_release);
}

Status Env::check_writable() const {
  if (!poisoned()) return {};
  MutexLock lock(mutex_);
  return Status(StatusCode::kReadOnly, "writes are refused until the database is reopened, because " +
                                           poison_reason_.message());
}

Timestamp Env::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
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
