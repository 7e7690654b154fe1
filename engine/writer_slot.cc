#include "engine/writer_slot.h"

namespace braid {

namespace {

/// How long a leader waits for batches that were there in the last group; a small part of what a sync takes.
constexpr std::chrono::microseconds kGatherTime(60);

Status timed_out() {
  return Status(StatusCode::kBusy,
                "another transaction is writing; the writer slot was not free within busy_timeout_ms");
}

}  // namespace

void WriterSlot::grant_next() {
  if (held_ || queue_.empty()) return;
  held_ = true;
  Waiter* next = queue_.front();
  queue_.pop_front();
  next->granted = true;
  next->wake.notify_one();
}

Status WriterSlot::acquire(Deadline deadline) {
  MutexLock lock(mutex_);
  if (!held_ && queue_.empty()) {
    held_ = true;
    return {};
  }
  Waiter self{.member = nullptr, .wake = {}};
  queue_.push_back(&self);
  while (!self.granted) {
    if (self.wake.wait_until(lock.native(), deadline) != std::cv_status::timeout || self.granted) continue;
    std::erase(queue_, &self);
    return timed_out();
  }
  return {};
}

void WriterSlot::release() {
  MutexLock lock(mutex_);
  held_ = false;
  grant_next();
}

void WriterSlot::gather_group(std::vector<GroupMember*>& group, std::unique_lock<std::mutex>& lock) {
  const auto take = [&] {
    while (group.size() < group_members_max_ && !queue_.empty() && queue_.front()->member != nullptr) {
      Waiter* waiter = queue_.front();
      queue_.pop_front();
      waiter->taken = true;
      group.push_back(waiter->member);
    }
  };
  take();
  const Deadline limit = std::chrono::steady_clock::now() + kGatherTime;
  while (group.size() < expected_members_ && group.size() < group_members_max_) {
    if (!queue_.empty() && queue_.front()->member == nullptr) break;
    if (arrival_.wait_until(lock, limit) == std::cv_status::timeout) {
      take();
      break;
    }
    take();
  }
}

Result<std::vector<GroupMember*>> WriterSlot::acquire_group(GroupMember& member, Deadline deadline) {
  MutexLock lock(mutex_);
  member.finished_ = false;
  member.wake_ = nullptr;
  std::vector<GroupMember*> group;
  if (held_ || !queue_.empty()) {
    Waiter self{.member = &member, .wake = {}};
    member.wake_ = &self.wake;
    queue_.push_back(&self);
    arrival_.notify_one();
    // The waiter leaves the queue when it is granted or taken, so nobody points at it after this block.
    while (!self.granted && !self.taken) {
      if (self.wake.wait_until(lock.native(), deadline) != std::cv_status::timeout || self.granted || self.taken) continue;
      std::erase(queue_, &self);
      return timed_out();
    }
    if (self.taken) {
      while (!member.finished_) self.wake.wait(lock.native());
      return group;
    }
  } else {
    held_ = true;
  }
  member.wake_ = nullptr;  // a leader waits no more; what it waited on is gone
  group.push_back(&member);
  gather_group(group, lock.native());
  return group;
}

void WriterSlot::release_group(const std::vector<GroupMember*>& members) {
  MutexLock lock(mutex_);
  expected_members_ = members.size() + queue_.size();
  for (GroupMember* member : members) {
    member->finished_ = true;
    if (member->wake_ != nullptr) member->wake_->notify_one();
  }
  held_ = false;
  grant_next();
}

size_t WriterSlot::waiting() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

}  // namespace braid
