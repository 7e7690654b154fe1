// The one place for a writer: a queue, first come, first served. Batches are committed in groups: the one that gets the slot leads, and
// takes those that wait behind it, and those that come while it works, as members of its group.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <span>

#include "engine/mutex.h"
#include "engine/result.h"
#include "engine/wake_up.h"

namespace braid {

using Deadline = std::chrono::steady_clock::time_point;

/// One that waits in the queue of a WriterSlot.
class SlotWaiter {
 private:
  friend class WriterSlot;
  enum class State : uint8_t { kQueued, kGranted, kTaken };

  class GroupMember* member_ = nullptr;  // null: an interactive writer
  State state_ = State::kQueued;         // guarded by the slot's mutex; constant once it is not queued
  // Set by the leader before the first of a group is woken: those that this one wakes in its turn.
  SlotWaiter* first_child_ = nullptr;
  SlotWaiter* second_child_ = nullptr;
  WakeUp wake_;
};

/// A batch as the queue sees it; its owner waits until some leader has finished it.
class GroupMember {
 public:
  virtual ~GroupMember() = default;

 private:
  friend class WriterSlot;
  SlotWaiter* waiter_ = nullptr;  // null: its owner leads
};

/// Threads: all members may be called from any thread; those for leaders only by the holder of the slot.
class WriterSlot {
 public:
  explicit WriterSlot(size_t group_members_max) : group_members_max_(group_members_max) {}

  /// Waits for the slot. kBusy after the deadline.
  Status acquire(Deadline deadline);
  void release();

  /// Queues a batch and waits until it is finished by another thread's group (the answer is then false), or until it is first: the caller
  /// then holds the slot as the leader of a group that starts with its own member. kBusy after the deadline.
  Result<bool> join(GroupMember& member, Deadline deadline);
  /// For a leader whose group has `count` members, its own included: whether more may come.
  bool expects_more(size_t count) const;
  /// The same: the batch that is next in the queue, or null when the group is to be committed. Waits a short time for batches of
  /// the last group that are about to come back.
  GroupMember* next_member(size_t count);
  /// For a leader, once: wakes the owners of its group, of which its own member is the first. They wake each other, so that this takes one
  /// wake-up's time; their batches may be gone when this returns.
  void finish(std::span<GroupMember* const> members);

  size_t waiting() const;
  bool busy() const;

 private:
  void grant_next() BRAID_REQUIRES(mutex_);
  void enqueue(SlotWaiter& waiter) BRAID_REQUIRES(mutex_);
  /// False after the deadline: the waiter is then out of the queue.
  bool wait(SlotWaiter& waiter, Deadline deadline);

  const size_t group_members_max_;
  mutable Mutex mutex_;
  bool held_ BRAID_GUARDED_BY(mutex_) = false;
  std::deque<SlotWaiter*> queue_ BRAID_GUARDED_BY(mutex_);
  size_t expected_members_ BRAID_GUARDED_BY(mutex_) = 1;  // members of the last group and batches waiting at its end
  bool leader_waits_ BRAID_GUARDED_BY(mutex_) = false;
  std::condition_variable arrival_;  // a leader waits here for members that are about to come
};

/// Whoever has acquired the slot, until destroyed.
class SlotHold {
 public:
  explicit SlotHold(WriterSlot& slot) : slot_(slot) {}
  ~SlotHold() { slot_.release(); }
  SlotHold(const SlotHold&) = delete;
  SlotHold& operator=(const SlotHold&) = delete;

 private:
  WriterSlot& slot_;
};

}  // namespace braid
