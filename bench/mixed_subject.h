// A store, or stores glued together, that bench/mixed measures.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/mixed_workload.h"

namespace bench {

/// Does operations for one thread; each is durable when `run` returns.
class Worker {
 public:
  virtual ~Worker() = default;
  virtual void run(const Operation& operation) = 0;
};

/// The ways to do an operation: as a whole that is handed over, or statement by statement in an
/// open transaction.
enum class Style { kWhole, kInteractive };

class Subject {
 public:
  virtual ~Subject() = default;
  /// Starts a worker for a thread of its own, or null when the subject has no such style.
  virtual std::unique_ptr<Worker> start_worker(Style style) = 0;
  /// Counters of the store that explain its rate.
  virtual std::map<std::string, int64_t> counters() { return {}; }
  /// Edges and points that the store holds, to prove that the operations were done.
  virtual uint64_t count_edges() = 0;
  virtual uint64_t count_points() = 0;
};

// Each opens its store in a new directory `path` and loads the entities; the entities must outlive
// it.
std::unique_ptr<Subject> open_mixed_braid(const std::string& path,
                                          const std::vector<Entity>& entities);
/// A SQLite file for rows, RocksDB for edges, a second SQLite file for points: three syncs, and not
/// atomic.
std::unique_ptr<Subject> open_mixed_glue(const std::string& path,
                                         const std::vector<Entity>& entities);
/// Three tables in one SQLite file.
std::unique_ptr<Subject> open_mixed_sqlite(const std::string& path,
                                           const std::vector<Entity>& entities);
/// One synced WriteBatch; RocksDB groups the writers that wait.
std::unique_ptr<Subject> open_mixed_rocksdb(const std::string& path,
                                            const std::vector<Entity>& entities);

/// Page cache of every SQLite in the benchmark, and of Braid's.
constexpr int64_t kMixedCacheBytes = int64_t{256} << 20;

}  // namespace bench
