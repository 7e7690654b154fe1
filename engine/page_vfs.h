// SQLite's files of one database: the seam for faults, a checksum on every page of rows.db, and a WAL that keeps its size.
//
// 1. Every page of rows.db reserves its last 8 bytes. A page written to rows.db gets XXH3-64 over its other bytes, seeded with its page
//    number, so that a page in the wrong place is found too; a page read is checked and a difference is SQLITE_IOERR_DATA. A page of
//    zeros was never written and passes. Pages in the WAL are covered by SQLite's own frame checksums.
// 2. The WAL grows by whole steps of zeros: overwriting allocated bytes makes a commit's fdatasync twice as fast as appending.
// 3. What is written to the WAL is gathered until the sync (also one that is left out), in one write. Nobody else reads it before: SQLite publishes frames in the
//    WAL-index only after their sync. Nothing is kept past the release of SQLite's write lock.
// 4. The sync of a relaxed commit is left out (engine/commit_sync.h); its bytes are written all the same. That of a new WAL header never is: after a
//    loss of power the frames before it would be found again behind it.
// 5. A failed sync poisons the Env (invariant 8); a poisoned Env refuses every write and sync.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/env.h"

struct sqlite3_file;
struct sqlite3_vfs;

namespace braid {

inline constexpr int kPageReservedBytes = 8;

class PageVfs {
 public:
  /// Registers with SQLite under a name of its own, for as long as it lives.
  explicit PageVfs(Env& env);
  ~PageVfs();
  PageVfs(const PageVfs&) = delete;
  PageVfs& operator=(const PageVfs&) = delete;

  const std::string& name() const { return name_; }
  Env& env() { return env_; }
  uint64_t wal_sync_count() const { return wal_syncs.load(std::memory_order_relaxed); }

  /// While one lives, SQLite commits without the sync. Held by the holder of the writer slot.
  class Relaxed {
   public:
    Relaxed(PageVfs& vfs, bool relaxed) : vfs_(vfs) { vfs_.relaxed = relaxed; }
    ~Relaxed() { vfs_.relaxed = false; }
    Relaxed(const Relaxed&) = delete;
    Relaxed& operator=(const Relaxed&) = delete;

   private:
    PageVfs& vfs_;
  };

  std::atomic<uint64_t> wal_syncs{0};      // a statistic: no order needed
  std::atomic<int64_t> wal_size_bytes{0};  // a statistic: no order needed
  /// Of those, the ones that rows.db has.
  std::atomic<int64_t> wal_copied_bytes{0};
  sqlite3_file* buffered_wal = nullptr;    // the WAL file with bytes not written yet; touched by the holder of SQLite's write lock
  bool relaxed = false;                    // likewise

 private:
  Env& env_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

/// "PATH: DOING: why" of the file operation of SQLite that failed last on this thread, or "". It is told once.
std::string take_file_failure();

/// The checksum of a page of `size` bytes, whose last 8 are left out.
uint64_t page_checksum(const void* page, size_t size, uint64_t page_number);

}  // namespace braid
