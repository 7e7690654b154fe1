#include "engine/commit_sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "engine/caught.h"

namespace braid {

CommitSync::CommitSync(PageVfs& vfs, std::string wal, std::chrono::milliseconds interval, Lsn durable)
    : vfs_(vfs), wal_(std::move(wal)), interval_(interval), durable_shown_(durable.value()), written_(durable), durable_(durable) {}

void CommitSync::move_durable(Lsn lsn) {
  durable_ = std::max(durable_, lsn);
  durable_shown_.store(durable_.value(), std::memory_order_release);
}

void CommitSync::note_durable(Lsn lsn) {
  MutexLock lock(mutex_);
  written_ = std::max(written_, lsn);
  move_durable(lsn);
  since_.reset();
}

void CommitSync::note_written(Lsn lsn) {
  bool started = true;
  {
    MutexLock lock(mutex_);
    written_ = std::max(written_, lsn);
    if (!since_) since_ = Clock::now();
    if (idle_) wake_.notify_one();
    if (!thread_.joinable() && !stop_) {
      try {
        thread_ = std::thread([this] { run(); });
      } catch (const std::exception&) {
        started = false;
      }
    }
  }
  // Without a thread nobody would come later. What fails is told to those who write next.
  if (!started) caught([&] { return sync(); }).ignore();
}

Status CommitSync::sync() {
  MutexLock lock(mutex_);
  const Lsn wanted = written_;
  // A sync that runs may have begun before our commits were written.
  while (durable_ < wanted && syncing_) synced_.wait(lock.native());
  if (durable_ >= wanted) return {};
  if (vfs_.env().poisoned()) return refusal();
  const Lsn covered = written_;
  syncing_ = true;
  since_.reset();
  lock.native().unlock();
  vfs_.wal_syncs.fetch_add(1, std::memory_order_relaxed);
  const Status synced = caught([&] {
    const Status status = vfs_.env().sync_file(wal_);
    if (!status.ok()) vfs_.env().poison(status);
    return status;
  });
  // Also when there is no memory to say more: this text needs none.
  if (!synced.ok() && !vfs_.env().poisoned()) vfs_.env().poison(Status(StatusCode::kIo, "sync failed"));
  lock.native().lock();
  syncing_ = false;
  if (synced.ok()) move_durable(covered);
  synced_.notify_all();
  return synced.ok() ? synced : Status(synced.code(), refusal().message());
}

Status CommitSync::refusal() {
  const Status reason = vfs_.env().check_writable();
  if (reason.ok() || durable_ >= written_) return reason;
  return Status(reason.code(), fmt::format("{}; commits {} to {} were answered with relaxed durability and never synced: they may be lost", reason.message(),
                                           durable_.next().value(), written_.value()));
}

Status CommitSync::check_writable() {
  if (!vfs_.env().poisoned()) return {};
  MutexLock lock(mutex_);
  return refusal();
}

void CommitSync::run() {
  MutexLock lock(mutex_);
  while (!stop_) {
    if (!since_ || vfs_.env().poisoned()) {
      idle_ = true;
      wake_.wait(lock.native());
      idle_ = false;
      continue;
    }
    const auto due = *since_ + interval_;
    if (Clock::now() < due) {
      wake_.wait_until(lock.native(), due);
      continue;
    }
    lock.native().unlock();
    caught([&] { return sync(); }).ignore();  // a failure is told to those who write next
    lock.native().lock();
  }
}

void CommitSync::stop() {
  std::thread ending;
  {
    MutexLock lock(mutex_);
    stop_ = true;
    ending.swap(thread_);
  }
  wake_.notify_all();
  if (ending.joinable()) ending.join();
}

}  // namespace braid
