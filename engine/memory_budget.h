// The memory that the databases of a process hold, and the one bound on it (memory_bytes_max).
//
// What grows with data or with questions reserves its memory here in steps, before it takes it. What SQLite holds (page caches, sorting, values) is
// asked of SQLite, whose own bound is kept at what the others leave; past three quarters of that its page caches stop growing. The bound of a
// database is on what all databases of the process hold together: a second one may be opened with a higher bound, never to take what the first
// one was promised.
// Threads: all members may be called from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/result.h"

namespace braid {

/// Who holds memory, as errors and `braid_stats` name it.
enum class MemoryUse : uint8_t { kTails, kTransactions, kBatches, kGraphStore, kProjections, kTraversals, kRollups, kFeeds, kAnswers };
inline constexpr size_t kMemoryUseCount = 9;
std::string_view memory_use_name(MemoryUse use);

/// Half of what the host has, or of what its control group allows.
uint64_t host_memory_share();

/// One database's part. Shared: what holds memory keeps it.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes_max);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  uint64_t bytes_max() const { return bytes_max_; }
  /// kLimit, naming who asked, for how much, and who holds what, when the process would hold more than `bytes_max`. What can be given up is given
  /// up first, so no lock may be held that a give-up function takes.
  Status reserve(MemoryUse use, uint64_t bytes);
  /// For what cannot be refused any more.
  void reserve_anyway(MemoryUse use, uint64_t bytes);
  void release(MemoryUse use, uint64_t bytes);
  uint64_t held(MemoryUse use) const { return held_[static_cast<size_t>(use)].load(std::memory_order_relaxed); }

  /// Of all databases of the process, with SQLite's.
  static uint64_t process_bytes();
  /// Of SQLite, in the whole process.
  static uint64_t sqlite_bytes();
  /// Whether SQLite's caches should be given back rather than kept.
  static bool is_sqlite_crowded();
  /// Looks at what the process holds, and gives what lies free back to the host when it is much. Cheap: asked while SQLite works, and after.
  static void look_if_due();
  /// Why SQLite was refused memory, if it was by the bound.
  static std::optional<std::string> sqlite_refusal();

  /// Something that gives memory up when the process lacks some: called by whoever lacks it. Removed with the handle.
  class GiveUp {
   public:
    GiveUp() = default;
    explicit GiveUp(std::function<void()> act);
    ~GiveUp();
    GiveUp(const GiveUp&) = delete;
    GiveUp& operator=(const GiveUp&) = delete;

   private:
    std::function<void()> act_;
  };

 private:
  bool try_reserve(MemoryUse use, uint64_t bytes);
  Status refusal(MemoryUse use, uint64_t bytes) const;

  const uint64_t bytes_max_;
  std::array<std::atomic<uint64_t>, kMemoryUseCount> held_{};  // statistics: the total is kept under a lock
};

/// Memory reserved by one thing, given back with it. One thread at a time.
class MemoryShare {
 public:
  MemoryShare() = default;
  /// `budget` may be null: nothing is then counted.
  MemoryShare(std::shared_ptr<MemoryBudget> budget, MemoryUse use) : budget_(std::move(budget)), use_(use) {}
  ~MemoryShare() { clear(); }
  MemoryShare(MemoryShare&& other) noexcept
      : budget_(std::move(other.budget_)), use_(other.use_), reserved_(std::exchange(other.reserved_, 0)) {}
  MemoryShare& operator=(MemoryShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(use_, other.use_);
    std::swap(reserved_, other.reserved_);
    return *this;
  }

  /// Cheap until more than what is reserved is asked for. So little that many of them do no harm is not counted.
  Status grow_to(uint64_t bytes) {
    if (bytes <= reserved_ || bytes <= kIgnoredBytes || budget_ == nullptr) return {};
    return grow(bytes);
  }
  /// Exactly these, however few: for what there are many of. Instead of growing, once.
  Status take(uint64_t bytes);
  /// To what is held for sure: it was taken before, or cannot be refused.
  void set(uint64_t bytes);
  void clear() { set(0); }
  uint64_t reserved() const { return reserved_; }
  /// An empty one of the same budget and use.
  MemoryShare fresh() const { return MemoryShare(budget_, use_); }

 private:
  static constexpr uint64_t kIgnoredBytes = 256 << 10;
  static constexpr uint64_t kStepBytes = 1 << 20;
  static constexpr uint64_t kSmallStepBytes = 64 << 10;
  Status grow(uint64_t bytes);

  std::shared_ptr<MemoryBudget> budget_;
  MemoryUse use_ = MemoryUse::kTails;
  uint64_t reserved_ = 0;
};

}  // namespace braid
