// One SQLite connection and the transaction that lives on it. Everything that writes goes through `commit`.
//
//              begin_deferred                 begin_write (upgrade)
//   kIdle ───────────────────────▶ kReading ─────────────────────────▶ kWriting
//     │ ▲                             │                                  │  │
//     │ └──── commit, rollback ───────┘                                  │  │
//     ├──────────────────────── begin_write ─────────────────────────────▶  │
//     └◀──────────── commit, rollback, notice_rollback (SQLite's own) ──────┘
//
// A session in kIdle may hold a pin for a SELECT that runs outside a transaction (`pin`, `unpin`).
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/commit_log.h"
#include "engine/engine.h"
#include "engine/memory_budget.h"
#include "engine/result.h"
#include "engine/row_capture.h"
#include "engine/sqlite_handle.h"
#include "engine/store.h"
#include "engine/version.h"

namespace braid {

/// One thread at a time.
class Session {
  /// Counts the scopes that are open.
  class Nested {
   public:
    explicit Nested(int& depth) : depth_(depth) { ++depth_; }
    ~Nested() { --depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    int& depth_;
  };

 public:
  enum class State : uint8_t { kIdle, kReading, kWriting };

  /// An engine's own session waits for nothing that it does itself.
  enum class Owner : uint8_t { kUser, kEngine };
  static Result<std::unique_ptr<Session>> open(Engine& engine, Owner owner = Owner::kUser);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  sqlite3* db() const { return db_.get(); }
  Engine& engine() const { return engine_; }
  State state() const { return state_; }

  /// BEGIN: a read transaction that takes its snapshot at its first statement.
  Status begin_deferred();
  /// Takes the writer slot and opens SQLite's write transaction, from kIdle or by upgrading kReading.
  /// kBusy; kConflict when the snapshot that was read is behind a commit of a user, or behind one of the engine's own while a statement runs; kReadOnly
  /// when poisoned. `savepoints` are those that a transaction in kReading has, outermost first.
  Status begin_write(std::span<const std::string> savepoints = {});
  /// The same for a leader who holds the slot already.
  Status begin_group();
  /// queue → encode → commit → publish. See the codes of braid_commit. `durable` is called in between, when the commit is as durable as it is to be
  /// but not published: who reads then waits until it is.
  Status commit(const std::function<void()>& durable = {});
  Status rollback();
  /// How the transactions of this session are committed. Full ones unless it was said.
  void set_durability(Durability durability) { durability_ = durability; }
  /// How the open transaction is committed, whatever is said for the session.
  void set_transaction_durability(Durability durability) { transaction_durability_ = durability; }
  /// How the open transaction is committed, or the next one.
  Durability commit_durability() const { return transaction_durability_.value_or(durability_); }
  /// After a failed statement: follows SQLite when it has rolled the transaction back by itself. True when it has.
  bool notice_rollback();

  /// Makes this connection's reads of graph and series those of its SQLite snapshot (invariant 5).
  Status pin();
  /// Ends a pin taken in kIdle, when no statement is running any more.
  void unpin();
  bool pinned() const { return version_ != nullptr; }

  /// Encodes what was staged since the last call, plus `record`, as the next log row. Called by the participant at COMMIT, and once
  /// per member in a group.
  Status seal(CommitRecord record = {});
  CommitLog& log() { return *log_; }
  /// From now on what is committed changes no answer but those about the database's upkeep: it is no conflict for those who have read.
  void set_keeps_answers(bool on) { keeps_answers_ = on; }
  /// The transaction may make rows.db larger, so that it is refused while the disk has less than its reserve.
  void note_growth() { rows_grow_ = true; }

  /// The snapshot's, or the newest commit of this session.
  Lsn lsn() const { return version_ != nullptr ? version_->lsn : last_lsn_; }
  /// The LSN given by the last seal.
  Lsn sealed_lsn() const { return sealed_lsn_; }

  /// The catalog as this transaction sees it. Valid while pinned or writing.
  const CatalogState& catalog_state() const;
  std::shared_ptr<const StoreView> view(StoreKind kind) const { return version_->views[static_cast<size_t>(kind)]; }
  /// Only in kWriting.
  /// As catalog_state, of the newest commit that is seen.
  std::shared_ptr<const CatalogState> shared_catalog_state() const { return version_->catalog; }
  CatalogWriter& catalog_writer() { return *catalog_writer_; }
  StoreWriter& writer(StoreKind kind);
  /// The writer if something was staged or read through it, else null.
  StoreWriter* writer_if_any(StoreKind kind) const { return writers_[static_cast<size_t>(kind)].get(); }

  /// kLimit when the transaction is too large or too old, or its memory is not to be had; kSnapshotTooOld when its snapshot is too old.
  Status check_limits();

  /// While somebody follows the commits: called before a statement begins and when it is done, so that what it made and dropped is told in its place.
  void note_schema();
  /// Called when row changes begin to be caught: statements that were prepared before must be prepared again, since SQLite then tells of rows that
  /// `DELETE FROM t` would take without looking at them.
  void on_capture(std::function<void()> act) { on_capture_ = std::move(act); }

  /// Only in kWriting: for how long.
  std::chrono::milliseconds writing_for() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since_);
  }

  /// What is staged now, to return to: for a statement that stages changes though SQLite takes it for a reading one.
  struct Marks {
    int level;
    uint64_t catalog;
    std::array<std::optional<uint64_t>, kStoreCount> stores;
    RowCapture::Mark rows{};
  };
  Marks mark(int level = 0);
  /// Rows are undone by SQLite, which tells the participant; so those that were caught stay.
  void rollback_to(const Marks& marks);

  /// Savepoint callbacks of the participant; `level` is SQLite's.
  void on_savepoint(int level);
  void on_release(int level);
  void on_rollback_to(int level);
  int on_sync();

  /// While one lives, the statements that run are the engine's own: the users' authorizer lets them pass, also when a schema
  /// change makes SQLite prepare them again.
  class Internal : Nested {
   public:
    explicit Internal(Session& session) : Nested(session.internal_depth_) {}
  };
  bool internal() const { return internal_depth_ > 0; }

  /// While one lives, the progress handler lets SQLite go on. SQLite asks it also when a statement is done: a COMMIT that had happened would
  /// be reported as interrupted, and a BEGIN or SAVEPOINT would stay behind.
  class Uninterrupted : Nested {
   public:
    explicit Uninterrupted(Session& session) : Nested(session.uninterrupted_depth_) {}
  };
  bool uninterrupted() const { return uninterrupted_depth_ > 0; }

  /// Called by the checkpoint inside its own transaction: published with it.
  void set_checkpointing(bool on) { checkpointing_ = on; }

 private:
  Session(Engine& engine, Owner owner) : engine_(engine), owner_(owner), staged_memory_(engine.memory(), MemoryUse::kTransactions) {}
  Status check_staged();
  Status start_writing(std::span<const std::string> savepoints);
  Status write_on_sqlite(std::span<const std::string> savepoints, bool upgrading);
  bool may_renew_snapshot() const;
  Status renew_snapshot(std::span<const std::string> savepoints);
  Status roll_back_sqlite();
  Status publish(Lsn lsn);
  void begin_capture();
  void keep_changes(const CommitRecord& record, std::string bytes);
  std::vector<CommitChanges> take_changes();
  void tell_feeds(std::vector<CommitChanges> changes, const Status& published);
  Status check_free_disk(const CommitRecord& record);
  void note_committed(Durability durability);
  void finish(bool undo);
  void discard_writers(bool undo);
  Status commit_failed(int code);
  /// After COMMIT answered an error and SQLite has no transaction any more: whether it happened all the same.
  Result<bool> commit_happened();

  Engine& engine_;
  const Owner owner_;
  MemoryShare staged_memory_;
  SqliteHandle db_;
  std::unique_ptr<CommitLog> log_;
  SqliteStatement begin_, begin_immediate_, commit_, rollback_, participate_;
  State state_ = State::kIdle;
  int internal_depth_ = 0;
  int uninterrupted_depth_ = 0;
  bool holds_slot_ = false;
  bool sealed_ = false;
  bool rows_grow_ = false;
  bool checkpointing_ = false;
  Durability durability_ = Durability::kFull;
  std::optional<Durability> transaction_durability_;
  std::shared_ptr<const Version> version_;  // shared: a version lives as long as anyone reads it
  std::chrono::steady_clock::time_point since_;
  std::unique_ptr<CatalogWriter> catalog_writer_;
  std::array<std::unique_ptr<StoreWriter>, kStoreCount> writers_;
  std::array<uint64_t, kStoreCount> first_marks_{};
  std::vector<Marks> marks_;
  size_t catalog_sealed_ = 0;
  Lsn first_lsn_;  // of the log rows that the transaction seals
  Lsn sealed_lsn_;
  Lsn last_lsn_;
  uint64_t record_bytes_ = 0;
  int wal_pages_ = 0;
  Status seal_error_;
  bool keeps_answers_ = false;
  std::function<void()> on_capture_;
  std::unique_ptr<RowCapture> capture_;   // while somebody follows the commits
  bool captures_ = false;                 // what the open transaction changes
  std::vector<CommitChanges> changes_;    // of the log rows that it has sealed
};

/// Registers the hidden virtual table whose transaction callbacks tie the staging to SQLite's transaction (DESIGN section 3).
Status register_participant(sqlite3* db, Session* session);

}  // namespace braid
