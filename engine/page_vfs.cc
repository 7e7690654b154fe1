#include "engine/page_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

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
  sqlite3_int64 wal_allocated;
  WalBuffer* wal_buffer;  // owned; made by the first write
};

// Safety: SQLite allocates szOsFile bytes for each file, which is ours plus the underlying one's, aligned for pointers.
PageFile* ours(sqlite3_file* file) { return reinterpret_cast<PageFile*>(file); }
sqlite3_file* inner(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(PageFile));
}
static_assert(sizeof(PageFile) % alignof(void*) == 0);

int faulted(sqlite3_file* file, FileOperation operation, int amount, int code) {
  const int error = ours(file)->vfs->env().before(operation, ours(file)->path == nullptr ? "temporary" : ours(file)->path,
                                                  static_cast<size_t>(amount));
  if (error == 0) return SQLITE_OK;
  return error == ENOSPC ? SQLITE_FULL : code;
}

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

/// Makes the WAL long enough for a write that ends at `limit`. Zeros go past the end of the file only.
int grow_wal(PageFile* file, sqlite3_int64 limit) {
  static const std::vector<char> zeros(kWalPieceBytes, 0);
  sqlite3_file* wal = inner(&file->base);
  if (file->wal_allocated >= limit) return SQLITE_OK;
  // Other connections make the WAL longer too, and past what this one knew there may be frames of theirs.
  if (const int code = wal->pMethods->xFileSize(wal, &file->wal_allocated)) return code;
  if (file->wal_allocated >= limit) return SQLITE_OK;
  const sqlite3_int64 wanted = (limit + kWalStepBytes - 1) / kWalStepBytes * kWalStepBytes;
  while (file->wal_allocated < wanted) {
    const sqlite3_int64 piece = std::min(kWalPieceBytes, wanted - file->wal_allocated);
    if (wal->pMethods->xWrite(wal, zeros.data(), static_cast<int>(piece), file->wal_allocated) != SQLITE_OK) {
      // Growing ahead is an optimisation: where there is no room for it, the write itself decides.
      file->wal_allocated = std::max(file->wal_allocated, limit);
      return SQLITE_OK;
    }
    file->wal_allocated += piece;
  }
  return SQLITE_OK;
}

int write_wal(PageFile* file, const void* bytes, int amount, sqlite3_int64 offset) {
  if (const int code = faulted(&file->base, FileOperation::kWrite, amount, SQLITE_IOERR_WRITE)) return code;
  if (const int code = grow_wal(file, offset + amount)) return code;
  return inner(&file->base)->pMethods->xWrite(inner(&file->base), bytes, amount, offset);
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
  // Whatever was committed was synced; the rest is of no transaction.
  if (ours(file)->vfs->buffered_wal == file) ours(file)->vfs->buffered_wal = nullptr;
  delete ours(file)->wal_buffer;
  ours(file)->wal_buffer = nullptr;
  return inner(file)->pMethods == nullptr ? SQLITE_OK : inner(file)->pMethods->xClose(inner(file));
}

int file_read(sqlite3_file* file, void* bytes, int amount, sqlite3_int64 offset) {
  if (const int code = flush_wal_buffer(ours(file))) return code;
  if (const int code = faulted(file, FileOperation::kRead, amount, SQLITE_IOERR_READ)) return code;
  const int code = inner(file)->pMethods->xRead(inner(file), bytes, amount, offset);
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
  if (self->is_wal) return buffer_wal(self, bytes, amount, offset);
  if (const int code = faulted(file, FileOperation::kWrite, amount, SQLITE_IOERR_WRITE)) return code;
  if (self->is_rows) {
    notice_header(self, bytes, amount, offset);
    if (self->checksums && is_whole_page(amount, offset)) {
      const auto size = static_cast<size_t>(amount);
      char page[kPageBytesMax];
      std::memcpy(page, bytes, size - kPageReservedBytes);
      store_fixed(page + size - kPageReservedBytes, page_checksum(bytes, size, static_cast<uint64_t>(offset / amount) + 1));
      return inner(file)->pMethods->xWrite(inner(file), page, amount, offset);
    }
  }
  return inner(file)->pMethods->xWrite(inner(file), bytes, amount, offset);
}

int file_truncate(sqlite3_file* file, sqlite3_int64 size) {
  PageFile* self = ours(file);
  if (self->vfs->env().poisoned()) return SQLITE_IOERR_TRUNCATE;
  if (const int code = flush_wal_buffer(self)) return code;
  if (const int code = faulted(file, FileOperation::kTruncate, 0, SQLITE_IOERR_TRUNCATE)) return code;
  if (self->is_wal) self->wal_allocated = 0;
  return inner(file)->pMethods->xTruncate(inner(file), size);
}

int file_sync(sqlite3_file* file, int flags) {
  PageFile* self = ours(file);
  Env& env = self->vfs->env();
  if (env.poisoned()) return SQLITE_IOERR_FSYNC;
  // A failed write is no failed sync: nothing of this commit is in the WAL-index yet, and SQLite rolls it back.
  if (const int code = flush_wal_buffer(self)) return code;
  if (self->is_wal) self->vfs->wal_syncs.fetch_add(1, std::memory_order_relaxed);
  int code = faulted(file, FileOperation::kSync, 0, SQLITE_IOERR_FSYNC);
  if (code == SQLITE_OK) code = inner(file)->pMethods->xSync(inner(file), flags);
  // Invariant 8: after a failed sync nobody knows what reached the disk, and asking again would not tell.
  if (code != SQLITE_OK) env.poison(Status(StatusCode::kIo, fmt::format("{}: sync failed", self->path)));
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
  // The write lock goes: later, the frames of the next writer stand where this one's would be written. What was not synced belongs to no
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
  inner(file)->pMethods = nullptr;
  if (const int code = faulted(file, FileOperation::kOpen, 0, SQLITE_CANTOPEN)) return code;
  const int code = system_vfs()->xOpen(system_vfs(), path, inner(file), flags, flags_out);
  if (inner(file)->pMethods != nullptr) self->base.pMethods = &kMethods;
  return code;
}

int vfs_delete(sqlite3_vfs* vfs, const char* path, int sync) {
  if (owner(vfs)->env().poisoned()) return SQLITE_IOERR_DELETE;
  if (owner(vfs)->env().before(FileOperation::kRemove, path) != 0) return SQLITE_IOERR_DELETE;
  return system_vfs()->xDelete(system_vfs(), path, sync);
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
