#include "graph/rocksdb_handle.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/table_properties.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/caught.h"
#include "graph/rocksdb_env.h"
#include "graph/rocksdb_status.h"

namespace braid {
namespace {

constexpr int kOpenFilesMax = 512;
constexpr size_t kArenaBlockBytes = 64 << 10;
constexpr uint64_t kFileBytesTarget = 16 << 20;
// Of a MANIFEST: a change takes some hundred bytes.
constexpr size_t kManifestBytesAhead = 64 << 10;
constexpr uint64_t kManifestBytesMax = 16 << 20;

class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : Logger(rocksdb::InfoLogLevel::HEADER_LEVEL) {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::BlockBasedTableOptions table_options(uint64_t cache_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(cache_bytes, /*num_shard_bits=*/2);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Index and filter blocks count against the cache, so that memory has one bound.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  return table;
}

rocksdb::Options make_options(rocksdb::Env* env, const RocksdbOptions& limits) {
  rocksdb::Options options;
  options.env = env;
  options.info_log = std::make_shared<SilentLogger>();
  options.create_if_missing = true;
  options.max_open_files = kOpenFilesMax;
  options.max_background_jobs = 2;
  options.max_file_opening_threads = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  // It does not resume by itself after an error: it is closed, opened again and replayed, and closing it while it resumes may wait for
  // ever (https://github.com/facebook/rocksdb/issues/11440).
  options.max_bgerror_resume_count = 0;
  // What is not flushed is in the log. A flush while it closes could wait for ever on a full disk.
  options.avoid_flush_during_shutdown = true;
  options.db_write_buffer_size = limits.write_buffer_bytes;
  options.write_buffer_size = limits.write_buffer_bytes;
  options.max_write_buffer_number = 4;
  // The families share one budget: large arena blocks would fill it while almost empty.
  options.arena_block_size = kArenaBlockBytes;
  options.allow_concurrent_memtable_write = false;  // there is one writer
  options.manifest_preallocation_size = kManifestBytesAhead;
  options.max_manifest_file_size = kManifestBytesMax;
  options.target_file_size_base = kFileBytesTarget;
  options.max_bytes_for_level_base = 8 * kFileBytesTarget;
  options.compression = rocksdb::kLZ4Compression;
  options.table_factory.reset(
      rocksdb::NewBlockBasedTableFactory(table_options(limits.block_cache_bytes)));
  return options;
}

}  // namespace

/// Keeps the first background error: after one, RocksDB must be closed and opened again.
class RocksdbHandle::Listener final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    MutexLock lock(mutex_);
    if (failed_) return;
    status_ = rocksdb_status(*error, "flush or compaction in the background");
    failed_ = true;
  }
  /// No recovery by itself: see max_bgerror_resume_count, which a full disk does not heed.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  void fail(Status status) {
    MutexLock lock(mutex_);
    status_ = std::move(status);
    failed_ = true;
  }
  void clear() {
    MutexLock lock(mutex_);
    failed_ = false;
    status_ = {};
  }
  Status status() const {
    if (!failed_) return {};
    MutexLock lock(mutex_);
    return status_;
  }

 private:
  std::atomic<bool> failed_{false};  // synchronises itself
  mutable Mutex mutex_;
  Status status_ BRAID_GUARDED_BY(mutex_);
};

RocksdbHandle::RocksdbHandle(Env& env, std::string directory)
    : directory_(std::move(directory)),
      reads_only_(env.read_only()),
      env_(make_rocksdb_env(env)),
      listener_(std::make_shared<Listener>()) {}

Result<std::shared_ptr<RocksdbHandle>> RocksdbHandle::open(Env& env, const std::string& directory,
                                                           const RocksdbOptions& limits,
                                                           std::vector<Family>& created) {
  std::shared_ptr<RocksdbHandle> handle(new RocksdbHandle(env, directory));
  rocksdb::Options options = make_options(handle->env_.get(), limits);
  options.listeners.push_back(handle->listener_);
  try {
    BRAID_TRY(handle->open_families(options, env.exists(directory + "/CURRENT"), limits.log_begin, created));
  } catch (const std::exception& error) {
    return Status(StatusCode::kCorrupt, fmt::format("graph: open {}: {}", directory, error.what()));
  }
  return handle;
}

/// Where the newest changes of its MANIFEST are damaged, RocksDB goes on from an older state and removes every table that this does not name.
/// It may, when the log brings that state up to date; else those tables are what a repair reads.
Status RocksdbHandle::check_older_state(const rocksdb::Options& options, const Descriptors& descriptors, Lsn log_begin) {
  const std::string doing = "open " + directory_;
  std::string current, whole;
  BRAID_TRY(rocksdb_status(rocksdb::ReadFileToString(env_.get(), directory_ + "/CURRENT", &current), doing));
  const std::string manifest = directory_ + "/" + current.substr(0, current.find('\n'));
  uint64_t file_bytes = 0;
  BRAID_TRY(rocksdb_status(env_->GetFileSize(manifest, &file_bytes), doing));
  BRAID_TRY(rocksdb_status(rocksdb::ReadFileToString(env_.get(), manifest, &whole), doing));  // up to the damage
  if (whole.size() == file_bytes) return {};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  BRAID_TRY(rocksdb_status(rocksdb::DB::OpenForReadOnly(options, directory_, descriptors, &handles, &opened), doing));
  const std::unique_ptr<rocksdb::DB> db(opened);
  size_t known = 0;
  Lsn lowest(UINT64_MAX);
  for (rocksdb::ColumnFamilyHandle* const handle : handles) {
    std::string bytes;
    FamilyMarker marker;
    if (std::find(kFamilyNames.begin(), kFamilyNames.end(), handle->GetName()) != kFamilyNames.end()) {
      ++known;
      // One that was never written has none, and is complete up to nothing.
      if (!db->Get({}, handle, kMarkerKey, &bytes).ok() || !decode_marker(bytes, marker)) marker = {};
      lowest = std::min(lowest, marker.lsn);
    }
    db->DestroyColumnFamilyHandle(handle);
  }
  if (known < kFamilyCount) lowest = Lsn(0);
  if (lowest.next() >= log_begin) return {};
  return Status(StatusCode::kCorrupt, fmt::format("graph: {} is damaged at byte {}: before that the graph was at commit {}, and the log begins with commit {}. "
                                                  "Nothing was changed; `braid repair` makes a database of what can be read",
                                                  manifest, whole.size(), lowest.value(), log_begin.value()));
}

Status RocksdbHandle::open_families(const rocksdb::Options& options, bool exists, Lsn log_begin,
                                    std::vector<Family>& created) {
  const std::string doing = "open " + directory_;
  if (reads_only_ && !exists) return Status(StatusCode::kCorrupt, fmt::format("graph: {}: CURRENT is missing", directory_));
  std::vector<std::string> names = {rocksdb::kDefaultColumnFamilyName};
  if (exists) {
    BRAID_TRY(rocksdb_status(rocksdb::DB::ListColumnFamilies(options, directory_, &names), doing));
  }
  Descriptors descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, options);
  if (exists && !reads_only_) BRAID_TRY(check_older_state(options, descriptors, log_begin));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  BRAID_TRY(rocksdb_status(reads_only_ ? rocksdb::DB::OpenForReadOnly(options, directory_, descriptors, &handles, &db)
                                       : rocksdb::DB::Open(options, directory_, descriptors, &handles, &db),
                           doing));
  db_.reset(db);
  std::string unknown;
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    const auto known = std::find(kFamilyNames.begin(), kFamilyNames.end(), handle->GetName());
    if (known != kFamilyNames.end()) {
      families_[known - kFamilyNames.begin()] = handle;
    } else if (handle->GetName() == rocksdb::kDefaultColumnFamilyName) {
      default_family_ = handle;
    } else {
      unknown = handle->GetName();
      db_->DestroyColumnFamilyHandle(handle);
    }
  }
  if (!unknown.empty()) {
    return Status(
        StatusCode::kVersion,
        fmt::format("graph: {}: column family {} is not of this version", doing, unknown));
  }
  return create_families(options, created);
}

Status RocksdbHandle::create_families(const rocksdb::ColumnFamilyOptions& options,
                                      std::vector<Family>& created) {
  std::vector<std::string> names;
  for (const Family family : kFamilies) {
    if (this->family(family) != nullptr) continue;
    names.emplace_back(family_name(family));
    created.push_back(family);
  }
  if (names.empty()) return {};
  if (reads_only_) return Status(StatusCode::kCorrupt, fmt::format("graph: {}: column family {} is missing", directory_, names.front()));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status status = db_->CreateColumnFamilies(options, names, &handles);
  for (size_t i = 0; i < handles.size(); ++i) {
    families_[static_cast<size_t>(created[i])] = handles[i];
  }
  return rocksdb_status(status, "create column families in " + directory_);
}

RocksdbHandle::~RocksdbHandle() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    if (family != nullptr) db_->DestroyColumnFamilyHandle(family);
  }
  if (default_family_ != nullptr) db_->DestroyColumnFamilyHandle(default_family_);
}

Status RocksdbHandle::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  Status written = rocksdb_status(db_->Write(options, &batch), "write");
  if (written.ok()) return written;
  // Where writes are held up because of an error in the background, the error is what matters.
  Status error = listener_->status();
  return error.code() == StatusCode::kFull ? error : written;
}

Status RocksdbHandle::flush() {
  const std::vector<rocksdb::ColumnFamilyHandle*> families(std::begin(families_),
                                                           std::end(families_));
  rocksdb::FlushOptions options;
  // Waiting until a flush holds no write up could be for ever: compactions that would make room may fail on a full disk.
  options.allow_write_stall = true;
  return rocksdb_status(db_->Flush(options, families), "flush");
}

Status RocksdbHandle::background_error() const { return listener_->status(); }

Status RocksdbHandle::go_on_after_full_disk() {
  const Status error = listener_->status();
  // After any other error nobody knows what is in the files.
  if (error.ok() || error.code() != StatusCode::kFull) return error;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try_) return error;
  BRAID_ASSIGN(const bool ended, resume());
  next_try_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  if (!ended) {
    listener_->fail(Status(StatusCode::kIo, fmt::format("{}; there may be space again, but RocksDB cannot go on after this: close the database and open it again", error.message())));
    return listener_->status();
  }
  listener_->clear();
  return {};
}

/// RocksDB 7.8.3 may forget a flush: one whose job begins between another job's failure (of a MANIFEST) and this call finds that background work is stopped,
/// and leaves its request in a queue that nobody looks at any more. Resuming would then wait for it for ever, and so would closing. False: it was given up.
Result<bool> RocksdbHandle::resume() {
  constexpr std::chrono::milliseconds kLook(50);
  constexpr int kIdleLooksMax = 60;  // three seconds: a job that has failed rests for one
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<rocksdb::Status> resumed;
  std::thread thread;
  const Status started = caught([&]() -> Status {
    thread = std::thread([&] {
      rocksdb::Status status = db_->Resume();
      const std::lock_guard lock(mutex);
      resumed = std::move(status);
      changed.notify_one();
    });
    return {};
  });
  if (!started.ok()) return Status(StatusCode::kFull, fmt::format("go on after the disk was full: {}", started.message()));
  bool given_up = false;
  std::unique_lock lock(mutex);
  for (int idle = 0; !changed.wait_for(lock, kLook, [&] { return resumed.has_value(); });) {
    uint64_t flushes = 0, compactions = 0;
    db_->GetIntProperty(rocksdb::DB::Properties::kNumRunningFlushes, &flushes);
    db_->GetIntProperty(rocksdb::DB::Properties::kNumRunningCompactions, &compactions);
    idle = flushes + compactions == 0 ? idle + 1 : 0;
    if (idle < kIdleLooksMax || given_up) continue;
    given_up = true;
    rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/false);  // ends the waiting
  }
  lock.unlock();
  thread.join();
  if (given_up) return false;
  BRAID_TRY(rocksdb_status(*resumed, "go on after the disk was full"));
  return true;
}

bool RocksdbHandle::stalled() const {
  uint64_t stopped = 0;
  return db_->GetIntProperty(rocksdb::DB::Properties::kIsWriteStopped, &stopped) && stopped != 0;
}

uint64_t RocksdbHandle::property(Family family, const std::string& name) const {
  uint64_t value = 0;
  return db_->GetIntProperty(this->family(family), name, &value) ? value : 0;
}

uint64_t RocksdbHandle::keys_estimate(Family family) const {
  // RocksDB's own estimate is 0 after opening, because opening does not read the statistics of every file.
  uint64_t entries = property(family, rocksdb::DB::Properties::kNumEntriesActiveMemTable) +
                     property(family, rocksdb::DB::Properties::kNumEntriesImmMemTables);
  uint64_t deletions = property(family, rocksdb::DB::Properties::kNumDeletesActiveMemTable) +
                       property(family, rocksdb::DB::Properties::kNumDeletesImmMemTables);
  rocksdb::TablePropertiesCollection files;
  if (db_->GetPropertiesOfAllTables(this->family(family), &files).ok()) {
    for (const auto& [name, file] : files) {
      entries += file->num_entries;
      deletions += file->num_deletions;
    }
  }
  // A deletion is an entry too, and takes another's place.
  return entries - std::min(entries, 2 * deletions);
}

}  // namespace braid
