#include "api/database.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "api/checked_copy.h"
#include "graph/graph_store.h"
#include "sql/binding.h"
#include "timeseries/series_store.h"

namespace braid {

namespace {

Result<std::unique_ptr<Store>> make_graph(const StoreContext& context) {
  GraphStoreOptions chosen;
  chosen.block_cache_bytes = static_cast<uint64_t>(context.options[OptionId::kGraphCacheBytes]);
  chosen.write_buffer_bytes = static_cast<uint64_t>(context.options[OptionId::kGraphBufferBytes]);
  chosen.projection_bytes_max = static_cast<uint64_t>(context.options[OptionId::kProjectionBytesMax]);
  chosen.log_begin = context.log_begin;
  chosen.memory = context.memory;
  return open_graph_store(context.env, context.catalog, context.directory.graph(), chosen);
}

Result<std::unique_ptr<Store>> make_series(const StoreContext& context) {
  SeriesStoreOptions chosen;
  chosen.tail_bytes_max = static_cast<uint64_t>(context.options[OptionId::kTailBytesMax]);
  chosen.memory = context.memory;
  chosen.next_chunk = ChunkId(context.counters.next_chunk);
  const Format& format = context.directory.format();
  return open_series_store(context.env, context.catalog, context.state, context.directory.chunks(), {format.uuid, format.epoch}, chosen);
}

int64_t file_size(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? static_cast<int64_t>(status.st_size) : 0;
}

}  // namespace

Result<std::shared_ptr<Database>> Database::open(const std::string& directory, std::string_view options, FileHook* hook, CopyState accepted) {
  BRAID_ASSIGN(const Options parsed, Options::parse(options));
  std::shared_ptr<Database> database(new Database());
  BRAID_ASSIGN(database->engine_, Engine::open(directory, parsed, {make_graph, make_series, tail_bytes}, hook, accepted));
  database->groups_ = std::make_unique<GroupCommitter>(*database->engine_);
  const std::chrono::milliseconds interval(parsed[OptionId::kMaintenanceInterval]);
  if (interval.count() > 0 && !database->engine_->read_only()) database->maintenance_ = std::make_unique<MaintenanceThread>(*database->engine_, interval);
  OpenInThisProcess::let_children_exit();
  return database;
}

Result<std::shared_ptr<Database>> Database::restore(const std::string& source, const std::string& destination, const RestoreOptions& copy_options,
                                                    std::string_view options, const CopyProgress& progress, FileHook* hook) {
  BRAID_TRY(Options::parse(options).status());
  Env env(hook);
  BRAID_TRY(LongCall::in_part(0, 0.5, [&] { return copy_closed(env, source, destination, copy_options, progress); }));
  const LongCall::Part rest(0.5, 0.5);
  return open_checked(env, destination, options, hook, {}, fmt::format("{}: its copy cannot be used", source));
}

Status Database::close() {
  if (engine_ == nullptr) return {};
  maintenance_ = nullptr;
  if (groups_ != nullptr) groups_->close();
  const Status status = engine_->close();
  groups_ = nullptr;
  engine_ = nullptr;
  return status;
}

Status Database::check(std::vector<std::string>& problems) {
  BRAID_ASSIGN(const auto connection, Connection::open(*engine_));
  return connection->read([&]() -> Status {
    const Session::Internal internal(connection->session());
    const auto check_store = [&](StoreKind kind) { return engine_->store(kind).check(*connection->session().view(kind), problems); };
    BRAID_TRY(LongCall::in_part(0, 0.3, [&] { return engine_->check_log(connection->db(), problems); }));
    BRAID_TRY(LongCall::in_part(0.3, 0.4, [&] { return check_store(StoreKind::kGraph); }));
    BRAID_TRY(LongCall::in_part(0.7, 0.25, [&] { return check_store(StoreKind::kSeries); }));
    return LongCall::in_part(0.95, 0.05, [&] { return check_bindings(*connection, problems); });
  });
}

std::vector<StoreFigure> Database::figures() {
  const auto newest = engine_->versions().newest();
  const auto load = [](const std::atomic<uint64_t>& counter) { return static_cast<int64_t>(counter.load(std::memory_order_relaxed)); };
  const Engine::Counters& counters = engine_->counters;
  std::vector<StoreFigure> figures = {
      {"lsn", "", static_cast<int64_t>(newest->lsn.value())},
      {"durable_lsn", "", static_cast<int64_t>(engine_->commit_sync().durable_lsn().value())},
      {"oldest_snapshot", "", static_cast<int64_t>(engine_->versions().oldest_held().value())},
      {"commits", "", load(counters.commits), true},
      {"groups", "", load(counters.groups), true},
      {"group_members", "", load(counters.group_members), true},
      {"wal_syncs", "", static_cast<int64_t>(engine_->vfs().wal_sync_count()), true},
      {"checkpoints", "", load(counters.checkpoints), true},
      {"replayed_at_open", "", load(counters.replayed)},
      {"connections", "", load(counters.sessions)},
      {"served", "", clients.load() >= 0 ? 1 : 0},
      {"clients", "", std::max<int64_t>(0, clients.load())},
      {"writers_waiting", "", static_cast<int64_t>(engine_->slot().waiting())},
      {"rows_size", "bytes", file_size(engine_->directory().rows())},
      {"wal_size", "bytes", file_size(engine_->directory().wal())},
      {"hypertables", "", static_cast<int64_t>(newest->catalog->hypertables.size())},
      {"poisoned", "", engine_->env().poisoned() && !engine_->read_only() ? 1 : 0},
      {"memory_held", "bytes", static_cast<int64_t>(MemoryBudget::process_bytes())},
      {"memory_sqlite", "bytes", static_cast<int64_t>(MemoryBudget::sqlite_bytes())},
  };
  if (const auto archive = engine_->archive_state()) {
    figures.push_back({"archive_from", "", static_cast<int64_t>(archive->from.value())});
    figures.push_back({"archive_to", "", static_cast<int64_t>(archive->to.value())});
    figures.push_back({"archive_size", "bytes", static_cast<int64_t>(archive->bytes)});
    figures.push_back({"archive_fails", "", archive->failure.ok() ? 0 : 1});
  }
  for (const StoreKind kind : {StoreKind::kGraph, StoreKind::kSeries})
    for (StoreFigure& figure : engine_->store(kind).figures()) figures.push_back(std::move(figure));
  return figures;
}

}  // namespace braid
