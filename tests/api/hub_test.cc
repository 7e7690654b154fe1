// A node with very many edges: what each edge costs to insert, read and delete, in time, memory and counted work, beside a node that
// has few. Time is printed and not judged; what a deletion or insertion allocates per edge may not grow with the hub.
//
// BRAID_HUB_EDGES: how many edges the hub has (200000).
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

namespace {

// Of the thread that asks: what RocksDB does in the background meanwhile is no cost of a call.
thread_local uint64_t allocated_bytes = 0;
std::atomic<uint64_t> live_bytes{0};
std::atomic<uint64_t> peak_bytes{0};

void note_allocated(void* memory) {
  const uint64_t size = malloc_usable_size(memory);
  allocated_bytes += size;
  const uint64_t live = live_bytes += size;
  uint64_t peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
}

void* allocate(size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  note_allocated(memory);
  return memory;
}

void* allocate(size_t size, std::align_val_t alignment) {
  const auto step = static_cast<size_t>(alignment);
  void* memory = std::aligned_alloc(step, (size + step - 1) / step * step);
  if (memory == nullptr) throw std::bad_alloc();
  note_allocated(memory);
  return memory;
}

void release(void* memory) {
  if (memory == nullptr) return;
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

// Everything but SQLite's own memory passes here: Braid's and RocksDB's, which are linked statically.
void* operator new(size_t size) { return allocate(size); }
void* operator new[](size_t size) { return allocate(size); }
void* operator new(size_t size, std::align_val_t alignment) { return allocate(size, alignment); }
void* operator new[](size_t size, std::align_val_t alignment) { return allocate(size, alignment); }
void* operator new(size_t size, const std::nothrow_t&) noexcept try { return allocate(size); } catch (...) { return nullptr; }
void* operator new[](size_t size, const std::nothrow_t&) noexcept try { return allocate(size); } catch (...) { return nullptr; }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, size_t) noexcept { release(memory); }
void operator delete[](void* memory, size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { release(memory); }

using namespace braid;

namespace {

constexpr int64_t kFewEdges = 10'000;
constexpr int64_t kEdgesPerLeaf = 10;  ///< so that only the hub differs
constexpr int64_t kChanged = 1'000;  ///< edges inserted and deleted once the hub has all of its own
/// The edges of a large hub lie in blocks of their own, which are read from the files; those of a small one are in memory after a few.
constexpr double kColdReadsBytes = 32 << 10;
constexpr int64_t kSingly = 100;     ///< of those, each in a transaction of its own

[[noreturn]] void fail(const std::string& what) {
  fmt::print("{}\n", what);
  std::exit(1);
}

/// What a phase took, by edge.
struct Cost {
  double allocated_bytes = 0;
};

class Hub {
 public:
  explicit Hub(int64_t edges) : edges_(edges), database_(directory_ / "db"), connection_(database_) {
    if (!database_.ok()) fail(database_.message());
  }

  /// By phase.
  std::map<std::string, Cost> run() {
    fmt::print("a hub of {} edges\n{:>22} {:>9} {:>12} {:>12} {:>14} {:>14} {:>9}\n", edges_, "", "edges", "us an edge", "of CPU", "allocated B", "peak B",
               "max RSS");
    fmt::print("{:>22} {:>9} {:>12} {:>12} {:>14} {:>14} {:>9}\n", "", "", "", "", "an edge", "an edge", "MB");
    make_nodes();
    std::map<std::string, Cost> costs;
    const auto measure = [&](const char* phase, int64_t edges, auto body) { costs[phase] = measured(phase, edges, body); };
    measure("insert all", edges_, [&] { begin(); insert(edges_); });
    measure("commit", edges_, [&] { commit(); });
    measure("scan", edges_, [&] { scan(); });
    check_scanned();
    measure("degree (projection)", edges_, [&] { count_degree(edges_); });
    measure("checkpoint", edges_, [&] { must(braid_checkpoint(database_.get())); });
    measure("scan again", edges_, [&] { scan(); });
    measure("delete some", kChanged, [&] { begin(); erase(kChanged); commit(); });
    measure("insert some", kChanged, [&] { begin(); insert(kChanged); commit(); });
    measure("delete singly", kSingly, [&] { erase(kSingly); });
    measure("insert singly", kSingly, [&] { insert(kSingly); });
    measure("undo deletion", kChanged, [&] { begin(); undo_deletion(); });
    scan();
    check_scanned();
    check();
    measure("delete hub", edges_, [&] { begin(); must(braid_node_delete(connection_.get(), hub_, BRAID_DETACH)); });
    measure("commit of that", edges_, [&] { commit(); });
    measure("checkpoint of that", edges_, [&] { must(braid_checkpoint(database_.get())); });
    if (connection_.number("SELECT count(*) FROM graph_edges") != 0) fail("edges are left");
    if (connection_.number("SELECT count(*) FROM graph_nodes") != static_cast<int64_t>(leaves_.size())) fail("nodes are missing, or the hub is there");
    check();
    return costs;
  }

 private:
  void must(int32_t code) {
    if (code != BRAID_OK) fail(fmt::format("{}: {} {}", code, connection_.error(), braid_database_error(database_.get())));
  }
  void begin() { must(braid_begin(connection_.get(), BRAID_WRITE)); }
  void commit() { must(braid_commit(connection_.get())); }
  void check() {
    const std::string problems = database_.check();
    if (!problems.empty()) fail(problems);
  }

  template <typename Body>
  Cost measured(const char* phase, int64_t edges, const Body& body) {
    const uint64_t allocated = allocated_bytes, live = live_bytes;
    peak_bytes = live;
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    body();
    const double cpu_us = static_cast<double>(std::clock() - cpu_start) * (1e6 / CLOCKS_PER_SEC);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto count = static_cast<double>(edges);
    const Cost cost{static_cast<double>(allocated_bytes - allocated) / count};
    fmt::print("{:>22} {:>9} {:>12.2f} {:>12.2f} {:>14.0f} {:>14.0f} {:>9}\n", phase, edges, time.count() / count, cpu_us / count, cost.allocated_bytes,
               static_cast<double>(peak_bytes - live) / count, usage.ru_maxrss / 1024);
    std::fflush(stdout);
    return cost;
  }

  void make_nodes() {
    begin();
    must(braid_node_create(connection_.get(), "[\"Hub\"]", nullptr, &hub_));
    leaves_.resize(static_cast<size_t>(edges_ / kEdgesPerLeaf));
    for (int64_t& leaf : leaves_) must(braid_node_create(connection_.get(), "[\"Leaf\"]", nullptr, &leaf));
    commit();
    stored_.reserve(static_cast<size_t>(edges_));
    neighbors_.resize(static_cast<size_t>(edges_) + 1);
  }
  void insert(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      stored_.emplace_back();
      must(braid_edge_create(connection_.get(), hub_, "T", leaves_[random_() % leaves_.size()], nullptr, &stored_.back()));
    }
  }
  void erase(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      std::swap(stored_[random_() % stored_.size()], stored_.back());
      must(braid_edge_delete(connection_.get(), stored_.back()));
      stored_.pop_back();
    }
  }
  void undo_deletion() {
    const std::vector<int64_t> before = stored_;
    erase(kChanged);
    must(braid_rollback(connection_.get()));
    stored_ = before;
  }
  void scan() {
    must(braid_neighbors(connection_.get(), hub_, BRAID_OUT, nullptr, neighbors_.data(), neighbors_.size(), &count_));
  }
  /// What the last scan found is what was put there.
  void check_scanned() {
    std::vector<int64_t> found(count_), wanted = stored_;
    std::transform(neighbors_.begin(), neighbors_.begin() + static_cast<ptrdiff_t>(count_), found.begin(),
                   [](const braid_neighbor& one) { return one.edge; });
    std::sort(found.begin(), found.end());
    std::sort(wanted.begin(), wanted.end());
    if (found != wanted) fail(fmt::format("the hub has {} edges instead of {}, or others", count_, wanted.size()));
  }
  void count_degree(int64_t wanted) {
    if (connection_.number(fmt::format("SELECT degree FROM graph_degree WHERE node = {}", hub_)) != wanted) fail("another degree");
  }

  const int64_t edges_;
  TempDir directory_;
  TestDatabase database_;
  TestConnection connection_;
  std::mt19937_64 random_{1};
  int64_t hub_ = 0;
  std::vector<int64_t> leaves_;
  std::vector<int64_t> stored_;
  std::vector<braid_neighbor> neighbors_;
  size_t count_ = 0;  // of neighbors_ that the last scan wrote
};

int64_t number_of(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

}  // namespace

int main() {
  const std::map<std::string, Cost> few = Hub(kFewEdges).run();
  const std::map<std::string, Cost> many = Hub(number_of("BRAID_HUB_EDGES", 200'000)).run();
  int failures = 0;
  for (const char* phase : {"insert all", "commit", "delete some", "insert some", "delete singly", "insert singly", "undo deletion",
                            "delete hub", "commit of that"}) {
    const double ratio = many.at(phase).allocated_bytes / few.at(phase).allocated_bytes;
    if (ratio <= 3 || many.at(phase).allocated_bytes <= kColdReadsBytes) continue;
    fmt::print("{}: an edge allocates {:.1f} times as much as in the small hub\n", phase, ratio);
    ++failures;
  }
  return failures == 0 ? 0 : 1;
}
