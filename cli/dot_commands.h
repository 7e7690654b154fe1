// The shell's own commands, which begin with a dot. One row per command in the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"
#include "cli/outcome.h"

namespace braid::cli {

/// One command as a person sees it.
struct DotCommandRow {
  /// What may come behind its name, for completion.
  enum class Next : uint8_t { kNothing, kWords, kFile, kFiles, kTables, kModes, kSql };

  std::string_view name;
  std::string_view arguments;
  std::string_view help;
  Next next;             ///< kFile: a file, then SQL
  std::string_view words = "";  ///< of kWords
};

std::vector<DotCommandRow> dot_commands();

/// Runs one line, ".name arguments". A failure with an empty message has been reported already.
Done run_dot_command(Console* console, std::string_view line);

/// The words of a line: separated by white space, a word with spaces in '...' or "..." (a backslash
/// in "..." takes the next character as it is). A failure for a quote that is not closed.
Outcome<std::vector<std::string>> split_words(std::string_view line);

}  // namespace braid::cli
