#include "engine/archived_rows.h"

#include <fmt/format.h>

#include "engine/archive_segment.h"
#include "engine/catalog.h"
#include "engine/commit_log.h"
#include "engine/page_source.h"
#include "engine/page_vfs.h"
#include "engine/sqlite_handle.h"

namespace braid {

namespace {

/// `read_only`: what is in its WAL is not seen, and nothing is made beside it.
Result<SqliteHandle> open_closed(const PageVfs& vfs, const std::string& rows, bool read_only) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (read_only ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE);
  const std::string name = read_only ? immutable_uri(rows) : rows;
  const int code = sqlite3_open_v2(name.c_str(), &db, flags, vfs.name().c_str());
  SqliteHandle handle(db);
  if (code != SQLITE_OK) return sqlite_status(db, code, rows);
  return handle;
}

Result<Lsn> newest_in(sqlite3* db) {
  BRAID_ASSIGN(auto row, sqlite_prepare(db, "SELECT max(lsn) FROM _braid_log"));
  BRAID_ASSIGN(const bool found, row.step());
  return Lsn(found ? static_cast<uint64_t>(row.integer(0)) : 0);
}

/// Writes pages into rows.db. Through SQLite's file, so that each gets its checksum.
class PageWriter {
 public:
  static Result<std::unique_ptr<PageWriter>> open(Env& env, const std::string& rows) {
    auto writer = std::make_unique<PageWriter>(env);
    BRAID_ASSIGN(writer->db_, open_closed(writer->vfs_, rows, false));
    // The header tells that pages have checksums: it is read once before one is written.
    char header[kHeaderBytes];
    int code = sqlite3_file_control(writer->db_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &writer->file_);
    if (code == SQLITE_OK) code = writer->file_->pMethods->xRead(writer->file_, header, kHeaderBytes, 0);
    BRAID_TRY(writer->done(code));
    return writer;
  }
  explicit PageWriter(Env& env) : vfs_(env) {}

  Status put(uint32_t number, std::string_view page) {
    return done(file_->pMethods->xWrite(file_, page.data(), static_cast<int>(page.size()), static_cast<sqlite3_int64>(number - 1) * kRowsPageBytes));
  }
  /// Gives rows.db so many pages. The last one need not have been written: a table that a transaction makes and drops may leave one.
  Status resize(uint32_t page_count) {
    sqlite3_int64 size = 0;
    BRAID_TRY(done(file_->pMethods->xFileSize(file_, &size)));
    const sqlite3_int64 wanted = sqlite3_int64{page_count} * kRowsPageBytes;
    return size == wanted ? Status() : done(file_->pMethods->xTruncate(file_, wanted));
  }
  Status sync() { return done(file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL)); }

 private:
  static constexpr int kHeaderBytes = 100;
  Status done(int code) const { return code == SQLITE_OK ? Status() : sqlite_status(db_.get(), code, "write rows.db"); }

  const PageVfs vfs_;
  SqliteHandle db_;
  sqlite3_file* file_ = nullptr;
};

/// Transactions are whole page images. Those from the backup's commit on are written in order: what the backup has already is only written again.
Status apply_pages(Env& env, const std::string& rows, const ArchivePlan& plan, CopyPace& pace) {
  BRAID_ASSIGN(const auto out, PageWriter::open(env, rows));
  bool wanted = false;
  uint32_t page_count = 0;
  uint64_t told = 0;  // of the segment
  const auto finish = [&]() -> Status { return std::exchange(wanted, false) ? out->resize(page_count) : Status(); };
  const SegmentVisitor visitor{.transaction = [&](const ArchivedTransaction& next) -> Status {
                                 BRAID_TRY(finish());
                                 wanted = next.last >= plan.from && next.last <= plan.to;
                                 page_count = next.page_count;
                                 return {};
                               },
                               .page = [&](uint32_t number, std::string_view page) -> Status {
                                 if (wanted) BRAID_TRY(out->put(number, page));
                                 told += page.size();
                                 return pace.written(page.size());
                               },
                               .end = finish};
  for (const std::string& path : plan.segments) {
    BRAID_ASSIGN(const auto segment, SegmentReader::open(env, path));
    told = 0;
    const Status visited = segment->visit(visitor);
    BRAID_TRY(pace.written(segment->size_bytes() - told));
    // What is damaged behind the target was not asked for.
    if (!visited.ok() && (visited.code() != StatusCode::kCorrupt || wanted)) return visited;
  }
  return out->sync();
}

class LogFiller {
 public:
  static Result<std::unique_ptr<LogFiller>> open(sqlite3* db) {
    auto filler = std::make_unique<LogFiller>();
    BRAID_ASSIGN(filler->insert_, sqlite_prepare(db, "INSERT OR IGNORE INTO _braid_log VALUES(?1, ?2)"));
    return filler;
  }
  Status put(Lsn lsn, std::string_view record) {
    insert_.bind(1, static_cast<int64_t>(lsn.value())).bind_blob(2, record);
    return insert_.run();
  }

 private:
  SqliteStatement insert_;
};

/// The graph's files are those of the backup, or older: the log has to go back to them.
Status fill_log(Env& env, const std::string& source, sqlite3* db, const ArchivePlan& plan) {
  BRAID_ASSIGN(const auto log, LogFiller::open(db));
  {
    const PageVfs vfs(env);
    BRAID_ASSIGN(const SqliteHandle earlier, open_closed(vfs, source, true));
    BRAID_TRY(read_log(earlier.get(), Lsn(0), [&](Lsn lsn, std::string_view record) { return log->put(lsn, record); }));
  }
  // A commit without a record changed nothing of the graph.
  Lsn next = plan.from.next();
  const auto fill = [&](Lsn until) -> Status {
    for (; next < until; next = next.next()) BRAID_TRY(log->put(next, {}));
    return {};
  };
  const SegmentVisitor visitor{.record = [&](Lsn lsn, std::string_view record) -> Status {
    if (lsn <= plan.from || lsn > plan.to) return {};
    BRAID_TRY(fill(lsn));
    next = lsn.next();
    return log->put(lsn, record);
  }};
  for (const std::string& path : plan.segments) {
    BRAID_ASSIGN(const auto segment, SegmentReader::open(env, path));
    const Status visited = segment->visit(visitor);
    if (!visited.ok() && visited.code() != StatusCode::kCorrupt) return visited;
  }
  return fill(plan.to.next());
}

}  // namespace

Result<Lsn> newest_commit(Env& env, const std::string& rows) {
  const std::string wal = rows + "-wal";
  if (env.exists(wal)) {
    BRAID_ASSIGN(const auto file, env.open(wal));
    if (file->size_bytes() > 0)
      return Status(StatusCode::kInvalidArgument, fmt::format("{}: has commits that are not in rows.db: only a backup, or a database that was closed, can be brought "
                                                              "forward",
                                                              wal));
  }
  const PageVfs vfs(env);
  BRAID_ASSIGN(const SqliteHandle db, open_closed(vfs, rows, true));
  return newest_in(db.get());
}

Status bring_forward(Env& env, const std::string& source, const std::string& rows, const ArchivePlan& plan, CopyPace& pace) {
  BRAID_TRY(apply_pages(env, rows, plan, pace));
  const PageVfs vfs(env);
  {
    BRAID_ASSIGN(const SqliteHandle db, open_closed(vfs, rows, false));
    // Nothing is undone or synced here: a copy that is not finished is thrown away.
    BRAID_TRY(sqlite_run(db.get(), "PRAGMA locking_mode=EXCLUSIVE;PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA cache_size=-4096"));
    BRAID_ASSIGN(const Lsn newest, newest_in(db.get()));
    if (newest != plan.to)
      return Status(StatusCode::kCorrupt, fmt::format("{}: brings rows.db to commit {}, expected {}", plan.directory, newest.value(), plan.to.value()));
    BRAID_TRY(sqlite_run(db.get(), "BEGIN"));
    BRAID_TRY(fill_log(env, source, db.get(), plan));
    BRAID_TRY(sqlite_run(db.get(), "COMMIT"));
  }
  return env.sync_file(rows);
}

Result<std::vector<ChunkId>> chunks_of(Env& env, const std::string& rows) {
  const PageVfs vfs(env);
  BRAID_ASSIGN(const SqliteHandle db, open_closed(vfs, rows, true));
  BRAID_ASSIGN(auto row, sqlite_prepare(db.get(), fmt::format("SELECT id FROM _braid_object WHERE kind = {} ORDER BY id", static_cast<int>(CatalogWriter::Kind::kChunk))));
  std::vector<ChunkId> chunks;
  for (;;) {
    BRAID_ASSIGN(const bool more, row.step());
    if (!more) return chunks;
    chunks.emplace_back(static_cast<uint64_t>(row.integer(0)));
  }
}

}  // namespace braid
