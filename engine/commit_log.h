// The `_braid_*` tables: the commit log and the catalog, as rows of rows.db.
//
//   _braid_log(lsn, record)            one row per commit; docs/log_format.md
//   _braid_name(kind, id, name)        labels, edge types, property keys
//   _braid_series(id, hypertable, tags)
//   _braid_object(kind, id, definition) hypertables, indexes, bindings, chunks, hierarchies
//   _braid_meta(key, value)            counters, the series watermark, the positions of loads
#pragma once

#include <functional>
#include <memory>

#include "engine/catalog.h"
#include "engine/result.h"
#include "engine/sqlite_handle.h"
#include "engine/types.h"

namespace braid {

/// Creates the tables and the first log row, in one transaction.
Status create_log_tables(sqlite3* db);

/// What the tables hold at open.
struct StoredCatalog {
  std::shared_ptr<const CatalogState> state;
  CatalogCounters counters;
};
Result<StoredCatalog> load_catalog(sqlite3* db, Catalog& catalog);

/// The oldest row's commit: there is always one.
Result<Lsn> read_log_begin(sqlite3* db);
/// Calls `visit` for each log row after `after`, in order, until it fails.
Status read_log(sqlite3* db, Lsn after, const std::function<Status(Lsn, std::string_view record)>& visit);

/// The statements that a connection needs to commit: prepared once, used by one thread at a time.
class CommitLog {
 public:
  static Result<std::unique_ptr<CommitLog>> open(sqlite3* db);

  Result<Lsn> newest();
  /// Like `newest`, but leaves the reading statement open, which holds SQLite's read transaction until `release_read`.
  Result<Lsn> hold_read();
  void release_read();

  /// Writes the catalog's changes from number `first` on, and the row of the log. Inside the transaction.
  Status append(Lsn lsn, const CatalogWriter* catalog, size_t first, std::string_view record);
  /// Deletes rows up to `lsn`, never the newest.
  Status trim(Lsn lsn);
  Result<int64_t> size_rows();

 private:
  Status write_change(const CatalogWriter& catalog, const CatalogWriter::Change& change);
  SqliteStatement newest_, insert_, trim_, count_, put_name_, put_series_, put_object_, remove_object_, put_meta_, remove_meta_, put_dirty_;
};

}  // namespace braid
