// Versions: what readers pin. Publish installs one per commit (or group); a reader holds it as long as it reads.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <set>

#include "engine/catalog.h"
#include "engine/mutex.h"
#include "engine/store.h"
#include "engine/writer_slot.h"

namespace braid {

enum class StoreKind : uint8_t { kGraph = 0, kSeries = 1 };
inline constexpr size_t kStoreCount = 2;

/// Rows, graph and series at one LSN (invariant 5): the rows are the SQLite read transaction that was at `lsn`.
struct Version {
  Lsn lsn;
  std::shared_ptr<const CatalogState> catalog;
  CatalogCounters counters;
  std::array<std::shared_ptr<const StoreView>, kStoreCount> views;
};

/// The versions that a reader may still ask for. Threads: all members may be called from any thread.
class VersionList {
 public:
  std::shared_ptr<const Version> newest() const;
  void install(std::shared_ptr<const Version> version);

  /// Announces that a reader is about to open a SQLite snapshot, so that the version of that snapshot is kept until it is taken.
  class Ticket {
   public:
    explicit Ticket(VersionList& list);
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

   private:
    VersionList& list_;
    std::multiset<Lsn>::iterator floor_;
  };

  /// The version at exactly `lsn`, waiting until it is published. kSnapshotTooOld when it is gone, kBusy after the deadline,
  /// the failure's status after `fail`.
  Result<std::shared_ptr<const Version>> at(Lsn lsn, Deadline deadline) const;
  /// Publishing failed after a commit: until a further version is installed, if any is, those who wait for one get this.
  void fail(Status status);
  /// LSN of the oldest version that anyone holds.
  Lsn oldest_held() const;

 private:
  mutable Mutex mutex_;
  mutable std::condition_variable installed_;
  std::deque<std::shared_ptr<const Version>> versions_ BRAID_GUARDED_BY(mutex_);  // ascending; the last is the newest
  mutable std::deque<std::weak_ptr<const Version>> handed_out_ BRAID_GUARDED_BY(mutex_);
  size_t handed_out_max_ BRAID_GUARDED_BY(mutex_) = 64;  // from so many on, those that nobody holds are looked for
  std::multiset<Lsn> floors_ BRAID_GUARDED_BY(mutex_);  // newest LSN when each ticket was taken
  Status failure_ BRAID_GUARDED_BY(mutex_);
};

}  // namespace braid
