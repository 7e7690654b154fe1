// Annotated locks, and the order in which they are taken. Outermost first; but for the first three none is held across a callback or a sync:
//   1. Engine::rewrite_mutex_ (one rewrite at a time)    2. Engine::checkpoint_mutex_ (one checkpoint at a time)
//   3. WriterSlot (a queue, not a mutex: held through a whole write transaction)
//   4. the mutex of what gives memory up (MemoryBudget::GiveUp), then those that its functions take
//   5. Engine::background_mutex_
//   6. CommitFeeds::mutex_, then those of its feeds or VersionList::mutex_    7. Catalog::mutex_
//   8. CommitSync::mutex_ (let go while it syncs), then the Env's own
//   9. Tail mutexes, statement caches, error slots, the sums of MemoryBudget: leaves, nothing is taken under them
#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#ifdef __clang__
#define BRAID_ANNOTATION(x) __attribute__((x))
#else
#define BRAID_ANNOTATION(x)
#endif
#define BRAID_CAPABILITY(x) BRAID_ANNOTATION(capability(x))
#define BRAID_SCOPED_CAPABILITY BRAID_ANNOTATION(scoped_lockable)
#define BRAID_GUARDED_BY(x) BRAID_ANNOTATION(guarded_by(x))
#define BRAID_REQUIRES(...) BRAID_ANNOTATION(requires_capability(__VA_ARGS__))
#define BRAID_ACQUIRE(...) BRAID_ANNOTATION(acquire_capability(__VA_ARGS__))
#define BRAID_RELEASE(...) BRAID_ANNOTATION(release_capability(__VA_ARGS__))
#define BRAID_ACQUIRE_SHARED(...) BRAID_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define BRAID_RELEASE_SHARED(...) BRAID_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define BRAID_RELEASE_GENERIC(...) BRAID_ANNOTATION(release_generic_capability(__VA_ARGS__))

namespace braid {

class BRAID_CAPABILITY("mutex") Mutex {
 public:
  void lock() BRAID_ACQUIRE() { mutex_.lock(); }
  void unlock() BRAID_RELEASE() { mutex_.unlock(); }
  std::mutex& native() { return mutex_; }

 private:
  std::mutex mutex_;
};

class BRAID_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) BRAID_ACQUIRE(mutex) : lock_(mutex.native()) {}
  ~MutexLock() BRAID_RELEASE() {}
  std::unique_lock<std::mutex>& native() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

class BRAID_CAPABILITY("mutex") SharedMutex {
 public:
  void lock() BRAID_ACQUIRE() { mutex_.lock(); }
  void unlock() BRAID_RELEASE() { mutex_.unlock(); }
  void lock_shared() BRAID_ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() BRAID_RELEASE_SHARED() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class BRAID_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) BRAID_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReaderLock() BRAID_RELEASE_GENERIC() { mutex_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class BRAID_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) BRAID_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~WriterLock() BRAID_RELEASE() { mutex_.unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace braid
