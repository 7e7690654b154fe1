// The rows of a statement in batches of columns.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "api/arrow_array.h"
#include "api/remote_statement.h"
#include "engine/result.h"
#include "sql/connection.h"
#include "sql/scan_request.h"
#include "timeseries/tag_codec.h"

namespace braid {

struct BatchOptions {
  size_t bytes_max = size_t{64} << 20;           ///< a batch ends when it holds so many; offsets have 32 bits, so at most 1 GiB
  std::vector<std::optional<ArrowType>> types{};  ///< what the caller wants, one per column; empty: nothing
};

/// The statement whose rows are taken: of this process, or one that another process steps.
class BatchedRows {
 public:
  explicit BatchedRows(Statement& statement) : here_(&statement) {}
  explicit BatchedRows(RemoteStatement& statement) : there_(&statement) {}

  /// Null for one of another process.
  Statement* here() const { return here_; }
  bool running() const { return here_ != nullptr ? here_->running() : there_->running(); }
  Result<bool> step() { return here_ != nullptr ? here_->step() : there_->step(); }
  /// What stands on the row.
  sqlite3_stmt* row() const { return here_ != nullptr ? here_->get() : there_->row(); }
  int column_count() const { return here_ != nullptr ? sqlite3_column_count(here_->get()) : there_->column_count(); }
  std::string_view column_name(int column) const { return text(here_ != nullptr ? sqlite3_column_name(here_->get(), column) : there_->column_name(column)); }
  std::string_view declared_type(int column) const {
    return text(here_ != nullptr ? sqlite3_column_decltype(here_->get(), column) : there_->declared_type(column));
  }

 private:
  static std::string_view text(const char* given) { return given == nullptr ? "" : given; }
  Statement* here_ = nullptr;
  RemoteStatement* there_ = nullptr;
};

/// One run of a statement. The statement outlives it.
///
/// The type of a column: the one that the caller wants; else what its values in the first batch have in common, where a boolean, a time and a double
/// need the declaration of the column to be told from an integer and a text; else, without a value, what is declared.
class StatementBatches {
 public:
  /// Starts the statement, which must not be running. `run` tells runs that streams read from others.
  static Result<std::unique_ptr<StatementBatches>> start(BatchedRows statement, BatchOptions options, uint64_t run);

  uint64_t run() const { return run_; }

  /// The next rows, at least one; false when there are no more.
  Result<bool> next(size_t rows_max);
  const std::vector<std::string>& names() const { return names_; }
  std::vector<ArrowType> types() const;
  /// The columns that `next` filled.
  std::vector<ArrowColumn> take();
  size_t rows() const { return rows_; }

 private:
  /// Where the values of a result column come from when a hypertable's scan was taken over.
  struct ScannedColumn {
    enum class Kind : uint8_t { kTime, kTag, kField } kind;
    size_t index;
  };
  StatementBatches(BatchedRows statement, BatchOptions options, uint64_t run) : statement_(statement), options_(std::move(options)), run_(run) {}
  Status name_columns();
  Status begin();
  Result<bool> next_stepped(size_t rows_max);
  Status add_row();
  Status add_value(size_t column);
  Result<bool> add_time(size_t column, int sqlite_type);
  Status add_text(size_t column, std::string_view text);
  /// The column made one that can hold a value of type `given`.
  Status fit(size_t column, ArrowType given);
  Status cannot_hold(size_t column, std::string_view why) const;
  void settle_nulls();
  Result<bool> next_scanned(size_t rows_max);
  Status add_run(size_t count);
  Status add_tag(size_t column, size_t tag, size_t count);
  void note_read();
  Status add_field(size_t column, const PointColumn& from, std::span<const uint32_t> rows);
  Status read_tags();
  size_t rows_that_fit(size_t count) const;
  size_t bytes() const;
  bool is_full() const { return bytes() >= options_.bytes_max; }

  /// What is known of a column's type before its values.
  struct ColumnRule {
    bool fixed;     // no value changes it
    bool declared;  // it is what a column without values is
    bool seen;      // a value was met
  };

  BatchedRows statement_;
  const BatchOptions options_;
  const uint64_t run_;
  std::vector<std::string> names_;
  std::vector<ArrowColumn> columns_;
  std::vector<ColumnRule> rules_;
  bool first_batch_ = true;
  size_t rows_ = 0;
  bool has_row_ = false;       // the statement stands on a row that is not in a batch yet
  // When the scan was taken over:
  std::optional<FilteredScan> scan_;
  HypertableDefinition table_;
  std::vector<ScannedColumn> sources_;
  std::optional<uint64_t> rows_left_;
  uint64_t rows_given_ = 0;
  size_t at_ = 0;              // in the rows of the scan's run
  bool in_run_ = false;
  SeriesId tags_series_;
  TagValues tags_;
};

}  // namespace braid
