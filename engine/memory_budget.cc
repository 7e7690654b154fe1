#include "engine/memory_budget.h"

#include <fcntl.h>
#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "engine/mutex.h"

namespace braid {

namespace {

/// What the bound is on is the process's memory, so this one object is the process's too. Never destroyed: shares may outlive every database.
struct ProcessMemory {
  Mutex mutex;
  std::set<MemoryBudget*> budgets BRAID_GUARDED_BY(mutex);
  uint64_t reserved BRAID_GUARDED_BY(mutex) = 0;
  uint64_t released BRAID_GUARDED_BY(mutex) = 0;  // since the last trim
  std::atomic<uint64_t> much_bytes{UINT64_MAX};  // worth a trim; a hint: no order needed
  std::atomic<uint64_t> sqlite_peak{0};          // since the last trim for SQLite; likewise
  // SQLite's bounds as the host has set them, while a database is open. 0: none.
  int64_t host_hard BRAID_GUARDED_BY(mutex) = 0;
  int64_t host_soft BRAID_GUARDED_BY(mutex) = 0;
  Mutex give_up_mutex;  // before `mutex`
  std::vector<const std::function<void()>*> give_ups BRAID_GUARDED_BY(give_up_mutex);

  static ProcessMemory& instance() {
    static auto* const memory = new ProcessMemory;
    return *memory;
  }

  /// SQLite may take what the strictest database leaves.
  void bound_sqlite() BRAID_REQUIRES(mutex) {
    constexpr uint64_t kMuchPart = 16;
    int64_t hard = host_hard;
    int64_t soft = host_soft;
    much_bytes.store(UINT64_MAX, std::memory_order_relaxed);
    if (!budgets.empty()) {
      uint64_t least = UINT64_MAX;
      for (const MemoryBudget* budget : budgets) least = std::min(least, budget->bytes_max());
      much_bytes.store(least / kMuchPart, std::memory_order_relaxed);
      const auto left = static_cast<int64_t>(std::max<uint64_t>(least - std::min(least, reserved), 1 << 20));
      hard = host_hard > 0 ? std::min(host_hard, left) : left;
      soft = host_soft > 0 ? std::min(host_soft, hard / 4 * 3) : hard / 4 * 3;
    }
    // The hard bound first: SQLite lowers the soft one to it.
    sqlite3_hard_heap_limit64(hard);
    sqlite3_soft_heap_limit64(soft);
  }

  void give_up() {
    {
      MutexLock lock(give_up_mutex);
      for (const auto* act : give_ups) (*act)();
    }
    give_back_to_host();
  }

  /// What is free lies in the arenas of the threads that took it, where other threads do not find it: the host would see it as held.
  static void give_back_to_host() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
  }

  /// Much that came back at once is worth it: a trim takes about a millisecond.
  bool is_much(uint64_t bytes) BRAID_REQUIRES(mutex) {
    released += bytes;
    if (released < much_bytes.load(std::memory_order_relaxed)) return false;
    released = 0;
    return true;
  }

  /// Whether SQLite holds much less than it did at its last peak, which is then over. Cheap: every statement that ends asks.
  bool has_sqlite_shrunk() {
    const uint64_t held = MemoryBudget::sqlite_bytes();
    uint64_t peak = sqlite_peak.load(std::memory_order_relaxed);
    while (held > peak && !sqlite_peak.compare_exchange_weak(peak, held, std::memory_order_relaxed)) {
    }
    const bool shrunk = held < peak && peak - held >= much_bytes.load(std::memory_order_relaxed);
    return shrunk && sqlite_peak.compare_exchange_strong(peak, held, std::memory_order_relaxed);
  }
};

/// The number at the start of a small file; nothing when there is none, as in "max".
std::optional<uint64_t> number_in(const char* path) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  char text[32];
  const ssize_t size = ::read(descriptor, text, sizeof text);
  ::close(descriptor);
  uint64_t value = 0;
  if (size <= 0 || std::from_chars(text, text + size, value).ec != std::errc()) return std::nullopt;
  return value;
}

uint64_t sum(const std::array<uint64_t, kMemoryUseCount>& values) {
  uint64_t total = 0;
  for (const uint64_t value : values) total += value;
  return total;
}

constexpr std::string_view kRemedy = "end transactions and statements, work in smaller parts, or open the database with a larger memory_bytes_max";

}  // namespace

std::string_view memory_use_name(MemoryUse use) {
  static constexpr std::string_view kNames[kMemoryUseCount] = {"unsealed points", "transactions", "batches", "graph store",
                                                               "projections",     "traversals",   "rollups"};
  return kNames[static_cast<size_t>(use)];
}

uint64_t host_memory_share() {
  constexpr uint64_t kLeast = 64 << 20;
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  uint64_t bytes = pages > 0 && page_bytes > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes) : uint64_t{2} << 30;
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"})
    bytes = std::min(bytes, number_in(path).value_or(UINT64_MAX));
  return std::max(kLeast, bytes / 2);
}

MemoryBudget::MemoryBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.mutex);
  if (process.budgets.empty()) {
    process.host_hard = sqlite3_hard_heap_limit64(-1);
    process.host_soft = sqlite3_soft_heap_limit64(-1);
  }
  process.budgets.insert(this);
  process.bound_sqlite();
}

MemoryBudget::~MemoryBudget() {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.mutex);
  process.budgets.erase(this);
  process.bound_sqlite();
}

bool MemoryBudget::try_reserve(MemoryUse use, uint64_t bytes) {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.mutex);
  const uint64_t held = process.reserved + sqlite_bytes();
  // The strictest database's bound is everyone's.
  for (const MemoryBudget* budget : process.budgets)
    if (held > budget->bytes_max_ || bytes > budget->bytes_max_ - held) return false;
  process.reserved += bytes;
  held_[static_cast<size_t>(use)].fetch_add(bytes, std::memory_order_relaxed);
  process.bound_sqlite();
  return true;
}

Status MemoryBudget::reserve(MemoryUse use, uint64_t bytes) {
  if (try_reserve(use, bytes)) return {};
  ProcessMemory::instance().give_up();
  return try_reserve(use, bytes) ? Status() : refusal(use, bytes);
}

Status MemoryBudget::refusal(MemoryUse use, uint64_t bytes) const {
  ProcessMemory& process = ProcessMemory::instance();
  std::array<uint64_t, kMemoryUseCount> held{};
  uint64_t least = bytes_max_;
  {
    MutexLock lock(process.mutex);
    for (const MemoryBudget* budget : process.budgets) {
      least = std::min(least, budget->bytes_max_);
      for (size_t i = 0; i < kMemoryUseCount; ++i) held[i] += budget->held(static_cast<MemoryUse>(i));
    }
  }
  const uint64_t sqlite = sqlite_bytes();
  std::string parts;
  for (size_t i = 0; i < kMemoryUseCount; ++i)
    if (held[i] > 0) parts += fmt::format("{} {}, ", memory_use_name(static_cast<MemoryUse>(i)), held[i]);
  return Status(StatusCode::kLimit, fmt::format("{} ask for {} more bytes of memory, and {} of the {} that memory_bytes_max allows are held ({}SQLite {}); {}",
                                                memory_use_name(use), bytes, sum(held) + sqlite, least, parts, sqlite, kRemedy));
}

void MemoryBudget::reserve_anyway(MemoryUse use, uint64_t bytes) {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.mutex);
  process.reserved += bytes;
  held_[static_cast<size_t>(use)].fetch_add(bytes, std::memory_order_relaxed);
  process.bound_sqlite();
}

void MemoryBudget::release(MemoryUse use, uint64_t bytes) {
  ProcessMemory& process = ProcessMemory::instance();
  bool is_much = false;
  {
    MutexLock lock(process.mutex);
    process.reserved -= bytes;
    held_[static_cast<size_t>(use)].fetch_sub(bytes, std::memory_order_relaxed);
    process.bound_sqlite();
    is_much = process.is_much(bytes);
  }
  if (is_much) ProcessMemory::give_back_to_host();
}

uint64_t MemoryBudget::process_bytes() {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.mutex);
  return process.reserved + sqlite_bytes();
}

uint64_t MemoryBudget::sqlite_bytes() { return static_cast<uint64_t>(sqlite3_memory_used()); }

bool MemoryBudget::is_sqlite_crowded() {
  const int64_t hard = sqlite3_hard_heap_limit64(-1);
  return hard > 0 && sqlite3_memory_used() > hard / 2;
}

void MemoryBudget::trim_after_sqlite() {
  if (ProcessMemory::instance().has_sqlite_shrunk()) ProcessMemory::give_back_to_host();
}

std::optional<std::string> MemoryBudget::sqlite_refusal() {
  const int64_t hard = sqlite3_hard_heap_limit64(-1);
  sqlite3_int64 now = 0;
  sqlite3_int64 largest = 0;
  sqlite3_status64(SQLITE_STATUS_MALLOC_SIZE, &now, &largest, 0);
  // SQLite refuses what would pass the bound, so that the most that it held and the most that was asked for at once tell whether that can have been.
  if (hard <= 0 || sqlite3_memory_highwater(0) + largest < hard) return std::nullopt;
  return fmt::format("a statement asks for more memory than is left: SQLite holds {} bytes, of {} that memory_bytes_max leaves it; {}",
                     sqlite3_memory_used(), hard, kRemedy);
}

MemoryBudget::GiveUp::GiveUp(std::function<void()> act) : act_(std::move(act)) {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.give_up_mutex);
  process.give_ups.push_back(&act_);
}

MemoryBudget::GiveUp::~GiveUp() {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.give_up_mutex);
  std::erase(process.give_ups, &act_);
}

Status MemoryShare::grow(uint64_t bytes) {
  const uint64_t wanted = (bytes + kStepBytes - 1) / kStepBytes * kStepBytes;
  BRAID_TRY(budget_->reserve(use_, wanted - reserved_));
  reserved_ = wanted;
  return {};
}

void MemoryShare::set(uint64_t bytes) {
  if (budget_ == nullptr) return;
  const uint64_t wanted = (bytes + kSmallStepBytes - 1) / kSmallStepBytes * kSmallStepBytes;
  if (wanted > reserved_) budget_->reserve_anyway(use_, wanted - reserved_);
  if (wanted < reserved_) budget_->release(use_, reserved_ - wanted);
  reserved_ = wanted;
}

}  // namespace braid
