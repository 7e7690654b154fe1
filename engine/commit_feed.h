// Who follows the commits, as they happen, with what each of them changed.
//
// While a feed is open each commit hands its changes to the feeds of its database, holding the writer slot and after it is published: so they come
// in the order of their LSNs, and can be read by whoever is told of them. A feed keeps what its reader has not taken, up to a bound. Past that it
// keeps nothing more until the reader has taken what there is: what was left out is told as one gap. No commit ever waits for a reader.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/catalog.h"
#include "engine/memory_budget.h"
#include "engine/mutex.h"
#include "engine/result.h"
#include "engine/row_changes.h"
#include "engine/types.h"

namespace braid {

/// What a commit changed. Never changed after it is handed to the feeds.
struct CommitChanges {
  CommitChanges() = default;
  CommitChanges(CommitChanges&&) = default;
  CommitChanges& operator=(CommitChanges&&) = default;

  Lsn lsn;
  Timestamp time;
  bool relaxed = false;  ///< it was answered before it was synced
  RowChanges rows;
  std::string record;  ///< of graph and series, encoded; empty: nothing
  // The definitions before and after it. Shared: with versions.
  std::shared_ptr<const CatalogState> before, after;
  MemoryShare memory;

  bool empty() const { return rows.empty() && record.empty() && before == after; }
  uint64_t bytes() const { return sizeof *this + rows.bytes() + record.size(); }
};

/// Threads: one takes; any may cancel.
class CommitFeed {
 public:
  struct Gap {
    Lsn first, last;
  };
  /// Changes, or where they are missing.
  struct Item {
    std::shared_ptr<const CommitChanges> changes;  // shared: with other feeds
    std::optional<Gap> gap;
  };

  explicit CommitFeed(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Commits up to this one are not told: they were there when the feed was opened.
  Lsn start() const { return start_; }
  /// The next one; nothing when none came until the deadline; kInterrupted once it was cancelled.
  Result<std::optional<Item>> next(std::chrono::steady_clock::time_point deadline);
  void cancel();

 private:
  friend class CommitFeeds;
  void push(const std::shared_ptr<const CommitChanges>& changes);
  void push_gap(Lsn first, Lsn last);
  void add(Item item, uint64_t bytes) BRAID_REQUIRES(mutex_);

  Lsn start_;  // set before anybody else knows the feed
  const uint64_t bytes_max_;
  Mutex mutex_;  // a leaf
  std::condition_variable changed_;
  std::deque<Item> queue_ BRAID_GUARDED_BY(mutex_);
  uint64_t bytes_ BRAID_GUARDED_BY(mutex_) = 0;
  std::optional<Gap> gap_ BRAID_GUARDED_BY(mutex_);  // after the queue, which takes nothing while there is one
  bool cancelled_ BRAID_GUARDED_BY(mutex_) = false;
};

/// Threads: all members may be called from any thread, except where one says so.
class CommitFeeds {
 public:
  explicit CommitFeeds(size_t feeds_max) : feeds_max_(feeds_max) {}

  /// Is anybody following?
  bool active() const { return active_.load(); }
  /// From the commit after `newest()` on, which is asked for under the lock that hands out commits. kLimit: there are feeds enough.
  Result<std::shared_ptr<CommitFeed>> open(const std::function<Lsn()>& newest, uint64_t bytes_max);
  void close(const std::shared_ptr<CommitFeed>& feed);

  // By the holder of the writer slot, in the order of LSNs:
  /// The changes are seen by new readers.
  void deliver(std::vector<CommitChanges> changes, const std::shared_ptr<MemoryBudget>& memory);
  /// The commits happened, and nobody caught what they changed.
  void miss(Lsn first, Lsn last);
  /// The changes will be seen later: they are kept until `release`.
  void hold(std::vector<CommitChanges> changes) { held_ = std::move(changes); }
  /// Nor were they caught.
  void hold_missed(Lsn first, Lsn last) { held_gap_ = CommitFeed::Gap{first, last}; }
  void release(const std::shared_ptr<MemoryBudget>& memory);

 private:
  const size_t feeds_max_;
  std::atomic<bool> active_{false};
  Mutex mutex_;  // before those of the feeds; nothing else is taken under it but VersionList's
  std::vector<std::shared_ptr<CommitFeed>> feeds_ BRAID_GUARDED_BY(mutex_);  // shared: with those who read them
  // Belong to the holder of the writer slot.
  std::vector<CommitChanges> held_;
  std::optional<CommitFeed::Gap> held_gap_;
};

}  // namespace braid
