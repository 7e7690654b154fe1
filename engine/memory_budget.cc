#include "engine/memory_budget.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "engine/mutex.h"
#include "engine/resident_memory.h"

namespace braid {

namespace {

constexpr std::chrono::milliseconds kLookInterval(5);
constexpr std::chrono::milliseconds kBesideRemembered(250);
/// Between trims, and as a multiple of what the last one took: with other threads waiting for the allocator meanwhile.
constexpr std::chrono::milliseconds kTrimIntervalLeast(20);
constexpr int kTrimIntervalPart = 10;
constexpr std::chrono::seconds kRefusalRemembered(10);
/// Of the bound. What lies beside what is counted (the allocator's gaps, what is too small to be counted, RocksDB's own) has at least the first
/// part and at most the second: more than that is likely the host's, which must not starve the databases.
constexpr uint64_t kBesidePartLeast = 8;
constexpr uint64_t kBesidePartMost = 2;
/// More than this part free or taken at once is worth a trim.
constexpr uint64_t kMuchPart = 16;

using Clock = std::chrono::steady_clock;

/// The greatest of the values of the last `kept` to twice that.
class RecentMost {
 public:
  explicit RecentMost(Clock::duration kept) : kept_(kept) {}
  uint64_t add(uint64_t value, Clock::time_point now) {
    if (now - began_ > kept_) {
      earlier_ = now - began_ > 2 * kept_ ? 0 : std::exchange(most_, 0);
      most_ = 0;
      began_ = now;
    }
    most_ = std::max(most_, value);
    return std::max(most_, earlier_);
  }

 private:
  const Clock::duration kept_;
  Clock::time_point began_;
  uint64_t most_ = 0, earlier_ = 0;
};

/// What the bound is on is the process's memory, so this one object is the process's too. Never destroyed: shares may outlive every database.
struct ProcessMemory {
  Mutex mutex;
  std::set<MemoryBudget*> budgets BRAID_GUARDED_BY(mutex);
  uint64_t least BRAID_GUARDED_BY(mutex) = 0;  // of their bounds; 0: none is open
  uint64_t reserved BRAID_GUARDED_BY(mutex) = 0;
  // Held and not counted: the most of the last looks, since what is reserved and not yet taken hides as much at any one of them.
  uint64_t beside BRAID_GUARDED_BY(mutex) = 0;
  RecentMost beside_lately BRAID_GUARDED_BY(mutex){kBesideRemembered};
  uint64_t before BRAID_GUARDED_BY(mutex) = 0;             // held by the process when the first database was opened
  uint64_t released BRAID_GUARDED_BY(mutex) = 0;           // since the last trim
  uint64_t sqlite_peak BRAID_GUARDED_BY(mutex) = 0;        // at looks since the last trim
  Clock::time_point last_trim BRAID_GUARDED_BY(mutex);
  Clock::duration trim_interval BRAID_GUARDED_BY(mutex) = kTrimIntervalLeast;
  uint64_t untrimmed BRAID_GUARDED_BY(mutex) = 0;          // beside what is counted after the last trim, or less since
  // The least that SQLite was bound to lately.
  int64_t hard_least BRAID_GUARDED_BY(mutex) = 0;
  Clock::time_point hard_least_at BRAID_GUARDED_BY(mutex);
  std::atomic<Clock::rep> next_look{0};  // a hint: no order needed
  // SQLite's bounds as the host has set them, while a database is open. 0: none.
  int64_t host_hard BRAID_GUARDED_BY(mutex) = 0;
  int64_t host_soft BRAID_GUARDED_BY(mutex) = 0;
  Mutex give_up_mutex;  // before `mutex`
  std::vector<const std::function<void()>*> give_ups BRAID_GUARDED_BY(give_up_mutex);

  static ProcessMemory& instance() {
    static auto* const memory = new ProcessMemory;
    return *memory;
  }

  /// After a database was opened or closed.
  void note_budgets() BRAID_REQUIRES(mutex) {
    least = 0;
    for (const MemoryBudget* budget : budgets) least = least == 0 ? budget->bytes_max() : std::min(least, budget->bytes_max());
    beside = std::clamp(beside, least / kBesidePartLeast, least / kBesidePartMost);
    bound_sqlite();
  }

  /// SQLite may take what the strictest database leaves.
  void bound_sqlite() BRAID_REQUIRES(mutex) {
    int64_t hard = host_hard;
    int64_t soft = host_soft;
    if (least > 0) {
      const auto left = static_cast<int64_t>(std::max<uint64_t>(least - std::min(least, reserved + beside), 1 << 20));
      hard = host_hard > 0 ? std::min(host_hard, left) : left;
      soft = host_soft > 0 ? std::min(host_soft, hard / 4 * 3) : hard / 4 * 3;
      const auto now = Clock::now();
      if (hard < hard_least || now - hard_least_at > kRefusalRemembered) {
        hard_least = hard;
        hard_least_at = now;
      }
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
    trim();
  }

  /// Cheap: most calls read the clock only.
  void look_if_due() {
    const auto now = Clock::now().time_since_epoch();
    Clock::rep due = next_look.load(std::memory_order_relaxed);
    const Clock::rep next = (now + Clock::duration(kLookInterval)).count();
    if (now.count() < due || !next_look.compare_exchange_strong(due, next, std::memory_order_relaxed)) return;
    if (!look()) return;
    trim();
  }

  /// Measures what is held beside what is counted. True when a trim may be worth it.
  bool look() {
    MutexLock lock(mutex);  // nobody reserves meanwhile: an old figure would hide what was taken since
    if (least == 0) return false;
    const uint64_t anonymous = anonymous_bytes();
    const uint64_t much = least / kMuchPart;
    const uint64_t held = anonymous - std::min(anonymous, before);
    const uint64_t sqlite = MemoryBudget::sqlite_bytes();
    const uint64_t more = held - std::min(held, reserved + sqlite);
    const auto now = Clock::now();
    beside = std::clamp(beside_lately.add(more, now), least / kBesidePartLeast, least / kBesidePartMost);
    bound_sqlite();
    sqlite_peak = std::max(sqlite_peak, sqlite);
    const auto since_trim = now - last_trim;
    const bool came_back = released >= much || sqlite_peak - sqlite >= much;
    untrimmed = std::min(untrimmed, more);
    const bool is_short = held > least / 4 * 3 && more - untrimmed >= much;
    return (came_back || is_short) && since_trim >= trim_interval;
  }

  void trim() {
    const auto start = Clock::now();
    give_back_to_host();
    const auto end = Clock::now();
    {
      MutexLock lock(mutex);
      trim_interval = std::max<Clock::duration>(kTrimIntervalLeast, kTrimIntervalPart * (end - start));
      last_trim = end;
      released = sqlite_peak = 0;
      untrimmed = UINT64_MAX;  // the next look tells
    }
    look();
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
                                                               "projections",     "traversals",   "rollups", "feeds",        "answers to other processes"};
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
    process.before = anonymous_bytes();
    process.host_hard = sqlite3_hard_heap_limit64(-1);
    process.host_soft = sqlite3_soft_heap_limit64(-1);
  }
  if (bytes_max < host_memory_share()) keep_little_free();
  process.budgets.insert(this);
  process.note_budgets();
}

MemoryBudget::~MemoryBudget() {
  ProcessMemory& process = ProcessMemory::instance();
  MutexLock lock(process.mutex);
  process.budgets.erase(this);
  process.note_budgets();
}

bool MemoryBudget::try_reserve(MemoryUse use, uint64_t bytes) {
  ProcessMemory& process = ProcessMemory::instance();
  process.look_if_due();
  MutexLock lock(process.mutex);
  const uint64_t held = process.reserved + process.beside + sqlite_bytes();
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
  uint64_t beside = 0;
  {
    MutexLock lock(process.mutex);
    least = std::min(least, process.least);
    beside = process.beside;
    for (const MemoryBudget* budget : process.budgets)
      for (size_t i = 0; i < kMemoryUseCount; ++i) held[i] += budget->held(static_cast<MemoryUse>(i));
  }
  const uint64_t sqlite = sqlite_bytes();
  std::string parts;
  for (size_t i = 0; i < kMemoryUseCount; ++i)
    if (held[i] > 0) parts += fmt::format("{} {}, ", memory_use_name(static_cast<MemoryUse>(i)), held[i]);
  return Status(StatusCode::kLimit,
                fmt::format("{} ask for {} more bytes of memory, and {} of the {} that memory_bytes_max allows are held ({}SQLite {}, kept for what is not "
                            "counted {}); {}",
                            memory_use_name(use), bytes, sum(held) + sqlite + beside, least, parts, sqlite, beside, kRemedy));
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
  {
    MutexLock lock(process.mutex);
    process.reserved -= bytes;
    process.released += bytes;
    held_[static_cast<size_t>(use)].fetch_sub(bytes, std::memory_order_relaxed);
    process.bound_sqlite();
  }
  process.look_if_due();
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

void MemoryBudget::look_if_due() { ProcessMemory::instance().look_if_due(); }

std::optional<std::string> MemoryBudget::sqlite_refusal() {
  ProcessMemory& process = ProcessMemory::instance();
  int64_t hard = 0;
  {
    MutexLock lock(process.mutex);
    hard = process.least == 0 ? 0 : process.hard_least;
  }
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

Status MemoryShare::take(uint64_t bytes) {
  if (budget_ == nullptr) return {};
  BRAID_TRY(budget_->reserve(use_, bytes));
  reserved_ = bytes;
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
