#include "api/repair.h"

#include <fmt/format.h>

#include "api/checked_copy.h"
#include "engine/copy_mark.h"
#include "engine/destination.h"
#include "engine/file_copy.h"
#include "engine/long_call.h"
#include "engine/repaired_rows.h"
#include "graph/graph_salvage.h"
#include "sql/binding.h"
#include "timeseries/chunk_format.h"
#include "timeseries/chunk_salvage.h"

namespace braid {

namespace {

/// FORMAT, or what chunks tell where it is lost.
Result<Format> format_of(Env& env, const std::string& source, const LossReport& lost) {
  auto format = read_format(env, source);
  if (format.ok() || (format.status().code() != StatusCode::kCorrupt && format.status().code() != StatusCode::kNotFound)) return format;
  if (!env.exists(source + "/rows.db") && !env.exists(source + "/graph") && !env.exists(source + "/chunks"))
    return Status(StatusCode::kNotFound, fmt::format("{}: there is no Braid database", source));
  lost(fmt::format("FORMAT: {}", format.status().message()));
  Format made{.uuid = make_uuid(env), .ready = true};
  const auto names = env.list(source + "/chunks");
  if (!names.ok()) return made;
  for (const std::string& name : *names) {
    const auto file = env.open(source + "/chunks/" + name);
    std::string bytes;
    if (!file.ok() || !(*file)->read(0, kChunkHeaderBytes, bytes).ok()) continue;
    const auto header = decode_chunk_header(bytes);
    if (!header.ok()) continue;
    made.uuid = header->uuid;
    made.epoch = std::max(made.epoch, header->epoch);
  }
  return made;
}

class Repair {
 public:
  Repair(Env& env, std::string source, Destination& made, Format format, const LossReport& lost)
      : env_(env), source_(std::move(source)), made_(made), format_(std::move(format)), lost_(lost) {}

  /// Indexes of rows are left in `indexes`, to be made when the database is open.
  Status run(std::vector<std::string>& indexes) {
    BRAID_TRY(LongCall::in_part(0, 0.4, [&] { return repair_rows(indexes); }));
    BRAID_ASSIGN(const auto rows, RepairedRows::open(env_, made_.path() + "/rows.db"));
    BRAID_TRY(rows->adopt(format_));
    if (!rows_whole_) BRAID_TRY(rows->mend({}, lost_));
    Catalog catalog;
    BRAID_ASSIGN(const StoredCatalog stored, rows->load(catalog));
    BRAID_TRY(LongCall::in_part(0.4, 0.3, [&] { return repair_chunks(*rows, *stored.state); }));
    return LongCall::in_part(0.7, 0.3, [&] { return repair_graph(*rows, catalog, stored); });
  }

 private:
  std::string scratch() const { return made_.path() + "/damaged"; }

  Status copy(const std::string& from, const std::string& to, bool links) {
    BRAID_ASSIGN(const auto file, env_.open(from));
    CopyPace pace(0, [](uint64_t, uint64_t) { return LongCall::check(); });
    return FileCopy(env_, {.links = links}, pace).copy({.path = from, .size_bytes = file->size_bytes(), .immutable = links}, made_.path(), to);
  }

  Status repair_rows(std::vector<std::string>& indexes) {
    BRAID_ASSIGN(const auto pages, PageSource::open(env_, source_ + "/rows.db"));
    BRAID_ASSIGN(rows_whole_, is_whole(*pages));
    if (!rows_whole_) return salvage_rows(env_, *pages, made_.path() + "/rows.db", lost_, indexes);
    BRAID_TRY(copy(source_ + "/rows.db", "rows.db", false));
    return env_.exists(source_ + "/rows.db-wal") ? copy(source_ + "/rows.db-wal", "rows.db-wal", false) : Status();
  }

  Status repair_chunks(RepairedRows& rows, const CatalogState& state) {
    size_t done = 0;
    for (const auto& [id, chunk] : state.chunks) {
      BRAID_TRY(LongCall::check(static_cast<double>(done++) / static_cast<double>(state.chunks.size())));
      const std::string name = "chunks/" + chunk_file_name(id);
      SalvagedChunk salvaged;
      if (!state.hypertables.contains(chunk.hypertable)) {
        salvaged.loss = fmt::format("{}: what its hypertable was is lost, and with it {} points", name, chunk.rows);
      } else {
        BRAID_ASSIGN(salvaged, salvage_chunk(env_, chunk, format_.uuid, source_ + "/" + name, made_.path() + "/" + name));
      }
      if (!salvaged.loss.empty()) lost_(salvaged.loss);
      if (salvaged.whole) {
        BRAID_TRY(copy(source_ + "/" + name, name, false));
      } else {
        BRAID_TRY(salvaged.definition.has_value() ? rows.put_chunk(*salvaged.definition) : rows.remove_chunk(id));
      }
    }
    return tell_unnamed_chunks(state);
  }

  Status tell_unnamed_chunks(const CatalogState& state) {
    const auto names = env_.list(source_ + "/chunks");
    if (!names.ok() || rows_whole_) return {};
    for (const std::string& name : *names) {
      const auto id = parse_chunk_file_name(name);
      if (id.has_value() && !state.chunks.contains(*id)) lost_(fmt::format("chunks/{}: no row of the catalogue names it any more; its points are lost", name));
    }
    return {};
  }

  /// RocksDB changes what it opens: it gets names of its own for the tables, and copies of the rest.
  Status copy_graph() {
    BRAID_TRY(env_.create_directory(scratch()));
    const auto names = env_.list(source_ + "/graph");
    if (!names.ok()) {
      lost_("graph: " + names.status().message());
      return {};
    }
    for (const std::string& name : *names) {
      const bool manifest = name == "CURRENT" || name.starts_with("MANIFEST-");
      if (manifest || name.ends_with(".sst")) BRAID_TRY(copy(source_ + "/graph/" + name, "damaged/" + name, !manifest));
    }
    return {};
  }

  Status repair_graph(RepairedRows& rows, const Catalog& catalog, const StoredCatalog& stored) {
    BRAID_TRY(copy_graph());
    const Lsn log_begin = rows.log_begin();
    const GraphState graph = graph_state(env_, scratch(), log_begin);
    BRAID_TRY(LongCall::check());  // who ended the call has damaged nothing
    BRAID_ASSIGN(const auto log, rows.log_state(std::min(graph.lowest, stored.state->series_watermark)));
    if (graph.damage.empty() && rows_whole_ && log.whole && log.newest >= graph.highest) {
      BRAID_TRY(env_.remove_tree(made_.path() + "/graph"));
      return env_.rename(scratch(), made_.path() + "/graph");
    }
    if (!graph.damage.empty()) lost_(graph.damage);
    if (!graph.unwritten.empty() && !log.whole) lost_(graph.unwritten);
    // A MANIFEST whose end is damaged is read up to there, and the tables that it names after that are not missed.
    if (!log.whole && rows_whole_ && graph.damage.empty() && graph.unwritten.empty())
      lost_(fmt::format("graph: it is at commit {}, and the log does not have every commit after that: the changes in those are lost, and what they deleted may be there "
                        "again", graph.lowest.value()));
    if (log.newest < graph.highest)
      lost_(fmt::format("the rows end at commit {}, the graph at commit {}: rows and points of the commits in between are lost", log.newest.value(),
                        graph.highest.value()));
    const GraphSalvage salvage{.env = env_,
                               .catalog = catalog,
                               .state = stored.state,
                               .counters = stored.counters,
                               .log_begin = log_begin,
                               .records = [&](const auto& visit) { return rows.read_records(lost_, visit); },
                               .lost = lost_};
    const Lsn newest = std::max({log.newest, stored.state->series_watermark, graph.highest});
    BRAID_ASSIGN(const SalvagedGraph built, salvage_graph(salvage, scratch(), made_.path() + "/graph", newest));
    BRAID_TRY(rows.mend(built.greatest_ids, lost_));
    BRAID_TRY(rows.rebase_log(built.lsn, stored.state->series_watermark));
    return env_.remove_tree(scratch());
  }

  Env& env_;
  const std::string source_;
  Destination& made_;
  const Format format_;
  const LossReport& lost_;
  bool rows_whole_ = false;
};

/// Nodes and rows that no longer agree are no longer bound: both stay.
Status mend_bindings(Connection& connection, const LossReport& lost) {
  std::map<LabelId, BindingDefinition> bindings;
  BRAID_TRY(connection.read([&] {
    bindings = connection.catalog_state().bindings;
    return Status();
  }));
  for (const auto& [label, binding] : bindings) {
    std::vector<std::string> problems;
    BRAID_TRY(connection.read([&] { return check_bindings(connection, problems); }));
    if (problems.empty()) return {};
    const std::string name = connection.name(NameKind::kLabel, label.value());
    const Status unbound = connection.execute(fmt::format("SELECT graph_unbind({})", quote_text(name)));
    BRAID_TRY(LongCall::check());
    lost(fmt::format("label \"{}\": it is no longer bound to table \"{}\": {}", name, binding.table, unbound.ok() ? problems.front() : unbound.message()));
  }
  return {};
}

Status finish(Database& database, const std::vector<std::string>& indexes, const LossReport& lost) {
  BRAID_ASSIGN(const auto connection, Connection::open(database.engine()));
  for (const std::string& sql : indexes) {
    const Status made = connection->execute(sql);
    BRAID_TRY(LongCall::check());
    if (!made.ok()) lost(fmt::format("an index cannot be made again ({}): {}", made.message(), sql));
  }
  return mend_bindings(*connection, lost);
}

}  // namespace

Result<std::shared_ptr<Database>> repair(const std::string& source, const std::string& destination, const LossReport& lost, FileHook* hook) {
  Env env(hook);
  BRAID_ASSIGN(const Format format, format_of(env, source, lost));
  BRAID_ASSIGN(const auto lock, hold_closed(env, source));
  if (lock != nullptr && has_lost_wal(env, source, *lock))
    lost("rows.db-wal: it is missing, and the database was not closed; the commits in it are lost");
  std::vector<std::string> indexes;
  {
    BRAID_ASSIGN(const auto made, Destination::open(env, destination, source));
    BRAID_TRY(LongCall::in_part(0, 0.5, [&] { return Repair(env, source, *made, format, lost).run(indexes); }));
    BRAID_TRY(made->finish_unchecked(format, {Lsn(0), env.now()}));
  }
  const auto end = [&](Database& database) { return finish(database, indexes, lost); };
  const LongCall::Part rest(0.5, 0.5);
  return open_checked(env, destination, "maintenance_interval_ms=0", hook, end, fmt::format("{}: what was repaired cannot be used", source));
}

}  // namespace braid
