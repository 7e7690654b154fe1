#include "engine/commit_log.h"

#include <fmt/format.h>

namespace braid {

namespace {

constexpr const char* kTables =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE _braid_log(lsn INTEGER PRIMARY KEY, record BLOB NOT NULL);"
    "CREATE TABLE _braid_name(kind INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;"
    "CREATE TABLE _braid_series(id INTEGER PRIMARY KEY, hypertable INTEGER NOT NULL, tags BLOB NOT NULL);"
    "CREATE TABLE _braid_object(kind INTEGER NOT NULL, id INTEGER NOT NULL, definition BLOB NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;"
    "CREATE TABLE _braid_meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE _braid_scenario(name TEXT NOT NULL, step INTEGER NOT NULL, change TEXT NOT NULL, PRIMARY KEY(name, step)) WITHOUT ROWID;"
    "CREATE TABLE _braid_dirty(aggregate INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, PRIMARY KEY(aggregate, start)) WITHOUT ROWID;"
    "INSERT INTO _braid_log VALUES(1, x'');"
    "COMMIT;";

constexpr const char* kNextObject = "next_object";
constexpr const char* kNextSeries = "next_series";
constexpr const char* kNextChunk = "next_chunk";
constexpr const char* kSeriesWatermark = "series_watermark";
constexpr std::string_view kLoadPrefix = "load:";  // and the name of the load

template <typename Definition, typename Map>
Status load_object(std::string_view bytes, Map& map) {
  Definition definition;
  BRAID_TRY(decode_definition(bytes, definition));
  if constexpr (std::is_same_v<Definition, RangeDeletion> || std::is_same_v<Definition, AggregateDefinition> || std::is_same_v<Definition, PolicyDefinition>)
    map.emplace(definition.id, std::make_shared<const Definition>(std::move(definition)));
  else if constexpr (std::is_same_v<Definition, BindingDefinition>)
    map.emplace(definition.label, std::move(definition));
  else if constexpr (std::is_same_v<Definition, HierarchyDefinition>)
    map.emplace(definition.type, definition);
  else
    map.emplace(definition.id, std::move(definition));
  return {};
}

Status load_objects(sqlite3* db, CatalogState& state) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "SELECT kind, definition FROM _braid_object ORDER BY kind, id"));
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const std::string_view bytes = rows.bytes(1);
    switch (static_cast<CatalogWriter::Kind>(rows.integer(0))) {
      case CatalogWriter::Kind::kHypertable:
        BRAID_TRY(load_object<HypertableDefinition>(bytes, state.hypertables));
        continue;
      case CatalogWriter::Kind::kIndex: BRAID_TRY(load_object<IndexDefinition>(bytes, state.indexes)); continue;
      case CatalogWriter::Kind::kBinding: BRAID_TRY(load_object<BindingDefinition>(bytes, state.bindings)); continue;
      case CatalogWriter::Kind::kHierarchy:
        BRAID_TRY(load_object<HierarchyDefinition>(bytes, state.hierarchies));
        continue;
      case CatalogWriter::Kind::kChunk: BRAID_TRY(load_object<ChunkDefinition>(bytes, state.chunks.change())); continue;
      case CatalogWriter::Kind::kDeletion: BRAID_TRY(load_object<RangeDeletion>(bytes, state.deletions.change())); continue;
      case CatalogWriter::Kind::kAggregate: BRAID_TRY(load_object<AggregateDefinition>(bytes, state.aggregates)); continue;
      case CatalogWriter::Kind::kPolicy: BRAID_TRY(load_object<PolicyDefinition>(bytes, state.policies)); continue;
      case CatalogWriter::Kind::kName:
      case CatalogWriter::Kind::kSeries:
      case CatalogWriter::Kind::kMeta:
      case CatalogWriter::Kind::kDirty:
      case CatalogWriter::Kind::kLoad: break;
    }
    return Status(StatusCode::kCorrupt, fmt::format("rows.db: _braid_object: unknown kind {}", rows.integer(0)));
  }
}

Status load_names(sqlite3* db, Catalog& catalog) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "SELECT kind, id, name FROM _braid_name ORDER BY kind, id"));
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const int64_t kind = rows.integer(0);
    const bool known = kind >= static_cast<int64_t>(NameKind::kLabel) && kind <= static_cast<int64_t>(NameKind::kPropertyKey);
    // Ids are dense: the table is read in order, so each is the next of its kind.
    if (!known || rows.integer(1) != catalog.next_name(static_cast<NameKind>(kind)))
      return Status(StatusCode::kCorrupt, fmt::format("rows.db: _braid_name: unexpected row ({}, {})", kind, rows.integer(1)));
    catalog.add_name(static_cast<NameKind>(kind), static_cast<uint32_t>(rows.integer(1)), std::string(rows.bytes(2)));
  }
}

Status load_series(sqlite3* db, Catalog& catalog) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "SELECT hypertable, id, tags FROM _braid_series ORDER BY id"));
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    catalog.add_series(HypertableId(static_cast<uint32_t>(rows.integer(0))), SeriesId(static_cast<uint64_t>(rows.integer(1))),
                       std::string(rows.bytes(2)));
  }
}

Status load_meta(sqlite3* db, CatalogState& state, CatalogCounters& counters) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "SELECT key, value FROM _braid_meta"));
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const std::string_view key = rows.bytes(0);
    const auto value = static_cast<uint64_t>(rows.integer(1));
    if (key == kNextObject) counters.next_object = static_cast<uint32_t>(value);
    if (key == kNextSeries) counters.next_series = value;
    if (key == kNextChunk) counters.next_chunk = value;
    if (key == kSeriesWatermark) state.series_watermark = Lsn(value);
    if (key.starts_with(kLoadPrefix)) state.loads.emplace(key.substr(kLoadPrefix.size()), rows.integer(1));
  }
}

}  // namespace

Status create_log_tables(sqlite3* db) { return sqlite_run(db, kTables); }

Result<StoredCatalog> load_catalog(sqlite3* db, Catalog& catalog) {
  auto state = std::make_shared<CatalogState>();
  StoredCatalog stored;
  BRAID_TRY(load_names(db, catalog));
  BRAID_TRY(load_series(db, catalog));
  BRAID_TRY(load_objects(db, *state));
  BRAID_TRY(load_meta(db, *state, stored.counters));
  stored.state = std::move(state);
  return stored;
}

Result<Lsn> read_log_begin(sqlite3* db) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "SELECT lsn FROM _braid_log ORDER BY lsn LIMIT 1"));
  BRAID_ASSIGN(const bool found, rows.step());
  if (!found) return Status(StatusCode::kCorrupt, "rows.db: _braid_log is empty");
  return Lsn(static_cast<uint64_t>(rows.integer(0)));
}

Status read_log(sqlite3* db, Lsn after, const std::function<Status(Lsn, std::string_view)>& visit) {
  BRAID_ASSIGN(auto rows, sqlite_prepare(db, "SELECT lsn, record FROM _braid_log WHERE lsn > ?1 ORDER BY lsn"));
  rows.bind(1, static_cast<int64_t>(after.value()));
  for (;;) {
    BRAID_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const Lsn lsn(static_cast<uint64_t>(rows.integer(0)));
    BRAID_TRY(visit(lsn, rows.bytes(1)).within(fmt::format("commit {}", lsn.value())));
  }
}

Result<std::unique_ptr<CommitLog>> CommitLog::open(sqlite3* db) {
  auto log = std::make_unique<CommitLog>();
  const std::pair<SqliteStatement*, const char*> statements[] = {
      {&log->newest_, "SELECT lsn FROM _braid_log ORDER BY lsn DESC LIMIT 1"},
      {&log->insert_, "INSERT INTO _braid_log VALUES(?1, ?2)"},
      {&log->trim_, "DELETE FROM _braid_log WHERE lsn <= ?1 AND lsn < (SELECT max(lsn) FROM _braid_log)"},
      {&log->count_, "SELECT count(*) FROM _braid_log"},
      {&log->put_name_, "INSERT INTO _braid_name VALUES(?1, ?2, ?3)"},
      {&log->put_series_, "INSERT INTO _braid_series VALUES(?1, ?2, ?3)"},
      {&log->put_object_, "INSERT OR REPLACE INTO _braid_object VALUES(?1, ?2, ?3)"},
      {&log->remove_object_, "DELETE FROM _braid_object WHERE kind = ?1 AND id = ?2"},
      {&log->put_dirty_, "INSERT INTO _braid_dirty VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET stop = max(stop, excluded.stop)"},
      {&log->put_meta_, "INSERT OR REPLACE INTO _braid_meta VALUES(?1, ?2)"},
      {&log->remove_meta_, "DELETE FROM _braid_meta WHERE key = ?1"},
  };
  for (const auto& [statement, sql] : statements) {
    BRAID_ASSIGN(*statement, sqlite_prepare(db, sql));
  }
  return log;
}

Result<Lsn> CommitLog::newest() {
  BRAID_ASSIGN(const Lsn lsn, hold_read());
  release_read();
  return lsn;
}

Result<Lsn> CommitLog::hold_read() {
  newest_.reset();
  BRAID_ASSIGN(const bool found, newest_.step());
  if (!found) return Status(StatusCode::kCorrupt, "rows.db: _braid_log is empty");
  return Lsn(static_cast<uint64_t>(newest_.integer(0)));
}

void CommitLog::release_read() { newest_.reset(); }

Status CommitLog::append(Lsn lsn, const CatalogWriter* catalog, size_t first, std::string_view record) {
  if (catalog != nullptr && first < catalog->changes().size()) {
    for (size_t i = first; i < catalog->changes().size(); ++i) BRAID_TRY(write_change(*catalog, catalog->changes()[i]));
    const CatalogCounters counters = catalog->counters();
    const std::pair<const char*, uint64_t> meta[] = {{kNextObject, counters.next_object},
                                                     {kNextSeries, counters.next_series},
                                                     {kNextChunk, counters.next_chunk},
                                                     {kSeriesWatermark, catalog->state().series_watermark.value()}};
    for (const auto& [key, value] : meta) {
      put_meta_.bind_text(1, key).bind(2, static_cast<int64_t>(value));
      BRAID_TRY(put_meta_.run());
    }
  }
  insert_.bind(1, static_cast<int64_t>(lsn.value())).bind_blob(2, record);
  return insert_.run();
}

Status CommitLog::write_change(const CatalogWriter&, const CatalogWriter::Change& change) {
  const auto id = static_cast<int64_t>(change.id);
  switch (change.kind) {
    case CatalogWriter::Kind::kName:
      put_name_.bind(1, change.subkind).bind(2, id).bind_text(3, change.text);
      return put_name_.run();
    case CatalogWriter::Kind::kSeries:
      put_series_.bind(1, id).bind(2, static_cast<int64_t>(change.owner)).bind_blob(3, change.text);
      return put_series_.run();
    case CatalogWriter::Kind::kHypertable:
    case CatalogWriter::Kind::kIndex:
    case CatalogWriter::Kind::kBinding:
    case CatalogWriter::Kind::kChunk:
    case CatalogWriter::Kind::kHierarchy:
    case CatalogWriter::Kind::kDeletion:
    case CatalogWriter::Kind::kAggregate:
    case CatalogWriter::Kind::kPolicy:
      if (change.removed) {
        remove_object_.bind(1, static_cast<int64_t>(change.kind)).bind(2, id);
        return remove_object_.run();
      }
      put_object_.bind(1, static_cast<int64_t>(change.kind)).bind(2, id).bind_blob(3, change.text);
      return put_object_.run();
    case CatalogWriter::Kind::kLoad: {
      const std::string key = std::string(kLoadPrefix) + change.text;
      SqliteStatement& statement = change.removed ? remove_meta_ : put_meta_;
      statement.bind_text(1, key);
      if (!change.removed) statement.bind(2, id);
      return statement.run();
    }
    case CatalogWriter::Kind::kDirty:
      put_dirty_.bind(1, id).bind(2, change.range.start.value()).bind(3, change.range.limit.value());
      return put_dirty_.run();
    case CatalogWriter::Kind::kMeta: return {};  // written after the others, as a whole
  }
  return {};
}

Status CommitLog::trim(Lsn lsn) {
  trim_.bind(1, static_cast<int64_t>(lsn.value()));
  return trim_.run();
}

Result<int64_t> CommitLog::size_rows() {
  BRAID_ASSIGN(const bool found, count_.step());
  const int64_t rows = found ? count_.integer(0) : 0;
  count_.reset();
  return rows;
}

}  // namespace braid
