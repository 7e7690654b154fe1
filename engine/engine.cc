#include "engine/engine.h"

#include "engine/identity.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/archive.h"
#include "engine/caught.h"
#include "engine/commit_log.h"
#include "engine/copy_mark.h"
#include "engine/event_log.h"
#include "engine/long_call.h"
#include "engine/session.h"

namespace braid {

namespace {

/// Kept small: the slot keeps our own writers apart, so SQLite's lock is met only when another program reads the file.
constexpr int kForeignLockWaitMs = 2000;

/// Page cache of the engine's own sessions, which read each page once.
constexpr int64_t kOwnCacheBytes = 4 << 20;

/// So little is not worth a transaction of its own.
constexpr uint64_t kFreeBytesIgnored = 65536;

/// How long a copy of the WAL holds writers off while it waits for readers.
constexpr int kReaderWaitMs = 250;

constexpr auto kWalWishInterval = std::chrono::seconds(1);

/// Not a time: there is nothing to wait for.
constexpr auto kNever = std::chrono::steady_clock::time_point::max();

int64_t size_of(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? static_cast<int64_t>(status.st_size) : -1;
}

/// Invariant 4: nothing derived becomes durable before its log row is. A store that is ahead has another history.
Status check_not_ahead(Store& store, Lsn newest) {
  if (store.durable_marker() <= newest) return {};
  return Status(StatusCode::kCorrupt, fmt::format("the log ends at commit {} but the graph or the series are at commit {}; the files are not of one moment",
                                                  newest.value(), store.durable_marker().value()));
}

/// A bound of 0 is that of the host.
Options with_memory_bound(Options options) {
  if (options[OptionId::kMemoryBytesMax] == 0)
    options.set(option_table()[static_cast<size_t>(OptionId::kMemoryBytesMax)].name, static_cast<int64_t>(host_memory_share())).ignore();
  return options;
}

/// Points wait for their sealing, so they may never take what all else needs.
uint64_t tail_bound(const Options& options) {
  constexpr int64_t kPartOfMemory = 4;
  return static_cast<uint64_t>(std::min(options[OptionId::kTailBytesMax], options[OptionId::kMemoryBytesMax] / kPartOfMemory));
}

void note_compaction(const std::string& path, const Status& status, uint64_t made) {
  if (!status.ok()) note_event(EventLevel::kWarning, "compaction", path + ": " + status.message());
  else if (made > 0) note_event(EventLevel::kInfo, "compaction", fmt::format("{}: {} chunk files were made", path, made));
}

Result<std::unique_ptr<Session>> open_own_session(Engine& engine) {
  BRAID_ASSIGN(auto session, Session::open(engine, Session::Owner::kEngine));
  const int64_t cache_bytes = std::min(kOwnCacheBytes, engine.options()[OptionId::kCacheBytes]);
  BRAID_TRY(sqlite_run(session->db(), fmt::format("PRAGMA cache_size=-{}", cache_bytes / 1024)));
  return session;
}

/// Reads every page of rows.db, so that its checksum is compared: SQLite's check reads no free pages, and where the first table is a virtual one none that
/// tell what the others are for. Pre: the WAL is copied, and nobody writes the file meanwhile.
Status check_pages(sqlite3* db, std::vector<std::string>& problems) {
  constexpr size_t kProblemsMax = 100;
  constexpr sqlite3_int64 kPagesPerQuestion = 256;
  BRAID_ASSIGN(auto page_size, sqlite_prepare(db, "PRAGMA page_size"));
  BRAID_ASSIGN(const bool found, page_size.step());
  std::vector<char> page(found ? static_cast<size_t>(page_size.integer(0)) : 4096);
  sqlite3_file* file = nullptr;
  sqlite3_int64 size_bytes = 0;
  int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code == SQLITE_OK) code = file->pMethods->xFileSize(file, &size_bytes);
  if (code != SQLITE_OK) return sqlite_status(db, code, "read the pages of rows.db");
  const auto page_bytes = static_cast<sqlite3_int64>(page.size());
  for (sqlite3_int64 at = 0; at + page_bytes <= size_bytes && problems.size() < kProblemsMax; at += page_bytes) {
    if (at / page_bytes % kPagesPerQuestion == 0) BRAID_TRY(LongCall::check(static_cast<double>(at) / static_cast<double>(size_bytes)));
    code = file->pMethods->xRead(file, page.data(), static_cast<int>(page_bytes), at);
    if (code == SQLITE_IOERR_DATA) problems.push_back(fmt::format("rows.db: page {} has the wrong checksum; the file is damaged", at / page_bytes + 1));
    else if (code != SQLITE_OK) return sqlite_status(db, code, fmt::format("read page {} of rows.db", at / page_bytes + 1));
  }
  return {};
}

}  // namespace

Engine::Engine(const Options& options, FileHook* hook)
    : env_(hook, options[OptionId::kReadOnly] != 0),
      options_(with_memory_bound(options)),
      memory_(std::make_shared<MemoryBudget>(static_cast<uint64_t>(options_[OptionId::kMemoryBytesMax]))),
      tail_bytes_max_(tail_bound(options_)),
      feeds_(static_cast<size_t>(options[OptionId::kFeedsMax])),
      slot_(static_cast<size_t>(options[OptionId::kGroupMembersMax])), wal_copy_at_(options[OptionId::kWalSoftBytes]) {}

Result<std::unique_ptr<Engine>> Engine::open(const std::string& path, const Options& options, const StoreFactories& factories,
                                             FileHook* hook, CopyState accepted) {
  std::unique_ptr<Engine> engine(new Engine(options, hook));
  engine->closed_ = true;  // until it is open, destroying it must not write a checkpoint
  engine->factories_ = factories;
  BRAID_TRY(LongCall::check().within(path));
  BRAID_ASSIGN(engine->directory_, Directory::open(engine->env_, path, accepted));
  engine->vfs_ = std::make_unique<PageVfs>(engine->env_);
  const bool creating = !engine->directory_->format().ready;
  if (creating && engine->read_only())
    return Status(StatusCode::kReadOnly, path + ": the database was not created to its end; open it once without read_only=1");
  if (creating) {
    BRAID_TRY(engine->directory_->prepare_creation().within(path));
    BRAID_TRY(engine->create_rows().within(path));
  }
  {
    // What is new is made to its end, so that whoever ends the call finds either nothing or a database.
    std::optional<LongCall::Unasked> made_whole;
    if (creating) made_whole.emplace();
    BRAID_TRY(engine->recover_or_tell(path));
  }
  if (creating) BRAID_TRY(engine->directory_->finish_creation());
  if (!engine->read_only()) BRAID_TRY(settle_backup(engine->env_, path, engine->directory_->format()));
  if (const uint64_t replayed = engine->counters.replayed.load(std::memory_order_relaxed); replayed > 1)
    note_event(EventLevel::kInfo, "recovery", fmt::format("{}: {} commits were replayed, up to {}", path, replayed, engine->versions_.newest()->lsn.value()));
  if (!engine->read_only()) BRAID_TRY(engine->open_archive().within(path));
  engine->closed_ = false;
  if (engine->read_only()) return engine;
  engine->background_ = std::thread([raw = engine.get()] { raw->run_background(); });
  engine->give_up_ = std::make_unique<MemoryBudget::GiveUp>([raw = engine.get()] { raw->ask_for_checkpoint(); });
  return engine;
}

Result<SqliteHandle> Engine::open_rows(bool creating) const {
  sqlite3* db = nullptr;
  // What nobody writes needs neither locks nor a WAL-index beside it.
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (read_only() ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const std::string name = read_only() ? immutable_uri(directory_->rows()) : directory_->rows();
  const int code = sqlite3_open_v2(name.c_str(), &db, flags, vfs_->name().c_str());
  SqliteHandle handle(db);
  if (code != SQLITE_OK) return sqlite_status(db, code, directory_->rows());
  int reserved = kPageReservedBytes;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  sqlite3_busy_timeout(db, kForeignLockWaitMs);
  attach_page_release(db, nullptr);
  // Trusted, so that JSON functions may stand in triggers and views: docs/decisions/0005-trusted-schema.md.
  for (const auto& [option, value] : {std::pair(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1), std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1),
                                      std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1), std::pair(SQLITE_DBCONFIG_DQS_DML, 0),
                                      std::pair(SQLITE_DBCONFIG_DQS_DDL, 0), std::pair(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
                                      std::pair(SQLITE_DBCONFIG_ENABLE_FKEY, 1)})
    sqlite3_db_config(db, option, value, nullptr);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(options_[OptionId::kValueBytesMax]));
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(options_[OptionId::kSqlBytesMax]));
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  // Only a file without a page can take it.
  if (creating) BRAID_TRY(sqlite_run(db, "PRAGMA auto_vacuum=FULL"));
  if (!read_only()) BRAID_TRY(sqlite_run(db, "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=0;PRAGMA secure_delete=FAST;"));
  BRAID_TRY(sqlite_run(db, fmt::format("PRAGMA recursive_triggers=ON;PRAGMA cell_size_check=ON;PRAGMA cache_size=-{};"
                                       "PRAGMA temp_store=MEMORY;",
                                       std::max<int64_t>(1, options_[OptionId::kCacheBytes] / 1024))));
  return handle;
}

Status Engine::create_rows() {
  BRAID_ASSIGN(const SqliteHandle db, open_rows(true));
  BRAID_TRY(create_log_tables(db.get()));
  BRAID_TRY(write_opening(db.get(), env_.random()));
  BRAID_TRY(Archive::end_run(db.get()));
  return write_identity(db.get(), directory_->format());
}

/// Opening a backup for writing would make a database of it.
Status Engine::recover_or_tell(const std::string& path) {
  const Status recovered = recover().within(path);
  if (recovered.code() != StatusCode::kReadOnly || !read_only()) return recovered;
  BRAID_ASSIGN(const auto backup, read_backup_mark(env_, path));
  if (!backup.has_value()) return recovered;
  return Status(StatusCode::kReadOnly, fmt::format("{}: is a backup whose log has to be replayed into its graph before it is read, which would make a database of "
                                                   "it; `braid check` checks it as it is, and braid_restore makes a database of a copy",
                                                   path));
}

Status Engine::recover() {
  const std::string rows = directory_->rows();
  // SQLite would take an absent or empty rows.db for a new database and delete its WAL, with every commit in it.
  if (size_of(rows) < 0) return Status(StatusCode::kCorrupt, "rows.db is missing");
  if (size_of(rows) == 0 && size_of(directory_->wal()) <= 0)
    return Status(StatusCode::kCorrupt, "rows.db is empty, and so is its WAL");
  if (size_of(rows) == 0) return Status(StatusCode::kCorrupt, "rows.db is empty but its WAL is not; restore rows.db");
  if (read_only()) return open_recovered();
  for (const std::string& folder : {directory_->graph(), directory_->chunks(), directory_->archive()})
    BRAID_TRY(env_.create_directory(folder));
  // What a killed process left may be readable and not yet durable. What is derived from it below becomes durable, so it must be first.
  const bool unclean = size_of(directory_->wal()) > 0 && directory_->format().ready;
  if (size_of(directory_->wal()) >= 0) BRAID_TRY(env_.sync_file(directory_->wal()));
  BRAID_TRY(env_.sync_directory(directory_->path()));
  return open_stores(unclean);
}

/// An archive that cannot be begun fails the opening. One that goes on may fail as long as the WAL may grow: writers are refused after that.
Status Engine::open_archive() {
  BRAID_ASSIGN(SqliteHandle db, open_rows());
  constexpr int64_t kOff = 0;
  constexpr int64_t kKeep = 2;
  if (options_[OptionId::kArchive] == kOff) return Archive::end_run(db.get());
  BRAID_ASSIGN(const uint64_t run, Archive::run_of(db.get()));
  if (run == 0 && options_[OptionId::kArchive] == kKeep) return {};
  MutexLock lock(checkpoint_mutex_);
  const Lsn newest = versions_.newest()->lsn;
  BRAID_ASSIGN(archive_, Archive::open(env_, *directory_, std::move(db), newest, static_cast<uint64_t>(options_[OptionId::kArchiveBytesMax])));
  const Status archived = archive_commits();
  // Commits are missing for good: what follows is of another run.
  return archived.code() == StatusCode::kCorrupt ? archive_->begin_run(newest).within("archive") : Status();
}

/// Replaying would write: what is opened for reading must need none.
Status Engine::open_recovered() {
  const int64_t wal_bytes = size_of(directory_->wal());
  if (wal_bytes > 0)
    return Status(StatusCode::kReadOnly, fmt::format("the database was not closed: {} bytes of its log are in rows.db-wal and must be replayed first; open it "
                                                     "once without read_only=1, or a copy of it",
                                                     wal_bytes));
  return open_stores(false);
}

Status Engine::open_stores(bool unclean) {
  BRAID_ASSIGN(const SqliteHandle db, open_rows());
  BRAID_TRY(check_identity(db.get(), directory_->format()));
  if (unclean) BRAID_TRY(write_opening(db.get(), env_.random()));
  BRAID_ASSIGN(const StoredCatalog stored, load_catalog(db.get(), catalog_));
  BRAID_ASSIGN(auto log, CommitLog::open(db.get()));
  BRAID_ASSIGN(const Lsn newest, log->newest());
  commit_sync_ = std::make_unique<CommitSync>(*vfs_, directory_->wal(), std::chrono::milliseconds(options_[OptionId::kSyncInterval]), newest);
  env_.set_sync_commits([this] { return commit_sync_->sync(); });
  BRAID_ASSIGN(const Lsn log_begin, read_log_begin(db.get()));
  const StoreContext context{env_, catalog_, *directory_, options_, *stored.state, stored.counters, log_begin, memory_};
  // The stores open the faster the less is replayed afterwards.
  BRAID_TRY(LongCall::check(0.05));
  BRAID_ASSIGN(stores_[0], factories_.graph(context));
  BRAID_TRY(check_not_ahead(*stores_[0], newest));
  BRAID_TRY(LongCall::check(0.1));
  // It removes chunk files that the catalog does not name.
  BRAID_ASSIGN(stores_[1], factories_.series(context));
  BRAID_TRY(check_not_ahead(*stores_[1], newest));
  BRAID_ASSIGN(const bool graph_replayed, LongCall::in_part(0.15, 0.8, [&] { return replay(newest); }));
  auto version = std::make_shared<Version>();
  version->lsn = newest;
  version->catalog = stored.state;
  version->counters = stored.counters;
  for (size_t i = 0; i < kStoreCount; ++i) {
    BRAID_ASSIGN(version->views[i], stores_[i]->view(stored.state));
  }
  versions_.install(std::move(version));
  last_change_ = newest;
  // One row without the graph is what a checkpoint leaves: there is nothing to write again.
  MutexLock lock(checkpoint_mutex_);
  if (counters.replayed.load(std::memory_order_relaxed) <= 1 && !graph_replayed) last_checkpoint_ = newest;
  return {};
}

/// Whether the graph needed any of it.
Result<bool> Engine::replay(Lsn newest) {
  Lsn from = newest;
  for (const auto& store : stores_) from = std::min(from, store->durable_marker());
  BRAID_ASSIGN(const SqliteHandle db, open_rows());
  Lsn expected = from;
  const Lsn graph_at = store(StoreKind::kGraph).durable_marker();
  bool graph_replayed = false;
  const auto commits = static_cast<double>(newest.value() - from.value());
  BRAID_TRY(read_log(db.get(), from, [&](Lsn lsn, std::string_view bytes) -> Status {
    BRAID_TRY(LongCall::check(static_cast<double>(expected.value() - from.value()) / commits));
    expected = expected.next();
    if (lsn != expected)
      return Status(StatusCode::kCorrupt, fmt::format("the log has no row for commit {}, which a store still needs", expected.value()));
    BRAID_ASSIGN(const CommitRecord record, decode_commit_record(bytes));
    graph_replayed |= !record.graph.empty() && lsn > graph_at;
    for (const auto& store : stores_) BRAID_TRY(store->replay(record, lsn));
    log_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
    counters.replayed.fetch_add(1, std::memory_order_relaxed);
    return {};
  }));
  return graph_replayed;
}

Engine::~Engine() { close().ignore(); }

Status Engine::close() {
  give_up_ = nullptr;
  if (background_.joinable()) {
    {
      MutexLock lock(background_mutex_);
      background_stop_ = true;
    }
    background_wake_.notify_all();
    background_.join();
  }
  Status status;
  if (!closed_) status = sync_commits().status();
  if (!closed_ && !env_.poisoned() && !read_only()) status = checkpoint(FreeSpace::kGivenBack);
  const bool is_whole = !closed_ && status.ok() && !env_.poisoned();
  if (commit_sync_ != nullptr) commit_sync_->stop();
  closed_ = true;
  {
    MutexLock lock(rewrite_mutex_);
    rewrite_session_ = nullptr;
  }
  {
    MutexLock lock(checkpoint_mutex_);
    checkpoint_session_ = nullptr;
    archive_ = nullptr;
  }
  if (is_whole) directory_->note_closed();
  return status;
}

Result<Lsn> Engine::sync_commits() {
  BRAID_TRY(commit_sync_->sync().within("sync"));
  return commit_sync_->durable_lsn();
}

Deadline Engine::busy_deadline() const {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(options_[OptionId::kBusyTimeout]);
}

void Engine::note_commit(uint64_t record_bytes, int wal_pages) {
  counters.commits.fetch_add(1, std::memory_order_relaxed);
  const uint64_t log = log_bytes_.fetch_add(record_bytes, std::memory_order_relaxed) + record_bytes;
  // While one half of the tail is sealed, points go to the other.
  const bool checkpoint = static_cast<int64_t>(log) >= options_[OptionId::kLogSoftBytes] ||
                          tail_bytes() >= tail_bytes_max_ / 2;
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

Status Engine::keep_publication(std::unique_ptr<Publication> publication, const Status& why) {
  const Status waits(StatusCode::kFull, fmt::format("commit {} has happened and is seen once the disk has space: {}", publication->lsn().value(), why.message()));
  const Status answer(StatusCode::kNotVisible, waits.message());
  versions_.fail(waits);
  kept_ = std::move(publication);
  {
    MutexLock lock(background_mutex_);
    keeps_publication_ = true;
  }
  background_wake_.notify_one();
  return answer;
}

Status Engine::publish_kept() {
  if (kept_ == nullptr) return {};
  const Lsn lsn = kept_->lsn();
  const Status published = caught([&]() -> Status {
    BRAID_TRY(store(StoreKind::kGraph).admit());
    return kept_->run(*this);
  });
  if (published.code() == StatusCode::kFull || published.code() == StatusCode::kBusy)
    return published.within(fmt::format("commit {} waits to be published", lsn.value()));
  kept_ = nullptr;
  {
    MutexLock lock(background_mutex_);
    keeps_publication_ = false;
  }
  if (!published.ok()) return fail_publication(lsn, published);
  feeds_.release(memory_);
  return {};
}

Status Engine::publish_kept_alone() {
  BRAID_TRY(slot_.acquire(busy_deadline()));
  const SlotHold hold(slot_);
  return publish_kept();
}

Status Engine::fail_publication(Lsn lsn, const Status& why) {
  const Status failure(StatusCode::kNotVisible,
                       fmt::format("commit {} has happened but is not visible until the database is reopened: {}", lsn.value(), why.message()));
  env_.poison(failure);
  versions_.fail(failure);
  return failure;
}

std::optional<Engine::Work> Engine::next_work(std::chrono::steady_clock::time_point until) {
  constexpr std::chrono::seconds kPublicationTries(1);
  MutexLock lock(background_mutex_);
  bool late = false;
  while (!background_stop_ && !wants_checkpoint_ && !wants_wal_copy_ && !late) {
    const auto wake = keeps_publication_ ? std::min(until, std::chrono::steady_clock::now() + kPublicationTries) : until;
    if (wake == kNever)
      background_wake_.wait(lock.native());
    else
      late = background_wake_.wait_until(lock.native(), wake) == std::cv_status::timeout;
  }
  if (background_stop_) return std::nullopt;
  return Work{.checkpoint = std::exchange(wants_checkpoint_, false), .wal_copy = std::exchange(wants_wal_copy_, false), .publication = keeps_publication_};
}

void Engine::run_background() {
  const std::chrono::milliseconds archive_interval(options_[OptionId::kArchiveInterval]);
  const auto next_archive = [&] { return archives() ? std::chrono::steady_clock::now() + archive_interval : kNever; };
  auto archive_due = next_archive();
  while (const auto work = next_work(archive_due)) {
    if (std::chrono::steady_clock::now() >= archive_due) {
      // A lack of memory, here and below, is nobody's end: what was not done is asked for again.
      caught([this] {
        MutexLock lock(checkpoint_mutex_);
        return env_.poisoned() ? Status() : archive_commits();
      }).ignore();
      archive_due = next_archive();
    }
    if (env_.poisoned()) continue;
    caught([&] { return do_work(*work); }).ignore();
  }
}

Status Engine::do_work(const Work& work) {
  if (work.publication) publish_kept_alone().ignore();  // a failure is told to those who write next
  if (work.checkpoint) {
    // A failure keeps log and tails as they are; the next commit asks again.
    const Status written = caught([this] { return checkpoint(); });
    if (written.code() == StatusCode::kOutOfMemory) note_checkpoint(written);  // it may have been thrown before it was told
    BRAID_TRY(written);
    const auto made = rewrite({}, [this] { return between_rewrites(); });
    note_compaction(directory_->path(), is_closing() ? Status() : made.status(), made.ok() ? *made : 0);
  } else if (work.wal_copy) {
    MutexLock lock(checkpoint_mutex_);
    return copy_wal(FreeSpace::kKept);
  }
  return {};
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
  std::unique_ptr<StoreRewrite> rewrite;
  const Status begun = caught([&] {
    rewrite = store(StoreKind::kSeries).begin_rewrite(wish);
    return Status();
  });
  slot_.release();
  if (!begun.ok()) return begun;
  return rewrite;
}

Status Engine::run_rewrite(StoreRewrite& rewrite, const std::function<Status()>& between) BRAID_REQUIRES(rewrite_mutex_) {
  Status status;
  for (bool more = true; more && status.ok();) {
    status = caught([&]() -> Status {
      BRAID_ASSIGN(more, rewrite.write_some());
      return more ? between() : Status();
    });
  }
  bool installed = false;
  if (status.ok()) status = rewrite_session_->begin_write();
  if (status.ok()) {
    Session& session = *rewrite_session_;
    status = caught([&] {
      installed = rewrite.install(session.catalog_writer());
      if (!installed) return session.rollback();
      BRAID_TRY(archive_chunks(session.catalog_writer()));
      return session.commit();
    });
    if (session.state() == Session::State::kWriting) session.rollback().ignore();
  }
  // A commit that may have happened names the new files; only one that surely did not lets them go.
  const bool unknown = status.code() == StatusCode::kUnknownOutcome || status.code() == StatusCode::kNotVisible;
  if (!unknown) rewrite.end(installed && status.ok());
  return status;
}

Result<uint64_t> Engine::rewrite(const RewriteWish& wish, const std::function<Status()>& between) {
  MutexLock lock(rewrite_mutex_);
  if (rewrite_session_ == nullptr) {
    BRAID_ASSIGN(rewrite_session_, open_own_session(*this));
  }
  for (uint64_t count = 0;; ++count) {
    BRAID_TRY(between());
    BRAID_ASSIGN(const auto next, begin_rewrite(wish));
    if (next == nullptr) return count;
    BRAID_TRY(run_rewrite(*next, between).within("compaction"));
  }
}

bool Engine::keeps_publication() {
  MutexLock lock(background_mutex_);
  return keeps_publication_;
}

bool Engine::is_closing() {
  MutexLock lock(background_mutex_);
  return background_stop_;
}

void Engine::ask_for_checkpoint() {
  {
    MutexLock lock(background_mutex_);
    wants_checkpoint_ = true;
  }
  background_wake_.notify_one();
}

void Engine::note_checkpoint(const Status& status) {
  {
    MutexLock lock(background_mutex_);
    ++checkpoints_ended_;
    checkpoint_failure_ = status;
  }
  checkpoint_ended_.notify_all();
  if (status.ok())
    note_event(EventLevel::kInfo, "checkpoint", fmt::format("{}: written up to commit {}", directory_->path(), versions_.newest()->lsn.value()));
  else
    note_event(EventLevel::kError, "checkpoint", directory_->path() + ": " + status.message());
}

Status Engine::checkpoint(FreeSpace space) {
  MutexLock lock(checkpoint_mutex_);
  BRAID_TRY(env_.check_writable());
  BRAID_TRY(LongCall::check().within("checkpoint"));
  if (keeps_publication()) BRAID_TRY(publish_kept_alone().within("checkpoint"));
  // After opening, one record may have filled the tail.
  if (versions_.newest()->lsn != last_checkpoint_ || tail_bytes() >= tail_bytes_max_ / 2) {
    const Status written = checkpoint_stores(space).within("checkpoint");
    // One that its caller ended tells those that wait for one nothing.
    if (written.code() != StatusCode::kInterrupted) note_checkpoint(written);
    BRAID_TRY(written);
  }
  BRAID_TRY(give_back_pages(space).within("checkpoint: give back free pages"));
  // While the database runs, pages that the log uses again are copied once however often they were written since.
  if (space == FreeSpace::kKept && vfs_->wal_size_bytes.load(std::memory_order_relaxed) < options_[OptionId::kWalSoftBytes]) return {};
  return copy_wal(space).within("checkpoint");
}

Result<Session*> Engine::checkpoint_session() BRAID_REQUIRES(checkpoint_mutex_) {
  if (checkpoint_session_ == nullptr) {
    BRAID_ASSIGN(checkpoint_session_, open_own_session(*this));
    attach_page_release(checkpoint_session_->db(), &page_release_);
  }
  return checkpoint_session_.get();
}

uint64_t Engine::kept_bytes(FreeSpace space) const {
  return space == FreeSpace::kGivenBack ? 0 : static_cast<uint64_t>(options_[OptionId::kFreePagesKept]);
}

/// What the commit of the checkpoint has left, because it would have moved too much at once. Each step is a transaction of its own, so that writers
/// come in between.
Status Engine::give_back_pages(FreeSpace space) BRAID_REQUIRES(checkpoint_mutex_) {
  BRAID_ASSIGN(Session* const session, checkpoint_session());
  const uint64_t kept = kept_bytes(space);
  const bool in_background = space == FreeSpace::kKept;
  for (uint64_t before = UINT64_MAX;;) {
    BRAID_ASSIGN(const uint64_t free, free_page_bytes(session->db()));
    // What others free meanwhile is left to the next checkpoint.
    if (free <= std::max(kept, kFreeBytesIgnored) || free >= before || (in_background && is_closing())) return {};
    BRAID_TRY(LongCall::check());
    before = free;
    BRAID_TRY(session->begin_write());
    const bool idle = versions_.newest()->lsn == last_checkpoint_;
    page_release_.kept_bytes = kept;
    const Status committed = caught([&] { return session->commit(); });
    page_release_.kept_bytes.reset();
    if (session->state() == Session::State::kWriting) session->rollback().ignore();
    BRAID_TRY(committed);
    if (idle) last_checkpoint_ = session->lsn();
  }
}

Status Engine::checkpoint_stores(FreeSpace space) BRAID_REQUIRES(checkpoint_mutex_) {
  BRAID_ASSIGN(Session* const opened, checkpoint_session());
  Session& session = *opened;
  // Rows of the log that are not archived stay.
  if (archives()) archive_commits().ignore();
  BRAID_TRY(slot_.acquire(busy_deadline()));
  Lsn published;
  Status status = caught([&]() -> Status {
    BRAID_TRY(publish_kept());
    published = versions_.newest()->lsn;
    for (const auto& store : stores_) BRAID_TRY(store->checkpoint_begin(published));
    return {};
  });
  slot_.release();

  if (status.ok())
    status = caught([&]() -> Status {
      // Invariant 4: what is sealed or flushed here holds commits up to the published one.
      BRAID_TRY(commit_sync_->sync());
      for (size_t i = 0; i < stores_.size(); ++i) {
        BRAID_TRY(LongCall::check(static_cast<double>(i) / static_cast<double>(stores_.size())));
        BRAID_TRY(stores_[i]->checkpoint_write());
      }
      return session.begin_write();
    });
  // What was committed while the stores wrote is the next checkpoint's.
  const bool covers_all = status.ok() && session.lsn() == published;
  if (status.ok()) {
    page_release_.kept_bytes = kept_bytes(space);
    status = caught([&]() -> Status {
      CommitRecord record;
      for (const auto& store : stores_) BRAID_TRY(store->checkpoint_install(session.catalog_writer(), record));
      BRAID_TRY(session.seal(std::move(record)));
      // Invariant 4: the tables' watermark is in this transaction; the graph's marker is durable already.
      const Lsn watermark = session.catalog_writer().state().series_watermark;
      const Lsn archived = archives() ? archive_->to() : watermark;
      BRAID_TRY(session.log().trim(std::min({store(StoreKind::kGraph).durable_marker(), watermark, archived})));
      BRAID_TRY(archive_chunks(session.catalog_writer()));
      session.set_checkpointing(true);
      return session.commit();
    });
    page_release_.kept_bytes.reset();
    session.set_checkpointing(false);
    if (session.state() == Session::State::kWriting) session.rollback().ignore();
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
  if (covers_all) last_checkpoint_ = session.lsn();
  return {};
}

/// Everything that was answered, durable first.
Status Engine::archive_commits() BRAID_REQUIRES(checkpoint_mutex_) {
  BRAID_TRY(commit_sync_->sync());
  const Status archived = caught([&] { return archive_->catch_up(commit_sync_->durable_lsn()).within("archive"); });
  // A failure must not be tried again with each commit.
  if (!archived.ok()) wal_copy_at_.store(vfs_->wal_size_bytes.load() + options_[OptionId::kWalSoftBytes], std::memory_order_relaxed);
  archive_fails_.store(!archived.ok(), std::memory_order_relaxed);
  MutexLock lock(background_mutex_);
  archive_failure_ = archived;
  return archived;
}

/// Chunks that the transaction, which holds the slot, makes.
Status Engine::archive_chunks(const CatalogWriter& catalog) {
  if (!archives()) return {};
  const auto newest = versions_.newest();
  for (const CatalogWriter::Change& change : catalog.changes()) {
    const ChunkId chunk(change.id);
    if (change.kind != CatalogWriter::Kind::kChunk || change.removed || newest->catalog->chunks.contains(chunk)) continue;
    BRAID_TRY(archive_->keep_chunk(chunk, newest->lsn).within("archive"));
  }
  return {};
}

Status Engine::prune_archive(Lsn lsn) {
  MutexLock lock(checkpoint_mutex_);
  return archives() ? archive_->prune(lsn).within("archive") : Status();
}

std::optional<Engine::ArchiveState> Engine::archive_state() {
  if (!archives()) return std::nullopt;
  MutexLock lock(background_mutex_);
  return ArchiveState{archive_->from(), archive_->to(), archive_->bytes(), archive_failure_};
}

bool Engine::archive_is_behind() const {
  return archive_fails_.load(std::memory_order_relaxed) && vfs_->wal_size_bytes.load(std::memory_order_relaxed) > options_[OptionId::kWalHardBytes];
}

Status Engine::wait_for_archive() {
  if (!archive_is_behind()) return {};
  MutexLock lock(checkpoint_mutex_);
  if (!archive_is_behind()) return {};
  // Whoever is to be refused tries again, so that writing goes on as soon as the archive can be written.
  return copy_wal(FreeSpace::kKept)
      .within(fmt::format("writes wait for the archive: {} bytes of the WAL are kept for it, wal_hard_bytes allows {}", vfs_->wal_size_bytes.load(std::memory_order_relaxed),
                          options_[OptionId::kWalHardBytes]));
}

/// SQLite 3.40.1 can lose a WAL reset that races with a commit, so only the holder of the slot copies the WAL. Readers that overlap
/// without end would let the WAL grow without end: past half of the hard bound the copy waits for them, with writers held off.
Status Engine::copy_wal(FreeSpace space) BRAID_REQUIRES(checkpoint_mutex_) {
  BRAID_ASSIGN(Session* const session, checkpoint_session());
  sqlite3* db = session->db();
  // Most of what is to be archived, while others write; the rest once they wait.
  if (archives()) BRAID_TRY(archive_commits());
  BRAID_TRY(slot_.acquire(busy_deadline()));
  std::optional<SlotHold> hold(std::in_place, slot_);
  if (archives()) BRAID_TRY(archive_commits());
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
    sqlite3_busy_timeout(db, kReaderWaitMs);
    code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_RESTART, &frames, &copied);
    sqlite3_busy_timeout(db, kForeignLockWaitMs);
    done = code == SQLITE_OK;
  }
  // Nobody is waited for: a reader that uses the WAL keeps it.
  if (code == SQLITE_OK && done && space == FreeSpace::kGivenBack) {
    sqlite3_busy_timeout(db, 0);
    code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, &frames, &copied);
    sqlite3_busy_timeout(db, kForeignLockWaitMs);
  }
  // While readers hold it, each try holds the writers off: the next one waits until the WAL has doubled.
  if (!done) next_bytes = std::max(next_bytes, 2 * size_bytes);
  wal_copy_at_.store(next_bytes, std::memory_order_relaxed);
  wal_copied_.store(done, std::memory_order_relaxed);
  if (done) vfs_->wal_copied_bytes.store(size_bytes, std::memory_order_relaxed);
  hold.reset();
  wal_copied_wake_.notify_all();
  if (code == SQLITE_OK || code == SQLITE_BUSY) return {};
  return sqlite_status(db, code, "copy the WAL");
}

uint64_t Engine::wal_bytes_to_copy() const {
  const int64_t copied = vfs_->wal_copied_bytes.load(std::memory_order_relaxed);
  return static_cast<uint64_t>(std::max<int64_t>(0, vfs_->wal_size_bytes.load(std::memory_order_relaxed) - copied));
}

void Engine::ask_for_wal_copy() {
  {
    MutexLock lock(background_mutex_);
    wants_wal_copy_ = true;
  }
  background_wake_.notify_one();
}

bool Engine::wal_is_held() const {
  return vfs_->wal_size_bytes.load(std::memory_order_relaxed) > options_[OptionId::kWalHardBytes] && !wal_copied_.load(std::memory_order_relaxed) &&
         !archive_is_behind();
}

Status Engine::wait_for_wal() {
  if (!wal_is_held()) return {};
  const Deadline deadline = busy_deadline();
  MutexLock lock(background_mutex_);
  while (wal_is_held()) {
    // Each try may hold the writers off for a while: all who wait ask for one a second together.
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_wal_wish_) {
      next_wal_wish_ = now + kWalWishInterval;
      wants_wal_copy_ = true;
      background_wake_.notify_one();
    }
    wal_copied_wake_.wait_until(lock.native(), std::min(deadline, next_wal_wish_));
    if (std::chrono::steady_clock::now() < deadline || !wal_is_held()) continue;
    return Status(StatusCode::kBusy, fmt::format("the WAL is past wal_hard_bytes ({}) and an older snapshot keeps it from being copied; finish "
                                                 "that snapshot (`stats` names it as oldest_snapshot)",
                                                 options_[OptionId::kWalHardBytes]));
  }
  return {};
}

Status Engine::wait_for_tail() {
  if (tail_bytes() < tail_bytes_max_) return {};
  Deadline deadline = busy_deadline();
  MutexLock lock(background_mutex_);
  uint64_t ended = checkpoints_ended_;
  while (tail_bytes() >= tail_bytes_max_) {
    if (checkpoints_ended_ != ended) {
      // The transaction may be one that makes room: `check_tail` refuses those that append.
      if (!checkpoint_failure_.ok()) return {};
      // Others have filled it again.
      ended = checkpoints_ended_;
      deadline = busy_deadline();
    }
    wants_checkpoint_ = true;
    background_wake_.notify_one();
    if (checkpoint_ended_.wait_until(lock.native(), deadline) != std::cv_status::timeout || tail_bytes() < tail_bytes_max_) continue;
    return Status(StatusCode::kBusy, fmt::format("unsealed points take {} bytes of {} (tail_bytes_max, and at most a quarter of memory_bytes_max), and sealing "
                                                 "them was not done within busy_timeout_ms; try again",
                                                 tail_bytes(), tail_bytes_max_));
  }
  return {};
}

Status Engine::check_tail() {
  if (tail_bytes() < tail_bytes_max_) return {};
  MutexLock lock(background_mutex_);
  if (checkpoint_failure_.ok()) return {};  // it filled up since the writer came: the next one waits
  return checkpoint_failure_.within(fmt::format("points cannot be appended: {} bytes of {} wait to be sealed (tail_bytes_max), which failed", tail_bytes(),
                                                tail_bytes_max_));
}

Status Engine::check_log(sqlite3* db, std::vector<std::string>& problems) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "PRAGMA integrity_check(100)"));
  for (;;) {
    auto more = rows.step();
    if (!more.ok()) {
      BRAID_TRY(LongCall::check());  // an interrupt is no damage
      problems.push_back("rows.db: " + more.status().message());
      break;
    }
    if (!*more) break;
    if (rows.bytes(0) != "ok") problems.push_back("rows.db: " + std::string(rows.bytes(0)));
  }
  {
    // A page that the WAL has anew is read from there, and may be torn in rows.db after a crash. What readers keep from being copied is left to
    // SQLite's check.
    MutexLock lock(checkpoint_mutex_);
    if (copy_wal(FreeSpace::kKept).ok() && wal_copied_.load(std::memory_order_relaxed))
      BRAID_TRY(LongCall::in_part(0.5, 0.4, [&] { return check_pages(db, problems); }));
  }
  const LongCall::Part rest(0.9, 0.1);
  BRAID_ASSIGN(auto foreign, sqlite_prepare(db, "PRAGMA foreign_key_check"));
  for (;;) {
    auto more = foreign.step();
    BRAID_TRY(LongCall::check());
    if (!more.ok() || !*more) break;
    problems.push_back(fmt::format("rows.db: row {} of table {} refers to a row that is not there", foreign.integer(1), foreign.bytes(0)));
  }
  Lsn expected;
  const Status read = read_log(db, Lsn(0), [&](Lsn lsn, std::string_view bytes) -> Status {
    BRAID_TRY(LongCall::check());
    if (expected != Lsn(0) && lsn != expected)
      problems.push_back(fmt::format("rows.db: the log has no row for commit {}", expected.value()));
    expected = lsn.next();
    if (const auto record = decode_commit_record(bytes); !record.ok())
      problems.push_back(fmt::format("rows.db: commit {}: {}", lsn.value(), record.status().message()));
    return {};
  });
  BRAID_TRY(LongCall::check());
  if (!read.ok()) problems.push_back("rows.db: " + read.message());
  for (const auto& store : stores_) {
    // The log is that of the snapshot, the store that of now: commits may have come since.
    const Lsn marker = store->durable_marker();
    if (marker >= expected && marker > versions_.newest()->lsn)
      problems.push_back(fmt::format("a store is at commit {}, after the end of the log at {}", marker.value(),
                                     expected.value() - 1));
  }
  return {};
}

}  // namespace braid
