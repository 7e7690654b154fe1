// The rows of a table or query as a file of one of the formats of results.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"

namespace braid::cli {

struct ExportTarget {
  std::string file;                    ///< "-" for standard output
  std::optional<OutputFormat> format;  ///< by the file's name when not given, else csv
  std::string insert_table = kInsertTable;
  std::string null_text;                                     ///< of the format csv
  std::function<void(std::span<const Cell> row)> visit = {};  ///< called for each row
};

/// The format that a file's name asks for: .csv, .json, .jsonl, .md, .sql, .txt; CSV without an ending, nothing for any other one.
std::optional<OutputFormat> format_of_file(std::string_view file);

/// Writes all rows of a SELECT; answers how many there were. A file that could not be written whole
/// is removed.
Outcome<int64_t> export_query(const Session& session, std::string_view sql, const ExportTarget& target);

}  // namespace braid::cli
