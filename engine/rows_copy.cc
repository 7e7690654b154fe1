#include "engine/rows_copy.h"

#include <fmt/format.h>

#include "engine/page_vfs.h"
#include "engine/sqlite_handle.h"

namespace braid {

namespace {

constexpr int kPagesPerStep = 64;

class PageCopy {
 public:
  PageCopy(sqlite3* to, sqlite3* from) : backup_(sqlite3_backup_init(to, "main", from, "main")) {}
  ~PageCopy() { finish(); }
  PageCopy(const PageCopy&) = delete;
  PageCopy& operator=(const PageCopy&) = delete;

  sqlite3_backup* get() const { return backup_; }
  int finish() { return sqlite3_backup_finish(std::exchange(backup_, nullptr)); }

 private:
  sqlite3_backup* backup_;
};

Result<int64_t> pragma(sqlite3* db, const char* sql) {
  BRAID_ASSIGN(auto row, sqlite_prepare(db, sql));
  BRAID_ASSIGN(const bool found, row.step());
  return found ? row.integer(0) : 0;
}

/// A database of one page, which says what every page reserves: so that our VFS puts its checksum on all that follow.
Result<SqliteHandle> create_target(const PageVfs& vfs, const std::string& path, int64_t page_bytes) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   vfs.name().c_str());
  SqliteHandle handle(db);
  if (code != SQLITE_OK) return sqlite_status(db, code, path);
  int reserved = kPageReservedBytes;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  // Nothing is undone or synced here: a copy that is not finished is thrown away.
  BRAID_TRY(sqlite_run(db, fmt::format("PRAGMA page_size={};PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA cache_size=-1024;PRAGMA user_version=1",
                                       page_bytes)));
  return handle;
}

}  // namespace

Result<uint64_t> rows_bytes(sqlite3* source) {
  BRAID_ASSIGN(const int64_t pages, pragma(source, "PRAGMA page_count"));
  BRAID_ASSIGN(const int64_t page_bytes, pragma(source, "PRAGMA page_size"));
  return static_cast<uint64_t>(pages * page_bytes);
}

Status copy_rows(sqlite3* source, Env& env, const std::string& path, CopyPace& pace, const std::function<bool()>& hurries) {
  BRAID_ASSIGN(const int64_t page_bytes, pragma(source, "PRAGMA page_size"));
  const PageVfs vfs(env);
  {
    BRAID_ASSIGN(const SqliteHandle target, create_target(vfs, path, page_bytes));
    PageCopy copy(target.get(), source);
    if (copy.get() == nullptr) return sqlite_status(target.get(), sqlite3_extended_errcode(target.get()), "copy rows.db");
    int left = 0;
    for (int code = SQLITE_OK; code != SQLITE_DONE;) {
      const int before = left;
      code = sqlite3_backup_step(copy.get(), kPagesPerStep);
      left = sqlite3_backup_remaining(copy.get());
      if (code != SQLITE_OK && code != SQLITE_DONE) {
        copy.finish();
        return sqlite_status(target.get(), code, "copy rows.db");
      }
      const int done = before == 0 ? sqlite3_backup_pagecount(copy.get()) - left : before - left;
      BRAID_TRY(pace.written(static_cast<uint64_t>(done) * static_cast<uint64_t>(page_bytes), hurries()));
    }
    if (const int code = copy.finish(); code != SQLITE_OK) return sqlite_status(target.get(), code, "copy rows.db");
  }
  return env.sync_file(path);
}

}  // namespace braid
