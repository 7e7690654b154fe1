#include "engine/identity.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "engine/sqlite_handle.h"

namespace braid {

namespace {

int64_t identity_of(const Format& format) { return static_cast<int64_t>(XXH3_64bits(format.uuid.data(), format.uuid.size())); }

}  // namespace

Status write_identity(sqlite3* db, const Format& format) {
  return sqlite_run(db, fmt::format("INSERT INTO _braid_meta VALUES('identity', {})", identity_of(format)));
}

Status put_fixed_meta(sqlite3* db, std::string_view key, int64_t value) {
  return sqlite_run(db, fmt::format("INSERT INTO _braid_meta VALUES('{}', {}) ON CONFLICT(key) DO UPDATE SET value = excluded.value", key, value));
}

Status write_opening(sqlite3* db, uint64_t random) { return put_fixed_meta(db, "opening", static_cast<int64_t>(random >> 2 | kFixedMetaBit)); }

Status check_identity(sqlite3* db, const Format& format) {
  BRAID_ASSIGN(auto row, sqlite_prepare(db, "SELECT value FROM _braid_meta WHERE key = 'identity'"));
  BRAID_ASSIGN(const bool found, row.step());
  if (!found || row.integer(0) != identity_of(format))
    return Status(StatusCode::kCorrupt, "rows.db is of another database than FORMAT; put back the files that belong together");
  // They would run with each commit, as the engine.
  BRAID_ASSIGN(auto triggers, sqlite_prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND substr(tbl_name, 1, 7) = '_braid_' COLLATE NOCASE"));
  BRAID_ASSIGN(const bool planted, triggers.step());
  if (!planted) return {};
  return Status(StatusCode::kCorrupt, fmt::format("rows.db: trigger \"{}\" is on a table of the engine, which has none; the file was changed by somebody else", triggers.bytes(0)));
}

}  // namespace braid
