#include "engine/repaired_rows.h"

#include <fmt/format.h>

#include "engine/identity.h"

namespace braid {

namespace {

constexpr int64_t kChunkKind = static_cast<int64_t>(CatalogWriter::Kind::kChunk);

/// A counter is above every id that there is.
std::string counter_sql(std::string_view key, std::string_view greatest) {
  return fmt::format("INSERT OR REPLACE INTO _braid_meta SELECT '{0}', max(coalesce((SELECT value FROM _braid_meta WHERE key = '{0}'), 1), "
                     "coalesce(({1}), 0) + 1);",
                     key, greatest);
}

}  // namespace

Result<std::unique_ptr<RepairedRows>> RepairedRows::open(Env& env, const std::string& path) {
  std::unique_ptr<RepairedRows> rows(new RepairedRows(env));
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, rows->vfs_.name().c_str());
  rows->db_ = SqliteHandle(db);
  if (code != SQLITE_OK) return sqlite_status(db, code, path);
  BRAID_TRY(sqlite_run(db, "PRAGMA synchronous=FULL"));
  return rows;
}

Status RepairedRows::mend(const std::map<NameKind, uint32_t>& greatest_names, const LossReport& lost) {
  std::string sql;
  // Ids of names are dense: one that is missing gets a name that tells so.
  for (const NameKind kind : {NameKind::kLabel, NameKind::kEdgeType, NameKind::kPropertyKey}) {
    const auto used = greatest_names.find(kind);
    BRAID_ASSIGN(auto missing, sqlite_prepare(db_.get(), "WITH RECURSIVE every(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM every WHERE id < max(?2, "
                                                         "coalesce((SELECT max(id) FROM _braid_name WHERE kind = ?1), 0))) SELECT id FROM every WHERE id <= "
                                                         "max(?2, coalesce((SELECT max(id) FROM _braid_name WHERE kind = ?1), 0)) AND id NOT IN (SELECT id "
                                                         "FROM _braid_name WHERE kind = ?1)"));
    missing.bind(1, static_cast<int64_t>(kind)).bind(2, used == greatest_names.end() ? 0 : used->second);
    for (;;) {
      BRAID_ASSIGN(const bool more, missing.step());
      if (!more) break;
      sql += fmt::format("INSERT INTO _braid_name VALUES({0}, {1}, 'lost_{0}_{1}');", static_cast<int>(kind), missing.integer(0));
      lost(fmt::format("catalog: the name {} of kind {} (1 label, 2 edge type, 3 property) is lost; it is lost_{}_{} now", missing.integer(0),
                       static_cast<int>(kind), static_cast<int>(kind), missing.integer(0)));
    }
  }
  sql += counter_sql("next_object", fmt::format("SELECT max(id) FROM _braid_object WHERE kind <> {}", kChunkKind));
  sql += counter_sql("next_series", "SELECT max(id) FROM _braid_series");
  sql += counter_sql("next_chunk", fmt::format("SELECT max(id) FROM _braid_object WHERE kind = {}", kChunkKind));
  return sqlite_run(db_.get(), sql);
}

Status RepairedRows::adopt(const Format& format) {
  BRAID_TRY(sqlite_run(db_.get(), "DELETE FROM _braid_meta WHERE key = 'identity'"));
  return write_identity(db_.get(), format);
}

Status RepairedRows::read_records(const LossReport& lost, const std::function<Status(Lsn, const CommitRecord&)>& visit) {
  return read_log(db_.get(), Lsn(0), [&](Lsn lsn, std::string_view bytes) -> Status {
    const auto record = decode_commit_record(bytes);
    if (record.ok()) return visit(lsn, *record);
    lost(fmt::format("the log: commit {}: {}", lsn.value(), record.status().message()));
    return {};
  });
}

Result<RepairedRows::LogState> RepairedRows::log_state(Lsn after) {
  LogState state{.newest = Lsn(0), .whole = true};
  Lsn expected = after;
  BRAID_TRY(read_log(db_.get(), Lsn(0), [&](Lsn lsn, std::string_view bytes) -> Status {
    state.newest = lsn;
    if (lsn <= after) return {};
    expected = expected.next();
    if (lsn != expected || !decode_commit_record(bytes).ok()) state.whole = false;
    return {};
  }));
  if (state.newest < after) state.whole = false;
  return state;
}

Lsn RepairedRows::log_begin() {
  const auto begin = read_log_begin(db_.get());
  return begin.ok() ? *begin : Lsn(UINT64_MAX);
}

Status RepairedRows::put_chunk(const ChunkDefinition& chunk) {
  BRAID_ASSIGN(auto put, sqlite_prepare(db_.get(), "INSERT OR REPLACE INTO _braid_object VALUES(?1, ?2, ?3)"));
  const std::string bytes = encode_definition(chunk);
  put.bind(1, kChunkKind).bind(2, static_cast<int64_t>(chunk.id.value())).bind_blob(3, bytes);
  return put.run();
}

Status RepairedRows::remove_chunk(ChunkId chunk) {
  return sqlite_run(db_.get(), fmt::format("DELETE FROM _braid_object WHERE kind = {} AND id = {}", kChunkKind, chunk.value()));
}

Status RepairedRows::rebase_log(Lsn base, Lsn watermark) {
  BRAID_TRY(sqlite_run(db_.get(), "BEGIN;CREATE TABLE _braid_log_kept(number INTEGER PRIMARY KEY, record BLOB NOT NULL)"));
  {
    BRAID_ASSIGN(auto keep, sqlite_prepare(db_.get(), "INSERT INTO _braid_log_kept(record) VALUES(?1)"));
    BRAID_TRY(read_log(db_.get(), watermark, [&](Lsn, std::string_view bytes) -> Status {
      auto record = decode_commit_record(bytes);
      if (!record.ok() || record->series.empty()) return {};
      record->graph = {};
      const std::string kept = encode_commit_record(*record);
      keep.bind_blob(1, kept);
      return keep.run();
    }));
  }
  return sqlite_run(db_.get(), fmt::format("DELETE FROM _braid_log;INSERT INTO _braid_log SELECT {0} + number, record FROM _braid_log_kept;"
                                           "INSERT INTO _braid_log SELECT coalesce(max(lsn), {0}) + 1, x'' FROM _braid_log;"
                                           "INSERT OR REPLACE INTO _braid_meta VALUES('series_watermark', {0});DROP TABLE _braid_log_kept;COMMIT",
                                           base.value()));
}

}  // namespace braid
