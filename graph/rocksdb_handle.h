// The open RocksDB database with its families: opening, closing, and the few calls that the graph
// makes.
//
// Rules for RocksDB 7.8.3 (DESIGN section 3): no WAL; no Merge, DeleteRange or ingestion; only
// `flush` runs beside writers. Threads: all members may be called from any thread; writes come from
// the holder of the writer slot.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/env.h"
#include "engine/result.h"
#include "graph/key_format.h"

namespace braid {

struct RocksdbOptions {
  uint64_t block_cache_bytes = 0;
  uint64_t write_buffer_bytes = 0;
  Lsn log_begin{};  ///< what can be replayed begins with this commit
};

class RocksdbHandle {
 public:
  /// Opens the database in `directory`, creating it and missing families. `created` names the
  /// families that were missing. kCorrupt, and nothing is changed, where the MANIFEST is damaged and the state before the damage is too old for the log.
  static Result<std::shared_ptr<RocksdbHandle>> open(Env& env, const std::string& directory,
                                                     const RocksdbOptions& options,
                                                     std::vector<Family>& created);
  ~RocksdbHandle();
  RocksdbHandle(const RocksdbHandle&) = delete;
  RocksdbHandle& operator=(const RocksdbHandle&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family family) const {
    return families_[static_cast<size_t>(family)];
  }
  const std::string& directory() const { return directory_; }

  Status write(rocksdb::WriteBatch& batch);
  /// Flushes every family and waits.
  Status flush();
  /// Ok, or why the database must be closed and opened again.
  Status background_error() const;
  /// After a flush that found the disk full it goes on when there is room again; at most one try in a second, which takes that long. kIo when RocksDB cannot
  /// go on in this process: the database must be closed and opened again. Called by the holder of the writer slot.
  Status go_on_after_full_disk();
  /// True while RocksDB would make a write wait.
  bool stalled() const;
  uint64_t property(Family family, const std::string& name) const;
  /// How many keys there are; more where keys were written again and not yet merged. Reads a block of every file.
  uint64_t keys_estimate(Family family) const;

 private:
  class Listener;

  RocksdbHandle(Env& env, std::string directory);
  using Descriptors = std::vector<rocksdb::ColumnFamilyDescriptor>;
  Status open_families(const rocksdb::Options& options, bool exists, Lsn log_begin, std::vector<Family>& created);
  Status check_older_state(const rocksdb::Options& options, const Descriptors& descriptors, Lsn log_begin);
  Result<bool> resume();
  Status create_families(const rocksdb::ColumnFamilyOptions& options, std::vector<Family>& created);

  // Constant once `open` is done.
  const std::string directory_;
  const bool reads_only_;
  const std::unique_ptr<rocksdb::Env> env_;
  const std::shared_ptr<Listener> listener_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* default_family_ = nullptr;
  rocksdb::ColumnFamilyHandle* families_[kFamilyCount] = {};
  std::chrono::steady_clock::time_point next_try_;  // belongs to the holder of the writer slot
};

}  // namespace braid
