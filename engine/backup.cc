#include "engine/backup.h"

#include <fmt/format.h>

#include "engine/backed_up_store.h"
#include "engine/destination.h"
#include "engine/file_copy.h"
#include "engine/rows_copy.h"
#include "engine/session.h"

namespace braid {

namespace {

using HeldStores = std::array<std::unique_ptr<HeldFiles>, kStoreCount>;

/// The seam of another Env, for one whose failures are not that one's: what fails in the destination poisons no database.
class ThroughHook final : public FileHook {
 public:
  explicit ThroughHook(const Env& env) : env_(env) {}
  FileAnswer before(const FileRequest& request) noexcept override { return env_.ask(request); }

 private:
  const Env& env_;
};

/// The writer slot, taken while the WAL has room for a new snapshot, so that taking one does not wait.
class HeldSlot {
 public:
  static Result<std::unique_ptr<HeldSlot>> take(Engine& engine) {
    constexpr int kTriesMax = 8;
    const int64_t wal_bytes = engine.options()[OptionId::kWalHardBytes];
    for (int tries = 1;; ++tries) {
      BRAID_TRY(engine.wait_for_wal());
      BRAID_TRY(engine.slot().acquire(engine.busy_deadline()));
      std::unique_ptr<HeldSlot> held(new HeldSlot(engine.slot()));
      if (engine.vfs().wal_size_bytes.load(std::memory_order_relaxed) <= wal_bytes || tries == kTriesMax) return held;
    }
  }
  ~HeldSlot() { slot_.release(); }
  HeldSlot(const HeldSlot&) = delete;
  HeldSlot& operator=(const HeldSlot&) = delete;

  std::chrono::microseconds age() const { return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_); }

 private:
  explicit HeldSlot(WriterSlot& slot) : slot_(slot) {}
  WriterSlot& slot_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// With writers held off: the stores' files, and the rows by a snapshot of `session`, at one LSN.
Status pin(Engine& engine, Session& session, HeldStores& stores, BackupReport& report) {
  BRAID_ASSIGN(const auto slot, HeldSlot::take(engine));
  const auto version = engine.versions().newest();
  BRAID_TRY(session.pin());
  if (session.lsn() != version->lsn)
    return Status(StatusCode::kBusy, fmt::format("commit {} is durable but not visible until the database is reopened", session.lsn().value()));
  for (const StoreKind kind : {StoreKind::kGraph, StoreKind::kSeries}) {
    const auto index = static_cast<size_t>(kind);
    auto* const store = dynamic_cast<BackedUpStore*>(&engine.store(kind));
    if (store == nullptr) return Status(StatusCode::kInternal, "a store cannot be backed up");
    BRAID_ASSIGN(stores[index], store->hold_files(version->views[index]));
  }
  report.lsn = version->lsn;
  report.writers_held = slot->age();
  return {};
}

/// The name of a file within its database.
std::string name_in(const std::string& directory, const std::string& path) { return path.substr(directory.size() + 1); }

}  // namespace

Result<BackupReport> back_up(Engine& engine, const std::string& destination, const BackupOptions& options, const CopyProgress& progress) {
  ThroughHook hook(engine.env());
  Env env(&hook);
  const std::string& source = engine.directory().path();
  const Format format = engine.directory().format();
  std::unique_ptr<CopyBase> base;
  if (!options.base.empty()) {
    BRAID_ASSIGN(base, CopyBase::open(env, options.base, format.uuid));
  }
  BRAID_ASSIGN(const auto made, Destination::open(env, destination, source));
  const Timestamp taken = env.now();
  BackupReport report;
  HeldStores stores;
  CopyPace pace(options.bytes_per_second, progress);
  {
    BRAID_ASSIGN(const auto session, Session::open(engine));
    const Session::Internal internal(*session);
    BRAID_TRY(pin(engine, *session, stores, report));
    // Nothing is in a backup that the database may still lose.
    BRAID_TRY(engine.sync_commits().status());
    BRAID_ASSIGN(const uint64_t all_bytes, rows_bytes(session->db()));
    pace.expect(all_bytes);
    for (const auto& held : stores)
      for (const StoreFile& file : held->files()) pace.expect(file.size_bytes);
    // The snapshot keeps the WAL from being used again, so that a slow copy would let it grow to its bound: then it hurries.
    const int64_t wal_bytes = engine.options()[OptionId::kWalHardBytes] / 2;
    const auto hurries = [&] { return engine.vfs().wal_size_bytes.load(std::memory_order_relaxed) > wal_bytes; };
    BRAID_TRY(copy_rows(session->db(), env, made->path() + "/rows.db", pace, hurries));
  }
  FileCopy copy(env, {.links = options.links, .base = base.get()}, pace);
  for (const auto& held : stores)
    for (const StoreFile& file : held->files()) BRAID_TRY(copy.copy(file, made->path(), name_in(source, file.path)));
  BRAID_TRY(made->finish(format, {report.lsn, taken}));
  report.written_bytes = pace.written_bytes();
  report.linked_bytes = pace.linked_bytes();
  return report;
}

namespace {

/// The files of a closed database. What RocksDB and SQLite make anew is left out.
Status list_files(Env& env, const std::string& source, std::vector<StoreFile>& files) {
  const auto add = [&](const std::string& path, bool immutable) -> Status {
    BRAID_ASSIGN(const auto file, env.open(path));
    files.push_back({.path = path, .size_bytes = file->size_bytes(), .immutable = immutable});
    return {};
  };
  BRAID_TRY(add(source + "/rows.db", false));
  if (env.exists(source + "/rows.db-wal")) BRAID_TRY(add(source + "/rows.db-wal", false));
  BRAID_ASSIGN(const auto graph, env.list(source + "/graph"));
  for (const std::string& name : graph) {
    const bool manifest = name == "CURRENT" || name.starts_with("MANIFEST-");
    if (manifest || name.ends_with(".sst")) BRAID_TRY(add(source + "/graph/" + name, !manifest));
  }
  BRAID_ASSIGN(const auto chunks, env.list(source + "/chunks"));
  for (const std::string& name : chunks)
    if (name != "quarantine") BRAID_TRY(add(source + "/chunks/" + name, true));
  return {};
}

}  // namespace

Status copy_closed(Env& env, const std::string& source, const std::string& destination, const RestoreOptions& options, const CopyProgress& progress) {
  BRAID_ASSIGN(const Format format, read_format(env, source));
  BRAID_ASSIGN(const auto mark, read_backup_mark(env, source));
  if (!format.ready) return Status(StatusCode::kInvalidArgument, fmt::format("{}: is a database whose creation was not finished", source));
  BRAID_ASSIGN(const auto lock, hold_closed(env, source));
  if (lock != nullptr) BRAID_TRY(refuse_open_copy(*lock, source));
  std::vector<StoreFile> files;
  BRAID_TRY(list_files(env, source, files));
  BRAID_ASSIGN(const auto made, Destination::open(env, destination, source));
  CopyPace pace(options.bytes_per_second, progress);
  for (const StoreFile& file : files) pace.expect(file.size_bytes);
  FileCopy copy(env, {.links = options.links}, pace);
  for (const StoreFile& file : files) BRAID_TRY(copy.copy(file, made->path(), name_in(source, file.path)));
  return made->finish(format, mark.value_or(BackupMark{Lsn(0), env.now()}));
}

}  // namespace braid
