#include "engine/version.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace braid {

std::shared_ptr<const Version> VersionList::newest() const {
  MutexLock lock(mutex_);
  return versions_.empty() ? nullptr : versions_.back();
}

void VersionList::install(std::shared_ptr<const Version> version) {
  // Released after the lock: the last holder frees snapshots and files. There are older ones when readers came meanwhile.
  std::shared_ptr<const Version> replaced;
  std::vector<std::shared_ptr<const Version>> older;
  {
    MutexLock lock(mutex_);
    failure_ = {};
    versions_.push_back(std::move(version));
    if (versions_.size() == 2 && floors_.empty()) {
      replaced = std::move(versions_.front());
      versions_.pop_front();
    }
    while (versions_.size() > 1 && (floors_.empty() || versions_.front()->lsn < *floors_.begin())) {
      older.push_back(std::move(versions_.front()));
      versions_.pop_front();
    }
    while (!handed_out_.empty() && handed_out_.front().expired()) handed_out_.pop_front();
    // Nothing may pile up behind one that is held for long.
    if (handed_out_.size() >= handed_out_max_) {
      std::erase_if(handed_out_, [](const auto& one) { return one.expired(); });
      handed_out_max_ = std::max<size_t>(64, 2 * handed_out_.size());
    }
    handed_out_.push_back(versions_.back());
  }
  installed_.notify_all();
}

VersionList::Ticket::Ticket(VersionList& list) : list_(list) {
  MutexLock lock(list_.mutex_);
  floor_ = list_.floors_.insert(list_.versions_.back()->lsn);
}

VersionList::Ticket::~Ticket() {
  MutexLock lock(list_.mutex_);
  list_.floors_.erase(floor_);
}

Result<std::shared_ptr<const Version>> VersionList::at(Lsn lsn, Deadline deadline) const {
  MutexLock lock(mutex_);
  while (versions_.back()->lsn < lsn) {
    if (!failure_.ok()) return failure_;
    if (installed_.wait_until(lock.native(), deadline) == std::cv_status::timeout && versions_.back()->lsn < lsn)
      return Status(StatusCode::kBusy, fmt::format("commit {} is durable but not published yet; try again", lsn.value()));
  }
  for (auto version = versions_.rbegin(); version != versions_.rend(); ++version)
    if ((*version)->lsn == lsn) return *version;
  return Status(StatusCode::kSnapshotTooOld,
                fmt::format("the snapshot of commit {} is gone; finish or reset the statements that are still open on this "
                            "connection, or begin a transaction first",
                            lsn.value()));
}

void VersionList::fail(Status status) {
  {
    MutexLock lock(mutex_);
    failure_ = std::move(status);
  }
  installed_.notify_all();
}

Lsn VersionList::oldest_held() const {
  MutexLock lock(mutex_);
  while (!handed_out_.empty() && handed_out_.front().expired()) handed_out_.pop_front();
  const auto oldest = handed_out_.empty() ? nullptr : handed_out_.front().lock();
  return oldest == nullptr ? versions_.back()->lsn : oldest->lsn;
}

}  // namespace braid
