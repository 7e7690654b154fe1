#include "engine/session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/caught.h"
#include "engine/check.h"
#include "engine/commit_stamp.h"
#include "engine/publication.h"

namespace braid {

namespace {

/// Publishing takes microseconds; RocksDB was seen to stall one for 67 ms.
constexpr std::chrono::seconds kPublishWait(30);

int note_wal(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

Status behind() {
  return Status(StatusCode::kConflict, "another transaction has committed since this one began to read; roll back and begin again, for writing (BEGIN IMMEDIATE) "
                                       "if it will write");
}

/// A commit's own statements must not change what last_insert_rowid() answers.
class RowidKept {
 public:
  explicit RowidKept(sqlite3* db) : db_(db), rowid_(sqlite3_last_insert_rowid(db)) {}
  ~RowidKept() { sqlite3_set_last_insert_rowid(db_, rowid_); }
  RowidKept(const RowidKept&) = delete;
  RowidKept& operator=(const RowidKept&) = delete;

 private:
  sqlite3* db_;
  sqlite3_int64 rowid_;
};

bool is_io_error(int code) { return (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CORRUPT; }

}  // namespace

Result<std::unique_ptr<Session>> Session::open(Engine& engine, Owner owner) {
  std::unique_ptr<Session> session(new Session(engine, owner));
  engine.counters.sessions.fetch_add(1, std::memory_order_relaxed);
  BRAID_ASSIGN(session->db_, engine.open_rows());
  sqlite3* db = session->db();
  BRAID_TRY(register_participant(db, session.get()));
  BRAID_ASSIGN(session->log_, CommitLog::open(db));
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&session->begin_, "BEGIN"},
      {&session->begin_immediate_, "BEGIN IMMEDIATE"},
      {&session->commit_, "COMMIT"},
      {&session->rollback_, "ROLLBACK"},
      {&session->participate_, "INSERT INTO _braid_participant VALUES(1)"},
  };
  for (const auto& [statement, sql] : statements) {
    BRAID_ASSIGN(*statement, sqlite_prepare(db, sql));
  }
  sqlite3_wal_hook(db, note_wal, &session->wal_pages_);
  return session;
}

Session::~Session() {
  if (state_ != State::kIdle) rollback().ignore();
  capture_ = nullptr;
  if (log_ != nullptr) unpin();  // without it the session never opened
  engine_.counters.sessions.fetch_sub(1, std::memory_order_relaxed);
}

Status Session::begin_deferred() {
  const Internal internal(*this);
  const Uninterrupted uninterrupted(*this);
  BRAID_ASSERT(state_ == State::kIdle);
  unpin();
  BRAID_TRY(begin_.run());
  state_ = State::kReading;
  since_ = std::chrono::steady_clock::now();
  return {};
}

Status Session::begin_write(std::span<const std::string> savepoints) {
  BRAID_ASSERT(state_ != State::kWriting);
  BRAID_TRY(engine_.commit_sync().check_writable());
  if (owner_ == Owner::kUser) BRAID_TRY(engine_.wait_for_archive());
  if (owner_ == Owner::kUser) BRAID_TRY(engine_.wait_for_tail());
  BRAID_TRY(engine_.slot().acquire(engine_.busy_deadline()));
  holds_slot_ = true;
  const Status started = start_writing(savepoints);
  if (!started.ok()) {
    holds_slot_ = false;
    engine_.slot().release();
    // A statement that is interrupted while it writes takes the whole transaction with it.
    notice_rollback();
  }
  return started;
}

Status Session::begin_group() {
  BRAID_TRY(engine_.commit_sync().check_writable());
  return start_writing({});
}

/// The engine's own commits change no answer, so that what was read before them is what is read after. A statement that runs still reads the old snapshot.
bool Session::may_renew_snapshot() const {
  if (version_ == nullptr || version_->lsn < engine_.last_change()) return false;
  for (sqlite3_stmt* one = sqlite3_next_stmt(db(), nullptr); one != nullptr; one = sqlite3_next_stmt(db(), one))
    if (sqlite3_stmt_busy(one) != 0) return false;
  return true;
}

/// Nothing was written yet: the transaction begins again, at the newest snapshot.
Status Session::renew_snapshot(std::span<const std::string> savepoints) {
  BRAID_TRY(roll_back_sqlite());
  BRAID_TRY(begin_.run());
  for (const std::string& name : savepoints) BRAID_TRY(sqlite_run(db(), "SAVEPOINT " + quote_identifier(name)));
  version_ = engine_.versions().newest();
  return {};
}

/// What cannot begin to write leaves no SQLite transaction, whatever failed; what was read before goes on.
Status Session::start_writing(std::span<const std::string> savepoints) {
  const Internal internal(*this);
  const Uninterrupted uninterrupted(*this);
  const bool upgrading = state_ == State::kReading;
  const Status started = caught([&] { return write_on_sqlite(savepoints, upgrading); });
  if (!started.ok() && !upgrading) roll_back_sqlite().ignore();
  return started;
}

Status Session::write_on_sqlite(std::span<const std::string> savepoints, bool upgrading) {
  BRAID_TRY(engine_.publish_kept());
  // Holding the slot, every commit is published: the newest version is what SQLite's write transaction reads. What takes memory comes before it begins.
  auto newest = engine_.versions().newest();
  auto catalog_writer = std::make_unique<CatalogWriter>(engine_.catalog(), newest->catalog, newest->counters);
  if (!upgrading) BRAID_TRY(begin_immediate_.run());
  const RowidKept kept(db());
  Status joined = participate_.run();
  if (upgrading && joined.code() == StatusCode::kConflict && may_renew_snapshot()) {
    BRAID_TRY(renew_snapshot(savepoints));
    joined = participate_.run();
    // A later snapshot might have other answers than those that were read.
    if (!joined.ok()) roll_back_sqlite().ignore();
  }
  if (!joined.ok()) return joined.code() == StatusCode::kConflict ? behind() : joined;
  if (version_ != nullptr && version_->lsn != newest->lsn) return behind();
  catalog_writer_ = std::move(catalog_writer);
  if (!upgrading) log_->release_read();
  version_ = std::move(newest);
  catalog_sealed_ = 0;
  sealed_ = false;
  rows_grow_ = false;
  sealed_lsn_ = version_->lsn;
  first_lsn_ = sealed_lsn_.next();
  record_bytes_ = 0;
  state_ = State::kWriting;
  since_ = std::chrono::steady_clock::now();
  begin_capture();
  return {};
}

/// Nothing is caught, and nothing paid, while nobody follows.
void Session::begin_capture() {
  captures_ = owner_ == Owner::kUser && engine_.feeds().active();
  if (!captures_) {
    capture_ = nullptr;
    return;
  }
  // Without memory for it the commit is told as a gap.
  captures_ = caught([&]() -> Status {
                if (capture_ == nullptr) {
                  const auto bytes_max = static_cast<uint64_t>(engine_.options()[OptionId::kFeedCommitBytesMax]);
                  capture_ = std::make_unique<RowCapture>(db(), MemoryShare(engine_.memory(), MemoryUse::kFeeds), bytes_max);
                  if (on_capture_) on_capture_();
                }
                capture_->begin();
                return {};
              }).ok();
}

void Session::note_schema() {
  if (!captures_) return;
  const Internal internal(*this);
  const Uninterrupted uninterrupted(*this);
  capture_->note_schema(*version_->catalog, catalog_state());
}

/// What a log row holds, for those who follow. A checkpoint's points are none that are new.
void Session::keep_changes(const CommitRecord& record, std::string bytes) {
  note_schema();
  if (record.empty() || record.series.relogged) bytes.clear();
  CommitChanges& changes = changes_.emplace_back();
  changes.lsn = sealed_lsn_;
  changes.time = engine_.env().now();
  changes.rows = capture_->take();
  changes.record = std::move(bytes);
}

/// With the definitions of before and after, which the first of a group has: the others change none.
std::vector<CommitChanges> Session::take_changes() {
  auto before = version_->catalog;
  auto after = catalog_writer_->shared_state();
  for (CommitChanges& one : changes_) {
    one.relaxed = commit_durability() == Durability::kRelaxed;
    one.before = std::exchange(before, after);
    one.after = after;
  }
  std::erase_if(changes_, [](const CommitChanges& one) { return one.empty(); });
  return std::exchange(changes_, {});
}

void Session::tell_feeds(std::vector<CommitChanges> changes, const Status& published) {
  CommitFeeds& feeds = engine_.feeds();
  const bool is_kept = published.code() == StatusCode::kNotVisible;
  if (captures_) {
    if (published.ok()) feeds.deliver(std::move(changes), engine_.memory());
    if (is_kept) feeds.hold(std::move(changes));
  } else if (owner_ == Owner::kUser) {
    if (published.ok() && feeds.active()) feeds.miss(first_lsn_, sealed_lsn_);
    // Whoever opens a feed before it is seen begins before it.
    if (is_kept) feeds.hold_missed(first_lsn_, sealed_lsn_);
  }
}

StoreWriter& Session::writer(StoreKind kind) {
  const auto index = static_cast<size_t>(kind);
  if (writers_[index] == nullptr) {
    // A writer is there only with the mark that undoes it, whatever is thrown in between.
    auto begun = engine_.store(kind).begin(version_->views[index], *catalog_writer_);
    first_marks_[index] = begun->mark();
    writers_[index] = std::move(begun);
  }
  return *writers_[index];
}

const CatalogState& Session::catalog_state() const {
  return catalog_writer_ != nullptr ? catalog_writer_->state() : *version_->catalog;
}

Session::Marks Session::mark(int level) {
  Marks marks{.level = level, .catalog = catalog_writer_->mark(), .stores = {}};
  for (size_t i = 0; i < kStoreCount; ++i)
    if (writers_[i] != nullptr) marks.stores[i] = writers_[i]->mark();
  if (captures_) marks.rows = capture_->mark();
  return marks;
}

void Session::rollback_to(const Marks& marks) {
  for (size_t i = 0; i < kStoreCount; ++i)
    if (writers_[i] != nullptr) writers_[i]->rollback_to(marks.stores[i].value_or(first_marks_[i]));
  catalog_writer_->rollback_to(marks.catalog);
}

void Session::on_savepoint(int level) {
  if (catalog_writer_ == nullptr) return;
  on_release(level);
  marks_.push_back(mark(level));
}

void Session::on_release(int level) {
  while (!marks_.empty() && marks_.back().level >= level) marks_.pop_back();
}

void Session::on_rollback_to(int level) {
  if (catalog_writer_ == nullptr) return;
  while (!marks_.empty() && marks_.back().level > level) marks_.pop_back();
  // Below the level at which the participant joined nothing of this transaction remains.
  const bool known = !marks_.empty() && marks_.back().level == level;
  const Marks marks = known ? marks_.back() : Marks{.level = level, .catalog = 0, .stores = {}};
  rollback_to(marks);
  if (captures_) capture_->rollback_to(marks.rows);
}

int Session::on_sync() {
  if (state_ != State::kWriting || sealed_) return SQLITE_OK;
  const RowidKept kept(db());
  seal_error_ = caught([&] { return seal(); });
  return seal_error_.ok() ? SQLITE_OK : SQLITE_ERROR;
}

Status Session::seal(CommitRecord record) {
  const Internal internal(*this);
  for (const auto& writer : writers_)
    if (writer != nullptr) writer->take_changes(record);
  if (!record.series.relogged) BRAID_TRY(check_free_disk(record));
  if (record.series.appends && !record.series.relogged) BRAID_TRY(engine_.check_tail());
  const Lsn lsn = sealed_lsn_.next();
  const CommitStamp stamp = engine_.archives() ? CommitStamp{version_->lsn.next(), engine_.env().now()} : CommitStamp{};
  std::string bytes = encode_commit_record(record, stamp);
  if (static_cast<int64_t>(bytes.size()) > engine_.options()[OptionId::kTransactionBytesMax])
    return Status(StatusCode::kLimit, fmt::format("the transaction's log record has {} bytes, transaction_bytes_max allows {}",
                                                  bytes.size(), engine_.options()[OptionId::kTransactionBytesMax]));
  if (const int64_t most = sqlite3_limit(db(), SQLITE_LIMIT_LENGTH, -1); static_cast<int64_t>(bytes.size()) > most)
    return Status(StatusCode::kLimit, fmt::format("the transaction's log record has {} bytes; value_bytes_max, or the connection's restriction, allows {}", bytes.size(), most));
  BRAID_TRY(log_->append(lsn, catalog_writer_.get(), catalog_sealed_, bytes).within(fmt::format("commit {}: log", lsn.value())));
  catalog_sealed_ = catalog_writer_->changes().size();
  record_bytes_ += bytes.size();
  sealed_lsn_ = lsn;
  sealed_ = true;
  if (captures_) keep_changes(record, std::move(bytes));
  return {};
}

/// What takes away may make room, and needs some itself: the reserve.
Status Session::check_free_disk(const CommitRecord& record) {
  const auto reserve_bytes = static_cast<uint64_t>(engine_.options()[OptionId::kFreeDiskMin]);
  const auto grows = [](const auto& changes) {
    return std::any_of(changes.begin(), changes.end(), [](const auto& change) { return change.kind == ChangeKind::kPut || change.kind == ChangeKind::kRun; });
  };
  const bool rows_grow = std::exchange(rows_grow_, false);
  if (reserve_bytes == 0 || owner_ == Owner::kEngine) return {};
  if (!rows_grow && !record.series.appends && !grows(record.graph.nodes) && !grows(record.graph.edges)) return {};
  const std::string& directory = engine_.directory().path();
  BRAID_ASSIGN(const uint64_t free_bytes, engine_.env().free_bytes(directory));
  // What the WAL holds rows.db may need as much again for, until it is copied.
  const uint64_t wal_bytes = engine_.wal_bytes_to_copy();
  if (free_bytes < reserve_bytes + 2 * wal_bytes) engine_.ask_for_wal_copy();
  if (free_bytes >= reserve_bytes + wal_bytes) return {};
  return Status(StatusCode::kFull, fmt::format("{}: {} bytes of the disk are free, free_disk_min_bytes reserves {}, and {} of the WAL are still to be copied; rows, edges "
                                               "and points can be deleted and dropped, not added", directory, free_bytes, reserve_bytes, wal_bytes));
}

Status Session::check_limits() {
  if (state_ == State::kIdle) return {};
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since_).count();
  const Options& options = engine_.options();
  if (state_ == State::kReading) {
    if (age <= options[OptionId::kSnapshotAgeMax]) return {};
    return Status(StatusCode::kSnapshotTooOld, fmt::format("the snapshot is {} ms old, snapshot_age_max_ms allows {}; roll back and "
                                                           "begin again",
                                                           age, options[OptionId::kSnapshotAgeMax]));
  }
  if (age > options[OptionId::kTransactionTimeMax])
    return Status(StatusCode::kLimit, fmt::format("the transaction is {} ms old, transaction_time_max_ms allows {}; begin a new one", age,
                                                  options[OptionId::kTransactionTimeMax]));
  return check_staged();
}

Status Session::check_staged() {
  const Options& options = engine_.options();
  int64_t staged = 0;
  for (const auto& writer : writers_)
    if (writer != nullptr) staged += static_cast<int64_t>(writer->staged_bytes());
  // Once more while it is committed: its record, what is published, and what was staged are there together.
  constexpr uint64_t kCopies = 3;
  if (staged <= options[OptionId::kTransactionBytesMax]) return staged_memory_.grow_to(kCopies * static_cast<uint64_t>(staged));
  return Status(StatusCode::kLimit, fmt::format("the transaction holds {} bytes of graph changes and points, transaction_bytes_max "
                                                "allows {}; write in smaller ones",
                                                staged, options[OptionId::kTransactionBytesMax]));
}

/// The write path. The slot was queued for in begin_write; SQLite's COMMIT calls on_sync, which encodes and logs.
Status Session::commit(const std::function<void()>& durable) {
  const Internal internal(*this);
  const Uninterrupted uninterrupted(*this);
  if (state_ == State::kReading) {
    BRAID_TRY(commit_.run());
    finish(false);
    return {};
  }
  BRAID_ASSERT(state_ == State::kWriting);
  Status ready = check_limits();
  for (size_t i = 0; i < kStoreCount && ready.ok(); ++i)
    if (writers_[i] != nullptr) ready = engine_.store(static_cast<StoreKind>(i)).admit();
  if (!ready.ok()) {
    rollback().ignore();
    return ready.within("commit");
  }
  seal_error_ = {};
  const Durability durability = commit_durability();
  const int code = [&] {
    const PageVfs::Relaxed relaxed(engine_.vfs(), durability == Durability::kRelaxed);
    return sqlite3_step(commit_.get());
  }();
  const int extended_code = sqlite3_extended_errcode(db());
  sqlite3_reset(commit_.get());
  if (code != SQLITE_DONE) {
    // Invariant 1: what SQLite made durable is committed, whatever it answers.
    BRAID_ASSIGN(const bool happened, commit_happened());
    if (!happened) return commit_failed(extended_code);
  }
  note_committed(durability);
  if (owner_ == Owner::kUser && !keeps_answers_) engine_.note_change(sealed_lsn_);
  if (durable) durable();
  std::vector<CommitChanges> changes = captures_ ? take_changes() : std::vector<CommitChanges>();
  const Status published = publish(sealed_lsn_);
  tell_feeds(std::move(changes), published);
  engine_.note_commit(record_bytes_, wal_pages_);
  finish(false);
  return published;
}

void Session::note_committed(Durability durability) {
  if (durability == Durability::kFull)
    engine_.commit_sync().note_durable(sealed_lsn_);
  else
    engine_.commit_sync().note_written(sealed_lsn_);
}

Result<bool> Session::commit_happened() {
  if (sqlite3_get_autocommit(db()) == 0 || !sealed_) return false;
  auto newest = log_->newest();
  if (newest.ok()) return *newest == sealed_lsn_;
  engine_.env().poison(newest.status());
  finish(true);
  return Status(StatusCode::kUnknownOutcome,
                newest.status().message() + "; whether the commit happened is known after the database is reopened");
}

Status Session::commit_failed(int code) {
  const Status failure = seal_error_.ok() ? sqlite_status(db(), code, "commit") : seal_error_;
  if (is_io_error(code) || engine_.env().poisoned()) {
    // Invariant 8: whether the commit reached the disk is decided by the next open.
    engine_.env().poison(Status(StatusCode::kIo, "the commit before failed (" + failure.message() + ")"));
    rollback().ignore();
    return Status(StatusCode::kUnknownOutcome, failure.message() + "; whether it happened is known after the database is reopened");
  }
  // A deferred constraint or a statement that still runs leaves the transaction open, as in SQLite.
  if (sqlite3_get_autocommit(db()) == 0 && seal_error_.ok() && (code & 0xff) != SQLITE_FULL && (code & 0xff) != SQLITE_NOMEM) {
    sealed_ = false;
    return failure;
  }
  rollback().ignore();
  return failure;
}

Status Session::publish(Lsn lsn) {
  Publication publication(lsn, version_, std::move(catalog_writer_), std::move(writers_), checkpointing_);
  // The commit has happened, so that running out of memory here is no refusal.
  Status failure = caught([&] { return publication.run(engine_); });
  if (failure.ok()) {
    last_lsn_ = lsn;
    return {};
  }
  if (failure.code() == StatusCode::kFull && publication.may_wait()) {
    publication.hold(std::exchange(staged_memory_, staged_memory_.fresh()));
    const Status kept = caught([&] { return engine_.keep_publication(std::make_unique<Publication>(std::move(publication)), failure); });
    if (kept.code() == StatusCode::kNotVisible) return kept;
    failure = kept;
  }
  return engine_.fail_publication(lsn, failure);
}

Status Session::rollback() {
  const Internal internal(*this);
  const Uninterrupted uninterrupted(*this);
  Status status;
  if (sqlite3_get_autocommit(db()) == 0) status = roll_back_sqlite();
  finish(true);
  return status;
}

/// An interrupt may hit ROLLBACK too, which then has done nothing: SQLite would keep a transaction that the session has ended.
Status Session::roll_back_sqlite() {
  constexpr int kAttemptsMax = 100;
  Status status;
  for (int attempt = 0; attempt < kAttemptsMax && sqlite3_get_autocommit(db()) == 0; ++attempt) status = rollback_.run();
  return sqlite3_get_autocommit(db()) == 0 ? status : Status();
}

bool Session::notice_rollback() {
  if (state_ == State::kIdle || sqlite3_get_autocommit(db()) == 0) return false;
  finish(true);
  return true;
}

void Session::discard_writers(bool undo) {
  for (size_t i = 0; i < kStoreCount; ++i) {
    // Cursors that outlive the transaction hold its overlay; undoing it tells them that it is gone.
    if (undo && writers_[i] != nullptr) writers_[i]->rollback_to(first_marks_[i]);
    writers_[i] = nullptr;
  }
  catalog_writer_ = nullptr;
  marks_.clear();
  staged_memory_.clear();
}

void Session::finish(bool undo) {
  discard_writers(undo);
  if (captures_) capture_->end(undo);
  captures_ = false;
  changes_.clear();
  version_ = nullptr;
  transaction_durability_.reset();
  log_->release_read();
  state_ = State::kIdle;
  if (!holds_slot_) return;
  holds_slot_ = false;
  engine_.slot().release();
}

Status Session::pin() {
  if (version_ != nullptr) return {};
  const Internal internal(*this);
  BRAID_ASSERT(state_ != State::kWriting);
  BRAID_TRY(engine_.wait_for_wal());
  const VersionList::Ticket ticket(engine_.versions());
  BRAID_ASSIGN(const Lsn lsn, log_->hold_read());
  // In a transaction BEGIN holds the snapshot; outside one the reading statement stays open to hold it.
  if (state_ == State::kReading) log_->release_read();
  // A commit that is answered is about to be published: waiting for it has nothing to do with waiting for a writer.
  auto version = engine_.versions().at(lsn, std::max(engine_.busy_deadline(), std::chrono::steady_clock::now() + kPublishWait));
  if (!version.ok()) {
    log_->release_read();
    return version.status();
  }
  version_ = version.take();
  return {};
}

void Session::unpin() {
  if (state_ != State::kIdle) return;
  version_ = nullptr;
  if (log_ != nullptr) log_->release_read();  // null when opening the session failed
}

}  // namespace braid
