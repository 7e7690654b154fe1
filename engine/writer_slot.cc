#include "engine/writer_slot.h"

#include <algorithm>

#include "engine/long_call.h"

namespace braid {

namespace {

/// How long a leader waits for batches that were there in the last group; a small part of what a sync takes.
constexpr std::chrono::microseconds kGatherTime(60);

/// How soon one who waits learns that its call is to end.
constexpr std::chrono::milliseconds kAskTime(10);

Status timed_out() {
  BRAID_TRY(LongCall::check());  // it was not the time
  return Status(StatusCode::kBusy,
                "another transaction is writing; the writer slot was not free within busy_timeout_ms");
}

/// Waits until it is posted. False after the deadline, or when the thread's call is to end.
bool sleep(WakeUp& wake, Deadline deadline) {
  if (!LongCall::asked()) return wake.wait_until(deadline);
  for (;;) {
    const Deadline now = std::chrono::steady_clock::now();
    if (wake.wait_until(std::min(deadline, now + kAskTime))) return true;
    if (now >= deadline || !LongCall::check().ok()) return false;
  }
}

}  // namespace

void WriterSlot::grant_next() {
  if (held_ || queue_.empty()) return;
  held_ = true;
  SlotWaiter* next = queue_.front();
  queue_.pop_front();
  next->state_ = SlotWaiter::State::kGranted;
  next->wake_.post();
}

void WriterSlot::enqueue(SlotWaiter& waiter) {
  queue_.push_back(&waiter);
  if (leader_waits_) arrival_.notify_one();
}

bool WriterSlot::wait(SlotWaiter& waiter, Deadline deadline) {
  if (sleep(waiter.wake_, deadline)) return true;
  {
    MutexLock lock(mutex_);
    if (waiter.state_ == SlotWaiter::State::kQueued) {
      std::erase(queue_, &waiter);
      return false;
    }
  }
  // It was granted or taken at the last moment: somebody holds its address and will post.
  waiter.wake_.wait();
  return true;
}

Status WriterSlot::acquire(Deadline deadline) {
  SlotWaiter self;
  {
    MutexLock lock(mutex_);
    if (!held_ && queue_.empty()) {
      held_ = true;
      return {};
    }
    enqueue(self);
  }
  return wait(self, deadline) ? Status() : timed_out();
}

void WriterSlot::release() {
  MutexLock lock(mutex_);
  held_ = false;
  grant_next();
}

Result<bool> WriterSlot::join(GroupMember& member, Deadline deadline) {
  SlotWaiter self;
  member.waiter_ = nullptr;
  {
    MutexLock lock(mutex_);
    if (!held_ && queue_.empty()) {
      held_ = true;
      return true;
    }
    self.member_ = &member;
    enqueue(self);
  }
  if (!wait(self, deadline)) return timed_out();
  if (self.state_ == SlotWaiter::State::kGranted) return true;
  for (SlotWaiter* child : {self.first_child_, self.second_child_})
    if (child != nullptr) child->wake_.post();
  return false;
}

bool WriterSlot::expects_more(size_t count) const {
  MutexLock lock(mutex_);
  return count < group_members_max_ && (count < expected_members_ || !queue_.empty());
}

GroupMember* WriterSlot::next_member(size_t count) {
  if (count >= group_members_max_) return nullptr;
  MutexLock lock(mutex_);
  if (queue_.empty() && count < expected_members_) {
    const Deadline limit = std::chrono::steady_clock::now() + kGatherTime;
    leader_waits_ = true;
    while (queue_.empty() && arrival_.wait_until(lock.native(), limit) != std::cv_status::timeout) {
    }
    leader_waits_ = false;
  }
  if (queue_.empty() || queue_.front()->member_ == nullptr) return nullptr;
  SlotWaiter* waiter = queue_.front();
  queue_.pop_front();
  waiter->state_ = SlotWaiter::State::kTaken;
  waiter->member_->waiter_ = waiter;
  return waiter->member_;
}

void WriterSlot::finish(std::span<GroupMember* const> members) {
  {
    MutexLock lock(mutex_);
    expected_members_ = members.size() + queue_.size();
  }
  // A tree over the members behind the leader: 1 wakes 2 and 3, which wake 4, 5, 6 and 7.
  for (size_t i = 1; i < members.size(); ++i) {
    if (2 * i < members.size()) members[i]->waiter_->first_child_ = members[2 * i]->waiter_;
    if (2 * i + 1 < members.size()) members[i]->waiter_->second_child_ = members[2 * i + 1]->waiter_;
  }
  if (members.size() > 1) members[1]->waiter_->wake_.post();
}

bool WriterSlot::busy() const {
  MutexLock lock(mutex_);
  return held_;
}

size_t WriterSlot::waiting() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

}  // namespace braid
