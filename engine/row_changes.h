// What a transaction has changed in tables of rows, in the order in which it did: a part of what a commit feed tells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// A value of a row, or kUnknown where SQLite does not tell it. Text and blobs are borrowed.
struct RowCell {
  enum class Type : uint8_t { kNull, kInteger, kReal, kText, kBlob, kUnknown };
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes{};
};

void append_cell(std::string& out, const RowCell& cell);
/// What `append_cell` wrote at `at`, which moves behind it. Pre: the bytes are its own.
RowCell take_cell(std::string_view bytes, size_t& at);

/// How SQLite converts what is stored in a column (https://sqlite.org/datatype3.html, section 3.1).
enum class Affinity : uint8_t { kBlob, kText, kNumeric, kInteger, kReal };

/// A table of rows as it was when its rows were written.
struct TableShape {
  struct Column {
    std::string name;
    uint32_t key = 0;        ///< place in the primary key, from 1; 0: not of it
    Affinity affinity = Affinity::kBlob;
    std::string added;       ///< the cell of rows that are older than the column; empty: NULL
    // What SQLite 3.40's preupdate hook calls it: in the row before, in one that is inserted, and in the one after an update.
    int old_place = 0, inserted_place = 0, updated_place = 0;
    /// The hook takes the column for a REAL one: whole numbers of the row before come as reals.
    bool old_is_real = false;
    /// The hook answers the rowid in its place.
    bool is_unreadable = false;
  };
  std::string name;
  std::vector<Column> columns;  ///< in the order in which they are stored: without generated ones that are not
  bool has_rowid = true;
  std::optional<size_t> rowid_column;  ///< the INTEGER PRIMARY KEY
  size_t declared_columns = 0;  ///< generated ones too
};

/// A table, index, view or trigger that was made, changed or dropped.
struct SchemaChange {
  std::string type;  ///< "table", "index", "view", "trigger"
  std::string name;
  std::string table;  ///< that it belongs to
  std::string was;    ///< its name before; empty: the same
  std::string sql;    ///< empty when it was dropped
  std::vector<std::string> columns;  ///< of a table
};

struct RowEvent {
  enum class Kind : uint8_t { kInsert, kUpdate, kDelete, kCreate, kAlter, kDrop };
  Kind kind = Kind::kInsert;
  uint32_t subject = 0;  ///< place in `tables`, or in `schema` from kCreate on
  uint64_t start = 0;    ///< place of its cells in `cells`: rowid before and after, the row before, the row after; those that there are
};

struct RowChanges {
  std::vector<std::shared_ptr<const TableShape>> tables;  ///< shared: with other transactions
  std::vector<SchemaChange> schema;
  std::vector<RowEvent> events;
  std::string cells;
  bool truncated = false;  ///< there were more

  bool empty() const { return events.empty() && !truncated; }
  uint64_t bytes() const;
};

}  // namespace braid
