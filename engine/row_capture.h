// The row changes of a connection's write transaction, caught as SQLite makes them while somebody follows the commits.
//
// SQLite calls the hook before each change of a row, whatever makes it: triggers, cascades, REPLACE. It does not call it for what a schema change
// does to rows, so the schema is compared after each statement: what was made, changed and dropped is told, with the rows of a table that was made
// with some (CREATE TABLE ... AS SELECT). Tables of the engine and of SQLite, and those behind virtual tables, are left out.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "engine/catalog.h"
#include "engine/memory_budget.h"
#include "engine/result.h"
#include "engine/row_changes.h"
#include "engine/sqlite_handle.h"

namespace braid {

/// One thread at a time: the connection's. The connection outlives it.
class RowCapture {
 public:
  /// At most `bytes_max` of a transaction are kept.
  RowCapture(sqlite3* db, MemoryShare memory, uint64_t bytes_max);
  ~RowCapture();
  RowCapture(const RowCapture&) = delete;
  RowCapture& operator=(const RowCapture&) = delete;

  /// A write transaction has begun; nothing is caught yet.
  void begin();
  /// A statement is done, or the transaction is about to be committed: schema changes since the last call are told. Hypertables of either catalog
  /// are none of its business.
  void note_schema(const CatalogState& before, const CatalogState& now);

  struct Schema;  // a value, never changed after it is shared
  struct Mark {
    size_t events = 0;
    size_t schema_changes = 0;
    size_t bytes = 0;
    bool truncated = false;
    std::shared_ptr<const Schema> schema{};  ///< shared: by marks and by the capture
  };
  Mark mark() const;
  /// A default mark drops everything since `begin`.
  void rollback_to(const Mark& mark);
  /// What was caught since the last call.
  RowChanges take();
  /// The transaction is over; undone when `undo`.
  void end(bool undo);

 private:
  static void note(void* self, sqlite3* db, int operation, const char* database, const char* table, sqlite3_int64 before, sqlite3_int64 after);
  void note_row(RowEvent::Kind kind, std::string_view table, int64_t before, int64_t after);
  void append_row(const TableShape& shape, RowEvent::Kind kind, bool is_new, int64_t rowid);
  void add_event(RowEvent::Kind kind, uint32_t subject, size_t cells_before);
  uint32_t place_of(const std::shared_ptr<const TableShape>& shape);
  void truncate() { changes_.truncated = true; }

  Result<int64_t> cookie();
  Result<std::shared_ptr<const Schema>> read_schema();
  Result<std::shared_ptr<const TableShape>> read_shape(const std::string& name, bool has_rowid, bool is_strict);
  Result<std::string> read_default(const std::string& expression, Affinity affinity);
  Status note_rows_of(const std::shared_ptr<const TableShape>& shape);
  Status compare_schema(const std::function<bool(const std::string&)>& is_left_out);

  sqlite3* const db_;
  const uint64_t bytes_max_;
  MemoryShare memory_;
  sqlite3_value* missing_ = nullptr;  // what SQLite answers for a column that a row is too old for; its own constant
  SqliteStatement missing_holder_;
  SqliteStatement cookie_;
  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<const Schema> first_schema_;  // when the transaction began
  std::set<std::string, std::less<>> unknown_;  // tables that the statement has written to and the schema does not have
  RowChanges changes_;
};

}  // namespace braid
