// InfluxDB's line protocol: "measurement,tag=value field=1.5,other=3i 1465839830100400200", a point a line. The bytes are a stranger's: what does
// not fit is a failure with its line and place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/column_type.h"
#include "cli/input_file.h"
#include "cli/outcome.h"

namespace braid::cli {

struct LineField {
  std::string name;
  ColumnType type = ColumnType::kDouble;  ///< kDouble, kInteger, kBoolean or kText
  double real = 0;
  int64_t integer = 0;  ///< kBoolean as 0 or 1
  std::string text;
};

struct LinePoint {
  std::string measurement;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<LineField> fields;
  std::optional<std::string> time;  ///< digits, as they are written
};

/// Reads one line without its end. The message tells the column, from 1.
Outcome<LinePoint> read_line_point(std::string_view line);

/// The points of a file. Empty lines and those that begin with # are passed over. A newline inside a quoted value belongs to it.
class LineProtocolReader {
 public:
  /// A line is at most this long, so that a quote that is never closed does not read the whole file into memory.
  static constexpr size_t kLineBytesMax = 16 * 1024 * 1024;

  explicit LineProtocolReader(ByteSource& source) : source_(source) {}
  /// False at the end of the file.
  Outcome<bool> next(LinePoint* point);
  /// Of the last point, from 1.
  int64_t line() const { return line_; }

 private:
  Outcome<bool> next_line();

  ByteSource& source_;
  std::string_view block_;
  std::string text_;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
};

}  // namespace braid::cli
