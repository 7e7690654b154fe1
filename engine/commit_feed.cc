#include "engine/commit_feed.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/caught.h"

namespace braid {

Result<std::optional<CommitFeed::Item>> CommitFeed::next(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  bool late = false;
  for (;;) {
    if (cancelled_) return Status(StatusCode::kInterrupted, "the feed was cancelled");
    if (!queue_.empty()) {
      Item item = std::move(queue_.front());
      queue_.pop_front();
      bytes_ -= item.gap ? sizeof(Item) : item.changes->bytes();
      return std::optional<Item>(std::move(item));
    }
    if (gap_) return std::optional<Item>(Item{nullptr, std::exchange(gap_, std::nullopt)});
    if (late) return std::optional<Item>();
    if (deadline == std::chrono::steady_clock::time_point::max())
      changed_.wait(lock.native());
    else
      late = changed_.wait_until(lock.native(), deadline) == std::cv_status::timeout;
  }
}

void CommitFeed::cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

/// What comes after a gap must not be told before it.
void CommitFeed::add(Item item, uint64_t bytes) {
  const Gap gap = item.gap ? *item.gap : Gap{item.changes->lsn, item.changes->lsn};
  const bool kept = !gap_ && bytes_ + bytes <= bytes_max_ && caught([&]() -> Status {
                                                               queue_.push_back(std::move(item));
                                                               return {};
                                                             }).ok();
  if (kept)
    bytes_ += bytes;
  else
    gap_ = Gap{gap_ ? gap_->first : gap.first, gap.last};
  changed_.notify_all();
}

void CommitFeed::push(const std::shared_ptr<const CommitChanges>& changes) {
  MutexLock lock(mutex_);
  if (changes->lsn > start_) add({changes, {}}, changes->bytes());
}

void CommitFeed::push_gap(Lsn first, Lsn last) {
  MutexLock lock(mutex_);
  if (last > start_) add({nullptr, Gap{std::max(first, start_.next()), last}}, sizeof(Item));
}

Result<std::shared_ptr<CommitFeed>> CommitFeeds::open(const std::function<Lsn()>& newest, uint64_t bytes_max) {
  MutexLock lock(mutex_);
  if (feeds_.size() >= feeds_max_)
    return Status(StatusCode::kLimit, fmt::format("{} feeds are open, feeds_max allows no more; close one", feeds_.size()));
  auto feed = std::make_shared<CommitFeed>(bytes_max);
  feeds_.push_back(feed);
  // Whoever begins to write from now on catches what he changes; who was writing tells a gap.
  active_.store(true);
  feed->start_ = newest();
  return feed;
}

void CommitFeeds::close(const std::shared_ptr<CommitFeed>& feed) {
  MutexLock lock(mutex_);
  std::erase(feeds_, feed);
  active_.store(!feeds_.empty());
}

void CommitFeeds::deliver(std::vector<CommitChanges> changes, const std::shared_ptr<MemoryBudget>& memory) {
  for (CommitChanges& one : changes) {
    const Lsn lsn = one.lsn;
    const Status delivered = caught([&]() -> Status {
      one.memory = MemoryShare(memory, MemoryUse::kFeeds);
      BRAID_TRY(one.memory.take(one.bytes()));
      const auto shared = std::make_shared<const CommitChanges>(std::move(one));
      MutexLock lock(mutex_);
      for (const auto& feed : feeds_) feed->push(shared);
      return {};
    });
    if (!delivered.ok()) miss(lsn, lsn);
  }
}

void CommitFeeds::release(const std::shared_ptr<MemoryBudget>& memory) {
  deliver(std::exchange(held_, {}), memory);
  if (const auto gap = std::exchange(held_gap_, std::nullopt)) miss(gap->first, gap->last);
}

void CommitFeeds::miss(Lsn first, Lsn last) {
  MutexLock lock(mutex_);
  for (const auto& feed : feeds_) feed->push_gap(first, last);
}

}  // namespace braid
