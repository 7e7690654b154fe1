// Which commits are durable, and the sync that makes the others so.
//
// 1. The WAL holds commits in the order of their LSNs, each frame's checksum going on from the one before, so that a loss of power leaves a prefix
//    of them, and a sync makes all durable that were written before it.
// 2. A full commit is synced before it is answered. A relaxed one is answered when the operating system has its bytes (a killed process loses
//    nothing); a thread syncs it with all others at most an interval later.
// 3. Nothing derived from a commit reaches a disk before the commit is durable (DESIGN invariant 4): whoever writes such bytes, or takes away what
//    the commits before still need, calls `Env::sync_commits` first.
// 4. A failed sync poisons the Env (invariant 8), and is not tried again.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <string>
#include <thread>

#include "engine/mutex.h"
#include "engine/page_vfs.h"
#include "engine/result.h"
#include "engine/types.h"

namespace braid {

enum class Durability : uint8_t { kFull, kRelaxed };

/// Threads: all members may be called from any thread.
class CommitSync {
 public:
  /// `wal` is the path of the WAL, in which all up to `durable` is synced.
  CommitSync(PageVfs& vfs, std::string wal, std::chrono::milliseconds interval, Lsn durable);
  ~CommitSync() { stop(); }
  CommitSync(const CommitSync&) = delete;
  CommitSync& operator=(const CommitSync&) = delete;

  /// A commit is in the WAL. Both are called before anything of it is published.
  void note_written(Lsn lsn);
  /// The same, and it is synced, with all before it.
  void note_durable(Lsn lsn);

  /// Makes all durable that was noted before the call. Nothing to do is no sync.
  Status sync();
  Lsn durable_lsn() const { return Lsn(durable_shown_.load(std::memory_order_acquire)); }
  /// Ok, or why nothing may be written, with the commits that may be lost by it.
  Status check_writable();
  /// Ends the thread; `sync` may still be called.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  void move_durable(Lsn lsn) BRAID_REQUIRES(mutex_);
  Status refusal() BRAID_REQUIRES(mutex_);

  PageVfs& vfs_;
  const std::string wal_;
  const std::chrono::milliseconds interval_;
  std::atomic<uint64_t> durable_shown_;  // durable_, for those who only look

  Mutex mutex_;  // not held while syncing; only the Env's own is taken under it
  std::condition_variable wake_;    // the thread waits here
  std::condition_variable synced_;  // those who wait for another's sync
  Lsn written_ BRAID_GUARDED_BY(mutex_);
  Lsn durable_ BRAID_GUARDED_BY(mutex_);
  std::optional<Clock::time_point> since_ BRAID_GUARDED_BY(mutex_);  // when the first commit was written that no sync has begun for
  bool syncing_ BRAID_GUARDED_BY(mutex_) = false;
  bool idle_ BRAID_GUARDED_BY(mutex_) = false;  // the thread waits for a commit
  bool stop_ BRAID_GUARDED_BY(mutex_) = false;
  std::thread thread_ BRAID_GUARDED_BY(mutex_);  // started by the first relaxed commit
};

}  // namespace braid
