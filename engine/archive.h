// The archive of a database: what its commits have changed, kept past the log, so that a backup can be brought forward to any of them. docs/backup.md,
// docs/decisions/0012-archive.md.
//
// 1. A segment has the pages that each transaction wrote to the WAL, and the graph's part of its records. It is read from the WAL and from the log, by
//    `catch_up`, and only what is durable. Committing knows nothing of it.
// 2. The WAL is not begun anew, and no row of the log is deleted, before what is in them is in the archive. So after any stop what is missing is in the WAL.
// 3. A run is commits without one left out. Its number is in rows.db and goes with the first opening without an archive, so that the next one begins
//    another run.
// 4. A chunk file is a second name in `archive/chunks` before the commit that names it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "engine/archive_segment.h"
#include "engine/directory.h"
#include "engine/mutex.h"
#include "engine/sqlite_handle.h"
#include "engine/types.h"
#include "engine/wal_reader.h"

namespace braid {

/// "00000000000000000042-0123456789abcdef.segment" of the first commit and the run.
std::string segment_name(Lsn first, uint64_t run);
/// Both, or false for another name.
bool parse_segment_name(std::string_view name, Lsn& first, uint64_t& run);

/// "00000000000000000041-000000000000002a.chunk" of the commit before the one that made it, and of its name in chunks/.
std::string archived_chunk_name(Lsn before, const std::string& chunk);
bool parse_archived_chunk_name(std::string_view name, Lsn& before, std::string_view& chunk);

/// Threads: the caller lets one in at a time, except where one says so.
class Archive {
 public:
  /// Goes on with the run of rows.db, or begins one at `newest`. `db` is a connection of its own to rows.db, which nobody writes meanwhile. What is in
  /// the WAL is not archived yet, unless a run was begun.
  static Result<std::unique_ptr<Archive>> open(Env& env, const Directory& directory, SqliteHandle db, Lsn newest, uint64_t bytes_max);
  /// That rows.db is of, or 0.
  static Result<uint64_t> run_of(sqlite3* db);
  /// For a database that is created, or opened without an archive: its run ends.
  static Status end_run(sqlite3* db);
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  /// Archives every commit up to `durable`, which are. No copy of the WAL is under way. kCorrupt when one of them is neither here nor there.
  Status catch_up(Lsn durable);
  /// Begins another run. As for `open`.
  Status begin_run(Lsn newest);
  /// Keeps the chunk that the commit after `before` makes. Durable when this returns. For the holder of the writer slot, beside the others.
  Status keep_chunk(ChunkId chunk, Lsn before);
  /// Removes what only backups of commits before `lsn` need.
  Status prune(Lsn lsn);

  /// From any thread: a backup of commit `from` or a later one can be brought forward to `to`.
  Lsn from() const { return Lsn(from_.load(std::memory_order_relaxed)); }
  Lsn to() const { return Lsn(to_.load(std::memory_order_relaxed)); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  struct Segment {
    Lsn before;
    uint64_t run = 0;
    uint64_t bytes = 0;
  };
  struct Chunk {
    Lsn before;
    std::string name;
    uint64_t bytes = 0;
  };
  /// A transaction of the WAL.
  struct Pending {
    std::map<uint32_t, uint64_t> pages;  // number -> offset of its last version in the WAL
    uint32_t page_count = 0;
  };
  struct Newest {
    Lsn lsn;
    bool is_here = false;
  };

  Archive(Env& env, const Directory& directory, SqliteHandle db, uint64_t bytes_max);
  Status load(Lsn newest);
  Result<bool> go_on(Lsn newest);
  Status follow_wal();
  Status index_up_to(uint64_t position);
  Result<bool> next_transaction(Pending& pending);
  void take(const Pending& pending);
  Result<Newest> newest_in(const Pending& pending);
  Status read_page(const Pending& pending, uint32_t number, std::string& page);
  Result<std::unique_ptr<SegmentWriter>> create_segment(const std::string& path);
  Status copy_transactions(Lsn durable, std::unique_ptr<SegmentWriter>& writer, Lsn& last);
  Status copy_records(SqliteStatement& rows, Lsn last, Lsn newest, Pending& pending, SegmentWriter& writer);
  Status write_pages(const Pending& pending, SegmentWriter& writer);
  Status install(const std::string& draft, SegmentWriter& writer, const SegmentEnd& end);
  void show();
  Status drop_segment();
  Status drop_chunks(Lsn lsn);

  Env& env_;
  const std::string rows_, chunks_, path_;
  const Format format_;
  const SqliteHandle db_;
  const uint64_t bytes_max_;
  uint32_t log_root_ = 0;  // root page of the log's table
  uint64_t run_ = 0;
  SegmentEnd end_;  // of the last segment
  std::deque<Segment> segments_;  // by `before`
  std::atomic<uint64_t> from_{0}, to_{0}, bytes_{0};  // figures: no order needed
  Mutex mutex_;  // a leaf
  std::deque<Chunk> kept_chunks_ BRAID_GUARDED_BY(mutex_);  // by `before`

  std::unique_ptr<ReadableFile> wal_;  // opened anew for each pass: it grows
  WalReader reader_;
  std::unordered_map<uint32_t, uint64_t> pages_;  // of the WAL before reader_: number -> offset
};

}  // namespace braid
