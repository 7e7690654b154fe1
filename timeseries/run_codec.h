// Points of many series on their way through the log: the field `runs` of a commit record, coded column by column as chunk files are, so that the log
// is written and copied in few bytes. docs/log_format.md.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/column_data.h"
#include "engine/result.h"
#include "engine/types.h"
#include "timeseries/field_mapping.h"
#include "timeseries/point_block.h"

namespace braid {

/// No run has more fields; what is decoded at a time is bounded by it.
inline constexpr size_t kRunFieldsMax = 4096;

/// Points of one series, in the order in which they were written.
struct SeriesRun {
  HypertableId hypertable;
  SeriesId series;
  std::vector<int64_t> times;       ///< microseconds since 1970-01-01T00:00:00Z
  std::vector<ColumnData> columns;  ///< one per field, each with times.size() rows
  std::vector<FieldId> fields;      ///< of each column
  std::vector<uint8_t> deleted;     ///< empty, or one byte per row: 1 takes the point away; its fields are null
};

/// Whose points follow.
struct RunOwner {
  HypertableId hypertable;
  SeriesId series;
  const StoredFields& fields;
};

/// Appends runs to the bytes that it was made with. Rows of several series share a block, so that short runs are small too. What is not flushed at the
/// end is left out: a destructor could not tell that memory is lacking.
class RunEncoder {
 public:
  explicit RunEncoder(std::string& out) : out_(out) {}
  RunEncoder(const RunEncoder&) = delete;
  RunEncoder& operator=(const RunEncoder&) = delete;

  /// Adds rows [start, limit). `deleted` is empty or has a byte per row. Texts are borrowed until `flush`.
  void add(const RunOwner& owner, std::span<const int64_t> times, std::span<const ColumnData> columns, std::span<const uint8_t> deleted, size_t start,
           size_t limit);
  /// The same of all rows of a block, whose columns are loaded.
  void add(const RunOwner& owner, const PointBlock& points);
  /// Writes what is gathered. The bytes are complete then.
  void flush();

 private:
  struct Piece {
    SeriesId series;
    size_t rows;
  };
  struct Schema {
    HypertableId hypertable;
    StoredFields fields;
  };
  template <typename Column>
  void add_rows(const RunOwner& owner, std::span<const int64_t> times, std::span<const Column> columns, std::span<const uint8_t> deleted, size_t start,
                size_t limit);
  void begin_block(const RunOwner& owner);
  void append_header();

  std::string& out_;
  std::vector<Schema> schemas_;
  size_t schemas_written_ = 0;
  size_t schema_ = 0;  // of the block
  std::vector<Piece> pieces_;
  PointBlock block_;
  bool holds_text_ = false;  // the block
  size_t text_bytes_ = 0;
};

/// Calls `visit` for each run in order until it fails. kCorrupt for bytes that are no runs. Memory is bounded, whatever they claim.
Status read_runs(std::string_view bytes, const std::function<Status(const SeriesRun&)>& visit);

}  // namespace braid
