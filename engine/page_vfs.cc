#include "engine/page_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/caught.h"
#include "engine/coding.h"

namespace braid {

uint64_t page_checksum(const void* page, size_t size, uint64_t page_number) {
  return XXH3_64bits_withSeed(page, size - kPageReservedBytes, page_number);
}

namespace {

constexpr int kPageBytesMin = 512;
constexpr int kPageBytesMax = 65536;
constexpr sqlite3_int64 kWalStepBytes = 1 << 20;
constexpr sqlite3_int64 kWalPieceBytes = 1 << 16;  // SQLite's own files take less than 128 KiB at a time

constexpr size_t kWalBufferBytes = 128 << 10;
constexpr int kWalWriteLock = 0;  // of the WAL-index: https://sqlite.org/walformat.html, "WAL Locks"

/// Bytes that go to the WAL next: SQLite writes each frame in two pieces, and a commit is synced at its end.
struct WalBuffer {
  sqlite3_int64 offset = 0;
  size_t size = 0;
  char bytes[kWalBufferBytes];

  bool takes(sqlite3_int64 at, size_t amount) const {
    return size + amount <= kWalBufferBytes && (size == 0 || at == offset + static_cast<sqlite3_int64>(size));
  }
  void append(sqlite3_int64 at, const void* data, size_t amount) {
    if (size == 0) offset = at;
    std::memcpy(bytes + size, data, amount);
    size += amount;
  }
};

/// Our part of an open file; SQLite's own file object follows it in memory.
struct PageFile {
  sqlite3_file base;
  PageVfs* vfs;
  const char* path;  // kept by SQLite until the file is closed
  bool is_rows;
  bool is_wal;
  bool checksums;  // of rows: the header says that pages reserve our 8 bytes
  bool header_unsynced;  // of a WAL
  bool syncs_directory;  // at its next sync: SQLite's own file does so once when it may have been created
  sqlite3_int64 wal_allocated;
  WalBuffer* wal_buffer;  // owned; made by the first write
};

// Safety: SQLite allocates szOsFile bytes for each file, which is ours plus the underlying one's, aligned for pointers.
PageFile* ours(sqlite3_file* file) { return reinterpret_cast<PageFile*>(file); }
sqlite3_file* inner(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(PageFile));
}
static_assert(sizeof(PageFile) % alignof(void*) == 0);

/// What SQLite's codes leave out; read by the call of ours that SQLite then fails.
thread_local std::string file_failure;

int failure(const FileRequest& request, int error, int code) {
  try {
    file_failure = errno_status(error, request.path, file_operation_name(request.operation)).message();
  } catch (const std::bad_alloc&) {  // no exception passes SQLite, and the code says enough
    file_failure.clear();
  }
  return error == ENOSPC || error == EDQUOT ? SQLITE_FULL : code;
}

/// Notes why an operation of SQLite's own file failed.
int noted(sqlite3_file* file, const FileRequest& request, int code) {
  const bool failed = (code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_SHORT_READ;
  if (!failed && code != SQLITE_FULL) return code;
  int error = 0;
  if (file->pMethods != nullptr) file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
  if (error != 0) failure(request, error, code);
  return code;
}

const char* path_of(sqlite3_file* file) { return ours(file)->path == nullptr ? "temporary" : ours(file)->path; }

/// Asks before an operation of a file and does it with SQLite's own. `code` is SQLite's for its failure.
template <typename Act>
int pass(sqlite3_file* file, const FileRequest& request, int code, Act act) {
  const FileAnswer answer = ours(file)->vfs->env().ask(request);
  if (answer.error != 0) return failure(request, answer.error, code);
  return answer.forget ? SQLITE_OK : noted(inner(file), request, act(inner(file)));
}

int pass_write(PageFile* file, const void* bytes, int amount, sqlite3_int64 offset) {
  const std::string_view all(static_cast<const char*>(bytes), static_cast<size_t>(amount));
  const FileRequest request{
      .operation = FileOperation::kWrite, .path = path_of(&file->base), .offset = static_cast<uint64_t>(offset), .bytes = all};
  const FileAnswer answer = file->vfs->env().ask(request);
  if (answer.forget) return SQLITE_OK;
  sqlite3_file* below = inner(&file->base);
  if (answer.error == 0) return noted(below, request, below->pMethods->xWrite(below, bytes, amount, offset));
  const size_t part = std::min(answer.bytes_before, all.size());
  if (part > 0) below->pMethods->xWrite(below, bytes, static_cast<int>(part), offset);
  return failure(request, answer.error, SQLITE_IOERR_WRITE);
}

std::string_view directory_of(std::string_view path) { return path.substr(0, std::max<size_t>(1, path.find_last_of('/'))); }

bool is_whole_page(int amount, sqlite3_int64 offset) {
  return amount >= kPageBytesMin && amount <= kPageBytesMax && (amount & (amount - 1)) == 0 && offset % amount == 0;
}

bool is_zero(const char* bytes, size_t size) {
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0;
}

/// Byte 20 of the database header is the number of bytes reserved on every page. False when it says that they carry no checksum of ours:
/// no rows.db is made so, and believing it would leave every page unchecked.
bool notice_header(PageFile* file, const void* bytes, int amount, sqlite3_int64 offset) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (offset != 0 || amount < 100 || std::memcmp(bytes, kMagic.data(), kMagic.size()) != 0) return true;
  file->checksums = static_cast<const uint8_t*>(bytes)[20] == kPageReservedBytes;
  return file->checksums;
}

/// Makes the WAL long enough for a write that ends at `limit`. Zeros go past the end of the file only, and behind a header that is durable: where the
/// truncation before it is lost, they would cut the frames of the WAL that was copied, and what is left of those would be replayed.
int grow_wal(PageFile* file, sqlite3_int64 limit) {
  if (file->header_unsynced) return SQLITE_OK;
  static const std::vector<char> zeros(kWalPieceBytes, 0);
  sqlite3_file* wal = inner(&file->base);
  if (file->wal_allocated >= limit) return SQLITE_OK;
  // Other connections make the WAL longer too, and past what this one knew there may be frames of theirs.
  if (const int code = wal->pMethods->xFileSize(wal, &file->wal_allocated)) return code;
  if (file->wal_allocated >= limit) return SQLITE_OK;
  const sqlite3_int64 wanted = (limit + kWalStepBytes - 1) / kWalStepBytes * kWalStepBytes;
  while (file->wal_allocated < wanted) {
    const sqlite3_int64 piece = std::min(kWalPieceBytes, wanted - file->wal_allocated);
    if (pass_write(file, zeros.data(), static_cast<int>(piece), file->wal_allocated) != SQLITE_OK) {
      // Growing ahead is an optimisation: where there is no room for it, the write itself decides.
      file->wal_allocated = std::max(file->wal_allocated, limit);
      return SQLITE_OK;
    }
    file->wal_allocated += piece;
  }
  return SQLITE_OK;
}

int write_wal(PageFile* file, const void* bytes, int amount, sqlite3_int64 offset) {
  if (const int code = grow_wal(file, offset + amount)) return code;
  return pass_write(file, bytes, amount, offset);
}

int flush_wal_buffer(PageFile* file) {
  WalBuffer* buffer = file->wal_buffer;
  if (buffer == nullptr || buffer->size == 0) return SQLITE_OK;
  const auto size = static_cast<int>(buffer->size);
  // What cannot be written is dropped: SQLite rolls back, and writes other frames there.
  buffer->size = 0;
  if (file->vfs->env().poisoned()) return SQLITE_IOERR_WRITE;
  return write_wal(file, buffer->bytes, size, buffer->offset);
}

/// Keeps the bytes until the sync, or until they do not continue those before.
int buffer_wal(PageFile* file, const void* bytes, int amount, sqlite3_int64 offset) {
  PageVfs* vfs = file->vfs;
  const int64_t limit = offset + amount;
  if (limit > vfs->wal_size_bytes.load(std::memory_order_relaxed) || offset == 0)
    vfs->wal_size_bytes.store(limit, std::memory_order_relaxed);
  if (offset == 0) vfs->wal_copied_bytes.store(0, std::memory_order_relaxed);  // it begins anew
  if (file->wal_buffer == nullptr) file->wal_buffer = new (std::nothrow) WalBuffer;
  const auto size = static_cast<size_t>(amount);
  if (file->wal_buffer != nullptr && !file->wal_buffer->takes(offset, size)) {
    if (const int code = flush_wal_buffer(file)) return code;
  }
  if (file->wal_buffer == nullptr || size > kWalBufferBytes) return write_wal(file, bytes, amount, offset);
  file->wal_buffer->append(offset, bytes, size);
  vfs->buffered_wal = &file->base;
  return SQLITE_OK;
}

int file_close(sqlite3_file* file) {
  // Whatever was committed was written at its sync; the rest is of no transaction.
  if (ours(file)->vfs->buffered_wal == file) ours(file)->vfs->buffered_wal = nullptr;
  delete ours(file)->wal_buffer;
  ours(file)->wal_buffer = nullptr;
  return inner(file)->pMethods == nullptr ? SQLITE_OK : inner(file)->pMethods->xClose(inner(file));
}

int file_read(sqlite3_file* file, void* bytes, int amount, sqlite3_int64 offset) {
  if (const int code = flush_wal_buffer(ours(file))) return code;
  const FileRequest request{.operation = FileOperation::kRead,
                            .path = path_of(file),
                            .offset = static_cast<uint64_t>(offset),
                            .size = static_cast<uint64_t>(amount)};
  const int code = pass(file, request, SQLITE_IOERR_READ,
                        [&](sqlite3_file* below) { return below->pMethods->xRead(below, bytes, amount, offset); });
  // SQLite takes what a short read leaves out for zeros, so a page that was cut must fail like any other change.
  if ((code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) || !ours(file)->is_rows) return code;
  if (!notice_header(ours(file), bytes, amount, offset)) {
    sqlite3_log(SQLITE_IOERR_DATA, "%s: the header reserves no room for checksums", ours(file)->path);
    return SQLITE_IOERR_DATA;
  }
  if (!ours(file)->checksums || !is_whole_page(amount, offset)) return code;
  const auto* page = static_cast<const char*>(bytes);
  const auto page_number = static_cast<uint64_t>(offset / amount) + 1;
  const auto size = static_cast<size_t>(amount);
  if (load_fixed<uint64_t>(page + size - kPageReservedBytes) == page_checksum(page, size, page_number)) return code;
  if (is_zero(page, size)) return code;
  sqlite3_log(SQLITE_IOERR_DATA, "%s: page %lld: wrong checksum", ours(file)->path, static_cast<long long>(page_number));
  return SQLITE_IOERR_DATA;
}

int file_write(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  PageFile* self = ours(file);
  if (self->vfs->env().poisoned()) return SQLITE_IOERR_WRITE;
  if (self->is_wal) {
    self->header_unsynced |= offset == 0;
    return buffer_wal(self, bytes, amount, offset);
  }
  if (self->is_rows) {
    notice_header(self, bytes, amount, offset);
    if (self->checksums && is_whole_page(amount, offset)) {
      const auto size = static_cast<size_t>(amount);
      char page[kPageBytesMax];
      std::memcpy(page, bytes, size - kPageReservedBytes);
      store_fixed(page + size - kPageReservedBytes, page_checksum(bytes, size, static_cast<uint64_t>(offset / amount) + 1));
      return pass_write(self, page, amount, offset);
    }
  }
  return pass_write(self, bytes, amount, offset);
}

int file_truncate(sqlite3_file* file, sqlite3_int64 size) {
  PageFile* self = ours(file);
  if (self->vfs->env().poisoned()) return SQLITE_IOERR_TRUNCATE;
  if (const int code = flush_wal_buffer(self)) return code;
  if (self->is_wal) self->wal_allocated = 0;
  const FileRequest request{.operation = FileOperation::kTruncate, .path = path_of(file), .size = static_cast<uint64_t>(size)};
  return pass(file, request, SQLITE_IOERR_TRUNCATE, [&](sqlite3_file* below) { return below->pMethods->xTruncate(below, size); });
}

int file_sync(sqlite3_file* file, int flags) {
  PageFile* self = ours(file);
  Env& env = self->vfs->env();
  if (env.poisoned()) return SQLITE_IOERR_FSYNC;
  // A failed write is no failed sync: nothing of this commit is in the WAL-index yet, and SQLite rolls it back.
  if (const int code = flush_wal_buffer(self)) return code;
  if (self->is_wal) {
    if (!std::exchange(self->header_unsynced, false) && self->vfs->relaxed) return SQLITE_OK;
    self->vfs->wal_syncs.fetch_add(1, std::memory_order_relaxed);
  }
  const FileRequest request{.operation = FileOperation::kSync, .path = path_of(file)};
  const int code = pass(file, request, SQLITE_IOERR_FSYNC, [&](sqlite3_file* below) {
    if (std::exchange(self->syncs_directory, false)) {
      const FileRequest names{.operation = FileOperation::kSyncDirectory, .path = directory_of(path_of(file))};
      if (const int error = env.ask(names).error) return failure(names, error, SQLITE_IOERR_DIR_FSYNC);
    }
    return below->pMethods->xSync(below, flags);
  });
  // Invariant 8: after a failed sync nobody knows what reached the disk, and asking again would not tell.
  if (code != SQLITE_OK) env.poison(caught([&] { return Status(StatusCode::kIo, fmt::format("{}: sync failed", path_of(file))); }));
  return code;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = flush_wal_buffer(ours(file))) return code;
  return inner(file)->pMethods->xFileSize(inner(file), size);
}
int file_lock(sqlite3_file* file, int lock) { return inner(file)->pMethods->xLock(inner(file), lock); }
int file_unlock(sqlite3_file* file, int lock) { return inner(file)->pMethods->xUnlock(inner(file), lock); }
int file_check_reserved(sqlite3_file* file, int* out) { return inner(file)->pMethods->xCheckReservedLock(inner(file), out); }
int file_control(sqlite3_file* file, int operation, void* argument) {
  return inner(file)->pMethods->xFileControl(inner(file), operation, argument);
}
int file_sector_size(sqlite3_file* file) { return inner(file)->pMethods->xSectorSize(inner(file)); }
int file_characteristics(sqlite3_file* file) {
  // A sub-page write would leave the page without its checksum; SQLite never makes one in WAL mode.
  return inner(file)->pMethods->xDeviceCharacteristics(inner(file)) & ~SQLITE_IOCAP_ATOMIC;
}
int file_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return inner(file)->pMethods->xShmMap(inner(file), page, size, extend, out);
}
int file_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  // The write lock goes: later, the frames of the next writer stand where this one's would be written. What is not written yet belongs to no
  // commit, so that it does not matter whether it can be written.
  constexpr int kUnlock = SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE;
  PageVfs* vfs = ours(file)->vfs;
  if (flags == kUnlock && offset == kWalWriteLock && vfs->buffered_wal != nullptr) {
    flush_wal_buffer(ours(vfs->buffered_wal));
    vfs->buffered_wal = nullptr;
  }
  return inner(file)->pMethods->xShmLock(inner(file), offset, count, flags);
}
void file_shm_barrier(sqlite3_file* file) { inner(file)->pMethods->xShmBarrier(inner(file)); }
int file_shm_unmap(sqlite3_file* file, int remove) { return inner(file)->pMethods->xShmUnmap(inner(file), remove); }

// Version 2: no memory mapping, which would go round the checksums.
constexpr sqlite3_io_methods kMethods = {
    2,           file_close,          file_read,        file_write,   file_truncate,    file_sync,
    file_size,   file_lock,           file_unlock,      file_check_reserved, file_control, file_sector_size,
    file_characteristics, file_shm_map, file_shm_lock,  file_shm_barrier, file_shm_unmap, nullptr, nullptr,
};

PageVfs* owner(sqlite3_vfs* vfs) { return static_cast<PageVfs*>(vfs->pAppData); }
sqlite3_vfs* system_vfs() { return sqlite3_vfs_find("unix"); }

int vfs_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  auto* self = new (file) PageFile{};
  self->vfs = owner(vfs);
  self->path = path;
  self->is_rows = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  self->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
  const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
  self->syncs_directory = creates && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  inner(file)->pMethods = nullptr;
  const FileRequest request{.operation = FileOperation::kOpen, .path = path_of(file), .creates = creates};
  const int code = pass(file, request, SQLITE_CANTOPEN,
                        [&](sqlite3_file* below) { return system_vfs()->xOpen(system_vfs(), path, below, flags, flags_out); });
  if (inner(file)->pMethods != nullptr) self->base.pMethods = &kMethods;
  return code;
}

int vfs_delete(sqlite3_vfs* vfs, const char* path, int sync) {
  if (owner(vfs)->env().poisoned()) return SQLITE_IOERR_DELETE;
  Env& env = owner(vfs)->env();
  const FileRequest request{.operation = FileOperation::kRemove, .path = path};
  const FileAnswer answer = env.ask(request);
  if (answer.error != 0) return failure(request, answer.error, SQLITE_IOERR_DELETE);
  const int code = answer.forget ? SQLITE_OK : system_vfs()->xDelete(system_vfs(), path, 0);
  if (code != SQLITE_OK || sync == 0) return code;
  return caught([&] { return env.sync_parent(path); }).ok() ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int vfs_access(sqlite3_vfs*, const char* path, int flags, int* out) {
  return system_vfs()->xAccess(system_vfs(), path, flags, out);
}
int vfs_full_pathname(sqlite3_vfs*, const char* path, int size, char* out) {
  return system_vfs()->xFullPathname(system_vfs(), path, size, out);
}
int vfs_randomness(sqlite3_vfs*, int size, char* out) { return system_vfs()->xRandomness(system_vfs(), size, out); }
int vfs_sleep(sqlite3_vfs*, int microseconds) { return system_vfs()->xSleep(system_vfs(), microseconds); }
int vfs_current_time(sqlite3_vfs*, double* out) { return system_vfs()->xCurrentTime(system_vfs(), out); }
int vfs_last_error(sqlite3_vfs*, int size, char* out) { return system_vfs()->xGetLastError(system_vfs(), size, out); }
int vfs_current_time_int64(sqlite3_vfs*, sqlite3_int64* out) {
  return system_vfs()->xCurrentTimeInt64(system_vfs(), out);
}

}  // namespace

std::string take_file_failure() { return std::exchange(file_failure, {}); }

PageVfs::PageVfs(Env& env) : env_(env), vfs_(std::make_unique<sqlite3_vfs>()) {
  sqlite3_initialize();
  // SQLite finds a VFS by name; the address makes it this database's own.
  name_ = fmt::format("braid-{}", static_cast<const void*>(this));
  *vfs_ = sqlite3_vfs{};
  vfs_->iVersion = 2;
  vfs_->szOsFile = static_cast<int>(sizeof(PageFile)) + system_vfs()->szOsFile;
  vfs_->mxPathname = system_vfs()->mxPathname;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = vfs_open;
  vfs_->xDelete = vfs_delete;
  vfs_->xAccess = vfs_access;
  vfs_->xFullPathname = vfs_full_pathname;
  vfs_->xRandomness = vfs_randomness;
  vfs_->xSleep = vfs_sleep;
  vfs_->xCurrentTime = vfs_current_time;
  vfs_->xGetLastError = vfs_last_error;
  vfs_->xCurrentTimeInt64 = vfs_current_time_int64;
  sqlite3_vfs_register(vfs_.get(), 0);
}

PageVfs::~PageVfs() { sqlite3_vfs_unregister(vfs_.get()); }

}  // namespace braid
