// A statement that another process steps. Rows come many at a time; each is laid into a statement of SQLite's own, which converts values as it
// does at home.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/remote_connection.h"
#include "engine/result.h"
#include "engine/sqlite_handle.h"

namespace braid {

/// The connection outlives it.
class RemoteStatement {
 public:
  /// Of the host's answer to kPrepare or kAlgorithm; null for white space and comments.
  static std::unique_ptr<RemoteStatement> of(RemoteConnection& connection, const Message& prepared);
  ~RemoteStatement();
  RemoteStatement(const RemoteStatement&) = delete;
  RemoteStatement& operator=(const RemoteStatement&) = delete;

  Result<bool> step();
  Status reset();
  /// The statement that stands on the row, or null.
  sqlite3_stmt* row() const { return has_row_ ? row_.get() : nullptr; }
  bool running() const { return running_; }
  bool writes() const { return writes_; }
  uint64_t handle() const { return handle_; }
  RemoteConnection& connection() const { return connection_; }

  int parameter_count() const { return static_cast<int>(parameters_.size()); }
  int parameter_index(std::string_view name) const;
  /// `index` from 1, in range. A copy is kept until the next run begins at the host.
  void bind(int index, const Value& value);
  /// What kRows takes first: the values that were bound since the last run began.
  std::vector<Value> take_bindings();

  int column_count() const { return static_cast<int>(columns_.size()); }
  const char* column_name(int column) const { return columns_[static_cast<size_t>(column)].name.c_str(); }
  const char* declared_type(int column) const { return columns_[static_cast<size_t>(column)].type.c_str(); }

 private:
  struct Column {
    std::string name, type;
  };
  struct Parameter {
    std::string name;
    Value value;
    std::string bytes;
    bool changed = false;
  };
  explicit RemoteStatement(RemoteConnection& connection) : connection_(connection) {}
  Status fetch();
  /// Columns as they are from value `at` on; where they end.
  size_t take_columns(const Message& message, size_t at, size_t count);
  Status show_next_row();
  Status end(Status status);
  Status begin();

  RemoteConnection& connection_;
  uint64_t handle_ = 0;
  bool writes_ = false;
  std::vector<Parameter> parameters_;
  std::vector<Column> columns_;
  std::vector<std::string> sent_;  // texts and blobs of the bindings that are being sent
  Message rows_;                   // the last that came
  size_t next_ = 0;                // value of it at which the next row begins
  size_t rows_left_ = 0;           // in it
  bool ended_ = true;              // the host has no more after them
  Status end_;                     // with which it ended
  bool running_ = false;
  bool may_commit_ = false;  // this run, or its end
  bool has_row_ = false;
  SqliteStatement row_;
};

}  // namespace braid
