// Results as text, in one of several formats. One row per format in the table; nothing else knows
// their names.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/braid.h"

namespace braid::cli {

/// One value of a row. Borrows its text.
struct Cell {
  int32_t type = BRAID_TYPE_NULL;  ///< BRAID_TYPE_*
  int64_t integer = 0;
  double real = 0;
  std::string_view text;  ///< text, or the bytes of a blob

  static Cell of(int64_t value) { return {.type = BRAID_TYPE_INT64, .integer = value}; }
  static Cell of(double value) { return {.type = BRAID_TYPE_DOUBLE, .real = value}; }
  static Cell of(std::string_view value) { return {.type = BRAID_TYPE_TEXT, .text = value}; }
};

/// Writes results, one after the other: begin, any number of rows, end. `end` is called after a
/// failure too, so that what was written is complete in its format.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual void begin(std::span<const std::string> columns) = 0;
  virtual void row(std::span<const Cell> cells) = 0;
  virtual void end() = 0;
};

enum class OutputFormat : uint8_t {
  kBox,
  kTable,
  kCsv,
  kJson,
  kJsonLines,
  kMarkdown,
  kLine,
  kInsert
};

struct OutputFormatRow {
  std::string_view name;
  OutputFormat format;
  std::string_view help;
};

/// All formats, in the order of OutputFormat.
std::span<const OutputFormatRow> output_formats();
std::string_view output_format_name(OutputFormat format);
std::optional<OutputFormat> output_format_named(std::string_view name);

/// "box, table, csv ...": the names of all formats, for messages.
std::string output_format_names();

/// The table that rows go into in the format insert when nobody names one.
inline constexpr const char* kInsertTable = "result";

struct ResultLook {
  OutputFormat format = OutputFormat::kCsv;
  bool colour = false;
  std::string insert_table = kInsertTable;  ///< of the format insert
  std::string null_text;                    ///< of the format csv
};

/// A writer of results. `stream` must outlive it.
std::unique_ptr<ResultWriter> make_result_writer(const ResultLook& look, std::FILE* stream);

/// Bytes as two hexadecimal digits each: how blobs are shown in every format.
std::string hex_text(std::string_view bytes);

/// A value as the text that csv, box and line show: integers and doubles shortest, blobs as
/// hexadecimal, "" for NULL.
std::string cell_text(const Cell& cell);

}  // namespace braid::cli
