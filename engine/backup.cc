#include "engine/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/archive.h"
#include "engine/archived_rows.h"
#include "engine/backed_up_store.h"
#include "engine/chunk_name.h"
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
  std::chrono::microseconds age() const { return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_); }

 private:
  explicit HeldSlot(WriterSlot& slot) : hold_(slot) {}
  const SlotHold hold_;
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
  BackupMark mark{.lsn = report.lsn, .taken = taken};
  if (engine.archives()) mark.archive = resolved_path(engine.directory().archive());
  BRAID_TRY(made->finish(format, mark));
  if (options.prunes_archive) BRAID_TRY(engine.prune_archive(report.lsn));
  report.written_bytes = pace.written_bytes();
  report.linked_bytes = pace.linked_bytes();
  return report;
}

namespace {

Status add_file(Env& env, const std::string& path, bool immutable, std::vector<StoreFile>& files) {
  BRAID_ASSIGN(const auto file, env.open(path));
  files.push_back({.path = path, .size_bytes = file->size_bytes(), .immutable = immutable});
  return {};
}

/// The files of a closed database. What RocksDB and SQLite make anew is left out.
Status list_files(Env& env, const std::string& source, std::vector<StoreFile>& files) {
  BRAID_TRY(add_file(env, source + "/rows.db", false, files));
  if (env.exists(source + "/rows.db-wal")) BRAID_TRY(add_file(env, source + "/rows.db-wal", false, files));
  BRAID_ASSIGN(const auto graph, env.list(source + "/graph"));
  for (const std::string& name : graph) {
    const bool manifest = name == "CURRENT" || name.starts_with("MANIFEST-");
    if (manifest || name.ends_with(".sst")) BRAID_TRY(add_file(env, source + "/graph/" + name, !manifest, files));
  }
  return {};
}

Status list_chunks(Env& env, const std::string& source, std::vector<StoreFile>& files) {
  BRAID_ASSIGN(const auto chunks, env.list(source + "/chunks"));
  for (const std::string& name : chunks)
    if (name != "quarantine") BRAID_TRY(add_file(env, source + "/chunks/" + name, true, files));
  return {};
}

/// Second names of chunks that were made after the backup, by the names that they had.
Result<std::map<std::string, std::string>> archived_chunks(Env& env, const ArchivePlan& plan) {
  const std::string directory = plan.directory + "/chunks";
  BRAID_ASSIGN(auto names, env.list(directory));
  // Of an attempt that failed and one that did not, the later one is of the commit.
  std::sort(names.begin(), names.end());
  std::map<std::string, std::string> found;
  for (const std::string& name : names) {
    Lsn before;
    std::string_view chunk;
    if (parse_archived_chunk_name(name, before, chunk) && before < plan.to) found.insert_or_assign(std::string(chunk), directory + "/" + name);
  }
  return found;
}

/// Brings rows.db forward, and copies the chunks that it names then.
Status follow_plan(Env& env, const std::string& source, const std::string& made, const ArchivePlan& plan, FileCopy& copy, CopyPace& pace) {
  BRAID_TRY(bring_forward(env, source + "/rows.db", made + "/rows.db", plan, pace));
  BRAID_ASSIGN(const auto chunks, chunks_of(env, made + "/rows.db"));
  BRAID_ASSIGN(const auto archived, archived_chunks(env, plan));
  for (const ChunkId chunk : chunks) {
    const std::string name = chunk_file_name(chunk);
    std::string path = source + "/chunks/" + name;
    if (const auto kept = archived.find(name); kept != archived.end() && !env.exists(path)) path = kept->second;
    if (!env.exists(path))
      return Status(StatusCode::kCorrupt, fmt::format("{}: commit {} needs the chunk {}, which is neither in it nor in {}", plan.directory, plan.to.value(), name, source));
    std::vector<StoreFile> files;
    BRAID_TRY(add_file(env, path, true, files));
    pace.expect(files.front().size_bytes);
    BRAID_TRY(copy.copy(files.front(), made, "chunks/" + name));
  }
  return {};
}

Result<ArchivePlan> plan_for(Env& env, const std::string& source, const Format& format, const std::optional<BackupMark>& mark, ArchiveTarget target) {
  if (target.directory.empty()) target.directory = mark ? mark->archive : source + "/archive";
  if (target.directory.empty())
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: its database had no archive when it was made; name the archive", source));
  while (target.directory.size() > 1 && target.directory.ends_with('/')) target.directory.pop_back();
  BRAID_ASSIGN(const Lsn lsn, newest_commit(env, source + "/rows.db"));
  return plan_restore(env, target, {.path = source, .format = format, .lsn = lsn, .taken = mark ? mark->taken : env.now()});
}

}  // namespace

Status copy_closed(Env& env, const std::string& source, const std::string& destination, const RestoreOptions& options, const CopyProgress& progress) {
  BRAID_ASSIGN(const Format format, read_format(env, source));
  BRAID_ASSIGN(auto mark, read_backup_mark(env, source));
  if (!format.ready) return Status(StatusCode::kInvalidArgument, fmt::format("{}: is a database whose creation was not finished", source));
  BRAID_ASSIGN(const auto lock, hold_closed(env, source));
  if (lock != nullptr) BRAID_TRY(refuse_open_copy(*lock, source));
  std::optional<ArchivePlan> plan;
  if (options.target) {
    BRAID_ASSIGN(plan, plan_for(env, source, format, mark, *options.target));
  }
  std::vector<StoreFile> files;
  BRAID_TRY(list_files(env, source, files));
  if (!plan) BRAID_TRY(list_chunks(env, source, files));
  BRAID_ASSIGN(const auto made, Destination::open(env, destination, source));
  CopyPace pace(options.bytes_per_second, progress);
  for (const StoreFile& file : files) pace.expect(file.size_bytes);
  if (plan) pace.expect(plan->bytes);
  FileCopy copy(env, {.links = options.links}, pace);
  for (const StoreFile& file : files) BRAID_TRY(copy.copy(file, made->path(), name_in(source, file.path)));
  if (plan) BRAID_TRY(follow_plan(env, source, made->path(), *plan, copy, pace));
  BackupMark left = mark.value_or(BackupMark{.lsn = Lsn(0), .taken = env.now()});
  if (plan) left.lsn = plan->to;
  return made->finish_unchecked(format, left);
}

}  // namespace braid
