#include "engine/engine.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/commit_log.h"
#include "engine/session.h"

namespace braid {

namespace {

/// Kept small: the slot keeps our own writers apart, so SQLite's lock is met only when another program reads the file.
constexpr int kForeignLockWaitMs = 2000;

/// How long a copy of the WAL holds writers off while it waits for readers.
constexpr int kReaderWaitMs = 250;

std::string wal_of(const Directory& directory) { return directory.rows() + "-wal"; }

int64_t size_of(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? static_cast<int64_t>(status.st_size) : -1;
}

}  // namespace

Engine::Engine(const Options& options, FileHook* hook)
    : env_(hook), options_(options), slot_(static_cast<size_t>(options[OptionId::kGroupMembersMax])), wal_copy_at_(options[OptionId::kWalSoftBytes]) {}

Result<std::unique_ptr<Engine>> Engine::open(const std::string& path, const Options& options, const StoreFactories& factories,
                                             FileHook* hook) {
  std::unique_ptr<Engine> engine(new Engine(options, hook));
  engine->closed_ = true;  // until it is open, destroying it must not write a checkpoint
  engine->factories_ = factories;
  BRAID_ASSIGN(engine->directory_, Directory::open(engine->env_, path));
  engine->vfs_ = std::make_unique<PageVfs>(engine->env_);
  const bool creating = !engine->directory_->format().ready;
  if (creating) {
    BRAID_TRY(engine->directory_->prepare_creation().within(path));
    BRAID_TRY(engine->create_rows().within(path));
  }
  BRAID_TRY(engine->recover().within(path));
  if (creating) BRAID_TRY(engine->directory_->finish_creation());
  engine->closed_ = false;
  engine->background_ = std::thread([raw = engine.get()] { raw->run_background(); });
  return engine;
}

Result<SqliteHandle> Engine::open_rows() const {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(directory_->rows().c_str(), &db, flags, vfs_->name().c_str());
  SqliteHandle handle(db);
  if (code != SQLITE_OK) return sqlite_status(db, code, directory_->rows());
  int reserved = kPageReservedBytes;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  sqlite3_busy_timeout(db, kForeignLockWaitMs);
  // Trusted, so that JSON functions may stand in triggers and views: docs/decisions/0005-trusted-schema.md.
  for (const auto& [option, value] : {std::pair(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1), std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1),
                                      std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1), std::pair(SQLITE_DBCONFIG_DQS_DML, 0),
                                      std::pair(SQLITE_DBCONFIG_DQS_DDL, 0), std::pair(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
                                      std::pair(SQLITE_DBCONFIG_ENABLE_FKEY, 1)})
    sqlite3_db_config(db, option, value, nullptr);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(options_[OptionId::kValueBytesMax]));
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(options_[OptionId::kSqlBytesMax]));
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  BRAID_TRY(sqlite_run(db, fmt::format("PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=0;"
                                       "PRAGMA secure_delete=FAST;PRAGMA recursive_triggers=ON;PRAGMA cache_size=-{};"
                                       "PRAGMA temp_store=MEMORY;",
                                       std::max<int64_t>(1, options_[OptionId::kCacheBytes] / 1024))));
  return handle;
}

Status Engine::create_rows() {
  BRAID_ASSIGN(const SqliteHandle db, open_rows());
  return create_log_tables(db.get());
}

Status Engine::recover() {
  const std::string rows = directory_->rows();
  // SQLite would take an absent or empty rows.db for a new database and delete its WAL, with every commit in it.
  if (size_of(rows) < 0) return Status(StatusCode::kCorrupt, "rows.db is missing");
  if (size_of(rows) == 0 && size_of(wal_of(*directory_)) <= 0)
    return Status(StatusCode::kCorrupt, "rows.db is empty, and so is its WAL");
  if (size_of(rows) == 0) return Status(StatusCode::kCorrupt, "rows.db is empty but its WAL is not; restore rows.db");
  for (const std::string& folder : {directory_->graph(), directory_->chunks(), directory_->archive()})
    BRAID_TRY(env_.create_directory(folder));
  BRAID_ASSIGN(const SqliteHandle db, open_rows());
  BRAID_ASSIGN(const StoredCatalog stored, load_catalog(db.get(), catalog_));
  const StoreContext context{env_, catalog_, *directory_, options_, *stored.state, stored.counters};
  BRAID_ASSIGN(stores_[0], factories_.graph(context));
  BRAID_ASSIGN(stores_[1], factories_.series(context));
  BRAID_ASSIGN(auto log, CommitLog::open(db.get()));
  BRAID_ASSIGN(const Lsn newest, log->newest());
  BRAID_TRY(replay(newest));
  auto version = std::make_shared<Version>();
  version->lsn = newest;
  version->catalog = stored.state;
  version->counters = stored.counters;
  for (size_t i = 0; i < kStoreCount; ++i) {
    BRAID_ASSIGN(version->views[i], stores_[i]->view(stored.state));
  }
  versions_.install(std::move(version));
  // One row is what a checkpoint leaves: there is nothing to write again.
  MutexLock lock(checkpoint_mutex_);
  if (counters.replayed.load(std::memory_order_relaxed) <= 1) last_checkpoint_ = newest;
  return {};
}

Status Engine::replay(Lsn newest) {
  Lsn from = newest;
  for (const auto& store : stores_) from = std::min(from, store->durable_marker());
  for (const auto& store : stores_) {
    // Invariant 4: nothing derived becomes durable before its log row is. A store that is ahead has another history.
    if (store->durable_marker() > newest)
      return Status(StatusCode::kCorrupt, fmt::format("the log ends at commit {} but the graph or the series are at commit {}; the files are "
                                                      "not of one moment",
                                                      newest.value(), store->durable_marker().value()));
  }
  BRAID_ASSIGN(const SqliteHandle db, open_rows());
  Lsn expected = from;
  return read_log(db.get(), from, [&](Lsn lsn, std::string_view bytes) -> Status {
    expected = expected.next();
    if (lsn != expected)
      return Status(StatusCode::kCorrupt, fmt::format("the log has no row for commit {}, which a store still needs", expected.value()));
    BRAID_ASSIGN(const CommitRecord record, decode_commit_record(bytes));
    for (const auto& store : stores_) BRAID_TRY(store->replay(record, lsn));
    log_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
    counters.replayed.fetch_add(1, std::memory_order_relaxed);
    return {};
  });
}

Engine::~Engine() { close().ignore(); }

Status Engine::close() {
  if (background_.joinable()) {
    {
      MutexLock lock(background_mutex_);
      background_stop_ = true;
    }
    background_wake_.notify_all();
    background_.join();
  }
  Status status;
  if (!closed_ && !env_.poisoned()) status = checkpoint();
  closed_ = true;
  {
    MutexLock lock(rewrite_mutex_);
    rewrite_session_ = nullptr;
  }
  MutexLock lock(checkpoint_mutex_);
  checkpoint_session_ = nullptr;
  return status;
}

Deadline Engine::busy_deadline() const {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(options_[OptionId::kBusyTimeout]);
}

void Engine::note_commit(uint64_t record_bytes, int wal_pages) {
  counters.commits.fetch_add(1, std::memory_order_relaxed);
  const uint64_t log = log_bytes_.fetch_add(record_bytes, std::memory_order_relaxed) + record_bytes;
  const bool checkpoint = static_cast<int64_t>(log) >= options_[OptionId::kLogSoftBytes] ||
                          static_cast<int64_t>(factories_.tail_bytes(store(StoreKind::kSeries))) >= options_[OptionId::kTailBytesMax];
  const int64_t wal_bytes = int64_t{wal_pages} * 4096;
  const int64_t soft_bytes = options_[OptionId::kWalSoftBytes];
  if (wal_bytes < soft_bytes) wal_copy_at_.store(soft_bytes, std::memory_order_relaxed);  // it begins anew
  const bool copy = wal_bytes >= wal_copy_at_.load(std::memory_order_relaxed);
  if (!checkpoint && !copy) return;
  if (copy) wal_copied_.store(false, std::memory_order_relaxed);
  {
    MutexLock lock(background_mutex_);
    wants_checkpoint_ |= checkpoint;
    wants_wal_copy_ |= copy;
  }
  background_wake_.notify_one();
}

void Engine::run_background() {
  for (;;) {
    bool whole = false;
    {
      MutexLock lock(background_mutex_);
      while (!background_stop_ && !wants_checkpoint_ && !wants_wal_copy_) background_wake_.wait(lock.native());
      if (background_stop_) return;
      whole = wants_checkpoint_;
      wants_checkpoint_ = wants_wal_copy_ = false;
    }
    if (env_.poisoned()) continue;
    if (whole) {
      // A failure keeps log and tails as they are; the next commit asks again.
      if (checkpoint().ok()) rewrite({}, [this] { return between_rewrites(); }).status().ignore();
    } else {
      MutexLock lock(checkpoint_mutex_);
      copy_wal().ignore();
    }
  }
}

/// Long work gives way to a checkpoint that is due, and ends when the engine closes.
Status Engine::between_rewrites() {
  bool due = false;
  {
    MutexLock lock(background_mutex_);
    if (background_stop_) return Status(StatusCode::kInterrupted, "the database closes");
    due = std::exchange(wants_checkpoint_, false);
  }
  return due ? checkpoint() : Status();
}

Result<std::unique_ptr<StoreRewrite>> Engine::begin_rewrite(const RewriteWish& wish) {
  MutexLock lock(checkpoint_mutex_);  // no checkpoint is under way
  BRAID_TRY(env_.check_writable());
  BRAID_TRY(slot_.acquire(busy_deadline()));
  auto begun = store(StoreKind::kSeries).begin_rewrite(wish);
  slot_.release();
  return begun;
}

Status Engine::run_rewrite(StoreRewrite& rewrite, const std::function<Status()>& between) BRAID_REQUIRES(rewrite_mutex_) {
  Status status;
  for (bool more = true; more && status.ok();) {
    auto wrote = rewrite.write_some();
    status = wrote.status();
    more = wrote.ok() && *wrote;
    if (more) status = between();
  }
  bool installed = false;
  if (status.ok()) status = rewrite_session_->begin_write();
  if (status.ok()) {
    installed = rewrite.install(rewrite_session_->catalog_writer());
    status = installed ? rewrite_session_->commit() : rewrite_session_->rollback();
  }
  // A commit that may have happened names the new files; only one that surely did not lets them go.
  const bool unknown = status.code() == StatusCode::kUnknownOutcome || status.code() == StatusCode::kNotVisible;
  if (!unknown) rewrite.end(installed && status.ok());
  return status;
}

Result<uint64_t> Engine::rewrite(const RewriteWish& wish, const std::function<Status()>& between) {
  MutexLock lock(rewrite_mutex_);
  if (rewrite_session_ == nullptr) {
    BRAID_ASSIGN(rewrite_session_, Session::open(*this));
  }
  for (uint64_t count = 0;; ++count) {
    BRAID_TRY(between());
    BRAID_ASSIGN(const auto next, begin_rewrite(wish));
    if (next == nullptr) return count;
    BRAID_TRY(run_rewrite(*next, between).within("compaction"));
  }
}

Status Engine::checkpoint() {
  MutexLock lock(checkpoint_mutex_);
  BRAID_TRY(env_.check_writable());
  if (versions_.newest()->lsn != last_checkpoint_) BRAID_TRY(checkpoint_stores().within("checkpoint"));
  return copy_wal().within("checkpoint");
}

Status Engine::checkpoint_stores() BRAID_REQUIRES(checkpoint_mutex_) {
  if (checkpoint_session_ == nullptr) {
    BRAID_ASSIGN(checkpoint_session_, Session::open(*this));
  }
  Session& session = *checkpoint_session_;
  BRAID_TRY(slot_.acquire(busy_deadline()));
  const Lsn published = versions_.newest()->lsn;
  Status status;
  for (const auto& store : stores_)
    if (status.ok()) status = store->checkpoint_begin(published);
  slot_.release();

  for (const auto& store : stores_)
    if (status.ok()) status = store->checkpoint_write();
  if (status.ok()) status = session.begin_write();
  if (status.ok()) {
    CommitRecord record;
    for (const auto& store : stores_)
      if (status.ok()) status = store->checkpoint_install(session.catalog_writer(), record);
    if (status.ok()) status = session.seal(std::move(record));
    // Invariant 4: the tables' watermark is in this transaction; the graph's marker is durable already.
    const Lsn watermark = session.catalog_writer().state().series_watermark;
    if (status.ok()) status = session.log().trim(std::min(store(StoreKind::kGraph).durable_marker(), watermark));
    session.set_checkpointing(true);
    if (status.ok()) {
      status = session.commit();
    } else {
      session.rollback().ignore();
    }
    session.set_checkpointing(false);
  }
  if (!status.ok()) {
    // A commit that may have happened names the new chunk files; only one that surely did not lets them go.
    const bool undone = status.code() != StatusCode::kUnknownOutcome && status.code() != StatusCode::kNotVisible;
    for (const auto& store : stores_)
      if (undone) store->checkpoint_end(false);
    return status;
  }
  log_bytes_.store(0, std::memory_order_relaxed);
  counters.checkpoints.fetch_add(1, std::memory_order_relaxed);
  // Commits that came between its beginning and its own are not in it: the next one has work.
  if (session.sealed_lsn() == published.next()) last_checkpoint_ = session.sealed_lsn();
  return {};
}

/// SQLite 3.40.1 can lose a WAL reset that races with a commit, so only the holder of the slot copies the WAL. Readers that overlap
/// without end would let the WAL grow without end: past half of the hard bound the copy waits for them, with writers held off.
Status Engine::copy_wal() BRAID_REQUIRES(checkpoint_mutex_) {
  if (checkpoint_session_ == nullptr) {
    BRAID_ASSIGN(checkpoint_session_, Session::open(*this));
    sqlite3_busy_timeout(checkpoint_session_->db(), kReaderWaitMs);
  }
  sqlite3* db = checkpoint_session_->db();
  BRAID_TRY(slot_.acquire(busy_deadline()));
  int frames = 0;
  int copied = 0;
  int code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  bool done = code == SQLITE_OK && copied >= frames;
  const int64_t size_bytes = vfs_->wal_size_bytes.load();
  const int64_t soft_bytes = options_[OptionId::kWalSoftBytes];
  int64_t next_bytes = size_bytes + soft_bytes;
  // What is copied is used again only once no reader is left on it. Waiting for that costs writers up to a quarter of a second, so it is
  // left until it matters.
  if (code == SQLITE_OK && size_bytes > std::max(2 * soft_bytes, options_[OptionId::kWalHardBytes] / 2)) {
    code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_RESTART, &frames, &copied);
    done = code == SQLITE_OK;
  }
  // While readers hold it, each try holds the writers off: the next one waits until the WAL has doubled.
  if (!done) next_bytes = std::max(next_bytes, 2 * size_bytes);
  wal_copy_at_.store(next_bytes, std::memory_order_relaxed);
  wal_copied_.store(done, std::memory_order_relaxed);
  slot_.release();
  wal_copied_wake_.notify_all();
  if (code == SQLITE_OK || code == SQLITE_BUSY) return {};
  return sqlite_status(db, code, "copy the WAL");
}

Status Engine::wait_for_wal() {
  const auto over = [&] {
    return vfs_->wal_size_bytes.load(std::memory_order_relaxed) > options_[OptionId::kWalHardBytes] &&
           !wal_copied_.load(std::memory_order_relaxed);
  };
  if (!over()) return {};
  const Deadline deadline = busy_deadline();
  MutexLock lock(background_mutex_);
  while (over()) {
    wants_wal_copy_ = true;
    background_wake_.notify_one();
    if (wal_copied_wake_.wait_until(lock.native(), deadline) != std::cv_status::timeout || !over()) continue;
    return Status(StatusCode::kBusy, fmt::format("the WAL is past wal_hard_bytes ({}) and an older snapshot keeps it from being copied; finish "
                                                 "that snapshot (`stats` names it as oldest_snapshot)",
                                                 options_[OptionId::kWalHardBytes]));
  }
  return {};
}

Status Engine::check_log(sqlite3* db, std::vector<std::string>& problems) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "PRAGMA integrity_check(100)"));
  for (;;) {
    auto more = rows.step();
    if (!more.ok()) {
      problems.push_back("rows.db: " + more.status().message());
      break;
    }
    if (!*more) break;
    if (rows.bytes(0) != "ok") problems.push_back("rows.db: " + std::string(rows.bytes(0)));
  }
  BRAID_ASSIGN(auto foreign, sqlite_prepare(db, "PRAGMA foreign_key_check"));
  for (;;) {
    auto more = foreign.step();
    if (!more.ok() || !*more) break;
    problems.push_back(fmt::format("rows.db: row {} of table {} refers to a row that is not there", foreign.integer(1), foreign.bytes(0)));
  }
  Lsn expected;
  const Status read = read_log(db, Lsn(0), [&](Lsn lsn, std::string_view bytes) -> Status {
    if (expected != Lsn(0) && lsn != expected)
      problems.push_back(fmt::format("rows.db: the log has no row for commit {}", expected.value()));
    expected = lsn.next();
    if (const auto record = decode_commit_record(bytes); !record.ok())
      problems.push_back(fmt::format("rows.db: commit {}: {}", lsn.value(), record.status().message()));
    return {};
  });
  if (!read.ok()) problems.push_back("rows.db: " + read.message());
  for (const auto& store : stores_)
    if (store->durable_marker() >= expected)
      problems.push_back(fmt::format("a store is at commit {}, after the end of the log at {}", store->durable_marker().value(),
                                     expected.value() - 1));
  return {};
}

}  // namespace braid
