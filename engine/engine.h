// A database that is open: the parts that a commit needs, built once and handed to whoever needs them.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "engine/catalog.h"
#include "engine/commit_feed.h"
#include "engine/commit_sync.h"
#include "engine/directory.h"
#include "engine/env.h"
#include "engine/free_pages.h"
#include "engine/memory_budget.h"
#include "engine/options.h"
#include "engine/page_vfs.h"
#include "engine/publication.h"
#include "engine/result.h"
#include "engine/sqlite_handle.h"
#include "engine/store.h"
#include "engine/version.h"
#include "engine/writer_slot.h"

namespace braid {

class Archive;
class Session;

/// What a store is opened with; all of it outlives the store but for `state`.
struct StoreContext {
  Env& env;
  const Catalog& catalog;
  const Directory& directory;
  const Options& options;
  const CatalogState& state;
  CatalogCounters counters;
  Lsn log_begin;                        ///< the first commit that can be replayed
  std::shared_ptr<MemoryBudget> memory;  ///< shared: views keep it
};

/// How the two stores are made; given by `api/database.cc`, the only place that knows them.
struct StoreFactories {
  std::function<Result<std::unique_ptr<Store>>(const StoreContext&)> graph, series;
  /// Memory of unsealed points, asked after each commit.
  std::function<uint64_t(const Store& series)> tail_bytes;
};

/// Threads: all members may be called from any thread, except where one says so.
class Engine {
 public:
  /// Opens or creates the database in `path` and brings the stores up to date with the log (invariants 2 to 4).
  /// `hook` may be null; it outlives the engine.
  static Result<std::unique_ptr<Engine>> open(const std::string& path, const Options& options, const StoreFactories& factories,
                                              FileHook* hook = nullptr, CopyState accepted = CopyState::kFinished);
  /// Writes a last checkpoint unless `close` was called, and waits for background work.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// A last checkpoint; no session but the engine's own may be open. A failure loses nothing: the next open replays.
  Status close();

  /// Opens a SQLite connection to rows.db with the settings that every connection has.
  Result<SqliteHandle> open_rows() const { return open_rows(false); }

  /// Flushes the graph, seals the tails, copies the WAL and trims the log. One at a time.
  Status checkpoint(FreeSpace space = FreeSpace::kKept);

  /// What is archived; none with archive=off.
  struct ArchiveState {
    Lsn from;  ///< a backup of this commit or a later one can be brought forward
    Lsn to;    ///< to this one
    uint64_t bytes = 0;
    Status failure;  ///< of the last attempt to write to it
  };
  std::optional<ArchiveState> archive_state();
  bool archives() const { return archive_ != nullptr; }
  /// Removes what only backups of commits before `lsn` need.
  Status prune_archive(Lsn lsn);
  /// Before the slot is taken: the archive's failure, tried again, when it keeps more of the WAL than wal_hard_bytes.
  Status wait_for_archive();

  /// Lets the series put their chunks in order, one rewrite after the other: what is worth it, or everything of one hypertable. Returns how many
  /// were made. `between` is asked between two parts of the work; not OK ends it. Not inside a write transaction.
  Result<uint64_t> rewrite(const RewriteWish& wish, const std::function<Status()>& between);

  /// Makes every commit that was answered durable. Returns the newest LSN that is.
  Result<Lsn> sync_commits();
  CommitSync& commit_sync() { return *commit_sync_; }
  CommitFeeds& feeds() { return feeds_; }

  Deadline busy_deadline() const;

  Env& env() { return env_; }
  const Options& options() const { return options_; }
  const Directory& directory() const { return *directory_; }
  Catalog& catalog() { return catalog_; }
  VersionList& versions() { return versions_; }
  WriterSlot& slot() { return slot_; }
  Store& store(StoreKind kind) { return *stores_[static_cast<size_t>(kind)]; }
  PageVfs& vfs() { return *vfs_; }

  /// Called by a session after its commit is published: starts background work when a bound is passed.
  void note_commit(uint64_t record_bytes, int wal_pages);

  /// A commit that a full disk keeps from being published: until it is, nothing else is committed, and who would read it gets `why`. Answers kNotVisible.
  /// These five are called by the holder of the slot.
  Status keep_publication(std::unique_ptr<Publication> publication, const Status& why);
  /// Publishes it when there is room. kFull while there is none; ok when nothing is kept.
  Status publish_kept();
  /// The commit can be published by opening the database again only.
  Status fail_publication(Lsn lsn, const Status& why);
  /// The newest commit that was not the engine's own: one that may have changed what readers are answered.
  Lsn last_change() const { return last_change_; }
  void note_change(Lsn lsn) { last_change_ = lsn; }

  /// Waits while the WAL is past wal_hard_bytes and not copied: a new snapshot would let it grow on. kBusy after the busy timeout.
  Status wait_for_wal();
  /// Whether the WAL is past its hard bound, and what is open keeps it from being copied.
  bool wal_is_held() const;
  /// Bytes of the WAL that rows.db does not have yet, about.
  uint64_t wal_bytes_to_copy() const;
  void ask_for_wal_copy();

  /// Before the slot is taken: waits while the tail is full, until a checkpoint has sealed it or failed. kBusy after the busy timeout.
  Status wait_for_tail();
  /// For a commit that appends points: why the tail, which is full, cannot be sealed; or ok.
  Status check_tail();

  /// Shared: with what holds memory.
  const std::shared_ptr<MemoryBudget>& memory() const { return memory_; }
  bool read_only() const { return env_.read_only(); }

  struct Counters {
    std::atomic<uint64_t> commits{0}, groups{0}, group_members{0}, checkpoints{0}, replayed{0}, sessions{0};
  };
  Counters counters;  // statistics: no order needed

  /// Markers against the log, and SQLite's own check; adds a line per damage. `db` is a connection that knows every function which the
  /// schema may use.
  Status check_log(sqlite3* db, std::vector<std::string>& problems);

 private:
  Engine(const Options& options, FileHook* hook);
  Result<SqliteHandle> open_rows(bool creating) const;
  Status create_rows();
  Status recover();
  Status recover_or_tell(const std::string& path);
  Status open_recovered();
  Status open_stores(bool unclean);
  Result<bool> replay(Lsn newest);
  /// The checkpoint's own session, made when it is first needed.
  Result<Session*> checkpoint_session();
  Status checkpoint_stores(FreeSpace space);
  Status give_back_pages(FreeSpace space);
  uint64_t kept_bytes(FreeSpace space) const;
  uint64_t tail_bytes() const { return factories_.tail_bytes(*stores_[static_cast<size_t>(StoreKind::kSeries)]); }
  void ask_for_checkpoint();
  void note_checkpoint(const Status& status);
  Status copy_wal(FreeSpace space);
  Status open_archive();
  Status archive_commits();
  Status archive_chunks(const CatalogWriter& catalog);
  bool archive_is_behind() const;
  bool is_closing();
  bool keeps_publication();
  Result<std::unique_ptr<StoreRewrite>> begin_rewrite(const RewriteWish& wish);
  Status run_rewrite(StoreRewrite& rewrite, const std::function<Status()>& between);
  Status between_rewrites();
  struct Work {
    bool checkpoint = false, wal_copy = false, publication = false;
  };
  /// Waits for work, not longer than `until`. Nothing when the engine closes.
  std::optional<Work> next_work(std::chrono::steady_clock::time_point until);
  void run_background();
  Status do_work(const Work& work);
  Status publish_kept_alone();

  Env env_;
  const Options options_;
  const std::shared_ptr<MemoryBudget> memory_;
  const uint64_t tail_bytes_max_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<PageVfs> vfs_;
  std::unique_ptr<CommitSync> commit_sync_;  // made by recovery, before the stores write
  Catalog catalog_;
  std::array<std::unique_ptr<Store>, kStoreCount> stores_;
  VersionList versions_;
  CommitFeeds feeds_;
  WriterSlot slot_;
  StoreFactories factories_;

  Mutex rewrite_mutex_;  // one rewrite at a time; before checkpoint_mutex_
  std::unique_ptr<Session> rewrite_session_ BRAID_GUARDED_BY(rewrite_mutex_);
  Mutex checkpoint_mutex_;  // one checkpoint at a time
  PageRelease page_release_ BRAID_GUARDED_BY(checkpoint_mutex_);  // of the next session
  std::unique_ptr<Session> checkpoint_session_ BRAID_GUARDED_BY(checkpoint_mutex_);
  Lsn last_checkpoint_ BRAID_GUARDED_BY(checkpoint_mutex_);
  std::unique_ptr<Archive> archive_;  // null: none is kept; constant once it is open; checkpoint_mutex_ lets one in

  std::atomic<uint64_t> log_bytes_{0};
  std::atomic<int64_t> wal_copy_at_;     // size of the WAL at which it is copied; a hint: no order needed
  std::atomic<bool> wal_copied_{true};  // by the last copy, entirely; a hint: no order needed
  std::atomic<bool> archive_fails_{false};  // a hint: no order needed
  Mutex background_mutex_;
  std::condition_variable background_wake_;
  std::condition_variable wal_copied_wake_;  // with background_mutex_
  bool background_stop_ BRAID_GUARDED_BY(background_mutex_) = false;
  bool wants_checkpoint_ BRAID_GUARDED_BY(background_mutex_) = false;
  bool wants_wal_copy_ BRAID_GUARDED_BY(background_mutex_) = false;
  std::chrono::steady_clock::time_point next_wal_wish_ BRAID_GUARDED_BY(background_mutex_);  // of those who wait for the copy
  std::condition_variable checkpoint_ended_;  // with background_mutex_
  uint64_t checkpoints_ended_ BRAID_GUARDED_BY(background_mutex_) = 0;
  Status checkpoint_failure_ BRAID_GUARDED_BY(background_mutex_);  // of the last one
  Status archive_failure_ BRAID_GUARDED_BY(background_mutex_);     // of the last attempt
  std::unique_ptr<MemoryBudget::GiveUp> give_up_;
  std::thread background_;
  bool closed_ = false;

  std::unique_ptr<Publication> kept_;  // belongs to the holder of the writer slot, like last_change_
  Lsn last_change_;
  bool keeps_publication_ BRAID_GUARDED_BY(background_mutex_) = false;  // as `kept_`
};

}  // namespace braid
