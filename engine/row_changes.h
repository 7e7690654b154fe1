// What a transaction has changed in tables of rows, in the order in which it did: a part of what a commit feed tells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// A value of a row. Text and blobs are borrowed.
struct RowCell {
  enum class Type : uint8_t { kNull, kInteger, kReal, kText, kBlob };
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes{};
};

void append_cell(std::string& out, const RowCell& cell);
/// What `append_cell` wrote at `at`, which moves behind it. Pre: the bytes are its own.
RowCell take_cell(std::string_view bytes, size_t& at);

/// A table of rows as it was when its rows were written.
struct TableShape {
  struct Column {
    std::string name;
    uint32_t key = 0;        ///< place in the primary key, from 1; 0: not of it
    bool is_real = false;    ///< whole numbers of it are kept as integers, and read as reals
    std::string added;       ///< the cell of rows that are older than the column; empty: NULL
  };
  std::string name;
  std::vector<Column> columns;  ///< in the order in which they are stored: without generated ones that are not
  bool has_rowid = true;
  std::optional<size_t> rowid_column;  ///< the INTEGER PRIMARY KEY
  /// SQLite 3.40 answers the rowid in place of this column, when a generated column that is not stored stands before the INTEGER PRIMARY KEY.
  std::optional<size_t> unreadable_column;
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
