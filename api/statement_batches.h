// The rows of a statement in batches of columns.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "api/arrow_array.h"
#include "engine/result.h"
#include "sql/connection.h"
#include "sql/scan_request.h"
#include "timeseries/tag_codec.h"

namespace braid {

/// One run of a statement. The statement outlives it.
class StatementBatches {
 public:
  /// Starts the statement, which must not be running.
  static Result<std::unique_ptr<StatementBatches>> start(Statement& statement);

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
  explicit StatementBatches(Statement& statement) : statement_(statement) {}
  void name_columns();
  Status begin();
  Result<bool> next_stepped(size_t rows_max);
  Status add_row();
  Status add_value(size_t column);
  Status cannot_hold(size_t column) const;
  Result<bool> next_scanned(size_t rows_max);
  Status add_run(size_t count);
  Status add_tag(size_t tag, size_t count, ArrowColumn& to) const;
  void note_read();
  void add_field(const PointColumn& from, std::span<const uint32_t> rows, ArrowColumn& to) const;
  bool is_full() const;

  Statement& statement_;
  std::vector<std::string> names_;
  std::vector<ArrowColumn> columns_;
  std::vector<bool> decided_;  // is a column's type more than a guess?
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
