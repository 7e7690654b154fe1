// The one place for a writer: a queue, first come, first served. Batches that stand next to each other at its head are
// taken together, as the members of one group commit.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <vector>

#include "engine/mutex.h"
#include "engine/result.h"

namespace braid {

using Deadline = std::chrono::steady_clock::time_point;

/// A batch as the queue sees it; its owner waits until some leader has finished it.
class GroupMember {
 public:
  virtual ~GroupMember() = default;

 private:
  friend class WriterSlot;
  bool finished_ = false;                    // guarded by the slot's mutex
  std::condition_variable* wake_ = nullptr;  // guarded by the slot's mutex; its owner waits on it
};

/// Threads: all members may be called from any thread.
class WriterSlot {
 public:
  explicit WriterSlot(size_t group_members_max) : group_members_max_(group_members_max) {}

  /// Waits for the slot. kBusy after the deadline, saying for how long.
  Status acquire(Deadline deadline);
  void release();

  /// Queues a batch and waits until it is finished by another thread's group (the answer is then empty), or until it is first: the caller
  /// then holds the slot as leader of the group answered, which starts with its own member. kBusy after the deadline.
  Result<std::vector<GroupMember*>> acquire_group(GroupMember& member, Deadline deadline);
  /// Called by a leader: wakes the members' owners and frees the slot.
  void release_group(const std::vector<GroupMember*>& members);

  size_t waiting() const;

 private:
  struct Waiter {
    GroupMember* member;  // null: an interactive writer
    std::condition_variable wake;
    bool granted = false;
    bool taken = false;  // by a leader: its member is being run
  };
  void grant_next() BRAID_REQUIRES(mutex_);
  void gather_group(std::vector<GroupMember*>& group, std::unique_lock<std::mutex>& lock) BRAID_REQUIRES(mutex_);

  const size_t group_members_max_;
  mutable Mutex mutex_;
  bool held_ BRAID_GUARDED_BY(mutex_) = false;
  std::deque<Waiter*> queue_ BRAID_GUARDED_BY(mutex_);
  size_t expected_members_ BRAID_GUARDED_BY(mutex_) = 1;  // members of the last group and batches waiting at its end
  std::condition_variable arrival_;                       // a leader waits here for members that are about to come
};

}  // namespace braid
